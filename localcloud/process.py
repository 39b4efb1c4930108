# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's life, seen from outside: is it there, start it, end it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from localcloud.client import Client, Refused
from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.options import Options, arguments
from localcloud.state import Ready, State

START_TIMEOUT = 120.0
STOP_TIMEOUT = 60.0


class NotStarted(Exception):
    """The cloud did not start; the message says why and where its log is."""


@contextlib.contextmanager
def alone(state: State) -> Iterator[None]:
    """Let nobody else start or end a cloud of this directory meanwhile.

    What is locked is where the directory is, for it comes and goes itself.
    """
    state.directory.parent.mkdir(parents=True, exist_ok=True)
    place = os.open(state.directory.parent, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def running(state: State) -> Ready | None:
    """The ready file of a daemon that lives and answers."""
    ready = state.read_ready()
    if ready is None or state.daemon_pid() != ready.pid:
        return None
    try:
        Client(ready.endpoint).get("latency")
    except Refused:
        return None
    return ready


def start(state: State, options: Options) -> Ready:
    """Start the daemon and return when it answers; one that nobody has waited for until then does not stay.

    :raises NotStarted: When it ended before that.
    :raises DeadlineExceeded: When it did nothing of the two.
    """
    state.directory.mkdir(parents=True, exist_ok=True)
    for path in (state.ready_file, state.failure_file):
        path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "localcloud", "serve", "--state-dir", str(state.directory), *arguments(options)]
    with state.log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_daemon_environment(),
        )
    try:
        wait_until(
            lambda: state.ready_file.exists() or process.poll() is not None,
            "the start of the rehearsal cloud",
            START_TIMEOUT,
            SystemClock(),
        )
    except (DeadlineExceeded, KeyboardInterrupt):
        process.kill()
        process.wait()
        raise
    ready = state.read_ready()
    if ready is None:
        why = state.failure_file.read_text().strip() if state.failure_file.exists() else "it ended at once"
        raise NotStarted(f"the rehearsal cloud did not start: {why} (log: {state.log_file})")
    return ready


def _daemon_environment() -> dict[str, str]:
    """The daemon finds this package wherever `up` was called from."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root, "PYTHONUNBUFFERED": "1"}


def end(state: State) -> None:
    """End the daemon if there is one, by force when it does not listen: it is gone when this returns."""
    pid = state.daemon_pid()
    if pid is None:
        return
    try:
        _send(state, pid, signal.SIGTERM)
    except DeadlineExceeded:
        _send(state, pid, signal.SIGKILL)
    state.ready_file.unlink(missing_ok=True)


def _send(state: State, pid: int, number: signal.Signals) -> None:
    """Send the daemon a signal and wait for its end.

    :raises DeadlineExceeded: When it lives on.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    wait_until(lambda: state.daemon_pid() is None, f"the end of process {pid}", STOP_TIMEOUT, SystemClock())
