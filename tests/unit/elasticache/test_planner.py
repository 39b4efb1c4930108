# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication groups: which steps are planned, that they converge, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._elasticache import api
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.model import Group, WantedGroup
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.planner import (
    ModifyGroup,
    plan_absent,
    plan_present,
    project,
    same_version,
)

GROUP = Group(
    replication_group_id="redis",
    status="available",
    arn="arn:redis",
    description="Redis",
    engine="redis",
    engine_version="7.1.0",
    cache_node_type="cache.t4g.micro",
    num_cache_clusters=1,
    automatic_failover_enabled=False,
    multi_az_enabled=False,
    transit_encryption_enabled=True,
    transit_encryption_mode="required",
    at_rest_encryption_enabled=True,
    cache_subnet_group_name="subnets",
    security_group_ids=("sg-1",),
    port=6379,
    preferred_maintenance_window="sun:10:00-sun:11:00",
    snapshot_retention_limit=0,
    tags={"Project": "antenna", "aws:cloudformation:stack": "theirs"},
)
PLAIN = replace(GROUP, transit_encryption_enabled=False, transit_encryption_mode=None)
PREFERRED = replace(GROUP, transit_encryption_mode="preferred")
UNTOLD = Group("redis", "available")

STEPS: dict[str, tuple[dict[str, Any], Group | None, list[str]]] = {
    "nothing declared": ({}, GROUP, []),
    "all as declared": (
        {"engine_version": "7.1", "security_group_ids": ("sg-1",), "port": 6379, "tags": {"Project": "antenna"}},
        GROUP,
        [],
    ),
    "absent": ({"description": "Redis", "cache_node_type": "cache.t4g.micro"}, None, ["create"]),
    "what the service does not tell is not compared": (
        {
            "engine_version": "7.1",
            "security_group_ids": ("sg-2",),
            "port": 1,
            "tags": {"a": "b"},
            "num_cache_clusters": 3,
        },
        UNTOLD,
        [],
    ),
    "description": ({"description": "another"}, GROUP, ["modify"]),
    "engine version": ({"engine_version": "7.2"}, GROUP, ["modify"]),
    "another engine": ({"engine": "valkey", "engine_version": "7.2"}, GROUP, ["modify"]),
    "security groups in another order": (
        {"security_group_ids": ("sg-2", "sg-1")},
        replace(GROUP, security_group_ids=("sg-1", "sg-2")),
        [],
    ),
    "the maintenance window in other letters": (
        {"preferred_maintenance_window": "Sun:10:00-Sun:11:00"},
        GROUP,
        [],
    ),
    "maintenance window": ({"preferred_maintenance_window": "mon:10:00-mon:11:00"}, GROUP, ["modify"]),
    "the first snapshots": ({"snapshot_retention_limit": 7}, GROUP, ["modify"]),
    "no more snapshots": ({"snapshot_retention_limit": 0}, replace(GROUP, snapshot_retention_limit=7), ["modify"]),
    "security groups": ({"security_group_ids": ("sg-2",)}, GROUP, ["modify"]),
    "a second node before failover": (
        {"num_cache_clusters": 2, "automatic_failover_enabled": True},
        GROUP,
        ["resize", "modify"],
    ),
    "no failover before a node less": (
        {"num_cache_clusters": 1, "automatic_failover_enabled": False},
        replace(GROUP, num_cache_clusters=2, automatic_failover_enabled=True),
        ["modify", "resize"],
    ),
    "TLS in two steps": ({"transit_encryption_enabled": True}, PLAIN, ["modify", "modify"]),
    "TLS for some": (
        {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred"},
        PLAIN,
        ["modify"],
    ),
    "TLS for all": ({"transit_encryption_mode": "required"}, PREFERRED, ["modify"]),
    "no TLS in two steps": ({"transit_encryption_enabled": False}, GROUP, ["modify", "modify"]),
    "no TLS from some": ({"transit_encryption_enabled": False}, PREFERRED, ["modify"]),
    "tags": ({"tags": {"Stage": "test"}}, GROUP, ["tag"]),
    "tags beside others": ({"tags": {"Stage": "test"}, "purge_tags": False}, GROUP, ["tag"]),
    "no tags": ({"tags": {}}, GROUP, ["tag"]),
}


def wanted(**declared: Any) -> WantedGroup:
    return WantedGroup("redis", **declared)


@pytest.mark.parametrize("name", STEPS)
def test_steps_and_that_none_are_left_after_them(name: str) -> None:
    declared, observed, ops = STEPS[name]
    plan = plan_present(wanted(**declared), observed)
    assert [step.op for step in plan] == ops
    after = project(observed, plan)
    assert after is not None
    assert not plan_present(wanted(**declared), after)


def test_the_first_snapshots_are_of_a_replica() -> None:
    observed = replace(GROUP, member_clusters=("redis-001", "redis-002"))
    (step,) = plan_present(WantedGroup("redis", snapshot_retention_limit=7), observed).steps
    assert isinstance(step, ModifyGroup)
    assert step.options == (("snapshot_retention_limit", 7), ("snapshotting_cluster_id", "redis-002"))


def test_tags_of_aws_stay() -> None:
    after = project(GROUP, plan_present(wanted(tags={}), GROUP))
    assert after is not None
    assert after.tags == {"aws:cloudformation:stack": "theirs"}


@pytest.mark.parametrize(
    ("declared", "observed", "message"),
    [
        ({}, None, "'redis' does not exist, and creating it takes description and cache_node_type"),
        ({"description": "x"}, None, "creating it takes cache_node_type"),
        ({"port": 6380}, GROUP, "has port 6379, which cannot become 6380"),
        ({"cache_subnet_group_name": "others"}, GROUP, "has cache_subnet_group_name 'subnets'"),
        ({"at_rest_encryption_enabled": False}, GROUP, "has at_rest_encryption_enabled True"),
        ({"engine": "redis"}, replace(GROUP, engine="valkey"), "runs valkey, which cannot become redis"),
        ({"engine_version": "7.0"}, GROUP, "runs version 7.1.0, and cannot go back to 7.0"),
        ({"automatic_failover_enabled": True}, GROUP, "cannot fail over automatically with 1 node"),
        ({"multi_az_enabled": True}, GROUP, "cannot be multi_az_enabled without automatic_failover_enabled"),
        ({}, replace(GROUP, status="deleting"), "is being deleted"),
        ({}, replace(GROUP, status="create-failed"), "The creation of replication group 'redis' has failed"),
    ],
)
def test_refused(declared: dict[str, Any], observed: Group | None, message: str) -> None:
    with pytest.raises(AntennaError) as caught:
        plan_present(wanted(**declared), observed)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("observed", "ops"),
    [(None, []), (GROUP, ["delete"]), (replace(GROUP, status="deleting"), [])],
)
def test_absent(observed: Group | None, ops: list[str]) -> None:
    plan = plan_absent(wanted(), observed)
    assert [step.op for step in plan] == ops
    assert not plan_absent(wanted(), project(observed, plan))


@pytest.mark.parametrize(
    ("declared", "current", "same"),
    [
        ("7.1", "7.1.0", True),
        ("7.1.0", "7.1.0", True),
        ("7", "7.1.0", True),
        ("6.x", "6.2.6", True),
        ("7.1", "7.2.0", False),
        ("7.1.0", "7.1", False),
        ("7.1", "7.10.0", False),
    ],
)
def test_versions(declared: str, current: str, same: bool) -> None:
    assert same_version(declared, current) is same


class Client:
    """A client with one group, whose node waits for its maintenance window."""

    def describe_replication_groups(self, **_arguments: Any) -> dict[str, Any]:
        raw = {
            "ReplicationGroupId": "redis",
            "Status": "available",
            "MemberClusters": ["redis-001"],
            "ARN": "arn:redis",
        }
        return {"ReplicationGroups": [{"ReplicationGroupId": "redis-2", "Status": "creating"}, raw]}

    def describe_cache_clusters(self, **_arguments: Any) -> dict[str, Any]:
        pending = {"EngineVersion": "7.2"}
        node = {"CacheClusterId": "redis-001", "EngineVersion": "7.1", "PendingModifiedValues": pending}
        return {"CacheClusters": [node]}

    def list_tags_for_resource(self, **_arguments: Any) -> dict[str, Any]:
        return {"TagList": [{"Key": "Project", "Value": "antenna"}]}


@pytest.mark.parametrize(("count_pending", "version"), [(False, "7.1"), (True, "7.2")])
def test_what_waits_for_the_maintenance_window_counts_when_asked(count_pending: bool, version: str) -> None:
    group = api.ElastiCacheApi(Client()).group("Redis", count_pending)
    assert group is not None
    assert group.replication_group_id == "redis"
    assert group.engine_version == version
    assert group.tags == {"Project": "antenna"}
