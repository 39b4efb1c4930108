# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not implemented is refused in AWS's own form: moto would answer with a web page that clients cannot read."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.calls import identify
from localcloud.errors import Refusal, refuse

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
            return refuse(environ, start_response, call, Refusal(400, UNKNOWN, str(error) or call.operation))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            message = f"{call.service} {call.operation} failed in the rehearsal cloud: {type(error).__name__}: {error}"
            return refuse(environ, start_response, call, Refusal(500, FAILURE, message))
        status, headers = begun[0]
        if call.service != "s3" and status.startswith("404") and _is_page(headers):
            asked = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
            message = f"{asked} is not implemented for {call.service}"
            return refuse(environ, start_response, call, Refusal(400, UNKNOWN, message))
        start_response(status, headers)
        return body


def _is_page(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)
