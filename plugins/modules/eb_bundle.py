#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_bundle
version_added: 0.1.0
short_description: Make the source bundle of an Elastic Beanstalk environment that runs containers on ECS
description:
  - Writes a zip with C(Dockerrun.aws.json) version 2, C(.ebextensions/00_setup.config), C(.ebignore) and further files
    such as platform hooks.
  - The same parameters give the same bytes, on any machine and at any time. The version label is made from them, so
    a bundle that did not change is not deployed again.
  - Refuses a bundle that could not work, with every reason at once.
  - Talks to no AWS service.
extends_documentation_fragment:
  - antenna.aws.attributes
options:
  dest:
    description:
      - Path of the zip. Its directory is created when it does not exist.
    type: path
    required: true
  containers:
    description:
      - The containers of the environment, in the order in which they stand in C(Dockerrun.aws.json).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the container, unique in the bundle.
        type: str
        required: true
      image:
        description:
          - Reference of the image, with a tag or, better, a digest.
        type: str
        required: true
      essential:
        description:
          - Whether all containers are stopped when this one ends.
        type: bool
        default: true
      memory:
        description:
          - Memory limit in MiB. The container is killed when it takes more.
          - One of O(containers[].memory) and O(containers[].memory_reservation) is needed.
        type: int
      memory_reservation:
        description:
          - Memory in MiB that is set aside for the container.
        type: int
      command:
        description:
          - Command, one word an item, instead of the image's.
        type: list
        elements: str
      entry_point:
        description:
          - Entry point, one word an item, instead of the image's.
        type: list
        elements: str
      environment:
        description:
          - Environment variables of this container. Booleans become V(true) and V(false); a variable without a value
            (null) is left out.
          - Values are never shown. For secrets use O(containers[].secrets).
        type: dict
      secrets:
        description:
          - Environment variables whose values ECS reads when the container starts, as ARNs of Secrets Manager secrets
            or SSM parameters. To take one key of a JSON secret, append C(:key::) to its ARN.
          - Needs O(execution_role_arn).
        type: dict
      port_mappings:
        description:
          - Ports of the instance that lead to ports of the container.
        type: list
        elements: dict
        suboptions:
          host_port:
            description:
              - Port of the instance, unique in the bundle. V(0) leaves the choice to Docker.
            type: int
            required: true
          container_port:
            description:
              - Port of the container.
            type: int
            required: true
          protocol:
            description:
              - Protocol of the port.
            type: str
            choices: [tcp, udp]
            default: tcp
      links:
        description:
          - Names of containers that this one reaches by their names, or C(name:alias).
        type: list
        elements: str
      depends_on:
        description:
          - Containers that are started before this one, by name, or as dictionaries with C(container_name) and
            C(condition), which is V(START), V(COMPLETE) or V(SUCCESS).
        type: list
        elements: raw
      mount_points:
        description:
          - Volumes that the container sees.
        type: list
        elements: dict
        suboptions:
          source_volume:
            description:
              - Name of a volume in O(volumes).
            type: str
            required: true
          container_path:
            description:
              - Path in the container.
            type: str
            required: true
          read_only:
            description:
              - Whether the container may only read it.
            type: bool
            default: false
      hostname:
        description:
          - Host name that the container has for itself.
        type: str
      log_configuration:
        description:
          - Where the container's output goes. Without it, it stays on the instance.
        type: dict
        suboptions:
          log_driver:
            description:
              - V(awslogs) sends it to CloudWatch Logs.
            type: str
            choices: [awslogs]
            required: true
          options:
            description:
              - Options of the driver, such as C(awslogs-group), C(awslogs-region) and C(awslogs-stream-prefix).
            type: dict
            default: {}
  volumes:
    description:
      - Directories of the instance that containers mount.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the volume.
        type: str
        required: true
      source_path:
        description:
          - Directory on the instance.
        type: str
        required: true
  execution_role_arn:
    description:
      - Role with which ECS reads the containers' secrets.
    type: str
  option_settings:
    description:
      - Option settings by namespace and name, written to C(.ebextensions/00_setup.config).
      - An option that the service does not know is refused. What is set at the environment itself cannot be
        overridden from here, so declare each option in one place only.
    type: dict
    default: {}
  files:
    description:
      - Further files, for example platform hooks.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Path in the bundle.
        type: str
        required: true
      content:
        description:
          - The text of the file. Exactly one of this and O(files[].src) is needed.
        type: str
      src:
        description:
          - Path of a file to copy.
        type: path
      mode:
        description:
          - Permission bits as a quoted octal number.
          - Without it, files under C(.platform/hooks) and C(.platform/confighooks) are executable and others are not.
        type: str
  ebignore:
    description:
      - Lines of C(.ebignore).
    type: list
    elements: str
    default: []
  instance_types:
    description:
      - Instance types of the environment, the first choice first. On demand, only the first one is used.
      - The containers' memory is compared with them. When the first type cannot hold it, the bundle is refused;
        when a later one cannot, there is a warning.
      - Without it, they are taken from C(InstanceTypes) of C(aws:ec2:instances) in O(option_settings).
    type: list
    elements: str
    default: []
  version_label_prefix:
    description:
      - What the version label begins with.
    type: str
    default: ""
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

EXAMPLES = r"""
- name: Make a bundle with a web application and a cache
  antenna.aws.eb_bundle:
    dest: build/deploy.zip
    version_label_prefix: antenna-
    instance_types: [t3.large]
    execution_role_arn: arn:aws:iam::123456789012:role/antenna-ecs-execution
    containers:
      - name: web
        image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/web@sha256:{{ web_digest }}
        memory: 1024
        port_mappings:
          - host_port: 80
            container_port: 5000
        links: [cache]
        environment:
          WEB_CONCURRENCY: 2
        secrets:
          SECRET_KEY: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:antenna-AbCdEf:SECRET_KEY::"
      - name: cache
        image: public.ecr.aws/docker/library/memcached:1.6.38
        memory: 128
    option_settings:
      aws:elasticbeanstalk:cloudwatch:logs:
        StreamLogs: true
        RetentionInDays: 7
    files:
      - path: .platform/hooks/postdeploy/01_migrate.sh
        src: files/migrate.sh
  register: bundle

- name: Make it known to Elastic Beanstalk
  antenna.aws.eb_version:
    application_name: antenna
    version_label: "{{ bundle.version_label }}"
    source_bundle: "{{ bundle.path }}"
"""

RETURN = r"""
path:
  description: Absolute path of the zip.
  returned: success
  type: str
  sample: /home/me/antenna/build/deploy.zip
sha256:
  description: SHA-256 of the zip, hexadecimal.
  returned: success
  type: str
size:
  description: Size of the zip in bytes.
  returned: success
  type: int
  sample: 4711
version_label:
  description: The prefix and the first 12 digits of the SHA-256.
  returned: success
  type: str
  sample: antenna-0a1b2c3d4e5f
files:
  description: Paths of the files in the bundle.
  returned: success
  type: list
  elements: str
  sample: [.ebextensions/00_setup.config, Dockerrun.aws.json]
problems:
  description: Why the bundle could not work, one item for each reason.
  returned: when the bundle is refused
  type: list
  elements: str
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    op:
      description: What is done.
      type: str
      sample: write
    resource:
      description: What it is done to.
      type: str
    reason:
      description: Why it is done.
      type: str
"""

import contextlib
import hashlib
import re
import tempfile
import typing as t
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._eb import bundle as eb
from ansible_collections.antenna.aws.plugins.module_utils._eb.options import (
    ENVIRONMENT_PROPERTIES,
    option_settings,
    option_value,
)

CONTAINER = {
    "name": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "essential": {"type": "bool", "default": True},
    "memory": {"type": "int"},
    "memory_reservation": {"type": "int"},
    "command": {"type": "list", "elements": "str"},
    "entry_point": {"type": "list", "elements": "str"},
    "environment": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": False},
    "port_mappings": {
        "type": "list",
        "elements": "dict",
        "options": {
            "host_port": {"type": "int", "required": True},
            "container_port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
        },
    },
    "links": {"type": "list", "elements": "str"},
    "depends_on": {"type": "list", "elements": "raw"},
    "mount_points": {
        "type": "list",
        "elements": "dict",
        "options": {
            "source_volume": {"type": "str", "required": True},
            "container_path": {"type": "str", "required": True},
            "read_only": {"type": "bool", "default": False},
        },
    },
    "hostname": {"type": "str"},
    "log_configuration": {
        "type": "dict",
        "options": {
            "log_driver": {"type": "str", "choices": ["awslogs"], "required": True},
            "options": {"type": "dict", "default": {}},
        },
    },
}

SPEC = ArgumentSpec(
    {
        "dest": {"type": "path", "required": True},
        "containers": {"type": "list", "elements": "dict", "required": True, "options": CONTAINER},
        "volumes": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "source_path": {"type": "str", "required": True},
            },
        },
        "execution_role_arn": {"type": "str"},
        "option_settings": {"type": "dict", "default": {}},
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "path": {"type": "str", "required": True},
                "content": {"type": "str"},
                "src": {"type": "path"},
                "mode": {"type": "str"},
            },
            "mutually_exclusive": [["content", "src"]],
            "required_one_of": [["content", "src"]],
        },
        "ebignore": {"type": "list", "elements": "str", "default": []},
        "instance_types": {"type": "list", "elements": "str", "default": []},
        "version_label_prefix": {"type": "str", "default": ""},
    }
)

_MODE = re.compile(r"^0?[0-7]{3}$")
_CONDITIONS = ("START", "COMPLETE", "SUCCESS")


@dataclass(frozen=True)
class Zip:
    """A zip as it lies at dest; nothing there is None."""

    content: bytes | None
    files: tuple[eb.BundleFile, ...] = ()


@dataclass(frozen=True)
class BundleManager:
    """Keeps the zip at dest equal to the declared bundle."""

    dest: Path
    members: tuple[eb.BundleFile, ...]
    before: t.Mapping[str, t.Any]

    def read(self) -> Zip:
        """Return the zip at dest."""
        return read_zip(self.dest)

    def plan(self, observed: Zip) -> Plan:
        """Return the one step that writes the zip, unless its bytes are right already."""
        if observed.content == eb.archive(self.members):
            return Plan()
        return Plan((Step("write", str(self.dest), self._reason(observed)),))

    def apply(self, plan: Plan, observed: Zip) -> None:
        """Write the zip beside dest, then put it in its place."""
        with _attempting_to_write(self.dest):
            self.dest.parent.mkdir(parents=True, exist_ok=True)
            # Readable by the owner alone, as environments may hold what others should not read.
            with tempfile.NamedTemporaryFile(dir=self.dest.parent, prefix=f".{self.dest.name}.", delete=False) as file:
                file.write(eb.archive(self.members))
            Path(file.name).replace(self.dest)

    def project(self, observed: Zip, plan: Plan) -> Zip:
        """Return the zip as it will be."""
        return Zip(eb.archive(self.members), self.members)

    def view(self, observed: Zip) -> dict[str, t.Any]:
        """Return the files of the zip without the values of environment variables."""
        return eb.shown(observed.files, self.before)

    def _reason(self, observed: Zip) -> str:
        if observed.content is None:
            return "there is no bundle yet"
        before, after = eb.comparable(observed.files), eb.comparable(self.members)
        different = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        return f"differs in {', '.join(different) or 'the form of the zip'}"


def read_zip(path: Path) -> Zip:
    """Return the zip at the path. Raises AntennaError when something else lies there, which is not ours to replace."""
    if not path.exists():
        return Zip(None)
    try:
        content = path.read_bytes()
        return Zip(content, eb.unpacked(content))
    except (OSError, zipfile.BadZipFile) as error:
        raise AntennaError(f"Could not read {path} as a bundle: {error}. Choose another dest, or remove it.") from error


def bundle_from(params: t.Mapping[str, t.Any]) -> eb.Bundle:
    """Return the bundle that the parameters declare; reads the files that they name."""
    settings = option_settings(_namespaces(params["option_settings"]))
    in_settings = settings.get("aws:ec2:instances", {}).get("InstanceTypes", "")
    types = params["instance_types"] or [name.strip() for name in in_settings.split(",") if name.strip()]
    return eb.Bundle(
        containers=tuple(container_from(item) for item in params["containers"]),
        volumes=tuple(eb.Volume(item["name"], item["source_path"]) for item in params["volumes"]),
        execution_role_arn=params["execution_role_arn"] or None,
        option_settings=settings,
        files=tuple(file_from(item) for item in params["files"]),
        ebignore=tuple(params["ebignore"]),
        instance_types=tuple(types),
        version_label_prefix=params["version_label_prefix"],
    )


def container_from(item: t.Mapping[str, t.Any]) -> eb.Container:
    """Return the container that the parameter declares."""
    return eb.Container(
        name=item["name"],
        image=item["image"],
        essential=item["essential"],
        memory=item["memory"],
        memory_reservation=item["memory_reservation"],
        command=tuple(item["command"] or ()),
        entry_point=tuple(item["entry_point"] or ()),
        environment=_variables(item["environment"]),
        secrets=_variables(item["secrets"]),
        port_mappings=tuple(eb.PortMapping(**mapping) for mapping in item["port_mappings"] or ()),
        links=tuple(item["links"] or ()),
        depends_on=tuple(dependency_from(item["name"], dependency) for dependency in item["depends_on"] or ()),
        mount_points=tuple(eb.MountPoint(**mount) for mount in item["mount_points"] or ()),
        hostname=item["hostname"],
        log_driver=(item["log_configuration"] or {}).get("log_driver"),
        log_options=_variables((item["log_configuration"] or {}).get("options")),
    )


def dependency_from(container: str, given: t.Any) -> eb.Dependency:
    """Return the dependency, given as a name or as a dictionary."""
    if isinstance(given, str):
        return eb.Dependency(given)
    known = isinstance(given, dict) and set(given) <= {"container_name", "condition"}
    if known and given.get("container_name") and given.get("condition", "START") in _CONDITIONS:
        return eb.Dependency(given["container_name"], given.get("condition", "START"))
    raise AntennaError(
        f"depends_on of container {container!r} has {given!r}: give the name of a container, or a dictionary with "
        f"container_name and condition, one of {', '.join(_CONDITIONS)}."
    )


def file_from(item: t.Mapping[str, t.Any]) -> eb.BundleFile:
    """Return the file that the parameter declares, with its content."""
    mode = item["mode"]
    if mode is not None and not _MODE.match(mode):
        raise AntennaError(f"File {item['path']!r} has the mode {mode!r}: quote an octal number such as '0755'.")
    bits = eb.default_mode(item["path"]) if mode is None else int(mode, 8)
    if item["src"] is None:
        return eb.BundleFile(item["path"], item["content"].encode(), bits)
    try:
        return eb.BundleFile(item["path"], Path(item["src"]).read_bytes(), bits)
    except OSError as error:
        raise AntennaError(
            f"Could not read {item['src']!r} for the bundle's {item['path']!r}: {error.strerror}."
        ) from error


def arguments_to_show(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the parameters without values that may be secret."""
    settings = params["option_settings"]
    return {
        **params,
        "containers": [
            {**item, "environment": _hidden(item["environment"]), "secrets": _arns(item["secrets"])}
            for item in params["containers"]
        ],
        "option_settings": {
            namespace: _hidden(options) if namespace == ENVIRONMENT_PROPERTIES else options
            for namespace, options in settings.items()
        },
        "files": [{**item, "content": item["content"] and eb.HIDDEN} for item in params["files"]],
    }


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Make the bundle and return the module's result."""
    bundle = bundle_from(module.params)
    eb.refuse_what_cannot_work(bundle)
    for warning in eb.warnings(bundle):
        module.warn(warning)
    dest = Path(module.params["dest"]).absolute()
    members = eb.members(bundle)
    content = eb.archive(members)
    manager = BundleManager(dest, members, eb.comparable(read_zip(dest).files))
    return {
        **result(manager, sync(manager, module.check_mode)),
        "path": str(dest),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "version_label": eb.version_label(bundle.version_label_prefix, content),
        "files": [file.path for file in members],
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleModule, no_log=True)
    run(module, lambda: work(module), arguments_to_show(module.params))


def _namespaces(given: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    for namespace, options in given.items():
        if options is not None and not isinstance(options, dict):
            raise AntennaError(
                f"option_settings has no dictionary of options under {namespace!r}: write each option as name: value."
            )
    return given


def _variables(given: t.Mapping[str, t.Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, option_value(value)) for name, value in sorted((given or {}).items()) if value is not None)


def _hidden(given: t.Any) -> t.Any:
    return dict.fromkeys(given, eb.HIDDEN) if isinstance(given, dict) else given and eb.HIDDEN


def _arns(given: t.Mapping[str, t.Any] | None) -> t.Any:
    # What is no ARN may be the secret itself, put here by mistake.
    return {name: arn if str(arn).startswith("arn:") else eb.HIDDEN for name, arn in (given or {}).items()} or given


@contextlib.contextmanager
def _attempting_to_write(dest: Path) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AntennaError(f"Could not write the bundle {dest}: {error.strerror}.") from error


if __name__ == "__main__":
    main()
