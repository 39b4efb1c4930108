# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's API: what moto keeps, with containers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.elasticache.models as moto_models
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.elasticache.exceptions import (
    CacheClusterNotFound,
    CacheSubnetGroupNotFound,
    ElastiCacheException,
    ReplicationGroupAlreadyExists,
    ReplicationGroupNotFound,
)
from moto.elasticache.responses import ElastiCacheResponse

from localcloud.data import events
from localcloud.data.elasticache import requests
from localcloud.data.elasticache.group import NODE_GROUP, ReplicationGroup, ValkeyGroup, has_nodes
from localcloud.data.elasticache.lifecycle import Lifecycle, log_deliveries
from localcloud.data.others import of_ours
from localcloud.data.paging import page

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


with_nodes = of_ours(
    ElastiCacheResponse, lambda response: response._group(), lambda group: isinstance(group, ValkeyGroup)
)


class ValkeyResponse(ElastiCacheResponse):  # type: ignore[misc]
    """Set `lifecycle` and `cloud` before the first request."""

    lifecycle: Lifecycle
    cloud: Cloud

    # -- replication groups ---------------------------------------------------------------------------------------

    def create_replication_group(self) -> ActionResult:
        params = self._get_params()
        if not has_nodes({camelcase_to_underscores(name): item for name, item in params.items()}):
            return super().create_replication_group()
        requests.check_creation(params, self._subnet_groups())
        groups = self.elasticache_backend.replication_groups
        name = params["ReplicationGroupId"]
        if name.lower() in groups:
            raise ReplicationGroupAlreadyExists(name.lower())
        answer = super().create_replication_group()
        # Moto files it under the name as given.
        group: ValkeyGroup = groups.pop(name)
        groups[group.replication_group_id] = group
        if group.transit_encryption_enabled and not group.transit_encryption_mode:
            group.transit_encryption_mode = "required"
        group.log_delivery_configurations = log_deliveries((), params.get("LogDeliveryConfigurations", ()))
        self.lifecycle.create(group)
        return answer

    def describe_replication_groups(self) -> ActionResult:
        if self._get_param("ReplicationGroupId"):
            return ActionResult({"ReplicationGroups": [self._group()]})
        return super().describe_replication_groups()

    @with_nodes
    def modify_replication_group(self, group: ValkeyGroup) -> ActionResult:
        given = {name: item for name, item in self._get_params().items() if name not in ("Action", "Version")}
        for name in ("AutomaticFailoverEnabled", "MultiAZEnabled", "ApplyImmediately", "AutoMinorVersionUpgrade"):
            if name in given:
                given[name] = requests.is_true(given[name])
        requests.check_modification(group, given)
        self.lifecycle.modify(group, given)
        return ActionResult({"ReplicationGroup": group})

    @with_nodes
    def test_failover(self, group: ValkeyGroup) -> ActionResult:
        if self._get_param("NodeGroupId") != NODE_GROUP:
            raise ElastiCacheException(
                "NodeGroupNotFoundFault", f"Node group {self._get_param('NodeGroupId')} not found."
            )
        if group.automatic_failover != "enabled":
            raise requests.state("Automatic failover is not enabled for the replication group.")
        self._check_available(group)
        self.lifecycle.test_failover(group)
        return ActionResult({"ReplicationGroup": group})

    @with_nodes
    def increase_replica_count(self, group: ValkeyGroup) -> ActionResult:
        count = self._wanted_replicas(group)
        if count <= len(group.replicas):
            raise requests.value(f"NewReplicaCount must be more than the {len(group.replicas)} that there are.")
        if count > 5:
            raise requests.value("NewReplicaCount must be at most 5.")
        self.lifecycle.resize(group, count)
        return ActionResult({"ReplicationGroup": group})

    @with_nodes
    def decrease_replica_count(self, group: ValkeyGroup) -> ActionResult:
        count = self._wanted_replicas(group)
        leaving = self._get_param("ReplicasToRemove") or ()
        if leaving and not self._get_param("NewReplicaCount"):
            count = len(group.replicas) - len(leaving)
        if not 0 <= count < len(group.replicas):
            raise requests.value(f"NewReplicaCount must be less than the {len(group.replicas)} that there are.")
        if count == 0 and group.automatic_failover != "disabled":
            raise requests.value("At least 1 replica is required while automatic failover is enabled.")
        self.lifecycle.resize(group, count, leaving)
        return ActionResult({"ReplicationGroup": group})

    @with_nodes
    def delete_replication_group(self, group: ValkeyGroup) -> ActionResult:
        for name in ("RetainPrimaryCluster", "FinalSnapshotIdentifier"):
            if self._get_param(name):
                raise requests.absent(name)
        if group.status not in ("available", "create-failed", "creating"):
            raise requests.state(f"Replication group {group.replication_group_id} has status {group.status}")
        self.lifecycle.delete(group)
        return ActionResult({"ReplicationGroup": group})

    # -- clusters, events -----------------------------------------------------------------------------------------

    def describe_cache_clusters(self) -> ActionResult:
        wanted = self._get_param("CacheClusterId")
        with_nodes = requests.is_true(self._get_param("ShowCacheNodeInfo"))
        members = [
            group.cluster(member, with_nodes)
            for group in self.elasticache_backend.replication_groups.values()
            if isinstance(group, ValkeyGroup)
            for member in group.members
            if wanted is None or member.name == wanted.lower()
        ]
        alone = [
            cluster
            for name, cluster in self.elasticache_backend.cache_clusters.items()
            if wanted is None or name == wanted
        ]
        if wanted is not None and not members and not alone:
            raise CacheClusterNotFound(wanted)
        if requests.is_true(self._get_param("ShowCacheClustersNotInReplicationGroups")):
            members = []
        return ActionResult(page("CacheClusters", [*members, *alone], self.params))

    def describe_events(self) -> ActionResult:
        found = events.chosen(self.lifecycle.events(self.region), self.cloud.clock.now(), self.params)
        return ActionResult(page("Events", found, self.params))

    def create_cache_cluster(self) -> ActionResult:
        if self._get_param("ReplicationGroupId") and isinstance(self._group(), ValkeyGroup):
            raise requests.absent("CreateCacheCluster with a ReplicationGroupId")
        return super().create_cache_cluster()

    def create_snapshot(self) -> ActionResult:
        of_group = self._get_param("ReplicationGroupId") and not self._get_param("CacheClusterId")
        if of_group and isinstance(group := self._group(), ValkeyGroup):
            self._check_available(group)
            raise requests.absent("CreateSnapshot of a replication group")
        return super().create_snapshot()

    # -- tags -----------------------------------------------------------------------------------------------------

    def list_tags_for_resource(self) -> ActionResult:
        self._check_tags()
        return super().list_tags_for_resource()

    def add_tags_to_resource(self) -> ActionResult:
        self._check_tags()
        return super().add_tags_to_resource()

    def remove_tags_from_resource(self) -> ActionResult:
        self._check_tags()
        return super().remove_tags_from_resource()

    # -- subnet groups --------------------------------------------------------------------------------------------

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

    # -- inside ---------------------------------------------------------------------------------------------------

    def _wanted_replicas(self, group: ValkeyGroup) -> int:
        self._check_available(group)
        if not requests.is_true(self._get_param("ApplyImmediately")):
            raise requests.value("Replicas are only added and removed with ApplyImmediately.")
        count = self._get_int_param("NewReplicaCount")
        if count is None and not self._get_param("ReplicasToRemove"):
            raise requests.value("NewReplicaCount is needed here")
        return int(count or 0)

    @staticmethod
    def _check_available(group: ValkeyGroup) -> None:
        if group.status != "available":
            raise requests.state("Replication group must be in available state to modify.")

    def _check_tags(self) -> None:
        """A group neither tells nor changes its tags while it is not available."""
        arn = self._get_param("ResourceName")
        for group in self.elasticache_backend.replication_groups.values():
            if isinstance(group, ValkeyGroup) and group.arn == arn and group.status != "available":
                raise requests.state("Cluster not in available state to perform tagging operations.")

    def _group(self) -> ReplicationGroup:
        name = str(self._get_param("ReplicationGroupId"))
        groups = self.elasticache_backend.replication_groups
        group: ReplicationGroup | None = groups.get(name.lower()) or groups.get(name)
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
