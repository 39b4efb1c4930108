# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a viewer's request goes to the origin."""

from __future__ import annotations

from multidict import CIMultiDict

from localcloud.cloudfront.cache import normalized_accept_encoding
from localcloud.cloudfront.distribution import Behavior
from localcloud.cloudfront.replies import ViewerRequest, via

# Sent to origins without any policy: what describes the body, and the wish for a part of the object.
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "content-md5", "range", "if-range"})
CONDITIONAL_HEADERS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since"})
# Not policy's business: the edge makes these itself.
OWN_HEADERS = frozenset({"cookie", "accept-encoding", "x-forwarded-for", "via", "x-amz-cf-id"})
# The developer guide lists these as removed, whatever the policy says.
NEVER_FORWARDED = frozenset(
    {"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade", "x-forwarded-proto", "x-real-ip", "x-edge-location"}
)


def origin_query(viewer: ViewerRequest, behavior: Behavior) -> str:
    selections = [behavior.cache_policy.query_strings]
    if behavior.origin_request_policy is not None:
        selections.append(behavior.origin_request_policy.query_strings)
    if any(selection.behavior == "all" for selection in selections):
        return viewer.query
    kept = [f"{name}={value}" for name, value in viewer.query_pairs if any(one.picks(name) for one in selections)]
    return "&".join(kept)


def origin_headers(viewer: ViewerRequest, behavior: Behavior, origin_domain: str) -> CIMultiDict[str]:
    """What an origin gets of the viewer's headers, and what CloudFront adds or replaces."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in viewer.headers.items():
        if _goes_to_origin(name, viewer, behavior):
            headers.add(name, value)
    headers.setdefault("Host", origin_domain)
    headers.setdefault("User-Agent", "Amazon CloudFront")
    _set_cookies(headers, viewer, behavior)
    _set_accept_encoding(headers, viewer, behavior)
    chain = viewer.headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{chain}, {viewer.ip}" if chain else viewer.ip
    headers["Via"] = via(viewer)
    headers["X-Amz-Cf-Id"] = viewer.id
    return headers


def _goes_to_origin(name: str, viewer: ViewerRequest, behavior: Behavior) -> bool:
    lower = name.lower()
    if lower in NEVER_FORWARDED | OWN_HEADERS:
        return False
    if lower in BODY_HEADERS:
        return True
    if lower in CONDITIONAL_HEADERS:
        return behavior.cache_policy.max_ttl == 0
    if lower == "authorization" and viewer.method not in ("GET", "HEAD", "OPTIONS"):
        return True
    policy = behavior.origin_request_policy
    return behavior.cache_policy.headers.picks(name) or (policy is not None and policy.headers.picks(name))


def _set_cookies(headers: CIMultiDict[str], viewer: ViewerRequest, behavior: Behavior) -> None:
    policy = behavior.origin_request_policy
    kept = [
        f"{name}={value}"
        for name, value in viewer.cookie_pairs
        if behavior.cache_policy.cookies.picks(name) or (policy is not None and policy.cookies.picks(name))
    ]
    if kept:
        headers["Cookie"] = "; ".join(kept)


def _set_accept_encoding(headers: CIMultiDict[str], viewer: ViewerRequest, behavior: Behavior) -> None:
    given = viewer.headers.get("Accept-Encoding", "")
    if behavior.cache_policy.gzip or behavior.cache_policy.brotli:
        wanted = normalized_accept_encoding(behavior.cache_policy, given)
    else:
        policy = behavior.origin_request_policy
        wanted = given if policy is not None and policy.headers.picks("Accept-Encoding") else ""
    if wanted:
        headers["Accept-Encoding"] = wanted
