# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health, judged from the real containers and from what the load balancer says about them.

Texts about deployments, versions, services, the load balancer and missing instances are the service's own: developer
guide, "Health colors and statuses" and "Notifications and troubleshooting", and public reports of environments. Those
about containers follow its wording for processes ("Following services are not running").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from localcloud.ecs.tasks import OUT_OF_MEMORY, ContainerView
from localcloud.elasticbeanstalk.front import TargetHealth
from localcloud.elasticbeanstalk.models import Deployment, Environment, Health

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


@dataclass(frozen=True)
class Facts:
    """What is known about an instance.

    :param containers: The task's containers, empty when there is no task.
    :param restarts: Oldest first.
    :param targets: Process to what the load balancer says about the instance; None without one.
    :param expected: The environment's last successful deployment, None while another is under way.
    :param lost: Its host is gone.
    """

    launched: datetime
    containers: Sequence[ContainerView] = ()
    restarts: Sequence[Restart] = ()
    deployment: Deployment | None = None
    targets: Sequence[tuple[str, TargetHealth]] | None = None
    expected: Deployment | None = None
    lost: bool = False


@dataclass(frozen=True)
class Found:
    """An instance's health, and what of it counts among the environment's instances."""

    health: Health
    services: bool = True
    targets: bool = True
    data: bool = True
    version: bool = True


# -- an instance ------------------------------------------------------------------------------------------------------


def judge_instance(facts: Facts, now: datetime) -> Found:
    """An instance's health."""
    if facts.lost:
        return Found(Health("NoData", ("No data. Last seen a moment ago.",)), data=False)
    if facts.deployment is None or (facts.deployment.status == "In Progress" and not facts.containers):
        started = facts.deployment.time if facts.deployment is not None else facts.launched
        return Found(Health("Pending", (f"Performing initialization {_running(started, now)}.",)))
    if facts.deployment.status == "In Progress":
        return Found(Health("Info", (f"Performing application deployment {_running(facts.deployment.time, now)}.",)))
    return _settled(facts, now)


def _settled(facts: Facts, now: datetime) -> Found:
    services = running(facts.containers, facts.restarts, now)
    targets = _targets(facts, now)
    version = _version(facts)
    found = [health for health in (services, targets, version, _command(facts), _minor(facts.containers)) if health]
    if not found:
        return Found(Health("Ok"))
    worst = max(found, key=lambda health: ORDER.index(health.status))
    causes = tuple(cause for health in found for cause in health.causes)
    return Found(
        Health(worst.status, causes),
        services=services is None or services.status != "Severe",
        targets=targets is None,
        version=version is None,
    )


def running(containers: Sequence[ContainerView], restarts: Sequence[Restart], now: datetime) -> Health | None:
    """What is wrong with the essential containers, None when nothing is."""
    missing = [item.name for item in containers if item.essential and item.status != "RUNNING"]
    if missing or not containers:
        names = ", ".join(missing) or "all containers"
        why = tuple(_exited(item) for item in containers if item.essential and item.status == "STOPPED")
        return Health("Severe", (f"Following services are not running: {names}.", *why))
    recent = [restart for restart in restarts if now - restart.time < RECENT]
    if len(recent) > 1:
        return Health("Severe", tuple(_restarted(restart, now) for restart in recent[-1:]))
    return Health("Warning", (_restarted(recent[0], now),)) if recent else None


def _targets(facts: Facts, now: datetime) -> Health | None:
    bad = [(process, target) for process, target in facts.targets or () if target.state == "unhealthy"]
    if facts.targets is not None and not facts.targets:
        return Health("Severe", (f"Instance ELB health has not been available for {_length(now - facts.launched)}.",))
    if not bad:
        return None
    causes = (f"Process {name} has been unhealthy for {_length(now - t.since)} ({t.reason})." for name, t in bad)
    return Health("Severe", tuple(causes))


def _version(facts: Facts) -> Health | None:
    has, should = facts.deployment, facts.expected
    if has is None or should is None or has.id == should.id:
        return None
    return Health(
        "Degraded",
        (
            f'Incorrect application version "{has.version_label}" (deployment {has.id}). Expected version '
            f'"{should.version_label}" (deployment {should.id}).',
        ),
    )


def _command(facts: Facts) -> Health | None:
    if facts.deployment is None or facts.deployment.status != "Failed":
        return None
    when = facts.deployment.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Health(
        "Degraded",
        (
            f"Application deployment failed at {when} with exit status 1 and error: Engine execution has encountered "
            "an error.",
        ),
    )


def _minor(containers: Sequence[ContainerView]) -> Health | None:
    failed = [item for item in containers if not item.essential and item.exit_code]
    return Health("Warning", tuple(_exited(item) for item in failed)) if failed else None


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


def passes(facts: Facts, threshold: str, now: datetime) -> bool:
    """Whether a deployed instance passes its health check.

    Elastic Beanstalk does not see a container that is not essential: it calls a deployment successful that has none of
    them running (https://github.com/aws/elastic-beanstalk-roadmap/issues/162).
    """
    if facts.lost:
        return False
    found = [health for health in (running(facts.containers, facts.restarts, now), _targets(facts, now)) if health]
    waiting = any(target.state != "healthy" for _, target in facts.targets or ())
    return not waiting and all(ORDER.index(health.status) <= ORDER.index(threshold) for health in found)


# -- an environment ---------------------------------------------------------------------------------------------------


def judge(environment: Environment, instances: Sequence[Found], smallest: int, now: datetime) -> Health:
    """An environment's health from that of its instances.

    :param smallest: The scaling group's minimum size.
    """
    ongoing = _ongoing(environment, instances, now)
    if environment.status in ("Launching", "Terminating") and ongoing is not None:
        return ongoing
    settled = [item for item in instances if item.health.status not in ("Pending", "Info")]
    found = _impaired(environment, settled, len(instances), smallest)
    if found is None:
        return ongoing or Health("Ok")
    return Health(found.status, (*found.causes, *(ongoing.causes if ongoing is not None else ())))


def _impaired(environment: Environment, settled: Sequence[Found], count: int, smallest: int) -> Health | None:
    """What is wrong, None when nothing is. `settled` are the instances on which nothing is under way, of `count`."""
    ready = environment.status == "Ready"
    if count == 0:
        return (
            Health("Severe", (f"There are no instances. Auto Scaling group desired capacity is set to {smallest}.",))
            if ready
            else None
        )
    bad = [item for item in settled if ORDER.index(item.health.status) >= ORDER.index("NoData")]
    causes = [environment.failed_command] if environment.failed_command is not None and ready else []
    causes += _own_words(bad) if count == 1 else _summary(bad, count)
    statuses = [_overall(bad, count)] if bad else []
    if environment.failed_command is not None and ready:
        statuses.append("Degraded")
    alive = sum(item.data for item in settled) + count - len(settled)
    if ready and alive < smallest:
        causes.append(f"{alive} active instances is below Auto Scaling group minimum size {smallest}.")
        statuses.append("Degraded")
    return Health(max(statuses, key=ORDER.index), tuple(dict.fromkeys(causes))) if statuses else None


def _overall(bad: Sequence[Found], count: int) -> str:
    """One bad instance of many is a warning, half of them more than that."""
    worst = max((item.health.status for item in bad), key=ORDER.index)
    if len(bad) == count or worst == "Warning":
        return "Severe" if worst == "NoData" else worst
    return "Degraded" if 2 * len(bad) >= count else "Warning"


def _own_words(bad: Sequence[Found]) -> list[str]:
    if any(not item.data for item in bad):
        return ["None of the instances are sending data."]
    return [cause for item in bad for cause in item.health.causes]


def _summary(bad: Sequence[Found], count: int) -> list[str]:
    def on(is_bad: Callable[[Found], bool]) -> str | None:
        number = sum(map(is_bad, bad))
        return "all instances" if number == count else f"{number} out of {count} instances" if number else None

    causes = []
    if where := on(lambda item: not item.targets):
        causes.append(f"ELB processes are not healthy on {where}.")
    if where := on(lambda item: not item.services):
        causes.append(f"Impaired services on {where}.")
    if where := on(lambda item: not item.version):
        causes.append(f"Incorrect application version found on {where}.")
    if where := on(lambda item: not item.data):
        all_of_them = where == "all instances"
        causes.append("None of the instances are sending data." if all_of_them else f"No data received from {where}.")
    if bad and not causes:
        causes.append(f"{len(bad)} out of {count} instances are impacted. See instance health for details.")
    return causes


def _ongoing(environment: Environment, instances: Sequence[Found], now: datetime) -> Health | None:
    if environment.status in ("Ready", "Terminated"):
        return None
    running_for = _running(environment.operation_started or now, now)
    what = {
        "Launching": ("Pending", "Initialization in progress"),
        "Terminating": ("Info", "Environment termination in progress"),
    }
    status, words = what.get(environment.status, ("Info", "Application update in progress"))
    busy = sum(item.health.status == "Info" for item in instances)
    if status == "Info" and busy and len(instances) > 1:
        plural = "instance" if busy == 1 else "instances"
        words += f" on {busy} {plural}. {len(instances) - busy} out of {len(instances)} instances completed"
    return Health(status, (f"{words} {running_for}.",))


def basic_colour(health: Health) -> str:
    """The colour that basic health reporting shows: it knows running and not running."""
    return {"Yellow": "Green"}.get(health.colour, health.colour)


def _running(since: datetime, now: datetime) -> str:
    return f"(running for {_length(now - since)})"


def _length(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    number, unit = (seconds, "second") if seconds < 60 else (math.floor(seconds / 60), "minute")
    if unit == "minute" and number >= 60:
        number, unit = number // 60, "hour"
    return f"{number} {unit}{'' if number == 1 else 's'}"
