# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as AWS's services put them on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Literal
from uuid import uuid4
from xml.sax.saxutils import escape

from localcloud.calls import Call
from localcloud.shapes import service_model

# What no XML document may contain, escaped or not.
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Protocol = Literal["json", "rest-json", "query", "ec2", "s3"]


@dataclass(frozen=True)
class Refusal:
    """An error: its HTTP status, the service's code for it, and the message."""

    status: int
    code: str
    message: str


def refuse(environ: dict[str, Any], start_response: Callable[..., Any], call: Call, refusal: Refusal) -> list[bytes]:
    """Answer with the error, in the form of the service that was called."""
    request_id = str(uuid4())
    content_type, text = _written(protocol_of(environ, call), refusal, request_id)
    body = text.encode()
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("x-amzn-errortype", refusal.code),
        ("x-amzn-requestid", request_id),
    ]
    start_response(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def protocol_of(environ: dict[str, Any], call: Call) -> Protocol:
    """The protocol whose form the error must have: that of the request, else the one that the service speaks."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "json"
    if service_model(call.service) is None and "json" in str(environ.get("CONTENT_TYPE", "")):
        return "json"
    return _spoken(call.service)


@cache
def _spoken(service: str) -> Protocol:
    if service in ("s3", "ec2"):
        return service  # type: ignore[return-value]
    model = service_model(service)
    spoken: dict[str, Protocol] = {"json": "json", "rest-json": "rest-json"}
    # Those of `query` and `rest-xml` are the same.
    return "query" if model is None else spoken.get(model.protocol, "query")


def _written(protocol: Protocol, refusal: Refusal, request_id: str) -> tuple[str, str]:
    """Content type and text."""
    if protocol in ("json", "rest-json"):
        content_type = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
        return content_type, json.dumps({"__type": refusal.code, "message": refusal.message})
    inner = f"<Code>{refusal.code}</Code><Message>{escape(NO_XML.sub('?', refusal.message))}</Message>"
    if protocol == "ec2":
        errors = f"<Errors><Error>{inner}</Error></Errors>"
        return "text/xml", f"<Response>{errors}<RequestID>{request_id}</RequestID></Response>"
    if protocol == "s3":
        return "application/xml", f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    kind = "Sender" if refusal.status < 500 else "Receiver"
    error = f"<Error><Type>{kind}</Type>{inner}</Error><RequestId>{request_id}</RequestId>"
    return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
