# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option catalogue: which options exist, their defaults, the values they take, and what a change costs."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

ENVIRONMENT_PROPERTIES = "aws:elasticbeanstalk:application:environment"
ENVIRONMENT_SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
LAUNCH = "aws:autoscaling:launchconfiguration"
COMMAND = "aws:elasticbeanstalk:command"
ENVIRONMENT = "aws:elasticbeanstalk:environment"
HEALTH_SYSTEM = "aws:elasticbeanstalk:healthreporting:system"
LOGS = "aws:elasticbeanstalk:cloudwatch:logs"
INSTANCES = "aws:ec2:instances"
VPC = "aws:ec2:vpc"
ASG = "aws:autoscaling:asg"

PROPERTIES_LIMIT = 4096

Severity = Literal["NoInterruption", "RestartEnvironment", "RestartApplicationServer"]

# The catalogue names these namespaces by the part that a user chooses.
PLACEHOLDERS = {
    "aws:elasticbeanstalk:environment:process:process_name": "aws:elasticbeanstalk:environment:process:*",
    "aws:elb:listener:listener_port": "aws:elb:listener:*",
    "aws:elb:policies:policy_name": "aws:elb:policies:*",
    "aws:elbv2:listener:listener_port": "aws:elbv2:listener:*",
    "aws:elbv2:listenerrule:rule_name": "aws:elbv2:listenerrule:*",
}
# What a single instance's environment does not report: there is no load balancer, no scaling trigger, no queue.
NOT_ON_SINGLE_INSTANCE = ("aws:elb:", "aws:elbv2:", "aws:autoscaling:trigger", "aws:elasticbeanstalk:trafficsplitting")
NEVER_REPORTED = ("aws:elasticbeanstalk:sqsd", "aws:rds:dbinstance", "aws:autoscaling:scheduledaction")
RESOURCE_NAMES = {
    ASG: "AWSEBAutoScalingGroup",
    LAUNCH: "AWSEBAutoScalingLaunchConfiguration",
    "aws:autoscaling:updatepolicy:rollingupdate": "AWSEBAutoScalingGroup",
    "aws:autoscaling:trigger": "AWSEBCloudwatchAlarmLow",
}


@dataclass(frozen=True)
class Key:
    """An option's address."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Option:
    """What the service knows about an option. `default` None: it has no value until one is given."""

    key: Key
    default: str | None
    values: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    is_list: bool

    @property
    def value_type(self) -> str:
        if self.values == ("true", "false"):
            return "Boolean"
        if self.key == Key(HEALTH_SYSTEM, "ConfigDocument"):
            return "Json"
        return "List" if self.is_list else "Scalar"

    def refusal(self, value: str) -> str | None:
        """The service's words about a value that it does not take, else None."""
        if self.values and not self.is_list and value not in self.values:
            return f"Value is not one of the allowed values: [{', '.join(self.values)}]"
        if self.minimum is None or value == "":
            return None
        if not value.lstrip("-").isdigit():
            return "Value is not a valid number."
        if int(value) < self.minimum:
            return f"Value is less than minimum allowed value: {self.minimum}"
        if self.maximum is not None and int(value) > self.maximum:
            return f"Value is greater than maximum allowed value: {self.maximum}"
        return None


@dataclass(frozen=True)
class Problem:
    """An option setting that the service refuses."""

    key: Key
    message: str


@cache
def catalogue() -> Mapping[str, Mapping[str, Option]]:
    """Namespace to option name to option; the name `*` stands for any."""
    raw: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("options.json").read_text())
    return {
        namespace: {name: _option(Key(namespace, name), facts) for name, facts in options.items()}
        for namespace, options in raw.items()
    }


def _option(key: Key, facts: Mapping[str, Any]) -> Option:
    return Option(
        key=key,
        default=facts.get("default"),
        values=tuple(facts.get("values", ())),
        minimum=facts.get("min"),
        maximum=facts.get("max"),
        is_list=bool(facts.get("list")),
    )


def find(key: Key) -> Option | None:
    """The option at this address, or None: names are case-sensitive."""
    options = catalogue().get(key.namespace) or _templated(key.namespace)
    if options is None:
        return None
    return options.get(key.name) or options.get("*")


def _templated(namespace: str) -> Mapping[str, Option] | None:
    for template, pattern in PLACEHOLDERS.items():
        if fnmatch.fnmatchcase(namespace, pattern):
            return catalogue()[template]
    return None


def problems(settings: Mapping[Key, str]) -> list[Problem]:
    """What the service would refuse, in its words, in the order of the settings."""
    found = []
    for key, value in settings.items():
        option = find(key)
        where = f"(Namespace: '{key.namespace}', OptionName: '{key.name}')"
        if option is None:
            found.append(Problem(key, f"Invalid option specification {where}: Unknown configuration setting."))
        elif (refusal := option.refusal(value)) is not None:
            found.append(Problem(key, f"Invalid option value: '{value}' {where}: {refusal}"))
    return found + _managed_action_problems(settings)


def _managed_action_problems(settings: Mapping[Key, str]) -> list[Problem]:
    enabled = Key("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled")
    if settings.get(enabled) != "true":
        return []
    needed = (
        Key("aws:elasticbeanstalk:managedactions", "PreferredStartTime"),
        Key("aws:elasticbeanstalk:managedactions:platformupdate", "UpdateLevel"),
    )
    return [
        Problem(
            enabled,
            f"Invalid option specification (Namespace: '{enabled.namespace}', OptionName: '{enabled.name}'): "
            f"You can't enable managed platform updates when you don't specify {key.name}.",
        )
        for key in needed
        if not settings.get(key)
    ]


def properties_size(settings: Mapping[Key, str]) -> int:
    """Bytes of all environment properties as `name=value`, as the service counts them against its limit."""
    properties = [f"{key.name}={value}" for key, value in settings.items() if key.namespace == ENVIRONMENT_PROPERTIES]
    return sum(len(item.encode()) for item in properties)


def severity(key: Key) -> Severity:
    """What a change of this option does to a running environment."""
    if key.namespace in (ENVIRONMENT_PROPERTIES, ENVIRONMENT_SECRETS):
        return "RestartApplicationServer"
    if key.namespace in (LAUNCH, INSTANCES, VPC) or key == Key(ENVIRONMENT, "EnvironmentType"):
        return "RestartEnvironment"
    return "NoInterruption"


def effective(*layers: Mapping[Key, str]) -> dict[Key, str]:
    """Settings by precedence, the first layer weakest; layers hold no defaults."""
    merged: dict[Key, str] = {}
    for layer in layers:
        merged.update(layer)
    return merged


def read_back(settings: Mapping[Key, str], own_security_group: str | None) -> list[dict[str, str]]:
    """Settings as DescribeConfigurationSettings reports them: with defaults, resource names, the service's group.

    :param own_security_group: The group that the service made for the instances; it appears among the declared ones.
    """
    reported = {
        option.key: option.default
        for namespace, options in catalogue().items()
        for name, option in options.items()
        if name != "*" and _is_reported(namespace, settings)
    }
    values: dict[Key, str | None] = {**reported, **settings}
    groups = Key(LAUNCH, "SecurityGroups")
    if own_security_group is not None:
        declared = [group for group in settings.get(groups, "").split(",") if group]
        values[groups] = ",".join([*declared, own_security_group])
    return [_setting(key, values[key]) for key in sorted(values, key=lambda key: (key.namespace, key.name))]


def _is_reported(namespace: str, settings: Mapping[Key, str]) -> bool:
    if namespace in PLACEHOLDERS or namespace in NEVER_REPORTED:
        return False
    single = settings.get(Key(ENVIRONMENT, "EnvironmentType")) == "SingleInstance"
    return not (single and namespace.startswith(NOT_ON_SINGLE_INSTANCE))


def _setting(key: Key, value: str | None) -> dict[str, str]:
    setting = {"Namespace": key.namespace, "OptionName": key.name}
    if key.namespace in RESOURCE_NAMES:
        setting["ResourceName"] = RESOURCE_NAMES[key.namespace]
    if value is not None:
        setting["Value"] = value
    return setting


def describe(keys: Iterable[Key] | None, single_instance: bool) -> list[dict[str, Any]]:
    """Options as DescribeConfigurationOptions reports them; all of them when no keys are given."""
    settings = {Key(ENVIRONMENT, "EnvironmentType"): "SingleInstance"} if single_instance else {}
    if keys is None:
        chosen = [
            option
            for namespace, options in catalogue().items()
            if _is_reported(namespace, settings)
            for name, option in options.items()
            if name != "*"
        ]
    else:
        chosen = [option for key in keys if (option := find(key)) is not None]
    return [_description(option) for option in chosen]


def _description(option: Option) -> dict[str, Any]:
    described: dict[str, Any] = {
        "Namespace": option.key.namespace,
        "Name": option.key.name,
        "ChangeSeverity": severity(option.key),
        "UserDefined": option.key.name == "*",
        "ValueType": option.value_type,
    }
    optional = {
        "DefaultValue": option.default,
        "ValueOptions": list(option.values) or None,
        "MinValue": option.minimum,
        "MaxValue": option.maximum,
    }
    return described | {name: value for name, value in optional.items() if value is not None}
