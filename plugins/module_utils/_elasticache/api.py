# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that calls ElastiCache about replication groups."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Step
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.model import CHANGED, Endpoint, Group
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.planner import (
    CreateGroup,
    DeleteGroup,
    ModifyGroup,
    ResizeGroup,
    TagGroup,
)

Raw = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class ElastiCacheApi:
    """ElastiCache's replication groups; ``client`` repeats its calls when AWS throttles. Calls raise AwsError."""

    client: t.Any

    def group(self, name: str, count_pending: bool = False) -> Group | None:
        """Return the group of exactly this name, or None.

        With ``count_pending``, what waits for the maintenance window counts as done.
        """
        try:
            with attempting(f"look up the replication group {name!r}"):
                answer = self.client.describe_replication_groups(ReplicationGroupId=name, aws_retry=True)
        except AwsError as error:
            if error.code == "ReplicationGroupNotFoundFault":
                return None
            raise
        # Names are lower case in the service, whatever was given.
        found = [raw for raw in answer["ReplicationGroups"] if raw["ReplicationGroupId"] == name.lower()]
        if not found:
            return None
        member = self._member(found[0])
        if count_pending:
            member = {**member, **member.get("PendingModifiedValues", {})}
        return group_from(found[0], member, self._tags(found[0]))

    def groups(self) -> list[dict[str, str]]:
        """Return identifier, description and status of each group."""
        with attempting("list the replication groups"):
            return [
                {
                    "replication_group_id": raw["ReplicationGroupId"],
                    "description": raw.get("Description", ""),
                    "status": raw["Status"],
                }
                for page in self.client.get_paginator("describe_replication_groups").paginate()
                for raw in page["ReplicationGroups"]
            ]

    def apply(self, step: Step, apply_immediately: bool) -> None:
        """Carry out one step."""
        with attempting(f"{step.op} the replication group {step.resource!r}"):
            if isinstance(step, CreateGroup):
                self.client.create_replication_group(**_create_arguments(step), aws_retry=True)
            elif isinstance(step, DeleteGroup):
                self.client.delete_replication_group(ReplicationGroupId=step.resource, aws_retry=True)
            elif isinstance(step, TagGroup):
                self._tag(step)
            elif isinstance(step, ModifyGroup):
                self.client.modify_replication_group(
                    **_arguments(step.resource, step.options), ApplyImmediately=apply_immediately, aws_retry=True
                )
            elif isinstance(step, ResizeGroup):
                self._resize(step)

    def _resize(self, step: ResizeGroup) -> None:
        operation = self.client.increase_replica_count if step.grows else self.client.decrease_replica_count
        # The service takes no other value for ApplyImmediately here.
        operation(
            ReplicationGroupId=step.resource, NewReplicaCount=step.nodes - 1, ApplyImmediately=True, aws_retry=True
        )

    def _tag(self, step: TagGroup) -> None:
        if step.add:
            tags = ansible_dict_to_boto3_tag_list(dict(step.add))
            self.client.add_tags_to_resource(ResourceName=step.arn, Tags=tags, aws_retry=True)
        if step.remove:
            self.client.remove_tags_from_resource(ResourceName=step.arn, TagKeys=list(step.remove), aws_retry=True)

    def _member(self, raw: Raw) -> Raw:
        """Return the group's first node, which alone knows its version, network and security groups."""
        members = raw.get("MemberClusters") or []
        if not members:
            return {}
        try:
            with attempting(f"look up the cache cluster {members[0]!r}"):
                answer = self.client.describe_cache_clusters(CacheClusterId=members[0], aws_retry=True)
        except AwsError as error:
            if error.code in ("CacheClusterNotFound", "CacheClusterNotFoundFault"):
                return {}
            raise
        return next((item for item in answer["CacheClusters"] if item["CacheClusterId"] == members[0]), {})

    def _tags(self, raw: Raw) -> dict[str, str] | None:
        if not raw.get("ARN"):
            return None
        name = raw["ReplicationGroupId"]
        try:
            with attempting(f"list the tags of the replication group {name!r}"):
                answer = self.client.list_tags_for_resource(ResourceName=raw["ARN"], aws_retry=True)
        except AwsError as error:
            # A group that is being created, changed, backed up or deleted has no tags that could be asked for.
            if error.code in ("InvalidReplicationGroupState", "ReplicationGroupNotFoundFault"):
                return None
            raise
        return {tag["Key"]: tag.get("Value", "") for tag in answer.get("TagList") or []}


def group_from(raw: Raw, member: Raw, tags: t.Mapping[str, str] | None) -> Group:
    """Return the group from the service's answers about it, its first node and its tags."""
    node_group = (raw.get("NodeGroups") or [{}])[0]
    primary = _endpoint(node_group.get("PrimaryEndpoint"))
    security_groups = member.get("SecurityGroups")
    parameter_group = member.get("CacheParameterGroup") or {}
    members = raw.get("MemberClusters")
    return Group(
        replication_group_id=raw["ReplicationGroupId"],
        status=raw["Status"],
        arn=raw.get("ARN"),
        description=raw.get("Description"),
        engine=raw.get("Engine") or member.get("Engine"),
        engine_version=member.get("EngineVersion"),
        # The node's own type is the one that may be pending.
        cache_node_type=member.get("CacheNodeType") or raw.get("CacheNodeType"),
        member_clusters=None if members is None else tuple(members),
        num_cache_clusters=len(members) if members else None,
        automatic_failover_enabled=_switch(raw.get("AutomaticFailover")),
        multi_az_enabled=_switch(raw.get("MultiAZ")),
        transit_encryption_enabled=raw.get("TransitEncryptionEnabled"),
        transit_encryption_mode=raw.get("TransitEncryptionMode"),
        at_rest_encryption_enabled=raw.get("AtRestEncryptionEnabled"),
        cache_subnet_group_name=member.get("CacheSubnetGroupName"),
        cache_parameter_group_name=parameter_group.get("CacheParameterGroupName"),
        security_group_ids=tuple(item["SecurityGroupId"] for item in security_groups) if security_groups else None,
        port=primary.port if primary else None,
        preferred_maintenance_window=member.get("PreferredMaintenanceWindow"),
        snapshot_retention_limit=raw.get("SnapshotRetentionLimit"),
        snapshotting_cluster_id=raw.get("SnapshottingClusterId"),
        primary_endpoint=primary,
        reader_endpoint=_endpoint(node_group.get("ReaderEndpoint")),
        tags=tags,
    )


def _create_arguments(step: CreateGroup) -> dict[str, t.Any]:
    arguments = _arguments(step.resource, step.options)
    if step.tags:
        arguments["Tags"] = ansible_dict_to_boto3_tag_list(dict(step.tags))
    return arguments


def _arguments(name: str, options: t.Iterable[tuple[str, t.Any]]) -> dict[str, t.Any]:
    values = {CHANGED[key]: list(value) if isinstance(value, tuple) else value for key, value in options}
    return {"ReplicationGroupId": name, **values}


def _endpoint(raw: Raw | None) -> Endpoint | None:
    return Endpoint(raw["Address"], int(raw["Port"])) if raw and raw.get("Address") else None


def _switch(word: str | None) -> bool | None:
    """``enabling`` counts as enabled: the change has been asked for already."""
    return None if word is None else word in ("enabled", "enabling")
