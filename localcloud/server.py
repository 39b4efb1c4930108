# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint: one WSGI application, served on loopback and on the container bridge."""

from __future__ import annotations

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
