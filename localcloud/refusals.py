# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not implemented is refused in AWS's own form: moto would answer with a web page that clients cannot read."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from localcloud.journal import identify

UNKNOWN = "InvalidAction"
FAILURE = "InternalFailure"


class Refusals:
    """WSGI: turns what moto cannot do, and its crashes, into errors that botocore understands."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = identify(environ)
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            begun[:] = [(status, headers)]

        try:
            body = self._application(environ, begin)
        except NotImplementedError as error:
            return _answer(environ, start_response, call.service, 400, UNKNOWN, str(error) or call.operation)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            message = f"{call.service} {call.operation} failed in the rehearsal cloud: {type(error).__name__}: {error}"
            return _answer(environ, start_response, call.service, 500, FAILURE, message)
        status, headers = begun[0]
        if call.service != "s3" and status.startswith("404") and _is_page(headers):
            message = (
                f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')} is not implemented for {call.service}"
            )
            return _answer(environ, start_response, call.service, 400, UNKNOWN, message)
        start_response(status, headers)
        return body


def _is_page(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)


def _answer(
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    service: str,
    status: int,
    code: str,
    message: str,
) -> list[bytes]:
    content_type, text = _error(environ, service, code, message)
    body = text.encode()
    reason = "Bad Request" if status == 400 else "Internal Server Error"
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("x-amzn-errortype", code),
    ]
    start_response(f"{status} {reason}", headers)
    return [body]


def _error(environ: dict[str, Any], service: str, code: str, message: str) -> tuple[str, str]:
    """The error as the service's protocol spells it."""
    given = str(environ.get("CONTENT_TYPE", ""))
    if "HTTP_X_AMZ_TARGET" in environ or "json" in given:
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        return "text/xml", f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>0</RequestID></Response>"
    if service == "s3":
        return "application/xml", f"<Error>{inner}<RequestId>0</RequestId></Error>"
    kind = "Sender" if code == UNKNOWN else "Receiver"
    error = f"<Error><Type>{kind}</Type>{inner}</Error><RequestId>0</RequestId>"
    return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
