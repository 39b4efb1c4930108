# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that make little sense, from botocore's descriptions and a seed; and whether an answer is one of AWS's.

Half of them are as botocore itself would send them, of values that have the right types and mean nothing: these get
past the first checks.
"""

from __future__ import annotations

import http.client
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model

from tests.support.wsgi import SIGNED

# By name in signatures, to the name of the description.
SERVICES: Mapping[str, str] = {
    "autoscaling": "autoscaling",
    "cloudfront": "cloudfront",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs": "ecs",
    "elasticache": "elasticache",
    "elasticbeanstalk": "elasticbeanstalk",
    "elasticloadbalancing": "elbv2",
    "iam": "iam",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "rds": "rds",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sts": "sts",
}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/x-amz-json-1.1"
_TEXTS = (
    *("", "x", "abc", "-1", "99999999999999999999", "\x00", "é☃", "'\"<>&", "true", "null", "a" * 5000, "{}", "[]"),
    *("../../etc/passwd", "%00", "2026-01-01", "arn:aws:x", "http://127.0.0.1:1/", " ", "\r\nX-Injected: 1"),
)
_NAMES = ("x", "abc", "a-name", "i-0123456789abcdef0", "sg-0123456789abcdef0", "10.0.0.0/16", "7", "us-west-2a")
_DEEPEST = 4
_ENDINGS = ("", "", "", ".member.1", ".1", ".1.Name", ".entry.1.key", ".member.x", "..", ".member.99999")
_DOCUMENTS = (
    b"",
    b"<a><b>",
    b"<x/>",
    b"\xff\xfe",
    b"{}",
    b"<?xml version='1.0'?><Foo><Bar>x</Bar></Foo>",
    b"\x00" * 64,
)


@dataclass(frozen=True)
class Request:
    """A request to a service; `protocol` is the one that its error is to have the form of."""

    service: str
    protocol: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes


def send(endpoint: str, request: Request) -> Answer:
    """Send it as it is."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
    try:
        connection.request(request.method, request.path, request.body, dict(request.headers))
        reply = connection.getresponse()
        return Answer(reply.status, reply.getheader("Content-Type", ""), reply.read())
    finally:
        connection.close()


def error_code(request: Request, answer: Answer) -> str | None:
    """The code of an error in the form of the protocol; None when the answer is no such error."""
    if request.protocol == "json":
        try:
            found = json.loads(answer.body)
        except ValueError:
            return None
        return str(found["__type"]) if isinstance(found, dict) and found.get("__type") else None
    try:
        document = ElementTree.fromstring(answer.body)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return None
    codes = [item.text for item in document.iter() if item.tag.rpartition("}")[2] == "Code"]
    return codes[0] if codes else None


def is_of_aws(request: Request, answer: Answer) -> bool:
    """Whether the answer is one that a client of AWS can read."""
    if answer.status < 400 or request.method == "HEAD":
        return "html" not in answer.content_type
    return bool(error_code(request, answer))


def requests(seed: int, number: int) -> Iterator[Request]:
    """So many requests, the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311
    models = {name: get_service_model(described) for name, described in SERVICES.items()}
    for _ in range(number):
        service = dice.choice(list(models))
        model = models[service]
        operation = model.operation_model(dice.choice(model.operation_names))
        yield dice.choice((_request, _fitting_request))(dice, service, model, operation)


def _fitting_request(dice: random.Random, service: str, model: ServiceModel, operation: OperationModel) -> Request:
    """What botocore would send of values with the right types; members that are not required may be missing."""
    shape = operation.input_shape
    values = _fitting(dice, shape, "", 0) if shape is not None else {}
    made = create_serializer(model.protocol, include_validation=False).serialize_to_request(values, operation)
    body = made["body"]
    content = urlencode(body, doseq=True).encode() if isinstance(body, Mapping) else body or b""
    query = urlencode(made["query_string"], doseq=True) if isinstance(made["query_string"], Mapping) else ""
    mark = "&" if "?" in made["url_path"] else "?"
    # A length that is not the body's would have the server wait for the rest.
    headers = {
        name: str(value)
        for name, value in made["headers"].items()
        if str(value).isprintable() and name.lower() != "content-length"
    }
    return Request(
        service,
        "json" if model.protocol == "json" else "xml",
        made["method"],
        f"{made['url_path']}{mark if query else ''}{query}",
        {**headers, "Authorization": SIGNED.format(service)},
        content.encode() if isinstance(content, str) else content,
    )


def _fitting(dice: random.Random, shape: Shape, name: str, depth: int) -> Any:
    if isinstance(shape, StructureShape):
        wanted = set(shape.required_members)
        others = [member for member in shape.members if member not in wanted and depth < _DEEPEST]
        chosen = [*shape.required_members, *dice.sample(others, min(len(others), dice.randint(0, 2)))]
        return {member: _fitting(dice, shape.members[member], member, depth + 1) for member in chosen}
    if isinstance(shape, ListShape):
        return [_fitting(dice, shape.member, name, depth + 1) for _ in range(dice.randint(1, 2))]
    if isinstance(shape, MapShape):
        return {_fitting(dice, shape.key, name, depth + 1): _fitting(dice, shape.value, name, depth + 1)}
    if isinstance(shape, StringShape):
        arn = f"arn:aws:x:us-west-2:123456789012:thing/{dice.choice(_NAMES)}"
        return dice.choice(shape.enum or ([arn] if re.search("arns?$", name, re.IGNORECASE) else _NAMES))
    return {
        "boolean": dice.random() < 0.5,
        "timestamp": datetime(2026, 1, dice.randint(1, 28), tzinfo=UTC),
        "blob": b"bytes",
        "float": 1.5,
        "double": 1.5,
    }.get(shape.type_name, dice.randint(0, 5))


def _request(dice: random.Random, service: str, model: ServiceModel, operation: OperationModel) -> Request:
    members = list(operation.input_shape.members) if operation.input_shape is not None else []
    chosen = dice.sample(members, min(len(members), dice.randint(0, 4)))
    signed = {"Authorization": SIGNED.format(service)}
    if model.protocol == "json":
        target = f"{model.metadata['targetPrefix']}.{operation.name}"
        body = json.dumps({name: _json(dice) for name in chosen}).encode()
        return Request(service, "json", "POST", "/", {**signed, "Content-Type": JSON, "X-Amz-Target": target}, body)
    if model.protocol.startswith("rest"):
        path = re.sub(r"\{[^}]+\}", lambda _: quote(dice.choice(_TEXTS) or "x", safe=""), operation.http["requestUri"])
        headers = {**signed, "Content-Type": dice.choice(("application/xml", "text/plain", JSON, FORM))}
        return Request(service, "xml", operation.http["method"], path, headers, dice.choice(_DOCUMENTS))
    form = {"Action": operation.name, "Version": str(model.api_version)}
    form |= {f"{name}{dice.choice(_ENDINGS)}": dice.choice(_TEXTS) for name in chosen}
    return Request(service, "xml", "POST", "/", {**signed, "Content-Type": FORM}, urlencode(form).encode())


def _json(dice: random.Random) -> Any:
    text = dice.choice(_TEXTS)
    return dice.choice((text, text, text, 1, -1, 1.5, True, None, [text], {"a": text}, [[]], {}, [{"x": text}]))
