# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal cloud of the tests' own, and an environment's worth of things to put into it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import io
import json
import os
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from localcloud.state import State
from tests.support.clients import REGION, client

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "hello"
PLATFORM = "ECS running on 64bit Amazon Linux 2023"
# The files that take longest, in that order: workers that begin with these end at about the same time.
LONGEST = (
    "test_judge.py",
    "test_elasticbeanstalk_fleet.py",
    "test_eb_cli.py",
    "test_elasticbeanstalk.py",
    "test_rds.py",
    "test_cloud.py",
    "test_alarms.py",
    "test_elasticache.py",
    "test_boto3_elasticbeanstalk.py",
    "test_robustness.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; tests of a file stay together, in their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what its cloud wrote last."""
    report = yield
    cloud: LocalCloud | None = getattr(item, "funcargs", {}).get("localcloud")
    if report.failed and report.when != "teardown" and cloud is not None:
        report.sections.append(("end of the cloud's log", cloud.log()[-20_000:]))
    return report


@dataclass(frozen=True)
class LocalCloud:
    """A running rehearsal cloud."""

    state_dir: Path
    endpoint: str
    registry: str

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)

    def log(self) -> str:
        """What its daemon has written."""
        return State(self.state_dir).log_file.read_text(errors="replace")

    def status(self) -> dict[str, Any]:
        return dict(self.admin("GET", "status"))

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Ask `/_localcloud/<path>`, and return what its JSON says (None when it says nothing)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_localcloud/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer = reply.read()
        return json.loads(answer) if answer else None

    def advance(self, seconds: float) -> datetime:
        """Put the cloud's clock forward; what was due by then happens. Returns its new time."""
        return datetime.fromisoformat(self.admin("POST", "clock", {"advance": seconds})["now"])


def _localcloud(state: Path, *words: str) -> None:
    command = [sys.executable, "-m", "localcloud", words[0], "--state-dir", str(state), *words[1:]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Images are made once: workers of this suite that want the same ones wait for each other."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "contract.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def localcloud(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[LocalCloud]:
    """A rehearsal cloud for the tests of this worker; LOCALCLOUD_TEST_STATE names one that runs already and stays."""
    given = os.environ.get("LOCALCLOUD_TEST_STATE")
    state = Path(given) if given else tmp_path_factory.mktemp("cloud") / "state"
    port = 5866 + 20 * (int(worker_id.removeprefix("gw")) + 1 if worker_id != "master" else 0)
    with one_at_a_time():
        _localcloud(state, "up", "--port", str(port), "--registry-port", str(port + 10), "--region", REGION)
    ready = json.loads((state / "ready.json").read_text())
    try:
        yield LocalCloud(state, ready["endpoint"], ready["registry"])
    finally:
        if not given:
            _localcloud(state, "down")


@pytest.fixture(scope="session")
def image(localcloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tests' image in the cloud's registry, by digest."""
    ecr = localcloud.client("ecr")
    uri = ecr.create_repository(repositoryName="hello")["repository"]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    with one_at_a_time():
        _run(sys.executable, "-m", "localcloud", "base-images", str(Path(__file__).parent / "app"))
        _run("docker", "build", "-q", "-t", f"{uri}:1", str(Path(__file__).parent / "app"))
    # A configuration of its own keeps the password out of the user's.
    configuration = f"--config={tmp_path_factory.mktemp('docker')}"
    _run("docker", configuration, "login", "-u", user, "--password-stdin", localcloud.registry, stdin=password)
    _run("docker", configuration, "push", "-q", f"{uri}:1")
    _run("docker", "rmi", f"{uri}:1")
    found = ecr.describe_images(repositoryName="hello", imageIds=[{"imageTag": "1"}])["imageDetails"][0]
    return f"{uri}@{found['imageDigest']}"


def _run(*command: str, stdin: str | None = None) -> str:
    result = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="session")
def roles(localcloud: LocalCloud) -> str:
    """The instance profile `hello` with its role, and the execution role whose ARN is returned, with their grants.

    The instance reads secrets and passes the execution role to ECS, which reads them for the containers.
    """
    iam = localcloud.client("iam")
    execution = str(_role(iam, "hello-execution", "ecs-tasks.amazonaws.com")["Arn"])
    _role(iam, "hello", "ec2.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="hello")
    iam.add_role_to_instance_profile(InstanceProfileName="hello", RoleName="hello")
    for name in ("hello", "hello-execution"):
        grant(iam, name, "read", ["secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters"], "*")
    grant(iam, "hello", "pass", ["iam:PassRole"], execution)
    return execution


def _role(iam: Any, name: str, service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    return dict(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"])


def grant(iam: Any, role: str, policy: str, actions: list[str], resource: str) -> None:
    """Put an inline policy of one statement into a role."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


@dataclass
class Stage:
    """Puts versions and environments into the cloud, and looks at them."""

    cloud: LocalCloud
    image: str
    execution_role: str
    eb: Any = field(init=False)
    versions: int = 0

    def __post_init__(self) -> None:
        self.eb = self.cloud.client("elasticbeanstalk")
        self.bucket = self.eb.create_storage_location()["S3Bucket"]

    @staticmethod
    def wait_for(goal: Callable[[], Any], what: str, timeout: float = 120) -> Any:
        """Return what `goal` returns once it is true."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = goal()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"{what}: not within {timeout} s")

    def get(self, url: str) -> str:
        """The body behind a URL; a server that has just been started gets a moment."""
        self.wait_for(lambda: self.answers(url, ""), url, 30)
        return self.fetch(url)

    @staticmethod
    def fetch(url: str) -> str:
        """The body behind a URL, at once."""
        with urllib.request.urlopen(url, timeout=10) as reply:
            return str(reply.read().decode())

    def answers(self, url: str, text: str) -> bool:
        """Whether the URL answers with this text."""
        try:
            return text in self.fetch(url)
        except OSError:
            return False

    @staticmethod
    def option_settings(settings: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
        return [
            {"Namespace": namespace, "OptionName": name, "Value": value}
            for namespace, values in settings.items()
            for name, value in values.items()
        ]

    def container(self, name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "image": self.image, "essential": True, "memory": 64, **more}

    def version(self, containers: list[dict[str, Any]], files: Mapping[str, str] | None = None, **more: Any) -> str:
        """A new version of a bundle with these containers; the files beside them are executable."""
        self.versions += 1
        label = f"v{self.versions}-{int(time.time() * 1000)}"
        dockerrun = {
            "AWSEBDockerrunVersion": 2,
            "executionRoleArn": self.execution_role,
            "containerDefinitions": containers,
            **more,
        }
        self.bundle(label, {"Dockerrun.aws.json": json.dumps(dockerrun), **(files or {})})
        return label

    def bundle(self, label: str, files: Mapping[str, str], status: str = "PROCESSED") -> str:
        """Create the version, await its status, and return the request id."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            for name, text in files.items():
                opened.writestr(zipfile.ZipInfo(name), text)
        key = f"{APPLICATION}/{label}.zip"
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=archive.getvalue())
        reply = self.eb.create_application_version(
            ApplicationName=APPLICATION,
            VersionLabel=label,
            SourceBundle={"S3Bucket": self.bucket, "S3Key": key},
            AutoCreateApplication=True,
            Process=True,
        )
        self.wait_for(lambda: self.version_status(label) == status, f"version {label} {status}")
        return str(reply["ResponseMetadata"]["RequestId"])

    def version_status(self, label: str) -> str:
        found = self.eb.describe_application_versions(ApplicationName=APPLICATION, VersionLabels=[label])
        return str(found["ApplicationVersions"][0]["Status"])

    def platform_arn(self) -> str:
        filters = [
            {"Type": "PlatformBranchName", "Operator": "=", "Values": [PLATFORM]},
            {"Type": "PlatformLifecycleState", "Operator": "=", "Values": ["Recommended"]},
        ]
        (found,) = self.eb.list_platform_versions(Filters=filters)["PlatformSummaryList"]
        return str(found["PlatformArn"])

    def create(self, name: str, label: str, settings: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
        """Create an environment and return the call's reply; its region of options is completed."""
        return dict(
            self.eb.create_environment(
                ApplicationName=APPLICATION,
                EnvironmentName=name,
                CNAMEPrefix=name,
                VersionLabel=label,
                PlatformArn=self.platform_arn(),
                OptionSettings=self.option_settings({**SETTINGS, **(settings or {})}),
                Tags=[{"Key": "Project", "Value": "hello"}],
            )
        )

    def environment(self, name: str) -> dict[str, Any]:
        found = self.eb.describe_environments(EnvironmentNames=[name], IncludeDeleted=False)["Environments"]
        return dict(found[0])

    def ready(self, name: str, timeout: float = 120) -> dict[str, Any]:
        self.wait_for(lambda: self.environment(name)["Status"] == "Ready", f"environment {name}", timeout)
        return self.environment(name)

    def messages(self, request_id: str) -> list[str]:
        """The events that a call caused, oldest first."""
        found = self.eb.describe_events(RequestId=request_id)["Events"]
        return [event["Message"] for event in reversed(found)]

    def update(self, name: str, **members: Any) -> str:
        """Update and wait for Ready; returns the request id."""
        reply = self.eb.update_environment(EnvironmentName=name, **members)
        self.ready(name)
        return str(reply["ResponseMetadata"]["RequestId"])


SETTINGS: dict[str, Mapping[str, str]] = {
    "aws:elasticbeanstalk:environment": {"EnvironmentType": "SingleInstance"},
    "aws:autoscaling:launchconfiguration": {"IamInstanceProfile": "hello"},
    "aws:elasticbeanstalk:healthreporting:system": {"SystemType": "enhanced"},
    "aws:elasticbeanstalk:cloudwatch:logs": {"StreamLogs": "true"},
    "aws:elasticbeanstalk:cloudwatch:logs:health": {"HealthStreamingEnabled": "true", "RetentionInDays": "3"},
    "aws:ec2:instances": {"InstanceTypes": "t3.small,t3.large"},
}


@pytest.fixture(scope="session")
def stage(localcloud: LocalCloud, image: str, roles: str) -> Stage:
    return Stage(localcloud, image, roles)
