# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What botocore's descriptions of the services say about a request."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape, StructureShape

    from localcloud.calls import Parameters

# Names in signatures that are not those of the descriptions.
_SIGNED_AS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}


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
    model = service_model(service)
    if model is None or operation not in model.operation_names:
        return ""
    shape = model.operation_model(operation).input_shape
    if shape is None:
        return ""
    if model.protocol.startswith("rest-"):
        return _document_misfit(shape, body)
    return _type_misfit(shape, parameters) if json else _missing(shape, parameters)


def _type_misfit(shape: StructureShape, parameters: Parameters) -> str:
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(dict(parameters), shape)
    return str(report.generate_report()) if report.has_errors() else ""


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
