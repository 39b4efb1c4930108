# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a task's containers on an instance, as the ECS agent does.

A task stops when an essential container of it does not start or ends; what becomes of the others does not affect it
(ECS API reference, ContainerDefinition, `essential`). Reasons are worded as the agent words them:
`CannotPullContainerError` (https://github.com/aws/amazon-ecs-agent/issues/1837), `CannotStartContainerError` (ECS
developer guide, "CannotStartContainerError errors"), `OutOfMemoryError` (there, "OutOfMemoryError errors"), secrets
(https://github.com/newrelic/nri-ecs/issues/10).
"""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from moto.core.exceptions import ServiceException
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from localcloud.ecs import grants
from localcloud.elasticbeanstalk.bundle import MEBIBYTE, ContainerDefinition, Dependency, Dockerrun
from localcloud.engine import ContainerSpec, EngineError, Mount
from localcloud.names import LOOPBACK

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.engine import ContainerState

NO_DRIVER = "failed to initialize logging driver"
OUT_OF_MEMORY = "OutOfMemoryError"
INSTANCE_LABEL = "localcloud.instance"
CURRENT = "/var/app/current"
"""Where an instance has the unpacked bundle."""


class TaskError(Exception):
    """The task did not start; the message is the reason that ECS gives."""


class Interrupted(Exception):
    """The start was given up because its time was over or someone aborted it."""


@dataclass(frozen=True)
class ContainerView:
    """A container as DescribeTasks shows it. `status` is PENDING, RUNNING or STOPPED."""

    name: str
    image: str
    essential: bool
    status: str
    exit_code: int | None
    reason: str | None
    runtime_id: str | None
    ports: Mapping[int, int]
    ip: str
    started: datetime | None
    memory: int | None


@dataclass
class TaskContainer:
    """A container of a task; `gone` is its last state, kept when it has been removed."""

    definition: ContainerDefinition
    runtime_id: str | None = None
    docker_name: str | None = None
    reason: str | None = None
    gone: ContainerState | None = None


@dataclass(frozen=True)
class Place:
    """Where a task runs. `ports` maps the instance's ports to those on loopback."""

    account: str
    region: str
    instance_id: str
    network: str
    cluster: str
    ports: Mapping[int, int]
    log_stream: str


@dataclass
class Task:
    """A task. Status is PENDING, RUNNING or STOPPED; `desired` becomes STOPPED as soon as its end begins."""

    id: str
    place: Place
    family: str
    revision: int
    dockerrun: Dockerrun
    environment: Mapping[str, str]
    containers: list[TaskContainer]
    created: datetime
    started: datetime | None = None
    stopped: datetime | None = None
    status: str = "PENDING"
    desired: str = "RUNNING"
    stopped_reason: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:task/{self.place.cluster}/{self.id}"

    @property
    def definition_arn(self) -> str:
        return f"arn:aws:ecs:{self.place.region}:{self.place.account}:task-definition/{self.family}:{self.revision}"


GiveUp = Callable[[], bool]


class Agent:
    """Starts, watches and stops tasks."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def start(self, task: Task, environment_secrets: Mapping[str, str], give_up: GiveUp) -> None:
        """Pull the images and start the containers in their order.

        :param environment_secrets: Variable to ARN, for every container besides its own secrets.
        :raises TaskError: When something does not start; what had started is stopped.
        :raises Interrupted: When `give_up` said so; what had started is stopped.
        """
        try:
            self._pass_execution_role(task)
            self._pull(task, give_up)
            for container in task.containers:
                if container.reason is None:
                    self._await_dependencies(task, container, give_up)
                    self._run(task, container, environment_secrets)
        except (TaskError, Interrupted) as error:
            self.stop(task, str(error) or "Task was stopped by a deployment.")
            raise
        with task.lock:
            task.status, task.started = "RUNNING", self._cloud.clock.now()

    def views(self, task: Task) -> list[ContainerView]:
        """The containers as they are now."""
        return [self._view(container) for container in task.containers]

    def stop(self, task: Task, reason: str) -> None:
        """Stop all containers side by side, each with its own time to end, and remove them."""
        with task.lock:
            if task.status == "STOPPED":
                return
            task.desired, task.stopped_reason = "STOPPED", reason
            running = [container for container in task.containers if container.runtime_id is not None]
            if running:
                with ThreadPoolExecutor(len(running)) as pool:
                    list(pool.map(self._stop, running))
            task.status, task.stopped = "STOPPED", self._cloud.clock.now()

    # -- starting -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _pass_execution_role(task: Task) -> None:
        """The instance starts the task, and hands ECS the role that reads the containers' secrets."""
        arn, place = task.dockerrun.execution_role_arn, task.place
        if arn is None:
            return
        try:
            instance = grants.instance_holder(place.account, place.region, place.instance_id)
            grants.require_passing(instance, arn)
            grants.execution_holder(place.account, place.region, arn, task.id)
        except grants.Denied as error:
            raise TaskError(str(error)) from error

    def _container_secrets(self, task: Task, references: Mapping[str, str]) -> dict[str, str]:
        """Read as the task's execution role."""
        arn, place = task.dockerrun.execution_role_arn, task.place
        if not references or arn is None:
            return {}
        try:
            holder = grants.execution_holder(place.account, place.region, arn, task.id)
            grants.require_reading(holder, references.values(), "ssm:GetParameters")
        except grants.Denied as error:
            raise TaskError(str(error)) from error
        return {name: self.secret(reference) for name, reference in references.items()}

    def instance_secrets(self, place: Place, references: Mapping[str, str]) -> dict[str, str]:
        """The values of the environment's secrets, read as the instance itself.

        :raises TaskError: When it may not read one, or there is none.
        """
        if not references:
            return {}
        try:
            holder = grants.instance_holder(place.account, place.region, place.instance_id)
            grants.require_reading(holder, references.values(), "ssm:GetParameter")
        except grants.Denied as error:
            raise TaskError(str(error)) from error
        return {name: self.secret(reference) for name, reference in references.items()}

    def _pull(self, task: Task, give_up: GiveUp) -> None:
        credentials: tuple[str, str] | None = None
        for image in dict.fromkeys(container.definition.image for container in task.containers):
            if give_up():
                raise Interrupted("Task was stopped while its images were pulled.")
            ours = image.startswith(f"{self._cloud.registry}/")
            if not ours and self._cloud.engine.image_exists(image):
                continue
            if ours and credentials is None:
                credentials = self._registry_credentials(task.place.region)
            try:
                self._cloud.engine.pull(image, *(credentials if ours and credentials else (None, None)))
            except EngineError as error:
                of_it = [container for container in task.containers if container.definition.image == image]
                for container in of_it:
                    container.reason = f"CannotPullContainerError: Error response from daemon: {error.answer}"
                for container in of_it:
                    _fail_with(container, error)

    def _registry_credentials(self, region: str) -> tuple[str, str]:
        """As the ECS agent does it: with the instance's own rights."""
        client: Any = boto3.client(
            "ecr",
            region_name=region,
            endpoint_url=self._cloud.endpoint,
            aws_access_key_id="instance",
            aws_secret_access_key="instance",  # noqa: S106 - the rehearsal cloud does not check signatures
        )
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        username, _, password = base64.b64decode(token).decode().partition(":")
        return username, password

    def _await_dependencies(self, task: Task, container: TaskContainer, give_up: GiveUp) -> None:
        for dependency in container.definition.depends_on:
            target = next(item for item in task.containers if item.definition.name == dependency.container)
            while not self._fulfilled(dependency, self._view(target)):
                if give_up():
                    name = target.definition.name
                    raise Interrupted(f"Container {name} did not reach {dependency.condition} in time.")
                self._cloud.clock.wait(0.5)

    def _fulfilled(self, dependency: Dependency, target: ContainerView) -> bool:
        if dependency.condition == "START":
            return target.status != "PENDING"
        if target.status != "STOPPED":
            return False
        if dependency.condition == "SUCCESS" and target.exit_code != 0:
            raise TaskError(f"Container {target.name} exited with code {target.exit_code}, and SUCCESS was needed.")
        return True

    def _run(self, task: Task, container: TaskContainer, environment_secrets: Mapping[str, str]) -> None:
        definition = container.definition
        values = {**environment_secrets, **definition.secrets}
        try:
            resolved = self._container_secrets(task, values)
        except TaskError as error:
            container.reason = str(error)
            raise
        spec = self._spec(task, definition, {**task.environment, **definition.environment, **resolved})
        try:
            self._open_log(task, definition)
            container.runtime_id = self._cloud.engine.run(spec)
        except EngineError as error:
            container.reason = f"CannotStartContainerError: Error response from daemon: {error.answer}"
            _fail_with(container, error)
            return
        container.docker_name = spec.name

    @staticmethod
    def _open_log(task: Task, definition: ContainerDefinition) -> None:
        """Docker's driver does it first: with the rights of the execution role where there is one.

        :raises EngineError: When it may not, or there is no such log group.
        """
        logs, place, arn = definition.logs, task.place, task.dockerrun.execution_role_arn
        if logs is None:
            return
        exists = logs.group in logs_backends[place.account][place.region].groups
        try:
            holder = (
                grants.instance_holder(place.account, place.region, place.instance_id)
                if arn is None
                else grants.execution_holder(place.account, place.region, arn, task.id)
            )
            stream = logs.stream(definition.name, task.id)
            grants.require_logging(holder, place.region, logs.group, stream, logs.create_group and not exists)
        except grants.Denied as error:
            raise EngineError(f"{NO_DRIVER}: {error}") from error
        if not exists and not logs.create_group:
            missing = "ResourceNotFoundException: The specified log group does not exist."
            raise EngineError(f"{NO_DRIVER}: failed to create Cloudwatch log stream: {missing}")

    def _spec(self, task: Task, definition: ContainerDefinition, environment: Mapping[str, str]) -> ContainerSpec:
        place = task.place
        name = f"ecs-{task.family}-{task.revision}-{definition.name}-{secrets.token_hex(10)}"
        peers = {item.definition.name: item.docker_name for item in task.containers}
        return ContainerSpec(
            image=definition.image,
            name=name,
            network=place.network,
            command=definition.command,
            entrypoint=definition.entry_point,
            environment=environment,
            labels={
                **self._cloud.labels("container", definition.name),
                INSTANCE_LABEL: place.instance_id,
                "com.amazonaws.ecs.cluster": place.cluster,
                "com.amazonaws.ecs.container-name": definition.name,
                "com.amazonaws.ecs.task-arn": task.arn,
                "com.amazonaws.ecs.task-definition-family": task.family,
                "com.amazonaws.ecs.task-definition-version": str(task.revision),
            },
            ports={item.container_port: (LOOPBACK, place.ports.get(item.host_port, 0)) for item in definition.ports},
            memory_bytes=definition.memory * MEBIBYTE if definition.memory else None,
            mounts=tuple(self._mounts(task, definition)),
            # Only what a container links to has a name for it, as in ECS's bridge mode.
            links=tuple((peers[link.container] or link.container, link.alias) for link in definition.links),
            extra_hosts={**self._endpoint_host(), **definition.extra_hosts},
            hostname=definition.hostname,
            user=definition.user,
        )

    def _mounts(self, task: Task, definition: ContainerDefinition) -> list[Mount]:
        mounts = []
        for point in definition.mount_points:
            path = task.dockerrun.volumes[point.volume]
            if path is None:
                volume = self._cloud.docker_name("volume", f"{task.place.instance_id}-{point.volume}")
                self._cloud.engine.ensure_volume(volume, self._cloud.labels("volume", point.volume))
                mounts.append(Mount(volume, point.path, point.read_only, "volume"))
            else:
                source = host_path(instance_directory(self._cloud, task.place.instance_id), path)
                source.mkdir(parents=True, exist_ok=True)
                mounts.append(Mount(str(source), point.path, point.read_only))
        return mounts

    def _endpoint_host(self) -> dict[str, str]:
        host = urlsplit(self._cloud.container_endpoint).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return {host: self._cloud.engine.gateway()}
        return {}

    def secret(self, reference: str) -> str:
        """The value behind a `valueFrom`: an ARN of SSM, or of Secrets Manager with or without `:key:stage:version`.

        :raises TaskError: When there is none.
        """
        parts = reference.split(":")
        if len(parts) < 6 or parts[2] not in ("secretsmanager", "ssm"):
            raise TaskError(f"invalid valueFrom '{reference}': it has to be the ARN of a secret or of an SSM parameter")
        region, account = parts[3], parts[4]
        if parts[2] == "ssm":
            return _parameter(account, region, reference)
        key, stage, version = [*parts[7:], "", "", ""][:3]
        return _secret_value(account, region, ":".join(parts[:7]), key, stage, version)

    # -- watching and stopping ------------------------------------------------------------------------------------

    def _view(self, container: TaskContainer) -> ContainerView:
        definition = container.definition
        state = container.gone or (self._cloud.engine.inspect(container.runtime_id) if container.runtime_id else None)
        stopped_without_state = container.reason is not None or container.runtime_id is not None
        status = "RUNNING" if state and state.running else "STOPPED" if state or stopped_without_state else "PENDING"
        return ContainerView(
            name=definition.name,
            image=definition.image,
            essential=definition.essential,
            status=status,
            exit_code=state.exit_code if state else None,
            reason=container.reason or _reason(state),
            runtime_id=container.runtime_id,
            ports=state.ports if state and state.running else {},
            ip=state.ip if state else "",
            started=state.started_at if state else None,
            memory=definition.memory,
        )

    def _stop(self, container: TaskContainer) -> None:
        identifier = str(container.runtime_id)
        # Its own way of ending is what DescribeTasks shows of one that ended before it was stopped.
        self._cloud.engine.stop(identifier, container.definition.stop_timeout)
        container.gone = self._cloud.engine.inspect(identifier)

    def remove(self, task: Task) -> None:
        """Remove a stopped task's containers; their last state is kept."""
        for container in task.containers:
            if container.runtime_id is not None:
                self._cloud.engine.remove(container.runtime_id)


def _fail_with(container: TaskContainer, error: EngineError) -> None:
    """:raises TaskError: When the task cannot be without the container that did not start."""
    if container.definition.essential:
        raise TaskError(str(container.reason)) from error


def _reason(state: ContainerState | None) -> str | None:
    if state is None:
        return None
    if state.oom_killed:
        return f"{OUT_OF_MEMORY}: Container killed due to memory usage"
    return state.error or None


def _secret_value(account: str, region: str, arn: str, key: str, stage: str, version: str) -> str:
    where = f"Fetching secret data from AWS Secrets Manager in region {region}: secret {arn}"
    try:
        found = secretsmanager_backends[account][region].get_secret_value(arn, version, stage)
    except Exception as error:  # moto's errors have no common base
        raise TaskError(f"{where}: {getattr(error, 'message', None) or error}") from error
    text = found.get("SecretString")
    if text is None:
        raise TaskError(f"{where}: it has no string value")
    if not key:
        return str(text)
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise TaskError(f"{where}: retrieved secret from Secrets Manager did not contain json key {key}") from None


def _parameter(account: str, region: str, arn: str) -> str:
    name = arn.partition(":parameter")[2]
    try:
        backend = ssm_backends[account][region]
        parameter = backend.get_parameter(name) or backend.get_parameter(name.lstrip("/"))
    except ServiceException:
        parameter = None
    if parameter is None:
        raise TaskError(f"Fetching secret data from SSM Parameter Store in {region}: invalid parameters: {name}")
    return str(parameter.response_object(decrypt=True, region=region)["Value"])


def instance_directory(cloud: Cloud, instance_id: str) -> Any:
    """Where an instance's own files lie on this machine."""
    return cloud.state_dir / "instances" / instance_id


def host_path(directory: Path, path: str) -> Path:
    """Where a path of an instance lies on this machine.

    :param directory: The instance's own files, where Elastic Beanstalk keeps the unpacked bundle as `current`.
    """
    if path == CURRENT or path.startswith(f"{CURRENT}/"):
        return directory / "current" / path.removeprefix(CURRENT).lstrip("/")
    return directory / path.lstrip("/")
