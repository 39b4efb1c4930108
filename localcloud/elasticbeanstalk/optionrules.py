# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which option settings the service refuses, alone and together, and its words for it.

Seen word for word: unknown settings (https://github.com/pulumi/pulumi-aws/issues/3461), values that are not allowed
(https://github.com/aws/elastic-beanstalk-roadmap/issues/150), regular expressions
(https://github.com/aws/aws-elastic-beanstalk-cli/issues/77), the load balancer's type
(https://github.com/hashicorp/terraform-provider-aws/issues/812), the service-linked role at managed updates, HTTPS
without a certificate, external extensions (https://github.com/classmethod/gradle-aws-plugin/issues/182). That the
other relations are refused is from the developer guide, their words are ours.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.options import Key

MANAGED_ACTIONS = "aws:elasticbeanstalk:managedactions"
ENABLED = Key(MANAGED_ACTIONS, "ManagedActionsEnabled")
START_TIME = Key(MANAGED_ACTIONS, "PreferredStartTime")
UPDATE_LEVEL = Key(f"{MANAGED_ACTIONS}:platformupdate", "UpdateLevel")
UPDATE_ROLE = Key(MANAGED_ACTIONS, "ServiceRoleForManagedUpdates")
SERVICE_ROLE = Key(options.ENVIRONMENT, "ServiceRole")
SERVICE_LINKED_ROLE = "AWSServiceRoleForElasticBeanstalk"
CONFIG_DOCUMENT = Key(options.HEALTH_SYSTEM, "ConfigDocument")
TYPES = Key(options.INSTANCES, "InstanceTypes")
OLDER_TYPE = Key(options.LAUNCH, "InstanceType")
ARCHITECTURES = Key(options.INSTANCES, "SupportedArchitectures")
MOST_TYPES = 40

Architectures = Mapping[str, Collection[str]]
"""The instance types that exist, each with the architectures that it runs."""


@dataclass(frozen=True)
class Problem:
    """An option setting that the service refuses (`error`) or doubts (`warning`)."""

    key: Key
    message: str
    severity: Literal["error", "warning"] = "error"


def specification(key: Key, words: str) -> Problem:
    return Problem(
        key, f"Invalid option specification (Namespace: '{key.namespace}', OptionName: '{key.name}'): {words}"
    )


def bad_value(key: Key, value: str, words: str) -> Problem:
    where = f"(Namespace: '{key.namespace}', OptionName: '{key.name}')"
    return Problem(key, f"Invalid option value: '{value}' {where}: {words}")


def problems(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    """What the service would refuse: each setting alone in their order, then what does not go together."""
    alone = [problem for key, value in settings.items() for problem in _alone(key, value, architectures)]
    return alone or [problem for rule in _RULES for problem in rule(settings, architectures)]


def unchangeable(old: Mapping[Key, str], new: Mapping[Key, str]) -> list[Problem]:
    """What an update would have to change that is fixed at the environment's creation, with a balancer or without."""
    before, after = (settings.get(options.LOAD_BALANCER_TYPE, "classic") for settings in (old, new))
    return [Problem(options.LOAD_BALANCER_TYPE, "LoadBalancer type option cannot be changed.")] * (before != after)


def extension_problems(settings: Iterable[Key]) -> list[Problem]:
    """What a bundle may not set."""
    external = ("ExternalExtensionsS3Bucket", "ExternalExtensionsS3Key")
    return [
        specification(key, "External extensions can only be applied from the API")
        for key in settings
        if key.namespace == options.ENVIRONMENT and key.name in external
    ]


def _alone(key: Key, value: str, architectures: Architectures) -> list[Problem]:
    option = options.find(key)
    if option is None:
        return [specification(key, "Unknown configuration setting.")]
    if (words := option.refusal(value)) is not None:
        return [bad_value(key, value, words)]
    if key == CONFIG_DOCUMENT:
        return [bad_value(key, value, words) for words in _document_words(value)]
    if key in (TYPES, OLDER_TYPE):
        return _type_problems(key, value, architectures)
    return []


def _document_words(value: str) -> list[str]:
    try:
        document = json.loads(value or "{}")
    except ValueError:
        return ["Value is not a valid JSON document."]
    if not isinstance(document, dict) or document.get("Version", 1) != 1:
        return ['Value is not a valid health reporting document: it is a JSON object with "Version": 1.']
    return []


def _type_problems(key: Key, value: str, architectures: Architectures) -> list[Problem]:
    types = type_list(value)
    if key == TYPES and not 1 <= len(types) <= MOST_TYPES:
        return [bad_value(key, value, f"Specify from 1 to {MOST_TYPES} instance types.")]
    if all(name in architectures for name in types):
        return []
    return [bad_value(key, value, f"Value is not one of the allowed values: [{', '.join(sorted(architectures))}]")]


def type_list(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def architecture_of(settings: Mapping[Key, str], architectures: Architectures) -> str:
    """What the instances run; x86_64 unless their types or the environment say otherwise."""
    if declared := settings.get(ARCHITECTURES):
        return declared.split(",")[0].strip()
    types = type_list(settings.get(TYPES) or settings.get(OLDER_TYPE) or "")
    found = {name for kind in types for name in architectures.get(kind, ())}
    return "arm64" if found == {"arm64"} else "x86_64"


# -- what does not go together ----------------------------------------------------------------------------------------


def _managed_updates(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    if settings.get(ENABLED, "").lower() != "true":
        return []
    found = [
        specification(ENABLED, f"You can't enable managed platform updates when you don't specify {key.name}.")
        for key in (START_TIME, UPDATE_LEVEL)
        if not settings.get(key)
    ]
    if settings.get(Key(options.HEALTH_SYSTEM, "SystemType"), "basic") != "enhanced":
        words = "You can't enable managed platform updates when your environment doesn't use enhanced health reporting."
        found.append(specification(ENABLED, words))
    role = settings.get(SERVICE_ROLE, "").rpartition("/")[2] or SERVICE_LINKED_ROLE
    if role == SERVICE_LINKED_ROLE and not settings.get(UPDATE_ROLE):
        words = (
            "You can't enable managed platform updates when your environment uses the service-linked role "
            f"'{SERVICE_LINKED_ROLE}'. Select a service role that has the "
            "'AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy' managed policy."
        )
        found.append(specification(ENABLED, words))
    return found


def _one_architecture(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    value = settings.get(TYPES, "")
    wanted = settings.get(ARCHITECTURES)
    common = set(type_list(wanted)) if wanted else {"arm64", "x86_64", "i386"}
    for name in type_list(value):
        common &= set(architectures[name])
    if common:
        return []
    said = f"of the architecture {wanted}" if wanted else "of one architecture"
    return [bad_value(TYPES, value, f"All instance types must be {said}.")]


def _sizes(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    smallest, largest = Key(options.ASG, "MinSize"), Key(options.ASG, "MaxSize")
    least, most = int(settings.get(smallest) or 1), int(settings.get(largest) or 4)
    if options.shape_of(settings) == "single" or least <= most:
        return []
    return [bad_value(smallest, str(least), f"Value is greater than MaxSize: {most}")]


def _batch(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    key = Key(options.COMMAND, "BatchSize")
    size = int(settings.get(key) or 100)
    if settings.get(Key(options.COMMAND, "BatchSizeType")) == "Fixed" or size <= 100:
        return []
    return [bad_value(key, str(size), "Value is greater than maximum allowed value: 100")]


def _traffic_splitting(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    key = Key(options.COMMAND, "DeploymentPolicy")
    if settings.get(key) != "TrafficSplitting" or options.shape_of(settings) == "application":
        return []
    return [bad_value(key, "TrafficSplitting", "Traffic splitting requires an Application Load Balancer.")]


def _certificates(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    shape = options.shape_of(settings)
    names = {"application": ("aws:elbv2:listener:", "Protocol", "SSLCertificateArns")}
    names["classic"] = ("aws:elb:listener:", "ListenerProtocol", "SSLCertificateId")
    if shape not in names:
        return []
    prefix, protocol, certificate = names[shape]
    return [
        Problem(key, "You must specify an SSL certificate to configure a listener to use HTTPS.")
        for key, value in settings.items()
        if key.namespace.startswith(prefix) and key.name == protocol and value == "HTTPS"
        if not settings.get(Key(key.namespace, certificate))
    ]


def _network(settings: Mapping[Key, str], architectures: Architectures) -> list[Problem]:
    vpc = Key(options.VPC, "VPCId")
    subnets = [Key(options.VPC, name) for name in ("Subnets", "ELBSubnets")]
    return [
        specification(vpc, f"Specify the VPC of the {key.name}.")
        for key in subnets
        if settings.get(key) and not settings.get(vpc)
    ]


_RULES = (_managed_updates, _one_architecture, _sizes, _batch, _traffic_splitting, _certificates, _network)
