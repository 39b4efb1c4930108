# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request of our own: a single-instance environment has no HTTP health check of the service's."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Environment, ProbeAnswer

_BODY_BYTES = 2048


@dataclass(frozen=True)
class Probe:
    """What to request. ``url`` None means the environment's own endpoint; ``timeout`` is in seconds."""

    url: str | None = None
    path: str = "/"
    host: str | None = None
    scheme: str = "http"
    headers: t.Mapping[str, str] = field(default_factory=dict)
    validate_certs: bool = True
    timeout: float = 10.0

    def target(self, environment: Environment) -> tuple[str, str]:
        """Return URL and Host header for this environment; the URL is '' while it has no endpoint."""
        if self.url:
            return self.url, self.host or urlsplit(self.url).netloc
        if not environment.endpoint_url:
            return "", ""
        path = self.path if self.path.startswith("/") else f"/{self.path}"
        return f"{self.scheme}://{environment.endpoint_url}{path}", self.host or environment.cname

    def check(self) -> None:
        """Raise AntennaError where this can never be requested."""
        if not self.url:
            return
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AntennaError(f"probe: {self.url!r} is not an http or https URL.")


def probe(wanted: Probe, environment: Environment) -> ProbeAnswer:
    """Send one GET and return the answer, or why there was none. Redirects are answers and are not followed."""
    url, host = wanted.target(environment)
    if not url:
        return ProbeAnswer(url=wanted.path, host=host, error="the environment has no endpoint yet")
    started = time.monotonic()
    try:
        answer = _get(url, host, wanted)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return ProbeAnswer(url=url, host=host, error=_in_words(error), seconds=time.monotonic() - started)
    return ProbeAnswer(url=url, host=host, seconds=time.monotonic() - started, **answer)


def _get(url: str, host: str, wanted: Probe) -> dict[str, t.Any]:
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, wanted)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "antenna.aws", **wanted.headers, "Host": host, "Connection": "close"}
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        body = response.read(_BODY_BYTES).decode("utf-8", "replace")
        return {"status": response.status, "location": response.getheader("Location") or "", "body": body}
    finally:
        connection.close()


def _connection(scheme: str, hostname: str, port: int | None, wanted: Probe) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(hostname, port, timeout=wanted.timeout)
    context = ssl.create_default_context()
    if not wanted.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(hostname, port, timeout=wanted.timeout, context=context)


def _in_words(error: Exception) -> str:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted ({error.verify_message})"
    if isinstance(error, ConnectionResetError):  # http.client.RemoteDisconnected is one, too
        return "the connection was closed without an answer"
    return str(error) or type(error).__name__
