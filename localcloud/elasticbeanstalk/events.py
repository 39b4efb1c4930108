# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event stream of a region: who did what to which environment, with the request that caused it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from localcloud.clock import Clock

Severity = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
SEVERITIES: tuple[Severity, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
KEPT = timedelta(weeks=6)


@dataclass(frozen=True)
class Subject:
    """What an event is about. `request_id` None: no call caused it, as for changes of health."""

    application: str
    environment: str | None = None
    version_label: str | None = None
    request_id: str | None = None
    environment_id: str | None = None
    platform_arn: str | None = None


@dataclass(frozen=True)
class Event:
    """A line of the stream."""

    date: datetime
    severity: Severity
    message: str
    subject: Subject


@dataclass(frozen=True)
class Query:
    """What DescribeEvents asks for; `start` is inclusive, `end` exclusive, `severity` means at least."""

    application: str | None = None
    environment: str | None = None
    environment_id: str | None = None
    version_label: str | None = None
    request_id: str | None = None
    platform_arn: str | None = None
    severity: Severity | None = None
    start: datetime | None = None
    end: datetime | None = None


class EventLog:
    """Events in the order in which they happened, no two at the same millisecond: clients page by time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: list[Event] = []

    def add(self, subject: Subject, severity: Severity, message: str) -> Event:
        """Write an event now."""
        with self._lock:
            now = self._clock.now()
            date = now.replace(microsecond=now.microsecond // 1000 * 1000)
            if self._events and date <= self._events[-1].date:
                date = self._events[-1].date + timedelta(milliseconds=1)
            event = Event(date, severity, message, subject)
            self._events = [kept for kept in self._events if date - kept.date <= KEPT]
            self._events.append(event)
            return event

    def find(self, query: Query) -> list[Event]:
        """Matching events, newest first."""
        with self._lock:
            events = list(self._events)
        return [event for event in reversed(events) if _matches(event, query)]


def _matches(event: Event, query: Query) -> bool:
    subject = event.subject
    wanted = (
        (query.application, subject.application),
        (query.environment, subject.environment),
        (query.environment_id, subject.environment_id),
        (query.version_label, subject.version_label),
        (query.request_id, subject.request_id),
        (query.platform_arn, subject.platform_arn),
    )
    return (
        all(want is None or want == have for want, have in wanted)
        and (query.severity is None or SEVERITIES.index(event.severity) >= SEVERITIES.index(query.severity))
        and (query.start is None or event.date >= query.start)
        and (query.end is None or event.date < query.end)
    )
