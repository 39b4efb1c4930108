# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Beat runs on one instance: real processes, and a database that gives its lock as PostgreSQL does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "roles/eb_bundle/files/alone.py"

# A session holds the lock as long as its process lives. Files make the database silent, or end its sessions.
PSYCOPG = """
import fcntl, os, time
class Error(Exception): pass
class Cursor:
    def __init__(self, files): self.files = files
    def execute(self, statement, values=()):
        home = os.environ["POSTGRES_HOST"]
        while os.path.exists(home + "/silent"): time.sleep(0.02)
        if os.path.exists(home + "/ended"): raise Error("terminating connection")
        self.row = (1,)
        if "advisory_lock" in statement:
            self.files.append(open(home + "/lock-%d" % values, "w"))
            try: fcntl.flock(self.files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError: self.row = (False,)
    def fetchone(self): return self.row
class Connection:
    def __init__(self, host):
        if os.path.exists(host + "/ended"): raise Error("connection refused")
        self.files = []
    def cursor(self): return Cursor(self.files)
    def close(self):
        for file in self.files: file.close()
def connect(host, **others): return Connection(host)
"""

BEAT = "import os, time; print('beat', os.getpid(), flush=True); time.sleep(60)"


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass
class Instances:
    home: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def launch(self, name: str, *command: str, words: tuple[str, ...] = ("beat",)) -> subprocess.Popen[bytes]:
        parts = dict.fromkeys(("POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"), "5432")
        environment = {
            **os.environ, **parts, "POSTGRES_HOST": str(self.home), "PYTHONPATH": str(self.home),
            "ALONE_LOOK_SECONDS": "0.1",
        }  # fmt: skip
        with (self.home / f"{name}.log").open("ab") as log:
            one = subprocess.Popen(
                [sys.executable, str(SCRIPT), *words, *(command or (sys.executable, "-c", BEAT))],
                env=environment, stdout=log, start_new_session=True,
            )  # fmt: skip
        self.running.append(one)
        return one

    def said(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def beats(self, name: str) -> list[int]:
        return [int(line.split()[1]) for line in self.said(name).splitlines() if line.startswith("beat ")]

    def switch(self, name: str, on: bool) -> None:
        (self.home / name).touch() if on else (self.home / name).unlink()


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[Instances]:
    (tmp_path / "psycopg.py").write_text(PSYCOPG)
    subject = Instances(tmp_path)
    yield subject
    for one in subject.running:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_second_stands_by_and_takes_over_when_the_first_dies(instances: Instances) -> None:
    first = instances.launch("first")
    until(lambda: instances.beats("first"))
    instances.launch("second")
    until(lambda: "another instance runs it" in instances.said("second"))
    assert instances.beats("second") == []
    os.killpg(first.pid, signal.SIGKILL)
    until(lambda: instances.beats("second"))


def test_commands_with_locks_of_their_own_run_side_by_side(instances: Instances) -> None:
    instances.launch("beat")
    until(lambda: instances.beats("beat"))
    migration = instances.launch("migration", sys.executable, "-c", "print('migrated')", words=("--once", "migrate"))
    assert migration.wait(20) == 0
    assert "migrated" in instances.said("migration")


def test_who_loses_the_session_ends_beat_before_it_tries_again(instances: Instances) -> None:
    instances.launch("only")
    until(lambda: instances.beats("only"))
    instances.switch("ended", on=True)
    until(lambda: "the session has ended (terminating connection)" in instances.said("only"))
    assert gone(instances.beats("only")[0])
    instances.switch("ended", on=False)
    until(lambda: len(instances.beats("only")) == 2)


def test_who_hears_nothing_from_the_database_ends_with_beat(instances: Instances) -> None:
    only = instances.launch("only")
    until(lambda: instances.beats("only"))
    instances.switch("silent", on=True)
    until(lambda: only.poll() is not None)
    assert only.returncode == 1
    assert gone(instances.beats("only")[0])


def test_what_is_tried_once_ends_where_there_is_no_database(instances: Instances) -> None:
    instances.switch("ended", on=True)
    assert instances.launch("migration", words=("--once", "migrate")).wait(20) == 1
    assert "the session has ended (connection refused)" in instances.said("migration")


def test_the_end_is_passed_on(instances: Instances) -> None:
    only = instances.launch("only")
    until(lambda: instances.beats("only"))
    only.terminate()
    assert only.wait(20) == 128 + signal.SIGTERM
    assert gone(instances.beats("only")[0])


def test_the_exit_status_is_that_of_beat(instances: Instances) -> None:
    assert instances.launch("only", sys.executable, "-c", "raise SystemExit(7)").wait(20) == 7
