# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache: real nodes that replicate, fail over and are replaced, behind names that follow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.support.data import TOKEN, Cache, Network, eventually, figures

TOPIC = "arn:aws:sns:us-west-2:123456789012:caches"
LOG = {
    "LogType": "slow-log",
    "DestinationType": "cloudwatch-logs",
    "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "slow"}},
    "LogFormat": "json",
}
GROUP = {
    "AtRestEncryptionEnabled": True,
    "AutoMinorVersionUpgrade": False,
    "CacheNodeType": "cache.t4g.micro",
    "IpDiscovery": "ipv4",
    "KmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/of-the-cache",
    "NetworkType": "ipv4",
    "SnapshotRetentionLimit": 3,
    "SnapshotWindow": "04:00-05:00",
    "TransitEncryptionEnabled": True,
    "TransitEncryptionMode": "required",
}
"""Members that DescribeReplicationGroups shows under the name and with the value that they were given."""

GROUP_SHOWN = {
    **GROUP,
    "AuthTokenEnabled": True,
    "AutomaticFailover": "enabled",
    "ClusterEnabled": False,
    "Description": "of the ants",
    "LogDeliveryConfigurations": [{**LOG, "Status": "active"}],
    "MemberClusters": ["ants-001", "ants-002"],
    "MultiAZ": "enabled",
    "ReplicationGroupId": "ants",
    "Status": "available",
}
CLUSTER_SHOWN = {
    "CacheClusterStatus": "available",
    "CacheParameterGroup": {
        "CacheNodeIdsToReboot": [],
        "CacheParameterGroupName": "default.redis7",
        "ParameterApplyStatus": "in-sync",
    },
    "CacheSubnetGroupName": "ants",
    "Engine": "redis",
    "EngineVersion": "7.1.0",
    "NotificationConfiguration": {"TopicArn": TOPIC, "TopicStatus": "active"},
    "NumCacheNodes": 1,
    "PreferredMaintenanceWindow": "tue:02:00-tue:03:00",
    "ReplicationGroupId": "ants",
}


@pytest.fixture(scope="module")
def cache(localcloud: Any, network: Network) -> Iterator[Cache]:
    """A primary and a replica, with a token, open to the client."""
    client = localcloud.client("elasticache")
    client.create_cache_subnet_group(
        CacheSubnetGroupName="ants", CacheSubnetGroupDescription="ants", SubnetIds=network.subnet_ids
    )
    localcloud.client("ec2").authorize_security_group_ingress(**network.rule(6379))
    created = client.create_replication_group(
        ReplicationGroupId="Ants",
        ReplicationGroupDescription="of the ants",
        Engine="redis",
        EngineVersion="7.1",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        AuthToken=TOKEN,
        CacheSubnetGroupName="ants",
        SecurityGroupIds=[network.store_group],
        PreferredMaintenanceWindow="tue:02:00-tue:03:00",
        NotificationTopicArn=TOPIC,
        LogDeliveryConfigurations=[{**LOG, "Enabled": True}],
        Tags=[{"Key": "a", "Value": "b"}],
        **GROUP,
    )["ReplicationGroup"]
    assert (created["ReplicationGroupId"], created["Status"], created["NodeGroups"]) == ("ants", "creating", [])
    client.get_waiter("replication_group_available").wait(ReplicationGroupId="ants", WaiterConfig={"Delay": 1})
    yield Cache(network, "ants")
    client.delete_replication_group(ReplicationGroupId="ants")
    client.get_waiter("replication_group_deleted").wait(ReplicationGroupId="ants", WaiterConfig={"Delay": 1})


@pytest.mark.parametrize("member", sorted(GROUP_SHOWN))
def test_creation_is_kept_by_the_group(cache: Cache, member: str) -> None:
    assert cache.shown()[member] == GROUP_SHOWN[member]


@pytest.mark.parametrize("member", sorted(CLUSTER_SHOWN))
def test_creation_is_kept_by_its_clusters(cache: Cache, member: str) -> None:
    assert cache.cluster()[member] == CLUSTER_SHOWN[member]


def test_creation_is_completed(cache: Cache, network: Network) -> None:
    shown = cache.shown()
    (group,) = shown["NodeGroups"]
    assert group["PrimaryEndpoint"]["Address"].startswith("master.ants.")
    assert group["ReaderEndpoint"]["Address"].startswith("replica.ants.")
    assert {member["PreferredAvailabilityZone"] for member in group["NodeGroupMembers"]} == {"us-west-2a", "us-west-2b"}
    cluster = cache.cluster()
    assert cluster["SecurityGroups"] == [{"SecurityGroupId": network.store_group, "Status": "active"}]
    assert cluster["CacheNodes"][0]["Endpoint"]["Address"].startswith("ants-001.ants.")
    tags = cache.elasticache.list_tags_for_resource(ResourceName=shown["ARN"])["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]
    status = network.cloud.status()["caches"]["ants"]
    assert {name: member["role"] for name, member in status["members"].items()} == cache.roles()


def test_cache_speaks_tls_to_who_has_the_token_and_is_let_in(cache: Cache, network: Network) -> None:
    assert cache.tell("ping") == "PONG"
    assert "PONG" not in cache.tell("ping", tls=False)
    assert "NOAUTH" in cache.tell("ping", token=None)
    assert "NOPERM" in cache.tell("config", "get", "*")
    ec2 = network.cloud.client("ec2")
    ec2.revoke_security_group_ingress(**network.rule(6379))
    assert "PONG" not in cache.tell("ping")
    ec2.authorize_security_group_ingress(**network.rule(6379))
    assert cache.tell("ping") == "PONG"


@pytest.mark.parametrize("node", ["ants-001", "ants-002"])
def test_each_node_tells_cloudwatch_each_minute(localcloud: Any, cache: Cache, node: str) -> None:
    localcloud.advance(61)
    metric = ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage")
    assert 0 < eventually(lambda: figures(localcloud, *metric, CacheClusterId=node), bool)[0] < 100


def test_reader_endpoint_leads_to_a_replica(cache: Cache) -> None:
    assert cache.tell("set", "queen", "mother") == "OK"
    eventually(lambda: cache.tell("get", "queen", endpoint="ReaderEndpoint"), lambda found: found == "mother")
    assert "READONLY" in cache.tell("set", "queen", "other", endpoint="ReaderEndpoint")
    assert cache.tell("role", endpoint="ReaderEndpoint").startswith("slave")


def test_failover_moves_the_primary_endpoint(cache: Cache) -> None:
    before, address = cache.roles(), cache.shown()["NodeGroups"][0]["PrimaryEndpoint"]
    cache.tell("set", "queen", "before the failover")
    assert cache.tell("wait", "1", "2000") == "1"
    seen = cache.events()
    tested = cache.elasticache.test_failover(ReplicationGroupId="ants", NodeGroupId="0001")["ReplicationGroup"]
    assert tested["Status"] == "modifying"
    assert cache.available()["NodeGroups"][0]["PrimaryEndpoint"] == address
    assert cache.roles() == {name: "primary" if role == "replica" else "replica" for name, role in before.items()}
    assert cache.tell("get", "queen") == "before the failover"
    assert cache.tell("set", "queen", "after the failover") == "OK"
    eventually(lambda: cache.tell("get", "queen", endpoint="ReaderEndpoint"), lambda it: it == "after the failover")
    completed = "Failover from primary node ants-001 to replica node ants-002 completed"
    assert cache.events()[len(seen) :] == [
        "Test Failover API called for node group 0001",
        completed,
        completed,
        "Recovering cache nodes 0001",
        "Finished recovery for cache nodes 0001",
    ]


def test_group_heals_when_its_primary_is_killed(cache: Cache, network: Network) -> None:
    docker.from_env().containers.get(network.cloud.status()["caches"]["ants"]["container"]).kill()
    eventually(cache.roles, lambda roles: roles == {"ants-001": "primary", "ants-002": "replica"})
    cache.available()
    assert cache.tell("get", "queen") == "after the failover"
    assert cache.tell("role", endpoint="ReaderEndpoint").startswith("slave")


def test_replicas_come_and_go(cache: Cache) -> None:
    client = cache.elasticache
    grown = client.increase_replica_count(ReplicationGroupId="ants", NewReplicaCount=2, ApplyImmediately=True)
    assert grown["ReplicationGroup"]["Status"] == "modifying"
    shown = cache.available()
    assert shown["MemberClusters"] == ["ants-001", "ants-002", "ants-003"]
    assert cache.tell("wait", "2", "5000") == "2"
    client.decrease_replica_count(
        ReplicationGroupId="ants", NewReplicaCount=1, ReplicasToRemove=["ants-002"], ApplyImmediately=True
    )
    assert cache.available()["MemberClusters"] == ["ants-001", "ants-003"]
    with pytest.raises(client.exceptions.ClientError, match="At least 1 replica"):
        client.decrease_replica_count(ReplicationGroupId="ants", NewReplicaCount=0, ApplyImmediately=True)
    clusters = client.describe_cache_clusters()["CacheClusters"]
    assert [item["CacheClusterId"] for item in clusters if item["ReplicationGroupId"] == "ants"] == [
        "ants-001",
        "ants-003",
    ]


def test_token_is_rotated_and_then_set(cache: Cache) -> None:
    new = "another-token-of-16-and-more"
    changed = cache.modify(AuthToken=new, AuthTokenUpdateStrategy="ROTATE", ApplyImmediately=True)
    assert changed["PendingModifiedValues"] == {"AuthTokenStatus": "ROTATING"}
    cache.available()
    assert (cache.tell("ping"), cache.tell("ping", token=new)) == ("PONG", "PONG")
    cache.modify(AuthToken=new, AuthTokenUpdateStrategy="SET", ApplyImmediately=True)
    cache.available()
    assert "NOAUTH" in cache.tell("ping") or "WRONGPASS" in cache.tell("ping")
    assert cache.tell("ping", token=new) == "PONG"
    cache.modify(AuthToken=TOKEN, AuthTokenUpdateStrategy="SET", ApplyImmediately=True)
    cache.available()


CHANGED = {
    "AutoMinorVersionUpgrade": True,
    "SnapshotRetentionLimit": 5,
    "SnapshotWindow": "06:00-07:00",
}


def test_changes_are_made_at_once_or_wait_for_the_window(localcloud: Any, cache: Cache, network: Network) -> None:
    cache.modify(
        ReplicationGroupDescription="of other ants",
        PreferredMaintenanceWindow="wed:02:00-wed:03:00",
        NotificationTopicArn=f"{TOPIC}-too",
        LogDeliveryConfigurations=[{"LogType": "slow-log", "Enabled": False}],
        SecurityGroupIds=[network.store_group, network.client_group],
        CacheNodeType="cache.t4g.small",
        **CHANGED,
    )
    shown, cluster = cache.shown(), cache.cluster()
    assert {name: shown[name] for name in CHANGED} == CHANGED
    cache.modify(SnapshotRetentionLimit=0)
    with pytest.raises(
        cache.elasticache.exceptions.ClientError, match="and SnapshottingClusterId to turn on snapshots"
    ):
        cache.modify(SnapshotRetentionLimit=3)
    cache.modify(SnapshotRetentionLimit=3, SnapshottingClusterId=shown["MemberClusters"][-1])
    assert cache.shown()["SnapshotRetentionLimit"] == 3
    assert (shown["Description"], shown["LogDeliveryConfigurations"]) == ("of other ants", [])
    assert cluster["PreferredMaintenanceWindow"] == "wed:02:00-wed:03:00"
    assert cluster["NotificationConfiguration"]["TopicArn"] == f"{TOPIC}-too"
    assert [item["SecurityGroupId"] for item in cluster["SecurityGroups"]] == [
        network.store_group,
        network.client_group,
    ]
    assert (shown["CacheNodeType"], cluster["PendingModifiedValues"]) == (
        "cache.t4g.micro",
        {"CacheNodeType": "cache.t4g.small"},
    )
    localcloud.advance(7 * 24 * 3600)
    eventually(cache.shown, lambda it: it["CacheNodeType"] == "cache.t4g.small" and it["Status"] == "available")
    cache.modify(AutomaticFailoverEnabled=False, MultiAZEnabled=False, ApplyImmediately=True)
    assert cache.available()["AutomaticFailover"] == "disabled"
    with pytest.raises(cache.elasticache.exceptions.InvalidReplicationGroupStateFault, match="not enabled"):
        cache.elasticache.test_failover(ReplicationGroupId="ants", NodeGroupId="0001")


def test_creation_and_deletion_are_seen_while_they_last(localcloud: Any, run_module: Any) -> None:
    """Tags are told in between only: by its description a deployment knows its group before and after."""
    client = localcloud.client("elasticache")
    given = {"ReplicationGroupId": "brief", "ReplicationGroupDescription": "Redis of web", "Engine": "valkey"}

    def seen() -> tuple[str, str, dict[str, str]]:
        brief = {"kind": "replication_group", "names": ["brief"], "mark": "Redis of web"}
        keys = {"access_key": "testing", "secret_key": "testing-secret"}
        connection = {"endpoint_url": localcloud.endpoint, "region": "us-west-2", **keys}
        told = {"resources": [brief], "identity": {"Environment": "web"}, **connection}
        (found,) = run_module("deployment_info", told)["resources"]
        return found["status"], found["owner"], found["tags"]

    localcloud.admin("POST", "latency", {"elasticache.create": 3600, "elasticache.delete": 3600})
    try:
        created = client.create_replication_group(**given, Tags=[{"Key": "Environment", "Value": "web"}])
        assert seen() == ("creating", "ours", {})
        with pytest.raises(client.exceptions.InvalidReplicationGroupStateFault, match="perform tagging operations"):
            client.list_tags_for_resource(ResourceName=created["ReplicationGroup"]["ARN"])
        localcloud.advance(3600)
        client.get_waiter("replication_group_available").wait(ReplicationGroupId="brief", WaiterConfig={"Delay": 1})
        assert seen() == ("available", "ours", {"Environment": "web"})
        brief = client.describe_replication_groups(ReplicationGroupId="brief")["ReplicationGroups"][0]
        assert ".ng.0001.usw2." in brief["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
        with pytest.raises(client.exceptions.ReplicationGroupAlreadyExistsFault):
            client.create_replication_group(**{**given, "ReplicationGroupId": "BRIEF"})
        client.delete_replication_group(ReplicationGroupId="brief")
        assert seen() == ("deleting", "ours", {})
        localcloud.advance(3600)
        client.get_waiter("replication_group_deleted").wait(ReplicationGroupId="brief", WaiterConfig={"Delay": 1})
    finally:
        localcloud.admin("DELETE", "latency")
    with pytest.raises(client.exceptions.ReplicationGroupNotFoundFault):
        client.describe_replication_groups(ReplicationGroupId="brief")
    client.create_replication_group(**given)
    client.get_waiter("replication_group_available").wait(ReplicationGroupId="brief", WaiterConfig={"Delay": 1})
    again = client.list_tags_for_resource(ResourceName=created["ReplicationGroup"]["ARN"])
    assert again["TagList"] == [], "tags end with the group that bears them"
    client.delete_replication_group(ReplicationGroupId="brief")


def test_subnet_group_in_use_stays(cache: Cache) -> None:
    with pytest.raises(cache.elasticache.exceptions.ClientError, match="CacheSubnetGroupInUse"):
        cache.elasticache.delete_cache_subnet_group(CacheSubnetGroupName="ants")


def test_other_kinds_of_clusters_are_kept_without_nodes(localcloud: Any) -> None:
    client = localcloud.client("elasticache")
    client.create_replication_group(
        ReplicationGroupId="shards", ReplicationGroupDescription="of ants", NumNodeGroups=2, ClusterMode="enabled"
    )
    client.create_cache_cluster(CacheClusterId="alone", Engine="memcached", CacheNodeType="cache.t4g.micro")
    found = client.describe_replication_groups(ReplicationGroupId="shards")["ReplicationGroups"][0]
    assert (found["Status"], len(found["NodeGroups"])) == ("available", 2)
    assert [item["CacheClusterId"] for item in client.describe_cache_clusters()["CacheClusters"]][-1] == "alone"
    assert not {"shards", "alone"} & set(localcloud.status()["caches"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"AutomaticFailoverEnabled": True}, "there must be at least 2 cache clusters"),
        ({"AuthToken": TOKEN}, "only supported when encryption-in-transit is enabled"),
        ({"AuthToken": "short", "TransitEncryptionEnabled": True}, "Invalid AuthToken"),
        ({"NumCacheClusters": 7}, "between 1 and 6"),
        ({"Engine": "memcached"}, "Must be redis or valkey"),
        ({"UserGroupIds": ["ants"]}, "UserGroupIds is not implemented here"),
    ],
)
def test_group_that_cannot_be_is_refused(localcloud: Any, changed: dict[str, Any], message: str) -> None:
    client = localcloud.client("elasticache")
    with pytest.raises(client.exceptions.ClientError, match=message):
        client.create_replication_group(ReplicationGroupId="refused", ReplicationGroupDescription="refused", **changed)
    assert "refused" not in localcloud.status()["caches"]
