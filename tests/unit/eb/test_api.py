# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from AWS's answers about environments, their containers and their logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import (
    BeanstalkApi,
    generated_security_groups,
    is_permanent,
    is_throttled,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.containers import ContainersApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.logs import LogsApi, log_owner
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Environment, Setting
from ansible_collections.antenna.aws.plugins.module_utils._eb.platform import platform_branch, recommended_platform
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import Life
from botocore.stub import Stubber

ENVIRONMENT = Environment("e-1", "env-1", "antenna", arn="arn:env")
DATE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Stubbed:
    """A client whose calls must come as announced."""

    def __init__(self, service: str) -> None:
        self.client = boto3.client(
            service, region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        self.stubber = Stubber(self.client)
        self.stubber.activate()

    def expect(self, operation: str, answer: Mapping[str, Any], asked: Mapping[str, Any] | None = None) -> None:
        self.stubber.add_response(operation, dict(answer), None if asked is None else dict(asked))

    def refuse(self, operation: str, code: str, message: str) -> None:
        self.stubber.add_client_error(operation, code, message)


@pytest.fixture
def beanstalk() -> Iterator[Stubbed]:
    stubbed = Stubbed("elasticbeanstalk")
    yield stubbed
    stubbed.stubber.assert_no_pending_responses()


def described(name: str, status: str, identifier: str = "e-1") -> dict[str, Any]:
    return {
        "EnvironmentName": name, "EnvironmentId": identifier, "ApplicationName": "antenna", "Status": status,
        "DateCreated": DATE,
    }  # fmt: skip


def test_environments_are_selected_again_by_name_over_all_pages(beanstalk: Stubbed) -> None:
    asked = {"EnvironmentNames": ["env-1"], "IncludeDeleted": False}
    beanstalk.expect(
        "describe_environments",
        {"Environments": [described("env-1", "Terminated", "e-0"), described("env-2", "Ready")], "NextToken": "more"},
        asked,
    )
    beanstalk.expect(
        "describe_environments", {"Environments": [described("env-1", "Ready")]}, {**asked, "NextToken": "more"}
    )
    found = BeanstalkApi(beanstalk.client).environment("env-1")
    assert found is not None
    assert (found.environment_id, found.status, found.date_created) == ("e-1", "Ready", DATE)


def test_a_living_environment_goes_before_one_that_is_terminating(beanstalk: Stubbed) -> None:
    both = [described("env-1", "Launching", "e-2"), described("env-1", "Terminating", "e-3")]
    beanstalk.expect("describe_environments", {"Environments": both})
    beanstalk.expect("describe_environments", {"Environments": both[1:]})
    beanstalk.expect("describe_environments", {"Environments": []})
    api = BeanstalkApi(beanstalk.client)
    found = [api.environment("env-1") for _ in range(3)]
    assert [item and item.environment_id for item in found] == ["e-2", "e-3", None]


def test_without_the_application_there_are_no_environments_and_no_events(beanstalk: Stubbed) -> None:
    for operation in ("describe_environments", "describe_events"):
        beanstalk.refuse(operation, "InvalidParameterValue", "No Application named 'antenna' found.")
    api = BeanstalkApi(beanstalk.client)
    assert api.environments("antenna") == ()
    assert api.newest_event_date("antenna", None) is None


def test_options_without_a_value_are_not_set(beanstalk: Stubbed) -> None:
    options = [{"Namespace": "n", "OptionName": "b"}, {"Namespace": "n", "OptionName": "a", "Value": "1"}]
    beanstalk.expect(
        "describe_configuration_settings",
        {"ConfigurationSettings": [{"DeploymentStatus": "failed"}, {"OptionSettings": options}]},
    )
    failed, deployed = BeanstalkApi(beanstalk.client).configurations(ENVIRONMENT)
    assert (failed.deployment_status, deployed.deployment_status) == ("failed", "deployed")
    assert deployed.settings == (Setting("n", "a", "1"),)


def test_basic_health_has_no_report_and_no_instances(beanstalk: Stubbed) -> None:
    for operation in ("describe_environment_health", "describe_instances_health"):
        beanstalk.refuse(operation, "InvalidRequestException", "DescribeEnvironmentHealth is not supported.")
    api = BeanstalkApi(beanstalk.client)
    assert api.health(ENVIRONMENT) is None
    assert api.instances(ENVIRONMENT) is None


def test_instances_of_all_pages_with_their_deployments(beanstalk: Stubbed) -> None:
    deployment = {"VersionLabel": "v2", "DeploymentId": 7, "Status": "Deployed", "DeploymentTime": DATE}
    beanstalk.expect(
        "describe_instances_health",
        {"InstanceHealthList": [{"InstanceId": "i-1", "Deployment": deployment}], "NextToken": "t"},
    )
    beanstalk.expect("describe_instances_health", {"InstanceHealthList": [{"InstanceId": "i-2", "Causes": ["late"]}]})
    first, second = BeanstalkApi(beanstalk.client).instances(ENVIRONMENT) or ()
    assert (first.version_label, first.deployment_id, first.deployment_status) == ("v2", 7, "Deployed")
    assert (second.instance_id, second.causes, second.deployment_status) == ("i-2", ("late",), "")


def test_an_update_sends_what_differs_and_never_the_tier(beanstalk: Stubbed) -> None:
    beanstalk.expect(
        "update_environment",
        {"ResponseMetadata": {"RequestId": "r-1"}},
        {
            "EnvironmentId": "e-1",
            "VersionLabel": "v2",
            "OptionSettings": [{"Namespace": "n", "OptionName": "a", "Value": "1"}],
        },
    )
    api = BeanstalkApi(beanstalk.client)
    assert api.update(ENVIRONMENT, version_label="v2", settings=[Setting("n", "a", "1")]) == "r-1"


def test_the_recommended_version_of_exactly_this_branch_is_taken(beanstalk: Stubbed) -> None:
    beanstalk.expect(
        "list_platform_versions",
        {
            "PlatformSummaryList": [
                {"PlatformArn": "other", "PlatformBranchName": "B 2", "PlatformLifecycleState": "Recommended"},
                {"PlatformArn": "newest", "PlatformBranchName": "B", "PlatformLifecycleState": ""},
                {"PlatformArn": "right", "PlatformBranchName": "B", "PlatformLifecycleState": "Recommended"},
            ]
        },
    )
    beanstalk.expect("list_platform_versions", {"PlatformSummaryList": []})
    assert recommended_platform(beanstalk.client, "B") == "right"
    assert recommended_platform(beanstalk.client, "B") == ""


def test_a_platform_without_a_branch_goes_by_its_name(beanstalk: Stubbed) -> None:
    beanstalk.expect("describe_platform_version", {"PlatformDescription": {}})
    assert platform_branch(beanstalk.client, "arn:aws:elasticbeanstalk:r:1:platform/Mine/1.0.0") == "Mine"


def test_errors_are_told_apart(beanstalk: Stubbed) -> None:
    codes = ["Throttling", "InsufficientPrivilegesException", "InternalFailure"]
    for code in codes:
        beanstalk.refuse("describe_environments", code, "words")
    seen = []
    for _ in codes:
        with pytest.raises(AwsError, match=r"Could not read environment 'env-1': AWS answered .*: words") as caught:
            BeanstalkApi(beanstalk.client).environment("env-1")
        seen.append((is_throttled(caught.value), is_permanent(caught.value)))
    assert seen == [(True, False), (False, True), (False, False)]


OWN = "arn:c/awseb-env-1-f7yq6jhmpm"
NEIGHBOUR = "arn:c/awseb-env-1-staging-3jehispapr"


def test_containers_are_found_in_the_cluster_of_the_environment() -> None:
    ecs = Stubbed("ecs")
    ecs.expect("list_clusters", {"clusterArns": ["arn:c/other", NEIGHBOUR, OWN]})
    ecs.expect("list_container_instances", {"containerInstanceArns": ["ci-0", "ci-1"]}, {"cluster": OWN})
    instances = [
        {"containerInstanceArn": "ci-0", "ec2InstanceId": "i-0"},
        {"containerInstanceArn": "ci-1", "ec2InstanceId": "i-1"},
    ]
    ecs.expect("describe_container_instances", {"containerInstances": instances})
    container = {"name": "django", "lastStatus": "STOPPED", "exitCode": 1, "reason": "crashed"}
    job = {"name": "migrate", "lastStatus": "STOPPED", "exitCode": 0, "networkBindings": [{"hostPort": 80}]}
    tasks = [
        {"taskArn": "t-0", "containerInstanceArn": "ci-0"},
        {
            "taskArn": "t-1",
            "taskDefinitionArn": "td:1",
            "containerInstanceArn": "ci-1",
            "lastStatus": "RUNNING",
            "containers": [container, job],
        },
    ]
    definition = {
        "containerDefinitions": [
            {"name": "django", "dependsOn": [{"containerName": "migrate", "condition": "SUCCESS"}]},
            {"name": "migrate", "essential": False},
        ]
    }
    for look in range(2):
        ecs.expect("list_tasks", {"taskArns": ["t-0", "t-1"]})
        ecs.expect("list_tasks", {"taskArns": ["t-1"]})
        ecs.expect("describe_tasks", {"tasks": tasks}, {"cluster": OWN, "tasks": ["t-0", "t-1"]})
        if look == 0:
            ecs.expect("describe_task_definition", {"taskDefinition": definition}, {"taskDefinition": "td:1"})
    api = ContainersApi(ecs.client)
    (task,) = api.tasks("env-1", ["i-1"]) or ()
    assert task.containers == (
        Container("django", "i-1", last_status="STOPPED", exit_code=1, reason="crashed", essential=True),
        Container("migrate", "i-1", last_status="STOPPED", exit_code=0, essential=False, is_job=True, ports=(80,)),
    )
    assert api.tasks("env-1", ["i-1"]) == (task,), "the place of an instance is remembered"
    ecs.stubber.assert_no_pending_responses()


def test_an_instance_that_is_to_join_is_not_looked_for_in_the_clusters_of_others() -> None:
    ecs = Stubbed("ecs")
    ecs.expect("list_clusters", {"clusterArns": [NEIGHBOUR, OWN]})
    ecs.expect("list_container_instances", {"containerInstanceArns": []}, {"cluster": OWN})
    assert ContainersApi(ecs.client).tasks("env-1", ["i-1"]) is None
    ecs.stubber.assert_no_pending_responses()


def test_without_a_cluster_of_that_name_those_of_others_are_searched_as_far_as_they_are_open() -> None:
    ecs = Stubbed("ecs")
    ecs.expect("list_clusters", {"clusterArns": [NEIGHBOUR, "arn:c/renamed", "arn:c/never-asked"]})
    ecs.refuse("list_container_instances", "AccessDeniedException", "not authorized")
    ecs.expect("list_container_instances", {"containerInstanceArns": ["ci-1"]}, {"cluster": "arn:c/renamed"})
    found = [{"containerInstanceArn": "ci-1", "ec2InstanceId": "i-1"}]
    ecs.expect("describe_container_instances", {"containerInstances": found})
    for _status in ("RUNNING", "STOPPED"):
        ecs.expect("list_tasks", {"taskArns": []})
    assert ContainersApi(ecs.client).tasks("env-1", ["i-1"]) == ()
    ecs.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(("cluster", "code"), [(OWN, "AccessDeniedException"), (NEIGHBOUR, "ServerException")])
def test_what_keeps_the_environments_own_cluster_from_being_read_is_told(cluster: str, code: str) -> None:
    ecs = Stubbed("ecs")
    ecs.expect("list_clusters", {"clusterArns": [cluster]})
    ecs.refuse("list_container_instances", code, "words")
    with pytest.raises(AwsError, match="Could not read the container instances of ECS cluster") as caught:
        ContainersApi(ecs.client).tasks("env-1", ["i-1"])
    assert caught.value.code == code


def test_instances_that_no_cluster_knows_have_no_tasks() -> None:
    ecs = Stubbed("ecs")
    ecs.expect("list_clusters", {"clusterArns": []})
    assert ContainersApi(ecs.client).tasks("env-1", ["i-1"]) is None


@pytest.mark.parametrize(
    ("group", "stream", "owner"),
    [
        ("/aws/elasticbeanstalk/e/var/log/containers/ml-backend-minimal", "i-1", "ml-backend-minimal"),
        ("/aws/elasticbeanstalk/e/var/log/containers/ml-backend-0a1b-stdouterr.log", "i-1", "ml-backend"),
        ("/aws/elasticbeanstalk/e/containers", "i-1/django", "django"),
        ("/aws/elasticbeanstalk/e/var/log/eb-engine.log", "i-1", "eb-engine.log"),
        ("/aws/elasticbeanstalk/e/var/log/messages", "djangox", None),
    ],
)
def test_whose_log_it_is(group: str, stream: str, owner: str | None) -> None:
    names = ["django", "ml-backend", "ml-backend-minimal"]
    assert log_owner(group, stream, names, len("/aws/elasticbeanstalk/e/")) == owner


def test_only_the_blamed_containers_and_the_engine_are_quoted() -> None:
    logs = Stubbed("logs")
    prefix = "/aws/elasticbeanstalk/env-1/"
    groups = [
        f"{prefix}var/log/containers/django",
        f"{prefix}var/log/containers/flower",
        f"{prefix}var/log/eb-engine.log",
    ]
    created, ended = DATE + timedelta(seconds=1), DATE + timedelta(seconds=5)
    logs.expect("describe_log_groups", {"logGroups": [{"logGroupName": group} for group in groups]})
    for group in groups:
        logs.expect("describe_log_streams", {"logStreams": [{"logStreamName": "i-1"}]})
        if "flower" not in group:
            asked = {"logGroupName": group, "logStreamName": "i-1", "limit": 2, "startFromHead": False}
            start = {"startTime": int((created if "django" in group else DATE).timestamp() * 1000)}
            end = {"endTime": int(ended.timestamp() * 1000) + 1000} if "django" in group else {}
            lines = [{"message": f"line {n}\n"} for n in range(3)]
            logs.expect("get_log_events", {"events": lines}, {**asked, **start, **end})
    api = LogsApi(logs.client, lines=2)
    lives = [Life("django", "i-1", "task-1", created, ended)]
    assert api.last_lines("env-1", lives, ["i-1"], ["flower"], since=DATE) == {
        "django": ("line 1", "line 2"),
        "eb-engine.log": ("line 1", "line 2"),
    }


def test_of_several_instances_each_log_is_told_apart() -> None:
    logs = Stubbed("logs")
    group = "/aws/elasticbeanstalk/env-1/var/log/containers/django"
    engine = "/aws/elasticbeanstalk/env-1/var/log/eb-engine.log"
    logs.expect("describe_log_groups", {"logGroups": [{"logGroupName": name} for name in (group, engine)]})
    streams = [{"logStreamName": name} for name in ("i-3", "i-2", "i-1")]
    logs.expect("describe_log_streams", {"logStreams": streams})
    logs.expect("get_log_events", {"events": [{"message": "of two"}]})
    logs.expect("describe_log_streams", {"logStreams": streams})
    logs.expect("get_log_events", {"events": [{"message": "two"}]})
    logs.expect("get_log_events", {"events": [{"message": "one"}]})
    lives = [Life("django", "i-2", "task-2", DATE, None)]
    assert LogsApi(logs.client).last_lines("env-1", lives, ["i-1", "i-2"], since=DATE) == {
        "django (i-2)": ("of two",),
        "eb-engine.log (i-2)": ("two",),
        "eb-engine.log (i-1)": ("one",),
    }


def test_generated_groups_are_known_by_their_name() -> None:
    ec2 = Stubbed("ec2")
    groups = [{"GroupId": "sg-1", "GroupName": "awseb-e-1-x"}, {"GroupId": "sg-2", "GroupName": "mine"}]
    ec2.expect("describe_security_groups", {"SecurityGroups": groups}, {"GroupIds": ["sg-1", "sg-2"]})
    assert generated_security_groups(ec2.client, {"sg-1", "sg-2"}) == {"sg-1"}
