# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`eb_health_wait` on deployments that fail as they fail on AWS, and on some that do not.

Each failure is really deployed, and the module judges meanwhile. Measured is the time from the moment at which the
failure was certain, as the cloud's own events and tasks date it, to the verdict, and how often the module began to look
at the environment in that time, as the journal has it: a busy machine makes looks slow, but no more of them are needed.
`pytest -rP` prints the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud import images

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "hello"
NAME = "judged"
HOOK = ".platform/hooks/postdeploy/01_hook.sh"
WEB_PORT = [{"hostPort": 80, "containerPort": 8000}]
COMMAND = "aws:elasticbeanstalk:command"
POLL, STEADY, PATIENCE = 1.0, 2, 4
# The look that sees it, one for what follows from it, and one that may just have begun.
MOST_LOOKS = 3
# On a quiet machine a verdict takes no more than five.
MOST_SECONDS = 20.0
REVERTED = "During an aborted deployment, some instances may have deployed the new application version."


def web(stage: Any, *, name: str = "web", **more: Any) -> dict[str, Any]:
    variables = {"RELEASE": "1", **more.pop("variables", {})}
    environment = [{"name": key, "value": value} for key, value in variables.items()]
    ports = {"portMappings": WEB_PORT} if name == "web" else {}
    return dict(stage.container(name, **{**ports, "environment": environment, "stopTimeout": 2, **more}))


def beside(stage: Any, **more: Any) -> dict[str, Any]:
    """A container that is not essential."""
    return web(stage, name="beside", essential=False, **more)


@dataclass
class Judge:
    """Deploys to an environment and has the module judge it meanwhile."""

    stage: Any
    run_module: Callable[..., dict[str, Any]]
    name: str = NAME
    probe: Mapping[str, Any] = field(default_factory=dict)
    key: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Have a user of the module's own: by it the journal knows its calls."""
        iam, user = self.cloud.client("iam"), f"judge-of-{self.name}"
        iam.create_user(UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        made = iam.create_access_key(UserName=user)["AccessKey"]
        self.key = {"access_key": made["AccessKeyId"], "secret_key": made["SecretAccessKey"]}

    @property
    def cloud(self) -> Any:
        return self.stage.cloud

    def now(self) -> datetime:
        return datetime.fromisoformat(self.cloud.admin("GET", "clock")["now"])

    def newest_event(self) -> datetime | None:
        events = self.stage.eb.describe_events(EnvironmentName=self.name, MaxRecords=1)["Events"]
        return events[0]["EventDate"] if events else None

    def deploy(self, label: str, **more: Any) -> dict[str, Any]:
        """Start an update; return what the module is to follow."""
        self.settle()
        since = self.newest_event()
        reply = self.stage.eb.update_environment(EnvironmentName=self.name, VersionLabel=label, **more)
        return {
            "version_label": label,
            "request_id": reply["ResponseMetadata"]["RequestId"],
            "since": since.isoformat() if since else None,
        }

    def arguments(self, started: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The module's parameters."""
        return {
            **self.key,
            "region": "us-west-2",
            "endpoint_url": self.cloud.endpoint,
            "environment_name": self.name,
            "application_name": APPLICATION,
            "steady": STEADY,
            "patience": PATIENCE,
            "poll": POLL,
            "timeout": 120,
            "probe": {"path": "/", **self.probe},
            **started,
            **more,
        }

    def judge(self, started: Mapping[str, Any], **more: Any) -> Judgment:
        result = self.run_module("eb_health_wait", self.arguments(started, **more))
        at = self.now()
        assert "exception" not in result, result
        sys.stdout.write(f"{result.get('msg') or result['reasons']}\n")
        return Judgment(result, at, self.looks())

    def looks(self) -> list[datetime]:
        """When the module began to look at the environment: it is what each look reads first."""
        asked = "_localcloud/journal?service=elasticbeanstalk&operation=DescribeEnvironments"
        calls = map(json.loads, self.stage.fetch(f"{self.cloud.endpoint}/{asked}").splitlines())
        user = f":user/judge-of-{self.name}"
        return [datetime.fromisoformat(call["time"]) for call in calls if call["caller"].endswith(user)]

    def first_error(self, request_id: str) -> datetime:
        errors = self.stage.eb.describe_events(RequestId=request_id, Severity="ERROR")["Events"]
        return min(event["EventDate"] for event in errors)

    def over(self, request_id: str) -> datetime:
        """When the service reported the end of the operation."""
        return max(event["EventDate"] for event in self.stage.eb.describe_events(RequestId=request_id)["Events"])

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks of the environment's cluster, oldest first."""
        ecs = self.stage.cloud.client("ecs")
        (cluster,) = [arn for arn in ecs.list_clusters()["clusterArns"] if f"awseb-{self.name}-" in arn]
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        ]
        found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        return sorted(found, key=lambda task: task["createdAt"])

    def deployed(self) -> set[str]:
        """The versions that the instances have deployed."""
        found = self.stage.eb.describe_instances_health(EnvironmentName=self.name, AttributeNames=["Deployment"])
        deployments = [instance["Deployment"] for instance in found["InstanceHealthList"]]
        return {item["VersionLabel"] for item in deployments if item["Status"] == "Deployed"}

    def ended(self, container: str) -> datetime:
        """When the newest of the containers with this name ended, by the cloud's clock."""
        ahead = self.now() - datetime.now(UTC)
        name = [f"label=com.amazonaws.ecs.container-name={container}"]
        instances = [f"label=localcloud.instance={instance}" for instance in self.instances()]
        newest = docker("ps", "-aq", *filters(name + instances)).split()[0]
        finished = docker("inspect", "--format", "{{.State.FinishedAt}}", newest).strip()
        return datetime.fromisoformat(finished) + ahead

    def instances(self) -> list[str]:
        found = self.stage.eb.describe_environment_resources(EnvironmentName=self.name)["EnvironmentResources"]
        return [instance["Id"] for instance in found["Instances"]]

    def settle(self) -> dict[str, Any]:
        return dict(self.stage.ready(self.name))


@dataclass(frozen=True)
class Judgment:
    """The module's result, when it was there, with the last words of containers, and the looks so far."""

    result: dict[str, Any]
    at: datetime
    looks: list[datetime]

    @property
    def remedies(self) -> list[str]:
        return [item["name"] for item in self.result["remedies"]]


def note(case: str, judgment: Judgment, certain: datetime | None = None) -> None:
    """Write the row of a case, and hold the judge to its goal."""
    late = (judgment.at - certain).total_seconds() if certain else 0.0
    looks = sum(look > certain for look in judgment.looks) if certain else 0
    said = ", ".join(judgment.remedies) or "-"
    verdict, seconds = judgment.result["verdict"], judgment.result["seconds"]
    measured = f"{late:>5.1f} s {looks:>2}" if certain else ""
    sys.stdout.write(f"{case:<34} {verdict:<8} {seconds:>6.1f} s {measured:>11}   {said}\n")
    if certain:
        assert looks <= MOST_LOOKS and late < MOST_SECONDS, f"{looks} looks, {late} s after it was certain"


@pytest.fixture(scope="module")
def judge(stage: Any, run_module: Any) -> Iterator[Judge]:
    """An environment of one instance with a version that works."""
    label = stage.version([web(stage), beside(stage)])
    reply = stage.create(NAME, label)
    one = Judge(stage, run_module)
    created = one.judge({"version_label": label, "request_id": reply["ResponseMetadata"]["RequestId"]})
    assert created.result["verdict"] == "healthy", created.result
    note("success: first deployment", created)
    yield one
    one.settle()
    stage.eb.terminate_environment(EnvironmentName=NAME)


@dataclass(frozen=True)
class Case:
    """A deployment that Elastic Beanstalk itself reports as failed.

    ``reason`` stands in the reasons, ``words`` in what is printed; ``blamed`` is the container to blame.
    """

    name: str
    remedy: str
    reason: str
    words: str
    blamed: str | None = None
    containers: Callable[[Any], list[dict[str, Any]]] = lambda stage: [web(stage)]
    hook: str = ""


REPORTED = [
    Case(
        "image does not exist",
        "image-not-found",
        "Container web did not start: CannotPullContainerError",
        "never-pushed",
        "web",
        lambda stage: [{**web(stage), "image": f"{stage.cloud.registry}/hello:never-pushed"}, beside(stage)],
    ),
    Case(
        "crash at start",
        "variable-missing",
        "Container web stopped with exit code 2",
        "DATABASE_URL: parameter not set",
        "web",
        lambda stage: [
            web(stage, entryPoint=["/bin/sh", "-uc"], command=['echo starting; exec /serve "$DATABASE_URL"']),
            beside(stage),
        ],
    ),
    Case(
        "database does not answer",
        "database-unreachable",
        "Container web stopped with exit code 2",
        'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        "web",
        # PostgreSQL's own client library says it, as it does in psycopg.
        lambda stage: [web(stage, image=images.tag(), entryPoint=["psql"], command=["postgresql://a@127.0.0.1/a"])],
    ),
    Case(
        "hook exits 1",
        "hook-failed",
        "ERROR: Instance deployment failed. For details, see 'eb-engine.log'.",
        "nothing to be done today",
        hook="#!/bin/sh\necho nothing to be done today\nexit 1\n",
    ),
    Case(
        "secret cannot be read",
        "secret-not-readable",
        "Container web did not start: Fetching secret data from AWS Secrets Manager",
        "did not contain json key absent",
        "web",
        lambda stage: [web(stage, secrets=[{"name": "KEY", "valueFrom": f"{secret(stage)}:absent::"}])],
    ),
    Case(
        "task does not fit the instance",
        "task-does-not-fit",
        "ERROR: Instance deployment failed",
        "RESOURCE:MEMORY",
        containers=lambda stage: [web(stage), web(stage, name="large", memory=64_000)],
    ),
    Case(
        "Dockerrun that ECS refuses",
        "bundle-not-valid",
        "ERROR: Service:AmazonECS, Code:ClientException",
        "nobody",
        containers=lambda stage: [web(stage, links=["nobody"])],
    ),
]


def secret(stage: Any) -> str:
    secrets = stage.cloud.client("secretsmanager")
    found = [item["ARN"] for item in secrets.list_secrets()["SecretList"] if item["Name"] == "judged/web"]
    value = json.dumps({"password": "s3cret"})
    return str(found[0] if found else secrets.create_secret(Name="judged/web", SecretString=value)["ARN"])


@pytest.mark.parametrize("case", REPORTED, ids=lambda case: case.name)
def test_a_failure_that_the_service_reports(judge: Judge, case: Case) -> None:
    before = judge.settle()
    label = judge.stage.version(case.containers(judge.stage), {HOOK: case.hook} if case.hook else {})
    started = judge.deploy(label)
    judged = judge.judge(started)
    assert judged.result["failed"] and judged.result["verdict"] == "failed"
    assert case.reason in " ".join(judged.result["reasons"])
    assert case.words in judged.result["msg"]
    assert judged.remedies[0] == case.remedy
    assert judged.result["remedies"][0]["remedy"] in judged.result["msg"]
    stopped = {item for line in judged.result["reasons"] for item in line.split() if line.startswith("Container ")}
    assert case.blamed is None or case.blamed in stopped
    after = judge.settle()
    assert (after["Health"], after["VersionLabel"]) == ("Red", before["VersionLabel"])
    messages = judge.stage.messages(started["request_id"])
    assert "Failed to deploy application." in messages
    assert messages[-1].startswith(REVERTED)
    note(case.name, judged, judge.first_error(started["request_id"]))


def test_success_after_a_failure_with_the_version_that_was_there_before(judge: Judge) -> None:
    """Neither the failure of before counts, nor that this version was deployed before."""
    environment = judge.settle()
    assert environment["Health"] == "Red"
    judged = judge.judge(judge.deploy(environment["VersionLabel"]))
    assert judged.result["verdict"] == "healthy", judged.result
    (instance,) = judged.result["evidence"]["instances"]
    assert instance["version_label"] == environment["VersionLabel"]
    assert instance["deployment_id"] > 1
    note("success: same version, after failures", judged)
    again = judge.judge(judge.deploy(environment["VersionLabel"])).result
    (later,) = again["evidence"]["instances"]
    assert (again["verdict"], later["deployment_id"]) == ("healthy", instance["deployment_id"] + 1)
    assert later["deployment_time"] > instance["deployment_time"]


def test_a_command_that_does_not_end_in_time(judge: Judge) -> None:
    judge.stage.update(NAME, OptionSettings=judge.stage.option_settings({COMMAND: {"Timeout": "300"}}))
    label = judge.stage.version([web(judge.stage)], {HOOK: "#!/bin/sh\necho begun\nexec sleep 900\n"})
    started = judge.deploy(label)

    def pass_time() -> None:
        stream = "/aws/elasticbeanstalk/judged/var/log/eb-hooks.log"
        logs = judge.cloud.client("logs")

        def begun() -> bool:
            found = logs.filter_log_events(logGroupName=stream)["events"]
            return any("begun" in event["message"] for event in found)

        judge.stage.wait_for(begun, "the hook")
        judge.cloud.advance(900)

    clock = threading.Thread(target=pass_time)
    clock.start()
    judged = judge.judge(started)
    clock.join()
    assert judged.result["verdict"] == "failed"
    assert judged.remedies == ["command-timeout"]
    assert judge.settle()["Health"] == "Red"
    messages = " ".join(judge.stage.messages(started["request_id"]))
    assert "Summary: [Successful: 0, TimedOut: 1]." in messages
    note("command timeout", judged, judge.first_error(started["request_id"]))
    judge.stage.update(NAME, OptionsToRemove=[{"Namespace": COMMAND, "OptionName": "Timeout"}])


def test_the_lie_that_all_is_well_though_a_container_never_started(judge: Judge) -> None:
    label = judge.stage.version(
        [web(judge.stage), {**beside(judge.stage), "image": f"{judge.stage.cloud.registry}/hello:never-pushed"}]
    )
    started = judge.deploy(label)
    judged = judge.judge(started)
    assert judged.result["verdict"] == "failed"
    assert "Container beside did not start: CannotPullContainerError" in judged.result["reasons"][0]
    assert judged.remedies == ["image-not-found"]
    environment = judge.settle()
    assert (environment["VersionLabel"], environment["Status"]) == (label, "Ready")
    assert judge.stage.messages(started["request_id"])[-1] == "Environment update completed successfully."
    note("non-essential never starts", judged, judge.tasks()[-1]["startedAt"])
    # Without a request, too: the environment is as it is.
    assert judge.judge({"version_label": label}).result["verdict"] == "failed"


def test_a_container_that_ends_some_seconds_later(judge: Judge) -> None:
    label = judge.stage.version([web(judge.stage), beside(judge.stage, variables={"EXIT_AFTER": "6"})])
    judged = judge.judge(judge.deploy(label), steady=30)
    assert judged.result["verdict"] == "failed"
    assert "Container beside stopped with exit code 3." in judged.result["reasons"]
    assert judged.result["evidence"]["logs"]["beside"][-1] == "cannot go on"
    note("non-essential crashes later", judged, judge.ended("beside"))


def test_a_container_over_its_memory(judge: Judge) -> None:
    label = judge.stage.version([web(judge.stage), beside(judge.stage, variables={"EAT_AFTER": "5"})])
    judged = judge.judge(judge.deploy(label), steady=30)
    assert judged.result["verdict"] == "failed"
    killed = "Container beside stopped with exit code 137: OutOfMemoryError: Container killed due to memory usage."
    assert killed in judged.result["reasons"]
    assert judged.remedies == ["out-of-memory"]
    note("container over its memory", judged, judge.ended("beside"))


def test_an_essential_container_that_crashes_again_and_again(judge: Judge) -> None:
    """After the service reported success; one crash may be cured by the next start."""
    label = judge.stage.version([web(judge.stage), beside(judge.stage)])
    started = judge.deploy(label)

    def crash_twice() -> None:
        judge.settle()
        url = f"http://{judge.settle()['EndpointURL']}"
        for _time in range(2):
            judge.stage.wait_for(lambda: judge.stage.answers(f"{url}/exit/3", "release"), "a server to end")

    crashes = threading.Thread(target=crash_twice)
    crashes.start()
    judged = judge.judge(started, steady=60, patience=60)
    crashes.join()
    assert judged.result["verdict"] == "failed"
    assert judged.result["reasons"] == ["Container web stopped with exit code 3."]
    assert judged.result["evidence"]["logs"]["web"][-1] == "asked for /exit/3"
    over = judge.over(started["request_id"])

    def stops() -> list[datetime]:
        ends = sorted(task["stoppedAt"] for task in judge.tasks() if task.get("stoppedAt"))
        return [end for end in ends if end > over]

    # The judge need not wait until the rest of the task has ended as well.
    judge.stage.wait_for(lambda: len(stops()) > 1, "the end of both tasks")
    note("essential crashes, task after task", judged, stops()[1])


@pytest.mark.parametrize(
    ("case", "mapping", "certain_at_once"),
    [
        ("no container is published on it", {"hostPort": 8080, "containerPort": 8000}, True),
        ("nobody listens on the port", {"hostPort": 80, "containerPort": 9999}, False),
    ],
)
def test_a_port_that_nobody_serves(judge: Judge, case: str, mapping: dict[str, int], certain_at_once: bool) -> None:
    """The service says success: a single instance has no HTTP health check.

    Right after tasks that crashed, on a port that the front does not know yet: neither may hold the deployment up.
    """
    label = judge.stage.version([web(judge.stage, portMappings=[mapping]), beside(judge.stage)])
    started = judge.deploy(label)
    judged = judge.judge(started)
    assert judged.result["verdict"] == "failed"
    assert judged.remedies == ["nobody-on-the-port"], judged.result["msg"]
    assert judge.settle()["VersionLabel"] == label
    assert judge.stage.messages(started["request_id"])[-1] == "Environment update completed successfully."
    allowed = timedelta() if certain_at_once else timedelta(seconds=PATIENCE)
    note(case, judged, judge.over(started["request_id"]) + allowed)


@pytest.mark.parametrize(("status", "remedy"), [("301", "redirect-loop"), ("400", "host-not-allowed")])
def test_an_answer_that_is_not_the_one_wanted(judge: Judge, status: str, remedy: str) -> None:
    label = judge.stage.version([web(judge.stage, variables={"ANSWER": status}), beside(judge.stage)])
    started = judge.deploy(label)
    judged = judge.judge(started)
    assert judged.result["verdict"] == "failed"
    assert f"answered {status}" in judged.result["reasons"][0]
    assert judged.remedies == [remedy]
    assert judged.result["evidence"]["logs"]["web"][-1] == "asked for /"
    note(f"probe answered {status}", judged, judge.over(started["request_id"]) + timedelta(seconds=STEADY))


def test_success_of_a_slow_server_in_bad_weather(judge: Judge) -> None:
    """Throttling, errors, dropped connections and stale reads all the while."""
    rules = [
        {"kind": "throttling", "service": "elasticbeanstalk", "operation": "Describe*", "probability": 0.1, "seed": 1},
        {"kind": "internal", "service": "e*", "operation": "Describe*", "probability": 0.1, "seed": 2},
        {"kind": "dropped", "service": "e*", "operation": "Describe*", "probability": 0.1, "seed": 3},
        {"kind": "stale", "service": "elasticbeanstalk", "operation": "Describe*", "seconds": 3},
    ]
    label = judge.stage.version([web(judge.stage, variables={"LISTEN_AFTER": "8"}), beside(judge.stage)])
    started = judge.deploy(label)
    try:
        for rule in rules:
            judge.cloud.admin("POST", "faults", rule)
        judged = judge.judge(started, patience=60)
        struck = [rule["struck"] for rule in judge.cloud.admin("GET", "faults")]
    finally:
        judge.cloud.admin("DELETE", "faults")
    assert judged.result["verdict"] == "healthy", judged.result
    assert sum(struck) > 3
    note(f"success: slow, in bad weather ({sum(struck)})", judged)


def test_of_several_instances_each_is_judged(stage: Any, run_module: Any) -> None:
    """Behind a load balancer: a container that is missing on one of them, then a check that nobody answers."""
    two = Judge(stage, run_module, "judged-two")
    settings = {
        "aws:elasticbeanstalk:environment": {"EnvironmentType": "LoadBalanced", "LoadBalancerType": "application"},
        "aws:autoscaling:asg": {"MinSize": "2", "MaxSize": "2"},
    }
    label = stage.version([web(stage), beside(stage)])
    reply = stage.create(two.name, label, settings)
    created = two.judge({"version_label": label, "request_id": reply["ResponseMetadata"]["RequestId"]})
    assert created.result["verdict"] == "healthy", created.result
    assert "2 instances, 4 containers running" in created.result["reasons"][0]
    note("success: two instances", created)

    lost = created.result["evidence"]["instances"][1]["instance_id"]
    kill(lost, "beside")
    judged = two.judge({"version_label": label})
    assert judged.result["reasons"] == [f"Container beside on {lost} stopped with exit code 137."]
    note("non-essential lost on one of two", judged)

    silent = stage.version([web(stage, portMappings=[{"hostPort": 80, "containerPort": 9999}]), beside(stage)])
    started = two.deploy(silent)

    def pass_time() -> None:
        stage.wait_for(lambda: silent in two.deployed(), "the new version on the instances")
        two.cloud.advance(900)

    clock = threading.Thread(target=pass_time)
    clock.start()
    judged = two.judge(started)
    clock.join()
    assert judged.result["verdict"] == "failed"
    assert "did not pass health check after command execution" in " ".join(judged.result["reasons"])
    assert judged.remedies == ["health-check-failing"]
    environment = two.settle()
    assert (environment["Health"], environment["VersionLabel"]) == ("Red", label)
    note("load balancer's check fails", judged, two.first_error(started["request_id"]))
    stage.eb.terminate_environment(EnvironmentName=two.name)


def kill(instance: str, container: str) -> None:
    """End a container on an instance from outside."""
    labels = [f"label=localcloud.instance={instance}", f"label=com.amazonaws.ecs.container-name={container}"]
    docker("kill", *docker("ps", "-q", *filters(labels)).split())


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout


def filters(labels: list[str]) -> list[str]:
    return [word for label in labels for word in ("--filter", label)]


def test_events_appear_in_the_output_while_it_waits(judge: Judge, tmp_path: Path) -> None:
    """A real ansible-playbook, two hosts side by side, its output in a pipe as in a CI job."""
    (tmp_path / "hosts").write_text("one\ntwo\n")
    started = judge.deploy(judge.stage.version([web(judge.stage), beside(judge.stage)]))
    task = {"antenna.aws.eb_health_wait": {**judge.arguments(started), "steady": 4}}
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    play = {"hosts": "all", "gather_facts": False, "vars": here, "tasks": [task]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, "-i", str(tmp_path / "hosts"), "--forks", "2", str(tmp_path / "play.yml")]
    lines: list[tuple[float, str]] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        lines.extend((time.monotonic(), line) for line in run.stdout)
    ended = time.monotonic()
    text = "".join(line for _when, line in lines)
    assert run.returncode == 0, text
    for host in ("one", "two"):
        of_host = [(when, line) for when, line in lines if line.startswith(f"  {host} | ")]
        begun = [when for when, line in of_host if "Environment update is starting." in line]
        assert begun and ended - begun[0] > 4, text
        assert sum("Environment update completed successfully." in line for _when, line in of_host) == 1, text
    checked = subprocess.run([*command, "--check"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert checked.returncode == 0 and "waiting" not in checked.stdout, checked.stdout


def test_a_first_deployment_that_fails(stage: Any, run_module: Any) -> None:
    first = Judge(stage, run_module, "judged-first")
    label = stage.version([web(stage, variables={"FAIL": "start"})])
    reply = stage.create(first.name, label)
    request_id = reply["ResponseMetadata"]["RequestId"]
    judged = first.judge({"version_label": label, "request_id": request_id})
    assert judged.result["verdict"] == "failed"
    assert "told to fail at once" in judged.result["msg"]
    environment = first.settle()
    assert environment["Health"] == "Red"
    assert stage.messages(request_id)[-1].startswith("Create environment operation is complete, but with errors.")
    note("first deployment crashes", judged, first.first_error(request_id))
    stage.eb.terminate_environment(EnvironmentName=first.name)


def test_a_launch_that_fails(stage: Any, run_module: Any) -> None:
    never = Judge(stage, run_module, "judged-never")
    settings = {"aws:autoscaling:launchconfiguration": {"IamInstanceProfile": "nobody"}}
    label = stage.version([web(stage)])
    request_id = stage.create(never.name, label, settings)["ResponseMetadata"]["RequestId"]
    judged = never.judge({"version_label": label, "request_id": request_id})
    assert judged.remedies == ["instance-profile"]
    assert never.settle()["Health"] == "Red"
    note("launch without instance profile", judged, never.first_error(request_id))
    stage.eb.terminate_environment(EnvironmentName=never.name)
