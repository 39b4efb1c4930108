# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint: one WSGI application, served on loopback and on the container bridge."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from localcloud import admin
from localcloud.calls import caller_of
from localcloud.faults import FaultMiddleware
from localcloud.iam.authority import Authority, Needing
from localcloud.journal import JournalMiddleware
from localcloud.refusals import Refusals
from localcloud.reset import Resets
from localcloud.s3.guard import Guard
from localcloud.s3.strangers import Strangers

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

    from localcloud.cloud import Cloud

STEP = 20
"""From a port that is taken to the next to try: there is room for the registry's, 11 further, in between."""
BACKLOG = 128


def application(cloud: Cloud) -> Callable[..., Iterable[bytes]]:
    """Our own pages, and moto with what `install` hooked into it. Call it after `install`."""
    from werkzeug.wrappers import Request

    # With it comes moto, which must not be there before its settings are.
    from localcloud.iam.lookups import Services

    needing = Needing(cloud.account_id, Services(cloud))
    moto = Resets(dispatcher(), cloud)
    judged = Refusals(Authority(Strangers(Guard(moto, cloud), cloud), cloud, needing, caller_of))
    troubled = FaultMiddleware(judged, cloud.faults, cloud.clock, caller_of)
    journaled = JournalMiddleware(troubled, cloud.journal, cloud.clock, caller_of, needing.of)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if str(environ.get("PATH_INFO", "")).startswith(admin.PREFIX):
            ours: Iterable[bytes] = admin.answer(cloud, Request(environ))(environ, start_response)
            return ours
        return journaled(environ, start_response)

    return answer


def dispatcher() -> Callable[..., Iterable[bytes]]:
    """Moto's, which refuses services that it does not know instead of stumbling over them."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
        def get_backend_for_host(self, host: str | None) -> Any:
            backend = super().get_backend_for_host(host)
            if backend is None and host is not None:
                raise NotImplementedError(f"{host.partition('.')[0]} is no service of this cloud")
            return backend

    dispatching: Callable[..., Iterable[bytes]] = Dispatcher(create_backend_app)
    return dispatching


class Server:
    """Serves the application on sockets that listen already, each in a thread of its own."""

    def __init__(self, app: Callable[..., Iterable[bytes]], sockets: Sequence[socket.socket]) -> None:
        """Take the sockets over."""
        from moto.moto_server.werkzeug_app import MotoRequestHandler
        from werkzeug.serving import make_server

        class QuietHandler(MotoRequestHandler):  # type: ignore[misc]
            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """The journal has it, without the query strings in which signatures travel."""

        self._servers: list[BaseWSGIServer] = []
        for listening in sockets:
            host, port = listening.getsockname()
            server = make_server(host, port, app, threaded=True, request_handler=QuietHandler, fd=listening.fileno())
            # The server has a copy of its own.
            listening.close()
            server.daemon_threads = True
            self._servers.append(server)

    def start(self) -> None:
        """Answer from now on."""
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop answering."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


def listen(addresses: Sequence[str], preferred: int) -> list[socket.socket]:
    """Sockets that listen on one port of all addresses: the preferred one if it is free, else one that is.

    They are had before the cloud is made, which tells the port to others: of two that start at once only one has it.

    :raises OSError: When no port from the preferred one on is free.
    """
    for port in _candidates(preferred):
        with contextlib.ExitStack() as opened:
            try:
                sockets = [opened.enter_context(_listening(address, port)) for address in addresses]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                opened.pop_all()
                return sockets
    raise _none_free(preferred)


def free_port(address: str, preferred: int) -> int:
    """The preferred port if it is free on the address, else one that is.

    :raises OSError: When no port from the preferred one on is free.
    """
    for port in _candidates(preferred):
        if _is_free(address, port):
            return port
    raise _none_free(preferred)


def _candidates(preferred: int) -> range:
    """Ports of our own choosing: one that the system chooses may be a connection's a moment later."""
    return range(preferred, 2**16, STEP)


def _none_free(preferred: int) -> OSError:
    return OSError(errno.EADDRINUSE, f"none of the ports {preferred}, {preferred + STEP}, … is free")


def _listening(address: str, port: int) -> socket.socket:
    return socket.create_server((address, port), backlog=BACKLOG)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection of a predecessor that still winds up does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
