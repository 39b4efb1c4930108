# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of AWS, and what of them policies do not let."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.iam.authority import needs
from localcloud.iam.needs import Asked
from localcloud.policies import permits
from tests.policies.conftest import ACCOUNT

REGION = "us-west-2"


@dataclass(frozen=True)
class Things:
    """What services know of what calls name: nothing but the tags, which all have that can have some."""

    all_tags: Mapping[str, str] = field(default_factory=dict)

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        return None

    def secret_arn(self, region: str, name: str) -> str | None:
        return None

    def roles_of(self, instance_profile: str) -> tuple[str, ...]:
        return ()

    def route_table(self, region: str, association: str) -> str | None:
        return None

    def copies_tags(self, region: str, database: str) -> bool:
        return True

    def tags(self, region: str, arn: str) -> Mapping[str, str]:
        return self.all_tags if arn.startswith("arn:aws:ec2:") or ":distribution/" in arn else {}


@dataclass(frozen=True)
class Calling:
    """One call, with the tags of what it is about."""

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tagged: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operation} of {', '.join(self.tagged.values()) or 'nobody'}"

    def refusals(self, documents: Iterable[Mapping[str, Any]]) -> list[str]:
        """What of that which it needs these policies do not let."""
        held = list(documents)
        asked = Asked(self.service, self.operation, REGION, ACCOUNT, self.parameters, Things(self.tagged))
        return [
            f"{need.action} on {need.resource}"
            for need in needs(asked)
            if not permits(held, need.action, need.resource, need.context)
        ]
