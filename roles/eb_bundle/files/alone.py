# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command as long as this process, alone among those of all instances, holds a lock of the database.

Each instance of an environment has the container of beat, and sent twice, a task would run twice; each migrates the
database when it has a new version, and two at once would get into each other's way. PostgreSQL gives the
lock to one session and takes it back when that session ends: with its process, its instance, or in a failover. Then
another one gets it, at the latest after the 25 seconds in which the server notices that nobody is there. A holder that
hears nothing from the database ends its command before that.

    python alone.py [--once] LOCK COMMAND [ARGUMENT...]

LOCK is the name of the lock. With --once, a database that is not there ends this process too, with status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from typing import Any

try:
    import psycopg
except ImportError:
    import psycopg2 as psycopg

LOOK_SECONDS = float(os.environ.get("ALONE_LOOK_SECONDS", "5"))
SILENCE_SECONDS = 3 * LOOK_SECONDS
KEEPALIVES = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
"""Of the server, for this session: longer together than the silence that the holder bears."""

STOP_SECONDS = 10


def say(words: str) -> None:
    print(f"alone: {words}", flush=True)


def connect() -> Any:
    return psycopg.connect(
        host=os.environ["POSTGRES_HOST"],
        port=os.environ["POSTGRES_PORT"],
        dbname=os.environ["POSTGRES_DB"],
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        connect_timeout=10,
    )


class Runner:
    """Runs the command, at most once at a time."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def wait(self, seconds: float) -> int | None:
        """The exit status of the command, or None if it still runs after these seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def await_lock(cursor: Any, lock: str) -> None:
    """Return once this session holds the lock of this name, which PostgreSQL knows by a number."""
    number = zlib.crc32(lock.encode())
    told = False
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
        if cursor.fetchone()[0]:
            return
        if not told:
            say("another instance runs it, this one stands by")
            told = True
        time.sleep(LOOK_SECONDS)


def hold(cursor: Any, runner: Runner) -> int:
    """Run the command as long as the database answers, and return its exit status."""

    def give_up() -> None:
        say(f"the database has been silent for {SILENCE_SECONDS:g} seconds, another instance may take over")
        runner.kill()
        os._exit(1)

    runner.start()
    say("this instance runs it")
    while (status := runner.wait(LOOK_SECONDS)) is None:
        # In a thread of its own: a query to a host that is gone may take minutes to fail.
        watch = threading.Timer(SILENCE_SECONDS, give_up)
        watch.daemon = True
        watch.start()
        try:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        finally:
            watch.cancel()
    return status


def turn(runner: Runner, lock: str) -> int:
    """One session: wait for the lock, hold it, and return the exit status of the command."""
    with contextlib.closing(connect()) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for name, value in KEEPALIVES.items():
            cursor.execute(f"SET {name} = {value:d}")
        await_lock(cursor, lock)
        try:
            return hold(cursor, runner)
        finally:
            runner.stop()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--once", action="store_true")
    parser.add_argument("lock")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    runner = Runner(given.command)

    def end(number: int, _frame: object) -> None:
        runner.stop()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while True:
        try:
            return turn(runner, given.lock)
        except psycopg.Error as error:
            say(f"the session has ended ({str(error).strip()})")
        if given.once:
            return 1
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
