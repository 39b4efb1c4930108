# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of an environment, seen from outside through the ECS cluster that its instances joined."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import Raw, call, is_denied, pages
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Task

_PAGE = 100


@dataclass
class ContainersApi:
    """Reads tasks from ECS. ``client`` is a boto3 client of ecs.

    Where each instance was found is remembered, and so are task definitions: a revision never changes.
    """

    client: t.Any
    _places: dict[str, tuple[str, str]] = field(default_factory=dict)
    _definitions: dict[str, Raw] = field(default_factory=dict)

    def tasks(self, environment_name: str, instance_ids: t.Sequence[str]) -> tuple[Task, ...] | None:
        """Return the tasks on these instances, running and stopped; None when no cluster knows the instances.

        Raises AwsError.
        """
        if not set(instance_ids) <= set(self._places):
            self._find(environment_name, instance_ids)
        instance_of = {place: instance for instance, place in self._places.items() if instance in instance_ids}
        if not instance_of:
            return None
        return tuple(
            _task(raw, instance_of[(cluster, raw.get("containerInstanceArn", ""))], self._definition(raw))
            for cluster in sorted({cluster for cluster, _container_instance in instance_of})
            for raw in self._described_tasks(cluster)
            if (cluster, raw.get("containerInstanceArn", "")) in instance_of
        )

    def _definition(self, task: Raw) -> Raw:
        """Return the containers' definitions by name; none where they may not be read."""
        arn = task.get("taskDefinitionArn", "")
        if arn and arn not in self._definitions:
            try:
                answer = call("read a task definition", self.client.describe_task_definition, taskDefinition=arn)
            except AwsError:
                return {}
            found = answer.get("taskDefinition", {}).get("containerDefinitions", [])
            self._definitions[arn] = {item.get("name", ""): item for item in found}
        return self._definitions.get(arn, {})

    def _find(self, environment_name: str, instance_ids: t.Sequence[str]) -> None:
        clusters = pages("list ECS clusters", self.client.list_clusters, "clusterArns", next_key="nextToken")
        if own := [cluster for cluster in clusters if _is_of(cluster, environment_name)]:
            # An instance that is in none of them yet will come: it is in nobody else's.
            self._search(own, instance_ids)
            return
        # The name is the service's habit, not its promise: without a cluster of that name any may be the one.
        for cluster in clusters:
            try:
                self._search([cluster], instance_ids)
            except AwsError as error:
                # Others' clusters may be closed to who deploys this environment.
                if not is_denied(error):
                    raise
            if set(instance_ids) <= set(self._places):
                return

    def _search(self, clusters: t.Iterable[str], instance_ids: t.Sequence[str]) -> None:
        for cluster in clusters:
            for raw in self._container_instances(cluster):
                if raw.get("ec2InstanceId") in instance_ids:
                    self._places[raw["ec2InstanceId"]] = (cluster, raw.get("containerInstanceArn", ""))

    def _container_instances(self, cluster: str) -> list[Raw]:
        attempted = f"read the container instances of ECS cluster {_name(cluster)!r}"
        operation = self.client.list_container_instances
        arns = pages(attempted, operation, "containerInstanceArns", next_key="nextToken", cluster=cluster)
        return [
            raw
            for batch in _batches(arns)
            for raw in call(
                attempted, self.client.describe_container_instances, cluster=cluster, containerInstances=batch
            ).get("containerInstances", [])
        ]

    def _described_tasks(self, cluster: str) -> list[Raw]:
        attempted = f"read the tasks of ECS cluster {_name(cluster)!r}"
        arns: dict[str, None] = {}
        for status in ("RUNNING", "STOPPED"):
            operation = self.client.list_tasks
            arns.update(
                dict.fromkeys(
                    pages(attempted, operation, "taskArns", next_key="nextToken", cluster=cluster, desiredStatus=status)
                )
            )
        return [
            raw
            for batch in _batches(list(arns))
            for raw in call(attempted, self.client.describe_tasks, cluster=cluster, tasks=batch).get("tasks", [])
        ]


def _is_of(cluster: str, environment_name: str) -> bool:
    """Tell whether Elastic Beanstalk gave the cluster its name for this environment, with ten characters of its own.

    The length is that of all names in logs that people made public; without it, antenna's would be antenna-staging's.
    """
    return re.fullmatch(rf"awseb-{re.escape(environment_name)}-[a-z0-9]{{10}}", _name(cluster)) is not None


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _batches(arns: t.Sequence[str]) -> list[list[str]]:
    return [list(arns[start : start + _PAGE]) for start in range(0, len(arns), _PAGE)]


def _task(raw: Raw, instance_id: str, definitions: Raw) -> Task:
    awaited = {
        need.get("containerName")
        for definition in definitions.values()
        for need in definition.get("dependsOn") or ()
        if need.get("condition") in ("COMPLETE", "SUCCESS")
    }
    return Task(
        task_arn=raw.get("taskArn", ""),
        instance_id=instance_id,
        desired_status=raw.get("desiredStatus", ""),
        last_status=raw.get("lastStatus", ""),
        stopped_reason=raw.get("stoppedReason", ""),
        created_at=raw.get("createdAt"),
        stopped_at=raw.get("stoppedAt"),
        containers=tuple(
            _container(item, instance_id, definitions.get(item.get("name", "")), item.get("name") in awaited)
            for item in raw.get("containers", [])
        ),
    )


def _container(raw: Raw, instance_id: str, definition: Raw | None, is_job: bool) -> Container:
    return Container(
        name=raw.get("name", ""),
        instance_id=instance_id,
        image=raw.get("image", ""),
        last_status=raw.get("lastStatus", ""),
        health_status=raw.get("healthStatus", ""),
        exit_code=raw.get("exitCode"),
        reason=raw.get("reason", ""),
        essential=None if definition is None else definition.get("essential", True),
        is_job=is_job,
        ports=tuple(sorted(item["hostPort"] for item in raw.get("networkBindings", []) if item.get("hostPort"))),
    )
