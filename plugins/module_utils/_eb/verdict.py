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
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    HEALTH_ORDER,
    READY,
    TERMINATED,
    TERMINATING,
    ConfigurationSet,
    Container,
    Environment,
    Event,
    HealthReport,
    Instance,
    ProbeAnswer,
    Task,
)

_FAILED_EXACTLY = frozenset(
    {
        "Failed to launch environment.",
        "Failed to deploy application.",
        "Failed to deploy configuration.",
        "The environment was reverted to the previous configuration setting.",
        "Environment tag update failed.",
    }
)
_FAILED_PREFIXES = (
    "Create environment operation is complete, but with ",
    "Update environment operation is complete, but with ",
    "ECS Application sourcebundle validation error:",
)
_SUCCEEDED_EXACTLY = frozenset(
    {
        "Environment update completed successfully.",
        "Environment tag update completed successfully.",
    }
)
_SUCCEEDED_PREFIXES = ("Successfully launched environment:",)
# Exit codes of a container that was asked or forced to stop, or that ended well, and of one that never started.
_STOPPED_FROM_OUTSIDE = frozenset({None, 0, 137, 143})
# The task that the deployment started is not among them: one crash may be cured by the next start, three are a loop.
_CRASHES = 2
_COLOR_RANKS = {"green": 0, "yellow": 2, "red": 4}


@dataclass(frozen=True)
class Goal:
    """What success is.

    ``request_id`` and ``since`` tell this deployment's events from older ones; with neither, the present state alone
    is judged. ``containers`` names those that must run; ``None`` means every container of the task.
    ``steady`` is in seconds.
    """

    environment_name: str
    application_name: str | None = None
    version_label: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    threshold: str = "Ok"
    steady: float = 0.0
    containers: tuple[str, ...] | None = None
    probe_statuses: tuple[int, ...] | None = None

    @property
    def follows_a_request(self) -> bool:
        return bool(self.request_id)


@dataclass(frozen=True)
class Observation:
    """One look at the environment. A part that is ``None`` was not read, or could not be read, this time.

    ``steady_for`` are the seconds for which looks before this one had found nothing wanting.
    ``unread`` says in words which reads failed; ``unreadable`` those that can never succeed.
    """

    found: bool | None = None
    environment: Environment | None = None
    events: tuple[Event, ...] = ()
    configurations: tuple[ConfigurationSet, ...] | None = None
    health: HealthReport | None = None
    instances: tuple[Instance, ...] | None = None
    tasks: tuple[Task, ...] | None = None
    probe: ProbeAnswer | None = None
    steady_for: float = 0.0
    unread: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


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
    containers: tuple[Container, ...] = ()


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


def out_of_time(observation: Observation, goal: Goal, seconds: float) -> Failure:
    """Return the failure to report when the deadline has passed."""
    unmet = _unmet(observation, goal) or (f"it did not stay healthy for {goal.steady:g} s",)
    return Failure(
        (f"Not settled after {seconds:g} s.", *(f"Still missing: {reason.rstrip('.')}." for reason in unmet)),
        containers=_not_running(observation, goal),
    )


def relevant_events(events: t.Iterable[Event], goal: Goal) -> tuple[Event, ...]:
    """Return the events that belong to this deployment, oldest first."""
    return tuple(sorted((event for event in events if _is_ours(event, goal)), key=lambda event: event.date))


def current_tasks(tasks: t.Iterable[Task]) -> tuple[Task, ...]:
    """Return the newest task of each instance: older ones were replaced by it."""
    newest: dict[str, Task] = {}
    for task in sorted(tasks, key=_age):
        newest[task.instance_id] = task
    return tuple(newest[instance_id] for instance_id in sorted(newest))


def health_rank(status: str, color: str) -> int | None:
    """Return how bad the health is (0 is best), or None where it is not known.

    The colour decides only where the environment has no enhanced health.
    """
    name = status.replace(" ", "").lower()
    if name:
        ranks = {known.lower(): rank for rank, known in enumerate(HEALTH_ORDER)}
        return ranks.get(name)
    return _COLOR_RANKS.get(color.lower())


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
    reasons = [*_event_failures(observation, goal), *_configuration_failures(observation, goal)]
    reasons.extend(_label_failures(environment, observation, goal))
    reasons.extend(_instance_failures(observation, goal))
    crashed = _crashed(observation, goal) or _crashing_again_and_again(observation, goal)
    if not reasons and not crashed:
        return None
    blamed = crashed or _failed_meanwhile(observation, goal) or _not_running(observation, goal)
    reasons.extend(describe_container(container) for container in blamed if container.is_stopped)
    return Failure(tuple(dict.fromkeys(reasons)), containers=blamed)


def _missing_environment(observation: Observation, goal: Goal) -> Failure | None:
    # A read right after a create may not find the environment yet.
    if observation.found is False and not goal.follows_a_request:
        return Failure((f"There is no environment {goal.environment_name!r}.",))
    return None


def _event_failures(observation: Observation, goal: Goal) -> list[str]:
    return [
        f"{event.severity}: {event.message}"
        for event in relevant_events(observation.events, goal)
        if event.is_error or _says_failed(event.message)
    ]


def _configuration_failures(observation: Observation, goal: Goal) -> list[str]:
    if not _operation_is_over(observation, goal):
        return []
    return [
        "A configuration update failed; the environment keeps its previous configuration."
        for configuration in observation.configurations or ()
        if configuration.deployment_status == "failed" and _is_newer(configuration.date_updated, goal.since)
    ][:1]


def _label_failures(environment: Environment, observation: Observation, goal: Goal) -> list[str]:
    if goal.version_label is None or environment.version_label == goal.version_label:
        return []
    if not _operation_is_over(observation, goal):
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
        and _is_newer(instance.deployment_time, goal.since)
    ]


def _crashed(observation: Observation, goal: Goal) -> tuple[Container, ...]:
    """Return the containers of this deployment that should run, have stopped, and that nothing will start again.

    ECS does not restart one container of a running task. A task that stopped as a whole may still be replaced while
    the environment is being updated.
    """
    over = _operation_is_over(observation, goal)
    return _culprits(
        container
        for task in current_tasks(observation.tasks or ())
        if _is_newer(task.created_at, goal.since) and (over or not task.is_stopped)
        for container in task.containers
        if container.is_stopped and _should_run(container, goal)
    )


def _crashing_again_and_again(observation: Observation, goal: Goal) -> tuple[Container, ...]:
    """Return the containers that ended task after task since the operation was over."""
    over_at = _over_at(observation, goal)
    if over_at is None:
        return ()
    crashes: dict[tuple[str, str], list[Container]] = {}
    for task in observation.tasks or ():
        if task.is_stopped and task.created_at is not None and task.created_at > over_at:
            for container in task.containers:
                if _should_run(container, goal) and _failed_by_itself(container):
                    crashes.setdefault((container.instance_id, container.name), []).append(container)
    return tuple(stopped[-1] for stopped in crashes.values() if len(stopped) >= _CRASHES)


def _failed_meanwhile(observation: Observation, goal: Goal) -> tuple[Container, ...]:
    """Return the containers that failed in any task of this deployment: the last task may be the old one again."""
    if goal.since is None:
        return ()
    failed = {
        (container.instance_id, container.name): container
        for task in sorted(observation.tasks or (), key=_age)
        if task.created_at is not None and task.created_at > goal.since
        for container in task.containers
        if _should_run(container, goal) and _failed_by_itself(container)
    }
    return tuple(failed.values())


def last_lives(tasks: t.Iterable[Task]) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return from when to when the last task was there in which a container failed, by the container's name."""
    return {
        container.name: (task.created_at, task.stopped_at)
        for task in sorted(tasks, key=_age)
        for container in task.containers
        if _failed_by_itself(container)
    }


def never_ran(tasks: t.Iterable[Task]) -> set[str]:
    """Return the names of the containers that failed before they ran: what a log has of them is of earlier tasks."""
    last = {
        container.name: container
        for task in sorted(tasks, key=_age)
        for container in task.containers
        if _failed_by_itself(container)
    }
    return {name for name, container in last.items() if container.is_stopped and container.exit_code is None}


def _over_at(observation: Observation, goal: Goal) -> datetime | None:
    if not _operation_is_over(observation, goal):
        return None
    ends = [event.date for event in relevant_events(observation.events, goal) if _says_over(event)]
    return max(ends) if ends else goal.since


def _not_running(observation: Observation, goal: Goal) -> tuple[Container, ...]:
    return _culprits(
        container
        for task in current_tasks(observation.tasks or ())
        for container in task.containers
        if _should_run(container, goal) and not container.is_running
    )


def _culprits(containers: t.Iterable[Container]) -> tuple[Container, ...]:
    """Return those that failed by themselves, if any can be told from those that were stopped along with them."""
    candidates = tuple(containers)
    culprits = tuple(container for container in candidates if _failed_by_itself(container))
    return culprits or candidates


def _failed_by_itself(container: Container) -> bool:
    if not container.is_stopped:
        return False
    return bool(container.reason) or container.exit_code not in _STOPPED_FROM_OUTSIDE


def _should_run(container: Container, goal: Goal) -> bool:
    return goal.containers is None or container.name in goal.containers


def describe_container(container: Container) -> str:
    """Say in words what became of a container."""
    code = "" if container.exit_code is None else f" with exit code {container.exit_code}"
    reason = f": {container.reason}" if container.reason else ""
    if container.is_stopped:
        return f"Container {container.name} stopped{code}{reason}."
    return f"Container {container.name} is {container.last_status or 'unknown'}{reason}."


def _unmet(observation: Observation, goal: Goal) -> tuple[str, ...]:
    environment = observation.environment
    if environment is None:
        return (*observation.unread, f"environment {goal.environment_name} has not been seen")
    unmet = list(observation.unread)
    if environment.status != READY:
        # Everything else is about to change.
        return (
            *unmet,
            f"the environment is {environment.status}, not Ready",
            *_unmet_containers(observation, goal),
        )
    if not _operation_is_over(observation, goal):
        unmet.append("the request has not come to its end")
    if goal.version_label is not None and environment.version_label != goal.version_label:
        unmet.append(f"the environment's version is {environment.version_label or '(none)'}, not {goal.version_label}")
    unmet.extend(_unmet_configuration(observation))
    unmet.extend(_unmet_health(environment, observation, goal))
    unmet.extend(_unmet_instances(observation, goal))
    unmet.extend(_unmet_containers(observation, goal))
    unmet.extend(_unmet_probe(observation, goal))
    return tuple(unmet)


def _unmet_configuration(observation: Observation) -> list[str]:
    pending = [item for item in observation.configurations or () if item.deployment_status == "pending"]
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
    return [
        f"instance {instance.instance_id} has version {instance.version_label or '(none)'} "
        f"({instance.deployment_status or 'no deployment'})"
        for instance in observation.instances
        if instance.deployment_status != "Deployed" or goal.version_label not in (None, instance.version_label)
    ]


def _unmet_containers(observation: Observation, goal: Goal) -> list[str]:
    if goal.containers == ():
        return []
    if observation.tasks is None and goal.containers is None:
        return []
    tasks = current_tasks(observation.tasks or ())
    if not tasks:
        return ["no task has been seen yet"]
    unmet = []
    for task in tasks:
        there = {container.name: container for container in task.containers}
        names = list(there) if goal.containers is None else list(goal.containers)
        where = f" on {task.instance_id}" if len(tasks) > 1 else ""
        for name in names:
            container = there.get(name)
            if container is None:
                unmet.append(f"container {name} is not part of the task{where}")
            elif not container.is_running:
                unmet.append(f"container {name} is {container.last_status or 'unknown'}{where}")
            elif container.health_status == "UNHEALTHY":
                unmet.append(f"container {name} is unhealthy{where}")
    return unmet


def _unmet_probe(observation: Observation, goal: Goal) -> list[str]:
    if goal.probe_statuses is None:
        return []
    probe = observation.probe
    if probe is None:
        return ["the probe has not been tried"]
    if probe.status in goal.probe_statuses:
        return []
    what = f"answered {probe.status}" if probe.status is not None else probe.error
    wanted = ", ".join(str(status) for status in goal.probe_statuses)
    return [f"probe {probe.url}: {what}, not {wanted}"]


def _operation_is_over(observation: Observation, goal: Goal) -> bool:
    """Tell whether the environment is Ready because our operation ended, and not because it has yet to begin."""
    environment = observation.environment
    if environment is None or environment.status != READY:
        return False
    if not goal.follows_a_request:
        return True
    return any(_says_over(event) for event in relevant_events(observation.events, goal))


def _is_ours(event: Event, goal: Goal) -> bool:
    if goal.request_id:
        return event.request_id == goal.request_id
    return goal.since is not None and event.date > goal.since


def _age(task: Task) -> float:
    return task.created_at.timestamp() if task.created_at else 0.0


def _is_newer(date: datetime | None, since: datetime | None) -> bool:
    return date is None or since is None or date > since


def _says_failed(message: str) -> bool:
    return (
        message in _FAILED_EXACTLY
        or message.startswith(_FAILED_PREFIXES)
        or (message.startswith("Launched environment") and "However, there were issues during launch." in message)
    )


def _says_over(event: Event) -> bool:
    return (
        event.message in _SUCCEEDED_EXACTLY
        or event.message.startswith(_SUCCEEDED_PREFIXES)
        or _says_failed(event.message)
    )


def _summary(observation: Observation, goal: Goal) -> str:
    environment = observation.environment
    label = environment.version_label if environment else goal.version_label
    instances = len(observation.instances or ())
    containers = sum(
        1
        for task in current_tasks(observation.tasks or ())
        for container in task.containers
        if _should_run(container, goal)
    )
    probe = observation.probe
    parts = [
        f"version {label}",
        f"{instances} instance{'' if instances == 1 else 's'}",
        *([f"{containers} containers running"] if containers else []),
        *([f"{probe.url} answered {probe.status}"] if probe is not None and goal.probe_statuses else []),
    ]
    return f"Environment {goal.environment_name} is healthy: {', '.join(parts)}."
