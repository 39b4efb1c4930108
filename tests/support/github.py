# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comments of a pull request, by GitHub's REST API as far as a job of the workflow asks for it."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from localcloud.ca import CertificateAuthority

API = "/api/v3/repos/example/deployment/issues"
JOBS = "github-actions[bot]"
PER_PAGE = 2


@dataclass
class Comments:
    """Comments, a few on a page; `host` is where they are asked for, `ca` the file of the certificate that it shows."""

    comments: list[dict[str, Any]]
    host: str = ""
    ca: Path = Path()

    def write(self, body: str, login: str = JOBS) -> None:
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"login": login}})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        given = json.loads(request.get_data() or "{}")
        if request.path == f"{API}/7/comments" and request.method == "GET":
            return self._page(int(request.args.get("page", 1)))
        if request.path == f"{API}/7/comments" and request.method == "POST":
            self.write(given["body"])
            return _json(self.comments[-1], 201)
        if (one := re.fullmatch(f"{API}/comments/([0-9]+)", request.path)) and request.method == "PATCH":
            self.comments[int(one[1]) - 1].update(given)
            return _json(self.comments[int(one[1]) - 1])
        return _json({"message": "Not Found"}, 404)

    def _page(self, page: int) -> Response:
        answer = _json(self.comments[(page - 1) * PER_PAGE : page * PER_PAGE])
        if len(self.comments) > page * PER_PAGE:
            answer.headers["Link"] = f'<https://{self.host}{API}/7/comments?page={page + 1}>; rel="next"'
        return answer


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, mimetype="application/json")


@contextlib.contextmanager
def pull_request(directory: Path) -> Iterator[Comments]:
    """Serve the comments of number 7 of example/deployment meanwhile."""
    comments, authority = Comments([]), CertificateAuthority(directory)
    issued = authority.issue(["localhost"], ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    server = make_server("127.0.0.1", 0, comments, ssl_context=context)
    comments.host, comments.ca = f"localhost:{server.server_port}", authority.path
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield comments
    finally:
        server.shutdown()
        thread.join()
