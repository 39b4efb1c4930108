# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes no sense, and what is not implemented, is refused in AWS's own form.

Moto would answer with a web page that clients cannot read, or with a crash.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

from botocore.model import OperationNotFoundError

from localcloud.calls import Call, body_of, identify, is_signature
from localcloud.errors import NO_XML, Protocol, Refusal, protocol_of, refuse
from localcloud.shapes import misfit, refusals_of

UNKNOWN = "InvalidAction"
FAILURE = "InternalFailure"
LARGEST = 16 << 20
"""Bytes that a service takes in one request; S3 takes what it is given."""

_INVALID: dict[Protocol, str] = {"query": "ValidationError", "ec2": "MissingParameter", "s3": "MalformedXML"}
_PARSERS = ("moto/core/parse.py", "moto/core/request.py")
# An operation's errors that say so, by their codes.
_IS_ABSENT = re.compile("NotFound|NoSuch|DoesNotExist|NonExist")
_IS_WRONG = re.compile("InvalidParameter|ValidationE")
_PAGES_OF_S3 = {
    "403": Refusal(403, "AccessDenied", "Access Denied"),
    "404": Refusal(404, "NoSuchKey", "The specified key does not exist."),
    "405": Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
    "416": Refusal(416, "InvalidPartNumber", "The requested partnumber is not satisfiable"),
}
"""What S3 says where moto answers with a web page of that status."""


class Refusals:
    """WSGI: turns what makes no sense, what moto cannot do and its crashes into errors that botocore understands."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = identify(environ)
        protocol = protocol_of(environ, call)
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            begun[:] = [(status, headers)]

        sent = body_of(environ)
        senseless = _senseless(environ, call, protocol, sent)
        if senseless is not None:
            return refuse(environ, start_response, call, senseless)
        try:
            body = self._application(environ, begin)
        except Exception as error:
            return refuse(environ, start_response, call, _crash(error, call, protocol, sent))
        status, headers = begun[0]
        kind = _content_type(headers)
        if status >= "4" and kind == "text/html":
            return refuse(environ, start_response, call, _unserved(environ, call, status))
        if status >= "4" and kind == "application/json" and protocol not in ("json", "rest-json"):
            return refuse(environ, start_response, call, _retold(status, b"".join(body)))
        start_response(status, _as_json(headers) if kind == "text/html" and protocol == "json" else headers)
        return body


def _senseless(environ: dict[str, Any], call: Call, protocol: Protocol, sent: bytes | None) -> Refusal | None:
    """What is wrong with a request before anybody looks at what it wants."""
    authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
    if authorization and not is_signature(authorization):
        if protocol == "s3":
            return Refusal(400, "InvalidArgument", "Unsupported Authorization Type")
        return Refusal(400, "IncompleteSignature", "Authorization header is no AWS signature.")
    if protocol != "s3" and _length(environ) > LARGEST:
        return Refusal(413, "RequestEntityTooLarge", f"The request is larger than {LARGEST} bytes.")
    if protocol == "json" and not _is_object(sent):
        return malformed(protocol, "the body is no JSON object")
    if protocol in ("query", "ec2") and any(NO_XML.search(f"{name}{value}") for name, value in call.parameters.items()):
        return malformed(protocol, "it has characters that XML does not have")
    return None


def _crash(error: Exception, call: Call, protocol: Protocol, sent: bytes | None) -> Refusal:
    """What an exception of moto, or of ours, is to the client: often no more than what is wrong with the request."""
    if isinstance(error, NotImplementedError):
        return Refusal(400, UNKNOWN, str(error) or call.operation)
    if isinstance(error, OperationNotFoundError):
        return Refusal(400, UNKNOWN, f"Could not find operation {call.operation}")
    if any(frame.filename.endswith(_PARSERS) for frame in traceback.extract_tb(error.__traceback__)):
        return malformed(protocol, str(error))
    if isinstance(error, ExpatError | UnicodeDecodeError):
        return malformed(protocol, str(error))
    if wrong := misfit(call.service, call.operation, call.parameters, sent, json=protocol == "json"):
        code, status = _said(call, _IS_WRONG, _INVALID.get(protocol, "ValidationException"))
        return Refusal(status, code, wrong)
    of_moto = _is_of_moto(error)
    if of_moto and (refusal := _stumbled(error, call, protocol)) is not None:
        return refusal
    traceback.print_exception(error, file=sys.stderr)
    what, how = f"{call.service} {call.operation}", f"{type(error).__name__}: {error}"
    # What another thread has changed meanwhile may be as it should the next time.
    if of_moto and not isinstance(error, RuntimeError):
        return Refusal(400, UNKNOWN, f"{what} is not implemented for such a request: moto ends with {how}")
    return Refusal(500, FAILURE, f"{what} failed in the rehearsal cloud: {how}")


def _is_of_moto(error: Exception) -> bool:
    """Whether it is moto that crashed, and nothing of ours that it had called."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [module.partition(".")[0] for module in reversed(modules)]
    return next((package == "moto" for package in packages if package in ("moto", "localcloud")), False)


def _stumbled(error: Exception, call: Call, protocol: Protocol) -> Refusal | None:
    """What AWS says where moto stumbles over a value of the request: what it names is not there, or it is none."""
    given = dict(_values(call.parameters))
    if isinstance(error, KeyError) and error.args and error.args[0] in given:
        value = str(error.args[0])
        codes = {"ec2": f"Invalid{given[value].removesuffix('Id')}ID.NotFound", "json": "ResourceNotFoundException"}
        code, status = _said(call, _IS_ABSENT, codes.get(protocol, "ValidationError"))
        return Refusal(status, code, f"{given[value]} {value} was not found")
    if isinstance(error, ValueError) and any(repr(value) in str(error) for value in given):
        codes = {"ec2": "InvalidParameterValue", "json": "ValidationException"}
        code, status = _said(call, _IS_WRONG, codes.get(protocol, "ValidationError"))
        return Refusal(status, code, str(error))
    return None


def _said(call: Call, words: re.Pattern[str], otherwise: str) -> tuple[str, int]:
    """Code and status of the first of the operation's errors whose code has these words."""
    found = (item for item in refusals_of(call.service, call.operation) if words.search(item[0]))
    return next(found, (otherwise, 400))


def _values(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a request's parameters, each with its parameter's name."""
    if isinstance(value, str):
        yield value, name
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _values(item, name or key.partition(".")[0])
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, name)


def malformed(protocol: Protocol, why: str) -> Refusal:
    """The request cannot be read."""
    codes: dict[Protocol, str] = {"query": "MalformedInput", "ec2": "InvalidParameterValue", "s3": "MalformedXML"}
    return Refusal(400, codes.get(protocol, "SerializationException"), f"The request could not be read: {why}")


def _unserved(environ: dict[str, Any], call: Call, status: str) -> Refusal:
    asked = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
    if call.service == "s3" and (refusal := _PAGES_OF_S3.get(status[:3])) is not None:
        return refusal
    return Refusal(400, UNKNOWN, f"{asked} is not implemented for {call.service}")


def _retold(status: str, body: bytes) -> Refusal:
    """An error that moto tells in JSON whatever the service speaks."""
    told = json.loads(body)
    return Refusal(int(status.split()[0]), str(told["__type"]), str(told["message"]))


def _content_type(headers: list[tuple[str, str]]) -> str:
    found = [value for name, value in headers if name.lower() == "content-type"]
    return found[0].partition(";")[0] if found else ""


def _as_json(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Moto lets Flask say that its JSON is a web page."""
    others = [(name, value) for name, value in headers if name.lower() != "content-type"]
    return [*others, ("Content-Type", "application/x-amz-json-1.1")]


def _length(environ: dict[str, Any]) -> int:
    given = str(environ.get("CONTENT_LENGTH") or "0")
    return int(given) if given.isdecimal() else 0


def _is_object(body: bytes | None) -> bool:
    """Whether it is a JSON object; nothing is one too, and what is too large to look at may be one."""
    try:
        return body is None or not body.strip() or isinstance(json.loads(body), dict)
    except ValueError:
        return False
