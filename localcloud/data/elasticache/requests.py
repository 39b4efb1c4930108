# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache refuses, in its words where they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.elasticache.exceptions import CacheSubnetGroupNotFound, ElastiCacheException, InvalidParameterValueException

from localcloud.data.elasticache.group import DEFAULT_VERSIONS, ValkeyGroup

CREATED = frozenset(
    {
        "ReplicationGroupId",
        "ReplicationGroupDescription",
        "AutomaticFailoverEnabled",
        "MultiAZEnabled",
        "NumCacheClusters",
        "PreferredCacheClusterAZs",
        "NumNodeGroups",
        "ReplicasPerNodeGroup",
        "CacheNodeType",
        "Engine",
        "EngineVersion",
        "CacheParameterGroupName",
        "CacheSubnetGroupName",
        "SecurityGroupIds",
        "Tags",
        "PreferredMaintenanceWindow",
        "Port",
        "NotificationTopicArn",
        "AutoMinorVersionUpgrade",
        "SnapshotRetentionLimit",
        "SnapshotWindow",
        "AuthToken",
        "TransitEncryptionEnabled",
        "TransitEncryptionMode",
        "AtRestEncryptionEnabled",
        "KmsKeyId",
        "LogDeliveryConfigurations",
        "NetworkType",
        "IpDiscovery",
        "ClusterMode",
    }
)
"""What CreateReplicationGroup understands here; anything else is refused."""

AT_ONCE = {
    "ReplicationGroupDescription": "description",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "SecurityGroupIds": "security_group_ids",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "SnapshottingClusterId": "snapshotting_cluster_id",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "NotificationTopicArn": "notification_topic_arn",
    "NotificationTopicStatus": "topic_status",
}
"""Settings that never wait, and the attributes that hold them."""
POSTPONABLE = frozenset({"CacheNodeType", "EngineVersion", "AutomaticFailoverEnabled"})
"""Settings that wait for the maintenance window unless they are to be applied immediately."""
STARTED = frozenset({"AuthToken", "AuthTokenUpdateStrategy", "PrimaryClusterId", "MultiAZEnabled"})
CONTROL = frozenset({"ReplicationGroupId", "ApplyImmediately", "LogDeliveryConfigurations"})

STRATEGIES = ("SET", "ROTATE", "DELETE")


def value(message: str) -> ElastiCacheException:
    return InvalidParameterValueException(message)


def combination(message: str) -> ElastiCacheException:
    return ElastiCacheException("InvalidParameterCombination", message)


def state(message: str) -> ElastiCacheException:
    return ElastiCacheException("InvalidReplicationGroupState", message)


def absent(what: str) -> ElastiCacheException:
    return ElastiCacheException("InvalidAction", f"{what} is not implemented here")


def check_creation(params: Mapping[str, Any], subnet_groups: Mapping[str, Any]) -> None:
    """Refuse what AWS would, and what is not implemented here rather than ignore it."""
    if unknown := sorted(set(params) - CREATED - {"Action", "Version"}):
        raise absent(", ".join(unknown))
    if params.get("TransitEncryptionMode", "required") != "required":
        raise absent("TransitEncryptionMode preferred")
    engine = params.get("Engine") or "redis"
    if engine not in DEFAULT_VERSIONS:
        raise value(f"The parameter Engine is invalid: {engine}. Must be redis or valkey.")
    name = str(params["ReplicationGroupId"])
    if not re.fullmatch(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,39}(?<!-)", name):
        raise value(
            f"The parameter ReplicationGroupIdentifier is not a valid identifier: {name}. It must begin with a letter, "
            "have at most 40 letters, digits and hyphens, not end with a hyphen nor have two in a row."
        )
    subnet_group = params.get("CacheSubnetGroupName")
    if subnet_group not in (None, "default") and subnet_group not in subnet_groups:
        raise CacheSubnetGroupNotFound(str(subnet_group))
    nodes = int(params.get("NumCacheClusters") or int(params.get("ReplicasPerNodeGroup") or 0) + 1)
    if not 1 <= nodes <= 6:
        raise value(f"The number of cache clusters must be between 1 and 6, not {nodes}.")
    check_snapshots(params)
    check_failover(is_true(params.get("AutomaticFailoverEnabled")), is_true(params.get("MultiAZEnabled")), nodes)
    if params.get("AuthToken"):
        check_token(str(params["AuthToken"]), is_true(params.get("TransitEncryptionEnabled")))


def check_snapshots(given: Mapping[str, Any]) -> None:
    """The retention of automatic ones."""
    if not 0 <= int(given.get("SnapshotRetentionLimit", 0)) <= 35:
        raise value(f"Invalid snapshot retention limit: {given['SnapshotRetentionLimit']}. It must be at most 35.")


def check_failover(automatic: bool, multi_az: bool, nodes: int) -> None:
    """Whether a group of so many nodes may have automatic failover and several zones."""
    if automatic and nodes < 2:
        raise value("When using automatic failover, there must be at least 2 cache clusters in the replication group.")
    if multi_az and not automatic:
        raise combination("Automatic failover must be enabled to enable Multi-AZ.")


def check_token(token: str, encrypted: bool) -> None:
    """An AUTH token's form, and that it does not travel in the clear."""
    if not encrypted:
        raise combination("The AUTH token is only supported when encryption-in-transit is enabled")
    if not re.fullmatch(r"[A-Za-z0-9!&#$^<>-]{16,128}", token):
        raise value("Invalid AuthToken provided. It must have 16 to 128 letters, digits and characters of !&#$^<>-")


def check_modification(group: ValkeyGroup, given: Mapping[str, Any]) -> None:
    """Whether ModifyReplicationGroup may go on."""
    if group.status != "available":
        raise state("Replication group must be in available state to modify.")
    known = {*AT_ONCE, *POSTPONABLE, *STARTED, *CONTROL}
    if unknown := sorted(set(given) - known):
        raise absent(f"Modifying {', '.join(unknown)}")
    check_snapshots(given)
    turned_on = int(given.get("SnapshotRetentionLimit", 0)) and not group.snapshot_retention_limit
    if turned_on and "SnapshottingClusterId" not in given:
        raise combination("Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on snapshots")
    strategy = given.get("AuthTokenUpdateStrategy", "ROTATE")
    if strategy not in STRATEGIES:
        raise value(f"AuthTokenUpdateStrategy must be one of {', '.join(STRATEGIES)}, not {strategy}")
    if given.get("AuthToken"):
        check_token(str(given["AuthToken"]), group.transit_encryption_enabled)
    if (given.get("AuthToken") or strategy == "DELETE") and not given.get("ApplyImmediately"):
        raise combination("The AUTH token can only be changed with ApplyImmediately.")
    automatic = given.get("AutomaticFailoverEnabled", group.automatic_failover == "enabled")
    multi_az = given.get("MultiAZEnabled", group.multi_az == "enabled")
    check_failover(bool(automatic), bool(multi_az), len(group.members))
    if (wanted := given.get("PrimaryClusterId")) is not None:
        if wanted not in group.member_clusters:
            raise value(f"{wanted} is no member of {group.replication_group_id}")
        if automatic:
            raise combination("The primary cannot be chosen while automatic failover is enabled.")


def is_true(given: object) -> bool:
    """A boolean parameter, parsed or not."""
    return str(given).lower() == "true"
