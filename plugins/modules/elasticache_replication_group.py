#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_replication_group
version_added: 0.1.0
short_description: Manage an ElastiCache replication group
description:
  - Creates, changes and deletes a replication group of Redis or Valkey with cluster mode disabled, with encryption in
    transit and at rest.
  - Compares only what is declared. What the service cannot change after creation is refused.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - amazon.aws.tags
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
  - antenna.aws.wait
options:
  replication_group_id:
    description:
      - Name of the replication group.
    type: str
    required: true
  state:
    description:
      - Whether the group exists. V(absent) deletes it with its data.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Description of the group. Needed to create it.
    type: str
  engine:
    description:
      - V(redis) can become V(valkey), not the other way round.
    type: str
    choices: [redis, valkey]
  engine_version:
    description:
      - Version of the engine, as far as it matters. V(7.1) is also V(7.1.0).
    type: str
  cache_node_type:
    description:
      - Type of the nodes. Needed to create the group.
    type: str
  num_cache_clusters:
    description:
      - Number of nodes, the primary one included.
    type: int
  automatic_failover_enabled:
    description:
      - Whether a replica takes over when the primary node fails. Needs two nodes.
    type: bool
  multi_az_enabled:
    description:
      - Whether nodes are put in several availability zones. Needs O(automatic_failover_enabled).
    type: bool
  transit_encryption_enabled:
    description:
      - Whether clients connect with TLS.
    type: bool
  transit_encryption_mode:
    description:
      - Whether clients may also connect without TLS (V(preferred)) or not (V(required)).
    type: str
    choices: [preferred, required]
  at_rest_encryption_enabled:
    description:
      - Whether data is encrypted on disk. Cannot be changed after creation.
    type: bool
  cache_subnet_group_name:
    description:
      - Subnet group of the nodes. Cannot be changed after creation.
    type: str
  cache_parameter_group_name:
    description:
      - Parameter group of the nodes.
    type: str
  security_group_ids:
    description:
      - Ids of the nodes' security groups.
    type: list
    elements: str
  port:
    description:
      - Port of the nodes. Cannot be changed after creation.
    type: int
  preferred_maintenance_window:
    description:
      - When maintenance may be done, weekly, in UTC, such as V(sun:10:00-sun:11:00); 60 minutes at least.
    type: str
  snapshot_retention_limit:
    description:
      - For how many days automatic snapshots are kept; V(0) makes none.
    type: int
  apply_immediately:
    description:
      - Whether a change of version or node type is made at once, instead of in the maintenance window.
      - What waits for the window counts as done.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: int
    default: 1800
notes:
  - With O(wait=true) the module waits also when there is nothing to change, so a group that another task has started
    with O(wait=false) can be awaited by its O(replication_group_id) alone.
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

EXAMPLES = r"""
- name: Start a Redis that takes only TLS
  antenna.aws.elasticache_replication_group:
    replication_group_id: antenna-redis
    description: Redis of Antenna
    engine: redis
    engine_version: "7.1"
    cache_node_type: cache.t4g.micro
    num_cache_clusters: 1
    transit_encryption_enabled: true
    at_rest_encryption_enabled: true
    cache_subnet_group_name: antenna-redis-subnets
    security_group_ids: [sg-0123456789abcdef0]
    wait: false

- name: Wait until it is available
  antenna.aws.elasticache_replication_group:
    replication_group_id: antenna-redis
  register: redis

- name: Show where clients connect
  ansible.builtin.debug:
    msg: "rediss://{{ redis.replication_group.primary_endpoint.address }}:6379/0?ssl_cert_reqs=required"

- name: Delete it with its data
  antenna.aws.elasticache_replication_group:
    replication_group_id: antenna-redis
    state: absent
"""

RETURN = r"""
replication_group:
  description:
    - The replication group; empty when it does not exist. What the service does not tell, or not yet, is null.
  returned: success
  type: dict
  contains:
    replication_group_id:
      description: Name of the group.
      type: str
      sample: antenna-redis
    arn:
      description: ARN of the group.
      type: str
    status:
      description: Status of the group.
      type: str
      sample: available
    description:
      description: Description of the group.
      type: str
    engine:
      description: The engine.
      type: str
      sample: redis
    engine_version:
      description: Version of the engine.
      type: str
      sample: 7.1.0
    cache_node_type:
      description: Type of the nodes.
      type: str
      sample: cache.t4g.micro
    member_clusters:
      description: Names of the nodes.
      type: list
      elements: str
    num_cache_clusters:
      description: Number of nodes.
      type: int
      sample: 1
    automatic_failover_enabled:
      description: Whether a replica takes over when the primary node fails.
      type: bool
    multi_az_enabled:
      description: Whether nodes are in several availability zones.
      type: bool
    transit_encryption_enabled:
      description: Whether clients connect with TLS.
      type: bool
    transit_encryption_mode:
      description: Whether clients may also connect without TLS.
      type: str
      sample: required
    at_rest_encryption_enabled:
      description: Whether data is encrypted on disk.
      type: bool
    cache_subnet_group_name:
      description: Subnet group of the nodes.
      type: str
    cache_parameter_group_name:
      description: Parameter group of the nodes.
      type: str
    security_group_ids:
      description: Ids of the nodes' security groups.
      type: list
      elements: str
    port:
      description: Port of the nodes.
      type: int
      sample: 6379
    preferred_maintenance_window:
      description: When maintenance may be done.
      type: str
      sample: sun:10:00-sun:11:00
    snapshot_retention_limit:
      description: For how many days automatic snapshots are kept.
      type: int
      sample: 7
    snapshotting_cluster_id:
      description: The node of which they are made.
      type: str
      sample: antenna-redis-002
    primary_endpoint:
      description: Where clients read and write.
      type: dict
      contains:
        address:
          description: DNS name. Connect by this name, as the certificate is made out to it.
          type: str
        port:
          description: Port.
          type: int
    reader_endpoint:
      description: Where clients read only.
      type: dict
      contains:
        address:
          description: DNS name.
          type: str
        port:
          description: Port.
          type: int
    tags:
      description: Tags of the group.
      type: dict
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    op:
      description: What is done.
      type: str
      sample: create
    resource:
      description: What it is done to.
      type: str
      sample: antenna-redis
    reason:
      description: Why it is done.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, TAGS, ArgumentSpec, texts, wait
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.api import ElastiCacheApi
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.manager import GroupManager
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.model import PARAMETERS, WantedGroup

SPEC = ArgumentSpec(
    {
        "replication_group_id": {"type": "str", "required": True},
        "description": {"type": "str"},
        "engine": {"type": "str", "choices": ["redis", "valkey"]},
        "engine_version": {"type": "str"},
        "cache_node_type": {"type": "str"},
        "num_cache_clusters": {"type": "int"},
        "automatic_failover_enabled": {"type": "bool"},
        "multi_az_enabled": {"type": "bool"},
        "transit_encryption_enabled": {"type": "bool"},
        "transit_encryption_mode": {"type": "str", "choices": ["preferred", "required"]},
        "at_rest_encryption_enabled": {"type": "bool"},
        "cache_subnet_group_name": {"type": "str"},
        "cache_parameter_group_name": {"type": "str"},
        "security_group_ids": {"type": "list", "elements": "str"},
        "port": {"type": "int"},
        "preferred_maintenance_window": {"type": "str"},
        "snapshot_retention_limit": {"type": "int"},
        "apply_immediately": {"type": "bool", "default": False},
    }
).merge(STATE, TAGS, wait(1800))


def wanted_from(params: t.Mapping[str, t.Any]) -> WantedGroup:
    """Return the group that the parameters declare."""
    groups = params["security_group_ids"]
    tags = params["tags"]
    plain = {name: params[name] for name in PARAMETERS if name != "security_group_ids"}
    return WantedGroup(
        replication_group_id=params["replication_group_id"],
        security_group_ids=None if groups is None else tuple(groups),
        tags=None if tags is None else texts(tags),
        purge_tags=params["purge_tags"],
        **plain,
    )


def work(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Bring the group to what is declared and return the module's result."""
    manager = GroupManager(
        api=ElastiCacheApi(client(module, "elasticache")),
        clock=SystemClock(),
        wanted=wanted_from(module.params),
        present=module.params["state"] == "present",
        wait=module.params["wait"],
        wait_timeout=module.params["wait_timeout"],
        apply_immediately=module.params["apply_immediately"],
    )
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "replication_group": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
