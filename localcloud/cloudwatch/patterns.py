# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter patterns of CloudWatch Logs: terms, and comparisons of the fields of JSON events.

After the user guide of CloudWatch Logs, "Filter pattern syntax for metric filters": terms are sought as they are, case
included; all must occur, of those with a question mark one is enough, those with a hyphen must not occur.
"""

from __future__ import annotations

import fnmatch
import json
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|([\w/.:@-]+))')
_COMPARISON = re.compile(r'^\(?\s*\$\.([\w.-]+)\s*(=|!=|<=|>=|<|>)\s*("[^"]*"|[^\s()%]+)\s*\)?$')
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PatternError(ValueError):
    """The pattern is none, or of a kind that is not implemented here."""


class Pattern(Protocol):
    """A filter pattern."""

    def matches(self, message: str) -> bool:
        """Whether an event with this message passes."""


@dataclass(frozen=True)
class Terms:
    """Terms in plain text; no term at all lets every event pass."""

    required: tuple[str, ...]
    alternatives: tuple[str, ...]
    excluded: tuple[str, ...]

    def matches(self, message: str) -> bool:
        """Whether an event with this message passes."""
        if any(term in message for term in self.excluded):
            return False
        if not all(term in message for term in self.required):
            return False
        return bool(self.required) or not self.alternatives or any(term in message for term in self.alternatives)


@dataclass(frozen=True)
class Comparison:
    """One comparison of a field with a number, or with a text in which an asterisk stands for anything."""

    path: str
    comparator: str
    wanted: str

    def holds(self, event: Any) -> bool:
        """Whether the field is there and compares so."""
        found = field_of(event, self.path)
        if found is None:
            return False
        try:
            return _NUMBERS[self.comparator](float(found), float(self.wanted))
        except (TypeError, ValueError):
            same = fnmatch.fnmatchcase(str(found), self.wanted.strip('"'))
            return {"=": same, "!=": not same}.get(self.comparator, False)


@dataclass(frozen=True)
class Fields:
    """Comparisons in JSON events: alternatives of which each is a conjunction."""

    alternatives: tuple[tuple[Comparison, ...], ...]

    def matches(self, message: str) -> bool:
        """Whether an event with this message passes; one that is no JSON does not."""
        try:
            event = json.loads(message)
        except ValueError:
            return False
        return any(all(item.holds(event) for item in every) for every in self.alternatives)


def compiled(pattern: str) -> Pattern:
    """Return the pattern.

    :raises PatternError: When it is malformed, or uses what is not implemented here.
    """
    text = pattern.strip()
    if text.startswith("{") and text.endswith("}"):
        inner = text[1:-1]
        return Fields(tuple(_conjunction(part) for part in inner.split("||")))
    if text.startswith(("[", "{", "%")):
        raise PatternError(f"Invalid metric filter pattern {pattern!r} (or one that the rehearsal cloud does not know)")
    return _terms(text)


def field_of(event: Any, path: str) -> Any:
    """Return the field of a JSON event at this path, without its leading `$.`; None where there is none."""
    for name in path.split("."):
        if not isinstance(event, dict) or name not in event:
            return None
        event = event[name]
    return event


def value_of(message: str, value: str) -> float | None:
    """Return a metric's value for an event: the number itself, or that of the field which `value` names."""
    if not value.startswith("$."):
        return float(value)
    try:
        return float(field_of(json.loads(message), value[2:]))
    except (TypeError, ValueError):
        return None


def _conjunction(text: str) -> tuple[Comparison, ...]:
    return tuple(_comparison(part.strip()) for part in text.split("&&"))


def _comparison(text: str) -> Comparison:
    found = _COMPARISON.match(text)
    if found is None:
        raise PatternError(f"Invalid metric filter pattern: {text!r} is no comparison that the rehearsal cloud knows")
    return Comparison(found.group(1), found.group(2), found.group(3))


def _terms(text: str) -> Terms:
    sorted_out: dict[str, list[str]] = {"": [], "?": [], "-": []}
    rest = text
    while rest:
        found = _TERM.match(rest)
        if found is None:
            raise PatternError(f"Invalid metric filter pattern: {rest!r} is no term")
        quoted = found.group(2)
        sorted_out[found.group(1)].append(found.group(3) if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        rest = rest[found.end() :].lstrip()
    return Terms(*(_unique(sorted_out[mark]) for mark in ("", "?", "-")))


def _unique(terms: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(terms))
