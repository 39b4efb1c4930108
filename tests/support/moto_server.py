# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A moto server that remembers which operations were called: ``moto_server.py [beanstalk]``.

moto has no application versions; with ``beanstalk`` it has those of the rehearsal cloud, but no environments.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")


class Journal:
    """WSGI middleware: GET /_journal returns the calls since the last GET, and forgets them."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._calls: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/_journal":
            with self._lock:
                calls, self._calls = self._calls, []
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(calls).encode()]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        service = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if service:
            with self._lock:
                self._calls.append(f"{service[1]}:{operation(environ, body)}")
        return self._app(environ, start_response)


def operation(environ: dict[str, Any], body: bytes) -> str:
    """Return the operation's name; for REST services the method (Get, Put) and the path."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rsplit(".", 1)[-1]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        action = parse_qs(body.decode()).get("Action")
        if action:
            return action[0]
    return f"{environ['REQUEST_METHOD'].capitalize()} {environ['PATH_INFO']}"


def hook_beanstalk() -> None:
    """Put the API of the rehearsal cloud's Elastic Beanstalk into moto, without what runs containers."""
    from localcloud.clock import SystemClock
    from localcloud.elasticbeanstalk import service
    from localcloud.elasticbeanstalk.lifecycle import Lifecycle
    from localcloud.elasticbeanstalk.responses import Services
    from localcloud.latency import Latency

    cloud: Any = SimpleNamespace(clock=SystemClock(), latency=Latency())
    tools: Any = SimpleNamespace(pump=None)
    clusters: Any = None
    service._hook(Services(cloud, Lifecycle(cloud, tools, clusters)))


def serve(application: Any) -> None:
    """Answer on a free port until the process ends; the URL is the one line of stdout."""
    server = make_server("127.0.0.1", 0, Journal(application), threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    if "beanstalk" in sys.argv:
        hook_beanstalk()
    serve(DomainDispatcherApplication(create_backend_app))
