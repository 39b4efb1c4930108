# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source bundle as an instance of the ECS platform reads it: Dockerrun v2, .ebextensions, platform hooks."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml

from localcloud.elasticbeanstalk.options import ENVIRONMENT_PROPERTIES, Key

Condition = Literal["START", "COMPLETE", "SUCCESS"]
MEBIBYTE = 1024 * 1024


class BundleError(Exception):
    """The bundle cannot be deployed; the message is the service's or ECS's."""


@dataclass(frozen=True)
class PortMapping:
    container_port: int
    host_port: int


@dataclass(frozen=True)
class Link:
    """The container is seen as `alias`."""

    container: str
    alias: str


@dataclass(frozen=True)
class Dependency:
    container: str
    condition: Condition


@dataclass(frozen=True)
class MountPoint:
    volume: str
    path: str
    read_only: bool


@dataclass(frozen=True)
class AwsLogs:
    """The `awslogs` log driver: output goes to a stream of the group."""

    group: str
    prefix: str | None
    create_group: bool

    def stream(self, container: str, task: str) -> str:
        """The name of the stream of a task's container."""
        return f"{self.prefix}/{container}/{task}" if self.prefix else task


@dataclass(frozen=True)
class ContainerDefinition:
    """A container of the task. Memory in MiB, `stop_timeout` in seconds."""

    name: str
    image: str
    essential: bool
    memory: int | None
    memory_reservation: int | None
    command: tuple[str, ...] | None
    entry_point: tuple[str, ...] | None
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    ports: tuple[PortMapping, ...]
    links: tuple[Link, ...]
    depends_on: tuple[Dependency, ...]
    mount_points: tuple[MountPoint, ...]
    extra_hosts: Mapping[str, str]
    hostname: str | None
    user: str | None
    stop_timeout: int
    logs: AwsLogs | None


@dataclass(frozen=True)
class Dockerrun:
    """Dockerrun.aws.json; `volumes` maps a name to the path on the instance, None for a volume of the engine's."""

    containers: tuple[ContainerDefinition, ...]
    volumes: Mapping[str, str | None]
    execution_role_arn: str | None

    @property
    def host_ports(self) -> set[int]:
        """The ports of the instance that containers publish."""
        return {port.host_port for item in self.containers for port in item.ports if port.host_port}


@dataclass(frozen=True)
class ContainerCommand:
    name: str
    command: str | tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str | None
    ignore_errors: bool
    leader_only: bool = False


@dataclass(frozen=True)
class Bundle:
    """What a source bundle says. `defect`: why its configuration files cannot be read, which a deployment finds out."""

    archive: bytes
    option_settings: Mapping[Key, str]
    container_commands: tuple[ContainerCommand, ...]
    defect: str | None = None

    def check(self) -> None:
        """:raises BundleError: When it cannot be deployed."""
        if self.defect is not None:
            raise BundleError(self.defect)
        self.dockerrun()

    def dockerrun(self, environment_secrets: Collection[str] = ()) -> Dockerrun:
        """Its Dockerrun.aws.json, which nobody looks at before a deployment.

        :param environment_secrets: The secrets that every container gets besides its own.
        :raises BundleError: When ECS would not take it.
        """
        found = _dockerrun(_member(self.archive, "Dockerrun.aws.json"))
        if environment_secrets and not found.execution_role_arn:
            raise _refused(NO_EXECUTION_ROLE)
        return found

    def unpack(self, directory: Path) -> None:
        """Write its files below `directory` with their modes."""
        with _open(self.archive) as archive:
            for item in archive.infolist():
                _write(archive, item, directory)

    def scripts(self, folder: str) -> tuple[str, ...]:
        """The paths of the files directly in `folder`, in the order in which they run."""
        with _open(self.archive) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
        return tuple(sorted(name for name in names if str(PurePosixPath(name).parent) == folder))


def read(archive: bytes) -> Bundle:
    """Read a source bundle; what is wrong with it is its `defect`."""
    try:
        settings, commands = _extensions(archive)
    except BundleError as error:
        return Bundle(archive, {}, (), str(error))
    return Bundle(archive, settings, commands)


def _open(archive: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(archive))
    except zipfile.BadZipFile as error:
        raise BundleError("The source bundle is not a valid zip archive.") from error


def _member(archive: bytes, name: str) -> bytes | None:
    with _open(archive) as opened:
        try:
            return opened.read(name)
        except KeyError:
            return None


def _write(archive: zipfile.ZipFile, item: zipfile.ZipInfo, directory: Path) -> None:
    archive.extract(item, directory)
    mode = stat.S_IMODE(item.external_attr >> 16)
    if mode and not item.is_dir():
        (directory / item.filename).chmod(mode)


# -- Dockerrun.aws.json -----------------------------------------------------------------------------------------------

INVALID = "ECS Application sourcebundle validation error: "
# https://github.com/hashicorp/terraform-provider-aws/issues/6503
NO_EXECUTION_ROLE = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."


def _dockerrun(text: bytes | None) -> Dockerrun:
    if text is None:
        raise BundleError(f"{INVALID}We expected a file named Dockerrun.aws.json at the top of the source bundle.")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BundleError(f"{INVALID}We could not parse Dockerrun.aws.json: {error}.") from error
    version = document.get("AWSEBDockerrunVersion")
    if str(version) != "2":
        raise BundleError(f"{INVALID}Unsupported AWSEBDockerrunVersion: {version}")
    if "authentication" in document:
        raise BundleError(f"{INVALID}the rehearsal cloud does not read 'authentication'; use ECR")
    volumes = {item["name"]: (item.get("host") or {}).get("sourcePath") for item in document.get("volumes", [])}
    containers = tuple(_container(item) for item in document.get("containerDefinitions", []))
    _check(containers, volumes, document.get("executionRoleArn"))
    return Dockerrun(_in_starting_order(containers), volumes, document.get("executionRoleArn"))


KNOWN = frozenset(
    [
        "name",
        "image",
        "essential",
        "memory",
        "memoryReservation",
        "command",
        "entryPoint",
        "environment",
        "secrets",
        "portMappings",
        "links",
        "dependsOn",
        "mountPoints",
        "extraHosts",
        "hostname",
        "user",
        "stopTimeout",
        "logConfiguration",
        "cpu",
        "volumesFrom",
    ]
)


def _container(item: Mapping[str, Any]) -> ContainerDefinition:
    name = item.get("name", "")
    if unknown := sorted(set(item) - KNOWN):
        raise BundleError(f"{INVALID}container '{name}': the rehearsal cloud does not implement {', '.join(unknown)}")
    if item.get("volumesFrom"):
        raise BundleError(f"{INVALID}container '{name}': the rehearsal cloud does not implement volumesFrom")
    return ContainerDefinition(
        name=name,
        image=item.get("image", ""),
        essential=bool(item.get("essential", True)),
        memory=item.get("memory"),
        memory_reservation=item.get("memoryReservation"),
        command=_words(item.get("command")),
        entry_point=_words(item.get("entryPoint")),
        environment={entry["name"]: str(entry["value"]) for entry in item.get("environment", [])},
        secrets={entry["name"]: entry["valueFrom"] for entry in item.get("secrets", [])},
        ports=tuple(
            PortMapping(int(entry["containerPort"]), int(entry.get("hostPort", 0)))
            for entry in item.get("portMappings", [])
        ),
        links=tuple(_link(entry) for entry in item.get("links", [])),
        depends_on=tuple(_dependency(name, entry) for entry in item.get("dependsOn", [])),
        mount_points=tuple(
            MountPoint(entry["sourceVolume"], entry["containerPath"], bool(entry.get("readOnly", False)))
            for entry in item.get("mountPoints", [])
        ),
        extra_hosts={entry["hostname"]: entry["ipAddress"] for entry in item.get("extraHosts", [])},
        hostname=item.get("hostname"),
        user=item.get("user"),
        stop_timeout=int(item.get("stopTimeout", 30)),
        logs=_logs(name, item.get("logConfiguration")),
    )


def _words(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(value) if value else None


def _link(text: str) -> Link:
    container, _, alias = text.partition(":")
    return Link(container, alias or container)


def _dependency(name: str, entry: Mapping[str, str]) -> Dependency:
    condition = entry["condition"]
    if condition not in ("START", "COMPLETE", "SUCCESS"):
        raise BundleError(f"{INVALID}container '{name}': the rehearsal cloud does not implement condition {condition}")
    return Dependency(entry["containerName"], condition)  # type: ignore[arg-type]


def _logs(name: str, item: Mapping[str, Any] | None) -> AwsLogs | None:
    if item is None or item.get("logDriver") == "json-file":
        return None
    if item.get("logDriver") != "awslogs":
        raise BundleError(f"{INVALID}container '{name}': unsupported log driver '{item.get('logDriver')}'")
    options = item.get("options") or {}
    if "awslogs-group" not in options:
        raise _refused("Log driver awslogs requires options: awslogs-group")
    creates = options.get("awslogs-create-group") == "true"
    return AwsLogs(options["awslogs-group"], options.get("awslogs-stream-prefix"), creates)


def _check(containers: Sequence[ContainerDefinition], volumes: Iterable[str], execution_role: str | None) -> None:
    """What ECS refuses when the task definition is registered."""
    names = [container.name for container in containers]
    if not containers:
        raise _refused("TaskDefinition must have at least one container definition.")
    if len(set(names)) != len(names):
        raise _refused("Container.name must be unique.")
    if not any(container.essential for container in containers):
        raise _refused("TaskDefinition must have at least one essential container.")
    for container in containers:
        _check_container(container, names, set(volumes), execution_role)
    _check_host_ports(containers)


def _check_container(container: ContainerDefinition, names: Sequence[str], volumes: set[str], role: str | None) -> None:
    if not container.name:
        raise _refused("Container.name should not be null or empty.")
    if not container.image:
        raise _refused("Container.image should not be null or empty.")
    if not container.memory and not container.memory_reservation:
        raise _refused(
            f"Invalid setting for container '{container.name}'. "
            "At least one of 'memory' or 'memoryReservation' must be specified."
        )
    for name in [link.container for link in container.links] + [item.container for item in container.depends_on]:
        if name not in names or name == container.name:
            raise _refused(f"Container '{container.name}' refers to container '{name}', which the task does not have.")
    for mount in container.mount_points:
        if mount.volume not in volumes:
            raise _refused(f"Unknown volume '{mount.volume}'.")
    if container.secrets and not role:
        raise _refused(NO_EXECUTION_ROLE)


def _check_host_ports(containers: Sequence[ContainerDefinition]) -> None:
    taken: dict[int, str] = {}
    for container in containers:
        for mapping in container.ports:
            if not mapping.host_port:
                continue
            if mapping.host_port in taken:
                both = f"'{taken[mapping.host_port]}' and '{container.name}'"
                raise _refused(f"Host port {mapping.host_port} is used by {both}.")
            taken[mapping.host_port] = container.name


def _refused(message: str) -> BundleError:
    return BundleError(f"Service:AmazonECS, Code:ClientException, Message:{message}")


def _in_starting_order(containers: Sequence[ContainerDefinition]) -> tuple[ContainerDefinition, ...]:
    """A container comes after those that it links to or depends on, else in the order of the file."""
    ordered: list[ContainerDefinition] = []
    waiting = list(containers)
    while waiting:
        names = {container.name for container in waiting}
        ready = [container for container in waiting if not names & _needs(container)]
        if not ready:
            raise _refused("Container dependencies must not form a cycle.")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return tuple(ordered)


def _needs(container: ContainerDefinition) -> set[str]:
    return {link.container for link in container.links} | {item.container for item in container.depends_on}


# -- .ebextensions ----------------------------------------------------------------------------------------------------

# Sections that an instance would carry out on its host, which an instance here does not have.
HOST_SECTIONS = {"packages", "groups", "users", "sources", "files", "commands", "services", "Resources", "Outputs"}


def _extensions(archive: bytes) -> tuple[dict[Key, str], tuple[ContainerCommand, ...]]:
    settings: dict[Key, str] = {}
    commands: list[ContainerCommand] = []
    for name, document in _configuration_files(archive):
        if refused := sorted(HOST_SECTIONS & set(document)):
            raise BundleError(
                f"The configuration file {name} has {', '.join(refused)}, which the rehearsal cloud does not implement."
            )
        settings.update(_option_settings(name, document.get("option_settings") or {}))
        commands += [_command(name, key, item) for key, item in (document.get("container_commands") or {}).items()]
    return settings, tuple(sorted(commands, key=lambda command: command.name))


def _configuration_files(archive: bytes) -> list[tuple[str, dict[str, Any]]]:
    with _open(archive) as opened:
        names = [name for name in opened.namelist() if name.startswith(".ebextensions/") and name.endswith(".config")]
        return [(name, _configuration(name, opened.read(name))) for name in sorted(names)]


def _configuration(name: str, text: bytes) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(
            f"The configuration file {name} contains invalid YAML or JSON. YAML exception: {error}"
        ) from error
    if not isinstance(document, dict):
        raise BundleError(f"The configuration file {name} contains invalid YAML or JSON.")
    return document


def _option_settings(name: str, section: Any) -> dict[Key, str]:
    if isinstance(section, Mapping):
        return {
            Key(namespace, option): _text(value)
            for namespace, options in section.items()
            for option, value in (options or {}).items()
        }
    try:
        return {
            Key(entry.get("namespace", ENVIRONMENT_PROPERTIES), entry["option_name"]): _text(entry["value"])
            for entry in section
        }
    except (KeyError, AttributeError, TypeError) as error:
        raise BundleError(f"The configuration file {name} has option_settings in neither of the two forms.") from error


def _text(value: Any) -> str:
    """YAML's booleans become what the API calls them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _command(file: str, name: str, item: Mapping[str, Any]) -> ContainerCommand:
    if "test" in item:
        raise BundleError(
            f"The configuration file {file} has test in command {name}, which the rehearsal cloud does not implement."
        )
    command = item["command"]
    return ContainerCommand(
        name=name,
        command=command if isinstance(command, str) else tuple(str(word) for word in command),
        environment={key: _text(value) for key, value in (item.get("env") or {}).items()},
        working_directory=item.get("cwd"),
        ignore_errors=_text(item.get("ignoreErrors", False)) == "true",
        leader_only=_text(item.get("leader_only", False)) == "true",
    )
