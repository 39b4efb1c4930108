# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache: each replication group is a Valkey in a container of its own, with TLS only where TLS was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import moto.elasticache.models as moto_models
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.elasticache import urls
from moto.elasticache.exceptions import (
    CacheSubnetGroupNotFound,
    ElastiCacheException,
    InvalidParameterValueException,
    ReplicationGroupNotFound,
)
from moto.elasticache.models import elasticache_backends
from moto.elasticache.responses import ElastiCacheResponse
from moto.moto_api._internal import mock_random

from localcloud.data.servers import Condition, Servers, Wanted
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

DEFAULT_VERSIONS = {"redis": "7.1.0", "valkey": "8.1.0"}
DEFAULT_PORT = 6379

STATUS: dict[Condition, str] = {
    "starting": "creating",
    "ready": "available",
    "stopped": "create-failed",
    "failed": "create-failed",
}

NODE_MEMORY_MIB = {
    "cache.t4g.micro": 512,
    "cache.t4g.small": 1402,
    "cache.t4g.medium": 3164,
    "cache.t3.micro": 512,
    "cache.t3.small": 1402,
    "cache.t3.medium": 3164,
}
"""What ElastiCache gives the data of a node type, in MiB; the types of others are not limited here."""

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
        "AutoMinorVersionUpgrade",
        "SnapshotRetentionLimit",
        "SnapshotWindow",
        "AuthToken",
        "TransitEncryptionEnabled",
        "TransitEncryptionMode",
        "AtRestEncryptionEnabled",
        "KmsKeyId",
        "NetworkType",
        "IpDiscovery",
        "ClusterMode",
    }
)
"""What CreateReplicationGroup understands here; anything else is refused."""

MODIFIED = {
    "ReplicationGroupDescription": "description",
    "CacheNodeType": "cache_node_type",
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "SecurityGroupIds": "security_group_ids",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
}
SWITCHED = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}


def install(cloud: Cloud) -> None:
    """Put containers behind moto's replication groups.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    if list(urls.url_paths) != ["{0}/$"] or not hasattr(moto_models, "ReplicationGroup"):
        raise RuntimeError(
            "moto's ElastiCache has another shape than expected: not the moto that requirements.txt pins"
        )
    servers = Servers(cloud)
    cloud.reset_hooks.append(servers.remove_all)
    ValkeyGroup.condition_of = staticmethod(servers.condition)
    ValkeyResponse.servers = servers
    ValkeyResponse.cloud = cloud
    moto_models.ReplicationGroup = ValkeyGroup
    urls.url_paths["{0}/$"] = ValkeyResponse.dispatch
    cloud.status_providers["caches"] = lambda: _status(cloud)


def _status(cloud: Cloud) -> dict[str, Any]:
    found = {}
    for region, backend in elasticache_backends[cloud.account_id].items():
        for name, group in backend.replication_groups.items():
            found[name] = {
                "engine": f"{group.engine} {group.engine_version}",
                "status": group.status,
                "endpoint": f"{group.primary_address}:{group.port}",
                "tls": group.transit_encryption_enabled,
                "region": region,
                "container": cloud.docker_name("elasticache", name if region == cloud.region else f"{region}-{name}"),
            }
    return found


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


class ValkeyGroup(moto_models.ReplicationGroup):  # type: ignore[misc]
    """A replication group whose status is that of its container."""

    condition_of: Callable[[str, str], Condition]

    def __init__(self, account_id: str, region_name: str, replication_group_id: str, **kwargs: Any) -> None:
        self.region = region_name
        nodes = kwargs.get("num_cache_clusters") or (kwargs.get("replicas_per_node_group") or 0) + 1
        super().__init__(account_id, region_name, replication_group_id.lower(), **kwargs)
        self.engine_version: str = full_version(self.engine, kwargs.get("engine_version"))
        groups: list[str] = kwargs.get("security_group_ids") or [_default_security_group(account_id, region_name)]
        self.security_group_ids = groups
        suffix = mock_random.get_random_string(6, lower_case=True)
        self.domain = f"{self.replication_group_id}.{suffix}.{region_code(region_name)}.cache.amazonaws.com"
        self.resize(nodes)

    @property
    def status(self) -> str:
        if self._status == "deleting":
            return "deleting"
        return STATUS[type(self).condition_of(self.region, self.replication_group_id)]

    @status.setter
    def status(self, value: str) -> None:
        self._status = value

    @property
    def primary_address(self) -> str:
        return f"master.{self.domain}"

    @property
    def addresses(self) -> list[str]:
        """Every name of the group; the primary's is the first."""
        nodes = [f"{name}.{self.domain}" for name in self.member_clusters]
        return [self.primary_address, f"replica.{self.domain}", *nodes]

    def resize(self, nodes: int) -> None:
        """Have that many nodes; all are the same server here."""
        zones = [f"{self.region}{letter}" for letter in "abc"]
        self.member_clusters = [f"{self.replication_group_id}-{number:03}" for number in range(1, nodes + 1)]
        self.node_groups: list[dict[str, Any]] = [
            {
                "NodeGroupId": "0001",
                "Status": "available",
                "PrimaryEndpoint": {"Address": self.primary_address, "Port": self.port},
                "ReaderEndpoint": {"Address": f"replica.{self.domain}", "Port": self.port},
                "NodeGroupMembers": [
                    {
                        "CacheClusterId": name,
                        "CacheNodeId": "0001",
                        "ReadEndpoint": {"Address": f"{name}.{self.domain}", "Port": self.port},
                        "PreferredAvailabilityZone": zones[number % len(zones)],
                        "CurrentRole": "replica" if number else "primary",
                    }
                    for number, name in enumerate(self.member_clusters)
                ],
            }
        ]

    def parameter_group(self) -> str:
        """The group asked for, else the engine's own."""
        return self.cache_parameter_group_name or f"default.{self.engine}{self.engine_version.partition('.')[0]}"

    def cluster(self, number: int) -> dict[str, Any]:
        """One of the group's nodes as DescribeCacheClusters shows it."""
        name = self.member_clusters[number]
        arn = self.arn.replace(f":replicationgroup:{self.replication_group_id}", f":cluster:{name}")
        return {
            "CacheClusterId": name,
            "ReplicationGroupId": self.replication_group_id,
            "CacheClusterStatus": self.status,
            "CacheNodeType": self.cache_node_type,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": self.node_groups[0]["NodeGroupMembers"][number]["PreferredAvailabilityZone"],
            "CacheClusterCreateTime": self.replication_group_create_time,
            "PreferredMaintenanceWindow": self.preferred_maintenance_window or "sun:09:00-sun:10:00",
            "PendingModifiedValues": {},
            "CacheSecurityGroups": [],
            "CacheParameterGroup": {
                "CacheParameterGroupName": self.parameter_group(),
                "ParameterApplyStatus": "in-sync",
                "CacheNodeIdsToReboot": [],
            },
            "CacheSubnetGroupName": self.cache_subnet_group_name or "default",
            "AutoMinorVersionUpgrade": self.auto_minor_version_upgrade is not False,
            "SecurityGroups": [{"SecurityGroupId": item, "Status": "active"} for item in self.security_group_ids],
            "SnapshotRetentionLimit": self.snapshot_retention_limit,
            "SnapshotWindow": self.snapshot_window,
            "AuthTokenEnabled": self.auth_token_enabled,
            "TransitEncryptionEnabled": self.transit_encryption_enabled,
            "AtRestEncryptionEnabled": self.at_rest_encryption_enabled,
            "ARN": arn,
            "ReplicationGroupLogDeliveryEnabled": False,
            "NetworkType": self.network_type,
            "IpDiscovery": self.ip_discovery,
            **({"TransitEncryptionMode": self.transit_encryption_mode} if self.transit_encryption_mode else {}),
        }


class ValkeyResponse(ElastiCacheResponse):  # type: ignore[misc]
    """Set `servers` and `cloud` before the first request."""

    servers: Servers
    cloud: Cloud

    def create_replication_group(self) -> ActionResult:
        params = self._get_params()
        _check(params, self._subnet_groups())
        answer = super().create_replication_group()
        # Moto files it under the name as given.
        groups = self.elasticache_backend.replication_groups
        group = groups.pop(params["ReplicationGroupId"])
        groups[group.replication_group_id] = group
        if group.transit_encryption_enabled and not group.transit_encryption_mode:
            group.transit_encryption_mode = "required"
        try:
            self.servers.start(_wanted(self.cloud, group, params.get("AuthToken")))
        except EngineError as error:
            del groups[group.replication_group_id]
            raise ElastiCacheException("InternalFailure", str(error)) from error
        return answer

    def describe_replication_groups(self) -> ActionResult:
        if self._get_param("ReplicationGroupId"):
            return ActionResult({"ReplicationGroups": [self._group()]})
        return super().describe_replication_groups()

    def modify_replication_group(self) -> ActionResult:
        params = self._get_params()
        known = {*MODIFIED, *SWITCHED, "ReplicationGroupId", "ApplyImmediately"}
        if unknown := sorted(set(params) - known):
            raise ElastiCacheException("InvalidAction", f"Modifying {', '.join(unknown)} is not implemented here")
        group = self._group()
        for parameter, attribute in MODIFIED.items():
            if parameter in params:
                setattr(group, attribute, params[parameter])
        for parameter, attribute in SWITCHED.items():
            if parameter in params:
                setattr(group, attribute, "enabled" if _is_true(params[parameter]) else "disabled")
        group.engine_version = full_version(group.engine, group.engine_version)
        self.servers.admit(self.region, group.replication_group_id, group.security_group_ids)
        return ActionResult({"ReplicationGroup": group})

    def increase_replica_count(self) -> ActionResult:
        return self._resize()

    def decrease_replica_count(self) -> ActionResult:
        return self._resize()

    def delete_replication_group(self) -> ActionResult:
        group = self._group()
        group.status = "deleting"
        del self.elasticache_backend.replication_groups[group.replication_group_id]
        self.servers.remove(self.region, group.replication_group_id)
        return ActionResult({"ReplicationGroup": group})

    def describe_cache_clusters(self) -> ActionResult:
        wanted = self._get_param("CacheClusterId")
        members = [
            group.cluster(number)
            for group in self.elasticache_backend.replication_groups.values()
            for number, name in enumerate(group.member_clusters)
            if wanted is None or name == wanted.lower()
        ]
        if wanted is not None and members:
            return ActionResult({"CacheClusters": members})
        others = self.elasticache_backend.describe_cache_clusters(cache_cluster_id=wanted)
        return ActionResult({"CacheClusters": [*members, *others]})

    def create_cache_cluster(self) -> ActionResult:
        raise ElastiCacheException(
            "InvalidAction", "CreateCacheCluster is not implemented here: make a replication group"
        )

    def modify_cache_subnet_group(self) -> ActionResult:
        group = self._subnet_group()
        if (subnet_ids := self._get_param("SubnetIds")) is not None:
            made = moto_models.CacheSubnetGroup(
                self.current_account, self.region, group.cache_subnet_group_name, "", subnet_ids, []
            )
            group.subnet_ids, group.subnets, group.vpc_id = subnet_ids, made.subnets, made.vpc_id
        if (description := self._get_param("CacheSubnetGroupDescription")) is not None:
            group.cache_subnet_group_description = description
        return ActionResult({"CacheSubnetGroup": group})

    def delete_cache_subnet_group(self) -> ActionResult:
        group = self._subnet_group()
        name = group.cache_subnet_group_name
        users = [
            item.replication_group_id
            for item in self.elasticache_backend.replication_groups.values()
            if item.cache_subnet_group_name == name
        ]
        if users:
            raise ElastiCacheException("CacheSubnetGroupInUse", f"Cache subnet group {name} is in use by {users[0]}")
        del self._subnet_groups()[name]
        return ActionResult({})

    def _resize(self) -> ActionResult:
        group = self._group()
        count = self._get_int_param("NewReplicaCount")
        if count is None:
            raise InvalidParameterValueException("NewReplicaCount is needed here")
        group.resize(count + 1)
        return ActionResult({"ReplicationGroup": group})

    def _group(self) -> ValkeyGroup:
        name = str(self._get_param("ReplicationGroupId"))
        group: ValkeyGroup | None = self.elasticache_backend.replication_groups.get(name.lower())
        if group is None:
            raise ReplicationGroupNotFound(name)
        return group

    def _subnet_groups(self) -> dict[str, Any]:
        groups: dict[str, Any] = self.elasticache_backend.cache_subnet_groups
        return groups

    def _subnet_group(self) -> Any:
        name = str(self._get_param("CacheSubnetGroupName"))
        if name not in self._subnet_groups():
            raise CacheSubnetGroupNotFound(name)
        return self._subnet_groups()[name]


def _check(params: Mapping[str, Any], subnet_groups: Mapping[str, Any]) -> None:
    """Refuse what AWS would, and what is not implemented here rather than ignore it."""
    if unknown := sorted(set(params) - CREATED - {"Action", "Version"}):
        raise ElastiCacheException("InvalidAction", f"{', '.join(unknown)} is not implemented here")
    if params.get("ClusterMode", "disabled") != "disabled" or int(params.get("NumNodeGroups") or 1) != 1:
        raise ElastiCacheException("InvalidAction", "Cluster mode is not implemented here")
    if params.get("TransitEncryptionMode", "required") != "required":
        raise ElastiCacheException("InvalidAction", "TransitEncryptionMode preferred is not implemented here")
    engine = params.get("Engine") or "redis"
    if engine not in DEFAULT_VERSIONS:
        raise InvalidParameterValueException(f"The parameter Engine is invalid: {engine}. Must be redis or valkey.")
    name = str(params["ReplicationGroupId"])
    if not re.fullmatch(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,39}(?<!-)", name):
        raise InvalidParameterValueException(
            f"The parameter ReplicationGroupIdentifier is not a valid identifier: {name}. It must begin with a letter, "
            "have at most 40 letters, digits and hyphens, not end with a hyphen nor have two in a row."
        )
    subnet_group = params.get("CacheSubnetGroupName")
    if subnet_group not in (None, "default") and subnet_group not in subnet_groups:
        raise CacheSubnetGroupNotFound(str(subnet_group))
    if params.get("AuthToken") and not _is_true(params.get("TransitEncryptionEnabled")):
        raise ElastiCacheException(
            "InvalidParameterCombination", "The AUTH token is only supported when encryption-in-transit is enabled"
        )


def _wanted(cloud: Cloud, group: ValkeyGroup, auth_token: str | None) -> Wanted:
    issued = cloud.ca.issue([*group.addresses, "localhost"])
    transport = ("--tls", "--insecure") if group.transit_encryption_enabled else ()
    return Wanted(
        kind="elasticache",
        name=group.replication_group_id,
        region=group.region,
        entrypoint="/usr/local/bin/elasticache-entrypoint",
        directory="/run/node",
        files={
            "certificate.pem": issued.certificate.read_bytes(),
            "key.pem": issued.key.read_bytes(),
            "authority.pem": issued.authority.read_bytes(),
            "node.conf": _configuration(group, auth_token).encode(),
        },
        environment={},
        # Without the password the answer is NOAUTH: served all the same.
        probe=("sh", "-c", f"valkey-cli {' '.join(transport)} -p {group.port} ping | grep -Eq 'PONG|NOAUTH'"),
        endpoint=group.primary_address,
        more_endpoints=tuple(group.addresses[1:]),
        port=int(group.port),
        security_group_ids=tuple(group.security_group_ids),
    )


def _configuration(group: ValkeyGroup, auth_token: str | None) -> str:
    lines = [
        "bind * -::*",
        "protected-mode no",
        "dir /tmp",
        'save ""',
        "appendonly no",
        "maxmemory-policy volatile-lru",
    ]
    memory = NODE_MEMORY_MIB.get(group.cache_node_type)
    lines += [f"maxmemory {memory}mb"] if memory else []
    if group.transit_encryption_enabled:
        lines += [
            "port 0",
            f"tls-port {group.port}",
            "tls-cert-file /run/tls/certificate.pem",
            "tls-key-file /run/tls/key.pem",
            "tls-ca-cert-file /run/tls/authority.pem",
            "tls-auth-clients no",
        ]
    else:
        lines += [f"port {group.port}"]
    lines += [f'requirepass "{auth_token}"'] if auth_token else []
    return "\n".join(lines) + "\n"


def _default_security_group(account_id: str, region: str) -> str:
    ec2 = ec2_backends[account_id][region]
    return str(ec2.get_default_security_group(ec2.default_vpc.id).id)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
