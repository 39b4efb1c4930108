# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication groups and their members: moto's, with what they lack."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import moto.elasticache.models as moto_models
from moto.ec2.models import ec2_backends
from moto.elasticache.models import elasticache_backends
from moto.moto_api._internal import mock_random

from localcloud.data.servers import Key

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

DEFAULT_VERSIONS = {"redis": "7.1.0", "valkey": "8.1.0"}
NODE_GROUP = "0001"
CACHE_NODE = "0001"
OTHER_KINDS = ("node_group_configuration", "global_replication_group_id", "primary_cluster_id")


@dataclass
class Member:
    """A node of a group; the server of its name."""

    name: str
    zone: str
    role: Literal["primary", "replica"]
    created: datetime
    status: str = "creating"


class ReplicationGroup(moto_models.ReplicationGroup):  # type: ignore[misc]
    """A replication group: one with nodes here, else as moto keeps it, with nothing behind it."""

    def __new__(cls, *args: Any, **kwargs: Any) -> ReplicationGroup:
        """Moto makes all of them by this class."""
        made: ReplicationGroup = super().__new__(ValkeyGroup if has_nodes(kwargs) else cls)
        return made


class ValkeyGroup(ReplicationGroup):
    """A replication group with nodes; its lifecycle sets `status`. Set `cloud` before the first."""

    cloud: Cloud

    def __init__(self, account_id: str, region_name: str, replication_group_id: str, **kwargs: Any) -> None:
        self.account_id, self.region = account_id, region_name
        self.members: list[Member] = []
        nodes = kwargs.get("num_cache_clusters") or (kwargs.get("replicas_per_node_group") or 0) + 1
        super().__init__(account_id, region_name, replication_group_id.lower(), **kwargs)
        now = self.cloud.clock.now()
        self.replication_group_create_time = now
        self.engine_version: str = full_version(self.engine, kwargs.get("engine_version"))
        groups: list[str] = kwargs.get("security_group_ids") or [_default_security_group(account_id, region_name)]
        self.security_group_ids = groups
        self.auto_minor_version_upgrade = kwargs.get("auto_minor_version_upgrade") is not False
        self.preferred_maintenance_window = kwargs.get("preferred_maintenance_window") or "sun:09:00-sun:10:00"
        self.snapshot_window = kwargs.get("snapshot_window") or "05:00-06:00"
        self.snapshotting_cluster_id = None
        self.cluster_enabled = False
        self.log_delivery_configurations: list[dict[str, Any]] = []
        self.topic_status = "active"
        token = kwargs.get("auth_token")
        self.auth_tokens: tuple[str, ...] = (token,) if token else ()
        """The tokens with which clients are let in, the newest last."""
        self.without_token = not token
        """Whether clients are let in without one."""
        self.auth_token_last_modified_date = now if token else None
        suffix = mock_random.get_random_string(6, lower_case=True)
        self.location = f"{suffix}.{region_code(region_name)}.cache.amazonaws.com"
        self.secret = secrets.token_hex(24)
        """The password by which its nodes are administered."""
        self.member_zones = list(kwargs.get("preferred_cache_cluster_azs") or ())
        self.waiting: dict[str, Any] = {}
        """Settings that wait for the maintenance window."""
        self.changing: dict[str, Any] = {}
        """Settings that are on their way."""
        self.waiting_until: datetime | None = None
        self.status = "creating"
        for _ in range(nodes):
            self.add_member()
        if self.snapshot_retention_limit:
            self.snapshotting_cluster_id = self.members[-1].name

    # Moto's constructor fills these two; from the first member on they are made of the members.
    @property
    def member_clusters(self) -> list[str]:
        return [member.name for member in self.members] or self._moto_clusters

    @member_clusters.setter
    def member_clusters(self, value: list[str]) -> None:
        self._moto_clusters = value

    @property
    def node_groups(self) -> list[dict[str, Any]]:
        """None while there is nothing to connect to."""
        if not self.members:
            return self._moto_groups
        if self.status in ("creating", "create-failed"):
            return []
        return [
            {
                "NodeGroupId": NODE_GROUP,
                "Status": "available" if self.status == "available" else self.status,
                "PrimaryEndpoint": {"Address": self.primary_address, "Port": self.port},
                "ReaderEndpoint": {"Address": self.reader_address, "Port": self.port},
                "NodeGroupMembers": [self._shown(member) for member in self.members],
            }
        ]

    @node_groups.setter
    def node_groups(self, value: list[dict[str, Any]]) -> None:
        self._moto_groups = value

    @property
    def pending_modified_values(self) -> dict[str, Any]:
        settings = {**self.waiting, **self.changing}
        shown = {}
        if (enabled := settings.get("AutomaticFailoverEnabled")) is not None:
            shown["AutomaticFailoverStatus"] = "enabled" if enabled else "disabled"
        if "AuthToken" in settings:
            shown["AuthTokenStatus"] = "ROTATING" if settings.get("AuthTokenUpdateStrategy") == "ROTATE" else "SETTING"
        if "PrimaryClusterId" in settings:
            shown["PrimaryClusterId"] = settings["PrimaryClusterId"]
        return shown

    @property
    def key(self) -> Key:
        """Whose jobs are the group's."""
        return Key("elasticache", self.region, self.replication_group_id)

    @property
    def primary(self) -> Member:
        return next(member for member in self.members if member.role == "primary")

    @property
    def replicas(self) -> Sequence[Member]:
        return [member for member in self.members if member.role == "replica"]

    @property
    def primary_address(self) -> str:
        return self._address("master.{id}.{rest}", "{id}.{code}.ng.0001.{tail}")

    @property
    def reader_address(self) -> str:
        return self._address("replica.{id}.{rest}", "{id}-ro.{code}.ng.0001.{tail}")

    def member_address(self, name: str) -> str:
        """A member's own name, by which it is reached whatever its role."""
        return self._address(f"{name}.{{id}}.{{rest}}", f"{name}.{{code}}.0001.{{tail}}")

    def home_address(self, name: str) -> str:
        """The name by which other members reach a member, on the one network that is theirs from the beginning.

        By its own name it may be found on a client's network that the one who asks is not on yet.
        """
        return f"home.{self.member_address(name)}"

    def endpoints(self, member: Member) -> tuple[str, tuple[str, ...]]:
        """The name that leads to the member's role, and further ones that lead to it."""
        own = self.member_address(member.name)
        if member.role == "replica":
            return self.reader_address, (own,)
        return self.primary_address, (own,) if self.replicas else (self.reader_address, own)

    def member_key(self, member: Member) -> Key:
        """That of the member's server."""
        return Key("elasticache", self.region, member.name)

    def add_member(self) -> Member:
        """Another node: the first one is the primary."""
        taken = {int(member.name.rpartition("-")[2]) for member in self.members}
        number = next(number for number in range(1, len(taken) + 2) if number not in taken)
        zones = self.member_zones or [f"{self.region}{letter}" for letter in "abc"]
        role: Literal["primary", "replica"] = "replica" if self.members else "primary"
        name = f"{self.replication_group_id}-{number:03}"
        member = Member(name, zones[len(self.members) % len(zones)], role, self.cloud.clock.now())
        self.members.append(member)
        return member

    def parameter_group(self) -> str:
        """The group asked for, else the engine's own."""
        return self.cache_parameter_group_name or f"default.{self.engine}{self.engine_version.partition('.')[0]}"

    def cluster(self, member: Member, with_nodes: bool) -> dict[str, Any]:
        """A member as DescribeCacheClusters shows it."""
        pending = {**self.waiting, **self.changing}
        arn = self.arn.replace(f":replicationgroup:{self.replication_group_id}", f":cluster:{member.name}")
        return {
            "CacheClusterId": member.name,
            "ReplicationGroupId": self.replication_group_id,
            "CacheClusterStatus": member.status,
            "CacheNodeType": self.cache_node_type,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": member.zone,
            "CacheClusterCreateTime": member.created,
            "PreferredMaintenanceWindow": self.preferred_maintenance_window,
            "PendingModifiedValues": {
                name: pending[name] for name in ("CacheNodeType", "EngineVersion") if name in pending
            },
            "CacheSecurityGroups": [],
            "CacheParameterGroup": {
                "CacheParameterGroupName": self.parameter_group(),
                "ParameterApplyStatus": "in-sync",
                "CacheNodeIdsToReboot": [],
            },
            "CacheSubnetGroupName": self.cache_subnet_group_name or "default",
            "AutoMinorVersionUpgrade": self.auto_minor_version_upgrade,
            "SecurityGroups": [{"SecurityGroupId": item, "Status": "active"} for item in self.security_group_ids],
            "SnapshotRetentionLimit": self.snapshot_retention_limit,
            "SnapshotWindow": self.snapshot_window,
            "AuthTokenEnabled": self.auth_token_enabled,
            "TransitEncryptionEnabled": self.transit_encryption_enabled,
            "AtRestEncryptionEnabled": self.at_rest_encryption_enabled,
            "ARN": arn,
            "ReplicationGroupLogDeliveryEnabled": bool(self.log_delivery_configurations),
            "LogDeliveryConfigurations": self.log_delivery_configurations,
            "NetworkType": self.network_type,
            "IpDiscovery": self.ip_discovery,
            **({"TransitEncryptionMode": self.transit_encryption_mode} if self.transit_encryption_mode else {}),
            **self._notification(),
            **({"CacheNodes": [self._node(member)]} if with_nodes and member.status != "creating" else {}),
        }

    def _notification(self) -> dict[str, Any]:
        if not self.notification_topic_arn:
            return {}
        topic = {"TopicArn": self.notification_topic_arn, "TopicStatus": self.topic_status}
        return {"NotificationConfiguration": topic}

    def _node(self, member: Member) -> dict[str, Any]:
        return {
            "CacheNodeId": CACHE_NODE,
            "CacheNodeStatus": member.status,
            "CacheNodeCreateTime": member.created,
            "Endpoint": {"Address": self.member_address(member.name), "Port": self.port},
            "ParameterGroupStatus": "in-sync",
            "CustomerAvailabilityZone": member.zone,
        }

    def _shown(self, member: Member) -> dict[str, Any]:
        return {
            "CacheClusterId": member.name,
            "CacheNodeId": CACHE_NODE,
            "ReadEndpoint": {"Address": self.member_address(member.name), "Port": self.port},
            "PreferredAvailabilityZone": member.zone,
            "CurrentRole": member.role,
        }

    def _address(self, with_tls: str, without: str) -> str:
        code, _, tail = self.location.partition(".")
        pattern = with_tls if self.transit_encryption_enabled else without
        return pattern.format(id=self.replication_group_id, rest=self.location, code=code, tail=tail)


def has_nodes(settings: Mapping[str, Any]) -> bool:
    """Whether a group of these settings, by their names in moto, is of the kind that is here.

    One in several shards is not, nor one of a global datastore or around a cluster that exists.
    """
    sharded = settings.get("cluster_mode") not in (None, "disabled") or int(settings.get("num_node_groups") or 1) != 1
    return not sharded and not any(settings.get(name) for name in OTHER_KINDS)


def full_version(engine: str, version: str | None) -> str:
    """The version as the service reports it: `7.1` runs as `7.1.0`."""
    if not version:
        return DEFAULT_VERSIONS[engine]
    return version if version.count(".") >= 2 else version + ".0" * (2 - version.count("."))


def region_code(region: str) -> str:
    """The region in endpoint names: `us-west-2` is `usw2`."""
    area, *words, number = region.split("-")
    directions = re.findall("north|south|east|west|central|gov", "".join(words))
    return area + "".join(direction[0] for direction in directions) + number


def groups() -> Sequence[ValkeyGroup]:
    """Every replication group with nodes."""
    backends = [backend for regions in list(elasticache_backends.values()) for backend in list(regions.values())]
    found = [group for backend in backends for group in list(backend.replication_groups.values())]
    return [group for group in found if isinstance(group, ValkeyGroup)]


def _default_security_group(account_id: str, region: str) -> str:
    ec2 = ec2_backends[account_id][region]
    return str(ec2.get_default_security_group(ec2.default_vpc.id).id)
