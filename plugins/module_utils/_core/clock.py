# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time as a dependency, and the one way of waiting."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import WaitError, sentences

T = t.TypeVar("T")


class Clock(t.Protocol):
    """What a wait needs of time; tests give one that does not pass by itself."""

    def now(self) -> float:
        """Return seconds that only ever grow; the zero is arbitrary."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Wait(t.Generic[T]):
    """A wait as a value.

    ``what`` completes the sentence "Waited for ...". ``done`` says whether a look shows the goal; ``failed`` returns
    why the goal can no longer be reached, or None; ``seen`` puts a look into words. ``timeout``, ``poll``,
    ``longest_poll`` and ``steady`` are seconds: the pause between looks grows by half from ``poll`` to
    ``longest_poll``; the goal must hold for ``steady`` seconds. ``remedy`` tells what to do when time runs out.
    """

    what: str
    done: t.Callable[[T], bool]
    seen: t.Callable[[T], str]
    timeout: float
    failed: t.Callable[[T], str | None] = lambda look: None
    poll: float = 5.0
    longest_poll: float = 20.0
    steady: float = 0.0
    remedy: str = ""

    def until_done(self, look: t.Callable[[], T], clock: Clock) -> T:
        """Look until the goal holds, and return the last look.

        Raises WaitError in a failure state, or when the time is up and a last look does not show the goal either.
        """
        started = clock.now()
        deadline = started + self.timeout
        pause = self.poll
        since: float | None = None
        while True:
            # The clock is read before the look: what is seen at the deadline still counts.
            now = clock.now()
            latest = look()
            reason = self.failed(latest)
            if reason is not None:
                raise WaitError(sentences(f"Waited for {self.what}, which failed: {reason}", self.remedy))
            since = (now if since is None else since) if self.done(latest) else None
            if since is not None and now - since >= self.steady:
                return latest
            if now >= deadline:
                raise WaitError(
                    sentences(f"Waited {self.timeout:g} s for {self.what}; last seen: {self.seen(latest)}", self.remedy)
                )
            clock.sleep(max(0.0, min(pause, deadline - now)))
            pause = min(pause * 1.5, self.longest_poll)
