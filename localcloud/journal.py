# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of the cloud, in memory: never a parameter, a header or a body, so never a secret."""

from __future__ import annotations

import io
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from localcloud.clock import Clock

CAPACITY = 50_000
LARGEST_FORM = 1 << 20

_IDENTIFIED = "localcloud.call"
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_ERROR_CODE = re.compile(rb"<Code>([A-Za-z0-9.]+)</Code>|\"(?:__type|Code|code)\": ?\"([A-Za-z0-9.#]+)\"")
_READS = re.compile(
    r"(BatchCheck|BatchGet|Check|Describe|Discover|Download|Estimate|Filter|Get|Head|List|Lookup|Query|Request|Retrieve"
    r"|Scan|Search|Select|Simulate|Test|Validate|Assume)"
)


@dataclass(frozen=True)
class Entry:
    """One call. `time` is ISO 8601 in UTC, `duration` is in seconds, `error` is AWS's error code or empty."""

    number: int
    time: str
    service: str
    region: str
    operation: str
    access: str
    status: int
    error: str
    duration: float


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

    def entries(self, after: int = 0) -> list[Entry]:
        """The entries with a number above `after`, oldest first."""
        with self._lock:
            return [entry for entry in self._entries if entry.number > after]

    def lines(self, after: int = 0) -> str:
        """The same as JSON lines."""
        return "".join(json.dumps(asdict(entry)) + "\n" for entry in self.entries(after))


class JournalMiddleware:
    """WSGI: writes each call of an AWS API into the journal once it is answered."""

    def __init__(self, application: Callable[..., Iterable[bytes]], journal: Journal, clock: Clock) -> None:
        self._application = application
        self._journal = journal
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = identify(environ)
        time, started = self._clock.now(), self._clock.monotonic()
        answered: list[int] = []

        def remember(status: str, headers: Any, exc_info: Any = None) -> Any:
            answered[:] = [int(status.split()[0])]
            return start_response(status, headers, exc_info)

        body = self._application(environ, remember)
        status = answered[0] if answered else 500
        error = ""
        if status >= 400:
            body = [b"".join(body)]
            error = _error_code(body[0])
        self._journal.add(
            Entry(
                number=0,
                time=time.isoformat(timespec="milliseconds"),
                service=call.service,
                region=call.region,
                operation=call.operation,
                access="read" if is_read(call.operation, environ["REQUEST_METHOD"]) else "write",
                status=status,
                error=error,
                duration=round(self._clock.monotonic() - started, 4),
            )
        )
        return body


@dataclass(frozen=True)
class Call:
    """What a request asks for, as far as it says so."""

    service: str
    region: str
    operation: str


def identify(environ: dict[str, Any]) -> Call:
    """Service and region from the signature, operation from the form, the target header or the path."""
    if _IDENTIFIED not in environ:
        environ[_IDENTIFIED] = _identify(environ)
    call: Call = environ[_IDENTIFIED]
    return call


def _identify(environ: dict[str, Any]) -> Call:
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if scope is None and "X-Amz-Credential" in query:
        scope = _SCOPE.search(f"Credential={query['X-Amz-Credential'][0]}")
    region, service = scope.groups() if scope else ("", "s3")
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    operation = (
        target.rpartition(".")[2]
        or (query.get("Action") or [""])[0]
        or _form_action(environ)
        or _operation_by_path(service, environ)
    )
    return Call(service, region, operation)


def is_read(operation: str, method: str) -> bool:
    """Whether the operation leaves everything as it is."""
    return bool(_READS.match(operation)) if operation else method in ("GET", "HEAD", "OPTIONS")


def _form_action(environ: dict[str, Any]) -> str:
    """The form's `Action`; the body is put back for those who come after."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    is_form = str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")
    if not is_form or not 0 < length <= LARGEST_FORM:
        return ""
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    form = parse_qs(body.decode(errors="replace"))
    return str((form.get("Action") or form.get("Operation") or [""])[0])


def _operation_by_path(service: str, environ: dict[str, Any]) -> str:
    """The operation of a REST service, by botocore's description of it; empty when it has none for the request."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.responses import get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        operation, _ = get_service_router(service).match(Request(dict(environ)))
    except (UnknownServiceError, HTTPException, NotImplementedError):
        return ""
    return _s3_operation(str(operation.name), environ) if service == "s3" else str(operation.name)


def _s3_operation(operation: str, environ: dict[str, Any]) -> str:
    if operation == "PutObject" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
        return "CopyObject"
    return operation


def _error_code(body: bytes) -> str:
    found = _ERROR_CODE.search(body)
    return (found.group(1) or found.group(2)).decode() if found else ""
