# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen, as a module's result and in words for people. Pure."""

from __future__ import annotations

import typing as t
from datetime import UTC

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Event, Instance, ProbeAnswer, Task
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.operation import relevant_events
from ansible_collections.antenna.aws.plugins.module_utils._eb.remedies import Found
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import current_tasks
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, describe_answer

_EVENTS = 50
_ERROR_EVENTS = 8
_LOG_LINES = 12
_REMEDIES = 3

_ENGINE_ACCOUNTS = frozenset({"eb-engine.log", "eb-ecs-mgr.log"})

Logs = t.Mapping[str, t.Sequence[str]]


def evidence(observation: Observation, goal: Goal, logs: Logs) -> dict[str, t.Any]:
    """Return everything that was seen, in plain values, the same keys always."""
    environment = observation.environment
    health = observation.health
    ours = relevant_events(observation.events, goal)
    return {
        "status": environment.status if environment else None,
        "version_label": environment.version_label if environment else None,
        "health": (health.health_status or health.color) if health else _health_of(observation),
        "causes": list(health.causes) if health else [],
        "events": [event_result(event) for event in (ours or observation.events)[-_EVENTS:]],
        "instances": [instance_result(instance) for instance in observation.instances or ()],
        "containers": containers_result(observation.tasks or ()),
        "probe": probe_result(observation.probe),
        "logs": {name: list(lines) for name, lines in logs.items()},
    }


def diagnosis(
    failure: Failure, observation: Observation, goal: Goal, logs: Logs, remedies: t.Sequence[Found] = ()
) -> tuple[str, ...]:
    """Return what a person would look for after a failure, line by line: why, what was said, and what may help."""
    lines = list(failure.reasons[: _ERROR_EVENTS * 2])
    lines.extend(
        f"The task on {task.instance_id} stopped: {task.stopped_reason}"
        for task in current_tasks(observation.tasks or ())
        if task.is_stopped and task.stopped_reason
    )
    lines.extend(_causes(observation))
    lines.extend(
        f"{event.severity}: {event.message}"
        for event in relevant_events(observation.events, goal)[-_EVENTS:]
        if event.is_error and f"{event.severity}: {event.message}" not in failure.reasons
    )
    probe = observation.probe
    if goal.probe_statuses is not None and probe is not None and probe.status not in goal.probe_statuses:
        lines.append(f"Probe {probe.url} (Host {probe.host}): {describe_answer(probe)}.")
    for name in _logs_to_show(logs):
        lines.append(f"Last lines of {name}:")
        lines.extend(f"  {line}" for line in logs[name][-_LOG_LINES:])
    lines.extend(f"Likely remedy ({remedy.name}): {remedy.advice}" for remedy in remedies[:_REMEDIES])
    return tuple(lines)


def remedy_result(remedy: Found) -> dict[str, str]:
    """Return a remedy in plain values."""
    return {"name": remedy.name, "remedy": remedy.advice, "where": remedy.where, "because": remedy.because}


def event_result(event: Event) -> dict[str, t.Any]:
    """Return an event in plain values."""
    return {
        "date": event.date.isoformat(),
        "severity": event.severity,
        "message": event.message,
        "request_id": event.request_id or None,
    }


def instance_result(instance: Instance) -> dict[str, t.Any]:
    """Return an instance in plain values."""
    return {
        "instance_id": instance.instance_id,
        "health": instance.health_status or instance.color,
        "causes": list(instance.causes),
        "version_label": instance.version_label or None,
        "deployment_id": instance.deployment_id,
        "deployment_status": instance.deployment_status or None,
        "deployment_time": instance.deployment_time.isoformat() if instance.deployment_time else None,
    }


def containers_result(tasks: t.Iterable[Task]) -> list[dict[str, t.Any]]:
    """Return each container of the current task of each instance in plain values."""
    return [_container_result(task, container) for task in current_tasks(tasks) for container in task.containers]


def _container_result(task: Task, container: Container) -> dict[str, t.Any]:
    return {
        "name": container.name,
        "instance_id": container.instance_id,
        "image": container.image,
        "status": container.last_status,
        "health": container.health_status or None,
        "exit_code": container.exit_code,
        "reason": container.reason or None,
        "essential": container.essential,
        "task_arn": task.task_arn or None,
        # In UTC, so that the later of two is the greater text.
        "task_created_at": task.created_at.astimezone(UTC).isoformat() if task.created_at else None,
    }


def probe_result(answer: ProbeAnswer | None) -> dict[str, t.Any] | None:
    """Return the probe's answer in plain values; None when it was not tried."""
    if answer is None:
        return None
    return {
        "url": answer.url,
        "host": answer.host,
        "status": answer.status,
        "location": answer.location or None,
        "error": answer.error or None,
        "body": answer.body[:500],
        "seconds": round(answer.seconds, 3),
    }


def _logs_to_show(logs: Logs) -> list[str]:
    """Return the logs' names, those of containers first; the engine's own accounts only where they are all there is."""
    telling = [name for name in logs if name.split(" ")[0] not in _ENGINE_ACCOUNTS] or list(logs)
    return [name for name in sorted(telling, key=lambda name: name.startswith("eb-")) if logs[name]]


def _health_of(observation: Observation) -> str | None:
    environment = observation.environment
    return (environment.health_status or environment.health) if environment else None


def _causes(observation: Observation) -> list[str]:
    of_all = list(observation.health.causes) if observation.health else []
    of_one = [
        f"Instance {instance.instance_id}: {cause}"
        for instance in observation.instances or ()
        for cause in instance.causes
        if cause not in of_all
    ]
    return [f"Cause: {cause}" for cause in dict.fromkeys((*of_all, *of_one))]
