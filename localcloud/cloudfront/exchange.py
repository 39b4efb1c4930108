# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to one viewer request: behaviour, function, cache, origin, error page."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from multidict import CIMultiDict

from localcloud.cloudfront.cache import (
    Cache,
    CacheKey,
    Entry,
    cache_key,
    freshness,
    frozen_headers,
    normalized_accept_encoding,
)
from localcloud.cloudfront.distribution import Behavior, EdgeConfig
from localcloud.cloudfront.exceptions import CloudFrontError
from localcloud.cloudfront.functions import FunctionError, FunctionEvent, FunctionRunner, pairs_of
from localcloud.cloudfront.models import Distribution, FunctionVersion
from localcloud.cloudfront.origins import OriginAnswer, OriginError, OriginRequest, Origins, chunks_of

log = logging.getLogger(__name__)

LARGEST_CACHED = 32 * 1024 * 1024
COMPRESSIBLE_LENGTH = range(1_000, 10_000_001)
COMPRESSIBLE_TYPES = frozenset(
    {
        "application/dash+xml",
        "application/eot",
        "application/font",
        "application/font-sfnt",
        "application/javascript",
        "application/json",
        "application/opentype",
        "application/otf",
        "application/pdf",
        "application/pkcs7-mime",
        "application/protobuf",
        "application/rss+xml",
        "application/truetype",
        "application/ttf",
        "application/vnd.apple.mpegurl",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xhtml+xml",
        "application/xml",
        "application/x-font-opentype",
        "application/x-font-truetype",
        "application/x-font-ttf",
        "application/x-httpd-cgi",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-opentype",
        "application/x-otf",
        "application/x-perl",
        "application/x-ttf",
        "font/eot",
        "font/opentype",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/js",
        "text/plain",
        "text/richtext",
        "text/tab-separated-values",
        "text/xml",
        "text/x-component",
        "text/x-java-source",
        "text/x-script",
        "vnd.apple.mpegurl",
    }
)
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


@dataclass(frozen=True)
class ViewerRequest:
    """A request as it came in; `path` and `query` are percent-encoded."""

    method: str
    scheme: str
    path: str
    query: str
    headers: CIMultiDict[str]
    ip: str
    body: AsyncIterator[bytes] | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(40))

    @property
    def query_pairs(self) -> tuple[tuple[str, str], ...]:
        parts = (part.partition("=") for part in self.query.split("&") if part)
        return tuple((name, value) for name, _, value in parts)

    @property
    def cookie_pairs(self) -> tuple[tuple[str, str], ...]:
        parts = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";") if part.strip())
        return tuple((name, value) for name, _, value in parts)

    @property
    def host(self) -> str:
        return urlsplit("//" + self.headers.get("Host", "")).hostname or ""


@dataclass(frozen=True)
class Reply:
    """What the viewer gets; `result` is the first word of X-Cache (Hit, Miss, Error, …)."""

    status: int
    headers: CIMultiDict[str]
    body: bytes | AsyncIterator[bytes]
    result: str
    close: Callable[[], Any] | None = None


class Exchange:
    """Answers viewers of one distribution."""

    def __init__(
        self,
        distribution: Distribution,
        origins: Origins,
        live_function: Callable[[str], FunctionVersion | None],
        clock: Callable[[], float],
    ) -> None:
        self._distribution = distribution
        self._origins = origins
        self._live_function = live_function
        self._clock = clock
        self._cache = Cache(clock)
        self._runners: dict[str, FunctionRunner] = {}

    async def answer(self, viewer: ViewerRequest) -> Reply:
        """The reply to a viewer; problems become error pages."""
        try:
            return await self._answer(viewer)
        except CloudFrontError as error:
            return error_page(viewer, 501, error.message)

    async def _answer(self, viewer: ViewerRequest) -> Reply:
        config = self._distribution.edge_config(self._clock())
        if config is None:
            return error_page(viewer, 503, f"The distribution {self._distribution.id} is not deployed yet.")
        if not config.enabled:
            return error_page(viewer, 403, f"The distribution {self._distribution.id} is disabled.")
        if viewer.host not in {"localhost", "127.0.0.1", self._distribution.domain_name, *config.aliases}:
            return error_page(viewer, 403, f"The distribution has no alternate domain name {viewer.host or '(none)'}.")
        if viewer.headers.get("Upgrade", "").lower() == "websocket":
            return error_page(viewer, 501, "The rehearsal cloud's edge does not carry WebSocket connections.")
        behavior = config.behavior_for(viewer.path)
        return self._by_protocol(viewer, behavior) or await self._by_method(viewer, behavior, config)

    def _by_protocol(self, viewer: ViewerRequest, behavior: Behavior) -> Reply | None:
        if viewer.scheme == "https" or behavior.viewer_protocol_policy == "allow-all":
            return None
        if behavior.viewer_protocol_policy == "https-only":
            return error_page(viewer, 403, "Only HTTPS is allowed here.")
        ports = self._distribution.ports
        if ports is None:
            return error_page(viewer, 503, f"The distribution {self._distribution.id} is not deployed yet.")
        return redirect_to_https(viewer, ports.https)

    async def _by_method(self, viewer: ViewerRequest, behavior: Behavior, config: EdgeConfig) -> Reply:
        if viewer.method not in behavior.allowed_methods:
            allowed = ", ".join(sorted(behavior.allowed_methods))
            return error_page(
                viewer, 403, f"This distribution allows only {allowed} for this path, not {viewer.method}."
            )
        arn = behavior.function_for("viewer-request")
        if arn is not None:
            outcome = await self._run_function(viewer, arn)
            if isinstance(outcome, Reply):
                return outcome
            viewer = outcome
        if viewer.path == "/" and config.root_object:
            viewer = replace(viewer, path="/" + config.root_object)
        reply = await self._obtain(viewer, behavior, config)
        if reply.status >= 400:
            reply = await self._with_error_page(viewer, reply, config)
        return for_viewer(viewer, add_policy_headers(viewer, behavior, reply))

    # Functions

    async def _run_function(self, viewer: ViewerRequest, arn: str) -> ViewerRequest | Reply:
        version = self._live_function(arn)
        if version is None:
            return error_page(viewer, 503, f"The function {arn} is not published.", "FunctionExecutionError")
        try:
            returned = await asyncio.to_thread(self._call_function, version, self._event(viewer))
            return generated_response(returned) if "statusCode" in returned else rewritten(viewer, returned)
        except FunctionError as error:
            log.warning("Function %s of distribution %s: %s", arn, self._distribution.id, error)
            return error_page(viewer, 503, f"The CloudFront function {arn} failed: {error}.", "FunctionExecutionError")

    def _call_function(self, version: FunctionVersion, event: FunctionEvent) -> dict[str, Any]:
        runner = self._runners.get(version.etag)
        if runner is None:
            runner = FunctionRunner(version.code)
            self._runners = {version.etag: runner, **dict(list(self._runners.items())[:7])}
        return runner.run(event)

    def _event(self, viewer: ViewerRequest) -> FunctionEvent:
        headers = ((name.lower(), value) for name, value in viewer.headers.items() if name.lower() != "cookie")
        return FunctionEvent(
            distribution_id=self._distribution.id,
            distribution_domain=self._distribution.domain_name,
            event_type="viewer-request",
            request_id=viewer.id,
            viewer_ip=viewer.ip,
            method=viewer.method,
            uri=viewer.path,
            query=viewer.query_pairs,
            headers=tuple(headers),
            cookies=viewer.cookie_pairs,
        )

    # Cache and origin

    async def _obtain(self, viewer: ViewerRequest, behavior: Behavior, config: EdgeConfig) -> Reply:
        key = self._key(viewer, behavior)
        entry = self._cache.get(key, self._distribution.purges(self._clock())) if key else None
        if entry is not None and entry.is_fresh(self._clock()):
            return self._from_entry(entry, "Hit")
        try:
            answer = await self._ask(viewer, behavior, config, entry)
        except OriginError as error:
            return self._unreachable(viewer, key, error, config)
        if entry is not None and answer.status == 304 and key:
            return await self._renewed(key, entry, answer, behavior, config)
        return await self._received(viewer, key, answer, behavior, config)

    def _key(self, viewer: ViewerRequest, behavior: Behavior) -> CacheKey | None:
        """None where the answer to this request is never kept nor taken from the cache."""
        if viewer.method not in {"GET", "HEAD"} | behavior.cached_methods:
            return None
        parts = cache_key(
            behavior.cache_policy, viewer.path, viewer.query_pairs, viewer.headers, dict(viewer.cookie_pairs)
        )
        return ("OPTIONS" if viewer.method == "OPTIONS" else "", behavior.origin_id, *parts)

    async def _ask(
        self, viewer: ViewerRequest, behavior: Behavior, config: EdgeConfig, entry: Entry | None
    ) -> OriginAnswer:
        origin = config.origins[behavior.origin_id]
        request = OriginRequest(
            method=viewer.method,
            path=viewer.path,
            query=origin_query(viewer, behavior),
            headers=origin_headers(viewer, behavior, origin.domain),
            viewer_scheme=viewer.scheme,
            body=viewer.body,
        )
        for name, value in origin.custom_headers:
            request.headers[name] = value
        if entry is not None and entry.status == 200 and entry.origin_etag:
            request.headers["If-None-Match"] = entry.origin_etag
        return await self._origins.fetch(self._distribution, origin, request)

    def _unreachable(
        self, viewer: ViewerRequest, key: CacheKey | None, error: OriginError, config: EdgeConfig
    ) -> Reply:
        log.warning("Distribution %s: %s %s: %s", self._distribution.id, viewer.method, viewer.path, error.message)
        reply = error_page(viewer, error.status, error.message)
        ttl = freshness_of_error(error.status, config)
        if key and ttl > 0 and isinstance(reply.body, bytes):
            self._keep(key, viewer, reply.status, reply.headers, reply.body, ttl, None)
        return reply

    async def _renewed(
        self, key: CacheKey, entry: Entry, answer: OriginAnswer, behavior: Behavior, config: EdgeConfig
    ) -> Reply:
        await answer.close()
        now = self._clock()
        ttl = freshness(behavior.cache_policy, entry.status, entry.headers, now, config.error_ttl(entry.status))
        renewed = entry.renewed(now, ttl)
        self._cache.put(key, renewed)
        return self._from_entry(renewed, "RefreshHit")

    async def _received(
        self, viewer: ViewerRequest, key: CacheKey | None, answer: OriginAnswer, behavior: Behavior, config: EdgeConfig
    ) -> Reply:
        origin_etag = answer.headers.get("ETag")
        if should_compress(viewer, behavior, answer):
            body = await asyncio.to_thread(gzip.compress, await read_all(answer), 6)
            answer = OriginAnswer(answer.status, compressed_headers(answer.headers, len(body)), chunks_of(body))
        error_ttl = config.error_ttl(answer.status)
        ttl = freshness(behavior.cache_policy, answer.status, answer.headers, self._clock(), error_ttl)
        if key and ttl > 0 and viewer.method != "HEAD" and is_small(answer.headers):
            content = self._keeping(key, viewer, answer, ttl, origin_etag)
            answer = replace(answer, body=content)
        headers = CIMultiDict(answer.headers)
        result = "Error" if answer.status >= 400 else "Miss"
        if "Range" in viewer.headers and answer.status == 200 and is_small(answer.headers):
            return Reply(answer.status, headers, await read_all(answer), result)
        return Reply(answer.status, headers, answer.body, result, answer.close)

    async def _keeping(
        self, key: CacheKey, viewer: ViewerRequest, answer: OriginAnswer, ttl: float, origin_etag: str | None
    ) -> AsyncIterator[bytes]:
        """Pass the body on, and keep it once it is complete and not too large."""
        collected = bytearray()
        started = self._clock()
        async for chunk in answer.body:
            if len(collected) <= LARGEST_CACHED:
                collected += chunk
            yield chunk
        if len(collected) <= LARGEST_CACHED:
            headers = CIMultiDict(answer.headers)
            self._keep(key, viewer, answer.status, headers, bytes(collected), ttl, origin_etag, started)

    def _keep(
        self,
        key: CacheKey,
        viewer: ViewerRequest,
        status: int,
        headers: CIMultiDict[str],
        body: bytes,
        ttl: float,
        origin_etag: str | None,
        at: float | None = None,
    ) -> None:
        now = self._clock() if at is None else at
        path = f"{viewer.path}?{viewer.query}" if viewer.query else viewer.path
        self._cache.put(key, Entry(status, frozen_headers(headers.items()), body, path, now, now + ttl, origin_etag))

    def _from_entry(self, entry: Entry, result: str) -> Reply:
        headers = CIMultiDict(entry.headers)
        headers["Age"] = str(int(self._clock() - entry.stored_at))
        return Reply(entry.status, headers, entry.body, "Error" if entry.status >= 400 else result)

    async def _with_error_page(self, viewer: ViewerRequest, reply: Reply, config: EdgeConfig) -> Reply:
        wanted = config.error_pages.get(reply.status)
        if wanted is None or not wanted.page:
            return reply
        headers = CIMultiDict(viewer.headers)
        for name in (*CONDITIONAL_HEADERS, "range", "if-range"):
            headers.popall(name, None)
        page = replace(viewer, method="GET", path=wanted.page, query="", headers=headers, body=None)
        found = await self._obtain(page, config.behavior_for(wanted.page), config)
        if found.status >= 400:
            return reply
        if reply.close is not None:
            await reply.close()
        return replace(found, status=wanted.response_code or reply.status, result="Error")


def freshness_of_error(status: int, config: EdgeConfig) -> float:
    return config.error_ttl(status) if status in (502, 504) else 0


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


def via(viewer: ViewerRequest) -> str:
    return f"1.1 {viewer.id[:32].lower().replace('_', '0').replace('-', '0')}.cloudfront.net (CloudFront)"


def should_compress(viewer: ViewerRequest, behavior: Behavior, answer: OriginAnswer) -> bool:
    """The developer guide's conditions for compression at the edge; only gzip is done here."""
    policy = behavior.cache_policy
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    length = answer.headers.get("Content-Length", "")
    return (
        behavior.compress
        and policy.max_ttl > 0
        and viewer.method == "GET"
        and answer.status in (200, 403, 404)
        and "gzip" in normalized_accept_encoding(policy, viewer.headers.get("Accept-Encoding", "")).split(",")
        and "Content-Encoding" not in answer.headers
        and kind in COMPRESSIBLE_TYPES
        and length.isdigit()
        and int(length) in COMPRESSIBLE_LENGTH
    )


async def read_all(answer: OriginAnswer) -> bytes:
    try:
        return b"".join([chunk async for chunk in answer.body])
    finally:
        await answer.close()


def compressed_headers(headers: CIMultiDict[str], length: int) -> CIMultiDict[str]:
    changed = CIMultiDict(headers)
    changed["Content-Encoding"] = "gzip"
    changed["Content-Length"] = str(length)
    changed["Vary"] = ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))
    changed.popall("Accept-Ranges", None)
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):
        changed["ETag"] = f"W/{etag}"
    return changed


def is_small(headers: CIMultiDict[str]) -> bool:
    length = headers.get("Content-Length", "")
    return not length.isdigit() or int(length) <= LARGEST_CACHED


def add_policy_headers(viewer: ViewerRequest, behavior: Behavior, reply: Reply) -> Reply:
    policy = behavior.response_headers_policy
    if policy is None:
        return reply
    headers = CIMultiDict(reply.headers)
    for added in policy.headers_for(viewer.headers.get("Origin")):
        if added.override or added.name not in headers:
            headers[added.name] = added.value
    return replace(reply, headers=headers)


def for_viewer(viewer: ViewerRequest, reply: Reply) -> Reply:
    """Conditional and partial requests, as far as the edge answers them itself."""
    if reply.status != 200 or viewer.method not in ("GET", "HEAD"):
        return reply
    if is_not_modified(viewer.headers, reply.headers):
        headers = CIMultiDict(reply.headers)
        for name in ("Content-Length", "Content-Type", "Content-Encoding"):
            headers.popall(name, None)
        return replace(reply, status=304, headers=headers)
    if isinstance(reply.body, bytes) and viewer.method == "GET" and "Range" in viewer.headers:
        return partial(reply, reply.body, viewer.headers["Range"])
    return reply


def is_not_modified(asked: CIMultiDict[str], headers: CIMultiDict[str]) -> bool:
    if "If-None-Match" in asked:
        etag = headers.get("ETag", "").removeprefix("W/")
        known = [part.strip().removeprefix("W/") for part in asked["If-None-Match"].split(",")]
        return bool(etag) and (etag in known or "*" in known)
    if "If-Modified-Since" in asked and "Last-Modified" in headers:
        try:
            return parsedate_to_datetime(headers["Last-Modified"]) <= parsedate_to_datetime(asked["If-Modified-Since"])
        except (TypeError, ValueError):
            return False
    return False


def partial(reply: Reply, body: bytes, asked: str) -> Reply:
    """One byte range of a complete body; several ranges or another unit give the whole, as HTTP allows."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.strip())
    size = len(body)
    if match is None or match.groups() == ("", ""):
        return reply
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    headers = CIMultiDict(reply.headers)
    if start >= size or start > end:
        headers["Content-Range"] = f"bytes */{size}"
        headers["Content-Length"] = "0"
        return replace(reply, status=416, headers=headers, body=b"", result="Error")
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    headers["Content-Length"] = str(end - start + 1)
    return replace(reply, status=206, headers=headers, body=body[start : end + 1])


def rewritten(viewer: ViewerRequest, returned: dict[str, Any]) -> ViewerRequest:
    """The request that a function made of the viewer's. The method cannot be changed, Host neither."""
    uri = returned.get("uri")
    if not isinstance(uri, str) or not uri.startswith("/"):
        raise FunctionError(f"the returned uri {uri!r} does not begin with a slash")
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in pairs_of(returned.get("headers")):
        if name.lower() != "host":
            headers.add(name, value)
    headers["Host"] = viewer.headers.get("Host", "")
    cookies = pairs_of(returned.get("cookies"))
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    query = pairs_of(returned.get("querystring"))
    text = viewer.query if sorted(query) == sorted(viewer.query_pairs) else "&".join(f"{k}={v}" for k, v in query)
    return replace(viewer, path=uri, query=text, headers=headers)


def generated_response(returned: dict[str, Any]) -> Reply:
    """The response that a function gave instead of a request."""
    headers: CIMultiDict[str] = CIMultiDict({"Server": "CloudFront"})
    for name, value in pairs_of(returned.get("headers")):
        headers.add(name, value)
    for name, item in (returned.get("cookies") or {}).items():
        attributes = f"; {item['attributes']}" if item.get("attributes") else ""
        headers.add("Set-Cookie", f"{name}={item.get('value', '')}{attributes}")
    body = returned.get("body") or ""
    if isinstance(body, dict):
        data = str(body.get("data", ""))
        content = base64.b64decode(data) if body.get("encoding") == "base64" else data.encode()
    else:
        content = str(body).encode()
    headers["Content-Length"] = str(len(content))
    return Reply(int(returned["statusCode"]), headers, content, "FunctionGeneratedResponse")


def redirect_to_https(viewer: ViewerRequest, https_port: int) -> Reply:
    query = f"?{viewer.query}" if viewer.query else ""
    location = f"https://{viewer.host}:{https_port}{viewer.path}{query}"
    status = 301 if viewer.method in ("GET", "HEAD") else 307
    body = f"<html><head><title>{status}</title></head><body>{escape(location)}</body></html>\n".encode()
    headers = CIMultiDict(
        {
            "Server": "CloudFront",
            "Content-Type": "text/html",
            "Content-Length": str(len(body)),
            "Location": location,
        }
    )
    return Reply(status, headers, body, "Redirect")


def error_page(viewer: ViewerRequest, status: int, message: str, result: str = "Error") -> Reply:
    """An error that CloudFront itself gives, with its reason for people."""
    body = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>ERROR: The request could not be satisfied</title></head><body>"
        f"<h1>{status} {HTTPStatus(status).phrase}</h1><h2>The request could not be satisfied.</h2>"
        f"<p>{escape(message)}</p><hr><p>Generated by cloudfront (CloudFront)<br>Request ID: {viewer.id}</p>"
        "</body></html>\n"
    ).encode()
    headers = CIMultiDict(
        {"Server": "CloudFront", "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    )
    return Reply(status, headers, body, result)
