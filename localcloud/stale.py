# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers from before a write, for reads that are to be stale."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from localcloud.calls import Call, body_of
from localcloud.clock import Clock

CAPACITY = 1000
LARGEST = 1 << 20

Question = tuple[object, ...]

_REQUEST_ID = re.compile(rb"(?<=<RequestId>)[^<]*(?=</RequestId>)|(?<=<requestId>)[^<]*(?=</requestId>)", re.IGNORECASE)


def asked(environ: dict[str, Any], call: Call) -> Question | None:
    """What makes two reads the same: everything but the signature. None when it is too large to be compared."""
    body = body_of(environ)
    if body is None:
        return None
    query = sorted(pair for pair in parse_qsl(str(environ.get("QUERY_STRING", ""))) if not pair[0].startswith("X-Amz-"))
    place = (environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), environ.get("HTTP_RANGE", ""))
    return (call.service, call.region, call.operation, place, tuple(query), body)


@dataclass(frozen=True)
class Answer:
    """A whole answer: status line, headers and body."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
        """What the application answers."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = application(environ, lambda status, headers, exc_info=None: begun.append((status, headers)))
        body = b"".join(chunks)
        status, headers = begun[-1]
        return cls(status, tuple(headers), body)

    def send(self, start_response: Callable[..., Any]) -> list[bytes]:
        """Answer with it."""
        start_response(self.status, list(self.headers))
        return [self.body]

    def repeat(self, start_response: Callable[..., Any]) -> list[bytes]:
        """Answer with it once more; only the request id is another."""
        request_id = str(uuid4())
        headers = tuple(
            (name, request_id if name.lower() in ("x-amzn-requestid", "x-amz-request-id") else value)
            for name, value in self.headers
            if name.lower() != "content-length"
        )
        body = _REQUEST_ID.sub(request_id.encode(), self.body)
        length = ("Content-Length", str(len(body)))
        return replace(self, headers=(*headers, length), body=body).send(start_response)


class Memory:
    """The last answers to reads, and when each service was last written to."""

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._lock = threading.Lock()
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._written: dict[str, float] = {}

    def note_write(self, service: str) -> None:
        """The service has just been written to."""
        with self._lock:
            self._written[service] = self._clock.monotonic()

    def before_write(self, question: Question, service: str, seconds: float) -> Answer | None:
        """The answer from before the writes of the last `seconds`; None when there were none, or nobody had asked."""
        with self._lock:
            return self._answers.get(question) if self._is_fresh(service, seconds) else None

    def remember(self, question: Question, service: str, seconds: float, answer: Answer) -> None:
        """Keep the answer, unless it shows a write of the last `seconds`, or is none that a service stands by."""
        if answer.status >= "5" or len(answer.body) > LARGEST:
            return
        with self._lock:
            if self._is_fresh(service, seconds):
                return
            self._answers[question] = answer
            self._answers.move_to_end(question)
            if len(self._answers) > self._capacity:
                self._answers.popitem(last=False)

    def _is_fresh(self, service: str, seconds: float) -> bool:
        written = self._written.get(service)
        return written is not None and self._clock.monotonic() - written < seconds
