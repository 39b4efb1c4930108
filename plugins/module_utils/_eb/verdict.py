# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a Beanstalk deployment from what was observed. Pure: no AWS, no Ansible, no clock.

"Ready" is not success: a failed deployment leaves the environment Ready with its previous version, and the service
calls a deployment successful though a container never started.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._eb import operation, tasks
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    HEALTH_ORDER,
    READY,
    TERMINATED,
    TERMINATING,
    ConfigurationSet,
    Environment,
    HealthReport,
    Instance,
    ProbeAnswer,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Containers, Goal, Observation

_COLOR_RANKS = {"green": 0, "yellow": 2, "red": 4}
# What a server says that is not ready, or not the one that is meant: these answers may yet become others.
_MAY_CHANGE = frozenset({404, 408, 425, 429})
# An environment that was there does not vanish between two looks because a read was stale.
_SURELY_GONE = 10.0


@dataclass(frozen=True)
class Waiting:
    """Neither success nor failure yet; ``unmet`` says what is missing. Nothing unmet: only steadiness is."""

    unmet: tuple[str, ...] = ()


@dataclass(frozen=True)
class Success:
    """Everything that was asked for holds."""

    summary: str


@dataclass(frozen=True)
class Failure:
    """Success has become impossible. ``containers`` are those to blame, if any."""

    reasons: tuple[str, ...]
    containers: Containers = ()


Verdict: t.TypeAlias = "Waiting | Success | Failure"


def judge(observation: Observation, goal: Goal) -> Verdict:
    """Return the verdict on one observation."""
    failure = _certain_failure(observation, goal)
    if failure is not None:
        return failure
    unmet = _unmet(observation, goal)
    if unmet:
        return Waiting(unmet)
    if observation.steady_for < goal.steady:
        return Waiting()
    return Success(_summary(observation, goal))


def is_good(observation: Observation, goal: Goal) -> bool:
    """Tell whether nothing is wanting in this observation but time."""
    return _certain_failure(observation, goal) is None and not _unmet(observation, goal)


def only_the_probe_is_wanting(observation: Observation, goal: Goal) -> bool:
    """Tell whether the probe was answered wrongly, or not at all, while all else is as it should be."""
    if observation.probe is None or not _unmet_probe(observation, goal):
        return False
    return not _unmet_beside_the_probe(observation, goal)


def out_of_time(observation: Observation, goal: Goal, seconds: float) -> Failure:
    """Return the failure to report when the deadline has passed."""
    unmet = _unmet(observation, goal) or (f"it did not stay healthy for {goal.steady:g} s",)
    return Failure(
        (f"Not settled after {seconds:g} s.", *(f"Still missing: {reason.rstrip('.')}." for reason in unmet)),
        containers=tasks.not_running(observation, goal),
    )


def health_rank(status: str, color: str) -> int | None:
    """Return how bad the health is (0 is best), or None where it is not known.

    The colour decides only where the environment has no enhanced health.
    """
    name = status.replace(" ", "").lower()
    if name:
        ranks = {known.lower(): rank for rank, known in enumerate(HEALTH_ORDER)}
        return ranks.get(name)
    return _COLOR_RANKS.get(color.lower())


# -- certain failures -------------------------------------------------------------------------------------------------


def _certain_failure(observation: Observation, goal: Goal) -> Failure | None:
    if observation.unreadable:
        return Failure(observation.unreadable)
    environment = observation.environment
    if environment is None:
        return _missing_environment(observation, goal)
    if goal.application_name not in (None, environment.application_name):
        return Failure(
            (
                f"Environment {environment.name!r} belongs to application {environment.application_name!r}, "
                f"not to {goal.application_name!r}.",
            )
        )
    if environment.status in (TERMINATING, TERMINATED):
        return Failure((f"Environment {environment.name!r} is {environment.status.lower()}.",))
    if environment.status == "Aborting" and goal.follows_a_request:
        return Failure((f"The update of environment {environment.name!r} is being aborted.",))
    reasons = [*operation.event_failures(observation, goal), *_configuration_failures(observation, goal)]
    reasons.extend(_label_failures(environment, observation, goal))
    reasons.extend(_instance_failures(observation, goal))
    crashed = tasks.crashed(observation, goal) or tasks.crashing_again_and_again(observation, goal)
    reasons.extend(_probe_failures(observation, goal) if not crashed else [])
    if not reasons and not crashed:
        return None
    blamed = crashed or tasks.failed_meanwhile(observation, goal) or tasks.not_running(observation, goal)
    several = len(observation.instance_ids) > 1
    reasons.extend(tasks.describe_container(container, several) for container in blamed if container.is_stopped)
    return Failure(tuple(dict.fromkeys(reasons)), containers=blamed)


def _missing_environment(observation: Observation, goal: Goal) -> Failure | None:
    if observation.found is not False:
        return None
    # A read right after a create may not find the environment yet.
    if not goal.follows_a_request:
        return Failure((f"There is no environment {goal.environment_name!r}.",))
    if observation.gone_for is not None and observation.gone_for >= _SURELY_GONE:
        return Failure((f"Environment {goal.environment_name!r} was there, and is no more.",))
    return None


def _configuration_failures(observation: Observation, goal: Goal) -> list[str]:
    if not operation.is_over(observation, goal):
        return []
    return [
        "A configuration update failed; the environment keeps its previous configuration."
        for configuration in observation.configurations or ()
        if configuration.deployment_status == "failed" and operation.is_newer(configuration.date_updated, goal.since)
    ][:1]


def _label_failures(environment: Environment, observation: Observation, goal: Goal) -> list[str]:
    if goal.version_label is None or environment.version_label == goal.version_label:
        return []
    # Where the service says that it succeeded, a look that still shows the old version is a stale one.
    if not operation.is_over(observation, goal) or operation.says_success(observation, goal):
        return []
    return [
        f"The environment is Ready with version {environment.version_label or '(none)'}, "
        f"not with {goal.version_label}, and nothing is deploying any more."
    ]


def _instance_failures(observation: Observation, goal: Goal) -> list[str]:
    return [
        f"The deployment of {instance.version_label} on instance {instance.instance_id} failed."
        for instance in observation.instances or ()
        if instance.deployment_status == "Failed"
        and goal.version_label in (None, instance.version_label)
        and operation.is_of_it(instance.deployment_time, observation, goal)
    ]


def _probe_failures(observation: Observation, goal: Goal) -> list[str]:
    """Return why the probe will not be answered as it should be, while everything else is good.

    What an application answers below 500 is its word, and as steady as health is asked to be. A server that does not
    answer yet, or that speaks for another, gets ``patience``; none where nothing listens at the port asked.
    """
    probe = observation.probe
    if probe is None or not only_the_probe_is_wanting(observation, goal):
        return []
    unmet = _unmet_probe(observation, goal)
    if probe.status is None and _nobody_publishes(observation, goal):
        return [*_as_reasons(unmet), f"No container is published at port {_instance_port(observation, goal)}."]
    final = probe.status is not None and probe.status < 500 and probe.status not in _MAY_CHANGE
    allowed = goal.steady if final else goal.patience
    if observation.unanswered_for < allowed:
        return []
    since = f" for {observation.unanswered_for:.0f} s" if observation.unanswered_for else ""
    return [f"{reason.rstrip('.')}{since}, while nothing else is wanting." for reason in _as_reasons(unmet)]


def _as_reasons(unmet: t.Iterable[str]) -> list[str]:
    return [f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in unmet]


def _nobody_publishes(observation: Observation, goal: Goal) -> bool:
    port = _instance_port(observation, goal)
    current = tasks.current_tasks(observation.tasks or ())
    published = [item for task in current for container in task.containers for item in container.ports]
    # Without a single port ECS may know none of any, as where tasks share the network of their host.
    return port is not None and bool(published) and port not in published


def _instance_port(observation: Observation, goal: Goal) -> int | None:
    """Return the port of the instances at which the probe arrives: a load balancer forwards to one of its own."""
    if goal.probe_port is None:
        return None
    for configuration in observation.configurations or ():
        settings = {setting.key: setting.value for setting in configuration.settings}
        if settings.get(("aws:elasticbeanstalk:environment", "EnvironmentType")) == "SingleInstance":
            return goal.probe_port
        forwarded = settings.get(("aws:elasticbeanstalk:environment:process:default", "Port"), "")
        if configuration.deployment_status == "deployed" and forwarded.isdecimal():
            return int(forwarded)
    return None


# -- what is wanting --------------------------------------------------------------------------------------------------


def _unmet(observation: Observation, goal: Goal) -> tuple[str, ...]:
    beside = _unmet_beside_the_probe(observation, goal)
    environment = observation.environment
    if environment is None or environment.status != READY:
        return beside
    return (*beside, *_unmet_probe(observation, goal))


def _unmet_beside_the_probe(observation: Observation, goal: Goal) -> tuple[str, ...]:
    environment = observation.environment
    if environment is None:
        return (*observation.unread, f"environment {goal.environment_name} has not been seen")
    unmet = list(observation.unread)
    if environment.status != READY:
        # Everything else is about to change.
        return (
            *unmet,
            f"the environment is {environment.status}, not Ready",
            *tasks.unmet_containers(observation, goal),
        )
    if not operation.is_over(observation, goal):
        unmet.append("the request has not come to its end")
    if goal.version_label is not None and environment.version_label != goal.version_label:
        unmet.append(f"the environment's version is {environment.version_label or '(none)'}, not {goal.version_label}")
    unmet.extend(_unmet_configuration(observation.configurations or ()))
    unmet.extend(_unmet_health(environment, observation, goal))
    unmet.extend(_unmet_instances(observation, goal))
    unmet.extend(tasks.unmet_containers(observation, goal))
    return tuple(unmet)


def _unmet_configuration(configurations: t.Iterable[ConfigurationSet]) -> list[str]:
    pending = any(configuration.deployment_status == "pending" for configuration in configurations)
    return ["a configuration update is pending"] if pending else []


def _unmet_health(environment: Environment, observation: Observation, goal: Goal) -> list[str]:
    health = observation.health or HealthReport(environment.health_status, environment.health)
    rank = health_rank(health.health_status, health.color)
    if rank is not None and rank <= HEALTH_ORDER.index(goal.threshold):
        return []
    causes = f" ({'; '.join(health.causes)})" if health.causes else ""
    return [f"health is {health.health_status or health.color or 'unknown'}, not {goal.threshold}{causes}"]


def _unmet_instances(observation: Observation, goal: Goal) -> list[str]:
    if observation.instances is None:
        return []
    if not observation.instances:
        return ["no instance reports yet"]
    return [reason for instance in observation.instances for reason in _unmet_instance(instance, observation, goal)]


def _unmet_instance(instance: Instance, observation: Observation, goal: Goal) -> list[str]:
    if instance.deployment_status != "Deployed" or goal.version_label not in (None, instance.version_label):
        return [
            f"instance {instance.instance_id} has version {instance.version_label or '(none)'} "
            f"({instance.deployment_status or 'no deployment'})"
        ]
    deploying = operation.deploys(observation, goal)
    if deploying and not operation.is_of_it(instance.deployment_time, observation, goal):
        return [
            f"instance {instance.instance_id} has version {instance.version_label} of an earlier deployment "
            f"({instance.deployment_id})"
        ]
    return []


def _unmet_probe(observation: Observation, goal: Goal) -> list[str]:
    if goal.probe_statuses is None:
        return []
    probe = observation.probe
    if probe is None:
        return ["the probe has not been tried"]
    if probe.status in goal.probe_statuses:
        return []
    wanted = ", ".join(str(status) for status in goal.probe_statuses)
    return [f"probe {probe.url}: {describe_answer(probe)}, not {wanted}"]


def describe_answer(probe: ProbeAnswer) -> str:
    """Say in words how the probe was answered."""
    if probe.status is None:
        return probe.error
    return f"answered {probe.status}" + (f", redirecting to {probe.location}" if probe.location else "")


def _summary(observation: Observation, goal: Goal) -> str:
    environment = observation.environment
    label = environment.version_label if environment else goal.version_label
    instances = len(observation.instance_ids)
    containers = sum(
        1
        for task in tasks.current_tasks(observation.tasks or ())
        for container in task.containers
        if tasks.should_run(container, goal)
    )
    probe = observation.probe
    parts = [
        f"version {label}",
        f"{instances} instance{'' if instances == 1 else 's'}",
        *([f"{containers} containers running"] if containers else []),
        *([f"{probe.url} answered {probe.status}"] if probe is not None and goal.probe_statuses else []),
    ]
    return f"Environment {goal.environment_name} is healthy: {', '.join(parts)}."
