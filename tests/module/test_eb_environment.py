# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment's whole life on real containers: check, run, check, run; a release, failures, its end."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = {"access_key": "testing", "secret_key": "testing-secret", "region": "eu-central-1"}
IMAGE = "debian:trixie-slim"
# The smallest web server that the image can run: its perl has sockets.
SERVER = (
    "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 5000, Listen => 5, ReuseAddr => 1) or die;"
    "$SIG{TERM} = sub { exit 0 };"
    "while ($c = $s->accept) { while (<$c>) { last if /^\\r?$/ } print $c qq(HTTP/1.0 200 OK\\r\\n\\r\\nok); close $c }"
)
SLEEPER = "trap 'exit 0' TERM; echo beating; while :; do sleep 0.2; done"


def container(name: str, *command: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "memory": 64, "essential": True, "command": list(command), **more}


WEB = container("web", "perl", "-e", SERVER, portMappings=[{"hostPort": 80, "containerPort": 5000}])
BEAT = container("beat", "sh", "-c", SLEEPER)
VERSIONS = {
    "v1": [WEB, BEAT],
    "v2": [WEB, BEAT],
    "crashing": [WEB, container("beat", "sh", "-c", "echo KeyError: no SECRET; exit 3")],
    "lying": [WEB, container("beat", "sh", "-c", "echo cannot go on; sleep 5; exit 4", essential=False)],
    "imageless": [WEB, {**BEAT, "image": "127.0.0.1:1/nothing:v1"}],
}


@dataclass
class Cloud:
    """A rehearsal cloud of the test's own, with an application whose versions run small containers."""

    endpoint: str
    execute: Callable[..., dict[str, Any]]
    last_call: int = 0

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=CREDENTIALS["region"],
            aws_access_key_id=CREDENTIALS["access_key"],
            aws_secret_access_key=CREDENTIALS["secret_key"],
        )

    def run(self, module: str, arguments: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
        return self.execute(module, {**CREDENTIALS, "endpoint_url": self.endpoint, **arguments}, check)

    def writes(self) -> list[str]:
        """Return the operations since the last look that were not reads."""
        address = f"{self.endpoint}/_localcloud/journal?after={self.last_call}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            calls = [json.loads(line) for line in answer.read().splitlines()]
        self.last_call = max((call["number"] for call in calls), default=self.last_call)
        return [call["operation"] for call in calls if call["access"] != "read"]

    def environment(self, label: str, check: bool = False, **more: Any) -> dict[str, Any]:
        arguments = {
            "name": "env-1",
            "application_name": "antenna",
            "cname_prefix": "env-1",
            "platform_branch": "ECS running on 64bit Amazon Linux 2023",
            "version_label": label,
            "option_settings": {
                "aws:elasticbeanstalk:environment": {"EnvironmentType": "SingleInstance"},
                "aws:ec2:instances": {"InstanceTypes": ["t3.large", "t3.small"]},
                "aws:autoscaling:launchconfiguration": {"IamInstanceProfile": "instance", "DisableIMDSv1": True},
                "aws:elasticbeanstalk:healthreporting:system": {
                    "SystemType": "enhanced",
                    "ConfigDocument": {"Version": 1, "Rules": {}},
                },
                "aws:elasticbeanstalk:cloudwatch:logs": {"StreamLogs": True, "RetentionInDays": 7},
            },
            "tags": {"team": "antenna"},
        }
        return self.run("eb_environment", {**arguments, **more}, check)

    def wait(self, label: str, started: Mapping[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        arguments = {
            "environment_name": "env-1",
            "application_name": "antenna",
            "version_label": label,
            "request_id": started["request_id"],
            "since": started["since"],
            "containers": ["web", "beat"],
            "probe": {"path": "/"},
            "steady": 2,
            "timeout": 120,
            "poll": 0.5,
        }
        return self.run("eb_health_wait", {**arguments, **more}, check)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, run_module: Callable[..., dict[str, Any]]) -> Iterator[Cloud]:
    state = tmp_path_factory.mktemp("cloud")
    command = [sys.executable, "-m", "localcloud"]
    subprocess.run([*command, "up", "--state-dir", str(state), "--port", "5766"], cwd=ROOT, check=True)
    try:
        subprocess.run([*command, "base-images", str(_dockerfile(state))], cwd=ROOT, check=True)
        endpoint = json.loads((state / "ready.json").read_text())["endpoint"]
        found = Cloud(endpoint, run_module)
        _make_versions(found)
        found.writes()
        yield found
    finally:
        subprocess.run([*command, "down", "--state-dir", str(state)], cwd=ROOT, check=True)


def _dockerfile(folder: Path) -> Path:
    path = folder / "Dockerfile"
    path.write_text(f"FROM {IMAGE}\n")
    return path


def _make_versions(cloud: Cloud) -> None:
    beanstalk = cloud.client("elasticbeanstalk")
    bucket = beanstalk.create_storage_location()["S3Bucket"]
    beanstalk.create_application(ApplicationName="antenna")
    cloud.client("iam").create_instance_profile(InstanceProfileName="instance")
    for label, containers in VERSIONS.items():
        bundle = io.BytesIO()
        with zipfile.ZipFile(bundle, "w") as archive:
            dockerrun = {"AWSEBDockerrunVersion": 2, "containerDefinitions": containers}
            archive.writestr("Dockerrun.aws.json", json.dumps(dockerrun))
        key = f"antenna/{label}.zip"
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=bundle.getvalue())
        beanstalk.create_application_version(
            ApplicationName="antenna", VersionLabel=label, SourceBundle={"S3Bucket": bucket, "S3Key": key}
        )


# The tests of one environment build on each other: a launch takes seconds, and its life is what is tested.


def test_a_check_plans_the_creation_and_makes_nothing(cloud: Cloud) -> None:
    planned = cloud.environment("v1", check=True)
    assert planned["changed"]
    assert [step["op"] for step in planned["plan"]] == ["create"]
    assert planned["environment"]["cname"] == "env-1.eu-central-1.elasticbeanstalk.com"
    assert planned["environment"]["platform_arn"].endswith("/4.10.0"), "the recommended one, not the last by name"
    assert cloud.writes() == []
    assert cloud.run("eb_environment_info", {"name": "env-1"})["environments"] == []


def test_a_run_makes_it_and_the_wait_ends_in_health(cloud: Cloud, tmp_path: Path) -> None:
    made = cloud.environment("v1")
    assert made["changed"]
    assert cloud.writes() == ["CreateEnvironment"]
    progress = tmp_path / "progress"
    judged = cloud.wait("v1", made, progress_path=str(progress))
    assert judged["verdict"] == "healthy", judged
    assert not judged["changed"]
    assert judged["evidence"]["probe"]["status"] == 200
    assert {item["name"]: item["status"] for item in judged["evidence"]["containers"]} == {
        "web": "RUNNING",
        "beat": "RUNNING",
    }
    told = [json.loads(line)["text"] for line in progress.read_text().splitlines()]
    assert "Successfully launched environment: env-1" in told
    assert cloud.writes() == []


@pytest.mark.parametrize("check", [True, False])
def test_the_second_time_nothing_is_left_to_do(cloud: Cloud, check: bool) -> None:
    again = cloud.environment("v1", check=check)
    assert not again["changed"], again["plan"]
    assert (again["request_id"], again["diff"]["before"]) == (None, again["diff"]["after"])
    judged = cloud.wait("v1", again, check=check)
    assert (judged["verdict"], judged["changed"]) == ("healthy", False)
    assert judged["seconds"] < 2
    assert cloud.writes() == []


def test_version_and_options_go_out_in_one_update(cloud: Cloud) -> None:
    properties = {"aws:elasticbeanstalk:application:environment": {"A": "1", "DB_PASSWORD": "hunter2-hunter2"}}
    planned = cloud.environment("v2", check=True, option_settings=properties)
    assert cloud.writes() == []
    updated = cloud.environment("v2", option_settings=properties)
    assert cloud.writes() == ["UpdateEnvironment"]
    assert (updated["plan"], updated["diff"]) == (planned["plan"], planned["diff"])
    assert "hunter2" not in json.dumps(updated)
    assert cloud.wait("v2", updated)["verdict"] == "healthy"
    assert not cloud.environment("v2", option_settings=properties)["changed"]


def test_tags_are_changed_alone_and_awaited(cloud: Cloud) -> None:
    tagged = cloud.environment("v2", tags={"team": "antenna", "cost": "1"})
    assert [step["op"] for step in tagged["plan"]] == ["update_tags"]
    assert cloud.writes() == ["UpdateTagsForResource"]
    assert (tagged["environment"]["status"], tagged["environment"]["tags"]) == (
        "Ready",
        {"team": "antenna", "cost": "1"},
    )
    assert cloud.wait("v2", tagged)["verdict"] == "healthy"
    assert cloud.environment("v2")["plan"][0]["reason"] == "tag cost removed"


@pytest.mark.parametrize(
    ("label", "reason", "last_words"),
    [
        ("crashing", "Container beat stopped with exit code 3", "KeyError: no SECRET"),
        ("imageless", "CannotPullContainerError", "CannotPullContainerError"),
        ("lying", "Container beat stopped with exit code 4", "cannot go on"),
    ],
)
def test_a_failed_deployment_is_diagnosed_long_before_the_timeout(
    cloud: Cloud, label: str, reason: str, last_words: str
) -> None:
    failed = cloud.wait(label, cloud.environment(label))
    assert failed["failed"]
    assert failed["verdict"] == "failed"
    assert failed["seconds"] < 60
    assert reason in " ".join(failed["reasons"])
    assert last_words in failed["msg"]
    crashed = [item for item in failed["evidence"]["logs"] if item == "beat"]
    assert (crashed == ["beat"]) is (label != "imageless")


def test_a_snapshot_shows_containers_and_events(cloud: Cloud) -> None:
    (seen,) = cloud.run("eb_environment_info", {"application_name": "antenna", "events": 3})["environments"]
    assert (seen["name"], seen["version_label"]) == ("env-1", "lying")
    assert {item["name"] for item in seen["containers"]} == {"web", "beat"}
    assert len(seen["events"]) == 3
    assert cloud.run("eb_environment_info", {"name": "env-2"})["environments"] == []


def test_what_cannot_be_is_told_in_words(cloud: Cloud) -> None:
    other = cloud.environment("v1", application_name="other")
    assert "belongs to application 'antenna'" in other["msg"]
    unknown = cloud.environment("v9")
    assert "No Application Version named 'v9' found" in unknown["msg"]
    branch = cloud.environment("v1", name="env-9", platform_branch="ECS running on 64bit Amazon Linux 1")
    assert "No recommended platform version" in branch["msg"]
    taken = cloud.environment("v1", name="env-9")
    assert "'env-1' is taken" in taken["msg"]
    assert not any("exception" in item for item in (other, unknown, branch, taken))


def test_its_end_is_awaited(cloud: Cloud) -> None:
    cloud.writes()
    assert cloud.environment("v1", check=True, state="absent")["changed"]
    assert cloud.writes() == []
    ended = cloud.environment("v1", state="absent")
    assert (ended["changed"], ended["environment"]) == (True, {})
    assert cloud.writes() == ["TerminateEnvironment"]
    assert not cloud.environment("v1", state="absent")["changed"]
    gone = cloud.wait("v1", {"request_id": None, "since": None}, timeout=5)
    assert gone["reasons"] == ["There is no environment 'env-1'."]
