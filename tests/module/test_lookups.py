# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

GROUP = "/aws/elasticbeanstalk/web/var/log/containers"


def test_a_secret_is_found_without_its_value(aws: Any) -> None:
    assert aws.run_module("secretsmanager_secret_info", {"name": "web/env"})["secrets"] == []
    made = aws.client("secretsmanager").create_secret(
        Name="web/env", SecretString="hush", Tags=[{"Key": "Project", "Value": "web"}]
    )
    aws.writes()
    found = aws.run_module("secretsmanager_secret_info", {"name": "web/env"})
    assert found["secrets"] == [{"arn": made["ARN"], "name": "web/env", "description": "", "tags": {"Project": "web"}}]
    assert "hush" not in json.dumps(found)
    assert "secretsmanager:GetSecretValue" not in aws.calls()
    aws.client("secretsmanager").delete_secret(SecretId="web/env")
    assert aws.run_module("secretsmanager_secret_info", {"name": "web/env"})["secrets"] == []


def test_credentials_go_into_a_file_of_their_own_and_nowhere_else(aws: Any, tmp_path: Path) -> None:
    directory = tmp_path / "docker"
    assert aws.run_module("ecr_docker_config", {"path": str(directory)}, check=True)["changed"]
    assert not directory.exists()
    result = aws.run_module("ecr_docker_config", {"path": str(directory)})
    auths = json.loads((directory / "config.json").read_text())["auths"]
    assert list(auths) == [result["registry"]]
    assert auths[result["registry"]]["auth"] not in json.dumps(result)
    assert stat.S_IMODE((directory / "config.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [file.name for file in directory.iterdir()] == ["config.json"]


def write(logs: Any, group: str, stream: str, *lines: str) -> None:
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.mark.parametrize(
    ("container", "text", "lines"),
    [
        ("worker", "rediss://", ["Connected to rediss://one", "Connected to rediss://two"]),
        ("worker", "nowhere", []),
        ("worker-beat", "rediss://", ["Connected to rediss://beat"]),
        ("web", "rediss://", []),
    ],
)
def test_lines_of_one_container_are_found(aws: Any, container: str, text: str, lines: list[str]) -> None:
    logs = aws.client("logs")
    write(logs, GROUP, "i-1/worker", "Connected to rediss://one", 'He said "no"', "Connected to rediss://two")
    write(logs, GROUP, "i-1/worker-beat", "Connected to rediss://beat")
    write(logs, "/aws/elasticbeanstalk/web2/x", "worker", "Connected to rediss://other")
    aws.writes()
    asked = {"environment_name": "web", "container": container, "containers": ["worker", "worker-beat"], "text": text}
    found = aws.run_module("eb_log_info", asked)
    assert "msg" not in found, found["msg"]
    assert [line["message"] for line in found["lines"]] == lines
    assert found["searched"] == [GROUP]
    assert aws.run_module("eb_log_info", {**asked, "limit": 1})["lines"] == found["lines"][-1:]
    assert set(aws.writes()) == {"logs:FilterLogEvents"}


def test_lines_of_before_are_not(aws: Any) -> None:
    logs, group = aws.client("logs"), "/aws/elasticbeanstalk/since/x"
    write(logs, group, "i-1/worker", "Connected to rediss://one")
    asked = {"environment_name": "since", "container": "worker", "text": "rediss://"}
    found = {
        hours: aws.run_module(
            "eb_log_info", {**asked, "since": (datetime.now(UTC) + timedelta(hours=hours)).isoformat()}
        )
        for hours in (-1, 1)
    }
    assert [line["message"] for line in found[-1]["lines"]] == ["Connected to rediss://one"]
    assert found[1]["lines"] == []


@pytest.mark.parametrize("since", ["yesterday", "2026-11-23T13:00:00"])
def test_a_moment_that_is_none_is_refused(aws: Any, since: str) -> None:
    asked = {"environment_name": "since", "container": "worker", "text": "any", "since": since}
    assert f"since is '{since}': give ISO 8601 with an offset" in aws.run_module("eb_log_info", asked)["msg"]
