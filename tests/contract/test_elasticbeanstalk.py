# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk and ECS of the rehearsal cloud, with boto3, on real containers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

APPLICATION = "hello"
NAME = "hello-one"
HOOK = ".platform/hooks/postdeploy/01_hook.sh"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
WEB_PORT = [{"hostPort": 80, "containerPort": 8000}]


def web(stage: Any, release: str, **more: Any) -> dict[str, Any]:
    environment = [{"name": "RELEASE", "value": release}, *more.pop("environment", [])]
    return dict(stage.container("web", portMappings=WEB_PORT, environment=environment, **more))


def peer(stage: Any, **more: Any) -> dict[str, Any]:
    return dict(stage.container("peer", environment=[{"name": "RELEASE", "value": "peer"}], **more))


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """The code and message with which the service refuses."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def secret(stage: Any) -> str:
    value = json.dumps({"password": "s3cret"})
    found = stage.cloud.client("secretsmanager").create_secret(Name="hello/web", SecretString=value)
    return str(found["ARN"])


@pytest.fixture(scope="module")
def created(stage: Any, secret: str) -> Iterator[dict[str, Any]]:
    """The environment of this module as it is after its launch, with the launch's request id."""
    password = {"name": "PASSWORD", "valueFrom": f"{secret}:password::"}
    label = stage.version(
        [
            web(stage, "1", links=["peer:friend", "peer:mate"], secrets=[password]),
            peer(stage),
            stage.container("once", essential=False, entryPoint=["/bin/true"]),
        ],
        {HOOK: "#!/bin/sh\ndocker ps --format '{{.Names}}'\necho hook with $MODE in $PWD\n"},
    )
    reply = stage.create(NAME, label, {PROPERTIES: {"MODE": "first mode"}})
    assert (reply["Status"], reply["Health"]) == ("Launching", "Grey")
    code, message = refusal(stage.eb.update_environment, EnvironmentName=NAME, Description="too early")
    assert (code, message) == (
        "InvalidParameterValue",
        f"Environment named {NAME} is in an invalid state for this operation. Must be Ready.",
    )
    environment = stage.ready(NAME)
    yield {**environment, "request_id": reply["ResponseMetadata"]["RequestId"], "label": label}
    terminate(stage, NAME)
    assert NAME in [item["EnvironmentName"] for item in stage.eb.describe_environments()["Environments"]]


def terminate(stage: Any, name: str) -> None:
    stage.ready(name)
    stage.eb.terminate_environment(EnvironmentName=name)

    def gone() -> bool:
        return not stage.eb.describe_environments(EnvironmentNames=[name], IncludeDeleted=False)["Environments"]

    stage.wait_for(gone, f"the end of {name}")


@pytest.fixture
def url(stage: Any, created: dict[str, Any]) -> str:
    return f"http://{created['EndpointURL']}"


def test_unknown_operations_are_invalid_actions(stage: Any) -> None:
    assert refusal(stage.eb.compose_environments)[0] == "InvalidAction"


def test_unknown_names_are_refused_in_the_services_words(stage: Any) -> None:
    assert refusal(stage.eb.update_environment, EnvironmentName="nobody") == (
        "InvalidParameterValue",
        "No Environment found for EnvironmentName = 'nobody'.",
    )
    assert refusal(stage.eb.describe_configuration_settings, ApplicationName="nothing", EnvironmentName="nobody") == (
        "InvalidParameterValue",
        "No Application named 'nothing' found.",
    )
    assert stage.eb.describe_application_versions(ApplicationName="nothing")["ApplicationVersions"] == []
    assert stage.eb.describe_environments(EnvironmentNames=["nobody"])["Environments"] == []


def test_a_version_needs_its_bundle(stage: Any) -> None:
    source = {"S3Bucket": stage.bucket, "S3Key": "lost.zip"}
    code, message = refusal(
        stage.eb.create_application_version,
        ApplicationName=APPLICATION,
        VersionLabel="lost",
        SourceBundle=source,
        AutoCreateApplication=True,
    )
    assert code == "InvalidParameterValue"
    assert message.startswith("Unable to download from S3 location")


def test_processing_finds_a_broken_configuration_file(stage: Any) -> None:
    files = {".ebextensions/a.config": "option_settings: [", "Dockerrun.aws.json": "{}"}
    request_id = stage.bundle("broken", files, status="FAILED")
    assert "Finished processing application version broken: FAILED." in stage.messages(request_id)
    code, _ = refusal(stage.create, name="hello-two", label="broken")
    assert code == "InvalidParameterValue"


def test_unknown_options_are_refused_from_the_api_and_from_the_bundle(stage: Any) -> None:
    process = "aws:elasticbeanstalk:environment:process:default"
    message = (
        f"Invalid option specification (Namespace: '{process}', OptionName: 'HealthCheckProtocol'): "
        "Unknown configuration setting."
    )
    expected = ("ConfigurationValidationException", f"Configuration validation exception: {message}")
    fine = stage.version([web(stage, "1")])
    settings = {process: {"HealthCheckProtocol": "HTTP"}}
    assert refusal(stage.create, name="hello-two", label=fine, settings=settings) == expected
    extension = json.dumps({"option_settings": settings})
    wrong = stage.version([web(stage, "1")], {".ebextensions/a.config": extension})
    assert refusal(stage.create, name="hello-two", label=wrong) == expected
    assert stage.eb.describe_environments(EnvironmentNames=["hello-two"])["Environments"] == []


def test_the_launch_is_told_by_events_of_its_request(stage: Any, created: dict[str, Any]) -> None:
    messages = stage.messages(created["request_id"])
    assert messages[0] == "createEnvironment is starting."
    assert messages[-1] == f"Successfully launched environment: {NAME}"
    assert "Instance deployment completed successfully." in messages
    assert not [message for message in messages if "health has transitioned" in message]
    everything = stage.eb.describe_events(EnvironmentName=NAME)["Events"]
    assert [event["EventDate"] for event in everything] == sorted((e["EventDate"] for e in everything), reverse=True)
    (healthy,) = [e for e in everything if e["Message"].startswith("Environment health has transitioned from Pending")]
    assert "RequestId" not in healthy


def test_the_environment_answers_where_its_endpoint_says(stage: Any, created: dict[str, Any], url: str) -> None:
    assert created["CNAME"] == f"{NAME}.us-west-2.elasticbeanstalk.com"
    assert stage.get(f"{url}/") == "release 1\n"
    assert stage.cloud.status()["environments"][NAME]["url"] == url


def test_containers_get_properties_secrets_and_links_and_nothing_else(stage: Any, url: str) -> None:
    assert stage.get(f"{url}/env/MODE") == "first mode\n"
    assert stage.get(f"{url}/env/PASSWORD") == "s3cret\n"
    assert stage.get(f"{url}/ask/friend") == "release peer\n"
    assert stage.get(f"{url}/ask/mate") == "release peer\n"
    assert stage.get(f"{url}/ask/peer") == "no way to peer\n"


def test_hooks_see_the_new_containers_the_properties_and_the_bundle(stage: Any, created: dict[str, Any]) -> None:
    lines = log(stage, "eb-hooks.log")
    assert "hook with first mode in /var/app/current" in lines
    names = [line.split("-")[-2] for line in lines if line.startswith("ecs-awseb-")]
    assert sorted(names) == ["peer", "web"]


def test_container_output_reaches_the_log_groups(stage: Any, url: str) -> None:
    stage.get(f"{url}/hello-log")
    stage.wait_for(lambda: "asked for /hello-log" in log(stage, "containers/web-stdouterr.log"), "the line in the log")


def test_changes_of_health_reach_their_log_group(stage: Any, created: dict[str, Any]) -> None:
    group = f"/aws/elasticbeanstalk/{NAME}/environment-health.log"
    (first, *_) = events_of(stage, group)
    assert first.startswith("Environment health has transitioned from Pending to Ok.")
    (shown,) = stage.cloud.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["retentionInDays"] == 3


def log(stage: Any, name: str) -> list[str]:
    """The lines of a log file of the environment's instances."""
    return events_of(stage, f"/aws/elasticbeanstalk/{NAME}/var/log/{name}")


def events_of(stage: Any, group: str) -> list[str]:
    logs = stage.cloud.client("logs")
    return [
        event["message"]
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    ]


def test_health_shows_the_deployment_of_the_instance(stage: Any, created: dict[str, Any]) -> None:
    health = stage.eb.describe_environment_health(EnvironmentName=NAME, AttributeNames=["All"])
    assert (health["HealthStatus"], health["Color"], health["Causes"]) == ("Ok", "Green", [])
    (instance,) = stage.eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    assert instance["Deployment"]["VersionLabel"] == created["label"]
    assert instance["Deployment"]["Status"] == "Deployed"
    resources = stage.eb.describe_environment_resources(EnvironmentName=NAME)["EnvironmentResources"]
    assert resources["Instances"] == [{"Id": instance["InstanceId"]}]
    found = stage.cloud.client("ec2").describe_instances(InstanceIds=[instance["InstanceId"]])
    assert found["Reservations"][0]["Instances"][0]["InstanceType"] == "t3.small"


def test_ecs_shows_the_task_and_its_containers(stage: Any, created: dict[str, Any]) -> None:
    task = the_task(stage)
    assert task["lastStatus"] == "RUNNING"
    containers = {item["name"]: item for item in task["containers"]}
    assert containers["web"]["lastStatus"] == "RUNNING"
    assert containers["web"]["networkBindings"][0]["hostPort"] == 80
    assert (containers["once"]["lastStatus"], containers["once"]["exitCode"]) == ("STOPPED", 0)
    definition = stage.cloud.client("ecs").describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    assert {item["name"] for item in definition["taskDefinition"]["containerDefinitions"]} == set(containers)


def the_task(stage: Any, status: str = "RUNNING") -> dict[str, Any]:
    """The newest task of the environment's cluster, which is found by its EC2 instance as on AWS."""
    ecs = stage.cloud.client("ecs")
    resources = stage.eb.describe_environment_resources(EnvironmentName=NAME)["EnvironmentResources"]
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        instances = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)["containerInstances"]
        if resources["Instances"][0]["Id"] in [item["ec2InstanceId"] for item in instances]:
            tasks = ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
            return dict(ecs.describe_tasks(cluster=cluster, tasks=tasks[-1:])["tasks"][0])
    raise AssertionError("no cluster has the environment's instance")


def test_settings_read_back_with_defaults_and_the_services_own_group(stage: Any, created: dict[str, Any]) -> None:
    (found,) = stage.eb.describe_configuration_settings(ApplicationName=APPLICATION, EnvironmentName=NAME)[
        "ConfigurationSettings"
    ]
    values = {(item["Namespace"], item["OptionName"]): item.get("Value") for item in found["OptionSettings"]}
    assert found["DeploymentStatus"] == "deployed"
    assert values[PROPERTIES, "MODE"] == "first mode"
    assert values["aws:elasticbeanstalk:command", "Timeout"] == "600"
    assert str(values["aws:autoscaling:launchconfiguration", "SecurityGroups"]).startswith("sg-")
    assert ("aws:elb:loadbalancer", "CrossZone") not in values


def test_validation_names_each_problem(stage: Any, created: dict[str, Any]) -> None:
    wrong = {"aws:elasticbeanstalk:command": {"Timeout": "99999", "DeploymentPolicy": "Rolling"}}
    messages = stage.eb.validate_configuration_settings(
        ApplicationName=APPLICATION, EnvironmentName=NAME, OptionSettings=stage.option_settings(wrong)
    )["Messages"]
    assert [(item["Severity"], item["OptionName"]) for item in messages] == [("error", "Timeout")]


def test_a_new_version_replaces_the_old_at_the_same_address(stage: Any, url: str) -> None:
    label = stage.version([web(stage, "2", links=["peer"]), peer(stage)])
    request_id = stage.update(NAME, VersionLabel=label)
    assert stage.get(f"{url}/") == "release 2\n"
    assert stage.environment(NAME)["VersionLabel"] == label
    assert stage.messages(request_id) == [
        "Environment update is starting.",
        "Deploying new version to instance(s).",
        "Instance deployment completed successfully.",
        "New application version was deployed to running EC2 instances.",
        "Environment update completed successfully.",
    ]


FAILED = [
    "Environment update is starting.",
    "Deploying new version to instance(s).",
    "Instance deployment failed. For details, see 'eb-engine.log'.",
    "[Instance: {instance}] Command failed on instance. Return code: 1 Output: Engine execution has encountered an "
    "error..",
    "Command execution completed on all instances. Summary: [Successful: 0, Failed: 1].",
    "Unsuccessful command execution on instance id(s) '{instance}'. Aborting the operation.",
    "Failed to deploy application.",
    "During an aborted deployment, some instances may have deployed the new application version. To ensure all "
    "instances are running the same version, re-deploy the appropriate application version.",
]


@pytest.mark.parametrize("how", ["hook", "crash", "image", "secret"])
def test_a_deployment_that_fails_ends_ready_on_the_old_version(stage: Any, url: str, secret: str, how: str) -> None:
    before, release = stage.environment(NAME), stage.get(f"{url}/")
    containers, files = [web(stage, "broken")], {}
    if how == "hook":
        files = {HOOK: "#!/bin/sh\necho no migration today\nexit 4\n"}
    elif how == "crash":
        containers = [web(stage, "broken", environment=[{"name": "FAIL", "value": "start"}])]
    elif how == "image":
        containers = [{**web(stage, "broken"), "image": f"{stage.cloud.registry}/hello:never-pushed"}]
    else:
        containers = [web(stage, "broken", secrets=[{"name": "PASSWORD", "valueFrom": f"{secret}:absent::"}])]
    request_id = stage.update(NAME, VersionLabel=stage.version(containers, files))
    after = stage.environment(NAME)
    assert (after["VersionLabel"], after["Status"], after["Health"]) == (before["VersionLabel"], "Ready", "Red")
    assert stage.get(f"{url}/") == release
    (instance,) = stage.eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    assert instance["Deployment"]["Status"] == "Failed"
    assert stage.messages(request_id) == [line.replace("{instance}", instance["InstanceId"]) for line in FAILED]


def test_a_dockerrun_that_ecs_refuses_fails_before_the_instance(stage: Any, url: str) -> None:
    label = stage.version([web(stage, "broken", links=["nobody"])])
    messages = stage.messages(stage.update(NAME, VersionLabel=label))
    assert messages[2].startswith("Service:AmazonECS, Code:ClientException")
    assert "Failed to deploy application." in messages
    assert stage.get(f"{url}/") == "release 2\n"


def test_the_command_timeout_ends_a_deployment(stage: Any, url: str) -> None:
    label = stage.version([web(stage, "slow")], {HOOK: "#!/bin/sh\nsleep 600\n"})
    command = "aws:elasticbeanstalk:command"
    stage.update(NAME, OptionSettings=stage.option_settings({command: {"Timeout": "20"}}))
    reply = stage.eb.update_environment(EnvironmentName=NAME, VersionLabel=label)
    stage.wait_for(lambda: the_deployment(stage)["Status"] == "In Progress", "the deployment's start")
    # The service adds four minutes to what was set.
    stage.cloud.advance(20 + 240 + 1)
    stage.ready(NAME)
    messages = stage.messages(reply["ResponseMetadata"]["RequestId"])
    stage.update(NAME, OptionsToRemove=[{"Namespace": command, "OptionName": "Timeout"}])
    assert "Command execution completed on all instances. Summary: [Successful: 0, TimedOut: 1]." in messages
    assert stage.get(f"{url}/") == "release 2\n"


def the_deployment(stage: Any) -> dict[str, Any]:
    """The last deployment of the environment's only instance."""
    (instance,) = stage.eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    return dict(instance["Deployment"])


def test_a_property_reaches_the_containers_and_can_be_taken_back(stage: Any, url: str) -> None:
    settings = stage.option_settings({PROPERTIES: {"MODE": "second mode"}})
    messages = stage.messages(stage.update(NAME, OptionSettings=settings))
    assert messages[1] == f"Updating environment {NAME}'s configuration settings."
    assert messages[-2:] == [
        "Successfully deployed new configuration to environment.",
        "Environment update completed successfully.",
    ]
    assert stage.get(f"{url}/env/MODE") == "second mode\n"
    stage.update(NAME, OptionsToRemove=[{"Namespace": PROPERTIES, "OptionName": "MODE"}])
    assert stage.get(f"{url}/env/MODE") == "is not set\n"


def test_what_the_api_sets_wins_over_the_bundle(stage: Any, url: str) -> None:
    extension = json.dumps({"option_settings": [{"option_name": name, "value": "bundle"} for name in ("ONE", "TWO")]})
    label = stage.version([web(stage, "2")], {".ebextensions/00.config": extension})
    settings = stage.option_settings({PROPERTIES: {"ONE": "api"}})
    stage.update(NAME, VersionLabel=label, OptionSettings=settings)
    assert [stage.get(f"{url}/env/{name}") for name in ("ONE", "TWO")] == ["api\n", "bundle\n"]


def test_an_essential_container_that_ends_takes_its_task_along_and_ecs_starts_another(stage: Any, url: str) -> None:
    before = the_task(stage)["taskArn"]
    stage.fetch(f"{url}/exit/3")
    stage.wait_for(lambda: stage.answers(f"{url}/", "release"), "another task")
    assert the_task(stage)["taskArn"] != before
    ended = the_task(stage, "STOPPED")
    assert ended["stopCode"] == "EssentialContainerExited"
    assert {item["name"]: item["exitCode"] for item in ended["containers"]}["web"] == 3
    health = stage.eb.describe_environment_health(EnvironmentName=NAME, AttributeNames=["All"])
    assert health["Color"] != "Green"
    assert "web" in health["Causes"][0]


def test_a_container_over_its_memory_is_killed_and_said_so(stage: Any, url: str) -> None:
    stage.fetch(f"{url}/eat")

    def killed() -> list[str]:
        stopped = the_task(stage, "STOPPED")["containers"]
        return [item for item in stopped if str(item.get("reason")).startswith("OutOfMemoryError")]

    stage.wait_for(killed, "the end for lack of memory", 60)


def test_an_abort_keeps_the_old_version(stage: Any, url: str) -> None:
    stage.wait_for(lambda: stage.answers(f"{url}/", "release 2"), "the task after the memory test")
    label = stage.version([web(stage, "never")], {HOOK: "#!/bin/sh\nsleep 600\n"})
    reply = stage.eb.update_environment(EnvironmentName=NAME, VersionLabel=label)
    assert reply["AbortableOperationInProgress"]
    stage.eb.abort_environment_update(EnvironmentName=NAME)
    assert stage.ready(NAME)["VersionLabel"] != label
    assert "Failed to deploy application." in stage.messages(reply["ResponseMetadata"]["RequestId"])
    assert stage.get(f"{url}/") == "release 2\n"


REVERTED = [
    "Environment update is starting.",
    f"Updating environment {NAME}'s configuration settings.",
    *FAILED[2:6],
    "Failed to deploy configuration.",
    "The environment was reverted to the previous configuration setting.",
]


def test_settings_with_which_nothing_runs_are_taken_back(stage: Any, url: str) -> None:
    before = stage.environment(NAME)
    settings = stage.option_settings({PROPERTIES: {"ONE": "broken", "FAIL": "start"}})
    request_id = stage.update(NAME, OptionSettings=settings)
    after = stage.environment(NAME)
    assert (after["VersionLabel"], after["Status"], after["Health"]) == (before["VersionLabel"], "Ready", "Red")
    (instance,) = stage.eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    assert stage.messages(request_id) == [line.replace("{instance}", instance["InstanceId"]) for line in REVERTED]
    assert (instance["HealthStatus"], instance["Deployment"]["Status"]) == ("Ok", "Deployed")
    assert instance["Deployment"]["VersionLabel"] == before["VersionLabel"]
    assert [stage.get(f"{url}/env/{name}") for name in ("ONE", "FAIL")] == ["api\n", "is not set\n"]
    sets = stage.eb.describe_configuration_settings(ApplicationName=APPLICATION, EnvironmentName=NAME)
    ones = {
        found["DeploymentStatus"]: item["Value"]
        for found in sets["ConfigurationSettings"]
        for item in found["OptionSettings"]
        if (item["Namespace"], item["OptionName"]) == (PROPERTIES, "ONE")
    }
    assert ones == {"deployed": "api", "failed": "broken"}


def test_tags_make_the_environment_busy_for_a_moment(stage: Any, created: dict[str, Any]) -> None:
    arn = created["EnvironmentArn"]
    stage.eb.update_tags_for_resource(ResourceArn=arn, TagsToAdd=[{"Key": "Stage", "Value": "test"}])
    stage.ready(NAME)
    tags = {item["Key"]: item["Value"] for item in stage.eb.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]}
    assert (tags["Stage"], tags["Project"]) == ("test", "hello")
    assert tags["elasticbeanstalk:environment-name"] == NAME


def test_another_security_group_means_another_instance(stage: Any, url: str) -> None:
    ec2 = stage.cloud.client("ec2")
    group = ec2.create_security_group(GroupName=f"hello-{time.time()}", Description="for the test")["GroupId"]
    before = stage.eb.describe_environment_resources(EnvironmentName=NAME)["EnvironmentResources"]["Instances"]
    settings = stage.option_settings({"aws:autoscaling:launchconfiguration": {"SecurityGroups": group}})
    stage.update(NAME, OptionSettings=settings)
    after = stage.eb.describe_environment_resources(EnvironmentName=NAME)["EnvironmentResources"]["Instances"]
    assert before != after
    found = ec2.describe_instances(InstanceIds=[after[0]["Id"]])["Reservations"][0]["Instances"][0]
    assert group in [item["GroupId"] for item in found["SecurityGroups"]]
    assert stage.get(f"{url}/") == "release 2\n"
