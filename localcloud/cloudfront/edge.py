# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge: an HTTPS and an HTTP port on loopback for every distribution, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from aiohttp import ClientError, web
from multidict import CIMultiDict

from localcloud.cloudfront.exchange import Exchange
from localcloud.cloudfront.origins import CHUNK, Origins
from localcloud.cloudfront.replies import POP, Reply, ViewerRequest, error_page, via
from localcloud.cloudfront.resources import Distribution, Ports
from localcloud.names import LOOPBACK
from localcloud.ports import bound

log = logging.getLogger(__name__)

HTTPS_PORTS = range(18443, 18943)
HTTP_PORTS = range(18080, 18440)
BODILESS = frozenset({204, 304})

T = TypeVar("T")
CertificateFor = Callable[[list[str]], tuple[str, str]]
Record = Callable[[Distribution, ViewerRequest, Reply, float], None]


@dataclass
class Listeners:
    """The two ports of one distribution."""

    ports: Ports
    tls: ssl.SSLContext
    runners: tuple[web.ServerRunner, web.ServerRunner]


class Edge:
    """All distributions' listeners.

    `certificate_for` gives the paths of a certificate (with chain) and its key for a list of DNS names (and 127.0.0.1).
    `record` is told of every request that was answered, and how many seconds that took.
    """

    def __init__(
        self,
        certificate_for: CertificateFor,
        origins: Origins,
        exchange_for: Callable[[Distribution, Origins], Exchange],
        record: Record,
    ) -> None:
        self._certificate_for = certificate_for
        self._record = record
        self._origins = origins
        self._exchange_for = exchange_for
        self._listeners: dict[str, Listeners] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cloudfront-edge", daemon=True)
        self._thread.start()

    def open(self, distribution: Distribution) -> Ports:
        """Listen for a distribution, or give a listening one a certificate for its present names."""
        names = ["localhost", distribution.domain_name, *distribution.edge.aliases]
        certificate, key = self._certificate_for(names)
        known = self._listeners.get(distribution.id)
        if known is not None:
            known.tls.load_cert_chain(certificate, key)
            return known.ports
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.set_alpn_protocols(["http/1.1"])
        tls.load_cert_chain(certificate, key)
        listeners = self._run(self._start(distribution, tls))
        self._listeners[distribution.id] = listeners
        return listeners.ports

    def close(self, identifier: str) -> None:
        listeners = self._listeners.pop(identifier, None)
        if listeners is not None:
            self._run(_stop(listeners))

    def shut_down(self) -> None:
        """Close everything and end the thread."""
        for identifier in list(self._listeners):
            self.close(identifier)
        self._run(self._origins.close())
        self._run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    async def _start(self, distribution: Distribution, tls: ssl.SSLContext) -> Listeners:
        exchange = self._exchange_for(distribution, self._origins)
        record = partial(self._record, distribution)
        https, http = (_runner(exchange, scheme, record) for scheme in ("https", "http"))
        https_port = await _listen(https, HTTPS_PORTS, tls)
        http_port = await _listen(http, HTTP_PORTS, None)
        return Listeners(Ports(https_port, http_port), tls, (https, http))


def _runner(exchange: Exchange, scheme: str, record: Callable[[ViewerRequest, Reply, float], None]) -> web.ServerRunner:
    server = web.Server(_handler(exchange, scheme, record), auto_decompress=False)
    return web.ServerRunner(server, access_log=None, shutdown_timeout=0.5)


async def _listen(runner: web.ServerRunner, ports: range, tls: ssl.SSLContext | None) -> int:
    """The first free port of the range, or any if none is free."""
    await runner.setup()
    for port in (*ports, 0):
        opened = bound(port)
        if opened is not None:
            await web.SockSite(runner, opened, ssl_context=tls).start()
            return int(opened.getsockname()[1])
    raise OSError(f"No free port on {LOOPBACK} for a distribution.")


async def _cancel_others() -> None:
    """End what is still under way, as a request that waits for a slow origin."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _stop(listeners: Listeners) -> None:
    for runner in listeners.runners:
        await runner.cleanup()


def _handler(
    exchange: Exchange, scheme: str, record: Callable[[ViewerRequest, Reply, float], None]
) -> Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        viewer, started = viewer_request(request, scheme), time.monotonic()
        try:
            reply = await exchange.answer(viewer)
        except Exception:
            log.exception("%s %s", request.method, request.raw_path)
            reply = error_page(viewer, 500, "The rehearsal cloud's edge failed; its log has the reason.")
        sent = await _send_or_hang_up(request, viewer, reply)
        record(viewer, reply, time.monotonic() - started)
        return sent

    return handle


async def _send_or_hang_up(request: web.BaseRequest, viewer: ViewerRequest, reply: Reply) -> web.StreamResponse:
    """Where viewer or origin goes away in the middle of a body, the connection ends: the length promised is not met."""
    try:
        return await send(request, viewer, reply)
    except (ConnectionError, ClientError, TimeoutError) as error:
        log.warning("%s %s ended early: %s", viewer.method, viewer.path, error or type(error).__name__)
        if request.transport is not None:
            request.transport.close()
        return web.StreamResponse()


def viewer_request(request: web.BaseRequest, scheme: str) -> ViewerRequest:
    path, _, query = request.raw_path.partition("?")
    return ViewerRequest(
        method=request.method,
        scheme=scheme,
        path=path or "/",
        query=query,
        headers=CIMultiDict(request.headers),
        ip=request.remote or LOOPBACK,
        body=_body(request) if request.body_exists else None,
    )


async def _body(request: web.BaseRequest) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(CHUNK):
        yield chunk


async def send(request: web.BaseRequest, viewer: ViewerRequest, reply: Reply) -> web.StreamResponse:
    """Write the reply; large bodies go through in chunks."""
    try:
        response = web.StreamResponse(status=reply.status, headers=_response_headers(viewer, reply))
        await response.prepare(request)
        if request.method != "HEAD" and reply.status not in BODILESS:
            await _write(response, reply)
        elif reply.status == 304 and not isinstance(reply.body, bytes):
            await _drain(reply.body)
        await response.write_eof()
        return response
    finally:
        if reply.close is not None:
            await reply.close()


def _response_headers(viewer: ViewerRequest, reply: Reply) -> CIMultiDict[str]:
    headers = CIMultiDict(reply.headers)
    headers.setdefault("Server", "CloudFront")
    headers["X-Cache"] = f"{reply.result} from cloudfront"
    headers["Via"] = via(viewer)
    headers["X-Amz-Cf-Pop"] = POP
    headers["X-Amz-Cf-Id"] = viewer.id
    if isinstance(reply.body, bytes) and reply.status not in BODILESS and viewer.method != "HEAD":
        headers["Content-Length"] = str(len(reply.body))
    return headers


async def _write(response: web.StreamResponse, reply: Reply) -> None:
    if isinstance(reply.body, bytes):
        await response.write(reply.body)
        return
    async for chunk in reply.body:
        await response.write(chunk)


async def _drain(body: AsyncIterator[bytes]) -> None:
    """A whole answer of the origin that the viewer already has is still read, so that it can be kept."""
    async for _chunk in body:
        pass
