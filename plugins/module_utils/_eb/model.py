# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Elastic Beanstalk environment is: wanted by a playbook, observed in AWS.

Values only. Nothing here talks to AWS or to Ansible.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError

OptionKey = tuple[str, str]

READY = "Ready"
TERMINATING = "Terminating"
TERMINATED = "Terminated"

ENVIRONMENT_PROPERTIES = "aws:elasticbeanstalk:application:environment"
ENVIRONMENT_SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
USER_DEFINED_NAMESPACES = frozenset({ENVIRONMENT_PROPERTIES, ENVIRONMENT_SECRETS})

HEALTH_ORDER = ("Ok", "Info", "Warning", "Degraded", "Severe")
ERROR_SEVERITIES = frozenset({"ERROR", "FATAL"})


@dataclass(frozen=True)
class Setting:
    """One configuration option with the value that the service is sent or answered."""

    namespace: str
    name: str
    value: str

    @property
    def key(self) -> OptionKey:
        return (self.namespace, self.name)


@dataclass(frozen=True)
class WantedEnvironment:
    """An environment as declared. ``None`` leaves a thing alone, an empty value clears it."""

    name: str
    application_name: str
    cname_prefix: str | None = None
    description: str | None = None
    platform_branch: str | None = None
    tier: str = "WebServer"
    version_label: str | None = None
    settings: tuple[Setting, ...] = ()
    options_to_remove: tuple[OptionKey, ...] = ()
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True


@dataclass(frozen=True)
class Environment:
    """An environment as DescribeEnvironments shows it."""

    environment_id: str
    name: str
    application_name: str
    arn: str = ""
    status: str = ""
    health: str = ""
    health_status: str = ""
    version_label: str = ""
    platform_arn: str = ""
    cname: str = ""
    endpoint_url: str = ""
    description: str = ""
    tier: str = ""
    date_created: datetime | None = None
    date_updated: datetime | None = None


@dataclass(frozen=True)
class ConfigurationSet:
    """One of the one or two configurations of an environment: deployed, pending or failed."""

    deployment_status: str
    settings: tuple[Setting, ...] = ()
    date_updated: datetime | None = None


@dataclass(frozen=True)
class ObservedEnvironment:
    """All that planning needs to know about what is there now.

    ``generated_security_groups`` are ids of groups that the service made and added on its own.
    ``option_defaults`` holds the service's default for each option that is to be removed.
    """

    environment: Environment | None = None
    settings: tuple[Setting, ...] = ()
    tags: t.Mapping[str, str] = field(default_factory=dict)
    platform_branch: str = ""
    recommended_platform_arn: str = ""
    new_cname: str = ""
    cname_available: bool = True
    generated_security_groups: frozenset[str] = frozenset()
    option_defaults: t.Mapping[OptionKey, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One environment event. ``date`` is the service's clock."""

    date: datetime
    severity: str
    message: str
    request_id: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity in ERROR_SEVERITIES


@dataclass(frozen=True)
class Instance:
    """One instance as DescribeInstancesHealth shows it."""

    instance_id: str
    health_status: str = ""
    color: str = ""
    causes: tuple[str, ...] = ()
    version_label: str = ""
    deployment_id: int | None = None
    deployment_status: str = ""
    deployment_time: datetime | None = None


@dataclass(frozen=True)
class Container:
    """One container of a task on an instance, as ECS shows it from outside.

    ``essential`` is None where the task definition could not be read. ``is_job``: others wait for its end.
    ``ports`` are those of the instance that lead to it while it runs.
    """

    name: str
    instance_id: str = ""
    image: str = ""
    last_status: str = ""
    health_status: str = ""
    exit_code: int | None = None
    reason: str = ""
    essential: bool | None = None
    is_job: bool = False
    ports: tuple[int, ...] = ()

    @property
    def is_running(self) -> bool:
        return self.last_status == "RUNNING"

    @property
    def is_stopped(self) -> bool:
        return self.last_status == "STOPPED"


@dataclass(frozen=True)
class Task:
    """One ECS task of the environment's cluster."""

    task_arn: str
    instance_id: str = ""
    desired_status: str = ""
    last_status: str = ""
    stopped_reason: str = ""
    created_at: datetime | None = None
    stopped_at: datetime | None = None
    containers: tuple[Container, ...] = ()

    @property
    def is_stopped(self) -> bool:
        return self.last_status == "STOPPED" or self.desired_status == "STOPPED"


@dataclass(frozen=True)
class HealthReport:
    """The environment's enhanced health: status, colour and causes in words."""

    health_status: str = ""
    color: str = ""
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProbeAnswer:
    """What an HTTP request of our own got: a status with the beginning of the body, or an error in words."""

    url: str
    host: str = ""
    status: int | None = None
    location: str = ""
    body: str = ""
    error: str = ""
    seconds: float = 0.0


def setting_value(value: t.Any) -> str:
    """Return ``value`` spelled as the service reads it back.

    Booleans become ``true`` and ``false`` (any other spelling is a difference on every run), lists are joined with
    commas, mappings become JSON with sorted keys.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    if isinstance(value, (list, tuple)):
        return ",".join(setting_value(item) for item in value)
    return str(value)


def settings_from_options(options: t.Mapping[str, t.Mapping[str, t.Any]] | None) -> tuple[Setting, ...]:
    """Return the declared settings, sorted; an option with value ``None`` is left alone and so left out.

    Raises AntennaError when the value below a namespace is not a mapping of options.
    """
    settings: list[Setting] = []
    for namespace, names in (options or {}).items():
        if names is None:
            continue
        if not isinstance(names, dict):
            raise AntennaError(
                f"option_settings: {namespace!r} must hold a mapping of option names to values, not {names!r}."
            )
        settings.extend(
            Setting(namespace, str(name), setting_value(value)) for name, value in names.items() if value is not None
        )
    return tuple(sorted(settings, key=lambda setting: setting.key))
