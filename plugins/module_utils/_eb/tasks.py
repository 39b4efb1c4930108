# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of an environment's tasks and containers, and which of them are to blame. Pure.

ECS never starts one container of a running task again. A task that ended as a whole, because an essential container of
it did, is started anew on the platform: one crash may be cured by that, two in a row are not. While the operation goes
on, the platform's own tries to start the task (three at most) are not counted as such.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Task
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Containers, Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.operation import (
    began_at,
    deploys,
    is_of_it,
    is_over,
    over_at,
)

# Exit codes of a container that was asked or forced to stop, or that ended well, and of one that never started.
_STOPPED_FROM_OUTSIDE = frozenset({None, 0, 137, 143})
_CRASHES_AFTERWARDS = 2
_CRASHES_MEANWHILE = 4


@dataclass(frozen=True)
class Life:
    """One container's time in one task: what its log has from then until then is its own."""

    name: str
    instance_id: str
    task_id: str
    started: datetime | None = None
    ended: datetime | None = None


def current_tasks(tasks: t.Iterable[Task]) -> tuple[Task, ...]:
    """Return the newest task of each instance: older ones were replaced by it."""
    newest: dict[str, Task] = {}
    for task in sorted(tasks, key=_age):
        newest[task.instance_id] = task
    return tuple(newest[instance_id] for instance_id in sorted(newest))


def crashed(observation: Observation, goal: Goal) -> Containers:
    """Return the containers of this deployment that should run, have stopped, and that nothing will start again."""
    return _culprits(
        container
        for task in current_tasks(observation.tasks or ())
        if is_of_it(task.created_at, observation, goal)
        for container in task.containers
        if container.is_stopped and should_run(container, goal) and _is_final(task, container, observation, goal)
    )


def _is_final(task: Task, container: Container, observation: Observation, goal: Goal) -> bool:
    if not _is_ending(task):
        return True
    if not goal.follows_a_request:
        return True
    return is_over(observation, goal) and observation.down_for >= goal.patience


def is_down(observation: Observation, goal: Goal) -> bool:
    """Tell whether, after the operation, an instance has a task that ended, or is about to, and no other yet."""
    return is_over(observation, goal) and any(_is_ending(task) for task in current_tasks(observation.tasks or ()))


def _is_ending(task: Task) -> bool:
    """Tell whether the task ends as a whole: what becomes of its other containers then says nothing of them."""
    return task.is_stopped or any(container.is_stopped and container.essential for container in task.containers)


def crashing_again_and_again(observation: Observation, goal: Goal) -> Containers:
    """Return the containers that ended task after task: since the operation was over, or all through it."""
    afterwards = _crashes(observation, goal, over_at(observation, goal))
    if afterwards is None:
        meanwhile = _crashes(observation, goal, began_at(observation, goal)) if goal.follows_a_request else None
        return tuple(stopped[-1] for stopped in meanwhile or () if len(stopped) >= _CRASHES_MEANWHILE)
    return tuple(stopped[-1] for stopped in afterwards if len(stopped) >= _CRASHES_AFTERWARDS)


def _crashes(observation: Observation, goal: Goal, after: datetime | None) -> tuple[list[Container], ...] | None:
    """Return the ends after that date in tasks of this deployment, by instance and container, oldest first."""
    if after is None:
        return None
    crashes: dict[tuple[str, str], list[Container]] = {}
    for task in sorted(observation.tasks or (), key=_age):
        ended = task.stopped_at or task.created_at
        if task.is_stopped and ended is not None and ended > after and is_of_it(task.created_at, observation, goal):
            for container in task.containers:
                if should_run(container, goal) and failed_by_itself(container):
                    crashes.setdefault((container.instance_id, container.name), []).append(container)
    return tuple(crashes.values())


def failed_meanwhile(observation: Observation, goal: Goal) -> Containers:
    """Return the containers that failed in any task of this deployment: the last task may be the old one again."""
    if began_at(observation, goal) is None:
        return ()
    failed = {
        (container.instance_id, container.name): container
        for task in sorted(observation.tasks or (), key=_age)
        if task.created_at is not None and is_of_it(task.created_at, observation, goal)
        for container in task.containers
        if should_run(container, goal) and failed_by_itself(container)
    }
    return tuple(failed.values())


def not_running(observation: Observation, goal: Goal) -> Containers:
    """Return the containers that should run and do not."""
    return _culprits(
        container
        for task in current_tasks(observation.tasks or ())
        for container in task.containers
        if should_run(container, goal) and not container.is_running
    )


def should_run(container: Container, goal: Goal) -> bool:
    """Tell whether the container is one of those that must run.

    Where none are named, a container whose end others wait for is none of them.
    """
    return not container.is_job if goal.containers is None else container.name in goal.containers


def failed_by_itself(container: Container) -> bool:
    """Tell whether the container ended for a reason of its own, and not because its task was stopped."""
    if not container.is_stopped:
        return False
    return bool(container.reason) or container.exit_code not in _STOPPED_FROM_OUTSIDE


def last_lives(tasks: t.Iterable[Task], containers: t.Iterable[Container]) -> tuple[Life, ...]:
    """Return, of each of these containers, its time in the last task that shows it as it was seen.

    A container that never ran has none: what a log has of it is of earlier tasks.
    """
    shown = {container: task for task in sorted(tasks, key=_age) for container in task.containers}
    return tuple(
        Life(container.name, container.instance_id, task.task_arn.rsplit("/", 1)[-1], task.created_at, task.stopped_at)
        for container in dict.fromkeys(containers)
        if not (container.is_stopped and container.exit_code is None)
        if (task := shown.get(container)) is not None
    )


def describe_container(container: Container, several: bool = False) -> str:
    """Say in words what became of a container, and with ``several`` instances on which one."""
    code = "" if container.exit_code is None else f" with exit code {container.exit_code}"
    reason = f": {container.reason.rstrip('.')}" if container.reason else ""
    name = f"Container {container.name}" + (f" on {container.instance_id}" if several else "")
    if container.is_stopped and container.exit_code is None and container.reason:
        return f"{name} did not start{reason}."
    if container.is_stopped:
        return f"{name} stopped{code}{reason}."
    return f"{name} is {container.last_status or 'unknown'}{reason}."


def unmet_containers(observation: Observation, goal: Goal) -> list[str]:
    """Say which containers do not run as they should, on every instance."""
    if goal.containers == ():
        return []
    if observation.tasks is None and goal.containers is None:
        return []
    tasks = current_tasks(observation.tasks or ())
    if not tasks:
        return ["no task has been seen yet"]
    several = len(observation.instance_ids) > 1
    having = {task.instance_id for task in tasks}
    unmet = [f"no task has been seen on {instance}" for instance in observation.instance_ids if instance not in having]
    deploying = deploys(observation, goal)
    for task in tasks:
        if deploying and not is_of_it(task.created_at, observation, goal):
            unmet.append(f"the task on {task.instance_id} is older than the deployment")
        unmet.extend(f"{reason}{f' on {task.instance_id}' if several else ''}" for reason in _wanting(task, goal))
    return unmet


def _wanting(task: Task, goal: Goal) -> t.Iterator[str]:
    there = {container.name: container for container in task.containers}
    names = goal.containers
    if names is None:
        names = tuple(name for name, container in there.items() if should_run(container, goal))
    for name in names:
        container = there.get(name)
        if container is None:
            yield f"container {name} is not part of the task"
        elif not container.is_running:
            yield f"container {name} is {container.last_status or 'unknown'}"
        elif container.health_status == "UNHEALTHY":
            yield f"container {name} is unhealthy"


def _culprits(containers: t.Iterable[Container]) -> Containers:
    """Return those that failed by themselves, if any can be told from those that were stopped along with them."""
    candidates = tuple(containers)
    return tuple(container for container in candidates if failed_by_itself(container)) or candidates


def _age(task: Task) -> float:
    return task.created_at.timestamp() if task.created_at else 0.0
