# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removal of a deployment, from what is declared to nothing left."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan
from ansible_collections.antenna.aws.plugins.module_utils._deployment import planner
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import FINDERS, Client, find_all
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import Declared, Resource, resource
from ansible_collections.antenna.aws.plugins.module_utils._deployment.planner import Remove
from ansible_collections.antenna.aws.plugins.module_utils._deployment.remove import Remaining, advance

Resources = tuple[Resource, ...]

# Documented by the fragment antenna.aws.deployment.
RESOURCES = ArgumentSpec(
    {
        "resources": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "kind": {"type": "str", "required": True, "choices": sorted(FINDERS)},
                "names": {"type": "list", "elements": "str", "required": True},
                "parent": {"type": "str"},
                "mark": {"type": "str"},
                "data": {"type": "bool", "default": False},
                "shared": {"type": "bool", "default": False},
                "policies": {"type": "list", "elements": "str", "default": []},
            },
        },
        "identity": {"type": "dict", "required": True},
    }
)


def look(client: Client, declared: t.Sequence[Declared], identity: t.Mapping[str, str]) -> Resources:
    """Return each declared resource with what is found of it."""
    return tuple(
        resource(item, found, identity) for item, found in zip(declared, find_all(client, declared), strict=True)
    )


@dataclass(frozen=True)
class RemovalManager:
    """Removes what is ours of the declared resources. ``wait_timeout`` (seconds) bounds each stage."""

    client: Client
    clock: Clock
    declared: tuple[Declared, ...]
    identity: t.Mapping[str, str]
    delete_data: bool
    wait_timeout: int

    def read(self) -> Resources:
        """Return each declared resource with what is found of it."""
        return look(self.client, self.declared, self.identity)

    def plan(self, observed: Resources) -> Plan:
        """Return the steps of the removal, in order."""
        return planner.plan(observed, self.delete_data)

    def apply(self, plan: Plan, observed: Resources) -> None:
        """Remove stage by stage; what belongs to one stage goes side by side."""
        for stage in range(len(planner.STAGES)):
            self._remove([step for step in plan.steps if isinstance(step, Remove) and step.stage == stage])

    def project(self, observed: Resources, plan: Plan) -> Resources:
        """Return what will be left."""
        return planner.project(observed, plan)

    def view(self, observed: Resources) -> dict[str, t.Any]:
        """Return what exists, by kind and name."""
        return {
            item.declared.label: {"owner": item.owner, "status": item.found.status}
            for item in observed
            if item.found is not None
        }

    def _remove(self, steps: list[Remove]) -> None:
        if not steps:
            return
        remaining = [Remaining(step) for step in steps]

        def bring_on() -> list[Remaining]:
            looks = [advance(self.client, item.step) for item in remaining]
            remaining[:] = [look for look in looks if look is not None]
            return remaining

        wait: Wait[list[Remaining]] = Wait(
            what=f"the removal of {', '.join(step.resource for step in steps)}",
            done=lambda left: not left,
            seen=lambda left: ", ".join(item.words for item in left),
            timeout=self.wait_timeout,
            poll=1,
            longest_poll=20,
            remedy="Remove what AWS names, if it names something; then run it again: it goes on where it stopped",
        )
        wait.until_done(bring_on, self.clock)
