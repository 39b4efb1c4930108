# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a wanted and an observed environment to the steps between them. Pure: no AWS, no Ansible, no clock."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    ENVIRONMENT_PROPERTIES,
    TERMINATED,
    TERMINATING,
    USER_DEFINED_NAMESPACES,
    Environment,
    ObservedEnvironment,
    OptionKey,
    Setting,
    WantedEnvironment,
)

SYSTEM_TAG_PREFIXES = ("aws:", "elasticbeanstalk:")
SYSTEM_TAGS = frozenset({"Name"})
HIDDEN = "(hidden)"

_SECURITY_GROUPS = ("aws:autoscaling:launchconfiguration", "SecurityGroups")
_SETS = frozenset(
    {
        _SECURITY_GROUPS,
        ("aws:ec2:vpc", "Subnets"),
        ("aws:ec2:vpc", "ELBSubnets"),
        ("aws:ec2:vpc", "DBSubnets"),
        ("aws:elb:loadbalancer", "SecurityGroups"),
        ("aws:elbv2:loadbalancer", "SecurityGroups"),
        ("aws:autoscaling:asg", "Custom Availability Zones"),
    }
)
_JSON = frozenset({("aws:elasticbeanstalk:healthreporting:system", "ConfigDocument")})
_LISTS = frozenset({("aws:ec2:instances", "InstanceTypes")})
# A role or profile may be given as name, path or ARN, and is read back in another of these forms.
_NAMES_OR_ARNS = frozenset(
    {
        ("aws:elasticbeanstalk:environment", "ServiceRole"),
        ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"),
        ("aws:elasticbeanstalk:managedactions", "ServiceRoleForManagedUpdates"),
    }
)
_ENVIRONMENT_TYPE = ("aws:elasticbeanstalk:environment", "EnvironmentType")
_CHOSEN_AT_CREATION = frozenset({("aws:elasticbeanstalk:environment", "LoadBalancerType")})
_SECRET_NAME = re.compile(r"pass(word|wd|phrase)?|secret|token|credential|private|api_?key|access_?key|dsn", re.I)
_URL_WITH_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s]*:[^/\s]+@", re.I)


@dataclass(frozen=True)
class CreateEnvironment(Step):
    """Create the environment with everything that was declared."""

    platform_arn: str = ""


@dataclass(frozen=True)
class UpdateEnvironment(Step):
    """One UpdateEnvironment call that carries the version and the options together. ``None`` is not sent."""

    version_label: str | None = None
    description: str | None = None
    platform_arn: str | None = None
    settings: tuple[Setting, ...] = ()
    options_to_remove: tuple[OptionKey, ...] = ()


@dataclass(frozen=True)
class UpdateTags(Step):
    """Change the environment's tags; this too makes the environment update."""

    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class TerminateEnvironment(Step):
    """Terminate the environment with its resources."""


def plan_present(wanted: WantedEnvironment, observed: ObservedEnvironment) -> Plan:
    """Return the steps that make the environment as declared; none when it already is.

    Raises AntennaError when that is not possible from here.
    """
    environment = observed.environment
    if environment is None or environment.status in (TERMINATING, TERMINATED):
        return Plan((_create(wanted, observed),))
    if environment.application_name != wanted.application_name:
        raise AntennaError(
            f"Environment {wanted.name!r} belongs to application {environment.application_name!r}, "
            f"not to {wanted.application_name!r}: names of environments are unique in a region. "
            "Choose another name, or terminate that environment."
        )
    if environment.tier and environment.tier != wanted.tier:
        raise AntennaError(
            f"Environment {wanted.name!r} is of tier {environment.tier!r} and cannot become {wanted.tier!r}. "
            "Terminate it first, or declare the tier that it has."
        )
    steps: list[Step] = []
    # Tags first: they take seconds, and the environment must be Ready again before it accepts an update.
    steps.extend(_tag_steps(wanted, observed))
    steps.extend(_update_steps(wanted, observed, environment))
    return Plan(tuple(steps))


def plan_absent(wanted: WantedEnvironment, observed: ObservedEnvironment) -> Plan:
    """Return the steps that remove the environment; none when it is gone or on its way."""
    environment = observed.environment
    if environment is None or environment.status in (TERMINATING, TERMINATED):
        return Plan(())
    return Plan(
        (TerminateEnvironment("terminate", wanted.name, f"environment {environment.environment_id} must not exist"),)
    )


def same_value(key: OptionKey, wanted: str, current: str | None, generated_groups: frozenset[str]) -> bool:
    """Tell whether two spellings of an option's value mean the same to the service."""
    if current is None:
        return wanted == ""
    if wanted == current:
        return True
    if key == _SECURITY_GROUPS:
        return _members(wanted) == _without_generated(_members(current), generated_groups)
    if key in _SETS:
        return _members(wanted) == _members(current)
    if key in _JSON:
        return _same_json(wanted, current)
    if key in _LISTS:
        return [item.strip() for item in wanted.split(",")] == [item.strip() for item in current.split(",")]
    if key in _NAMES_OR_ARNS:
        return wanted.rsplit("/", 1)[-1] == current.rsplit("/", 1)[-1]
    if key[0] in USER_DEFINED_NAMESPACES:
        return False
    return {wanted.lower(), current.lower()} in ({"true"}, {"false"})


def security_groups_to_look_up(wanted: WantedEnvironment, current: t.Iterable[Setting]) -> frozenset[str]:
    """Return ids of groups beyond the declared ones, of which must be known whether the service generated them."""
    declared = {setting.key: setting.value for setting in wanted.settings}
    if _SECURITY_GROUPS not in declared:
        return frozenset()
    there = {setting.key: setting.value for setting in current}.get(_SECURITY_GROUPS, "")
    extra = _members(there) - _members(declared[_SECURITY_GROUPS])
    return frozenset(group for group in extra if group.startswith("sg-"))


def shown_value(setting: Setting) -> str:
    """Return the setting's value as it may be shown in diffs and logs."""
    return HIDDEN if is_secret(setting) else setting.value


def is_secret(setting: Setting) -> bool:
    """Tell whether an environment property looks as if its value must not be shown."""
    if setting.namespace != ENVIRONMENT_PROPERTIES or not setting.value:
        return False
    return bool(_SECRET_NAME.search(setting.name) or _URL_WITH_PASSWORD.search(setting.value))


def project(wanted: WantedEnvironment, observed: ObservedEnvironment, plan: Plan) -> ObservedEnvironment:
    """Return what will be observed once the plan has been applied and the environment has settled."""
    for step in plan.steps:
        observed = _project_step(wanted, observed, step)
    return observed


def user_tags(tags: t.Mapping[str, str]) -> dict[str, str]:
    """Return the tags that a person set: those of the service and the Name that it gives are its own."""
    return {
        key: value
        for key, value in sorted(tags.items())
        if not key.startswith(SYSTEM_TAG_PREFIXES) and key not in SYSTEM_TAGS
    }


def _create(wanted: WantedEnvironment, observed: ObservedEnvironment) -> CreateEnvironment:
    if not wanted.platform_branch:
        raise AntennaError(
            f"Environment {wanted.name!r} does not exist, and creating it takes platform_branch, "
            "for example 'ECS running on 64bit Amazon Linux 2023'."
        )
    if not wanted.version_label:
        raise AntennaError(
            f"Environment {wanted.name!r} does not exist, and creating it takes version_label: "
            "without one the service would deploy its own sample application."
        )
    if not observed.recommended_platform_arn:
        raise AntennaError(
            f"No recommended platform version exists for the branch {wanted.platform_branch!r} in this region. "
            "Look at 'aws elasticbeanstalk list-platform-branches' for the branches that are still supported."
        )
    if wanted.cname_prefix and not observed.cname_available:
        raise AntennaError(
            f"The CNAME prefix {wanted.cname_prefix!r} is taken ({observed.new_cname}): prefixes are unique in a "
            "region over all accounts. Choose another cname_prefix."
        )
    platform = observed.recommended_platform_arn
    return CreateEnvironment(
        "create",
        wanted.name,
        f"no environment of this name; platform {platform.rsplit('platform/', 1)[-1]}, version {wanted.version_label}",
        platform_arn=platform,
    )


def _update_steps(
    wanted: WantedEnvironment, observed: ObservedEnvironment, environment: Environment
) -> list[UpdateEnvironment]:
    current = {setting.key: setting.value for setting in observed.settings}
    different = tuple(
        setting
        for setting in wanted.settings
        if not same_value(setting.key, setting.value, current.get(setting.key), observed.generated_security_groups)
    )
    settings = _changeable(wanted, different, current)
    removed = tuple(key for key in wanted.options_to_remove if _is_removable(key, current, observed.option_defaults))
    label = _changed(wanted.version_label, environment.version_label)
    description = _changed(wanted.description, environment.description)
    platform = _new_platform(wanted, observed)
    reasons = [
        *([f"version {environment.version_label or '(none)'} -> {label}"] if label else []),
        *([f"platform {environment.platform_arn.rsplit('platform/', 1)[-1]} -> {platform}"] if platform else []),
        *([f"description {environment.description!r} -> {description!r}"] if description is not None else []),
        *(_setting_reason(setting, current.get(setting.key)) for setting in settings),
        *(f"{namespace}:{name} removed" for namespace, name in removed),
    ]
    if not reasons:
        return []
    return [
        UpdateEnvironment(
            "update",
            wanted.name,
            "; ".join(reasons),
            version_label=label,
            description=description,
            platform_arn=platform,
            settings=settings,
            options_to_remove=removed,
        )
    ]


def _changeable(
    wanted: WantedEnvironment, different: tuple[Setting, ...], current: t.Mapping[OptionKey, str]
) -> tuple[Setting, ...]:
    """Return the settings to be sent. Raises AntennaError for what only a new environment can have.

    The type of the load balancer is not read back where there is none: it counts once there is to be one.
    """
    for setting in different:
        if setting.key in _CHOSEN_AT_CREATION and setting.key in current:
            raise AntennaError(
                f"Environment {wanted.name!r} has {setting.name} {current[setting.key]!r} and cannot get "
                f"{setting.value!r}: that is chosen when an environment is created. Terminate it first, or declare "
                "another environment beside it."
            )
    if any(setting.key == _ENVIRONMENT_TYPE for setting in different):
        return different
    return tuple(setting for setting in different if setting.key not in _CHOSEN_AT_CREATION)


def _tag_steps(wanted: WantedEnvironment, observed: ObservedEnvironment) -> list[UpdateTags]:
    if wanted.tags is None:
        return []
    add = tuple((key, value) for key, value in sorted(wanted.tags.items()) if observed.tags.get(key) != value)
    remove = tuple(key for key in user_tags(observed.tags) if wanted.purge_tags and key not in wanted.tags)
    if not add and not remove:
        return []
    reasons = [*(f"tag {key}={value}" for key, value in add), *(f"tag {key} removed" for key in remove)]
    return [UpdateTags("update_tags", wanted.name, "; ".join(reasons), add=add, remove=remove)]


def _new_platform(wanted: WantedEnvironment, observed: ObservedEnvironment) -> str | None:
    # Within a branch the version belongs to managed updates: only another branch is our business.
    if not wanted.platform_branch or observed.platform_branch == wanted.platform_branch:
        return None
    if not observed.recommended_platform_arn:
        raise AntennaError(
            f"Environment {wanted.name!r} runs on {observed.platform_branch!r}, and no recommended platform version "
            f"exists for the declared branch {wanted.platform_branch!r} in this region."
        )
    return observed.recommended_platform_arn


def _is_removable(key: OptionKey, current: t.Mapping[OptionKey, str], defaults: t.Mapping[OptionKey, str]) -> bool:
    value = current.get(key)
    if value is None:
        return False
    return key[0] in USER_DEFINED_NAMESPACES or value != defaults.get(key, "")


def _changed(wanted: str | None, current: str) -> str | None:
    return None if wanted is None or wanted == current else wanted


def _setting_reason(setting: Setting, current: str | None) -> str:
    before = "(unset)" if current is None else shown_value(replace(setting, value=current))
    return f"{setting.namespace}:{setting.name} {before} -> {shown_value(setting)}"


def _members(value: str) -> frozenset[str]:
    return frozenset(item.strip() for item in value.split(",") if item.strip())


def _without_generated(groups: frozenset[str], generated: frozenset[str]) -> frozenset[str]:
    return frozenset(group for group in groups if not group.startswith("awseb") and group not in generated)


def _same_json(wanted: str, current: str) -> bool:
    try:
        return bool(json.loads(wanted) == json.loads(current))
    except ValueError:
        return False


def _project_step(wanted: WantedEnvironment, observed: ObservedEnvironment, step: Step) -> ObservedEnvironment:
    if isinstance(step, CreateEnvironment):
        return _project_create(wanted, observed, step)
    environment = observed.environment
    if environment is None:
        return observed
    if isinstance(step, UpdateTags):
        kept = {key: value for key, value in observed.tags.items() if key not in step.remove}
        return replace(observed, tags={**kept, **dict(step.add)})
    if isinstance(step, UpdateEnvironment):
        return _project_update(wanted, observed, environment, step)
    return replace(observed, environment=replace(environment, status=TERMINATED))


def _project_create(
    wanted: WantedEnvironment, observed: ObservedEnvironment, step: CreateEnvironment
) -> ObservedEnvironment:
    return replace(
        observed,
        environment=Environment(
            environment_id="",
            name=wanted.name,
            application_name=wanted.application_name,
            status="Launching",
            health="Grey",
            version_label=wanted.version_label or "",
            platform_arn=step.platform_arn,
            cname=observed.new_cname,
            description=wanted.description or "",
            tier=wanted.tier,
        ),
        settings=wanted.settings,
        tags=dict(wanted.tags or {}),
        platform_branch=wanted.platform_branch or "",
    )


def _project_update(
    wanted: WantedEnvironment, observed: ObservedEnvironment, environment: Environment, step: UpdateEnvironment
) -> ObservedEnvironment:
    settings = {setting.key: setting for setting in observed.settings}
    settings.update({setting.key: setting for setting in step.settings})
    for key in step.options_to_remove:
        settings.pop(key, None)
    return replace(
        observed,
        environment=replace(
            environment,
            status="Updating",
            version_label=environment.version_label if step.version_label is None else step.version_label,
            description=environment.description if step.description is None else step.description,
            platform_arn=step.platform_arn or environment.platform_arn,
        ),
        settings=tuple(settings[key] for key in sorted(settings)),
        platform_branch=(wanted.platform_branch or "") if step.platform_arn else observed.platform_branch,
    )
