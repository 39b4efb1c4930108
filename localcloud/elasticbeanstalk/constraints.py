# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service's own model demands of a request: required members, lengths, ranges, enumerations. Pure.

Seen word for word: https://github.com/aws/aws-cli/issues/1891 (longest),
https://github.com/weavejester/lein-beanstalk/pull/40 (shortest),
https://github.com/ingenieux/awseb-deployment-plugin/issues/4 (members of a list).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def violation(shape: Any, parameters: Mapping[str, Any]) -> str | None:
    """The service's words about a request that its model does not allow, else None.

    :param shape: The operation's input shape of botocore.
    """
    found = _structure(shape, parameters, "")
    if not found:
        return None
    plural = "" if len(found) == 1 else "s"
    return f"{len(found)} validation error{plural} detected: {'; '.join(found)}"


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> list[str]:
    missing = [
        _said(None, f"{path}{_lower(name)}", "Member must not be null")
        for name in shape.required_members
        if value.get(name) is None
    ]
    given = [(name, member) for name, member in shape.members.items() if value.get(name) is not None]
    return missing + [words for name, member in given for words in _any(member, value[name], f"{path}{_lower(name)}")]


def _any(shape: Any, value: Any, path: str) -> list[str]:
    if shape.type_name == "structure":
        return _structure(shape, value, f"{path}.")
    if shape.type_name == "list":
        return _list(shape, value, path)
    return [_said(value, path, words) for words in _scalar(shape, value)]


def _list(shape: Any, value: list[Any], path: str) -> list[str]:
    if shape.member.type_name in ("structure", "list"):
        return [
            words for index, item in enumerate(value, 1) for words in _any(shape.member, item, f"{path}.{index}.member")
        ]
    broken = list(dict.fromkeys(words for item in value for words in _scalar(shape.member, item)))
    if not broken:
        return []
    listed = f"[{', '.join(str(item) for item in value)}]"
    return [_said(listed, path, f"Member must satisfy constraint: [{', '.join(broken)}]")]


def _scalar(shape: Any, value: Any) -> list[str]:
    if shape.type_name == "string":
        return _string(shape, value)
    if shape.type_name in ("integer", "long"):
        return _range(shape.metadata, value, "value")
    return []


def _string(shape: Any, value: str) -> list[str]:
    found = _range(shape.metadata, len(value), "length")
    if shape.enum and value not in shape.enum:
        found.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not re.fullmatch(pattern, value, re.DOTALL):
        found.append(f"Member must satisfy regular expression pattern: {pattern}")
    return found


def _range(metadata: Mapping[str, Any], number: int, what: str) -> list[str]:
    found = []
    if "max" in metadata and number > metadata["max"]:
        found.append(f"Member must have {what} less than or equal to {metadata['max']}")
    if "min" in metadata and number < metadata["min"]:
        found.append(f"Member must have {what} greater than or equal to {metadata['min']}")
    return found


def _said(value: Any, path: str, words: str) -> str:
    given = "null" if value is None else f"'{value}'"
    return f"Value {given} at '{path}' failed to satisfy constraint: {words}"


def _lower(name: str) -> str:
    """The member as the service's messages spell it: environmentName, cNAMEPrefix."""
    return name[:1].lower() + name[1:]
