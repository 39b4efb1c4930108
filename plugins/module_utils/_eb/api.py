# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that calls Elastic Beanstalk about environments."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    TERMINATED,
    TERMINATING,
    ConfigurationSet,
    Environment,
    Event,
    HealthReport,
    Instance,
    OptionKey,
    Setting,
    WantedEnvironment,
)

_PERMANENT_CODES = re.compile(
    r"AccessDenied|Unauthorized|InsufficientPrivileges|NotAuthorized|AuthFailure|OptInRequired|ExpiredToken|"
    r"InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|UnrecognizedClient|InvalidAction|"
    r"NoCredentialsError|PartialCredentialsError|ParamValidationError"
)
# The second are the words of TerminateEnvironment.
_BUSY_WORDS = re.compile(r"invalid state for this operation|is currently pending deployment")
_THROTTLING_CODES = re.compile(r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown", re.I)

Raw = t.Mapping[str, t.Any]


def is_denied(error: AwsError) -> bool:
    """Tell whether the caller's policies do not let the call."""
    return error.code in ("AccessDenied", "AccessDeniedException")


def is_permanent(error: AwsError) -> bool:
    """Tell whether trying the call again cannot help."""
    return bool(_PERMANENT_CODES.search(error.code))


def is_busy(error: AwsError) -> bool:
    """Tell whether the environment may accept the call later, when what goes on there is over."""
    return bool(_BUSY_WORDS.search(error.answer)) or error.code == "OperationInProgressFailure"


def is_throttled(error: AwsError) -> bool:
    """Tell whether AWS asked for fewer calls."""
    return bool(_THROTTLING_CODES.search(error.code))


def call(attempted: str, operation: t.Callable[..., t.Any], *, remedy: str = "", **arguments: t.Any) -> t.Any:
    """Call one AWS operation; ``attempted`` completes "Could not ...". Raises AwsError."""
    with attempting(attempted, remedy):
        return operation(**arguments)


def pages(
    attempted: str, operation: t.Callable[..., t.Any], key: str, *, next_key: str = "NextToken", **arguments: t.Any
) -> list[t.Any]:
    """Return the items below ``key`` of all pages of an operation. Raises AwsError."""
    answer = call(attempted, operation, **arguments)
    items = list(answer.get(key) or [])
    while answer.get(next_key):
        answer = call(attempted, operation, **{**arguments, next_key: answer[next_key]})
        items.extend(answer.get(key) or [])
    return items


def connect(module: t.Any, service: str, *, attempts: int = 8, timeout: int = 30) -> t.Any:
    """Return a client whose calls end in bounded time, and are repeated by botocore when AWS throttles.

    ``timeout`` are the seconds that an answer may take.
    """
    config = {"connect_timeout": 10, "read_timeout": timeout, "retries": {"mode": "standard", "max_attempts": attempts}}
    return module.client(service, config=config)


@dataclass(frozen=True)
class BeanstalkApi:
    """Elastic Beanstalk's environments. ``client`` is a boto3 client of the service. Calls raise AwsError."""

    client: t.Any

    def environments(self, application_name: str | None = None, name: str | None = None) -> tuple[Environment, ...]:
        """Return the environments that are not terminated, oldest first; names are compared here, exactly."""
        arguments: dict[str, t.Any] = {"IncludeDeleted": False}
        if application_name is not None:
            arguments["ApplicationName"] = application_name
        if name is not None:
            arguments["EnvironmentNames"] = [name]
        attempted = f"read environment {name!r}" if name else "read the environments"
        try:
            raw = pages(attempted, self.client.describe_environments, "Environments", **arguments)
        except AwsError as error:
            if _no_application(error):
                return ()
            raise
        found = (_environment(item) for item in raw)
        return tuple(
            sorted(
                (
                    environment
                    for environment in found
                    if name in (None, environment.name)
                    and application_name in (None, environment.application_name)
                    and environment.status != TERMINATED
                ),
                key=lambda environment: environment.date_created.timestamp() if environment.date_created else 0.0,
            )
        )

    def environment(self, name: str) -> Environment | None:
        """Return the environment of this name: a living one before one that is terminating; terminated ones never."""
        found = self.environments(name=name)
        living = [environment for environment in found if environment.status != TERMINATING]
        candidates = living or list(found)
        return candidates[-1] if candidates else None

    def configurations(self, environment: Environment) -> tuple[ConfigurationSet, ...]:
        """Return the environment's configurations: the deployed one, and one that is pending or has failed."""
        answer = call(
            f"read the configuration of environment {environment.name!r}",
            self.client.describe_configuration_settings,
            ApplicationName=environment.application_name,
            EnvironmentName=environment.name,
        )
        return tuple(_configuration(item) for item in answer.get("ConfigurationSettings", []))

    def option_defaults(self, environment: Environment, keys: t.Sequence[OptionKey]) -> dict[OptionKey, str]:
        """Return the service's defaults of some of the environment's options."""
        answer = call(
            f"read option defaults of environment {environment.name!r}",
            self.client.describe_configuration_options,
            ApplicationName=environment.application_name,
            EnvironmentName=environment.name,
            Options=[{"Namespace": namespace, "OptionName": name} for namespace, name in keys],
        )
        return {
            (option.get("Namespace", ""), option.get("Name", "")): option.get("DefaultValue", "")
            for option in answer.get("Options", [])
        }

    def tags(self, environment: Environment) -> dict[str, str]:
        """Return all tags of the environment, the service's own among them."""
        answer = call(
            f"read the tags of environment {environment.name!r}",
            self.client.list_tags_for_resource,
            ResourceArn=environment.arn,
        )
        return {tag["Key"]: tag.get("Value", "") for tag in answer.get("ResourceTags", [])}

    def cname(self, prefix: str) -> tuple[bool, str]:
        """Return whether a CNAME prefix is free, and the domain name that it makes."""
        answer = call(f"check the CNAME prefix {prefix!r}", self.client.check_dns_availability, CNAMEPrefix=prefix)
        return bool(answer.get("Available")), answer.get("FullyQualifiedCNAME", "")

    def events(
        self, environment: Environment, since: datetime | None = None, newest: int | None = None
    ) -> tuple[Event, ...]:
        """Return the environment's events, oldest first: all from ``since`` on, or only the ``newest`` few."""
        return self._events({"EnvironmentId": environment.environment_id}, since, newest)

    def newest_event_date(self, application_name: str, environment: Environment | None) -> datetime | None:
        """Return the date, by the service's clock, of the newest event of the environment or of the application."""
        which = {"EnvironmentId": environment.environment_id} if environment else {"ApplicationName": application_name}
        try:
            events = self._events(which, None, 1)
        except AwsError as error:
            if _no_application(error):
                return None
            raise
        return events[-1].date if events else None

    def health(self, environment: Environment) -> HealthReport | None:
        """Return the enhanced health, or None where the environment has basic health only."""
        try:
            answer = call(
                f"read the health of environment {environment.name!r}",
                self.client.describe_environment_health,
                EnvironmentId=environment.environment_id,
                AttributeNames=["HealthStatus", "Color", "Causes"],
            )
        except AwsError as error:
            if _basic_health_only(error):
                return None
            raise
        return HealthReport(answer.get("HealthStatus", ""), answer.get("Color", ""), tuple(answer.get("Causes", [])))

    def instances(self, environment: Environment) -> tuple[Instance, ...] | None:
        """Return health and deployment of each instance, or None where the environment has basic health only."""
        try:
            raw = pages(
                f"read the instances' health of environment {environment.name!r}",
                self.client.describe_instances_health,
                "InstanceHealthList",
                EnvironmentId=environment.environment_id,
                AttributeNames=["HealthStatus", "Color", "Causes", "Deployment"],
            )
        except AwsError as error:
            if _basic_health_only(error):
                return None
            raise
        return tuple(_instance(item) for item in raw)

    def instance_ids(self, environment: Environment) -> tuple[str, ...]:
        """Return the EC2 ids of the environment's instances."""
        answer = call(
            f"read the resources of environment {environment.name!r}",
            self.client.describe_environment_resources,
            EnvironmentId=environment.environment_id,
        )
        resources = answer.get("EnvironmentResources", {})
        return tuple(sorted(item["Id"] for item in resources.get("Instances", []) if item.get("Id")))

    def create(self, wanted: WantedEnvironment, platform_arn: str) -> str:
        """Start creating the environment; return the id of the request."""
        arguments: dict[str, t.Any] = {
            "ApplicationName": wanted.application_name,
            "EnvironmentName": wanted.name,
            "Tier": _TIERS[wanted.tier],
            "VersionLabel": wanted.version_label,
            "PlatformArn": platform_arn,
            "OptionSettings": _option_settings(wanted.settings),
        }
        if wanted.cname_prefix:
            arguments["CNAMEPrefix"] = wanted.cname_prefix
        if wanted.description:
            arguments["Description"] = wanted.description
        if wanted.tags:
            arguments["Tags"] = ansible_dict_to_boto3_tag_list(wanted.tags)
        return _request_id(call(f"create environment {wanted.name!r}", self.client.create_environment, **arguments))

    def update(
        self,
        environment: Environment,
        *,
        version_label: str | None = None,
        description: str | None = None,
        platform_arn: str | None = None,
        settings: t.Sequence[Setting] = (),
        options_to_remove: t.Sequence[OptionKey] = (),
    ) -> str:
        """Start one update of version, options, platform and description together; return the id of the request."""
        arguments: dict[str, t.Any] = {
            "VersionLabel": version_label,
            "Description": description,
            "PlatformArn": platform_arn,
            "OptionSettings": _option_settings(settings) or None,
            "OptionsToRemove": _option_keys(options_to_remove) or None,
        }
        return _request_id(
            call(
                f"update environment {environment.name!r}",
                self.client.update_environment,
                remedy="See that the version is registered and that the options are known to the service",
                EnvironmentId=environment.environment_id,
                **{name: value for name, value in arguments.items() if value is not None},
            )
        )

    def update_tags(self, environment: Environment, add: t.Iterable[tuple[str, str]], remove: t.Sequence[str]) -> str:
        """Start changing the environment's tags; return the id of the request."""
        return _request_id(
            call(
                f"update the tags of environment {environment.name!r}",
                self.client.update_tags_for_resource,
                ResourceArn=environment.arn,
                TagsToAdd=ansible_dict_to_boto3_tag_list(dict(add)),
                TagsToRemove=list(remove),
            )
        )

    def restart(self, environment: Environment) -> str:
        """Start restarting what runs on every instance; return the id of the request."""
        return _request_id(
            call(
                f"restart what runs in environment {environment.name!r}",
                self.client.restart_app_server,
                EnvironmentId=environment.environment_id,
            )
        )

    def terminate(self, environment: Environment) -> str:
        """Start terminating the environment with its resources; return the id of the request."""
        return _request_id(
            call(
                f"terminate environment {environment.name!r}",
                self.client.terminate_environment,
                EnvironmentId=environment.environment_id,
                TerminateResources=True,
            )
        )

    def _events(self, which: Raw, since: datetime | None, newest: int | None) -> tuple[Event, ...]:
        arguments = {**which, **({"StartTime": since} if since else {})}
        if newest is None:
            raw = pages("read events", self.client.describe_events, "Events", **arguments)
        else:
            answer = call("read events", self.client.describe_events, MaxRecords=newest, **arguments)
            raw = answer.get("Events", [])[:newest]
        return tuple(sorted((_event(item) for item in raw), key=lambda event: event.date))


_TIERS = {
    "WebServer": {"Name": "WebServer", "Type": "Standard", "Version": "1.0"},
    "Worker": {"Name": "Worker", "Type": "SQS/HTTP", "Version": "1.0"},
}


def generated_security_groups(ec2: t.Any, group_ids: t.AbstractSet[str]) -> frozenset[str]:
    """Return those of the groups that Elastic Beanstalk made itself: it names them awseb…"""
    answer = call(
        f"read security groups {', '.join(sorted(group_ids))}", ec2.describe_security_groups, GroupIds=sorted(group_ids)
    )
    return frozenset(
        group["GroupId"]
        for group in answer.get("SecurityGroups", [])
        if group.get("GroupName", "").startswith("awseb") and group["GroupId"] in group_ids
    )


def _no_application(error: AwsError) -> bool:
    return "No Application named" in error.answer


def _basic_health_only(error: AwsError) -> bool:
    return error.code == "InvalidRequestException"


def _request_id(answer: Raw) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def _option_settings(settings: t.Iterable[Setting]) -> list[dict[str, str]]:
    return [
        {"Namespace": setting.namespace, "OptionName": setting.name, "Value": setting.value} for setting in settings
    ]


def _option_keys(keys: t.Iterable[OptionKey]) -> list[dict[str, str]]:
    return [{"Namespace": namespace, "OptionName": name} for namespace, name in keys]


def _environment(raw: Raw) -> Environment:
    return Environment(
        environment_id=raw.get("EnvironmentId", ""),
        name=raw.get("EnvironmentName", ""),
        application_name=raw.get("ApplicationName", ""),
        arn=raw.get("EnvironmentArn", ""),
        status=raw.get("Status", ""),
        health=raw.get("Health", ""),
        health_status=raw.get("HealthStatus", ""),
        version_label=raw.get("VersionLabel", ""),
        platform_arn=raw.get("PlatformArn", ""),
        cname=raw.get("CNAME", ""),
        endpoint_url=raw.get("EndpointURL", ""),
        description=raw.get("Description", ""),
        tier=raw.get("Tier", {}).get("Name", ""),
        date_created=raw.get("DateCreated"),
        date_updated=raw.get("DateUpdated"),
    )


def _configuration(raw: Raw) -> ConfigurationSet:
    settings = (
        Setting(option.get("Namespace", ""), option.get("OptionName", ""), option["Value"])
        for option in raw.get("OptionSettings", [])
        if option.get("Value") is not None
    )
    return ConfigurationSet(
        deployment_status=raw.get("DeploymentStatus") or "deployed",
        settings=tuple(sorted(settings, key=lambda setting: setting.key)),
        date_updated=raw.get("DateUpdated"),
    )


def _event(raw: Raw) -> Event:
    return Event(raw["EventDate"], raw.get("Severity", "INFO"), raw.get("Message", ""), raw.get("RequestId", ""))


def _instance(raw: Raw) -> Instance:
    deployment = raw.get("Deployment", {})
    return Instance(
        instance_id=raw.get("InstanceId", ""),
        health_status=raw.get("HealthStatus", ""),
        color=raw.get("Color", ""),
        causes=tuple(raw.get("Causes", [])),
        version_label=deployment.get("VersionLabel", ""),
        deployment_id=deployment.get("DeploymentId"),
        deployment_status=deployment.get("Status", ""),
        deployment_time=deployment.get("DeploymentTime"),
    )
