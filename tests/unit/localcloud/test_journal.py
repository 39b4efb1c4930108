# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what it keeps, in which order, and what of it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from localcloud.clock import SystemClock
from localcloud.iam.needs import Need
from localcloud.journal import DROPPED, Entry, Filter, Journal, JournalMiddleware
from tests.support.wsgi import environ, form


def nothing(environ: dict[str, Any]) -> tuple[Need, ...]:
    return ()


def entry(operation: str, service: str = "s3", access: str = "read") -> Entry:
    return Entry(0, "", "anonymous", service, "", operation, access, "", 200, "", 0.0)


def numbers(journal: Journal, **wanted: Any) -> list[int]:
    return [found.number for found in journal.entries(Filter(**wanted))]


def test_the_newest_are_kept() -> None:
    journal = Journal(capacity=2)
    for operation in ("A", "B", "C"):
        journal.add(entry(operation))
    assert [(found.number, found.operation) for found in journal.entries()] == [(2, "B"), (3, "C")]
    assert [numbers(journal, after=after) for after in (0, 1, 2, 3, 9)] == [[2, 3], [2, 3], [3], [], []]


def test_entries_are_asked_for() -> None:
    journal = Journal()
    for found in (entry("GetObject"), entry("PutObject", access="write"), entry("GetRole", service="iam")):
        journal.add(found)
    assert numbers(journal, service="s3") == [1, 2]
    assert numbers(journal, operation="Get*") == [1, 3]
    assert numbers(journal, access="write") == [2]
    assert numbers(journal, after=1, operation="Get*") == [3]
    assert [json.loads(line)["number"] for line in journal.lines(Filter(service="iam"))] == [3]


def calls(application: Any, request: dict[str, Any]) -> tuple[bytes, Entry]:
    journal = Journal()
    middleware = JournalMiddleware(
        application, journal, SystemClock(), lambda call: f"caller {call.access_key}", nothing
    )
    body = b"".join(middleware(request, lambda status, headers, exc_info=None: None))
    (found,) = journal.entries()
    return body, found


def test_a_call_is_written_down() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("400 Bad Request", [])
        return iter([b"<Error><Code>No", b"Such</Code></Error>"])

    body, found = calls(application, form("rds", "Action=DeleteDBInstance&DBInstanceIdentifier=db"))
    assert body == b"<Error><Code>NoSuch</Code></Error>"
    assert (found.number, found.caller, found.service, found.region) == (1, "caller AKIA", "rds", "us-west-2")
    assert (found.operation, found.access, found.resource) == ("DeleteDBInstance", "write", "db")
    assert (found.status, found.error) == (400, "NoSuch")
    assert found.duration >= 0 and found.time.endswith("+00:00")


def test_a_dropped_connection_is_written_down_too() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise ConnectionAbortedError

    journal = Journal()
    middleware = JournalMiddleware(application, journal, SystemClock(), lambda call: "anonymous", nothing)
    with pytest.raises(ConnectionAbortedError):
        middleware(environ("s3"), lambda *_: None)
    assert [(found.status, found.error) for found in journal.entries()] == [(0, DROPPED)]
