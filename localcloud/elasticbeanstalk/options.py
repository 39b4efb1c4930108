# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option catalogue: which options exist, their defaults, the values they take, and what a change costs.

`options.json` holds names, defaults and valid values of the developer guide, and resource names and valueless options
as read back from real environments: the EB CLI's recorded replies (one instance, 2018), and public dumps of a classic
load balancer's environment on Amazon Linux 2023 (2025) and of an application load balancer's (2022).
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
HEALTH_LOGS = "aws:elasticbeanstalk:cloudwatch:logs:health"
INSTANCES = "aws:ec2:instances"
VPC = "aws:ec2:vpc"
ASG = "aws:autoscaling:asg"
TEMPLATE_PARAMETER = "aws:cloudformation:template:parameter"

PROPERTIES_LIMIT = 4096
BOOLEAN = ("true", "false")

Severity = Literal["NoInterruption", "RestartEnvironment", "RestartApplicationServer"]
Shape = Literal["single", "classic", "application", "network"]

# The catalogue names these namespaces by the part that a user chooses.
PLACEHOLDERS = {
    "aws:elasticbeanstalk:environment:process:process_name": "aws:elasticbeanstalk:environment:process:*",
    "aws:elb:listener:listener_port": "aws:elb:listener:*",
    "aws:elb:policies:policy_name": "aws:elb:policies:*",
    "aws:elbv2:listener:listener_port": "aws:elbv2:listener:*",
    "aws:elbv2:listenerrule:rule_name": "aws:elbv2:listenerrule:*",
}


@dataclass(frozen=True)
class Key:
    """An option's address."""

    namespace: str
    name: str


ENVIRONMENT_TYPE = Key(ENVIRONMENT, "EnvironmentType")
LOAD_BALANCER_TYPE = Key(ENVIRONMENT, "LoadBalancerType")

# Which options mean something in which shape of environment, by the start of their namespace or their address. What
# means nothing is accepted and has no effect, and is not read back:
# https://github.com/hashicorp/terraform-provider-aws/issues/35233 and /280.
_ONLY_FOR: tuple[tuple[str | Key, frozenset[Shape]], ...] = (
    ("aws:elb:", frozenset({"classic"})),
    ("aws:elbv2:", frozenset({"application", "network"})),
    ("aws:elasticbeanstalk:environment:process:", frozenset({"application", "network"})),
    ("aws:autoscaling:trigger", frozenset({"classic", "application", "network"})),
    ("aws:elasticbeanstalk:trafficsplitting", frozenset({"application"})),
    (LOAD_BALANCER_TYPE, frozenset({"classic", "application", "network"})),
    (Key(ENVIRONMENT, "LoadBalancerIsShared"), frozenset({"application"})),
)


@dataclass(frozen=True)
class Option:
    """What the service knows about an option.

    `default` None: it has no value until one is given; `default_by` has the defaults that a load balancer brings.
    `silent`: its default acts, but is not read back. `reported`: it is read back without having been set.
    """

    key: Key
    default: str | None = None
    default_by: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    regex: str | None = None
    hint: str | None = None
    ignore_case: bool = False
    is_list: bool = False
    resource: str | None = None
    silent: bool = False
    reported: bool = True

    @property
    def value_type(self) -> str:
        if self.values == BOOLEAN:
            return "Boolean"
        if self.key == Key(HEALTH_SYSTEM, "ConfigDocument"):
            return "Json"
        return "List" if self.is_list else "Scalar"

    def default_in(self, shape: Shape) -> str | None:
        """The default in an environment of this shape."""
        if shape != "single" and "load_balanced" in self.default_by:
            return self.default_by["load_balanced"]
        return self.default_by.get(shape, self.default)

    def refusal(self, value: str) -> str | None:
        """The service's words about a value that it does not take, else None."""
        if self.values and not set(self._parts(value)) <= set(self.values):
            return f"Value is not one of the allowed values: [{', '.join(self.values)}]"
        if self.regex is not None and not re.search(self.regex, value, re.IGNORECASE if self.ignore_case else 0):
            return f"Value does not satisfy regex: '{self.regex}'" + (f" [{self.hint}]" if self.hint else "")
        return self._number_refusal(value)

    def _parts(self, value: str) -> list[str]:
        return [part.strip() for part in value.split(",")] if self.is_list else [value]

    def _number_refusal(self, value: str) -> str | None:
        if (self.minimum is None and self.maximum is None) or value == "":
            return None
        if not re.fullmatch(r"-?\d+", value):
            return "Value is not a valid number."
        if self.minimum is not None and int(value) < self.minimum:
            return f"Value is less than minimum allowed value: {self.minimum}"
        if self.maximum is not None and int(value) > self.maximum:
            return f"Value is greater than maximum allowed value: {self.maximum}"
        return None


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
        default_by=facts.get("default_by", {}),
        values=tuple(facts.get("values", ())),
        minimum=facts.get("min"),
        maximum=facts.get("max"),
        regex=facts.get("regex"),
        hint=facts.get("hint"),
        ignore_case=bool(facts.get("ignore_case")),
        is_list=bool(facts.get("list")),
        resource=facts.get("resource"),
        silent=bool(facts.get("silent")),
        reported=facts.get("reported", True),
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


def shape_of(settings: Mapping[Key, str]) -> Shape:
    """What an environment with these settings consists of: one instance, or instances behind that load balancer."""
    if settings.get(ENVIRONMENT_TYPE, "LoadBalanced") == "SingleInstance":
        return "single"
    kinds: dict[str, Shape] = {"application": "application", "network": "network"}
    return kinds.get(settings.get(LOAD_BALANCER_TYPE, "classic"), "classic")


def value(settings: Mapping[Key, str], key: Key) -> str | None:
    """The effective value of an option in an environment with these settings, its default included."""
    found, option = settings.get(key), find(key)
    return found if found is not None or option is None else option.default_in(shape_of(settings))


def means_something(key: Key, shape: Shape) -> bool:
    """Whether an option has an effect in an environment of this shape."""
    for where, shapes in _ONLY_FOR:
        if (key.namespace.startswith(where) if isinstance(where, str) else key == where) and shape not in shapes:
            return False
    return True


def properties_size(settings: Mapping[Key, str]) -> int:
    """Bytes of all environment properties as `name=value`, as the service counts them against its limit."""
    properties = [f"{key.name}={value}" for key, value in settings.items() if key.namespace == ENVIRONMENT_PROPERTIES]
    return sum(len(item.encode()) for item in properties)


def severity(key: Key) -> Severity:
    """What a change of this option does to a running environment."""
    if key.namespace in (ENVIRONMENT_PROPERTIES, ENVIRONMENT_SECRETS):
        return "RestartApplicationServer"
    if key.namespace in (LAUNCH, INSTANCES, VPC) or key == ENVIRONMENT_TYPE:
        return "RestartEnvironment"
    return "NoInterruption"


def effective(*layers: Mapping[Key, str]) -> dict[Key, str]:
    """Settings by precedence, the first layer weakest; layers hold no defaults.

    Booleans become lower case, as the service reads back those that were set as `True`:
    https://github.com/hsingh/ansible-elastic-beanstalk/issues/24.
    """
    return {key: _spelled(key, value) for layer in layers for key, value in layer.items()}


def _spelled(key: Key, value: str) -> str:
    lower = value.lower()
    if lower == value or lower not in BOOLEAN:
        return value
    option = find(key)
    return lower if option is not None and option.values == BOOLEAN else value
