# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard access logs in a bucket: the developer guide's "Standard logging reference" has fields and file names."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from localcloud.cloudfront.replies import POP, Reply, ViewerRequest
from localcloud.cloudfront.resources import Distribution, moment, random_id

log = logging.getLogger(__name__)

FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
NOTHING = "-"


@dataclass(frozen=True)
class Target:
    """Where a distribution's log goes."""

    account_id: str
    bucket: str
    prefix: str
    distribution_id: str


def line(distribution: Distribution, viewer: ViewerRequest, reply: Reply, now: float, seconds: float) -> str:
    """The line of one request. What the edge does not know is a hyphen."""
    at = moment(now)
    headers = viewer.headers
    with_cookies = distribution.config["Logging"]["IncludeCookies"]
    size = reply.headers.get("Content-Length", NOTHING)
    known = {
        "date": at.strftime("%Y-%m-%d"),
        "time": at.strftime("%H:%M:%S"),
        "x-edge-location": POP,
        "sc-bytes": size,
        "c-ip": viewer.ip,
        "cs-method": viewer.method,
        "cs(Host)": distribution.domain_name,
        "cs-uri-stem": viewer.path,
        "sc-status": str(reply.status),
        "cs(Referer)": headers.get("Referer", ""),
        "cs(User-Agent)": quote(headers.get("User-Agent", ""), safe="/().;,:+*!'"),
        "cs-uri-query": viewer.query,
        "cs(Cookie)": quote(headers.get("Cookie", ""), safe="=;") if with_cookies else "",
        "x-edge-result-type": reply.result,
        "x-edge-request-id": viewer.id,
        "x-host-header": headers.get("Host", ""),
        "cs-protocol": viewer.scheme,
        "time-taken": f"{seconds:.3f}",
        "x-forwarded-for": headers.get("X-Forwarded-For", ""),
        "x-edge-response-result-type": reply.result,
        "cs-protocol-version": "HTTP/1.1",
        "time-to-first-byte": f"{seconds:.3f}",
        "x-edge-detailed-result-type": reply.result,
        "sc-content-type": quote(reply.headers.get("Content-Type", ""), safe="/;="),
        "sc-content-len": size,
    }
    return "\t".join(known.get(field) or NOTHING for field in FIELDS.split())


class AccessLogs:
    """Collects lines and puts them into buckets once in a while, and at the end."""

    def __init__(self, put: Callable[[Target, str, bytes], None], clock: Callable[[], float]) -> None:
        """`put` writes an object by its key."""
        self._put = put
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: dict[Target, list[str]] = {}

    def add(self, target: Target, text: str) -> None:
        with self._lock:
            self._lines.setdefault(target, []).append(text)

    def deliver(self) -> None:
        """Put what has been collected into the buckets; one that is gone by now loses its lines."""
        with self._lock:
            collected, self._lines = self._lines, {}
        for target, lines in collected.items():
            try:
                self._put(target, self._key(target), _file(lines))
            except Exception as error:
                log.warning("Access log of %s: %s", target.distribution_id, error)

    def _key(self, target: Target) -> str:
        hour = moment(self._clock()).strftime("%Y-%m-%d-%H")
        folder = f"{target.prefix.rstrip('/')}/" if target.prefix else ""
        return f"{folder}{target.distribution_id}.{hour}.{random_id('0123456789abcdef', 8)}.gz"


def _file(lines: list[str]) -> bytes:
    return gzip.compress("\n".join(["#Version: 1.0", f"#Fields: {FIELDS}", *lines, ""]).encode())
