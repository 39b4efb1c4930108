# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons that do not start, and that do not listen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from localcloud import process
from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.options import Options
from localcloud.process import alone, end, start
from localcloud.state import State

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def test_a_daemon_that_does_not_start_in_time_does_not_stay(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    state.directory.mkdir()
    sleeper = state.directory / "sleeper"
    sleeper.write_text(
        f"#!/bin/sh\necho $$ > {state.pid_file}.new; mv {state.pid_file}.new {state.pid_file}\nsleep 60\n"
    )
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(process, "START_TIMEOUT", 0.5)
    with pytest.raises(DeadlineExceeded, match="start of the rehearsal cloud"):
        start(state, Options())
    with pytest.raises(ProcessLookupError):
        os.kill(int(state.pid_file.read_text()), 0)


def test_a_daemon_that_does_not_listen_is_gone_when_its_end_is_told(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP_TIMEOUT", 0.5)
    state.directory.mkdir()
    command = [sys.executable, "-c", DEAF, "localcloud", str(state.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None and deaf.stdout.readline()
        state.pid_file.write_text(f"{deaf.pid}\n")
        sent, at_once = [], os.kill

        def kill(pid: int, number: int) -> None:
            """The machine takes its time to kill."""
            sent.append(number)
            threading.Timer(0.2, at_once, (pid, number)).start()

        monkeypatch.setattr(os, "kill", kill)
        end(state)
        assert state.daemon_pid() is None
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_who_starts_or_ends_a_cloud_waits_for_who_does(state: State) -> None:
    entered = threading.Event()

    def other() -> None:
        with alone(State(state.directory)):
            entered.set()

    with alone(state):
        threading.Thread(target=other, daemon=True).start()
        with pytest.raises(DeadlineExceeded):
            wait_until(entered.is_set, "the other", 0.2, SystemClock(), poll=0.01)
    assert entered.wait(5)
    assert not state.directory.exists()
