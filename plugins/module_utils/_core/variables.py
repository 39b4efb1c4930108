# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the roles: which there are, which are lacking, and which nobody knows."""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass

Option = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Unknown:
    """A variable that looks like one of a role and is none. ``nearest`` is what may be meant, or empty."""

    name: str
    nearest: str

    @property
    def message(self) -> str:
        """Say so to a person."""
        hint = f"did you mean {self.nearest}?" if self.nearest else "remove it, or correct its name."
        return f"{self.name} is not a variable of any role: {hint}"


def options_of(specs: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, Option]:
    """Return the options, by name, of all entry points of the contents of roles' ``argument_specs.yml``."""
    return {
        name: option or {}
        for spec in specs
        for entry_point in (spec.get("argument_specs") or {}).values()
        for name, option in (entry_point.get("options") or {}).items()
    }


def unknown(names: t.Iterable[str], known: t.Collection[str], prefixes: t.Sequence[str]) -> list[Unknown]:
    """Return the names that begin as those of a role do, but are not known."""
    strange = sorted(name for name in names if name.startswith(tuple(prefixes)) and name not in known)
    return [Unknown(name, next(iter(difflib.get_close_matches(name, known, 1, 0.75)), "")) for name in strange]


def meant(strangers: t.Iterable[Unknown], names: t.Collection[str]) -> set[str]:
    """Return the variables that have no value because it was given to another name, as far as that can be told."""
    return {stranger.nearest for stranger in strangers if stranger.nearest and stranger.nearest not in names}


def missing(names: t.Collection[str], options: t.Mapping[str, Option]) -> dict[str, str]:
    """Say of each required variable that is not there what it is for."""
    return {
        name: f"{name} is not set: {_purpose(option)}"
        for name, option in sorted(options.items())
        if option.get("required") and name not in names
    }


def _purpose(option: Option) -> str:
    description = option.get("description", "")
    return description if isinstance(description, str) else " ".join(description)
