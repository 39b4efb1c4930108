# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

MODULE = "eb_version"


@pytest.fixture
def version(run_module: Any, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Parameters of a version of an application of the test's own."""
    containers = [{"name": "web", "image": "web:v1", "memory": 64}]
    made = run_module("eb_bundle", {"dest": str(tmp_path / "deploy.zip"), "containers": containers})
    application = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")
    return {
        "application_name": application,
        "version_label": made["version_label"],
        "source_bundle": made["path"],
        "tags": {"Project": "antenna", "Release": "v1"},
        "application_tags": {"Project": "antenna"},
    }


@pytest.mark.parametrize("process", [True, False])
def test_create_check_run_check_run(beanstalk: Any, version: dict[str, Any], process: bool) -> None:
    wanted = {**version, "process": process}
    checked = beanstalk.run_module(MODULE, wanted, check=True)
    assert checked["changed"], checked
    assert beanstalk.writes() == []
    created = beanstalk.run_module(MODULE, wanted)
    assert created["changed"], created
    assert [call.split(" ")[0] for call in beanstalk.writes()] == [
        "elasticbeanstalk:CreateApplication",
        "elasticbeanstalk:CreateStorageLocation",
        "s3:Put",
        "elasticbeanstalk:CreateApplicationVersion",
    ]
    assert created["plan"] == checked["plan"]
    assert created["application_version"] == {
        **checked["application_version"],
        "arn": created["application_version"]["arn"],
    }
    assert created["application_version"]["status"] == ("PROCESSED" if process else "UNPROCESSED")
    assert created["s3_bucket"] == "elasticbeanstalk-eu-central-1-123456789012"
    assert created["s3_key"] == f"{version['application_name']}/{version['version_label']}.zip"
    for check in (True, False):
        again = beanstalk.run_module(MODULE, wanted, check=check)
        assert not again["changed"], again["plan"]
        assert again["application_version"] == created["application_version"]
    assert beanstalk.writes() == []
    client = beanstalk.client("elasticbeanstalk")
    (application,) = client.describe_applications(ApplicationNames=[version["application_name"]])["Applications"]
    borne = client.list_tags_for_resource(ResourceArn=application["ApplicationArn"])["ResourceTags"]
    assert borne == [{"Key": "Project", "Value": "antenna"}]
    head = beanstalk.client("s3").head_object(Bucket=created["s3_bucket"], Key=created["s3_key"])
    assert head["Metadata"]["sha256"] == created["application_version"]["sha256"]


def test_its_bundle_is_looked_into_without_values(
    beanstalk: Any, version: dict[str, Any], run_module: Any, tmp_path: Path
) -> None:
    application = {"application_name": version["application_name"]}
    absent = beanstalk.run_module("eb_bundle_info", {**application, "version_label": "none"})
    assert (absent["changed"], absent["bundles"]) == (False, [])
    made = run_module(
        "eb_bundle",
        {
            "dest": str(tmp_path / "whole.zip"),
            "containers": [
                {
                    "name": "web",
                    "image": "web:v1",
                    "memory": 64,
                    "entry_point": ["/entrypoint"],
                    "environment": {"TOKEN": "hush"},
                    "port_mappings": [{"host_port": 80, "container_port": 5000}],
                    "mount_points": [{"source_volume": "all", "container_path": "/all"}],
                }
            ],
            "volumes": [{"name": "all", "source_path": "/var/app/current"}],
            "option_settings": {"aws:elasticbeanstalk:application:environment": {"KEY": "hush"}},
            "files": [{"path": "hello.txt", "content": "hello"}],
        },
    )
    label = {"version_label": made["version_label"]}
    beanstalk.run_module(MODULE, {**application, **label, "source_bundle": made["path"]})
    beanstalk.writes()
    found = beanstalk.run_module("eb_bundle_info", {**application, **label})
    assert beanstalk.writes() == [] and "hush" not in str(found)
    (bundle,) = found["bundles"]
    assert bundle["sha256"] == made["sha256"]
    assert bundle["s3_key"] == f"{version['application_name']}/{made['version_label']}.zip"
    assert bundle["containers"] == [
        {
            "name": "web",
            "image": "web:v1",
            "essential": True,
            "memory": 64,
            "entry_point": ["/entrypoint"],
            "environment": [{"name": "TOKEN", "value": "(hidden)"}],
            "port_mappings": [{"host_port": 80, "container_port": 5000, "protocol": "tcp"}],
            "mount_points": [{"source_volume": "all", "container_path": "/all", "read_only": False}],
        }
    ]
    assert bundle["volumes"] == [{"name": "all", "host": {"source_path": "/var/app/current"}}]
    assert bundle["files"]["hello.txt"] == hashlib.sha256(b"hello").hexdigest()
    assert sorted(bundle["files"]) == sorted(made["files"])


def test_what_lies_there_may_be_no_bundle(beanstalk: Any, version: dict[str, Any]) -> None:
    made = beanstalk.run_module(MODULE, version)
    beanstalk.client("s3").put_object(Bucket=made["s3_bucket"], Key=made["s3_key"], Body=b"another")
    names = {name: version[name] for name in ("application_name", "version_label")}
    refused = beanstalk.run_module("eb_bundle_info", names)
    assert refused["failed"]
    assert f"s3://{made['s3_bucket']}/{made['s3_key']} is no bundle: File is not a zip file." in refused["msg"]


def test_change_and_delete(beanstalk: Any, version: dict[str, Any]) -> None:
    beanstalk.run_module(MODULE, version)
    changed = {**version, "description": "what is new", "tags": {"Stage": "test"}}
    done = beanstalk.run_module(MODULE, changed)
    assert [step["op"] for step in done["plan"]] == ["describe version", "tag version"]
    assert done["application_version"]["tags"] == {"Stage": "test"}
    assert not beanstalk.run_module(MODULE, changed)["changed"]
    gone = {"application_name": version["application_name"], "state": "absent"}
    for absent in ({**gone, "version_label": version["version_label"]}, gone):
        assert beanstalk.run_module(MODULE, absent, check=True)["changed"]
        assert beanstalk.run_module(MODULE, absent)["changed"]
        assert not beanstalk.run_module(MODULE, absent, check=True)["changed"]
        assert not beanstalk.run_module(MODULE, absent)["changed"]


def test_a_label_keeps_its_content(beanstalk: Any, version: dict[str, Any]) -> None:
    beanstalk.run_module(MODULE, version)
    Path(version["source_bundle"]).write_bytes(b"another")
    refused = beanstalk.run_module(MODULE, version)
    assert refused["failed"]
    assert "exists with another bundle" in refused["msg"]


def test_a_bundle_that_is_not_there(beanstalk: Any, version: dict[str, Any]) -> None:
    refused = beanstalk.run_module(MODULE, {**version, "source_bundle": "/nowhere.zip"}, check=True)
    assert refused["msg"].startswith("Could not read the source_bundle '/nowhere.zip'")
    assert beanstalk.calls() == []


def test_a_bundle_that_cannot_be_processed(beanstalk: Any, version: dict[str, Any], run_module: Any) -> None:
    broken = run_module(
        "eb_bundle",
        {
            "dest": version["source_bundle"],
            "containers": [{"name": "web", "image": "web:v1", "memory": 64}],
            "files": [{"path": ".ebextensions/01_broken.config", "content": "option_settings: [not: closed"}],
        },
    )
    wanted = {**version, "version_label": broken["version_label"], "process": True}
    for expected in ("The service could not process version", "could not be processed by the service"):
        refused = beanstalk.run_module(MODULE, wanted)
        assert refused["failed"]
        assert expected in refused["msg"]
    assert beanstalk.run_module(MODULE, {**wanted, "state": "absent"})["changed"]


def test_a_check_does_without_the_file_of_a_bundle_whose_hash_is_known(
    beanstalk: Any, version: dict[str, Any], tmp_path: Path
) -> None:
    made = hashlib.sha256(Path(version["source_bundle"]).read_bytes()).hexdigest()
    wanted = {**version, "source_bundle_sha256": made}
    beanstalk.run_module(MODULE, wanted)
    elsewhere = {**wanted, "source_bundle": str(tmp_path / "not-built-here.zip")}
    assert not beanstalk.run_module(MODULE, elsewhere, check=True)["changed"]
    assert "not-built-here.zip" in beanstalk.run_module(MODULE, elsewhere)["msg"]


def test_another_bundle_than_the_one_of_the_hash_is_refused(beanstalk: Any, version: dict[str, Any]) -> None:
    refused = beanstalk.run_module(MODULE, {**version, "source_bundle_sha256": "0" * 64})
    assert refused["failed"] and f"not {'0' * 64}. Build it again." in refused["msg"]
    assert beanstalk.writes() == []
