# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of the cloud, in memory: never a header, a body or a value that names nothing, so never a secret."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from localcloud.calls import Call, identify
from localcloud.clock import Clock
from localcloud.iam.needs import Need

CAPACITY = 50_000
DROPPED = "ConnectionDropped"
"""Stands in for an error code where the client got no answer; the status is 0 then."""

_ERROR_CODE = re.compile(rb"<Code>([A-Za-z0-9.]+)</Code>|\"(?:__type|Code|code)\": ?\"([A-Za-z0-9.#]+)\"")


@dataclass(frozen=True)
class Entry:
    """One call. `time` is ISO 8601 in UTC, `duration` is in seconds, `error` is AWS's error code or empty.

    `caller` is an ARN or `anonymous`. `resource` is what the call was about, empty when it did not say. `needs` are the
    IAM actions that the call needs, each with the ARN of what it needs it for.
    """

    number: int
    time: str
    caller: str
    service: str
    region: str
    operation: str
    access: str
    resource: str
    status: int
    error: str
    duration: float
    needs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Filter:
    """The entries that are asked for: numbers above `after`; service and operation may have wildcards."""

    after: int = 0
    service: str = "*"
    operation: str = "*"
    access: str = "*"

    def admits(self, entry: Entry) -> bool:
        return (
            fnmatchcase(entry.service, self.service)
            and fnmatchcase(entry.operation, self.operation)
            and fnmatchcase(entry.access, self.access)
        )


EVERYTHING = Filter()


class Journal:
    """The newest calls, numbered from 1."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._number = 0

    def add(self, entry: Entry) -> None:
        """Keep the entry under the next number."""
        with self._lock:
            self._number += 1
            self._entries.append(replace(entry, number=self._number))

    def entries(self, wanted: Filter = EVERYTHING) -> list[Entry]:
        """The entries that the filter admits, oldest first."""
        with self._lock:
            oldest = self._number - len(self._entries) + 1
            newer = list(islice(self._entries, max(0, wanted.after + 1 - oldest), None))
        return [entry for entry in newer if wanted.admits(entry)]

    def lines(self, wanted: Filter = EVERYTHING) -> Iterator[str]:
        """The same as JSON lines."""
        return (json.dumps(asdict(entry)) + "\n" for entry in self.entries(wanted))


class JournalMiddleware:
    """WSGI: writes each call of an AWS API into the journal once it is answered."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        journal: Journal,
        clock: Clock,
        caller: Callable[[Call], str],
        needs: Callable[[dict[str, Any]], Iterable[Need]],
    ) -> None:
        self._application = application
        self._journal = journal
        self._clock = clock
        self._caller = caller
        self._needs = needs

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = identify(environ)
        # Asked now: afterwards a caller may have deleted its own key, or what the call is about.
        caller, needs = self._caller(call), tuple((need.action, need.resource) for need in self._needs(environ))
        time, started = self._clock.now(), self._clock.monotonic()
        answered: list[int] = []

        def remember(status: str, headers: Any, exc_info: Any = None) -> Any:
            answered[:] = [int(status.split()[0])]
            return start_response(status, headers, exc_info)

        def note(status: int, error: str) -> None:
            duration = round(self._clock.monotonic() - started, 4)
            entry = _entry(call, caller, time.isoformat(timespec="milliseconds"), status, error, duration)
            self._journal.add(replace(entry, needs=needs))

        try:
            body = self._application(environ, remember)
        except ConnectionError:
            note(0, DROPPED)
            raise
        status = answered[0]
        if status < 400:
            note(status, "")
            return body
        text = b"".join(body)
        note(status, _error_code(text))
        return [text]


def _entry(call: Call, caller: str, time: str, status: int, error: str, duration: float) -> Entry:
    return Entry(
        number=0,
        time=time,
        caller=caller,
        service=call.service,
        region=call.region,
        operation=call.operation,
        access=call.access,
        resource=call.resource,
        status=status,
        error=error,
        duration=duration,
    )


def _error_code(body: bytes) -> str:
    found = _ERROR_CODE.search(body)
    return (found.group(1) or found.group(2)).decode() if found else ""
