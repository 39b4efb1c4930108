# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS CLI against the rehearsal cloud, as a person would use it around a deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAME, APPLICATION = "cli-one", "cli"

Aws = Callable[..., Any]


@pytest.fixture(scope="module")
def aws(localcloud: Any) -> Aws:
    """Runs the CLI; what it prints as JSON, else as text, or its error when it has to fail."""
    program = Path(sys.executable).with_name("aws")
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": localcloud.endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_PAGER": "",
    }

    def run(*words: str, fails: bool = False) -> Any:
        result = subprocess.run(
            [str(program), *words], env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        if fails:
            # Version 1 says 255 where version 2 says 254.
            assert result.returncode in (254, 255), result.stdout + result.stderr
            return result.stderr.strip()
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout) if result.stdout.startswith("{") else result.stdout

    return run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    (root / "assets").mkdir()
    for name in ("index.html", "assets/app.js", "assets/app.css"):
        (root / name).write_text(f"this is {name}\n")
    return root


@pytest.fixture(scope="module")
def environment(aws: Aws, stage: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """From a bundle on disk to an environment that is Ready, with the CLI's own waiters."""
    bundle = tmp_path_factory.mktemp("bundle") / "Dockerrun.aws.json"
    web = stage.container("web", portMappings=[{"hostPort": 80, "containerPort": 8000}])
    bundle.write_text(json.dumps({"AWSEBDockerrunVersion": 2, "containerDefinitions": [web]}))
    bucket = aws("elasticbeanstalk", "create-storage-location")["S3Bucket"]
    archive = bundle.with_name("cli.zip")
    subprocess.run([sys.executable, "-m", "zipfile", "-c", str(archive), str(bundle)], check=True)
    aws("s3", "cp", str(archive), f"s3://{bucket}/cli/v1.zip")
    aws(
        *("elasticbeanstalk", "create-application-version", "--application-name", APPLICATION, "--version-label", "v1"),
        *("--source-bundle", f"S3Bucket={bucket},S3Key=cli/v1.zip", "--auto-create-application"),
    )
    settings = [
        "Namespace=aws:elasticbeanstalk:environment,OptionName=EnvironmentType,Value=SingleInstance",
        "Namespace=aws:autoscaling:launchconfiguration,OptionName=IamInstanceProfile,Value=hello",
        "Namespace=aws:elasticbeanstalk:application:environment,OptionName=MODE,Value=cli",
    ]
    made = aws(
        *("elasticbeanstalk", "create-environment", "--application-name", APPLICATION, "--environment-name", NAME),
        *("--version-label", "v1", "--platform-arn", stage.platform_arn(), "--option-settings", *settings),
    )
    assert made["Status"] == "Launching"
    # The CLI's waiters look every 20 s: they are called when their first look finds what they wait for.
    stage.ready(NAME)
    aws("elasticbeanstalk", "wait", "environment-exists", "--environment-names", NAME)
    yield aws("elasticbeanstalk", "describe-environments", "--environment-names", NAME)["Environments"][0]
    aws("elasticbeanstalk", "terminate-environment", "--environment-name", NAME)
    living = {"EnvironmentNames": [NAME], "IncludeDeleted": False}
    stage.wait_for(lambda: not stage.eb.describe_environments(**living)["Environments"], "the environment's end")
    aws("elasticbeanstalk", "wait", "environment-terminated", "--environment-names", NAME)


def test_an_environment_from_the_command_line(environment: dict[str, Any], stage: Any) -> None:
    assert (environment["Status"], environment["VersionLabel"], environment["Health"]) == ("Ready", "v1", "Green")
    assert stage.get(f"http://{environment['EndpointURL']}/env/MODE") == "cli\n"


def test_events_as_a_table_of_text(aws: Aws, environment: dict[str, Any]) -> None:
    query = "Events[].[Severity,Message]"
    words = ("elasticbeanstalk", "describe-events", "--environment-name", NAME, "--query", query, "--output", "text")
    lines = aws(*words, "--max-items", "100").splitlines()
    assert f"INFO\tSuccessfully launched environment: {NAME}" in lines
    assert lines.index("INFO\tcreateEnvironment is starting.") > lines.index(
        f"INFO\tSuccessfully launched environment: {NAME}"
    )


def test_an_update_awaited(aws: Aws, environment: dict[str, Any], stage: Any) -> None:
    option = "Namespace=aws:elasticbeanstalk:application:environment,OptionName=MODE,Value=updated"
    aws("elasticbeanstalk", "update-environment", "--environment-name", NAME, "--option-settings", option)
    stage.ready(NAME)
    aws("elasticbeanstalk", "wait", "environment-updated", "--environment-names", NAME)
    assert stage.get(f"http://{environment['EndpointURL']}/env/MODE") == "updated\n"


def test_errors_are_the_services_own(aws: Aws, environment: dict[str, Any]) -> None:
    option = "Namespace=aws:nothing,OptionName=Some,Value=1"
    update = ("elasticbeanstalk", "update-environment", "--environment-name")
    assert aws(*update, "nobody-here", fails=True) == (
        "An error occurred (InvalidParameterValue) when calling the UpdateEnvironment operation: No Environment found "
        "for EnvironmentName = 'nobody-here'."
    )
    assert aws(*update, NAME, "--option-settings", option, fails=True) == (
        "An error occurred (ConfigurationValidationException) when calling the UpdateEnvironment operation: "
        "Configuration validation exception: Invalid option specification (Namespace: 'aws:nothing', OptionName: "
        "'Some'): Unknown configuration setting."
    )
    compose = ("elasticbeanstalk", "compose-environments", "--application-name", APPLICATION)
    assert "An error occurred (InvalidAction)" in aws(*compose, fails=True)


def test_a_site_is_synchronised(aws: Aws, localcloud: Any, site: Path) -> None:
    aws("s3", "mb", "s3://cli-site")
    sync = ("s3", "sync", str(site), "s3://cli-site", "--delete", "--no-progress", "--cache-control", "max-age=60")
    first = aws(*sync)
    assert sorted(line.rpartition(" to ")[2] for line in first.splitlines()) == [
        "s3://cli-site/assets/app.css",
        "s3://cli-site/assets/app.js",
        "s3://cli-site/index.html",
    ]
    assert aws(*sync) == ""
    (site / "index.html").write_text("this is another page\n")
    (site / "assets" / "app.css").unlink()
    changes = aws(*sync).splitlines()
    assert sorted(change.split(":")[0] for change in changes) == ["delete", "upload"]
    head = localcloud.client("s3").head_object(Bucket="cli-site", Key="index.html")
    assert (head["CacheControl"], head["ContentType"]) == ("max-age=60", "text/html")


def test_docker_logs_in_with_the_password_of_ecr(aws: Aws, localcloud: Any, tmp_path: Path) -> None:
    password = aws("ecr", "get-login-password")
    login = ["docker", "--config", str(tmp_path), "login", "--username", "AWS", "--password-stdin", localcloud.registry]
    result = subprocess.run(login, input=password, capture_output=True, text=True, timeout=60, check=False)
    assert "Login Succeeded" in result.stdout, result.stderr
    wrong = subprocess.run(login, input="wrong", capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode != 0


def test_a_distribution_and_its_invalidation_are_awaited(aws: Aws, localcloud: Any, site: Path) -> None:
    made = aws(
        *("cloudfront", "create-distribution", "--origin-domain-name", "cli-site.s3.us-west-2.amazonaws.com"),
        *("--default-root-object", "index.html"),
    )["Distribution"]
    assert made["Status"] == "InProgress"
    localcloud.advance(600)
    aws("cloudfront", "wait", "distribution-deployed", "--id", made["Id"])
    invalidate = ("cloudfront", "create-invalidation", "--distribution-id", made["Id"], "--paths", "/index.html")
    invalidation = aws(*invalidate)["Invalidation"]
    assert invalidation["Status"] == "InProgress"
    localcloud.advance(600)
    which = ("--distribution-id", made["Id"], "--id", invalidation["Id"])
    aws("cloudfront", "wait", "invalidation-completed", *which)
    assert aws("cloudfront", "get-invalidation", *which)["Invalidation"]["Status"] == "Completed"
