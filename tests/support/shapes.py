# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies of the query protocol, looked at more strictly than botocore's parser does, which passes over a lot."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree

NAMESPACE = "{http://elasticbeanstalk.amazonaws.com/docs/2010-12-01/}"
# Elastic Beanstalk sends it, and the EB CLI needs it, but the public model does not have it.
BEYOND_THE_MODEL = {("ConfigurationSettingsDescription", "Tier")}
# Values that the service sends and its public model lacks: the EB CLI's code and its recorded replies have them.
OTHER_VALUES = {
    "ApplicationVersionStatus": ("UNPROCESSED", "PROCESSING", "PROCESSED", "FAILED"),
    "ConfigurationOptionValueType": ("Scalar", "List", "Boolean", "Json"),
    "DescribeEnvironmentHealth.Status": ("Launching", "Updating", "Ready", "Terminating"),
}


def defects(body: bytes, operation: Any) -> list[str]:
    """What is wrong with a reply: members that the model lacks, values of another type, out of their enumeration.

    :param operation: botocore's model of the operation.
    """
    root = ElementTree.fromstring(body)  # noqa: S314 - our own cloud's reply
    found = [] if root.tag == f"{NAMESPACE}{operation.name}Response" else [f"the root is {root.tag}"]
    names = [child.tag.removeprefix(NAMESPACE) for child in root]
    shape = operation.output_shape
    expected = ["ResponseMetadata"] if shape is None else [shape.serialization["resultWrapper"], "ResponseMetadata"]
    if sorted(names) != sorted(expected):
        return [*found, f"the root has {names}"]
    request_id = root.findtext(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId")
    if not request_id:
        found.append("no RequestId")
    if shape is not None:
        result = next(child for child in root if child.tag == f"{NAMESPACE}{expected[0]}")
        found += _structure(shape, result, operation.name)
    return found


def _any(shape: Any, node: Any, path: str) -> list[str]:
    if shape.type_name == "structure":
        return _structure(shape, node, path)
    if shape.type_name == "list":
        return _list(shape, node, path)
    return [f"{path}: {words}" for words in _scalar(shape, node.text or "", path)]


def _structure(shape: Any, node: Any, path: str) -> list[str]:
    found = []
    for child in node:
        name = child.tag.removeprefix(NAMESPACE)
        if name in shape.members:
            found += _any(shape.members[name], child, f"{path}.{name}")
        elif (shape.name, name) not in BEYOND_THE_MODEL:
            found.append(f"{path}: the model has no {name}")
    return found


def _list(shape: Any, node: Any, path: str) -> list[str]:
    wrong = [child.tag for child in node if child.tag != f"{NAMESPACE}member"]
    items = [words for index, child in enumerate(node) for words in _any(shape.member, child, f"{path}[{index}]")]
    return [f"{path}: {tag} among its members" for tag in wrong] + items


def _scalar(shape: Any, text: str, path: str) -> list[str]:
    if shape.type_name == "timestamp":
        return _timestamp(text)
    if shape.type_name == "boolean":
        return [] if text in ("true", "false") else [f"{text!r} is no boolean"]
    if shape.type_name in ("integer", "long"):
        return [] if text.lstrip("-").isdigit() else [f"{text!r} is no integer"]
    if shape.type_name == "string":
        allowed = OTHER_VALUES.get(path) or OTHER_VALUES.get(shape.name) or shape.enum
        return [f"{text!r} is none of {allowed}"] if allowed and text not in allowed else []
    return []


def _timestamp(text: str) -> list[str]:
    """With milliseconds and in UTC, as the service writes them."""
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return [f"{text!r} is no time as the service writes it"]
    return [] if len(text) == len("2026-01-01T00:00:00.000Z") else [f"{text!r} has no milliseconds"]
