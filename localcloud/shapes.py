# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What botocore's descriptions of the services say about a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

    from localcloud.calls import Parameters

# Names in signatures that are not those of the descriptions.
_SIGNED_AS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}
_ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)


@cache
def service_model(service: str) -> ServiceModel | None:
    """The description of a service, by its name in signatures; None when there is none."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.utils import get_service_model

    try:
        found: ServiceModel = get_service_model(_SIGNED_AS.get(service, service))
    except UnknownServiceError:
        return None
    return found


def misfit(service: str, operation: str, parameters: Parameters, body: bytes | None, *, json: bool = False) -> str:
    """How a request contradicts the description of its operation; empty when it does not, or there is none.

    :param json: Whether the parameters came as JSON, and have types.
    """
    described = _operation(service, operation)
    shape = described.input_shape if described is not None else None
    if described is None or shape is None:
        return ""
    if described.service_model.protocol.startswith("rest-"):
        return _document_misfit(shape, body)
    if json:
        return _type_misfit(shape, parameters)
    return _missing(shape, parameters) or _form_misfit(described, shape, parameters)


def refusals_of(service: str, operation: str) -> Iterator[tuple[str, int]]:
    """The codes with which an operation refuses, by its description, each with its HTTP status."""
    described = _operation(service, operation)
    for shape in described.error_shapes if described is not None else ():
        error = shape.metadata.get("error", {})
        yield str(error.get("code", shape.name)), int(error.get("httpStatusCode", 400))


def _operation(service: str, operation: str) -> OperationModel | None:
    model = service_model(service)
    return model.operation_model(operation) if model is not None and operation in model.operation_names else None


def _form_misfit(operation: OperationModel, shape: StructureShape, parameters: Parameters) -> str:
    """What a form's values are not: of the type that the description wants."""
    from moto.core.parse import PROTOCOL_PARSERS

    parser = PROTOCOL_PARSERS[operation.service_model.protocol](operation)
    try:
        given = parser.parse({"values": dict(parameters)})
    except (ValueError, OverflowError) as error:
        return str(error)
    return _type_misfit(shape, given)


def _type_misfit(shape: StructureShape, parameters: Parameters) -> str:
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(dict(parameters), shape)
    return str(report.generate_report()) if report.has_errors() else "; ".join(_no_arns(shape, parameters))


def _no_arns(shape: Shape, value: Any, name: str = "") -> Iterator[str]:
    """What is called an ARN and is none, in a value that has the types of its description."""
    from botocore.model import ListShape, StructureShape

    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for member, described in shape.members.items():
            if value.get(member) is not None:
                yield from _no_arns(described, value[member], member)
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _no_arns(shape.member, item, name)
    elif shape.type_name == "string" and re.search("Arns?$|ARNs?$", name) and not _ARN.fullmatch(value):
        yield f"Invalid parameter: {name} Reason: {value!r} is no ARN"


def _missing(shape: StructureShape, parameters: Parameters) -> str:
    """What is required and not given, as the services word it; of nothing there is no list and no structure."""
    given = {key if key.count(".") == 0 else key.partition(".")[0] + "." for key, value in parameters.items() if value}
    missing = [name for name in shape.required_members if not _forms(name, shape.members[name]) & given]
    errors = [
        f"Value null at '{name[:1].lower()}{name[1:]}' failed to satisfy constraint: Member must not be null"
        for name in missing
    ]
    number = f"{len(errors)} validation error{'s' if len(errors) > 1 else ''} detected: "
    return number + "; ".join(errors) if errors else ""


def _forms(name: str, member: Shape) -> set[str]:
    """The beginnings of keys under which a member may come; EC2 has names of its own for lists."""
    other = str(member.serialization.get("name", name))
    end = "" if member.type_name not in ("list", "map", "structure") else "."
    return {f"{name}{end}", f"{other[:1].upper()}{other[1:]}{end}"}


def _document_misfit(shape: StructureShape, body: bytes | None) -> str:
    """An operation with a document for its body needs one with the right root."""
    payload = shape.serialization.get("payload")
    if payload is None or shape.members[payload].type_name != "structure" or body is None:
        return ""
    root = shape.members[payload].serialization.get("name", payload)
    try:
        tag = ElementTree.fromstring(body).tag.rpartition("}")[2]  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        return f"no XML document: {error}"
    return "" if tag == root else f"the document is a {tag}, not a {root}"
