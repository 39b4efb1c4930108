"""A processing service: says what it is, that it lives, that it is ready, and runs its pipelines.

GET /info, /livez, /readyz; POST /process with {"pipeline": SLUG, "source_images": [{"id", "url"}, …]}.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipelines import INFO, PIPELINES

PORT = 2000
LARGEST_BODY = 1_000_000  # bytes

PAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "/info": lambda: INFO,
    "/livez": lambda: {"status": True},
    "/readyz": lambda: {"status": list(PIPELINES)},
}


class Refused(Exception):
    """A request that cannot be answered; says why."""


def process(body: bytes) -> dict[str, Any]:
    """Raises Refused for a body that is not a request, or that names an unknown pipeline."""
    try:
        wanted = json.loads(body)
        slug, images = wanted["pipeline"], wanted["source_images"]
        pipeline = PIPELINES[slug]
        return {"pipeline": slug, "detections": [pipeline(str(image["id"])) for image in images]}
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"not a request for one of the pipelines {', '.join(PIPELINES)}: {error!r}") from error


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        page = PAGES.get(self.path.partition("?")[0].rstrip("/"))
        if page is None:
            return self.answer(HTTPStatus.NOT_FOUND, {"detail": "Not Found"})
        return self.answer(HTTPStatus.OK, page())

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"detail": f"over {LARGEST_BODY} bytes"})
        body = self.rfile.read(length)
        if self.path.rstrip("/") != "/process":
            return self.answer(HTTPStatus.NOT_FOUND, {"detail": "Not Found"})
        try:
            return self.answer(HTTPStatus.OK, process(body))
        except Refused as refusal:
            return self.answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": str(refusal)})


def main() -> None:
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Handler)  # noqa: S104  (a container is reached from outside)
    # As the first process of a container it is ended by no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    main()
