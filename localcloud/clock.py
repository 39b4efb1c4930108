# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where the rehearsal cloud asks for the time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now(self) -> datetime:
        """The wall time, in UTC with its time zone."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class MovableClock:
    """A clock that can be put forward: who waits on it goes on once its time has come, however it came."""

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._moved = threading.Condition()
        self._ahead = 0.0
        # When it was moved, by the machine's clock, and by how much it was ahead before and after.
        self._moves: list[tuple[datetime, float, float]] = []

    def now(self) -> datetime:
        return self._machine.now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return self._machine.monotonic() + self._ahead

    @property
    def ahead(self) -> float:
        """By how many seconds it is ahead of the machine's."""
        return self._ahead

    def on_the_machine(self, moment: datetime) -> datetime:
        """What the machine's clock, which containers go by, said at a moment of this one."""
        for moved_at, before, after in reversed(self._moves):
            if moment >= moved_at + timedelta(seconds=after):
                return moment - timedelta(seconds=after)
            if moment >= moved_at + timedelta(seconds=before):
                return moved_at
        return moment

    def wait(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        with self._moved:
            while (left := until - self.monotonic()) > 0:
                self._moved.wait(left)

    def advance(self, seconds: float) -> datetime:
        """Put the clock forward and return its new wall time.

        :raises ValueError: When it would go back, or nowhere.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"a clock only goes forward, not by {seconds} seconds")
        with self._moved:
            self._moves.append((self._machine.now(), self._ahead, self._ahead + seconds))
            self._ahead += seconds
            self._moved.notify_all()
        return self.now()


class DeadlineExceeded(Exception):
    """A wait did not reach its goal in time."""


def wait_until(goal: Callable[[], bool], what: str, timeout: float, clock: Clock, poll: float = 0.1) -> None:
    """Return once `goal` holds; it is looked at once more after the deadline.

    :param what: The goal in words, for the message.
    :param timeout: In seconds.
    :param poll: Seconds between two looks.
    :raises DeadlineExceeded: When the goal was not reached. What `goal` raises ends the wait as a failure.
    """
    deadline = clock.monotonic() + timeout
    while not goal():
        if clock.monotonic() >= deadline:
            raise DeadlineExceeded(f"{what}: not within {timeout:g} seconds")
        clock.wait(poll)
