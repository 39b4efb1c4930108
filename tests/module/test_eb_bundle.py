# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

SECRET = "hunter2-never-to-be-seen"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:antenna-AbCdEf:KEY::"


def parameters(dest: Path, **changes: Any) -> dict[str, Any]:
    return {
        "dest": str(dest),
        "version_label_prefix": "antenna-",
        "instance_types": ["t3.large"],
        "execution_role_arn": "arn:aws:iam::123456789012:role/execution",
        "containers": [
            {
                "name": "web",
                "image": "registry.example:5000/web:v1",
                "memory": 512,
                "environment": {"TOKEN": SECRET, "DEBUG": False, "WORKERS": 2, "UNSET": None},
                "secrets": {"KEY": ARN},
                "port_mappings": [{"host_port": 80, "container_port": 5000}],
                "links": ["cache:redis"],
                "depends_on": ["cache"],
            },
            {"name": "cache", "image": "memcached:1.6", "memory_reservation": 64},
        ],
        "option_settings": {
            "aws:elasticbeanstalk:cloudwatch:logs": {"StreamLogs": True, "RetentionInDays": 7},
            "aws:elasticbeanstalk:application:environment": {"PASSWORD": SECRET},
        },
        "files": [{"path": ".platform/hooks/postdeploy/01.sh", "content": "#!/bin/sh\n"}],
        "ebignore": ["*.log"],
        **changes,
    }


def test_check_run_check_run(run_module: Any, tmp_path: Path) -> None:
    dest = tmp_path / "build" / "deploy.zip"
    checked = run_module("eb_bundle", parameters(dest), check=True)
    assert checked["changed"]
    assert not dest.parent.exists()
    made = run_module("eb_bundle", parameters(dest))
    assert made["changed"]
    assert dest.stat().st_mode & 0o777 == 0o600
    for key in ("plan", "diff", "path", "sha256", "size", "version_label", "files"):
        assert checked[key] == made[key], key
    for check in (True, False):
        again = run_module("eb_bundle", parameters(dest), check=check)
        assert not again["changed"]
        assert again["plan"] == []
        assert again["sha256"] == made["sha256"]


def test_what_the_zip_holds(run_module: Any, tmp_path: Path) -> None:
    dest = tmp_path / "deploy.zip"
    made = run_module("eb_bundle", parameters(dest))
    with zipfile.ZipFile(dest) as bundle:
        assert bundle.namelist() == sorted(bundle.namelist()) == made["files"]
        modes = {info.filename: oct(info.external_attr >> 16 & 0o777) for info in bundle.infolist()}
        document = json.loads(bundle.read("Dockerrun.aws.json"))
        settings = json.loads(bundle.read(".ebextensions/00_setup.config"))["option_settings"]
        assert bundle.read(".ebignore") == b"*.log\n"
    assert modes[".platform/hooks/postdeploy/01.sh"] == "0o755"
    assert modes["Dockerrun.aws.json"] == "0o644"
    assert settings["aws:elasticbeanstalk:cloudwatch:logs"] == {"RetentionInDays": "7", "StreamLogs": "true"}
    assert document["AWSEBDockerrunVersion"] == 2
    web, cache = document["containerDefinitions"]
    assert web["environment"] == [
        {"name": "DEBUG", "value": "false"},
        {"name": "TOKEN", "value": SECRET},
        {"name": "WORKERS", "value": "2"},
    ]
    assert web["secrets"] == [{"name": "KEY", "valueFrom": ARN}]
    assert web["portMappings"] == [{"hostPort": 80, "containerPort": 5000, "protocol": "tcp"}]
    assert web["dependsOn"] == [{"containerName": "cache", "condition": "START"}]
    assert cache == {"name": "cache", "image": "memcached:1.6", "essential": True, "memoryReservation": 64}


def test_a_change_is_named_and_its_values_are_not_shown(run_module: Any, tmp_path: Path) -> None:
    dest = tmp_path / "deploy.zip"
    first = run_module("eb_bundle", parameters(dest))
    changed = parameters(dest)
    changed["containers"][0]["environment"]["TOKEN"] = f"{SECRET}-2"
    second = run_module("eb_bundle", changed)
    assert second["changed"]
    assert second["version_label"] != first["version_label"]
    assert second["plan"][0]["reason"] == "differs in Dockerrun.aws.json"
    assert "(hidden, changed)" in json.dumps(second["diff"]["after"])
    assert SECRET not in json.dumps([first, second])


def test_a_refusal_gives_every_reason_and_no_value(run_module: Any, tmp_path: Path) -> None:
    dest = tmp_path / "deploy.zip"
    wrong = parameters(
        dest, option_settings={"aws:elasticbeanstalk:environment:process:default": {"HealthCheckProtocol": "HTTP"}}
    )
    wrong["containers"][0].update(links=["database"], secrets={"KEY": SECRET})
    refused = run_module("eb_bundle", wrong)
    assert refused["failed"]
    assert "'HealthCheckProtocol' in aws:elasticbeanstalk:environment:process:default" in refused["msg"]
    assert "links to 'database'" in refused["msg"]
    assert len(refused["problems"]) == 3
    assert SECRET not in json.dumps(refused)
    assert not dest.exists()


def test_a_later_instance_type_that_is_too_small_is_a_warning(run_module: Any, tmp_path: Path) -> None:
    made = run_module("eb_bundle", parameters(tmp_path / "deploy.zip", instance_types=["t3.large", "t3.nano"]))
    assert made["changed"]
    assert any("'t3.nano'" in str(warning) for warning in made["warnings"])


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_what_is_no_bundle_is_not_replaced(run_module: Any, tmp_path: Path, content: bytes) -> None:
    dest = tmp_path / "notes.txt"
    dest.write_bytes(content)
    refused = run_module("eb_bundle", parameters(dest))
    assert refused["failed"]
    assert str(dest) in refused["msg"]
    assert dest.read_bytes() == content
