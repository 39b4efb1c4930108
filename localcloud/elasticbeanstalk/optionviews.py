# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as the service reads them back and describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.optionrules import OLDER_TYPE, TYPES, Architectures, architecture_of, type_list
from localcloud.elasticbeanstalk.options import Key, Option, Shape

GROUPS = Key(options.LAUNCH, "SecurityGroups")
SUBNETS = (Key(options.VPC, "Subnets"), Key(options.VPC, "ELBSubnets"))
STANDARD_TYPES = {"x86_64": "t3.micro, t3.small", "arm64": "t4g.micro, t4g.small"}
LISTENERS = "aws:elb:listener"


@dataclass(frozen=True)
class Made:
    """What the service made itself for an environment, as its settings show it. `app_source`: the bundle's URL."""

    security_group: str | None = None
    balancer_security_group: str | None = None
    app_source: str | None = None


def read_back(settings: Mapping[Key, str], made: Made, architectures: Architectures) -> list[dict[str, str]]:
    """Settings as DescribeConfigurationSettings reports them: with defaults, resource names and what is derived.

    Settings that mean nothing in this shape of environment are left out, and options without a value have no `Value`.
    """
    shape = options.shape_of(settings)
    declared = {_reported_at(key): value for key, value in settings.items() if options.means_something(key, shape)}
    values = {**_defaults(shape), **_derived(settings, architectures), **declared, **_made(settings, made)}
    return [_setting(key, values[key], shape) for key in sorted(values, key=lambda key: (key.namespace, key.name))]


def _reported_at(key: Key) -> Key:
    """The classic load balancer's standard listener is that of port 80."""
    return Key(f"{LISTENERS}:80", key.name) if key.namespace == LISTENERS else key


def _defaults(shape: Shape) -> dict[Key, str | None]:
    return {
        _reported_at(option.key): None if option.silent else option.default_in(shape)
        for namespace, known in options.catalogue().items()
        if namespace not in options.PLACEHOLDERS
        for name, option in known.items()
        if name != "*" and option.reported and options.means_something(option.key, shape)
    }


def _derived(settings: Mapping[Key, str], architectures: Architectures) -> dict[Key, str | None]:
    """What follows from other settings when it is not set itself."""
    architecture = architecture_of(settings, architectures)
    types = settings.get(TYPES) or settings.get(OLDER_TYPE) or STANDARD_TYPES.get(architecture, "")
    first = next(iter(type_list(types)), "")
    return {
        TYPES: types,
        OLDER_TYPE: first,
        Key(options.INSTANCES, "SupportedArchitectures"): architecture,
        Key(options.TEMPLATE_PARAMETER, "InstanceTypeFamily"): first.partition(".")[0],
    }


def _made(settings: Mapping[Key, str], made: Made) -> dict[Key, str | None]:
    """What the service adds to settings, or writes itself."""
    properties = [
        f"{key.name}={value}" for key, value in settings.items() if key.namespace == options.ENVIRONMENT_PROPERTIES
    ]
    found: dict[Key, str | None] = {
        Key(options.TEMPLATE_PARAMETER, "EnvironmentVariables"): ",".join(properties) or None,
        Key(options.TEMPLATE_PARAMETER, "AppSource"): made.app_source,
    }
    if made.security_group is not None:
        found[GROUPS] = _with(settings.get(GROUPS), made.security_group)
    shape = options.shape_of(settings)
    if made.balancer_security_group is not None and shape != "single":
        namespace = "aws:elb:loadbalancer" if shape == "classic" else "aws:elbv2:loadbalancer"
        groups = Key(namespace, "SecurityGroups")
        found[groups] = _with(settings.get(groups), made.balancer_security_group)
    # Their order is the service's own.
    found |= {key: ",".join(sorted(type_list(settings[key]))) for key in SUBNETS if settings.get(key)}
    return found


def _with(declared: str | None, own: str) -> str:
    return ",".join([*type_list(declared or ""), own])


def _setting(key: Key, value: str | None, shape: Shape) -> dict[str, str]:
    setting = {"Namespace": key.namespace, "OptionName": key.name}
    option = options.find(key)
    if option is not None and option.resource is not None:
        setting["ResourceName"] = _resource(option, shape)
    if value is not None:
        setting["Value"] = value
    return setting


def _resource(option: Option, shape: Shape) -> str:
    if option.key == Key(options.VPC, "VPCId") and shape in ("application", "network"):
        return "AWSEBLoadBalancerSecurityGroup"
    return str(option.resource)


def describe(keys: Iterable[Key] | None, settings: Mapping[Key, str]) -> list[dict[str, Any]]:
    """Options as DescribeConfigurationOptions reports them.

    :param keys: None for all that mean something in an environment with these settings.
    """
    shape = options.shape_of(settings)
    if keys is None:
        known = [item for namespace, found in options.catalogue().items() for item in found.values()]
        chosen = [
            option
            for option in known
            if option.key.namespace not in options.PLACEHOLDERS
            and option.key.name != "*"
            and options.means_something(option.key, shape)
        ]
        own = [key for key in settings if (found := options.find(key)) is not None and found.key.name == "*"]
        return [_description(option, shape) for option in chosen] + [_own_description(key) for key in own]
    return [_description(option, shape) for key in keys if (option := options.find(key)) is not None]


def _own_description(key: Key) -> dict[str, Any]:
    """An option that somebody made up, as an environment property."""
    return {
        "Namespace": key.namespace,
        "Name": key.name,
        "ChangeSeverity": options.severity(key),
        "UserDefined": True,
        "ValueType": "Scalar",
    }


def _description(option: Option, shape: Shape) -> dict[str, Any]:
    described: dict[str, Any] = {
        "Namespace": option.key.namespace,
        "Name": option.key.name,
        "ChangeSeverity": options.severity(option.key),
        "UserDefined": option.key.name == "*",
        "ValueType": option.value_type,
    }
    optional = {
        "DefaultValue": option.default_in(shape),
        "ValueOptions": list(option.values) or None,
        "MinValue": option.minimum,
        "MaxValue": option.maximum,
        "Regex": {"Pattern": option.regex, "Label": option.hint or option.key.name} if option.regex else None,
    }
    return described | {name: value for name, value in optional.items() if value is not None}
