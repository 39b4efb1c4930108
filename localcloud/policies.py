# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM policies let somebody do: statements, wildcards and conditions. Pure.

Moto's own evaluation takes a condition that does not hold for a denial, compares actions with regard to case, and knows
only the conditions of trust policies. This one follows the IAM User Guide, "Policy evaluation logic" and "IAM JSON
policy elements".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Document = Mapping[str, Any]


class NotJudged(Exception):
    """A policy says something that is not understood here; the message names it."""


class Verdict(Enum):
    """What policies say of an action: it is let, or nothing lets it, or something forbids it."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    DENIED = "denied"


def judge(documents: Iterable[Document], action: str, resource: str, context: Mapping[str, str]) -> Verdict:
    """What identity policies say: an explicit Deny wins, without an Allow nothing is let.

    :param context: The request's condition keys and values.
    :raises NotJudged: When a statement about this action and resource says what nobody here knows.
    """
    effects = {
        statement.get("Effect")
        for document in documents
        for statement in statements(document)
        if applies(statement, action, resource, context)
    }
    if "Deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "Allow" in effects else Verdict.NOT_ALLOWED


def permits(documents: Iterable[Document], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether identity policies let their holder do it.

    :raises NotJudged: As `judge` does.
    """
    return judge(documents, action, resource, context) is Verdict.ALLOWED


@dataclass(frozen=True)
class Asker:
    """Who asks for a role: the kind of principal (AWS, Federated, Service), what it may be called, condition keys."""

    kind: str
    names: frozenset[str]
    context: Mapping[str, str] = field(default_factory=dict)


def trusts(document: Document, asker: Asker, action: str = "sts:AssumeRole") -> bool:
    """Whether a role's trust policy lets it be assumed.

    :raises NotJudged: When a statement says what nobody here knows.
    """
    effects = {
        statement.get("Effect")
        for statement in statements(document)
        if _element(statement, "Action", action.lower(), str.lower)
        and _is_meant(statement, asker)
        and _conditions_hold(statement.get("Condition") or {}, asker.context)
    }
    return effects == {"Allow"}


def statements(document: Document) -> list[dict[str, Any]]:
    """A policy's statements, of which there may be one without a list around it."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def strings(value: Any) -> list[str]:
    """An element's values, of which there may be one without a list around it."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a statement is about this action and resource, and its conditions hold.

    :raises NotJudged: When one of them cannot be judged.
    """
    return (
        _element(statement, "Action", action.lower(), str.lower)
        and _element(statement, "Resource", resource, str)
        and _conditions_hold(statement.get("Condition") or {}, context)
    )


def _conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, known.get(key.lower()), strings(wanted))
        for operator, tests in conditions.items()
        for key, wanted in tests.items()
    )


def _is_meant(statement: Mapping[str, Any], asker: Asker) -> bool:
    if "NotPrincipal" in statement:
        raise NotJudged("NotPrincipal")
    principal = statement.get("Principal")
    named = principal if isinstance(principal, Mapping) else {"AWS": principal}
    return not asker.names.isdisjoint(strings(named.get(asker.kind)))


def _element(statement: Mapping[str, Any], name: str, value: str, spelling: Callable[[str], str]) -> bool:
    if f"Not{name}" in statement:
        return not _matches([spelling(item) for item in strings(statement[f"Not{name}"])], value)
    return _matches([spelling(item) for item in strings(statement.get(name))], value)


def _matches(patterns: Iterable[str], value: str) -> bool:
    listed = list(patterns)
    if variables := [pattern for pattern in listed if "${" in pattern]:
        raise NotJudged(f"the variable in {variables[0]}")
    return any(like(value, pattern) for pattern in listed)


def like(value: str, pattern: str) -> bool:
    """IAM's wildcards: * and ?, and nothing else."""
    return fnmatch.fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


def _holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    name = operator.rpartition(":")[2]
    if name == "Null":
        return (actual is None) is (wanted[0].lower() == "true")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    negative = "Not" in name
    test = _OPERATORS.get(name.replace("Not", ""))
    if test is None:
        raise NotJudged(f"the condition operator {operator}")
    if actual is None:
        return if_exists or negative or operator.startswith("ForAllValues:")
    return any(test(actual, one) for one in wanted) is not negative


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "NumericEquals": lambda actual, wanted: float(actual) == float(wanted),
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericLessThanEquals": lambda actual, wanted: float(actual) <= float(wanted),
    "NumericGreaterThan": lambda actual, wanted: float(actual) > float(wanted),
    "NumericGreaterThanEquals": lambda actual, wanted: float(actual) >= float(wanted),
}
