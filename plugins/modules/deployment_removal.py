#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_removal
short_description: Remove what a deployment consists of, and nothing else
version_added: 0.2.0
description:
  - Removes those of the named resources that this deployment made, in the order in which they depend on each other, and
    waits until they are gone.
  - A database leaves a final snapshot. What holds data stays, unless O(delete_data) says otherwise.
  - May be interrupted and repeated.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
  - antenna.aws.deployment
options:
  delete_data:
    description:
      - Whether to remove also what holds data, and databases without a final snapshot.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long, in seconds, each stage of the removal may take.
    type: int
    default: 3600
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
seealso:
  - module: antenna.aws.deployment_info
"""

EXAMPLES = r"""
- name: Remove the database and the bucket's site, and keep their data
  antenna.aws.deployment_removal:
    identity:
      Environment: antenna
      ManagedBy: antenna.aws
    resources:
      - kind: bucket
        names: [antenna-ui-123456789012]
      - kind: bucket
        names: [antenna-storage-123456789012]
        data: true
      - kind: db_instance
        names: [antenna-postgres]
"""

RETURN = r"""
kept:
  description: What exists and stays, and why.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: bucket
    name:
      description: Its name.
      type: str
      sample: antenna-storage-123456789012
    reason:
      description: Why it stays.
      type: str
      sample: it holds data
plan:
  description: What was removed, or would be removed in check mode, in order, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: remove
      resource: db_instance antenna-postgres
      reason: the deployment made it; the final snapshot antenna-postgres-final-abcdefghijkl is taken before
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.module import result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._deployment import planner
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import clients
from ansible_collections.antenna.aws.plugins.module_utils._deployment.manager import RESOURCES, RemovalManager
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import declared_from, identity_from

SPEC = ArgumentSpec(
    {
        "delete_data": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 3600},
    }
).merge(RESOURCES)


def work(module: t.Any) -> dict[str, t.Any]:
    """Remove what is ours and return the module's result."""
    params = module.params
    manager = RemovalManager(
        client=clients(module),
        clock=SystemClock(),
        declared=declared_from(params["resources"]),
        identity=identity_from(params["identity"]),
        delete_data=params["delete_data"],
        wait_timeout=params["wait_timeout"],
    )
    outcome = sync(manager, module.check_mode)
    left = planner.kept(outcome.after, params["delete_data"])
    return {
        **result(manager, outcome),
        "kept": [
            {"kind": item.resource.declared.kind, "name": item.resource.declared.name, "reason": item.reason}
            for item in left
        ],
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
