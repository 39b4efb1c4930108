# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on the event sequences that the service is known to send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    ConfigurationSet,
    Container,
    Environment,
    Event,
    HealthReport,
    Instance,
    ProbeAnswer,
    Setting,
    Task,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import Life, current_tasks, last_lives
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import (
    Failure,
    Success,
    Waiting,
    health_rank,
    judge,
    out_of_time,
)

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OURS = "request-ours"
OLDER = "request-older"

GOAL = Goal(
    "env", "antenna", "v2", request_id=OURS, since=T0, steady=10, patience=120, probe_statuses=(200,), probe_port=80
)
NOW = replace(GOAL, request_id=None)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def events(*lines: tuple[str, str], request: str = OURS, start: float = 1) -> tuple[Event, ...]:
    return tuple(Event(at(start + n), severity, text, request) for n, (severity, text) in enumerate(lines))


STARTED = (("INFO", "Environment update is starting."), ("INFO", "Deploying new version to instance(s)."))
DEPLOYED = (
    *STARTED,
    ("INFO", "Instance deployment completed successfully."),
    ("INFO", "New application version was deployed to running EC2 instances."),
    ("INFO", "Environment update completed successfully."),
)
CREATED = (("INFO", "createEnvironment is starting."), ("INFO", "Successfully launched environment: env"))
RESTARTED = (("INFO", "restartAppServer is starting."), ("INFO", "restartAppServer completed successfully."))
COMMAND_FAILED = (
    *STARTED,
    ("ERROR", "Instance deployment failed. For details, see 'eb-engine.log'."),
    ("ERROR", "[Instance: i-1] Command failed on instance. Return code: 1 Output: Engine execution has encountered"),
    ("INFO", "Command execution completed on all instances. Summary: [Successful: 0, Failed: 1]."),
    ("ERROR", "Unsuccessful command execution on instance id(s) 'i-1'. Aborting the operation."),
    ("ERROR", "Failed to deploy application."),
)
LAUNCHED_WITH_ISSUES = ("INFO", "Launched environment: env. However, there were issues during launch. See event log.")
REVERTED = (
    ("INFO", "Environment update is starting."),
    ("INFO", "Updating environment env's configuration settings."),
    ("INFO", "The environment was reverted to the previous configuration setting."),
)
HEALTH_DEGRADED = Event(at(3), "WARN", "Environment health has transitioned from Info to Degraded.")


def task(number: int, *containers: Container, created: float = 5, desired: str = "RUNNING") -> Task:
    return Task(f"task/{number}", "i-1", desired, "RUNNING", created_at=at(created), containers=containers)


DJANGO = Container("django", "i-1", last_status="RUNNING")
BEAT = Container("celerybeat", "i-1", last_status="RUNNING")
BEAT_EXITED = replace(BEAT, last_status="STOPPED", exit_code=1, reason="")
BEAT_PENDING = replace(BEAT, last_status="PENDING")
ENVIRONMENT = Environment(
    "e-1", "env", "antenna", status="Ready", health="Green", health_status="Ok", version_label="v2"
)
INSTANCE = Instance("i-1", "Ok", "Green", (), "v2", 7, "Deployed", at(6))
FAILED_BEFORE = replace(INSTANCE, deployment_status="Failed", deployment_time=at(-9))
GOOD = Observation(
    found=True,
    environment=ENVIRONMENT,
    events=events(*DEPLOYED),
    configurations=(ConfigurationSet("deployed"),),
    health=HealthReport("Ok", "Green"),
    instances=(INSTANCE,),
    instance_ids=("i-1",),
    tasks=(task(1, DJANGO, BEAT),),
    probe=ProbeAnswer("http://env/", "env", status=200),
    steady_for=10,
)
UPDATING = replace(GOOD, environment=replace(ENVIRONMENT, status="Updating"), events=events(*STARTED), steady_for=0)
OTHER_VERSION = replace(
    GOOD,
    environment=replace(ENVIRONMENT, version_label="v9"),
    instances=(replace(INSTANCE, version_label="v9"),),
)
DOWN = replace(GOOD, tasks=(task(1, DJANGO, BEAT_EXITED, desired="STOPPED"),))
SILENT = ProbeAnswer("http://env/", error="connection refused")
REDIRECT = ProbeAnswer("http://env/", status=301, location="https://env/")
TYPE = ("aws:elasticbeanstalk:environment", "EnvironmentType")
PORT = ("aws:elasticbeanstalk:environment:process:default", "Port")
SINGLE = replace(GOOD, configurations=(ConfigurationSet("deployed", (Setting(*TYPE, "SingleInstance"),)),))
BALANCED = replace(GOOD, configurations=(ConfigurationSet("deployed", (Setting(*PORT, "5000"),)),))
STALE_INSTANCE = replace(INSTANCE, deployment_time=at(-9))
SECOND = replace(INSTANCE, instance_id="i-2")
BACK = replace(ENVIRONMENT, version_label="v1", health="Red", health_status="Degraded")


@pytest.mark.parametrize(
    ("observation", "goal"),
    [
        (GOOD, GOAL),
        (replace(GOOD, events=events(*CREATED)), GOAL),
        # A restart deploys nothing.
        (replace(GOOD, events=events(*RESTARTED), instances=(STALE_INSTANCE,)), GOAL),
        (replace(GOOD, events=(*events(*COMMAND_FAILED, request=OLDER, start=-60), *GOOD.events)), GOAL),
        (replace(GOOD, events=(*GOOD.events, HEALTH_DEGRADED)), GOAL),
        (replace(GOOD, events=()), NOW),
        (replace(GOOD, events=events(*COMMAND_FAILED, request=OLDER, start=-60)), NOW),
        (replace(GOOD, configurations=(ConfigurationSet("deployed"), ConfigurationSet("failed", (), at(-5)))), GOAL),
        (replace(GOOD, tasks=(task(0, BEAT_EXITED, created=-9), task(1, DJANGO, BEAT))), GOAL),
        (replace(GOOD, tasks=(task(1, DJANGO, BEAT_EXITED),)), replace(GOAL, containers=("django",))),
        (replace(GOOD, tasks=(task(1, DJANGO, BEAT_EXITED),)), replace(GOAL, containers=())),
        (replace(GOOD, tasks=None, instances=None), GOAL),
        (replace(GOOD, probe=None), replace(GOAL, probe_statuses=None)),
        (replace(GOOD, health=HealthReport("Info", "Green")), replace(GOAL, threshold="Info")),
        (replace(GOOD, health=HealthReport("Severe", "Red")), replace(GOAL, threshold="Severe")),
        (replace(GOOD, health=None, environment=replace(ENVIRONMENT, health_status="")), GOAL),
        (OTHER_VERSION, replace(GOAL, version_label=None)),
    ],
)  # fmt: skip
def test_success(observation: Observation, goal: Goal) -> None:
    assert isinstance(judge(observation, goal), Success)


@pytest.mark.parametrize(
    ("observation", "goal", "reason"),
    [
        (replace(GOOD, environment=BACK, events=events(*COMMAND_FAILED)), GOAL, "ERROR: Failed to deploy application."),
        (replace(UPDATING, events=events(*COMMAND_FAILED[:3])), GOAL, "Instance deployment failed"),
        (replace(GOOD, events=events(*COMMAND_FAILED)), GOAL, "Command failed on instance"),
        (replace(GOOD, events=events(*REVERTED)), GOAL, "was reverted to the previous configuration"),
        (replace(GOOD, events=events(*COMMAND_FAILED)), NOW, "Failed to deploy application"),
        (replace(GOOD, events=events(("WARN", "Create environment operation is complete, but with errors. See"))), GOAL,
         "complete, but with errors"),
        (replace(GOOD, events=events(LAUNCHED_WITH_ISSUES)), GOAL, "issues during launch"),
        (replace(UPDATING, events=events(("FATAL", "Failed to launch environment."))), GOAL, "FATAL"),
        (replace(GOOD, environment=BACK, events=events(*REVERTED)), GOAL, "Ready with version v1, not with v2"),
        (replace(GOOD, environment=BACK, events=()), NOW, "Ready with version v1, not with v2"),
        (replace(GOOD, configurations=(ConfigurationSet("failed", (), at(5)),)), GOAL, "configuration update failed"),
        (replace(GOOD, instances=(replace(INSTANCE, deployment_status="Failed"),)), GOAL, "on instance i-1 failed"),
        (replace(GOOD, tasks=(task(1, DJANGO, BEAT_EXITED),)), GOAL, "celerybeat stopped with exit code 1"),
        (replace(UPDATING, tasks=(task(1, DJANGO, BEAT_EXITED),)), GOAL, "celerybeat stopped"),
        (replace(DOWN, down_for=120), GOAL, "celerybeat stopped"),
        (DOWN, NOW, "celerybeat stopped"),
        (replace(GOOD, probe=REDIRECT, unanswered_for=10), GOAL, "redirecting to https://env/, not 200 for 10 s"),
        (replace(GOOD, probe=REDIRECT), replace(GOAL, steady=0), "answered 301"),
        (replace(GOOD, probe=SILENT, unanswered_for=120), GOAL, "connection refused, not 200 for 120 s, while nothing"),
        (replace(SINGLE, probe=SILENT, tasks=(task(1, replace(DJANGO, ports=(8000,))),)), GOAL,
         "No container is published at port 80."),
        (replace(BALANCED, probe=SILENT, tasks=(task(1, replace(DJANGO, ports=(80,))),)), GOAL, "at port 5000"),
        (Observation(found=False, gone_for=10), GOAL, "'env' was there, and is no more"),
        (replace(GOOD, environment=replace(ENVIRONMENT, status="Terminating")), GOAL, "is terminating"),
        (replace(UPDATING, environment=replace(ENVIRONMENT, status="Aborting")), GOAL, "aborted"),
        (replace(GOOD, environment=replace(ENVIRONMENT, application_name="other")), GOAL, "belongs to application"),
        (Observation(found=False), NOW, "There is no environment 'env'"),
        (replace(GOOD, unreadable=("Could not read: AWS answered AccessDenied.",)), GOAL, "AccessDenied"),
    ],
)  # fmt: skip
def test_certain_failure(observation: Observation, goal: Goal, reason: str) -> None:
    decided = judge(observation, goal)
    assert isinstance(decided, Failure)
    assert reason in " | ".join(decided.reasons)


@pytest.mark.parametrize(
    ("observation", "goal", "unmet"),
    [
        (UPDATING, GOAL, "Updating, not Ready"),
        (replace(GOOD, events=()), GOAL, "has not come to its end"),
        (replace(GOOD, environment=BACK, events=()), GOAL, "version is v1, not v2"),
        (replace(GOOD, environment=BACK, events=events(*DEPLOYED, request=OLDER, start=-60)), GOAL, "version is v1"),
        (Observation(found=False), GOAL, "has not been seen"),
        (Observation(unread=("Throttling",)), GOAL, "Throttling"),
        (replace(GOOD, unread=("Could not read the tasks",)), GOAL, "Could not read the tasks"),
        (replace(GOOD, health=HealthReport("Info", "Green", ("Update in progress",))), GOAL, "health is Info, not Ok"),
        (replace(GOOD, health=HealthReport("No Data", "Grey")), replace(GOAL, threshold="Severe"), "health is No Data"),
        (replace(GOOD, instances=()), GOAL, "no instance reports yet"),
        (replace(GOOD, instances=(replace(INSTANCE, version_label="v1"),)), GOAL, "instance i-1 has version v1"),
        (replace(GOOD, instances=(FAILED_BEFORE,)), GOAL, "instance i-1 has version v2 (Failed)"),
        (replace(GOOD, tasks=()), GOAL, "no task"),
        (replace(GOOD, tasks=None), replace(GOAL, containers=("django",)), "no task"),
        (replace(GOOD, tasks=(task(1, DJANGO, BEAT_PENDING),)), GOAL, "celerybeat is PENDING"),
        (replace(GOOD, tasks=(task(1, DJANGO),)), replace(GOAL, containers=("flower",)), "flower is not part"),
        (replace(UPDATING, tasks=(task(1, DJANGO, BEAT_EXITED, desired="STOPPED"),)), GOAL, "celerybeat is STOPPED"),
        (replace(GOOD, tasks=(task(1, replace(DJANGO, health_status="UNHEALTHY")),)), GOAL, "django is unhealthy"),
        (replace(GOOD, configurations=(ConfigurationSet("deployed"), ConfigurationSet("pending"))), GOAL, "pending"),
        (replace(GOOD, probe=ProbeAnswer("http://env/", status=502)), GOAL, "answered 502, not 200"),
        (replace(GOOD, probe=ProbeAnswer("http://env/", error="connection refused")), GOAL, "connection refused"),
        (replace(GOOD, probe=None), GOAL, "the probe has not been tried"),
        (DOWN, GOAL, "celerybeat is STOPPED"),
        (replace(GOOD, tasks=(task(1, DJANGO, replace(BEAT_EXITED, essential=True)),)), GOAL, "celerybeat is STOPPED"),
        (replace(GOOD, probe=REDIRECT, unanswered_for=9), GOAL, "answered 301"),
        (replace(GOOD, probe=SILENT, unanswered_for=119), GOAL, "connection refused"),
        (replace(GOOD, probe=replace(REDIRECT, status=404), unanswered_for=99), GOAL, "answered 404"),
        (replace(GOOD, probe=REDIRECT, unanswered_for=99, unread=("Throttling",)), GOAL, "answered 301"),
        (replace(SINGLE, probe=SILENT, tasks=(task(1, replace(DJANGO, ports=(80,))),)), GOAL, "connection refused"),
        (replace(SINGLE, probe=SILENT), GOAL, "connection refused"),
        (replace(GOOD, environment=BACK), GOAL, "version is v1, not v2"),
        (replace(GOOD, instances=(STALE_INSTANCE,)), GOAL, "has version v2 of an earlier deployment (7)"),
        (replace(GOOD, tasks=(task(1, DJANGO, created=-1),)), GOAL, "the task on i-1 is older than the deployment"),
        (replace(GOOD, instances=(INSTANCE, SECOND), instance_ids=("i-1", "i-2")), GOAL, "no task has been seen on i-2"
         ),
        (Observation(found=False, gone_for=9), GOAL, "has not been seen"),
    ],
)  # fmt: skip
def test_not_decided_yet(observation: Observation, goal: Goal, unmet: str) -> None:
    decided = judge(observation, goal)
    assert isinstance(decided, Waiting)
    assert unmet in " | ".join(decided.unmet)


def test_health_must_hold() -> None:
    assert judge(replace(GOOD, steady_for=9.9), GOAL) == Waiting()


def test_an_essential_containers_crash_names_the_container() -> None:
    killed = replace(DJANGO, last_status="STOPPED", exit_code=137, reason="OutOfMemoryError: Container killed")
    decided = judge(replace(GOOD, tasks=(task(1, killed, BEAT),)), GOAL)
    assert decided == Failure(
        ("Container django stopped with exit code 137: OutOfMemoryError: Container killed.",), containers=(killed,)
    )


@pytest.mark.parametrize(
    "observation", [replace(GOOD, down_for=120), replace(UPDATING, events=events(*COMMAND_FAILED))]
)
def test_containers_that_were_stopped_along_with_the_one_that_failed_are_not_blamed(observation: Observation) -> None:
    along = replace(DJANGO, last_status="STOPPED", exit_code=137)
    never = Container("flower", "i-1", last_status="STOPPED")
    stopped = replace(observation, tasks=(task(1, along, BEAT_EXITED, never, desired="STOPPED"),))
    decided = judge(stopped, GOAL)
    assert isinstance(decided, Failure)
    assert decided.containers == (BEAT_EXITED,)
    assert decided.reasons[-1] == "Container celerybeat stopped with exit code 1."


@pytest.mark.parametrize(("created", "failed"), [((3, 7, 21), True), ((3, 21), False), ((2, 3, 4), False)])
def test_a_task_that_crashes_again_and_again_after_the_deployment_is_a_failure(
    created: tuple[float, ...], failed: bool
) -> None:
    crashed = (replace(task(n, BEAT_EXITED, created=n), last_status="STOPPED") for n in created[:-1])
    last = replace(task(9, BEAT_EXITED, created=created[-1]), last_status="STOPPED")
    decided = judge(replace(GOOD, tasks=(*crashed, last, task(10, DJANGO, BEAT, created=50))), GOAL)
    assert isinstance(decided, Failure) is failed


def test_a_container_is_blamed_though_the_old_version_was_put_back() -> None:
    ours = replace(task(2, DJANGO, BEAT_EXITED, desired="STOPPED"), stopped_at=at(6))
    older = replace(task(1, BEAT_EXITED, created=-60), stopped_at=at(-50))
    tasks = (older, ours, task(3, DJANGO, BEAT, created=7))
    decided = judge(replace(GOOD, environment=BACK, events=events(*COMMAND_FAILED), tasks=tasks), GOAL)
    assert isinstance(decided, Failure)
    assert decided.containers == (BEAT_EXITED,)
    assert last_lives(tasks, decided.containers) == (Life("celerybeat", "i-1", "2", at(5), at(6)),)
    assert last_lives((older, task(4, BEAT_EXITED)), [BEAT_EXITED]) == (Life("celerybeat", "i-1", "4", at(5), None),)


def test_a_container_without_an_image_never_ran_whatever_its_log_has_of_earlier_ones() -> None:
    imageless = replace(BEAT_EXITED, exit_code=None, reason="CannotPullContainerError: not found")
    assert last_lives((task(1, BEAT_EXITED, created=1), task(2, DJANGO, imageless, created=2)), [imageless]) == ()
    (life,) = last_lives((task(1, imageless, created=1), task(2, DJANGO, BEAT_EXITED, created=2)), [BEAT_EXITED])
    assert life.task_id == "2"
    (life,) = last_lives((task(1, BEAT_EXITED, created=1), task(2, DJANGO, BEAT, created=2)), [BEAT])
    assert life.task_id == "2", "not that of a task that failed before"


def test_the_second_of_two_tasks_that_end_after_the_deployment_is_a_loop() -> None:
    first = replace(task(1, BEAT_EXITED, created=3), last_status="STOPPED", stopped_at=at(20))
    second = replace(task(2, BEAT_EXITED, created=22), last_status="STOPPED", stopped_at=at(40))
    once = replace(GOOD, tasks=(first, task(2, DJANGO, BEAT, created=22)))
    assert isinstance(judge(once, GOAL), Success), "one end may be cured by the next start"
    twice = judge(replace(GOOD, tasks=(first, second, task(3, DJANGO, BEAT, created=42))), GOAL)
    assert isinstance(twice, Failure)
    assert twice.reasons == ("Container celerybeat stopped with exit code 1.",)


@pytest.mark.parametrize(("tries", "failed"), [(3, False), (4, True)])
def test_a_task_that_the_service_starts_again_and_again_is_given_up_before_the_service_does(
    tries: int, failed: bool
) -> None:
    ended = tuple(
        replace(task(n, BEAT_EXITED, created=n * 9, desired="STOPPED"), stopped_at=at(n * 9 + 5))
        for n in range(1, tries + 1)
    )
    decided = judge(replace(UPDATING, tasks=(*ended, task(9, DJANGO, BEAT, created=90))), GOAL)
    assert isinstance(decided, Failure) is failed


def test_what_the_version_before_did_last_is_not_ours() -> None:
    """Its task may start and end after the newest event of before, which the request's own events then tell apart."""
    of_before = replace(task(1, BEAT_EXITED, created=0.5, desired="STOPPED"), stopped_at=at(30))
    ours = task(2, DJANGO, BEAT, created=6)
    assert isinstance(judge(replace(GOOD, tasks=(of_before, of_before, ours)), GOAL), Success)


def test_a_container_that_others_wait_for_need_not_run() -> None:
    job = replace(BEAT_EXITED, exit_code=0, is_job=True)
    assert isinstance(judge(replace(GOOD, tasks=(task(1, DJANGO, job),)), GOAL), Success)


def test_of_several_instances_the_one_to_blame_is_named() -> None:
    other = Task("task/9", "i-2", created_at=at(5), containers=(replace(BEAT_EXITED, instance_id="i-2"),))
    both = replace(GOOD, instances=(INSTANCE, SECOND), instance_ids=("i-1", "i-2"), tasks=(*GOOD.tasks, other))  # type: ignore[misc]
    decided = judge(both, GOAL)
    assert isinstance(decided, Failure)
    assert decided.reasons == ("Container celerybeat on i-2 stopped with exit code 1.",)


def test_tags_deploy_nothing_so_that_an_older_deployment_serves() -> None:
    tagged = events(("INFO", "Environment tag update completed successfully."))
    stale = replace(GOOD, events=tagged, instances=(STALE_INSTANCE,), tasks=(task(1, DJANGO, created=-60),))
    assert isinstance(judge(stale, GOAL), Success)


def test_out_of_time_says_what_is_missing_and_blames_what_does_not_run() -> None:
    failure = out_of_time(replace(GOOD, tasks=(task(1, DJANGO, BEAT_PENDING),)), GOAL, 60)
    assert failure.reasons == ("Not settled after 60 s.", "Still missing: container celerybeat is PENDING.")
    assert failure.containers == (BEAT_PENDING,)
    assert "did not stay healthy for 10 s" in out_of_time(GOOD, GOAL, 60).reasons[1]


def test_of_an_instances_tasks_the_newest_counts() -> None:
    newer, older = task(2, DJANGO, created=9), task(1, BEAT, created=1)
    assert current_tasks((newer, older)) == (newer,)


@pytest.mark.parametrize(
    ("status", "color", "rank"),
    [
        ("Ok", "", 0),
        ("Severe", "", 4),
        ("NoData", "Grey", None),
        ("", "Green", 0),
        ("", "Yellow", 2),
        ("", "Grey", None),
    ],
)
def test_health_rank(status: str, color: str, rank: int | None) -> None:
    assert health_rank(status, color) == rank
