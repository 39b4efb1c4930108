# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge keeps, how long, and what an invalidation ends."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from multidict import CIMultiDict

from localcloud.cloudfront.cache import (
    Cache,
    Entry,
    Purge,
    cache_key,
    freshness,
    frozen_headers,
    normalized_accept_encoding,
    path_is_invalidated,
)
from localcloud.cloudfront.policies import CACHE_POLICIES

OPTIMIZED = CACHE_POLICIES["658327ea-f89d-4fab-a63d-7e88639e58f6"]
DISABLED = CACHE_POLICIES["4135ea2d-6df8-44a3-9df3-4b5a84be39ad"]
BY_ORIGIN = CACHE_POLICIES["4cc15a8a-d715-48a4-82b8-cc0b614638fe"]
NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("policy", "status", "headers", "expected"),
    [
        (OPTIMIZED, 200, {}, 86400),
        (OPTIMIZED, 200, {"Cache-Control": "max-age=60"}, 60),
        (OPTIMIZED, 200, {"Cache-Control": "max-age=60, s-maxage=30"}, 30),
        (OPTIMIZED, 200, {"Cache-Control": "max-age=0"}, 1),
        (OPTIMIZED, 200, {"Cache-Control": "public, max-age=99999999, immutable"}, 31536000),
        (OPTIMIZED, 200, {"Cache-Control": "no-cache"}, 1),
        (BY_ORIGIN, 200, {"Cache-Control": "no-cache"}, 0),
        (BY_ORIGIN, 200, {}, 0),
        (BY_ORIGIN, 200, {"Expires": formatdate(NOW + 120, usegmt=True)}, 120),
        (OPTIMIZED, 200, {"Expires": "0"}, 1),
        (DISABLED, 200, {"Cache-Control": "max-age=60"}, 0),
        (OPTIMIZED, 206, {}, 0),
        (OPTIMIZED, 404, {}, 10),
        (DISABLED, 404, {}, 10),
        (OPTIMIZED, 404, {"Cache-Control": "max-age=60"}, 60),
        (OPTIMIZED, 403, {}, 0),
        (OPTIMIZED, 403, {"Cache-Control": "max-age=60"}, 60),
        (OPTIMIZED, 401, {"Cache-Control": "max-age=60"}, 0),
    ],
)
def test_freshness(policy: object, status: int, headers: dict[str, str], expected: float) -> None:
    assert freshness(policy, status, CIMultiDict(headers), NOW, 10) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/index.html", "/index.html", True),
        ("/index.html", "/index.htm", False),
        ("/*", "/any/thing?x=1", True),
        ("/assets/*", "/assets/a.js", True),
        ("/assets/*", "/other.js", False),
        ("/assets*", "/assets2/a.js", True),
        ("/a.js", "/a.js?v=1", True),
        ("/a.js?v=2", "/a.js?v=1", False),
    ],
)
def test_invalidation_paths(pattern: str, path: str, expected: bool) -> None:
    assert path_is_invalidated(pattern, path) is expected


def key(
    policy: object = OPTIMIZED, query: str = "", encoding: str = "", cookies: dict[str, str] | None = None
) -> object:
    pairs = [tuple(part.split("=")) for part in query.split("&") if part]
    headers = CIMultiDict({"Accept-Encoding": encoding})
    return cache_key(policy, "/a", pairs, headers, cookies or {})  # type: ignore[arg-type]


def test_key_holds_what_the_policy_names_and_nothing_else() -> None:
    assert key(query="a=1", cookies={"session": "x"}) == key(query="a=2")
    assert key(BY_ORIGIN, query="a=1") != key(BY_ORIGIN, query="a=2")
    assert key(BY_ORIGIN, cookies={"session": "x"}) != key(BY_ORIGIN)
    assert key(encoding="gzip") != key()
    assert key(encoding="deflate") == key()


@pytest.mark.parametrize(
    ("given", "expected"),
    [("gzip, deflate, br", "br,gzip"), ("gzip;q=0", ""), ("GZIP;q=0.5", "gzip"), ("", ""), ("identity", "")],
)
def test_accept_encoding_is_normalized(given: str, expected: str) -> None:
    assert normalized_accept_encoding(OPTIMIZED, given) == expected
    assert normalized_accept_encoding(DISABLED, given) == ""


def entry(path: str = "/a", stored_at: float = NOW, body: bytes = b"x") -> Entry:
    return Entry(200, frozen_headers([]), body, path, stored_at, stored_at + 60, None)


def test_a_purge_ends_what_was_kept_before_it_and_only_that() -> None:
    cache = Cache(lambda: NOW)
    cache.put(("a",), entry("/a", NOW))
    cache.put(("b",), entry("/b", NOW))
    purges = [Purge(("/a",), NOW + 1)]
    assert cache.get(("a",), purges) is None
    assert cache.get(("b",), purges) is not None
    cache.put(("a",), entry("/a", NOW + 2))
    assert cache.get(("a",), purges) is not None


def test_the_least_used_goes_first_when_the_room_ends() -> None:
    cache = Cache(lambda: NOW, limit=25)
    cache.put(("a",), entry(body=b"x" * 10))
    cache.put(("b",), entry(body=b"x" * 10))
    assert cache.get(("a",), ()) is not None
    cache.put(("c",), entry(body=b"x" * 10))
    assert [cache.get((name,), ()) is not None for name in "abc"] == [True, False, True]
