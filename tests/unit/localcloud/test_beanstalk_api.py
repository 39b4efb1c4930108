# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's API in one process with boto3, on a clock that is moved, without what runs containers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud.clock import DeadlineExceeded, MovableClock, SystemClock, wait_until
from localcloud.elasticbeanstalk import service
from localcloud.elasticbeanstalk.models import Beanstalk
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.responses import Services
from localcloud.elasticbeanstalk.retention import Quotas
from localcloud.elasticbeanstalk.updates import Change
from localcloud.latency import Latency
from localcloud.names import Names

REGION = "us-west-2"
ROLE = "arn:aws:iam::123456789012:role/aws-elasticbeanstalk-service-role"
# botocore looks at lengths itself; what the service says is what counts here.
UNCHECKED = Config(parameter_validation=False)
SINGLE = {"Namespace": "aws:elasticbeanstalk:environment", "OptionName": "EnvironmentType", "Value": "SingleInstance"}


class Instance:
    """An instance that has logs and nothing else."""

    def __init__(self, identifier: str) -> None:
        self.id = identifier

    def log_files(self) -> dict[str, list[str]]:
        return {"eb-engine.log": [f"line {number}" for number in range(150)], "containers/web.log": ["hello"]}


@dataclass
class StubLifecycle:
    """Does at once what takes time, and keeps what it was told of updates."""

    changes: list[Change] = field(default_factory=list)
    hold: bool = False

    def add(self, service: Beanstalk) -> None:
        pass

    def create(self, operation: Operation, service: Beanstalk) -> None:
        environment: Any = operation.environment
        environment.endpoint_url = "127.0.0.1:20000"
        environment.instances = [Instance("i-1"), Instance("i-2")]
        self._finish(operation)

    def update(self, operation: Operation, service: Beanstalk, change: Change) -> None:
        self.changes.append(change)
        operation.environment.direct = dict(change.direct)
        operation.environment.version_label = change.version_label or operation.environment.version_label
        self._finish(operation)

    def restart(self, operation: Operation, service: Beanstalk) -> None:
        self._finish(operation)

    def rebuild(self, operation: Operation, service: Beanstalk) -> None:
        self._finish(operation)

    def tags_changed(self, operation: Operation, service: Beanstalk) -> None:
        self._finish(operation)

    def terminate(self, operation: Operation, service: Beanstalk) -> None:
        operation.environment.terminated = service.clock.now()
        operation.environment.status = "Terminated"

    def _finish(self, operation: Operation) -> None:
        if not self.hold:
            operation.environment.status = "Ready"


class Stage:
    """The API with what tests put into it."""

    def __init__(self, eb: Any, s3: Any) -> None:
        self.eb, self.s3 = eb, s3
        self.clock, self.lifecycle, self.latency = MovableClock(), StubLifecycle(), Latency()
        cloud: Any = SimpleNamespace(
            clock=self.clock, latency=self.latency, endpoint="http://127.0.0.1:1", names=Names()
        )
        self.services = Services(cloud, self.lifecycle)  # type: ignore[arg-type]
        service._hook(self.services)
        self.bucket = self.eb.create_storage_location()["S3Bucket"]

    def upload(self, key: str, **files: str) -> dict[str, str]:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            for name, text in (files or {"Dockerrun.aws.json": "{}"}).items():
                opened.writestr(name, text)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=archive.getvalue())
        return {"S3Bucket": self.bucket, "S3Key": key}

    def version(self, label: str, application: str = "app", **members: Any) -> dict[str, Any]:
        source = members.pop("SourceBundle", None) or self.upload(f"{application}/{label}.zip")
        reply = self.eb.create_application_version(
            ApplicationName=application, VersionLabel=label, SourceBundle=source, AutoCreateApplication=True, **members
        )
        return dict(reply["ApplicationVersion"])

    def labels(self, **filters: Any) -> list[str]:
        found = self.eb.describe_application_versions(**filters)["ApplicationVersions"]
        return [item["VersionLabel"] for item in found]

    def environment(self, name: str, label: str = "v1", **members: Any) -> dict[str, Any]:
        platform = "64bit Amazon Linux 2023 v4.2.0 running ECS"
        settings = [SINGLE, *members.pop("OptionSettings", [])]
        return dict(
            self.eb.create_environment(
                ApplicationName="app",
                EnvironmentName=name,
                VersionLabel=label,
                SolutionStackName=platform,
                OptionSettings=settings,
                **members,
            )
        )

    def names(self, **filters: Any) -> list[str]:
        return [item["EnvironmentName"] for item in self.eb.describe_environments(**filters)["Environments"]]

    def events(self, **filters: Any) -> list[str]:
        return [item["Message"] for item in self.eb.describe_events(**filters)["Events"]]

    def object_keys(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [item["Key"] for item in found]


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[Any, Any]]:
    with mock_aws():
        yield boto3.client("elasticbeanstalk", region_name=REGION), boto3.client("s3", region_name=REGION)


@pytest.fixture
def stage(clients: tuple[Any, Any]) -> Iterator[Stage]:
    """A service that is new, in a region whose storage location is empty."""
    made = Stage(*clients)
    yield made
    for key in made.object_keys():
        made.s3.delete_object(Bucket=made.bucket, Key=key)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def soon(goal: Callable[[], bool], what: str) -> None:
    """What another thread does."""
    wait_until(goal, what, 5, MovableClock(), poll=0.01)


# -- applications and versions ----------------------------------------------------------------------------------------


def test_an_application_is_created_once_with_its_events(stage: Stage) -> None:
    created = stage.eb.create_application(ApplicationName="app", Description="of the test")["Application"]
    assert created["ApplicationArn"] == f"arn:aws:elasticbeanstalk:{REGION}:123456789012:application/app"
    assert stage.events(ApplicationName="app") == [
        "createApplication completed successfully.",
        "Created new Application: app",
        "createApplication is starting.",
    ]
    code, message = refusal(stage.eb.create_application, ApplicationName="app")
    assert (code, message) == ("InvalidParameterValue", "Application app already exists.")


def test_a_version_exists_once(stage: Stage) -> None:
    assert stage.version("v1")["Status"] == "UNPROCESSED"
    code, message = refusal(stage.version, label="v1")
    assert (code, message) == ("InvalidParameterValue", "Application Version v1 already exists.")


def test_processing_takes_its_time(stage: Stage) -> None:
    stage.latency.set({"elasticbeanstalk.version": 30})
    assert stage.version("v1", Process=True)["Status"] == "PROCESSING"
    assert refusal(stage.environment, name="env-one")[0] == "InvalidParameterValue"

    def status() -> str:
        return str(stage.eb.describe_application_versions()["ApplicationVersions"][0]["Status"])

    assert status() == "PROCESSING"
    stage.clock.advance(31)
    soon(lambda: status() == "PROCESSED", "the processed version")
    assert stage.events(VersionLabel="v1")[0] == "Finished processing application version v1: PROCESSED."


@pytest.mark.parametrize("size", [0, 524288001])
def test_bundles_that_are_empty_or_too_large_are_refused(
    stage: Stage, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stage.upload("app/some.zip")
    monkeypatch.setattr("moto.s3.models.FakeKey.size", size)
    code, message = refusal(stage.version, label="v1", SourceBundle=source)
    assert code == "InvalidParameterValue"
    assert message == "Source bundle is empty or exceeds maximum allowed size: 524288000"


def test_a_bundle_must_be_in_the_region(stage: Stage) -> None:
    elsewhere: Any = boto3.client("s3", region_name="eu-central-1")
    elsewhere.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    elsewhere.put_object(Bucket="elsewhere", Key="some.zip", Body=b"PK")
    source = {"S3Bucket": "elsewhere", "S3Key": "some.zip"}
    assert refusal(stage.version, label="v1", SourceBundle=source)[0] == "S3LocationNotInServiceRegionException"
    missing = {"S3Bucket": stage.bucket, "S3Key": "lost.zip"}
    message = refusal(stage.version, label="v1", SourceBundle=missing)[1]
    assert message == f"Unable to download from S3 location (Bucket: {stage.bucket}  Key: lost.zip). Reason: Not Found"


def test_lengths_are_the_models(stage: Stage) -> None:
    code, message = refusal(stage.version, label="v" * 101)
    assert code == "ValidationError"
    assert message.endswith(
        "at 'versionLabel' failed to satisfy constraint: Member must have length less than or equal to 100"
    )
    code, message = refusal(stage.version, label="v1", Description="d" * 201)
    assert (code, message[-34:]) == ("ValidationError", "have length less than or equal to 200"[-34:])


def test_quotas_hold_across_applications_and_are_told(stage: Stage) -> None:
    stage.services.quotas = replace(Quotas(), versions=2, applications=2, environments=1)
    stage.version("v1")
    stage.version("v1", application="other")
    code, message = refusal(stage.version, label="v2")
    assert code == "TooManyApplicationVersionsException"
    assert message == (
        "You cannot have more than 2 Application Versions. Either remove some Application Versions or request a limit "
        "increase."
    )
    assert refusal(stage.eb.create_application, ApplicationName="third")[0] == "TooManyApplicationsException"
    stage.environment("env-one")
    assert refusal(stage.environment, name="env-two")[0] == "TooManyEnvironmentsException"
    quotas = stage.eb.describe_account_attributes()["ResourceQuotas"]
    assert quotas["ApplicationVersionQuota"] == {"Maximum": 2}


def test_the_lifecycle_policy_runs_after_a_version_was_created(stage: Stage) -> None:
    stage.eb.create_application(ApplicationName="app")
    rule = {"Enabled": True, "MaxCount": 2, "DeleteSourceFromS3": True}
    lifecycle = {"ServiceRole": ROLE, "VersionLifecycleConfig": {"MaxCountRule": rule}}
    stage.eb.update_application_resource_lifecycle(ApplicationName="app", ResourceLifecycleConfig=lifecycle)
    for number in range(1, 5):
        stage.version(f"v{number}")
        stage.clock.advance(1)
    stage.environment("env-one", "v2")
    assert stage.labels(ApplicationName="app") == ["v4", "v3", "v2"]
    assert stage.object_keys() == ["app/v2.zip", "app/v3.zip", "app/v4.zip"]
    assert refusal(stage.version, label="v4")[1] == "Application Version v4 already exists."
    assert stage.labels(ApplicationName="app") == ["v4", "v3", "v2"], "a failed creation runs no policy"
    stage.version("v5")
    assert stage.labels(ApplicationName="app") == ["v5", "v4", "v3", "v2"], "v2 is in use"
    stage.eb.terminate_environment(EnvironmentName="env-one")
    stage.clock.advance(timedelta(weeks=9).total_seconds())
    stage.version("v6")
    assert "v2" in stage.labels(ApplicationName="app"), "its environment ended less than ten weeks ago"
    stage.clock.advance(timedelta(weeks=1, days=1).total_seconds())
    stage.version("v7")
    assert stage.labels(ApplicationName="app") == ["v7", "v6", "v5"]


def test_a_policy_that_makes_no_sense_is_refused(stage: Stage) -> None:
    stage.eb.create_application(ApplicationName="app")
    lifecycle = {"VersionLifecycleConfig": {"MaxCountRule": {"Enabled": True, "MaxCount": 2}}}
    update = stage.eb.update_application_resource_lifecycle
    assert refusal(update, ApplicationName="app", ResourceLifecycleConfig=lifecycle)[0] == "InvalidParameterValue"
    found = stage.eb.describe_applications()["Applications"][0]["ResourceLifecycleConfig"]
    assert found["VersionLifecycleConfig"]["MaxCountRule"]["Enabled"] is False


def test_a_version_in_use_stays(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    code, message = refusal(stage.eb.delete_application_version, ApplicationName="app", VersionLabel="v1")
    assert (code, message) == (
        "InvalidParameterValue",
        "Application version 'v1' is deployed to environment 'env-one'.",
    )
    assert stage.labels() == ["v1"]


def test_a_version_goes_even_when_its_bundle_cannot(stage: Stage) -> None:
    stage.version("v1")
    stage.version("v2")
    stage.eb.delete_application_version(ApplicationName="app", VersionLabel="v1", DeleteSourceBundle=True)
    assert stage.object_keys() == ["app/v2.zip"]
    stage.s3.delete_object(Bucket=stage.bucket, Key="app/v2.zip")
    delete = stage.eb.delete_application_version
    arguments = {"ApplicationName": "app", "VersionLabel": "v2", "DeleteSourceBundle": True}
    assert refusal(delete, **arguments)[0] == "SourceBundleDeletionFailure"
    assert stage.labels() == []
    assert refusal(delete, **arguments) == ("InvalidParameterValue", "No Application Version named 'v2' found.")


def test_an_application_goes_with_its_environments_or_not_at_all(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    assert refusal(stage.eb.delete_application, ApplicationName="app")[0] == "OperationInProgressFailure"
    stage.eb.delete_application(ApplicationName="app", TerminateEnvByForce=True)
    soon(lambda: not stage.eb.describe_applications()["Applications"], "the end of the application")
    soon(
        lambda: stage.events(ApplicationName="app")[0] == "The application has been deleted successfully.", "the event"
    )
    assert stage.names(IncludeDeleted=False) == []


# -- lists ------------------------------------------------------------------------------------------------------------


def test_versions_come_newest_first_in_pages(stage: Stage) -> None:
    for number in range(5):
        stage.version(f"v{number}")
        stage.clock.advance(1)
    pages = stage.eb.get_paginator("describe_application_versions").paginate(
        ApplicationName="app", PaginationConfig={"PageSize": 2}
    )
    sizes = [[item["VersionLabel"] for item in page["ApplicationVersions"]] for page in pages]
    assert sizes == [["v4", "v3"], ["v2", "v1"], ["v0"]]
    first = stage.eb.describe_application_versions(ApplicationName="app", MaxRecords=2)
    code, _ = refusal(stage.eb.describe_environments, NextToken=first["NextToken"])
    assert code == "InvalidParameterValue"


def test_lists_show_what_is_new_after_a_while_only(stage: Stage) -> None:
    stage.latency.set({"elasticbeanstalk.consistency": 5})
    stage.version("v1")
    stage.environment("env-one")
    assert (stage.labels(), stage.names()) == ([], [])
    assert refusal(stage.environment, name="env-one")[1] == "Environment env-one already exists."
    stage.clock.advance(6)
    assert (stage.labels(), stage.names()) == (["v1"], ["env-one"])


def test_environments_by_every_filter(stage: Stage) -> None:
    stage.version("v1")
    stage.version("v2")
    one, two = stage.environment("env-one"), stage.environment("env-two", "v2")
    assert stage.names(ApplicationName="app") == ["env-one", "env-two"]
    assert stage.names(ApplicationName="other") == []
    assert stage.names(VersionLabel="v2") == ["env-two"]
    assert stage.names(EnvironmentIds=[one["EnvironmentId"]]) == ["env-one"]
    assert stage.names(EnvironmentNames=["env-two", "nobody"]) == ["env-two"]
    assert stage.names(EnvironmentNames=["env-two"], EnvironmentIds=[one["EnvironmentId"]]) == []
    assert (two["Status"], two["Health"]) == ("Launching", "Grey")


def test_terminated_environments_are_seen_for_an_hour_or_as_far_back_as_asked(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    began = stage.clock.now()
    stage.eb.terminate_environment(EnvironmentName="env-one")
    assert stage.names() == ["env-one"]
    assert stage.names(IncludeDeleted=False) == []
    stage.environment("env-one")
    assert stage.names() == ["env-one", "env-one"]
    stage.clock.advance(3601)
    assert stage.names() == ["env-one"]
    assert stage.names(IncludeDeleted=True, IncludedDeletedBackTo=began) == ["env-one", "env-one"]
    assert stage.names(IncludeDeleted=True, IncludedDeletedBackTo=stage.clock.now()) == ["env-one"]


def test_events_newest_first_from_a_start_to_before_an_end(stage: Stage) -> None:
    for label in ("v1", "v2", "v3"):
        stage.version(label)
        stage.clock.advance(60)
    everything = stage.eb.describe_events(ApplicationName="app")["Events"]
    assert [item["EventDate"] for item in everything] == sorted((e["EventDate"] for e in everything), reverse=True)
    (first,) = [e for e in everything if e["Message"] == "Created new Application Version: v2"]
    (last,) = [e for e in everything if e["Message"] == "Created new Application Version: v3"]
    between = stage.eb.describe_events(StartTime=first["EventDate"], EndTime=last["EventDate"])["Events"]
    assert between[-1]["Message"] == "Created new Application Version: v2"
    assert "Created new Application Version: v3" not in [item["Message"] for item in between]
    assert stage.events(RequestId=first["RequestId"]) == [
        "createApplicationVersion completed successfully.",
        "Created new Application Version: v2",
        "createApplicationVersion is starting.",
    ]
    assert stage.events(Severity="WARN") == []
    assert stage.events(VersionLabel="v9") == []
    assert stage.events(TemplateName="any") == []
    pages = list(stage.eb.get_paginator("describe_events").paginate(PaginationConfig={"PageSize": 5}))
    assert [item for page in pages for item in page["Events"]] == everything


# -- environments -----------------------------------------------------------------------------------------------------


def test_names_of_environments(stage: Stage) -> None:
    stage.version("v1")
    assert refusal(stage.environment, name="x" * 41)[0] == "ValidationError"
    assert refusal(stage.environment, name="-env-one") == (
        "InvalidParameterValue",
        "Value -env-one at 'EnvironmentName' failed to satisfy constraint: Member must contain only letters, digits, "
        "and the dash character and may not start or end with a dash",
    )
    stage.environment("env-one", CNAMEPrefix="taken")
    assert refusal(stage.environment, name="env-one")[1] == "Environment env-one already exists."
    assert refusal(stage.environment, name="env-two", CNAMEPrefix="TAKEN")[1] == (
        "DNS name (taken.us-west-2.elasticbeanstalk.com) is not available."
    )
    available = stage.eb.check_dns_availability(CNAMEPrefix="taken")
    assert (available["Available"], available["FullyQualifiedCNAME"]) == (False, "taken.us-west-2.elasticbeanstalk.com")
    assert refusal(stage.environment, name="env-two", label="v9")[1] == "No Application Version named 'v9' found."


def test_load_balanced_environments_are_taken(stage: Stage) -> None:
    stage.version("v1")
    balanced = {**SINGLE, "Value": "LoadBalanced"}
    application = {**SINGLE, "OptionName": "LoadBalancerType", "Value": "application"}
    stage.environment("env-one", OptionSettings=[balanced, application])
    classic = {**application, "Value": "classic"}
    assert refusal(stage.eb.update_environment, EnvironmentName="env-one", OptionSettings=[classic]) == (
        "ConfigurationValidationException",
        "Configuration validation exception: LoadBalancer type option cannot be changed.",
    )


def test_removing_an_option_shows_the_bundles_again(stage: Stage) -> None:
    command = "aws:elasticbeanstalk:command"
    extension = json.dumps({"option_settings": {command: {"Timeout": "900"}}})
    first = json.dumps({"option_settings": {command: {"Timeout": "800", "BatchSize": "50"}}})
    files = {".ebextensions/02.config": extension, ".ebextensions/01.config": first, "Dockerrun.aws.json": "{}"}
    stage.version("v1", SourceBundle=stage.upload("app/v1.zip", **files))
    timeout = {"Namespace": command, "OptionName": "Timeout"}
    stage.environment("env-one", OptionSettings=[{**timeout, "Value": "1200"}])

    def values() -> dict[str, str]:
        (found,) = stage.eb.describe_configuration_settings(ApplicationName="app", EnvironmentName="env-one")[
            "ConfigurationSettings"
        ]
        return {
            item["OptionName"]: item.get("Value") for item in found["OptionSettings"] if item["Namespace"] == command
        }

    assert (values()["Timeout"], values()["BatchSize"]) == ("1200", "50")
    stage.eb.update_environment(EnvironmentName="env-one", OptionsToRemove=[timeout])
    assert values()["Timeout"] == "900"


def test_configuration_calls_need_one_name(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    describe = stage.eb.describe_configuration_settings
    assert refusal(describe, ApplicationName="app")[0] == "MissingRequiredParameter"
    both = {"EnvironmentName": "env-one", "TemplateName": "saved"}
    assert refusal(describe, ApplicationName="app", **both)[0] == "InvalidParameterCombination"
    messages = stage.eb.validate_configuration_settings(
        ApplicationName="app",
        EnvironmentName="env-one",
        OptionSettings=[
            {"Namespace": "aws:nothing", "OptionName": "Some", "Value": "1"},
            {"Namespace": "aws:elasticbeanstalk:command", "OptionName": "Timeout", "Value": "x"},
        ],
    )["Messages"]
    assert [(item["Severity"], item["OptionName"]) for item in messages] == [("error", "Some"), ("error", "Timeout")]


def test_only_a_ready_environment_is_updated(stage: Stage) -> None:
    stage.version("v1")
    stage.lifecycle.hold = True
    stage.environment("env-one")
    message = "Environment named env-one is in an invalid state for this operation. Must be Ready."
    for call in (stage.eb.update_environment, stage.eb.rebuild_environment, stage.eb.restart_app_server):
        assert refusal(call, EnvironmentName="env-one") == ("InvalidParameterValue", message)


@pytest.mark.parametrize("force", [False, True])
def test_a_busy_environment_is_not_terminated_even_by_force(stage: Stage, force: bool) -> None:
    stage.version("v1")
    stage.lifecycle.hold = True
    stage.environment("env-one")
    assert refusal(stage.eb.terminate_environment, EnvironmentName="env-one", ForceTerminate=force) == (
        "InvalidParameterValue",
        "Cannot terminate environment named env-one. It is currently pending deployment.",
    )
    assert stage.names(IncludeDeleted=False) == ["env-one"]


def test_only_updates_can_be_aborted(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    stage.lifecycle.hold = True
    for start in (stage.eb.restart_app_server, stage.eb.rebuild_environment):
        start(EnvironmentName="env-one")
        (found,) = stage.eb.describe_environments()["Environments"]
        assert (found["Status"], found["AbortableOperationInProgress"]) == ("Updating", False)
        assert refusal(stage.eb.abort_environment_update, EnvironmentName="env-one") == (
            "InvalidParameterValue",
            "Environment named env-one is in an invalid state for this operation. Must be pending deployment.",
        )
        stage.services.of("123456789012", REGION).environment("env-one", None).status = "Ready"
    assert stage.eb.update_environment(EnvironmentName="env-one")["AbortableOperationInProgress"]
    stage.eb.abort_environment_update(EnvironmentName="env-one")


def test_swapping_names(stage: Stage) -> None:
    stage.version("v1")
    one, two = stage.environment("env-one"), stage.environment("env-two")
    swap = stage.eb.swap_environment_cnames
    stage.latency.set({"elasticbeanstalk.swap": 5})
    request_id = swap(SourceEnvironmentName="env-one", DestinationEnvironmentName="env-two")["ResponseMetadata"][
        "RequestId"
    ]
    assert refusal(stage.eb.update_environment, EnvironmentName="env-two")[0] == "InvalidParameterValue"
    stage.clock.advance(6)
    both = "environments 'env-one' and 'env-two'"
    soon(lambda: f"Completed swapping CNAMEs for {both}." in stage.events(RequestId=request_id), "the swap")
    found = {item["EnvironmentName"]: item for item in stage.eb.describe_environments()["Environments"]}
    assert (found["env-one"]["CNAME"], found["env-two"]["CNAME"]) == (two["CNAME"], one["CNAME"])
    assert (found["env-one"]["Status"], found["env-two"]["Status"]) == ("Ready", "Ready")


def test_a_swap_waits_for_who_works_on_one_of_them_and_lets_an_end_be(stage: Stage) -> None:
    stage.version("v1")
    one, _ = stage.environment("env-one"), stage.environment("env-two")
    service = stage.services.of("123456789012", REGION)
    first, second = service.environment("env-one", None), service.environment("env-two", None)

    def swapped() -> bool:
        return bool(first.cname != one["CNAME"])

    with second.working:
        stage.eb.swap_environment_cnames(SourceEnvironmentName="env-one", DestinationEnvironmentName="env-two")
        first.status = "Terminating"  # as when their application is deleted
        with pytest.raises(DeadlineExceeded):
            wait_until(swapped, "the swap", 0.2, SystemClock(), poll=0.01)
    soon(lambda: second.status == "Ready", "the end of the swap")
    assert swapped()
    assert (first.status, second.status) == ("Terminating", "Ready")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"SourceEnvironmentName": "env-one"}, "MissingRequiredParameter"),
        ({"SourceEnvironmentName": "env-one", "DestinationEnvironmentId": "e-1"}, "InvalidParameterCombination"),
        ({"SourceEnvironmentName": "env-one", "DestinationEnvironmentName": "env-one"}, "InvalidParameterValue"),
        ({"SourceEnvironmentName": "env-one", "DestinationEnvironmentName": "nobody"}, "InvalidParameterValue"),
    ],
)
def test_swaps_that_make_no_sense(stage: Stage, members: dict[str, str], code: str) -> None:
    stage.version("v1")
    stage.environment("env-one")
    assert refusal(stage.eb.swap_environment_cnames, **members)[0] == code


# -- tags -------------------------------------------------------------------------------------------------------------


def tags(stage: Stage, arn: str) -> dict[str, str]:
    found = stage.eb.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]
    return {item["Key"]: item["Value"] for item in found}


def test_tags_of_every_kind_of_resource(stage: Stage) -> None:
    given = [{"Key": "Project", "Value": "test"}]
    application = stage.eb.create_application(ApplicationName="app", Tags=given)["Application"]["ApplicationArn"]
    version = stage.version("v1", Tags=given)["ApplicationVersionArn"]
    environment = stage.environment("env-one", Tags=given)["EnvironmentArn"]
    for arn in (application, version, environment):
        stage.eb.update_tags_for_resource(
            ResourceArn=arn, TagsToAdd=[{"Key": "Stage", "Value": "1"}], TagsToRemove=["Project", "never there"]
        )
        found = tags(stage, arn)
        assert ("Project" in found, found["Stage"]) == (False, "1")
    assert tags(stage, environment)["elasticbeanstalk:environment-name"] == "env-one"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TagsToAdd": [{"Key": "aws:mine", "Value": "1"}]}, "InvalidParameterValue"),
        ({"TagsToAdd": [{"Key": "elasticbeanstalk:mine", "Value": "1"}]}, "InvalidParameterValue"),
        ({"TagsToRemove": ["elasticbeanstalk:environment-id"]}, "InvalidParameterValue"),
        ({"TagsToRemove": ["Name"]}, "InvalidParameterValue"),
        ({"TagsToAdd": [{"Key": f"key-{number}", "Value": "1"} for number in range(51)]}, "TooManyTagsException"),
        ({"TagsToAdd": [{"Key": "empty", "Value": ""}]}, "ValidationError"),
    ],
)
def test_tags_that_are_refused(stage: Stage, changes: dict[str, Any], code: str) -> None:
    stage.version("v1")
    arn = stage.environment("env-one")["EnvironmentArn"]
    before = tags(stage, arn)
    client: Any = boto3.client("elasticbeanstalk", region_name=REGION, config=UNCHECKED)
    assert refusal(client.update_tags_for_resource, ResourceArn=arn, **changes)[0] == code
    assert tags(stage, arn) == before


def test_a_busy_environment_takes_no_tags(stage: Stage) -> None:
    stage.version("v1")
    arn = stage.environment("env-one")["EnvironmentArn"]
    stage.lifecycle.hold = True
    add = {"ResourceArn": arn, "TagsToAdd": [{"Key": "Stage", "Value": "1"}]}
    stage.eb.update_tags_for_resource(**add)
    assert refusal(stage.eb.update_environment, EnvironmentName="env-one")[0] == "InvalidParameterValue"
    assert refusal(stage.eb.update_tags_for_resource, **add)[0] == "OperationInProgressFailure"


def test_tags_of_what_is_not_there(stage: Stage) -> None:
    prefix = f"arn:aws:elasticbeanstalk:{REGION}:123456789012"
    listing = stage.eb.list_tags_for_resource
    assert refusal(listing, ResourceArn=f"{prefix}:application/none")[0] == "ResourceNotFoundException"
    assert refusal(listing, ResourceArn=f"{prefix}:solutionstack/x")[0] == "ResourceTypeNotSupportedException"


# -- logs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "word"), [("tail", "tailing"), ("bundle", "bundling")])
def test_logs_are_there_for_a_quarter_of_an_hour(stage: Stage, kind: str, word: str) -> None:
    stage.version("v1")
    stage.environment("env-one")
    wanted = {"EnvironmentName": "env-one", "InfoType": kind}
    reply = stage.eb.request_environment_info(**wanted)
    request_id = reply["ResponseMetadata"]["RequestId"]
    soon(lambda: len(stage.events(RequestId=request_id)) == 4, "the events")
    assert stage.events(RequestId=request_id) == [
        "Pulled logs for environment instances.",
        f"[Instance: i-2] Successfully finished {word} 2 log(s)",
        f"[Instance: i-1] Successfully finished {word} 2 log(s)",
        "requestEnvironmentInfo is starting.",
    ]
    found = stage.eb.retrieve_environment_info(**wanted)["EnvironmentInfo"]
    assert [item["Ec2InstanceId"] for item in found] == ["i-1", "i-2"]
    (key, _) = [key for key in stage.object_keys() if key.startswith(f"resources/environments/logs/{kind}/")]
    assert key in found[0]["Message"]
    content = stage.s3.get_object(Bucket=stage.bucket, Key=key)["Body"].read()
    if kind == "tail":
        lines = content.decode().splitlines()
        assert "/var/log/eb-engine.log" in lines
        assert ("line 50" in lines, "line 49" in lines, "hello" in lines) == (True, False, True)
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.namelist() == ["var/log/containers/web.log", "var/log/eb-engine.log"]
            assert len(archive.read("var/log/eb-engine.log").splitlines()) == 150
    other = "bundle" if kind == "tail" else "tail"
    assert stage.eb.retrieve_environment_info(EnvironmentName="env-one", InfoType=other)["EnvironmentInfo"] == []
    stage.clock.advance(901)
    soon(lambda: not stage.eb.retrieve_environment_info(**wanted)["EnvironmentInfo"], "the end of the logs")
    soon(lambda: stage.object_keys() == ["app/v1.zip"], "the end of the objects")


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_what_is_not_implemented_is_an_invalid_action(stage: Stage) -> None:
    assert refusal(stage.eb.compose_environments)[0] == "InvalidAction"
    assert refusal(stage.eb.describe_environment_managed_actions)[0] == "InvalidAction"
    template = {"ApplicationName": "app", "TemplateName": "saved"}
    assert refusal(stage.eb.create_configuration_template, **template)[0] == "InvalidAction"


def test_platforms_in_pages_and_by_name(stage: Stage) -> None:
    pages = stage.eb.get_paginator("list_platform_versions").paginate(PaginationConfig={"PageSize": 2})
    arns = [item["PlatformArn"] for page in pages for item in page["PlatformSummaryList"]]
    assert len(arns) == len(set(arns)) > 2
    described = stage.eb.describe_platform_version(PlatformArn=arns[0])["PlatformDescription"]
    assert described["PlatformArn"] == arns[0]
    nothing = f"arn:aws:elasticbeanstalk:{REGION}::platform/Node.js running on 64bit Amazon Linux"
    assert refusal(stage.eb.describe_platform_version, PlatformArn=nothing) == (
        "InvalidParameterValue",
        f"No Platform named '{nothing}' found.",
    )


def test_terminated_environments_are_forgotten_in_the_end(stage: Stage) -> None:
    stage.version("v1")
    stage.environment("env-one")
    stage.eb.terminate_environment(EnvironmentName="env-one")
    region = stage.services.of("123456789012", REGION)
    assert [item.name for item in region.all_environments()] == ["env-one"]
    stage.clock.advance(timedelta(weeks=10).total_seconds())
    assert region.all_environments() == []
