# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EB CLI against the rehearsal cloud, as a person uses it: what it prints and how it exits.

It decides by the texts of events (and waits up to ten minutes for one that it knows), by the request ids that events
bear, and by members that the public service model does not have.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EB_CLI = "awsebcli==3.27.5"
ONE, TWO = "eb-one", "eb-two"
HOOK = ".platform/hooks/postdeploy/01_hook.sh"
# What the CLI takes for the end of a change of options: it does not wait for Ready.
CONFIGURED = "Successfully deployed new configuration to environment."
CONFIG = """branch-defaults:
  default:
    environment: eb-one
global:
  application_name: hello
  default_region: us-west-2
  sc: null
"""


@pytest.fixture(scope="session")
def program() -> Path:
    """The EB CLI in an environment of its own: it wants older versions of what ours needs."""
    home = ROOT / ".cache" / EB_CLI.replace("==", "-")
    if not (home / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", EB_CLI], check=True)
        (home / "complete").touch()
    return home / "bin" / "eb"


@dataclass(frozen=True)
class Project:
    """A directory with an application in it, as `eb init` leaves it."""

    stage: Any
    program: Path
    directory: Path

    def eb(self, *words: str, exits: int = 0) -> str:
        """What the CLI prints to either stream."""
        environment = {
            **os.environ,
            # Without a terminal it takes these; tables of a small one lack rows.
            "LINES": "100",
            "COLUMNS": "200",
            "AWS_ENDPOINT_URL": self.stage.cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing-secret",
            "HOME": str(self.directory),
            # Its last act is to ask the package index for a newer release of itself.
            "PIP_NO_INDEX": "1",
        }
        result = subprocess.run(
            [str(self.program), *words],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        printed = result.stdout + result.stderr
        assert result.returncode == exits, printed
        return printed

    def write(self, release: str, hook: str | None = None) -> None:
        """The application's files, for `eb deploy` to bundle."""
        web = self.stage.container(
            "web",
            portMappings=[{"hostPort": 80, "containerPort": 8000}],
            environment=[{"name": "RELEASE", "value": release}],
        )
        dockerrun = {"AWSEBDockerrunVersion": 2, "containerDefinitions": [web]}
        (self.directory / "Dockerrun.aws.json").write_text(json.dumps(dockerrun))
        path = self.directory / HOOK
        path.unlink(missing_ok=True)
        if hook is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{hook}\n")
            path.chmod(0o755)

    def answers(self) -> str:
        environment = self.stage.environment(ONE)
        return str(self.stage.get(f"http://{environment['EndpointURL']}/")).strip()


@pytest.fixture(scope="module")
def project(stage: Any, program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two environments, the first of which is the directory's own."""
    directory = tmp_path_factory.mktemp("project")
    (directory / ".elasticbeanstalk").mkdir()
    (directory / ".elasticbeanstalk" / "config.yml").write_text(CONFIG)
    made = Project(stage, program, directory)
    made.write("first")
    web = json.loads((directory / "Dockerrun.aws.json").read_text())["containerDefinitions"]
    label = stage.version(web)
    settings = {
        "aws:elasticbeanstalk:cloudwatch:logs": {"StreamLogs": "false"},
        "aws:elasticbeanstalk:application:environment": {"EXTRA": "1"},
    }
    for name in (ONE, TWO):
        stage.create(name, label, settings)
    for name in (ONE, TWO):
        stage.ready(name)
    yield made
    for item in stage.eb.describe_environments(EnvironmentNames=[ONE, TWO], IncludeDeleted=False)["Environments"]:
        stage.ready(item["EnvironmentName"])
        stage.eb.terminate_environment(EnvironmentName=item["EnvironmentName"])


def instances(project: Project, name: str = ONE) -> list[str]:
    found = project.stage.eb.describe_environment_resources(EnvironmentName=name)["EnvironmentResources"]
    return [item["Id"] for item in found["Instances"]]


def test_status_and_list(project: Project) -> None:
    printed = project.eb("status")
    for line in (
        f"Environment details for: {ONE}",
        "Application name: hello",
        "Region: us-west-2",
        "Tier: WebServer-Standard-1.0",
        f"CNAME: {ONE}.us-west-2.elasticbeanstalk.com",
        "Status: Ready",
        "Health: Green",
    ):
        assert line in printed
    assert project.eb("list").splitlines()[:2] == [f"* {ONE}", TWO]
    assert f"{ONE} : ['{instances(project)[0]}']" in project.eb("list", "--verbose")


def test_an_environment_that_does_not_exist(project: Project) -> None:
    printed = project.eb("status", "nobody-here", exits=4)
    assert 'ERROR: NotFoundError - Environment "nobody-here" not Found.' in printed


def test_health_of_each_instance(project: Project) -> None:
    printed = project.eb("health")
    for part in (ONE, "Ok", "WebServer", instances(project)[0]):
        assert part in printed


def test_events(project: Project) -> None:
    lines = project.eb("events").splitlines()
    messages = [line.split("INFO", 1)[1].strip() for line in lines if "INFO" in line]
    assert messages[0] == "createEnvironment is starting."
    assert f"Successfully launched environment: {ONE}" in messages


def test_properties_are_set_shown_and_removed(project: Project) -> None:
    assert "     EXTRA = 1\n" in project.eb("printenv")
    printed = project.eb("setenv", "MODE=from the cli", "EXTRA=", "--timeout", "3")
    assert "Updating environment eb-one's configuration settings." in printed
    assert CONFIGURED in printed
    printed = project.eb("printenv")
    assert "     MODE = from the cli\n" in printed
    assert "EXTRA" not in printed
    project.stage.ready(ONE)


def test_a_deployment_and_the_next_that_fails(project: Project) -> None:
    project.write("second")
    printed = project.eb("deploy", "--label", "eb-second", "--message", "by the CLI", "--timeout", "3")
    assert "New application version was deployed to running EC2 instances." in printed
    assert "Environment update completed successfully." in printed
    assert project.answers() == "release second"
    assert "Deployed Version: eb-second" in project.eb("status")
    project.write("third", hook="exit 3")
    printed = project.eb("deploy", "--label", "eb-third", "--timeout", "3", exits=4)
    assert "ERROR: ServiceError - Failed to deploy application." in printed
    status = project.eb("status")
    assert "Deployed Version: eb-second" in status
    assert "Health: Red" in status
    assert project.answers() == "release second"


def test_logs_at_the_terminal_and_as_files(project: Project) -> None:
    printed = project.eb("logs")
    (instance,) = instances(project)
    assert f"============= {instance} ==============" in printed
    assert "/var/log/eb-engine.log" in printed
    printed = project.eb("logs", "--all")
    (logs,) = (project.directory / ".elasticbeanstalk" / "logs").glob("*[0-9]")
    assert "Logs were saved to" in printed
    engine = logs / instance / "var" / "log" / "eb-engine.log"
    assert "Instance deployment completed successfully." in engine.read_text()


def test_the_configuration_is_shown_and_changed(project: Project) -> None:
    shown = project.eb("config", "--display", "--format", "json")
    document = json.loads(shown)
    assert document["settings"]["aws:elasticbeanstalk:command"]["Timeout"] == "600"
    assert "aws:cloudformation:template:parameter" not in document["settings"]
    change = json.dumps({"OptionSettings": {"aws:elasticbeanstalk:command": {"Timeout": "900"}}})
    assert CONFIGURED in project.eb("config", "--update", change, "--timeout", "3")
    project.stage.ready(ONE)
    assert '"Timeout": "900"' in project.eb("config", "--display", "--format", "json")
    wrong = json.dumps({"OptionSettings": {"aws:elasticbeanstalk:command": {"Timeout": "none"}}})
    printed = project.eb("config", "--update", wrong, exits=4)
    assert "ERROR: ServiceError - Configuration validation exception: Invalid option value: 'none'" in printed


def test_tags(project: Project) -> None:
    printed = project.eb("tags", "--add", "Stage=cli,Owner=me", "--delete", "Project")
    assert "Environment tag update completed successfully." in printed
    listed = project.eb("tags", "--list")
    assert re.search(r"Stage\s+cli", listed), listed
    assert re.search(r"Owner\s+me", listed), listed
    assert "Project" not in listed
    assert "reserved" in project.eb("tags", "--add", "elasticbeanstalk:mine=1", exits=4)
    assert "ERROR" in project.eb("tags", "--delete", "Project", exits=4)


def test_swapping_names(project: Project) -> None:
    printed = project.eb("swap", ONE, "--destination_name", TWO)
    assert f"Completed swapping CNAMEs for environments '{ONE}' and '{TWO}'." in printed
    assert f"CNAME: {TWO}.us-west-2.elasticbeanstalk.com" in project.eb("status")


def test_a_deployment_is_aborted(project: Project) -> None:
    printed = project.eb("abort", exits=4)
    assert "ERROR: NotFoundError - There are no environments currently being updated." in printed
    project.write("never", hook="sleep 300")
    project.eb("deploy", "--label", "eb-never", "--nohang")
    busy = project.eb("deploy", "--version", "eb-second", exits=4)
    assert "Must be Ready." in busy
    assert f'Aborting update to environment "{ONE}".' in project.eb("abort")
    assert project.stage.ready(ONE)["VersionLabel"] == "eb-second"
    assert project.answers() == "release second"


def test_scaling_puts_instances_behind_a_load_balancer(project: Project) -> None:
    assert CONFIGURED in project.eb("scale", "2", "--force", "--timeout", "5")
    project.stage.ready(ONE)
    assert len(instances(project)) == 2
    assert project.answers() == "release second"

    def both_report() -> bool:
        health = project.eb("health")
        return all(instance in health for instance in instances(project))

    project.stage.wait_for(both_report, "the health of both instances", 60)


def test_the_end_of_an_environment(project: Project) -> None:
    printed = project.eb("terminate", TWO, "--force", "--timeout", "3")
    assert "terminateEnvironment completed successfully." in printed
    assert project.eb("list").splitlines() == [f"* {ONE}"]
