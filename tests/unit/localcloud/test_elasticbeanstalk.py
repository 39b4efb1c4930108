# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's pure parts: options, events, platforms, bundles, health."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.ecs.tasks import ContainerView
from localcloud.elasticbeanstalk import bundle, options, platforms
from localcloud.elasticbeanstalk.events import EventLog, Query, Subject
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue
from localcloud.elasticbeanstalk.health import Facts, Found, Restart, basic_colour, judge, judge_instance
from localcloud.elasticbeanstalk.models import Beanstalk, Deployment, Environment, Health
from localcloud.elasticbeanstalk.options import Key

PROPERTIES = options.ENVIRONMENT_PROPERTIES
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


# -- events -----------------------------------------------------------------------------------------------------------


def test_no_two_events_share_a_millisecond() -> None:
    log = EventLog(Clock())
    dates = [log.add(Subject("app"), "INFO", str(number)).date for number in range(3)]
    assert dates == [NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=2)]


def test_events_are_found_newest_first_by_what_was_asked() -> None:
    clock = Clock()
    log = EventLog(clock)
    log.add(Subject("app", "one", request_id="r1"), "INFO", "first")
    clock.wait(1)
    log.add(Subject("app", "one"), "WARN", "second")
    clock.wait(1)
    log.add(Subject("app", "two", request_id="r2"), "ERROR", "third")

    def messages(query: Query) -> list[str]:
        return [event.message for event in log.find(query)]

    second = NOW + timedelta(seconds=1)
    assert messages(Query()) == ["third", "second", "first"]
    assert messages(Query(environment="one")) == ["second", "first"]
    assert messages(Query(request_id="r1")) == ["first"]
    assert messages(Query(severity="WARN")) == ["third", "second"]
    assert messages(Query(start=second)) == ["third", "second"]
    assert messages(Query(end=second)) == ["first"]


# -- platforms --------------------------------------------------------------------------------------------------------


def test_the_recommended_version_is_not_the_last_by_its_text() -> None:
    wanted = [
        {"Type": "PlatformBranchName", "Operator": "=", "Values": [platforms.AL2023.name]},
        {"Type": "PlatformLifecycleState", "Operator": "=", "Values": ["Recommended"]},
    ]
    (found,) = platforms.versions(wanted)
    assert found.version != max(item.version for item in platforms.PLATFORMS if item.branch is found.branch)
    assert platforms.by_arn(found.arn("us-west-2"), "us-west-2") == found
    assert platforms.by_solution_stack(found.solution_stack) == found


def test_branches_are_filtered_without_regard_to_case() -> None:
    wanted = [{"Attribute": "LifecycleState", "Operator": "in", "Values": ["supported", "beta"]}]
    assert platforms.branches(wanted) == [platforms.AL2023]
    with pytest.raises(InvalidParameterValue):
        platforms.branches([{"Attribute": "Colour", "Operator": "=", "Values": ["green"]}])


# -- bundles ----------------------------------------------------------------------------------------------------------


def archive(files: Mapping[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return target.getvalue()


def dockerrun(*containers: Mapping[str, Any], **members: Any) -> bundle.Bundle:
    document = {"AWSEBDockerrunVersion": 2, "containerDefinitions": containers, **members}
    return bundle.read(archive({"Dockerrun.aws.json": json.dumps(document)}))


def container(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "image": "image", "memory": 64, **members}


def test_containers_start_after_what_they_need() -> None:
    found = dockerrun(
        container("web", links=["cache:redis"]),
        container("worker", dependsOn=[{"containerName": "web", "condition": "START"}]),
        container("cache"),
    ).dockerrun()
    assert [item.name for item in found.containers] == ["cache", "web", "worker"]
    assert found.containers[1].links == (bundle.Link("cache", "redis"),)


@pytest.mark.parametrize(
    ("containers", "words"),
    [
        ([], "at least one container"),
        ([container("a"), container("a")], "unique"),
        ([container("a", essential=False)], "essential"),
        ([{"name": "a", "image": "i"}], "memory"),
        ([container("a", links=["b"])], "'b'"),
        ([container("a", links=["b"]), container("b", links=["a"])], "cycle"),
        ([container("a", secrets=[{"name": "N", "valueFrom": "arn"}])], "executionRoleArn"),
        ([container("a", mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}])], "Unknown volume"),
        ([container("a", healthCheck={})], "healthCheck"),
        ([container(n, portMappings=[{"hostPort": 80, "containerPort": 1}]) for n in "ab"], "Host port 80"),
    ],
)
def test_what_ecs_refuses(containers: Sequence[Mapping[str, Any]], words: str) -> None:
    with pytest.raises(bundle.BundleError, match=words):
        dockerrun(*containers).check()


def test_another_dockerrun_version_is_refused_in_the_services_words() -> None:
    wrong = bundle.read(archive({"Dockerrun.aws.json": '{"AWSEBDockerrunVersion": 1}'}))
    with pytest.raises(bundle.BundleError, match=r"^ECS Application sourcebundle validation error: Unsupported"):
        wrong.check()


def test_option_settings_in_both_forms_later_files_first() -> None:
    found = bundle.read(
        archive(
            {
                ".ebextensions/01.config": "option_settings:\n  - {option_name: A, value: list}\n",
                ".ebextensions/00.config": json.dumps({"option_settings": {PROPERTIES: {"A": "map", "B": True}}}),
                ".ebextensions/readme.txt": "not: [read",
            }
        )
    )
    assert found.option_settings == {Key(PROPERTIES, "A"): "list", Key(PROPERTIES, "B"): "true"}


def test_a_defect_is_kept_until_the_deployment() -> None:
    broken = bundle.read(archive({".ebextensions/00.config": "a: ["}))
    assert broken.option_settings == {}
    with pytest.raises(bundle.BundleError, match=r"00\.config contains invalid YAML or JSON"):
        broken.check()
    assert bundle.read(b"no zip").defect == "The source bundle is not a valid zip archive."


def test_hooks_run_in_the_order_of_their_names() -> None:
    folder = ".platform/hooks/postdeploy"
    found = bundle.read(archive({f"{folder}/02_b": "", f"{folder}/01_a": "", f"{folder}/lib/x": ""}))
    assert found.scripts(folder) == (f"{folder}/01_a", f"{folder}/02_b")


# -- health -----------------------------------------------------------------------------------------------------------


def view(name: str, status: str = "RUNNING", **members: Any) -> ContainerView:
    defaults = dict(exit_code=None, reason=None, runtime_id="id", ports={}, ip="", started=NOW, memory=64)
    return ContainerView(name=name, image="i", status=status, **{"essential": True, **defaults, **members})


@pytest.fixture
def environment() -> Environment:
    return Environment(
        id="e-1",
        name="hello",
        application="app",
        region="us-west-2",
        account="123456789012",
        platform=platforms.PLATFORMS[0],
        description=None,
        cname="hello.us-west-2.elasticbeanstalk.com",
        version_label="v1",
        status="Ready",
        direct={},
        extension={},
        tags={},
        created=NOW,
        updated=NOW,
    )


RUNNING = (view("web"), view("once", "STOPPED", exit_code=0, essential=False))
ENDED = Restart(NOW - timedelta(seconds=5), "web", 3, False)


@pytest.mark.parametrize(
    ("containers", "restarts", "status", "words"),
    [
        (RUNNING, (), "Ok", ""),
        ((), (), "Severe", "not running"),
        ((view("web", "STOPPED", exit_code=3),), (), "Severe", "Container web exited with code 3."),
        ((view("web", "STOPPED", exit_code=137, reason="OutOfMemoryError: x"),), (), "Severe", "memory limit"),
        ((view("web", "STOPPED", reason="CannotStartContainerError: x"),), (), "Severe", "CannotStartContainerError"),
        ((view("web"), view("once", "STOPPED", exit_code=1, essential=False)), (), "Warning", "once"),
        (RUNNING, (ENDED,), "Warning", "web exited with code 3 5 seconds ago"),
        (RUNNING, (ENDED, ENDED), "Severe", "web"),
        (RUNNING, (Restart(NOW - timedelta(hours=1), "web", 3, False),), "Ok", ""),
    ],
)
def test_health_of_containers(
    containers: Sequence[ContainerView],
    restarts: Sequence[Restart],
    status: str,
    words: str,
) -> None:
    deployed = Deployment(1, "v1", "Deployed", NOW)
    found = judge_instance(Facts(NOW, containers, restarts, deployed), NOW).health
    assert found.status == status
    assert words in " ".join(found.causes)


@pytest.mark.parametrize(
    ("status", "health", "colour"),
    [("Launching", "Pending", "Grey"), ("Updating", "Info", "Green"), ("Terminating", "Info", "Green")],
)
def test_health_while_something_goes_on(environment: Environment, status: Any, health: str, colour: str) -> None:
    environment.status, environment.operation_started = status, NOW - timedelta(seconds=9)
    found = judge(environment, (), 1, NOW)
    assert (found.status, found.colour) == (health, colour)
    assert "(running for 9 seconds)" in found.causes[0]


def test_a_failed_command_shows_until_the_next_deployment(environment: Environment) -> None:
    environment.failed_command = "Command failed on all instances."
    assert judge(environment, [Found(Health("Ok"))], 1, NOW) == Health(
        "Degraded", ("Command failed on all instances.",)
    )


def test_basic_health_knows_no_yellow() -> None:
    assert [basic_colour(Health(status)) for status in ("Ok", "Warning", "Severe")] == ["Green", "Green", "Red"]


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_terminated_environments_stay_for_an_hour(environment: Environment) -> None:
    clock = Clock()
    known = Beanstalk("123456789012", "us-west-2", clock)
    known.add(environment)
    environment.status, environment.terminated = "Terminated", NOW
    clock.wait(3599)
    assert known.environments() == [environment]
    assert known.environments(include_terminated=False) == []
    assert not known.cname_taken(environment.cname)
    clock.wait(2)
    assert known.environments() == []
