# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to one viewer request: behaviour, function, cache, origin, error page."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from multidict import CIMultiDict

from localcloud.cloudfront import headers as response_headers
from localcloud.cloudfront import signing
from localcloud.cloudfront.cache import (
    Cache,
    CacheKey,
    Entry,
    cache_key,
    freshness,
    frozen_headers,
    may_stand_in,
    revalidates_behind,
)
from localcloud.cloudfront.compression import compressed_headers, should_compress
from localcloud.cloudfront.distribution import Behavior, EdgeConfig
from localcloud.cloudfront.events import (
    Where,
    changed_response,
    generated_response,
    request_event,
    response_event,
    rewritten,
)
from localcloud.cloudfront.exceptions import CloudFrontError
from localcloud.cloudfront.forwarding import CONDITIONAL_HEADERS, origin_headers, origin_query
from localcloud.cloudfront.functions import FunctionError, FunctionInvalid, FunctionRunner
from localcloud.cloudfront.headers import ResponseHeadersPolicy
from localcloud.cloudfront.origins import OriginAnswer, OriginError, OriginRequest, Origins, chunks_of
from localcloud.cloudfront.replies import Reply, ViewerRequest, denial, error_page, for_viewer, redirect_to_https
from localcloud.cloudfront.resources import Distribution, FunctionVersion

log = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")
LARGEST_CACHED = 32 * 1024 * 1024


@dataclass(frozen=True)
class Account:
    """What an exchange looks up: a published function by ARN, a policy by id, public keys by their groups."""

    live_function: Callable[[str], FunctionVersion | None]
    response_headers_policy: Callable[[str], ResponseHeadersPolicy | None]
    public_keys: Callable[[Sequence[str]], Mapping[str, str]]


class Exchange:
    """Answers viewers of one distribution."""

    def __init__(
        self, distribution: Distribution, origins: Origins, account: Account, clock: Callable[[], float]
    ) -> None:
        self._distribution = distribution
        self._origins = origins
        self._account = account
        self._clock = clock
        self._where = Where(distribution.id, distribution.domain_name)
        self._behind: dict[CacheKey, asyncio.Task[None]] = {}
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
        if behavior.key_groups:
            try:
                viewer = self._admitted(viewer, behavior, config)
            except signing.Denied as denied:
                return await self._with_error_page(viewer, denial(denied.code, str(denied)), config)
        changed = await self._changed_request(viewer, behavior)
        if isinstance(changed, Reply):
            return changed
        viewer = changed
        if viewer.path == "/" and config.root_object:
            viewer = replace(viewer, path="/" + config.root_object)
        reply = await self._obtain(viewer, behavior, config)
        if reply.status >= 400:
            failed = await self._with_error_page(viewer, reply, config)
            return for_viewer(viewer, self._with_policy(viewer, behavior, failed))
        return await self._changed_response(
            viewer, behavior, for_viewer(viewer, self._with_policy(viewer, behavior, reply))
        )

    def _admitted(self, viewer: ViewerRequest, behavior: Behavior, config: EdgeConfig) -> ViewerRequest:
        keys = self._account.public_keys(behavior.key_groups)
        return signing.admitted(viewer, keys, (self._distribution.domain_name, *config.aliases), self._clock())

    def _with_policy(self, viewer: ViewerRequest, behavior: Behavior, reply: Reply) -> Reply:
        wanted = behavior.response_headers_policy_id
        policy = self._account.response_headers_policy(wanted) if wanted is not None else None
        if policy is None:
            return reply
        config = policy.at(self._clock())
        return replace(reply, headers=response_headers.apply(config, viewer.headers, viewer.method, reply.headers))

    # Functions

    async def _changed_request(self, viewer: ViewerRequest, behavior: Behavior) -> ViewerRequest | Reply:
        arn = behavior.function_for("viewer-request")
        if arn is None:
            return viewer

        def taken(returned: dict[str, Any]) -> ViewerRequest | Reply:
            return generated_response(returned) if "statusCode" in returned else rewritten(viewer, returned)

        return await self._run_function(viewer, arn, request_event(self._where, viewer), taken)

    async def _changed_response(self, viewer: ViewerRequest, behavior: Behavior, reply: Reply) -> Reply:
        """Not for errors of the origin: the developer guide's "Restrictions on all edge functions"."""
        arn = behavior.function_for("viewer-response")
        if arn is None or reply.status >= 400:
            return reply
        event = response_event(self._where, viewer, reply)
        return await self._run_function(viewer, arn, event, lambda returned: changed_response(reply, returned))

    async def _run_function(
        self, viewer: ViewerRequest, arn: str, event: dict[str, Any], taken: Callable[[dict[str, Any]], Outcome]
    ) -> Outcome | Reply:
        version = self._account.live_function(arn)
        if version is None:
            return error_page(viewer, 503, f"The function {arn} is not published.", "FunctionExecutionError")
        try:
            return taken(await asyncio.to_thread(self._call_function, version, event))
        except FunctionError as error:
            log.warning("Function %s of distribution %s: %s", arn, self._distribution.id, error)
            invalid = isinstance(error, FunctionInvalid)
            status, result = (502, "FunctionValidationError") if invalid else (503, "FunctionExecutionError")
            return error_page(viewer, status, f"The CloudFront function {arn} failed: {error}.", result)

    def _call_function(self, version: FunctionVersion, event: dict[str, Any]) -> dict[str, Any]:
        runner = self._runners.get(version.etag)
        if runner is None:
            runner = FunctionRunner(version.code)
            self._runners = {version.etag: runner, **dict(list(self._runners.items())[:7])}
        return runner.run(event).returned

    # Cache and origin

    async def _obtain(self, viewer: ViewerRequest, behavior: Behavior, config: EdgeConfig) -> Reply:
        key = self._key(viewer, behavior)
        now = self._clock()
        entry = self._cache.get(key, self._distribution.purges(now)) if key else None
        if entry is None or key is None:
            return await self._fetch(viewer, key, behavior, config, None)
        if entry.is_fresh(now):
            return self._from_entry(entry, "Hit")
        if revalidates_behind(behavior.cache_policy, entry, now):
            self._renew_behind(viewer, key, behavior, config, entry)
            return self._from_entry(entry, "Hit")
        return await self._fetch(viewer, key, behavior, config, entry)

    async def _fetch(
        self,
        viewer: ViewerRequest,
        key: CacheKey | None,
        behavior: Behavior,
        config: EdgeConfig,
        entry: Entry | None,
    ) -> Reply:
        """What the origin says; where it fails, an expired entry may stand in for it."""
        try:
            answer = await self._ask(viewer, behavior, config, entry)
        except OriginError as error:
            if stale := self._stale(key, behavior, config, entry, error.status):
                return stale
            return self._unreachable(viewer, key, error, config)
        if answer.status >= 500 and (stale := self._stale(key, behavior, config, entry, answer.status)):
            await answer.close()
            return stale
        if entry is not None and answer.status == 304 and key:
            return await self._renewed(key, entry, answer, behavior, config)
        return await self._received(viewer, key, answer, behavior, config)

    def _stale(
        self, key: CacheKey | None, behavior: Behavior, config: EdgeConfig, entry: Entry | None, status: int
    ) -> Reply | None:
        """The expired entry, and for the error caching time no further question to the origin."""
        now = self._clock()
        if entry is None or key is None or not may_stand_in(behavior.cache_policy, entry, now):
            return None
        self._cache.put(key, replace(entry, quiet_until=now + config.error_ttl(status)))
        return self._from_entry(entry, "Hit")

    def _renew_behind(
        self, viewer: ViewerRequest, key: CacheKey, behavior: Behavior, config: EdgeConfig, entry: Entry
    ) -> None:
        """Ask the origin after the viewer has been answered, once at a time for each object."""
        if key not in self._behind:
            asked = replace(viewer, method="GET", body=None)
            task = asyncio.ensure_future(self._renew(asked, key, behavior, config, entry))
            self._behind[key] = task
            task.add_done_callback(lambda _: self._behind.pop(key, None))

    async def _renew(
        self, viewer: ViewerRequest, key: CacheKey, behavior: Behavior, config: EdgeConfig, entry: Entry
    ) -> None:
        reply = await self._fetch(viewer, key, behavior, config, entry)
        if not isinstance(reply.body, bytes):
            async for _chunk in reply.body:
                pass
        if reply.close is not None:
            await reply.close()

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


async def read_all(answer: OriginAnswer) -> bytes:
    try:
        return b"".join([chunk async for chunk in answer.body])
    finally:
        await answer.close()


def is_small(headers: CIMultiDict[str]) -> bool:
    length = headers.get("Content-Length", "")
    return not length.isdigit() or int(length) <= LARGEST_CACHED
