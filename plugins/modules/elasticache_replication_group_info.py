#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_replication_group_info
short_description: List the replication groups of ElastiCache
version_added: 0.2.0
description:
  - Returns the replication groups of the account in a region with their descriptions, which are told in every state, as
    tags are not.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
seealso:
  - module: antenna.aws.elasticache_replication_group
"""

EXAMPLES = r"""
- name: List the replication groups
  antenna.aws.elasticache_replication_group_info:
  register: redis

- name: Show those of one deployment
  ansible.builtin.debug:
    msg: "{{ redis.replication_groups | selectattr('description', 'equalto', 'Redis of antenna') }}"
"""

RETURN = r"""
replication_groups:
  description: The replication groups.
  returned: success
  type: list
  elements: dict
  contains:
    replication_group_id:
      description: Its identifier.
      type: str
      sample: antenna-redis
    description:
      description: Its description.
      type: str
      sample: Redis of antenna
    status:
      description: Its status.
      type: str
      sample: available
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, run
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.api import ElastiCacheApi

SPEC = ArgumentSpec()


def work(module: t.Any) -> dict[str, t.Any]:
    """List the groups."""
    return {"changed": False, "replication_groups": ElastiCacheApi(client(module, "elasticache")).groups()}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
