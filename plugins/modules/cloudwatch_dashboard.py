#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_dashboard
short_description: Manage a dashboard of CloudWatch
version_added: 0.2.0
description:
  - Creates, changes and deletes a dashboard. Bodies are compared as JSON.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  name:
    description:
      - Name of the dashboard.
    type: str
    required: true
  body:
    description:
      - What it shows, in the structure of dashboard bodies. Needed with O(state=present).
    type: dict
  state:
    description:
      - Whether it exists.
    type: str
    choices: [present, absent]
    default: present
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
"""

EXAMPLES = r"""
- name: Show the length of the queues
  antenna.aws.cloudwatch_dashboard:
    name: antenna
    body:
      widgets:
        - type: metric
          width: 12
          height: 6
          properties:
            region: us-west-2
            metrics: [[Antenna/antenna, QueueLength]]
"""

RETURN = r"""
dashboard:
  description: The body; empty where there is no dashboard.
  returned: success
  type: dict
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: create
      resource: antenna
      reason: there is no dashboard of this name
"""

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

SPEC = ArgumentSpec(
    {"name": {"type": "str", "required": True}, "body": {"type": "dict"}},
    required_if=(("state", "present", ("body",)),),
).merge(STATE)

Body: t.TypeAlias = "dict[str, t.Any] | None"
_ABSENT = ("ResourceNotFound", "DashboardNotFoundError")


@dataclass(frozen=True)
class DashboardManager:
    """Keeps one dashboard as declared; a wanted body of None means that it must not exist."""

    client: t.Any
    name: str
    wanted: Body

    def read(self) -> Body:
        """Return the body, None where there is no dashboard."""
        try:
            with attempting(f"read the dashboard {self.name}"):
                answer = self.client.get_dashboard(DashboardName=self.name, aws_retry=True)
        except AwsError as error:
            if error.code in _ABSENT:
                return None
            raise
        body: dict[str, t.Any] = json.loads(answer["DashboardBody"])
        return body

    def plan(self, observed: Body) -> Plan:
        """Return the step to what is wanted."""
        if observed == self.wanted:
            return Plan()
        if self.wanted is None:
            return Plan((Step("delete", self.name, "the dashboard must not exist"),))
        if observed is None:
            return Plan((Step("create", self.name, "there is no dashboard of this name"),))
        return Plan((Step("update", self.name, "the body differs"),))

    def apply(self, plan: Plan, observed: Body) -> None:
        """Carry out the step."""
        with attempting(f"change the dashboard {self.name}"):
            if self.wanted is None:
                self.client.delete_dashboards(DashboardNames=[self.name], aws_retry=True)
                return
            body = json.dumps(self.wanted, sort_keys=True)
            answer = self.client.put_dashboard(DashboardName=self.name, DashboardBody=body, aws_retry=True)
        told = [item.get("Message", "") for item in answer.get("DashboardValidationMessages", ())]
        if told:
            raise AntennaError(f"The dashboard {self.name} was kept, with complaints: {'; '.join(told)}")

    def project(self, observed: Body, plan: Plan) -> Body:
        """Return the body as it will be."""
        return self.wanted

    def view(self, observed: Body) -> dict[str, t.Any]:
        """Return the body."""
        return observed or {}


def work(module: t.Any) -> dict[str, t.Any]:
    """Bring the dashboard to what is declared and return the module's result."""
    wanted = module.params["body"] if module.params["state"] == "present" else None
    manager = DashboardManager(client(module, "cloudwatch"), module.params["name"], wanted)
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "dashboard": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
