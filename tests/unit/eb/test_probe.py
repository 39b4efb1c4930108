# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP request that proves a deployment, against a real server."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Environment
from ansible_collections.antenna.aws.plugins.module_utils._eb.probe import Probe, probe

ENVIRONMENT = Environment("e-1", "env", "antenna", cname="env.eu-central-1.elasticbeanstalk.com")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        moved = self.path == "/moved"
        self.send_response(301 if moved else 200)
        if moved:
            self.send_header("Location", "https://elsewhere/")
        self.end_headers()
        proto = self.headers.get("X-Forwarded-Proto", "http")
        self.wfile.write(f"{self.path} for {self.headers['Host']} by {proto}".encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def at(endpoint: str) -> Environment:
    return Environment("e-1", "env", "antenna", cname=ENVIRONMENT.cname, endpoint_url=endpoint)


def test_the_endpoint_is_asked_under_the_environments_name(endpoint: str) -> None:
    answer = probe(Probe(path="api/v2/?x=1"), at(endpoint))
    assert (answer.url, answer.status) == (f"http://{endpoint}/api/v2/?x=1", 200)
    assert answer.body == f"/api/v2/?x=1 for {ENVIRONMENT.cname} by http"


def test_url_host_and_headers_can_be_given(endpoint: str) -> None:
    wanted = Probe(url=f"http://{endpoint}/x", host="antenna.example", headers={"X-Forwarded-Proto": "https"})
    assert probe(wanted, ENVIRONMENT).body == "/x for antenna.example by https"
    assert probe(Probe(url=f"http://{endpoint}/x"), ENVIRONMENT).host == endpoint


def test_a_redirect_is_an_answer(endpoint: str) -> None:
    answer = probe(Probe(path="/moved"), at(endpoint))
    assert (answer.status, answer.location) == (301, "https://elsewhere/")


def test_no_answer_is_told_in_words() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert probe(Probe(), at(f"127.0.0.1:{closed.getsockname()[1]}")).error == "connection refused"
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert probe(Probe(timeout=0.1), at(f"127.0.0.1:{silent.getsockname()[1]}")).error == "no answer in time"
    assert probe(Probe(), ENVIRONMENT).error == "the environment has no endpoint yet"


def test_a_certificate_that_is_not_trusted_is_told_apart(endpoint: str) -> None:
    assert "SSL" in probe(Probe(scheme="https"), at(endpoint)).error


def test_only_http_is_asked() -> None:
    with pytest.raises(AntennaError, match="'ftp://x/' is not an http or https URL"):
        Probe(url="ftp://x/").check()
