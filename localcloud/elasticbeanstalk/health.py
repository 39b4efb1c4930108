# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health, judged from the real containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from localcloud.ecs.tasks import OUT_OF_MEMORY, ContainerView
from localcloud.elasticbeanstalk.models import Environment, Health

RECENT = timedelta(minutes=1)
# From the best to the worst.
ORDER = ("Ok", "Info", "Pending", "Unknown", "NoData", "Warning", "Degraded", "Severe")


@dataclass(frozen=True)
class Restart:
    """A task that ended by itself and was started anew."""

    time: datetime
    container: str
    exit_code: int | None
    out_of_memory: bool


def judge(environment: Environment, instances: Sequence[Health], now: datetime) -> Health:
    """An environment's health from that of its instances; the texts are the service's own."""
    if (ongoing := _ongoing(environment, now)) is not None:
        return ongoing
    if not instances:
        return Health("Severe", ("None of the instances are sending data.",))
    worst = max(instances, key=lambda health: ORDER.index(health.status))
    if environment.failed_command is not None and ORDER.index(worst.status) < ORDER.index("Degraded"):
        return Health("Degraded", (environment.failed_command,))
    return worst


def judge_instance(containers: Sequence[ContainerView], restarts: Sequence[Restart], now: datetime) -> Health:
    """An instance's health. The texts about containers follow the service's wording for processes ("Following services
    are not running").

    :param containers: The task's containers, empty when there is no task.
    :param restarts: The instance's restarts, oldest first.
    """
    missing = _missing(containers)
    if missing:
        return Health("Severe", (f"Following services are not running: {', '.join(missing)}.", *_why(containers)))
    recent = [restart for restart in restarts if now - restart.time < RECENT]
    if len(recent) > 1:
        return Health("Severe", tuple(_restarted(restart, now) for restart in recent[-1:]))
    if recent:
        return Health("Warning", (_restarted(recent[0], now),))
    failed = [item for item in containers if not item.essential and item.exit_code]
    if failed:
        return Health("Warning", tuple(_exited(item) for item in failed))
    return Health("Ok")


def basic_colour(health: Health) -> str:
    """The colour that basic health reporting shows: it knows running and not running."""
    return {"Yellow": "Green"}.get(health.colour, health.colour)


def _ongoing(environment: Environment, now: datetime) -> Health | None:
    if environment.status in ("Ready", "Terminated"):
        return None
    started = environment.operation_started or now
    seconds = int((now - started).total_seconds())
    what = {
        "Launching": ("Pending", "Initialization in progress"),
        "Terminating": ("Info", "Environment termination in progress"),
    }
    status, words = what.get(environment.status, ("Info", "Application update in progress"))
    return Health(status, (f"{words} (running for {seconds} {'second' if seconds == 1 else 'seconds'}).",))


def _missing(containers: Sequence[ContainerView]) -> list[str]:
    if not containers:
        return ["all containers"]
    return [item.name for item in containers if item.essential and item.status != "RUNNING"]


def _why(containers: Sequence[ContainerView]) -> tuple[str, ...]:
    return tuple(_exited(item) for item in containers if item.essential and item.status == "STOPPED")


def _exited(item: ContainerView) -> str:
    if item.reason and item.reason.startswith(OUT_OF_MEMORY):
        return f"Container {item.name} was killed: it used more than its memory limit."
    if item.exit_code is None:
        return f"Container {item.name} did not start: {item.reason or 'no reason is known'}."
    return f"Container {item.name} exited with code {item.exit_code}."


def _restarted(restart: Restart, now: datetime) -> str:
    seconds = int((now - restart.time).total_seconds())
    how = "was killed for its memory use" if restart.out_of_memory else f"exited with code {restart.exit_code}"
    return f"Container {restart.container} {how} {seconds} seconds ago, and the task was started again."
