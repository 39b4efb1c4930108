# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on behind the API: one thing at a time for each resource, and what time brings."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Hashable

from localcloud.clock import Clock

Job = Callable[[], None]


class Jobs:
    """Runs jobs in the background; those of one resource one after another, in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[Job]] = defaultdict(deque)
        self._busy: set[Hashable] = set()

    def add(self, resource: Hashable, job: Job) -> None:
        """Run the job once those before it are done."""
        with self._lock:
            self._waiting[resource].append(job)
            if resource in self._busy:
                return
            self._busy.add(resource)
        threading.Thread(target=self._work, args=(resource,), daemon=True).start()

    def is_busy(self, resource: Hashable) -> bool:
        """Whether a job of the resource runs or waits."""
        with self._lock:
            return resource in self._busy

    def _work(self, resource: Hashable) -> None:
        while True:
            with self._lock:
                if not self._waiting[resource]:
                    del self._waiting[resource]
                    self._busy.remove(resource)
                    return
                job = self._waiting[resource].popleft()
            try:
                job()
            except Exception:
                # The cloud's log is where a person looks; the next job must run all the same.
                traceback.print_exc(file=sys.stderr)


def every(seconds: float, clock: Clock, look: Job) -> None:
    """Have `look` called again and again, at once when the clock has been put forward by so much."""

    def run() -> None:
        while True:
            clock.wait(seconds)
            try:
                look()
            except Exception:
                traceback.print_exc(file=sys.stderr)

    threading.Thread(target=run, daemon=True).start()
