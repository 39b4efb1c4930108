# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge may keep, under which key, for how long, and when an invalidation ends it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from multidict import CIMultiDict, CIMultiDictProxy

from localcloud.cloudfront.policies import CachePolicy

# The developer guide's "HTTP 4xx and 5xx status codes that CloudFront caches".
ALWAYS_CACHED_ERRORS = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_BY_HEADER = frozenset({400, 403, 405, 412, 415})
CACHED_ANSWERS = frozenset({200, 301, 302, 307, 308, 410})

CacheKey = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A kept answer. Times in seconds of the edge's clock; `origin_etag` is the origin's own, before compression.

    `quiet_until`: the origin has just failed, and is not asked again before.
    """

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    path: str
    stored_at: float
    expires_at: float
    origin_etag: str | None
    quiet_until: float = 0.0

    def is_fresh(self, now: float) -> bool:
        return now < max(self.expires_at, self.quiet_until)

    def renewed(self, now: float, ttl: float) -> Entry:
        return replace(self, stored_at=now, expires_at=now + ttl, quiet_until=0.0)


@dataclass(frozen=True)
class Purge:
    """A completed invalidation: what it covers, and when it took effect (seconds)."""

    paths: tuple[str, ...]
    at: float

    def covers(self, path: str) -> bool:
        return any(path_is_invalidated(pattern, path) for pattern in self.paths)


def path_is_invalidated(pattern: str, path: str) -> bool:
    """Invalidation paths are exact, or end in `*`, which stands for any rest; the query string belongs to the path."""
    wanted = pattern if pattern.startswith("/") else "/" + pattern
    if wanted.endswith("*"):
        return path.startswith(wanted[:-1])
    return path == wanted or path.split("?", 1)[0] == wanted


def cache_key(
    policy: CachePolicy,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    cookies: Mapping[str, str],
) -> CacheKey:
    """The parts of a request that tell cached objects apart under this policy."""
    kept_query = sorted(f"{name}={value}" for name, value in query if policy.query_strings.picks(name))
    kept_headers = sorted(f"{name.lower()}:{value}" for name, value in headers.items() if policy.headers.picks(name))
    kept_cookies = sorted(f"{name}={value}" for name, value in cookies.items() if policy.cookies.picks(name))
    encoding = normalized_accept_encoding(policy, headers.get("Accept-Encoding", ""))
    return (path, "&".join(kept_query), "\n".join(kept_headers), "; ".join(kept_cookies), encoding)


def normalized_accept_encoding(policy: CachePolicy, given: str) -> str:
    """`br,gzip`, one of them or nothing: what the viewer takes and the policy knows."""
    offered = {
        name.strip().lower()
        for name, _, weight in (part.partition(";") for part in given.split(","))
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    }
    known = [("br", policy.brotli), ("gzip", policy.gzip)]
    return ",".join(name for name, enabled in known if enabled and name in offered)


def freshness(policy: CachePolicy, status: int, headers: Mapping[str, str], now: float, error_ttl: int) -> float:
    """Seconds for which an answer may be kept; 0 or less: not at all."""
    if status >= 400:
        return _error_freshness(status, headers, now, error_ttl)
    if status not in CACHED_ANSWERS:
        return 0
    directives = cache_control(headers)
    if directives.keys() & {"no-cache", "no-store", "private"}:
        return policy.min_ttl
    named = _named_ttl(directives, headers, now)
    if named is None:
        return max(policy.min_ttl, policy.default_ttl)
    return min(max(named, policy.min_ttl), policy.max_ttl)


def _error_freshness(status: int, headers: Mapping[str, str], now: float, error_ttl: int) -> float:
    named = _named_ttl(cache_control(headers), headers, now)
    if status in ALWAYS_CACHED_ERRORS:
        return max(named or 0, error_ttl)
    if status in ERRORS_CACHED_BY_HEADER and named is not None:
        return max(named, error_ttl)
    return 0


def cache_control(headers: Mapping[str, str]) -> dict[str, str]:
    """Directives of Cache-Control in lower case with their values."""
    parts = (part.strip().partition("=") for part in headers.get("Cache-Control", "").split(",") if part.strip())
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in parts}


def _named_ttl(directives: Mapping[str, str], headers: Mapping[str, str], now: float) -> float | None:
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").isdigit():
            return float(directives[name])
    if "Expires" not in headers:
        return None
    try:
        return parsedate_to_datetime(headers["Expires"]).timestamp() - now
    except (TypeError, ValueError):
        return 0


NOT_STALE = frozenset({"no-cache", "no-store", "private", "must-revalidate", "proxy-revalidate"})


def may_stand_in(policy: CachePolicy, entry: Entry, now: float) -> bool:
    """Whether an expired answer may be given while the origin fails.

    It may, unless the origin's Cache-Control restricts it: the developer guide's "How CloudFront processes HTTP 4xx and
    5xx status codes" and "Serve stale (expired) content".
    """
    directives = cache_control(entry.headers)
    if entry.status >= 400 or directives.keys() & NOT_STALE:
        return False
    limit = directives.get("stale-if-error", "")
    return not limit.isdigit() or now < entry.expires_at + min(int(limit), policy.max_ttl)


def revalidates_behind(policy: CachePolicy, entry: Entry, now: float) -> bool:
    """Whether an expired answer is given at once and renewed afterwards, as `stale-while-revalidate` has it."""
    limit = cache_control(entry.headers).get("stale-while-revalidate", "")
    return entry.status < 400 and limit.isdigit() and now < entry.expires_at + min(int(limit), policy.max_ttl)


class Cache:
    """Kept answers of one distribution, at most `limit` bytes, oldest use first out."""

    def __init__(self, clock: Callable[[], float], limit: int = 256 * 1024 * 1024) -> None:
        self._clock = clock
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[CacheKey, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: CacheKey, purges: Iterable[Purge]) -> Entry | None:
        """The entry, fresh or expired; None if there is none or an invalidation ended it."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if any(entry.stored_at <= purge.at and purge.covers(entry.path) for purge in purges):
                self._remove(key)
                return None
            self._entries.move_to_end(key)
            return entry

    def put(self, key: CacheKey, entry: Entry) -> None:
        with self._lock:
            self._remove(key)
            self._entries[key] = entry
            self._size += len(entry.body)
            while self._size > self._limit and len(self._entries) > 1:
                self._remove(next(iter(self._entries)))

    def _remove(self, key: CacheKey) -> None:
        removed = self._entries.pop(key, None)
        if removed is not None:
            self._size -= len(removed.body)


def frozen_headers(headers: Iterable[tuple[str, str]]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(headers))
