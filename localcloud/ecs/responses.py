# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's read operations for the clusters of Elastic Beanstalk; what concerns other clusters is moto's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse

from localcloud.ecs.clusters import Cluster, Clusters, ContainerInstance, TaskDefinition
from localcloud.ecs.tasks import Agent, ContainerView, Task
from localcloud.elasticbeanstalk.bundle import ContainerDefinition
from localcloud.names import LOOPBACK

Description = dict[str, Any]


@dataclass(frozen=True)
class Readers:
    """What the read operations look at."""

    agent: Agent
    clusters: Clusters


class ECSResponse(EC2ContainerServiceResponse):  # type: ignore[misc]
    """One method per operation, found by moto by its name."""

    readers: Readers

    @property
    def _clusters(self) -> list[Cluster]:
        return self.readers.clusters.of(self.current_account, self.region)

    def _cluster(self) -> Cluster | None:
        """The cluster that the request names, when it is one of ours."""
        wanted = self._get_param("cluster") or "default"
        return next((cluster for cluster in self._clusters if wanted in (cluster.name, cluster.arn)), None)

    def list_clusters(self) -> ActionResult:
        theirs = super().list_clusters().result
        return ActionResult({"clusterArns": [*theirs["clusterArns"], *(cluster.arn for cluster in self._clusters)]})

    def describe_clusters(self) -> ActionResult:
        wanted = self._get_param("clusters") or ["default"]
        ours = [cluster for cluster in self._clusters if cluster.name in wanted or cluster.arn in wanted]
        named = {name for cluster in ours for name in (cluster.name, cluster.arn)}
        rest = [name for name in wanted if name not in named]
        if not rest:
            return ActionResult({"clusters": [_cluster(cluster) for cluster in ours], "failures": []})
        self.params["clusters"] = rest
        theirs = super().describe_clusters().result
        return ActionResult({**theirs, "clusters": [*theirs["clusters"], *map(_cluster, ours)]})

    def list_container_instances(self) -> ActionResult:
        cluster = self._cluster()
        if cluster is None:
            return super().list_container_instances()
        return ActionResult({"containerInstanceArns": [_instance_arn(cluster, item) for item in cluster.instances]})

    def describe_container_instances(self) -> ActionResult:
        cluster = self._cluster()
        if cluster is None:
            return super().describe_container_instances()
        wanted = self._get_param("containerInstances") or []
        found = [item for item in cluster.instances if _named(wanted, item.id, _instance_arn(cluster, item))]
        missing = _missing(wanted, [_instance_arn(cluster, item) for item in found])
        return ActionResult(
            {"containerInstances": [_container_instance(cluster, item) for item in found], "failures": missing}
        )

    def list_tasks(self) -> ActionResult:
        cluster = self._cluster()
        if cluster is None:
            return super().list_tasks()
        desired = self._get_param("desiredStatus") or "RUNNING"
        family, instance = self._get_param("family"), self._get_param("containerInstance")
        arns = [
            task.arn
            for task in cluster.tasks
            if task.desired == desired
            and family in (None, task.family)
            and (instance is None or _named([instance], *_instance_names(cluster, task)))
        ]
        return ActionResult({"taskArns": arns})

    def describe_tasks(self) -> ActionResult:
        cluster = self._cluster()
        if cluster is None:
            return super().describe_tasks()
        wanted = self._get_param("tasks") or []
        found = [task for task in cluster.tasks if _named(wanted, task.id, task.arn)]
        described = [_task(cluster, task, self.readers.agent.views(task)) for task in found]
        return ActionResult({"tasks": described, "failures": _missing(wanted, [task.arn for task in found])})

    def list_task_definitions(self) -> ActionResult:
        prefix = self._get_param("familyPrefix")
        arns = [
            _definition_arn(cluster, definition)
            for cluster in self._clusters
            for definition in cluster.definitions
            if prefix in (None, definition.family)
        ]
        theirs = super().list_task_definitions().result
        return ActionResult({"taskDefinitionArns": [*theirs["taskDefinitionArns"], *arns]})

    def describe_task_definition(self) -> ActionResult:
        wanted = str(self._get_param("taskDefinition"))
        for cluster in self._clusters:
            for definition in reversed(cluster.definitions):
                names = (definition.family, f"{definition.family}:{definition.revision}")
                if wanted in (*names, _definition_arn(cluster, definition)):
                    return ActionResult({"taskDefinition": _task_definition(cluster, definition), "tags": []})
        return super().describe_task_definition()


def _named(wanted: Iterable[str], *names: str) -> bool:
    return any(name in wanted for name in names)


def _missing(wanted: Iterable[str], arns: Iterable[str]) -> list[Description]:
    known = {name for arn in arns for name in (arn, arn.rpartition("/")[2])}
    return [{"arn": name, "reason": "MISSING"} for name in wanted if name not in known]


def _cluster(cluster: Cluster) -> Description:
    statuses = [task.status for task in cluster.tasks]
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": len(cluster.instances),
        "runningTasksCount": statuses.count("RUNNING"),
        "pendingTasksCount": statuses.count("PENDING"),
        "activeServicesCount": 0,
    }


def _instance_arn(cluster: Cluster, item: ContainerInstance) -> str:
    return f"arn:aws:ecs:{cluster.region}:{cluster.account}:container-instance/{cluster.name}/{item.id}"


def _instance_names(cluster: Cluster, task: Task) -> list[str]:
    """The container instance that a task runs on, by id and ARN."""
    found = [item for item in cluster.instances if item.ec2_instance_id == task.place.instance_id]
    return [name for item in found for name in (item.id, _instance_arn(cluster, item))]


def _container_instance(cluster: Cluster, item: ContainerInstance) -> Description:
    statuses = [task.status for task in cluster.tasks if task.place.instance_id == item.ec2_instance_id]
    return {
        "containerInstanceArn": _instance_arn(cluster, item),
        "ec2InstanceId": item.ec2_instance_id,
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": statuses.count("RUNNING"),
        "pendingTasksCount": statuses.count("PENDING"),
        "registeredAt": item.registered,
    }


def _task(cluster: Cluster, task: Task, views: Iterable[ContainerView]) -> Description:
    arns = [name for name in _instance_names(cluster, task) if name.startswith("arn:")]
    return _present(
        taskArn=task.arn,
        clusterArn=cluster.arn,
        taskDefinitionArn=task.definition_arn,
        containerInstanceArn=arns[0] if arns else None,
        lastStatus=task.status,
        desiredStatus=task.desired,
        launchType="EC2",
        createdAt=task.created,
        startedAt=task.started,
        stoppedAt=task.stopped,
        stoppedReason=task.stopped_reason,
        stopCode=_stop_code(task),
        healthStatus="UNKNOWN",
        containers=[_container(task, view) for view in views],
    )


def _stop_code(task: Task) -> str | None:
    if task.status != "STOPPED":
        return None
    if task.started is None:
        return "TaskFailedToStart"
    return "EssentialContainerExited" if str(task.stopped_reason).startswith("Essential") else "UserInitiated"


def _container(task: Task, view: ContainerView) -> Description:
    return _present(
        containerArn=f"{task.arn.replace(':task/', ':container/')}/{view.name}",
        taskArn=task.arn,
        name=view.name,
        image=view.image,
        imageDigest=view.image.partition("@")[2] or None,
        runtimeId=view.runtime_id,
        lastStatus=view.status,
        exitCode=view.exit_code if view.status == "STOPPED" else None,
        reason=view.reason,
        healthStatus="UNKNOWN",
        memory=str(view.memory) if view.memory else None,
        networkInterfaces=[],
        networkBindings=[
            {"bindIP": LOOPBACK, "containerPort": port, "hostPort": _host_port(task, local), "protocol": "tcp"}
            for port, local in sorted(view.ports.items())
        ],
    )


def _host_port(task: Task, local: int) -> int:
    """The port on the instance for the one on loopback that stands for it; a dynamic port stands for itself."""
    return next((port for port, mapped in task.place.ports.items() if mapped == local), local)


def _definition_arn(cluster: Cluster, definition: TaskDefinition) -> str:
    name = f"{definition.family}:{definition.revision}"
    return f"arn:aws:ecs:{cluster.region}:{cluster.account}:task-definition/{name}"


def _task_definition(cluster: Cluster, definition: TaskDefinition) -> Description:
    volumes: Mapping[str, str | None] = definition.dockerrun.volumes
    return _present(
        taskDefinitionArn=_definition_arn(cluster, definition),
        family=definition.family,
        revision=definition.revision,
        status="ACTIVE",
        executionRoleArn=definition.dockerrun.execution_role_arn,
        registeredAt=_seconds(definition.registered),
        volumes=[{"name": name, "host": _present(sourcePath=path)} for name, path in volumes.items()],
        containerDefinitions=[_container_definition(definition, item) for item in definition.dockerrun.containers],
    )


def _seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _container_definition(definition: TaskDefinition, item: ContainerDefinition) -> Description:
    environment = {**definition.environment, **item.environment}
    secrets = {**definition.secrets, **item.secrets}
    return _present(
        name=item.name,
        image=item.image,
        essential=item.essential,
        cpu=0,
        memory=item.memory,
        memoryReservation=item.memory_reservation,
        command=list(item.command) if item.command else None,
        entryPoint=list(item.entry_point) if item.entry_point else None,
        environment=[{"name": name, "value": value} for name, value in environment.items()],
        secrets=[{"name": name, "valueFrom": value} for name, value in secrets.items()],
        portMappings=[
            {"containerPort": port.container_port, "hostPort": port.host_port, "protocol": "tcp"} for port in item.ports
        ],
        links=[f"{link.container}:{link.alias}" for link in item.links],
        dependsOn=[{"containerName": need.container, "condition": need.condition} for need in item.depends_on],
        mountPoints=[
            {"sourceVolume": point.volume, "containerPath": point.path, "readOnly": point.read_only}
            for point in item.mount_points
        ],
        hostname=item.hostname,
        user=item.user,
    )


def _present(**members: Any) -> Description:
    return {name: value for name, value in members.items() if value is not None}
