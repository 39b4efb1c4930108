#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Look up what a deployment consists of, and whose it is
version_added: 0.2.0
description:
  - Says of each named resource whether it exists, and whether this deployment made it or somebody else.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
  - antenna.aws.deployment
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
seealso:
  - module: antenna.aws.deployment_removal
"""

EXAMPLES = r"""
- name: Look whether the names are free
  antenna.aws.deployment_info:
    identity:
      Environment: antenna
      ManagedBy: antenna.aws
    resources:
      - kind: bucket
        names: [antenna-storage-123456789012]
      - kind: db_instance
        names: [antenna-postgres]
  register: found

- name: Show what others made under these names
  ansible.builtin.debug:
    msg: "{{ found.resources | selectattr('owner', 'equalto', 'others') | map(attribute='name') }}"
"""

RETURN = r"""
resources:
  description: The named resources, in their order.
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
    parent:
      description: What the name is unique in; mostly empty.
      type: str
    data:
      description: Whether it holds what cannot be made again.
      type: bool
    shared:
      description: Whether the deployments of an account share it.
      type: bool
    exists:
      description: Whether it exists.
      type: bool
    owner:
      description:
        - V(ours) where it bears the tags or the mark of this deployment, V(others) otherwise.
        - Empty where it does not exist.
      type: str
      sample: ours
    id:
      description: Its id or ARN.
      type: str
    status:
      description: Its status where it has one, such as the state of an alarm.
      type: str
      sample: available
    details:
      description: What else is known of it, such as the endpoint of a database or the reason of an alarm's state.
      type: dict
    tags:
      description: Its tags.
      type: dict
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import clients
from ansible_collections.antenna.aws.plugins.module_utils._deployment.manager import RESOURCES, look
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import declared_from, identity_from


def work(module: t.Any) -> dict[str, t.Any]:
    """Look each resource up."""
    declared = declared_from(module.params["resources"])
    found = look(clients(module), declared, identity_from(module.params["identity"]))
    return {"changed": False, "resources": [item.view() for item in found]}


def main() -> None:
    """Run the module."""
    module = RESOURCES.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
