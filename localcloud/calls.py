# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request asks for: the service, the operation, the thing it is about, and who asks."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

LARGEST_FORM = 1 << 20
LONGEST_RESOURCE = 200
ANONYMOUS = "anonymous"

_IDENTIFIED = "localcloud.call"
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_OLD_SIGNATURE = re.compile(r"AWS [^:\s]+:\S+")
_READS = re.compile(
    r"(BatchCheck|BatchGet|Check|Describe|Discover|Download|Estimate|Filter|Get|Head|List|Lookup|Query|Request|Retrieve"
    r"|Scan|Search|Select|Simulate|Test|Validate|Assume)"
)
# Who takes a role by what somebody else has signed has no keys yet: here the operation alone tells the service.
_UNSIGNED = {"AssumeRoleWithSAML": "sts", "AssumeRoleWithWebIdentity": "sts"}
_VERB = re.compile(r"[A-Z][a-z0-9]*")
# The only parameters whose values are looked at. What they name is no secret; a token or an access key might be one.
_IDENTIFIER = re.compile(r"(?P<stem>[A-Za-z]*?)(Name|Id|ID|Identifier|Arn|ARN|Label)s?|Bucket|Cluster|Key")
_PRIVATE = re.compile(r"Access|Token|Password|Request|Key(Name|Id)")
_MEMBER = re.compile(r"\.(member\.|[A-Za-z]+\.)?\d+$")

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Call:
    """A request, as far as it says what it wants.

    `resource` is the name, id or ARN of what the call is about: the value of a parameter that names something, and of
    no other. Any of them is empty when the request does not say. `parameters` hold secrets too: not to be kept.
    """

    service: str
    region: str
    operation: str
    access: str = "read"
    resource: str = ""
    access_key: str = ""
    parameters: Parameters = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_write(self) -> bool:
        return self.access == "write"


def identify(environ: dict[str, Any]) -> Call:
    """Service and region from the signature, operation from the form, the target header or the path."""
    if _IDENTIFIED not in environ:
        environ[_IDENTIFIED] = _identify(environ)
    call: Call = environ[_IDENTIFIED]
    return call


def is_signature(authorization: str) -> bool:
    """Whether the header is one of AWS's signatures: version 4, or 2, which S3 still reads."""
    return bool(_SCOPE.search(authorization)) or bool(_OLD_SIGNATURE.fullmatch(authorization))


def body_of(environ: dict[str, Any]) -> bytes | None:
    """The body, put back for those who come after; None when it is large or its length is not told."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if "HTTP_TRANSFER_ENCODING" in environ or not 0 <= length <= LARGEST_FORM:
        return None
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def is_read(operation: str, method: str) -> bool:
    """Whether the operation leaves everything as it is."""
    return bool(_READS.match(operation)) if operation else method in ("GET", "HEAD", "OPTIONS")


def resource_of(operation: str, parameters: Parameters) -> str:
    """What the call is about, by the parameter that is called like what the operation works on.

    `UpdateEnvironment` is about `EnvironmentName`, `CreateApplicationVersion` about `ApplicationName` and
    `VersionLabel`; where nothing fits it is about all that is named.
    """
    named = _named(parameters)
    noun = _VERB.sub("", operation, count=1)
    found = (
        [value for stem, value in named if stem and noun in (stem, f"{stem}s")]
        or [value for stem, value in named if stem and (noun.startswith(stem) or noun.endswith((stem, f"{stem}s")))]
        or [value for _, value in named]
    )
    return "/".join(dict.fromkeys(found))[:LONGEST_RESOURCE]


def _named(parameters: Parameters) -> list[tuple[str, str]]:
    """Stem and value of each parameter that names something; `EnvironmentName` has the stem `Environment`."""
    found: dict[str, list[str]] = {}
    stems: dict[str, str] = {}
    for key, value in parameters.items():
        name = _MEMBER.sub("", key)
        match = _IDENTIFIER.fullmatch(name[:1].upper() + name[1:])
        if match is None or _PRIVATE.search(match.group()):
            continue
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        texts = [item for item in values if isinstance(item, str) and item.isprintable()]
        if texts:
            stems[name] = match["stem"] or ""
            found.setdefault(name, []).extend(texts)
    return [(stems[name], ",".join(values)) for name, values in found.items()]


def _identify(environ: dict[str, Any]) -> Call:
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", ""))))
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) or _SCOPE.search(
        f"Credential={query.get('X-Amz-Credential', '')}"
    )
    access_key, region, service = scope.groups() if scope else ("", "", "s3")
    operation, parameters = _asked(service, query, environ)
    service = _UNSIGNED.get(operation, service)
    access = "read" if is_read(operation, environ["REQUEST_METHOD"]) else "write"
    return Call(service, region, operation, access, resource_of(operation, parameters), access_key, parameters)


def _asked(service: str, query: Mapping[str, str], environ: dict[str, Any]) -> tuple[str, Parameters]:
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rpartition(".")[2], _json(body_of(environ))
    form = query if "Action" in query else _form(environ)
    operation = form.get("Action") or form.get("Operation")
    return (operation, form) if operation else _by_path(service, environ)


def _form(environ: dict[str, Any]) -> Mapping[str, str]:
    if not str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl((body_of(environ) or b"").decode(errors="replace")))


def _json(body: bytes | None) -> Parameters:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _by_path(service: str, environ: dict[str, Any]) -> tuple[str, Parameters]:
    """The operation of a REST service, by botocore's description of it; empty when it has none for the request."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.responses import get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        # Without the body: the router would use it up.
        operation, parameters = get_service_router(service).match(Request({**environ, "wsgi.input": io.BytesIO()}))
    except (UnknownServiceError, HTTPException, NotImplementedError):
        return "", {}
    name = str(operation.name)
    return (_s3_operation(name, environ) if service == "s3" else name), parameters


def _s3_operation(operation: str, environ: dict[str, Any]) -> str:
    if operation == "PutObject" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
        return "CopyObject"
    return operation


def caller_of(call: Call) -> str:
    """The ARN of the user or assumed role that signed the call, as STS tells it; `anonymous` when nobody did."""
    if not call.access_key:
        return ANONYMOUS
    from moto.iam.models import get_account_id_from
    from moto.sts.models import sts_backends

    backend = sts_backends[get_account_id_from(call.access_key)]["aws"]
    _, arn, _ = backend.get_caller_identity(call.access_key, call.region)
    return str(arn)
