# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An origin access control, from what is wanted to what is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._cloudfront import api
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    UNKNOWN,
    AccessControlObserved,
    AccessControlWanted,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import (
    access_control_values,
    plan_access_control,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan


@dataclass(frozen=True)
class AccessControlManager:
    """Reads, plans and changes one origin access control."""

    client: Any
    wanted: AccessControlWanted

    def read(self) -> AccessControlObserved | None:
        """The access control as it is."""
        with attempting(f"read the origin access control {self.wanted.name}"):
            return api.find_access_control(self.client, self.wanted.name)

    def plan(self, observed: AccessControlObserved | None) -> Plan:
        """The steps to what is wanted."""
        return plan_access_control(self.wanted, observed)

    def apply(self, plan: Plan, observed: AccessControlObserved | None) -> None:
        """Carry out the one step that there is."""
        for step in plan:
            with attempting(f"{step.op} the origin access control {self.wanted.name}"):
                if observed is None:
                    api.create_access_control(self.client, self.wanted.name, access_control_values(self.wanted, None))
                elif step.op == "delete":
                    api.delete_access_control(self.client, observed)
                else:
                    api.update_access_control(self.client, observed, access_control_values(self.wanted, observed))

    def project(self, observed: AccessControlObserved | None, plan: Plan) -> AccessControlObserved | None:
        """The access control as it would be."""
        if not self.wanted.present:
            return None
        values = access_control_values(self.wanted, observed)
        return AccessControlObserved(observed.id if observed else UNKNOWN, UNKNOWN, self.wanted.name, **values)

    def view(self, observed: AccessControlObserved | None) -> dict[str, Any]:
        """The access control as result and diff show it; empty where there is none."""
        if observed is None:
            return {}
        return {
            "description": observed.description,
            "etag": observed.etag,
            "id": observed.id,
            "name": observed.name,
            "origin_type": observed.origin_type,
            "signing_behavior": observed.signing_behavior,
            "signing_protocol": observed.signing_protocol,
        }
