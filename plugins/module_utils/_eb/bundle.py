# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source bundle of an ECS environment: what it holds, whether it can work, and its bytes. Pure."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import typing as t
import zipfile
from dataclasses import dataclass, field

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._eb.instances import memory_for_containers_mib, memory_mib
from ansible_collections.antenna.aws.plugins.module_utils._eb.options import (
    ENVIRONMENT_PROPERTIES,
    ENVIRONMENT_PROPERTIES_LIMIT,
    ENVIRONMENT_SECRETS,
    properties_size,
    unknown_option,
)

DOCKERRUN = "Dockerrun.aws.json"
SETUP_CONFIG = ".ebextensions/00_setup.config"
EBIGNORE = ".ebignore"
HOOKS = (".platform/hooks/", ".platform/confighooks/")
LABEL_LIMIT = 100
LABEL_DIGITS = 12
SIZE_LIMIT = 512 * 1024 * 1024
HIDDEN = "(hidden)"
HIDDEN_CHANGED = "(hidden, changed)"

# The smallest date that a zip can hold, so that the bytes do not depend on when they were written.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_TIGHT = 0.93
_CONTAINER_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY|DSN$")
_PROPERTY_NAME = re.compile(r"^[A-Za-z0-9_.:/+\\@-]+$")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
_SECRET_ARN = re.compile(
    r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:|ssm:[a-z0-9-]+:\d{12}:parameter/)\S+$"
)
_LABEL = re.compile(r"^[A-Za-z0-9_.-]*$")


@dataclass(frozen=True)
class PortMapping:
    """A port of the instance that leads to a port of a container."""

    host_port: int
    container_port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Dependency:
    """A container that another one waits for, until it is in the condition: START, COMPLETE or SUCCESS."""

    container_name: str
    condition: str = "START"


@dataclass(frozen=True)
class MountPoint:
    """A volume as a container sees it."""

    source_volume: str
    container_path: str
    read_only: bool = False


@dataclass(frozen=True)
class Volume:
    """A directory of the instance that containers may mount."""

    name: str
    source_path: str


@dataclass(frozen=True)
class Container:
    """A container definition; memory in MiB, environment and secrets sorted by name."""

    name: str
    image: str
    essential: bool = True
    memory: int | None = None
    memory_reservation: int | None = None
    command: tuple[str, ...] = ()
    entry_point: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    port_mappings: tuple[PortMapping, ...] = ()
    links: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    mount_points: tuple[MountPoint, ...] = ()
    hostname: str | None = None
    log_driver: str | None = None
    log_options: tuple[tuple[str, str], ...] = ()

    @property
    def reserved_mib(self) -> int:
        """What ECS sets aside for the container: the reservation where there is one, else the limit."""
        return self.memory_reservation or self.memory or 0

    @property
    def linked(self) -> tuple[str, ...]:
        """The names of the containers that are linked, without their aliases."""
        return tuple(link.split(":", 1)[0] for link in self.links)


@dataclass(frozen=True)
class BundleFile:
    """A file of the bundle with its permission bits."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True)
class Bundle:
    """A bundle as declared. ``instance_types`` and ``version_label_prefix`` are for checks and the label alone."""

    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...] = ()
    execution_role_arn: str | None = None
    option_settings: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    files: tuple[BundleFile, ...] = ()
    ebignore: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    version_label_prefix: str = ""

    @property
    def container_names(self) -> frozenset[str]:
        """The names of the containers."""
        return frozenset(container.name for container in self.containers)


def refuse_what_cannot_work(bundle: Bundle) -> None:
    """Raise AntennaError with every reason why the bundle could not work; return when there is none."""
    reasons = problems(bundle)
    if reasons:
        raise AntennaError("The bundle could not work: " + "; ".join(reasons) + ".", problems=reasons)


def problems(bundle: Bundle) -> list[str]:
    """Return why the bundle could not work, one sentence for each reason, without any value of an environment."""
    found: list[str] = []
    for check in _CHECKS:
        found.extend(check(bundle))
    return found


def warnings(bundle: Bundle) -> list[str]:
    """Return what will work, but perhaps not as it was meant."""
    return [*_memory_warnings(bundle), *_image_warnings(bundle), *_secret_warnings(bundle)]


def _secret_warnings(bundle: Bundle) -> t.Iterator[str]:
    names = sorted(name for name in bundle.option_settings.get(ENVIRONMENT_PROPERTIES, {}) if _SECRET_NAME.search(name))
    if names:
        yield (
            f"the environment properties {', '.join(names)} look like secrets: whoever reads the bundle in S3 or the "
            "configuration of the environment sees them, so name them in the containers' secrets"
        )


def default_mode(path: str) -> int:
    """Return the permission bits of a file that declares none: hooks must be executable."""
    return 0o755 if path.startswith(HOOKS) else 0o644


def members(bundle: Bundle) -> tuple[BundleFile, ...]:
    """Return the files of the bundle, sorted by path."""
    files = [BundleFile(DOCKERRUN, _json(dockerrun(bundle))), *bundle.files]
    if bundle.option_settings:
        # JSON, which the service reads as well as YAML: there is but one way to write a value.
        files.append(BundleFile(SETUP_CONFIG, _json({"option_settings": bundle.option_settings})))
    if bundle.ebignore:
        files.append(BundleFile(EBIGNORE, ("\n".join(bundle.ebignore) + "\n").encode()))
    return tuple(sorted(files, key=lambda file: file.path))


def archive(files: t.Iterable[BundleFile]) -> bytes:
    """Return the zip of the files. The same files give the same bytes, on any machine and at any time."""
    buffer = io.BytesIO()
    # Stored, not deflated: what zlib makes of the same input differs between its versions and replacements.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for file in files:
            info = zipfile.ZipInfo(file.path, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = (stat.S_IFREG | file.mode) << 16
            target.writestr(info, file.content)
    return buffer.getvalue()


def unpacked(content: bytes) -> tuple[BundleFile, ...]:
    """Return the files of a zip. Raises zipfile.BadZipFile when it is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        return tuple(
            BundleFile(info.filename, source.read(info), info.external_attr >> 16 & 0o777)
            for info in source.infolist()
            if not info.is_dir()
        )


def version_label(prefix: str, content: bytes) -> str:
    """Return the label of the bundle with these bytes."""
    return prefix + hashlib.sha256(content).hexdigest()[:LABEL_DIGITS]


def dockerrun(bundle: Bundle) -> dict[str, t.Any]:
    """Return the bundle's Dockerrun.aws.json, version 2."""
    document: dict[str, t.Any] = {"AWSEBDockerrunVersion": 2}
    if bundle.execution_role_arn:
        document["executionRoleArn"] = bundle.execution_role_arn
    if bundle.volumes:
        document["volumes"] = [
            {"name": volume.name, "host": {"sourcePath": volume.source_path}} for volume in bundle.volumes
        ]
    document["containerDefinitions"] = [_definition(container) for container in bundle.containers]
    return document


def shown(files: t.Iterable[BundleFile], before: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Return the files as people may see them: no value of an environment property, hashes for other files.

    Given what was shown ``before`` by ``comparable``, hidden values that differ from it are marked as changed.
    """
    return {path: _masked(content, (before or {}).get(path)) for path, content in comparable(files).items()}


def comparable(files: t.Iterable[BundleFile]) -> dict[str, t.Any]:
    """Return the files by path: generated ones as documents, others as mode and hash. Holds values: never shown."""
    return {file.path: _comparable(file) for file in files}


def _comparable(file: BundleFile) -> t.Any:
    if file.path in (DOCKERRUN, SETUP_CONFIG):
        try:
            document = json.loads(file.content)
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
    return f"{file.mode:04o} sha256:{hashlib.sha256(file.content).hexdigest()[:LABEL_DIGITS]}"


def _masked(document: t.Any, before: t.Any) -> t.Any:
    if not isinstance(document, dict):
        return document
    earlier = before if isinstance(before, dict) else {}
    shown_document = dict(document)
    if "containerDefinitions" in document:
        was = {item.get("name"): _pairs(item) for item in earlier.get("containerDefinitions", [])}
        shown_document["containerDefinitions"] = [
            _masked_definition(item, was.get(item.get("name"), {}) if earlier else None)
            for item in document["containerDefinitions"]
        ]
    if "option_settings" in document:
        was_settings = earlier.get("option_settings", {}) if earlier else None
        shown_document["option_settings"] = _masked_settings(document["option_settings"], was_settings)
    return shown_document


def _masked_definition(definition: dict[str, t.Any], was: t.Mapping[str, str] | None) -> dict[str, t.Any]:
    if "environment" not in definition:
        return definition
    hidden = [
        {"name": name, "value": _hidden(value, None if was is None else was.get(name))}
        for name, value in _pairs(definition).items()
    ]
    return {**definition, "environment": hidden}


def _masked_settings(settings: t.Mapping[str, t.Any], was: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    masked: dict[str, t.Any] = {}
    for namespace, options in settings.items():
        earlier = None if was is None else was.get(namespace, {})
        masked[namespace] = {
            name: _hidden(value, None if earlier is None else earlier.get(name))
            if namespace == ENVIRONMENT_PROPERTIES or name == "DBPassword"
            else value
            for name, value in options.items()
        }
    return masked


def _hidden(value: str, was: str | None) -> str:
    return HIDDEN if was is None or was == value else HIDDEN_CHANGED


def _pairs(definition: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in definition.get("environment", [])}


def _definition(container: Container) -> dict[str, t.Any]:
    """Return the ECS container definition; what is not declared is not mentioned."""
    logging = {"logDriver": container.log_driver, "options": dict(container.log_options)}
    optional = {
        "hostname": container.hostname,
        "logConfiguration": logging if container.log_driver else None,
        "memory": container.memory,
        "memoryReservation": container.memory_reservation,
        "entryPoint": list(container.entry_point),
        "command": list(container.command),
        "environment": [{"name": name, "value": value} for name, value in container.environment],
        "secrets": [{"name": name, "valueFrom": value_from} for name, value_from in container.secrets],
        "portMappings": [
            {"hostPort": port.host_port, "containerPort": port.container_port, "protocol": port.protocol}
            for port in container.port_mappings
        ],
        "links": list(container.links),
        "dependsOn": [
            {"containerName": item.container_name, "condition": item.condition} for item in container.depends_on
        ],
        "mountPoints": [
            {"sourceVolume": mount.source_volume, "containerPath": mount.container_path, "readOnly": mount.read_only}
            for mount in container.mount_points
        ],
    }
    definition: dict[str, t.Any] = {
        "name": container.name,
        "image": container.image,
        "essential": container.essential,
    }
    definition.update({key: value for key, value in optional.items() if value})
    return definition


def _json(document: t.Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _container_problems(bundle: Bundle) -> t.Iterator[str]:
    if not bundle.containers:
        yield "it has no container"
        return
    if not any(container.essential for container in bundle.containers):
        yield "no container is essential, and a task needs one that is"
    for name in _twice(container.name for container in bundle.containers):
        yield f"two containers are named {name!r}"
    for container in bundle.containers:
        if not _CONTAINER_NAME.match(container.name):
            yield (
                f"container name {container.name!r} must be up to 255 letters, digits, hyphens and underscores, "
                "beginning with a letter or digit"
            )


def _image_problems(bundle: Bundle) -> t.Iterator[str]:
    for container in bundle.containers:
        reason = _image_problem(container.image)
        if reason:
            yield f"container {container.name!r} has the image {container.image!r}, {reason}"


def _image_problem(image: str) -> str | None:
    name, at, digest = image.partition("@")
    if at and not _DIGEST.match(digest):
        return "whose digest is not sha256: and 64 hexadecimal digits"
    repository, colon, tag = name.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    if tagged and not _TAG.match(tag):
        return f"whose tag {tag!r} is not a valid tag"
    if not (repository if tagged else name) or any(character.isspace() for character in image):
        return "which is not an image reference"
    return None if at or tagged else "without tag or digest: name the version to run, best by its digest"


def _memory_setting_problems(bundle: Bundle) -> t.Iterator[str]:
    for container in bundle.containers:
        limit, reservation = container.memory, container.memory_reservation
        if limit is None and reservation is None:
            yield f"container {container.name!r} has neither memory nor memory_reservation, and ECS needs one of them"
        for name, value in (("memory", limit), ("memory_reservation", reservation)):
            if value is not None and value < 4:
                yield f"container {container.name!r} has {name} {value}, and ECS takes no less than 4 MiB"
        if limit is not None and reservation is not None and reservation > limit:
            yield f"container {container.name!r} reserves {reservation} MiB, more than its limit of {limit} MiB"


def _capacity_problems(bundle: Bundle) -> t.Iterator[str]:
    if not bundle.instance_types:
        return
    first = bundle.instance_types[0]
    room = memory_for_containers_mib(first)
    need = _reserved_mib(bundle)
    if room is not None and need > room:
        yield f"its containers reserve {need} MiB, and {_room(first, room)}: choose a larger type or reserve less"


def _port_problems(bundle: Bundle) -> t.Iterator[str]:
    taken: dict[tuple[int, str], str] = {}
    for container in bundle.containers:
        for port in container.port_mappings:
            if not 1 <= port.container_port <= 65535:
                yield f"container {container.name!r} maps the container port {port.container_port}, not 1 to 65535"
            if not 0 <= port.host_port <= 65535:
                yield f"container {container.name!r} maps the host port {port.host_port}, not 0 to 65535"
            key = (port.host_port, port.protocol)
            # Port 0 leaves the choice to Docker, as often as one likes.
            if port.host_port and key in taken:
                yield f"containers {taken[key]!r} and {container.name!r} both map the host port {port.host_port}"
            taken.setdefault(key, container.name)


def _reference_problems(bundle: Bundle) -> t.Iterator[str]:
    volumes = {volume.name for volume in bundle.volumes}
    for name in _twice(volume.name for volume in bundle.volumes):
        yield f"two volumes are named {name!r}"
    for container in bundle.containers:
        for linked in container.linked:
            if linked not in bundle.container_names:
                yield f"container {container.name!r} links to {linked!r}, which is not a container of the bundle"
        for dependency in container.depends_on:
            yield from _dependency_problems(bundle, container, dependency)
        for mount in container.mount_points:
            # The service itself makes one volume per container for its logs.
            if mount.source_volume not in volumes and not mount.source_volume.startswith("awseb-logs-"):
                yield f"container {container.name!r} mounts the volume {mount.source_volume!r}, which is not declared"


def _dependency_problems(bundle: Bundle, container: Container, dependency: Dependency) -> t.Iterator[str]:
    target = next((other for other in bundle.containers if other.name == dependency.container_name), None)
    if target is None:
        yield (
            f"container {container.name!r} depends on {dependency.container_name!r}, "
            "which is not a container of the bundle"
        )
    elif dependency.condition in ("COMPLETE", "SUCCESS") and target.essential:
        yield (
            f"container {container.name!r} waits until {target.name!r} has ended, which is essential and so must not "
            "end: make it not essential"
        )


def _circle_problems(bundle: Bundle) -> t.Iterator[str]:
    needs = {
        container.name: [*container.linked, *(item.container_name for item in container.depends_on)]
        for container in bundle.containers
    }
    circle = _circle(needs)
    if circle:
        yield "containers need each other in a circle by links or dependencies: " + " -> ".join(circle)


def _circle(needs: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """Return a path that ends where it began, or nothing."""
    settled: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in settled:
            return []
        for needed in needs.get(name, ()):
            circle = walk(needed, [*path, name])
            if circle:
                return circle
        settled.add(name)
        return []

    for name in needs:
        circle = walk(name, [])
        if circle:
            return circle
    return []


def _secret_problems(bundle: Bundle) -> t.Iterator[str]:
    with_secrets = [container.name for container in bundle.containers if container.secrets]
    if with_secrets and not bundle.execution_role_arn:
        yield f"container {with_secrets[0]!r} has secrets, and ECS reads them only with an execution_role_arn"
    for container in bundle.containers:
        for name in sorted(
            {name for name, _value in container.environment} & {name for name, _arn in container.secrets}
        ):
            yield f"container {container.name!r} has {name!r} both as environment and as secret"
        for name, value_from in container.secrets:
            if not _SECRET_ARN.match(value_from):
                yield (
                    f"secret {name!r} of container {container.name!r} is not the ARN of a Secrets Manager secret or "
                    "of an SSM parameter"
                )


def _option_problems(bundle: Bundle) -> t.Iterator[str]:
    for namespace, options in bundle.option_settings.items():
        for name in options:
            reason = unknown_option(namespace, name)
            if reason:
                yield reason
    for name, value_from in bundle.option_settings.get(ENVIRONMENT_SECRETS, {}).items():
        if not _SECRET_ARN.match(value_from):
            yield f"environment secret {name!r} is not the ARN of a Secrets Manager secret or of an SSM parameter"
    yield from _property_problems(bundle.option_settings.get(ENVIRONMENT_PROPERTIES, {}))


def _property_problems(properties: t.Mapping[str, str]) -> t.Iterator[str]:
    for name in properties:
        if not _PROPERTY_NAME.match(name):
            yield f"environment property {name!r} may hold only letters, digits and _ . : / + \\ - @"
    size = properties_size(properties)
    if size > ENVIRONMENT_PROPERTIES_LIMIT:
        yield (
            f"the environment properties take {size} bytes, and the service allows {ENVIRONMENT_PROPERTIES_LIMIT} for "
            "all together: move some into the containers' environment or into secrets"
        )


def _file_problems(bundle: Bundle) -> t.Iterator[str]:
    generated = {DOCKERRUN: "containers", SETUP_CONFIG: "option_settings", EBIGNORE: "ebignore"}
    for path in _twice(file.path for file in bundle.files):
        yield f"two files have the path {path!r}"
    for file in bundle.files:
        if file.path in generated:
            yield f"file {file.path!r} is made from {generated[file.path]}, and cannot be given as well"
        parts = file.path.split("/")
        if "" in parts or "." in parts or ".." in parts or "\\" in file.path:
            yield f"file path {file.path!r} must be relative to the bundle, with / between plain names"
        if file.path.startswith(HOOKS) and not file.mode & 0o100:
            yield f"hook {file.path!r} has mode {file.mode:04o}, and the service runs only what its owner may execute"
    if sum(len(file.content) for file in bundle.files) > SIZE_LIMIT:
        yield "its files are larger than the 512 MB that the service takes"


def _label_problems(bundle: Bundle) -> t.Iterator[str]:
    prefix = bundle.version_label_prefix
    if len(prefix) + LABEL_DIGITS > LABEL_LIMIT:
        yield f"version_label_prefix {prefix!r} is longer than {LABEL_LIMIT - LABEL_DIGITS} characters"
    if not _LABEL.match(prefix):
        yield f"version_label_prefix {prefix!r} may hold only letters, digits and _ . -"


def _memory_warnings(bundle: Bundle) -> t.Iterator[str]:
    need = _reserved_mib(bundle)
    for index, instance_type in enumerate(bundle.instance_types):
        memory = memory_mib(instance_type)
        room = memory_for_containers_mib(instance_type)
        if memory is None or room is None:
            yield f"The memory of instance type {instance_type!r} is not known, so it was not compared with {need} MiB."
        elif need > room and index > 0:
            yield (
                f"The containers reserve {need} MiB, and {_room(instance_type, room)}: an instance of this type, which "
                "is not the first choice, could not run them."
            )
        elif need > memory * _TIGHT and need <= room:
            yield (
                f"The containers reserve {need} MiB of the {memory} MiB of {instance_type!r}: what the system itself "
                "keeps may be more than what is left."
            )


def _image_warnings(bundle: Bundle) -> t.Iterator[str]:
    for container in bundle.containers:
        if "@" not in container.image and container.image.endswith(":latest"):
            yield (
                f"Container {container.name!r} has the image {container.image!r}: another image under this tag gives "
                "the same bundle, and so no deployment."
            )


def _reserved_mib(bundle: Bundle) -> int:
    return sum(container.reserved_mib for container in bundle.containers)


def _room(instance_type: str, room: int) -> str:
    return f"instance type {instance_type!r} has at most {room} MiB for containers"


def _twice(names: t.Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: list[str] = []
    for name in names:
        if name in seen and name not in twice:
            twice.append(name)
        seen.add(name)
    return twice


_CHECKS: tuple[t.Callable[[Bundle], t.Iterator[str]], ...] = (
    _container_problems,
    _image_problems,
    _memory_setting_problems,
    _capacity_problems,
    _port_problems,
    _reference_problems,
    _circle_problems,
    _secret_problems,
    _option_problems,
    _file_problems,
    _label_problems,
)
