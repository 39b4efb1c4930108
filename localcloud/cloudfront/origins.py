# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests from the edge to origins: buckets of this process, and HTTP servers found by their AWS-like name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from localcloud.cloudfront.distribution import Origin
from localcloud.cloudfront.resources import Distribution, OriginAccessControl
from localcloud.cloudfront.s3origin import read_object
from localcloud.names import Address
from localcloud.s3.access import Caller
from localcloud.s3.answers import S3Answer

CHUNK = 64 * 1024
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

Resolve = Callable[[str], Address | None]


class OriginError(Exception):
    """The origin could not be asked or did not answer: a status for the viewer and what went wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class OriginRequest:
    """What is asked of an origin. `path` and `query` are percent-encoded; `viewer_scheme` is http or https."""

    method: str
    path: str
    query: str
    headers: CIMultiDict[str]
    viewer_scheme: str
    body: AsyncIterator[bytes] | None = None

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


async def nothing() -> None:
    """Close what needs no closing."""


@dataclass
class OriginAnswer:
    """Status, headers and a body that is read once; `close` gives the connection back."""

    status: int
    headers: CIMultiDict[str]
    body: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]] = field(default=nothing)


async def chunks_of(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]


class Origins:
    """Asks origins. `resolve` gives the local address behind a domain name, or None."""

    def __init__(
        self,
        resolve: Resolve,
        access_control: Callable[[Distribution, str], OriginAccessControl],
        authority: Path | None = None,
    ) -> None:
        """:param authority: The certificates that origins are trusted by."""
        self._resolve = resolve
        self._authority = authority
        self._access_control = access_control
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    async def fetch(self, distribution: Distribution, origin: Origin, request: OriginRequest) -> OriginAnswer:
        """The origin's answer; raises OriginError."""
        if origin.bucket is not None:
            return await self._fetch_object(distribution, origin, origin.bucket, request)
        return await self._fetch_http(origin, request)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _fetch_object(
        self, distribution: Distribution, origin: Origin, bucket: str, request: OriginRequest
    ) -> OriginAnswer:
        if request.method not in ("GET", "HEAD"):
            raise OriginError(501, f"The rehearsal cloud does not carry {request.method} to S3 origins.")
        signed = bool(origin.oac_id) and self._access_control(distribution, origin.oac_id).signs(
            "Authorization" in request.headers
        )
        secure = request.viewer_scheme == "https"
        caller = Caller(distribution.arn if signed else None, distribution.account_id, secure)
        path = origin.path + request.path
        answer = await asyncio.to_thread(read_object, distribution.account_id, bucket, path, caller)
        return _object_answer(answer, request)

    async def _fetch_http(self, origin: Origin, request: OriginRequest) -> OriginAnswer:
        url = self._url(origin, request)
        problem = OriginError(502, "CloudFront wasn't able to connect to the origin.")
        for _attempt in range(origin.attempts if request.body is None else 1):
            try:
                return await self._send(origin, request, url)
            except (aiohttp.ConnectionTimeoutError, aiohttp.SocketTimeoutError, TimeoutError) as error:
                raise OriginError(504, f"{origin.domain} did not answer within {origin.read_timeout} s.") from error
            except aiohttp.ClientConnectorError:
                problem = OriginError(502, f"CloudFront wasn't able to connect to the origin {origin.domain}.")
            except aiohttp.ClientError as error:
                raise OriginError(502, f"{origin.domain} closed the connection or sent no valid answer.") from error
        raise problem

    def _url(self, origin: Origin, request: OriginRequest) -> URL:
        policy = origin.protocol_policy
        scheme = request.viewer_scheme if policy == "match-viewer" else policy.removesuffix("-only")
        address = self._resolve(origin.domain)
        if address is None:
            raise OriginError(502, f"CloudFront wasn't able to resolve the origin domain name {origin.domain}.")
        wanted = origin.https_port if scheme == "https" else origin.http_port
        ports = {("http", 80): address.port, ("https", 443): address.secure_port}
        port = ports.get((scheme, wanted))
        if port is None:
            raise OriginError(502, f"Nobody speaks {scheme.upper()} on port {wanted} of {origin.domain}.")
        return URL(f"{scheme}://{address.host}:{port}{origin.path}{request.target}", encoded=True)

    async def _send(self, origin: Origin, request: OriginRequest, url: URL) -> OriginAnswer:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=origin.connect_timeout, sock_read=origin.read_timeout)
        response = await self._client().request(
            request.method,
            url,
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            timeout=timeout,
            **self._trust(origin, request, url),
        )
        return OriginAnswer(
            response.status, end_to_end(response.headers.items()), _body_of(response), _closer(response)
        )

    def _trust(self, origin: Origin, request: OriginRequest, url: URL) -> dict[str, Any]:
        """The certificate of an origin must be for the Host that is forwarded, or else for the origin's domain name.

        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html
        """
        if url.scheme != "https":
            return {}
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._authority)
        return {"ssl": self._tls, "server_hostname": request.headers.get("Host", origin.domain).partition(":")[0]}

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=5),
            )
        return self._session


async def _body_of(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for chunk in response.content.iter_chunked(CHUNK):
        yield chunk


def _closer(response: aiohttp.ClientResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        response.release()

    return close


def end_to_end(headers: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """The headers that are not about one connection alone."""
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers:
        if name.lower() not in HOP_BY_HOP:
            kept.add(name, value)
    return kept


def _object_answer(answer: S3Answer, request: OriginRequest) -> OriginAnswer:
    headers = CIMultiDict(answer.headers)
    body = answer.body if request.method == "GET" else b""
    if answer.status == 200 and _is_unchanged(answer, request):
        headers.popall("Content-Type", None)
        return OriginAnswer(304, headers, chunks_of(b""))
    headers["Content-Length"] = str(len(answer.body))
    return OriginAnswer(answer.status, headers, chunks_of(body))


def _is_unchanged(answer: S3Answer, request: OriginRequest) -> bool:
    return request.headers.get("If-None-Match") == answer.headers.get("ETag", "")
