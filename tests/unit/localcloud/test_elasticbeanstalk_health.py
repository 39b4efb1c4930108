# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health of several instances, and of an environment that has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.ecs.tasks import ContainerView
from localcloud.elasticbeanstalk import platforms
from localcloud.elasticbeanstalk.front import TargetHealth
from localcloud.elasticbeanstalk.health import Facts, Found, Restart, judge, judge_instance, passes
from localcloud.elasticbeanstalk.models import Deployment, Environment, Health

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DEPLOYED = Deployment(2, "v2", "Deployed", NOW)


def web(status: str = "RUNNING", **members: Any) -> ContainerView:
    defaults = dict(exit_code=None, reason=None, runtime_id="id", ports={}, ip="", started=NOW, memory=64)
    return ContainerView(name="web", image="i", essential=True, status=status, **{**defaults, **members})


def target(state: str, reason: str | None = None, since: timedelta = timedelta(0)) -> tuple[str, TargetHealth]:
    return "default", TargetHealth(state, reason, "", NOW - since)


def environment(status: Any = "Ready", failed: str | None = None) -> Environment:
    made = Environment(
        id="e-1",
        name="hello",
        application="app",
        region="us-west-2",
        account="123456789012",
        platform=platforms.PLATFORMS[0],
        description=None,
        cname="hello.us-west-2.elasticbeanstalk.com",
        version_label="v1",
        status=status,
        direct={},
        extension={},
        tags={},
        created=NOW,
        updated=NOW,
    )
    made.failed_command, made.operation_started = failed, NOW - timedelta(seconds=9)
    return made


# -- an instance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        (Facts(NOW, (web(),), deployment=DEPLOYED, targets=(target("healthy"),)), "Ok", ""),
        (Facts(NOW - timedelta(seconds=12)), "Pending", "Performing initialization (running for 12 seconds)."),
        (
            Facts(NOW, (web(),), deployment=Deployment(2, "v2", "In Progress", NOW - timedelta(seconds=3))),
            "Info",
            "Performing application deployment (running for 3 seconds).",
        ),
        (Facts(NOW, lost=True), "NoData", "No data."),
        (
            Facts(
                NOW,
                (web(),),
                deployment=DEPLOYED,
                targets=(target("unhealthy", "Target.ResponseCodeMismatch", timedelta(minutes=2)),),
            ),
            "Severe",
            "Process default has been unhealthy for 2 minutes (Target.ResponseCodeMismatch).",
        ),
        (
            Facts(NOW, (web(),), deployment=DEPLOYED, expected=Deployment(1, "v1", "Deployed", NOW)),
            "Degraded",
            'Incorrect application version "v2" (deployment 2). Expected version "v1" (deployment 1).',
        ),
        (
            Facts(NOW, (web(),), deployment=Deployment(2, "v2", "Failed", NOW)),
            "Degraded",
            "Application deployment failed at 2026-11-23T12:00:00Z with exit status 1",
        ),
    ],
)
def test_an_instance(facts: Facts, status: str, words: str) -> None:
    found = judge_instance(facts, NOW)
    assert found.health.status == status
    assert words in " ".join(found.health.causes)


@pytest.mark.parametrize(
    ("facts", "threshold", "expected"),
    [
        (Facts(NOW, (web(),), targets=(target("healthy"),)), "Ok", True),
        (Facts(NOW, (web(),), targets=(target("initial"),)), "Severe", False),
        (Facts(NOW, (web(),), targets=(target("unhealthy"),)), "Ok", False),
        (Facts(NOW, (web("STOPPED", exit_code=1),)), "Ok", False),
        (Facts(NOW, (web(),), (Restart(NOW, "web", 1, False),)), "Ok", False),
        (Facts(NOW, (web(),), (Restart(NOW, "web", 1, False),)), "Warning", True),
        (Facts(NOW, (web(),), lost=True), "Severe", False),
    ],
)
def test_who_passes_the_health_check_of_a_batch(facts: Facts, threshold: str, expected: bool) -> None:
    assert passes(facts, threshold, NOW) is expected


# -- an environment ---------------------------------------------------------------------------------------------------

OK = Found(Health("Ok"))
UNREACHABLE = Found(
    Health("Severe", ("Process default has been unhealthy for 1 minute (Target.Timeout).",)), True, False
)
STOPPED = Found(Health("Severe", ("Following services are not running: web.",)), services=False)
LOST = Found(Health("NoData", ("No data.",)), data=False)
OTHER = Found(Health("Degraded", ('Incorrect application version "v2".',)), version=False)
MINOR = Found(Health("Warning", ("Container once exited with code 1.",)))


@pytest.mark.parametrize(
    ("instances", "status", "causes"),
    [
        ((OK, OK), "Ok", ()),
        ((), "Severe", ("There are no instances. Auto Scaling group desired capacity is set to 1.",)),
        ((STOPPED,), "Severe", ("Following services are not running: web.",)),
        (
            (LOST,),
            "Severe",
            (
                "None of the instances are sending data.",
                "0 active instances is below Auto Scaling group minimum size 1.",
            ),
        ),
        ((UNREACHABLE, OK), "Degraded", ("ELB processes are not healthy on 1 out of 2 instances.",)),
        ((UNREACHABLE, UNREACHABLE), "Severe", ("ELB processes are not healthy on all instances.",)),
        ((STOPPED, OK, OK), "Warning", ("Impaired services on 1 out of 3 instances.",)),
        ((LOST, OK), "Degraded", ("No data received from 1 out of 2 instances.",)),
        ((OTHER, OK), "Degraded", ("Incorrect application version found on 1 out of 2 instances.",)),
        ((MINOR, OK), "Warning", ("1 out of 2 instances are impacted. See instance health for details.",)),
    ],
)
def test_an_environment(instances: Sequence[Found], status: str, causes: tuple[str, ...]) -> None:
    assert judge(environment(), instances, 1, NOW) == Health(status, causes)


def test_fewer_instances_than_the_group_has_at_least() -> None:
    found = judge(environment(), (OK,), 2, NOW)
    assert found == Health("Degraded", ("1 active instances is below Auto Scaling group minimum size 2.",))


def test_an_update_tells_how_far_it_is() -> None:
    busy = Found(Health("Info", ("Performing application deployment (running for 1 second).",)))
    found = judge(environment("Updating"), (busy, OK, OK), 1, NOW)
    words = "Application update in progress on 1 instance. 2 out of 3 instances completed (running for 9 seconds)."
    assert found == Health("Info", (words,))


def test_an_update_does_not_hide_who_is_unwell() -> None:
    found = judge(environment("Updating"), (UNREACHABLE, OK), 1, NOW)
    assert found.status == "Degraded"
    assert found.causes[0] == "ELB processes are not healthy on 1 out of 2 instances."


def test_a_failed_command_comes_first() -> None:
    found = judge(environment(failed="Command failed on 1 out of 2 instances."), (OTHER, OK), 1, NOW)
    assert found.causes[0] == "Command failed on 1 out of 2 instances."
    assert found.colour == "Red"
