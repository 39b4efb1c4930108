# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation of Elastic Beanstalk that the rehearsal cloud answers, with boto3: shapes, waiters, paginators."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.support.fidelity import answered_by
from tests.support.shapes import defects

NAME, OTHER = "boto-one", "boto-two"
APPLICATION = "boto"
COMMAND = "aws:elasticbeanstalk:command"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
SOON = {"Delay": 1, "MaxAttempts": 60}


class Strict:
    """A client that keeps which operations were answered, and what was wrong with the answers."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session(region_name="us-west-2", aws_access_key_id="test", aws_secret_access_key="test")
        self.client: Any = session.client("elasticbeanstalk", endpoint_url=endpoint)
        self.answered: set[str] = set()
        self.defects: list[str] = []
        self.client.meta.events.register("before-parse.elastic-beanstalk", self._look)

    def _look(self, operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200:
            self.answered.add(operation_model.name)
            self.defects += defects(response_dict["body"], operation_model)


@pytest.fixture(scope="module")
def strict(localcloud: Any) -> Strict:
    return Strict(localcloud.endpoint)


@pytest.fixture(scope="module")
def eb(strict: Strict) -> Any:
    return strict.client


@pytest.fixture(scope="module")
def bundle(stage: Any) -> dict[str, str]:
    """A source bundle in S3 that runs one container."""
    web = stage.container("web", portMappings=[{"hostPort": 80, "containerPort": 8000}])
    dockerrun = {"AWSEBDockerrunVersion": 2, "containerDefinitions": [web]}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("Dockerrun.aws.json", json.dumps(dockerrun))
    stage.cloud.client("s3").put_object(Bucket=stage.bucket, Key="boto/one.zip", Body=archive.getvalue())
    return {"S3Bucket": stage.bucket, "S3Key": "boto/one.zip"}


@pytest.fixture(scope="module")
def application(eb: Any, bundle: dict[str, str]) -> str:
    eb.create_application(ApplicationName=APPLICATION, Tags=[{"Key": "Project", "Value": "boto"}])
    for label in ("v1", "v2", "v3"):
        eb.create_application_version(ApplicationName=APPLICATION, VersionLabel=label, SourceBundle=bundle)
    return APPLICATION


@pytest.fixture(scope="module")
def environments(eb: Any, stage: Any, application: str) -> Iterator[dict[str, Any]]:
    """Two environments at once, awaited as boto3 does it."""
    settings = {
        "aws:elasticbeanstalk:environment": {"EnvironmentType": "SingleInstance"},
        "aws:autoscaling:launchconfiguration": {"IamInstanceProfile": "hello"},
        "aws:elasticbeanstalk:healthreporting:system": {"SystemType": "enhanced"},
    }
    for name in (NAME, OTHER):
        eb.create_environment(
            ApplicationName=application,
            EnvironmentName=name,
            CNAMEPrefix=name,
            VersionLabel="v1",
            PlatformArn=stage.platform_arn(),
            OptionSettings=stage.option_settings(settings),
        )
    eb.get_waiter("environment_exists").wait(EnvironmentNames=[NAME, OTHER], WaiterConfig=SOON)
    found = eb.describe_environments(EnvironmentNames=[NAME, OTHER])["Environments"]
    yield {item["EnvironmentName"]: item for item in found}


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return str(raised.value.response["Error"]["Code"])


def settled(eb: Any, *names: str) -> None:
    eb.get_waiter("environment_updated").wait(EnvironmentNames=list(names or [NAME]), WaiterConfig=SOON)


def test_the_waiter_for_new_environments_ends_when_they_are_ready(environments: dict[str, Any]) -> None:
    assert [item["Status"] for item in environments.values()] == ["Ready", "Ready"]
    assert {item["CNAME"] for item in environments.values()} == {
        f"{name}.us-west-2.elasticbeanstalk.com" for name in (NAME, OTHER)
    }


def test_applications_and_versions(eb: Any, application: str) -> None:
    found = eb.update_application(ApplicationName=application, Description="with boto3")["Application"]
    assert found["Description"] == "with boto3"
    assert eb.describe_applications(ApplicationNames=[application])["Applications"][0]["Versions"] == ["v3", "v2", "v1"]
    config = {"ServiceRole": "arn:aws:iam::123456789012:role/service", "VersionLifecycleConfig": {}}
    kept = eb.update_application_resource_lifecycle(ApplicationName=application, ResourceLifecycleConfig=config)
    assert kept["ResourceLifecycleConfig"]["VersionLifecycleConfig"]["MaxCountRule"]["Enabled"] is False
    changed = eb.update_application_version(ApplicationName=application, VersionLabel="v3", Description="the last")
    assert changed["ApplicationVersion"]["Description"] == "the last"
    eb.delete_application_version(ApplicationName=application, VersionLabel="v3")
    assert (
        code(eb.update_application_version, ApplicationName=application, VersionLabel="v3") == "InvalidParameterValue"
    )
    assert eb.create_storage_location()["S3Bucket"].startswith("elasticbeanstalk-us-west-2-")


def test_platforms_and_the_account(eb: Any, environments: dict[str, Any]) -> None:
    arn = environments[NAME]["PlatformArn"]
    platform = eb.describe_platform_version(PlatformArn=arn)["PlatformDescription"]
    assert platform["SolutionStackName"] == environments[NAME]["SolutionStackName"]
    assert platform["SolutionStackName"] in eb.list_available_solution_stacks()["SolutionStacks"]
    supported = [{"Attribute": "LifecycleState", "Operator": "=", "Values": ["supported"]}]
    branches = eb.list_platform_branches(Filters=supported)["PlatformBranchSummaryList"]
    assert platform["PlatformBranchName"] in [item["BranchName"] for item in branches]
    quotas = eb.describe_account_attributes()["ResourceQuotas"]
    assert quotas["ApplicationVersionQuota"]["Maximum"] == 1000


@pytest.mark.parametrize(
    ("operation", "key", "filters"),
    [
        ("describe_events", "Events", {"ApplicationName": APPLICATION}),
        ("describe_environments", "Environments", {"ApplicationName": APPLICATION}),
        ("describe_application_versions", "ApplicationVersions", {"ApplicationName": APPLICATION}),
        ("list_platform_versions", "PlatformSummaryList", {}),
    ],
)
def test_paginators_see_everything_once(
    eb: Any, environments: dict[str, Any], operation: str, key: str, filters: dict[str, str]
) -> None:
    whole = getattr(eb, operation)(**filters)[key]
    pages = list(eb.get_paginator(operation).paginate(**filters, PaginationConfig={"PageSize": 1}))
    assert len(pages) == len(whole) > 1
    assert [item for page in pages for item in page[key]] == whole
    assert code(getattr(eb, operation), **filters, NextToken="made up") == "InvalidParameterValue"


def test_configuration(eb: Any, stage: Any, environments: dict[str, Any]) -> None:
    of = {"ApplicationName": APPLICATION, "EnvironmentName": NAME}
    timeout = {"Namespace": COMMAND, "OptionName": "Timeout"}
    (described,) = eb.describe_configuration_options(**of, Options=[timeout])["Options"]
    assert (described["DefaultValue"], described["MaxValue"]) == ("600", 3600)
    assert len(eb.describe_configuration_options(**of)["Options"]) > 60
    too_long = {**timeout, "Value": "3601"}
    (message,) = eb.validate_configuration_settings(**of, OptionSettings=[too_long])["Messages"]
    assert message["Severity"] == "error"
    assert code(eb.update_environment, EnvironmentName=NAME, OptionSettings=[too_long]) == (
        "ConfigurationValidationException"
    )
    reply = eb.update_environment(EnvironmentName=NAME, OptionSettings=[{**timeout, "Value": "1200"}])
    assert reply["Status"] == "Updating"
    settled(eb)
    (settings,) = eb.describe_configuration_settings(**of)["ConfigurationSettings"]
    assert {**timeout, "Value": "1200"} in settings["OptionSettings"]


def test_a_second_set_of_settings_while_a_change_is_pending_or_has_failed(
    eb: Any, environments: dict[str, Any]
) -> None:
    of = {"ApplicationName": APPLICATION, "EnvironmentName": NAME}
    timeout = {"Namespace": COMMAND, "OptionName": "Timeout"}
    large = {"Namespace": PROPERTIES, "OptionName": "LARGE", "Value": "x" * 4096}

    def sets() -> dict[str, str | None]:
        found = eb.describe_configuration_settings(**of)["ConfigurationSettings"]
        return {
            item["DeploymentStatus"]: option.get("Value")
            for item in found
            for option in item["OptionSettings"]
            if (option["Namespace"], option["OptionName"]) == (COMMAND, "Timeout")
        }

    reply = eb.update_environment(EnvironmentName=NAME, OptionSettings=[{**timeout, "Value": "900"}, large])
    assert sets() in ({"deployed": "1200", "pending": "900"}, {"deployed": "1200", "failed": "900"})
    settled(eb)
    assert sets() == {"deployed": "1200", "failed": "900"}
    events = eb.describe_events(RequestId=reply["ResponseMetadata"]["RequestId"])["Events"]
    assert [(item["Severity"], item["Message"]) for item in events][:3] == [
        ("INFO", "The environment was reverted to the previous configuration setting."),
        ("ERROR", "Failed to deploy configuration."),
        (
            "ERROR",
            "Service:AmazonCloudFormation, Message:Template format error: Parameter 'EnvironmentVariables' default "
            "value '[****]' length is greater than 4096.",
        ),
    ]
    eb.update_environment(EnvironmentName=NAME, OptionSettings=[{**timeout, "Value": "800"}])
    settled(eb)
    assert sets() == {"deployed": "800"}


def test_health_resources_and_events(eb: Any, environments: dict[str, Any]) -> None:
    health = eb.describe_environment_health(EnvironmentName=NAME, AttributeNames=["All"])
    assert (health["Status"], health["Color"]) == ("Ready", "Green")
    few = eb.describe_environment_health(EnvironmentName=NAME, AttributeNames=["Color"])
    assert {"EnvironmentName", "Color"} == set(few) - {"ResponseMetadata"}
    (instance,) = eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    resources = eb.describe_environment_resources(EnvironmentName=NAME)["EnvironmentResources"]
    assert resources["Instances"] == [{"Id": instance["InstanceId"]}]
    errors = eb.describe_events(EnvironmentName=OTHER, Severity="ERROR")["Events"]
    assert errors == []


def test_tags(eb: Any, environments: dict[str, Any]) -> None:
    arn = environments[OTHER]["EnvironmentArn"]
    eb.update_tags_for_resource(ResourceArn=arn, TagsToAdd=[{"Key": "Stage", "Value": "boto"}])
    settled(eb, OTHER)
    tags = eb.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]
    assert {"Key": "Stage", "Value": "boto"} in tags
    assert {"Key": "elasticbeanstalk:environment-name", "Value": OTHER} in tags


def test_logs(eb: Any, stage: Any, environments: dict[str, Any]) -> None:
    wanted = {"EnvironmentName": OTHER, "InfoType": "tail"}
    eb.request_environment_info(**wanted)
    found = stage.wait_for(lambda: eb.retrieve_environment_info(**wanted)["EnvironmentInfo"], "the logs")
    with urllib.request.urlopen(found[0]["Message"], timeout=10) as reply:
        assert b"/var/log/eb-engine.log" in reply.read()


def test_swapped_names_lead_to_the_other_environment(eb: Any, stage: Any, environments: dict[str, Any]) -> None:
    assert eb.check_dns_availability(CNAMEPrefix=NAME)["Available"] is False
    eb.swap_environment_cnames(SourceEnvironmentName=NAME, DestinationEnvironmentName=OTHER)
    settled(eb, NAME, OTHER)
    found = eb.describe_environments(EnvironmentNames=[NAME])["Environments"][0]
    assert found["CNAME"] == environments[OTHER]["CNAME"]
    assert found["EndpointURL"] == environments[NAME]["EndpointURL"]


def test_restart_rebuild_and_abort(eb: Any, environments: dict[str, Any]) -> None:
    before = eb.describe_environment_resources(EnvironmentName=OTHER)["EnvironmentResources"]["Instances"]
    eb.restart_app_server(EnvironmentName=OTHER)
    settled(eb, OTHER)
    eb.rebuild_environment(EnvironmentName=OTHER)
    settled(eb, OTHER)
    assert eb.describe_environment_resources(EnvironmentName=OTHER)["EnvironmentResources"]["Instances"] != before
    assert code(eb.abort_environment_update, EnvironmentName=OTHER) == "InvalidParameterValue"
    eb.update_environment(EnvironmentName=OTHER, VersionLabel="v2")
    eb.abort_environment_update(EnvironmentName=OTHER)
    settled(eb, OTHER)
    assert eb.describe_environments(EnvironmentNames=[OTHER])["Environments"][0]["VersionLabel"] == "v1"


def test_the_waiter_for_terminated_environments(eb: Any, environments: dict[str, Any]) -> None:
    with pytest.raises(WaiterError):
        eb.get_waiter("environment_terminated").wait(
            EnvironmentNames=[NAME], WaiterConfig={"Delay": 1, "MaxAttempts": 1}
        )
    reply = eb.terminate_environment(EnvironmentName=NAME)
    assert reply["Status"] == "Terminating"
    eb.get_waiter("environment_terminated").wait(EnvironmentNames=[NAME], WaiterConfig=SOON)
    eb.delete_application(ApplicationName=APPLICATION, TerminateEnvByForce=True)
    eb.get_waiter("environment_terminated").wait(EnvironmentNames=[OTHER], WaiterConfig=SOON)


def test_every_operation_was_answered_as_the_model_has_it(strict: Strict) -> None:
    """Comes last: what the tests above saw."""
    assert sorted(set(answered_by("elasticbeanstalk", "localcloud")) - strict.answered) == []
    assert sorted(set(strict.defects)) == []
