# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of databases and caches, as DescribeEvents of both services shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

DEFAULT_DURATION = timedelta(minutes=60)
"""How far DescribeEvents looks back unless told."""
KEPT = timedelta(days=14)


@dataclass(frozen=True)
class Event:
    """Something that happened to a resource. ElastiCache shows no categories."""

    source_type: str
    source_identifier: str
    message: str
    date: datetime
    event_categories: tuple[str, ...] = ()
    source_arn: str = ""


def chosen(events: Iterable[Event], now: datetime, asked: Any) -> Sequence[Event]:
    """The events that a DescribeEvents asks for, oldest first.

    :param asked: Has `get`, with the parameters of the call.
    """
    start, end = _in_utc(asked.get("StartTime")), _in_utc(asked.get("EndTime")) or now
    if start is None:
        minutes = asked.get("Duration")
        start = end - (timedelta(minutes=int(minutes)) if minutes else DEFAULT_DURATION)
    categories = set(asked.get("EventCategories") or ())
    source, kind = asked.get("SourceIdentifier"), asked.get("SourceType")
    return [
        event
        for event in events
        if start <= event.date <= end
        and (not source or event.source_identifier == source.lower())
        and (not kind or event.source_type == kind)
        and (not categories or categories & set(event.event_categories))
    ]


def _in_utc(given: datetime | None) -> datetime | None:
    """Moto reads times as those of UTC, and drops the zone."""
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given
