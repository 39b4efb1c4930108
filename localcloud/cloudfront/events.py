# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What functions get and what they give back: the developer guide's "CloudFront Functions event structure"."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from multidict import CIMultiDict

from localcloud.cloudfront.functions import FunctionError, FunctionInvalid
from localcloud.cloudfront.replies import Reply, ViewerRequest

# "Restrictions on all edge functions": not shown to functions, and refused when they add one.
DISALLOWED = re.compile(
    r"connection|expect|keep-alive|proxy-(authenticate|authorization|connection)|trailer|upgrade"
    r"|x-accel-(buffering|charset|limit-rate|redirect)|x-amz-cf-.*|x-amzn-(auth|cf-.*|errortype|fle-profile)"
    r"|x-amzn-(header-count|header-order|lambda-integration-tag|requestid)|x-cache|x-edge-.*"
    r"|x-forwarded-proto|x-real-ip",
    re.IGNORECASE,
)
# The same page: what a function sees of a response and cannot change.
READ_ONLY_IN_RESPONSES = ("Content-Encoding", "Content-Length", "Transfer-Encoding", "Warning", "Via")


@dataclass(frozen=True)
class Where:
    """Which distribution an event is of."""

    distribution_id: str
    distribution_domain: str


def request_event(where: Where, viewer: ViewerRequest) -> dict[str, Any]:
    """The event of a viewer request."""
    return _event(where, viewer, "viewer-request")


def response_event(where: Where, viewer: ViewerRequest, reply: Reply) -> dict[str, Any]:
    """The event of a viewer response; bodies are not shown."""
    headers = _visible((name, value) for name, value in reply.headers.items() if name.lower() != "set-cookie")
    response: dict[str, Any] = {
        "statusCode": reply.status,
        "statusDescription": HTTPStatus(reply.status).phrase,
        "headers": multi_values(headers),
        "cookies": _set_cookies(reply.headers),
    }
    return _event(where, viewer, "viewer-response") | {"response": response}


def _event(where: Where, viewer: ViewerRequest, kind: str) -> dict[str, Any]:
    headers = _visible((name, value) for name, value in viewer.headers.items() if name.lower() != "cookie")
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": where.distribution_domain,
            "distributionId": where.distribution_id,
            "eventType": kind,
            "requestId": viewer.id,
        },
        "viewer": {"ip": viewer.ip},
        "request": {
            "method": viewer.method,
            "uri": viewer.path,
            "querystring": multi_values(viewer.query_pairs),
            "headers": multi_values(headers),
            "cookies": multi_values(viewer.cookie_pairs),
        },
    }


def _visible(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in headers if not DISALLOWED.fullmatch(name))


def multi_values(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`{name: {value, multiValue?}}`, the shape of query strings, headers and cookies in events."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: _multi_value(values) for name, values in grouped.items()}


def _multi_value(values: list[str]) -> dict[str, Any]:
    if len(values) == 1:
        return {"value": values[0]}
    return {"value": values[0], "multiValue": [{"value": value} for value in values]}


def _set_cookies(headers: CIMultiDict[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in headers.getall("Set-Cookie", []):
        pair, _, attributes = line.partition(";")
        name, _, value = pair.strip().partition("=")
        found[name] = {"value": value, **({"attributes": attributes.strip()} if attributes else {})}
    return found


def pairs_of(values: Any) -> tuple[tuple[str, str], ...]:
    """The reverse of multi_values, for what a function returned."""
    if not isinstance(values, Mapping):
        return ()
    pairs: list[tuple[str, str]] = []
    for name, item in values.items():
        if not isinstance(item, Mapping):
            raise FunctionError(f"the value of {name!r} must be an object with a value")
        several = item.get("multiValue") or [item]
        pairs += [(str(name), str(one.get("value", ""))) for one in several]
    return tuple(pairs)


def rewritten(viewer: ViewerRequest, returned: Mapping[str, Any]) -> ViewerRequest:
    """The request that a function made of the viewer's. The method cannot be changed, Host neither."""
    uri = returned.get("uri")
    if not isinstance(uri, str) or not uri.startswith("/"):
        raise FunctionError(f"the returned uri {uri!r} does not begin with a slash")
    headers: CIMultiDict[str] = CIMultiDict(
        (name, value) for name, value in viewer.headers.items() if DISALLOWED.fullmatch(name)
    )
    for name, value in _checked(pairs_of(returned.get("headers"))):
        if name.lower() != "host":
            headers.add(name, value)
    headers["Host"] = viewer.headers.get("Host", "")
    cookies = pairs_of(returned.get("cookies"))
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    query = pairs_of(returned.get("querystring"))
    text = viewer.query if sorted(query) == sorted(viewer.query_pairs) else "&".join(f"{k}={v}" for k, v in query)
    return replace(viewer, path=uri, query=text, headers=headers)


def generated_response(returned: Mapping[str, Any]) -> Reply:
    """The response that a function gave instead of a request."""
    headers: CIMultiDict[str] = CIMultiDict({"Server": "CloudFront"})
    _add_returned(headers, returned)
    content = _content(returned.get("body") or "")
    headers["Content-Length"] = str(len(content))
    return Reply(int(returned["statusCode"]), headers, content, "FunctionGeneratedResponse")


def changed_response(reply: Reply, returned: Mapping[str, Any]) -> Reply:
    """The reply as a viewer-response function left it; without a body of the function's own, the body stays."""
    status = returned.get("statusCode")
    if not isinstance(status, int):
        raise FunctionError("the function returned no response: it has no statusCode")
    headers: CIMultiDict[str] = CIMultiDict(
        (name, value)
        for name, value in reply.headers.items()
        if name in READ_ONLY_IN_RESPONSES or DISALLOWED.fullmatch(name)
    )
    kept = {name.lower() for name in READ_ONLY_IN_RESPONSES}
    _add_returned(headers, returned, kept)
    if "body" not in returned:
        return replace(reply, status=status, headers=headers)
    content = _content(returned["body"] or "")
    headers.popall("Content-Encoding", None)
    headers["Content-Length"] = str(len(content))
    return replace(reply, status=status, headers=headers, body=content)


def _add_returned(headers: CIMultiDict[str], returned: Mapping[str, Any], kept: Iterable[str] = ()) -> None:
    for name, value in _checked(pairs_of(returned.get("headers"))):
        if name.lower() not in kept:
            headers.add(name, value)
    for name, item in (returned.get("cookies") or {}).items():
        for one in item.get("multiValue") or [item]:
            attributes = f"; {one['attributes']}" if one.get("attributes") else ""
            headers.add("Set-Cookie", f"{name}={one.get('value', '')}{attributes}")


def _checked(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        if DISALLOWED.fullmatch(name):
            raise FunctionInvalid(f"a function may not add the header {name}")
        yield name, value


def _content(body: Any) -> bytes:
    if not isinstance(body, Mapping):
        return str(body).encode()
    data = str(body.get("data", ""))
    return base64.b64decode(data) if body.get("encoding") == "base64" else data.encode()
