# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock that can be put forward."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.clock import DeadlineExceeded, MovableClock, wait_until


class Standing:
    """A machine whose clock stands still."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 100.0

    def wait(self, seconds: float) -> None:
        raise AssertionError("nobody waits on the machine's clock")


class Ticking(Standing):
    """A machine whose clock goes on when it is told to."""

    def __init__(self) -> None:
        self._passed = timedelta()

    def now(self) -> datetime:
        return super().now() + self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += timedelta(seconds=seconds)


def test_both_times_move_together() -> None:
    clock = MovableClock(Standing())
    assert clock.advance(90) == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    clock.advance(0.5)
    assert clock.now() - Standing().now() == timedelta(seconds=90.5)
    assert clock.monotonic() == 190.5


def test_each_of_its_moments_was_one_of_the_machines() -> None:
    machine = Ticking()
    clock, start = MovableClock(machine), machine.now()
    for passed, moved in ((10, 3600), (20, 60)):
        machine.pass_time(passed)
        clock.advance(moved)
    machine.pass_time(5)
    told = {0: 0, 10: 10, 1800: 10, 3610: 10, 3615: 15, 3630: 30, 3650: 30, 3690: 30, 3695: 35}
    seconds = {of: (clock.on_the_machine(start + timedelta(seconds=of)) - start).total_seconds() for of in told}
    assert seconds == told and clock.now() == start + timedelta(seconds=3695)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_it_only_goes_forward(seconds: float) -> None:
    clock = MovableClock(Standing())
    with pytest.raises(ValueError, match="only goes forward"):
        clock.advance(seconds)
    assert clock.now() == Standing().now()


def test_who_waits_goes_on_when_the_time_has_come() -> None:
    clock = MovableClock()
    ended: list[str] = []

    def wait(name: str, seconds: float) -> None:
        clock.wait(seconds)
        ended.append(name)

    threads = {
        name: threading.Thread(target=wait, args=(name, seconds), daemon=True)
        for name, seconds in (("hour", 3600), ("day", 86400))
    }
    for thread in threads.values():
        thread.start()
    started = clock.monotonic()
    # However late the threads come to wait: the clock moves on until the first has had its hour, far from a day.
    while threads["hour"].is_alive():
        clock.advance(600)
        threads["hour"].join(0.01)
        assert clock.monotonic() - started < 80000
    assert ended == ["hour"] and threads["day"].is_alive()
    clock.advance(86400)
    threads["day"].join(10)
    assert ended == ["hour", "day"]


def test_no_time_is_no_wait() -> None:
    MovableClock(Standing()).wait(0)


def test_deadline_is_one_of_the_moved_clock() -> None:
    clock = MovableClock()

    def goal() -> bool:
        clock.advance(10)
        return False

    with pytest.raises(DeadlineExceeded, match="rain: not within 60 seconds"):
        wait_until(goal, "rain", 60, clock, poll=0)
