# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as a WSGI server hands them on."""

from __future__ import annotations

import io
from typing import Any

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/{}/aws4_request, SignedHeaders=host, Signature=0"


def environ(service: str | None, method: str = "GET", path: str = "/", query: str = "", **more: Any) -> dict[str, Any]:
    """A request to a service, unsigned when it is None."""
    found = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **more,
    }
    return {**found, "HTTP_AUTHORIZATION": SIGNED.format(service)} if service else found


def form(service: str, body: str) -> dict[str, Any]:
    """A form in a POST, as the query protocol has it."""
    content = body.encode()
    headers = {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8", "CONTENT_LENGTH": str(len(content))}
    return environ(service, "POST", **headers, **{"wsgi.input": io.BytesIO(content)})


def target(service: str, operation: str, body: str = "{}") -> dict[str, Any]:
    """JSON in a POST with a target header, as the json protocol has it."""
    content = body.encode()
    headers = {"HTTP_X_AMZ_TARGET": f"Service_20260101.{operation}", "CONTENT_LENGTH": str(len(content))}
    return environ(service, "POST", **headers, **{"wsgi.input": io.BytesIO(content)})
