# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: what will be done, in order, and why. Pure values."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One thing to do. Services derive their own steps from it, with what applying them takes.

    ``op`` is a verb such as ``create``, ``resource`` the name of the thing, ``reason`` a phrase for people.
    Neither may hold a secret: all three are shown.
    """

    op: str
    resource: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are applied; an empty plan means that nothing is to be done."""

    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __iter__(self) -> t.Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.steps + other.steps)

    def result(self) -> list[dict[str, str]]:
        """Return the plan as the ``plan`` key of a module's result."""
        return [{"op": step.op, "resource": step.resource, "reason": step.reason} for step in self.steps]
