# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A replication group as declared and as observed. Values only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

AVAILABLE = "available"
CREATING = "creating"
DELETING = "deleting"
CREATE_FAILED = "create-failed"
SETTLED = frozenset({AVAILABLE, CREATE_FAILED})


@dataclass(frozen=True)
class WantedGroup:
    """A replication group as declared, with cluster mode disabled. ``None`` leaves alone."""

    replication_group_id: str
    description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    num_cache_clusters: int | None = None
    automatic_failover_enabled: bool | None = None
    multi_az_enabled: bool | None = None
    transit_encryption_enabled: bool | None = None
    transit_encryption_mode: str | None = None
    at_rest_encryption_enabled: bool | None = None
    cache_subnet_group_name: str | None = None
    cache_parameter_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    port: int | None = None
    preferred_maintenance_window: str | None = None
    snapshot_retention_limit: int | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True


@dataclass(frozen=True)
class Endpoint:
    """Where clients connect."""

    address: str
    port: int


@dataclass(frozen=True)
class Group:
    """A replication group as observed; ``None`` where the service did not say."""

    replication_group_id: str
    status: str
    arn: str | None = None
    description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    member_clusters: tuple[str, ...] | None = None
    num_cache_clusters: int | None = None
    automatic_failover_enabled: bool | None = None
    multi_az_enabled: bool | None = None
    transit_encryption_enabled: bool | None = None
    transit_encryption_mode: str | None = None
    at_rest_encryption_enabled: bool | None = None
    cache_subnet_group_name: str | None = None
    cache_parameter_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    port: int | None = None
    preferred_maintenance_window: str | None = None
    snapshot_retention_limit: int | None = None
    snapshotting_cluster_id: str | None = None
    primary_endpoint: Endpoint | None = None
    reader_endpoint: Endpoint | None = None
    tags: t.Mapping[str, str] | None = None


# What is asked for on the wire, by the name of the option.
PARAMETERS = {
    "description": "ReplicationGroupDescription",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "num_cache_clusters": "NumCacheClusters",
    "automatic_failover_enabled": "AutomaticFailoverEnabled",
    "multi_az_enabled": "MultiAZEnabled",
    "transit_encryption_enabled": "TransitEncryptionEnabled",
    "transit_encryption_mode": "TransitEncryptionMode",
    "at_rest_encryption_enabled": "AtRestEncryptionEnabled",
    "cache_subnet_group_name": "CacheSubnetGroupName",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "security_group_ids": "SecurityGroupIds",
    "port": "Port",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
}
# What a change tells beside them.
CHANGED = {**PARAMETERS, "snapshotting_cluster_id": "SnapshottingClusterId"}
