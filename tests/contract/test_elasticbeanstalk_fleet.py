# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of several instances behind a load balancer: how versions, settings and losses come to them."""

from __future__ import annotations

import contextlib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

APPLICATION = "hello"
NAME = "hello-fleet"
PLATFORM = "ECS running on 64bit Amazon Linux 2023"
COMMAND = "aws:elasticbeanstalk:command"
ASG = "aws:autoscaling:asg"
LAUNCH = "aws:autoscaling:launchconfiguration"
ROLLING_UPDATE = "aws:autoscaling:updatepolicy:rollingupdate"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
SETTINGS = {
    "aws:elasticbeanstalk:environment": {"EnvironmentType": "LoadBalanced", "LoadBalancerType": "application"},
    "aws:elasticbeanstalk:environment:process:default": {"HealthCheckPath": "/healthy"},
    ASG: {"MinSize": "2", "MaxSize": "3"},
    COMMAND: {"DeploymentPolicy": "Rolling", "BatchSizeType": "Fixed", "BatchSize": "1"},
    PROPERTIES: {"MODE": "first"},
}
# Answers with its release, its mode and the request's head.
SERVER = """
use IO::Socket::INET; $| = 1; $SIG{TERM} = sub { exit 0 };
$server = IO::Socket::INET->new(LocalPort => 8000, Listen => 64, ReuseAddr => 1) or die;
while ($client = $server->accept) {
  $head = ""; while (<$client>) { last if /^\\r$/; $head .= $_ }
  $body = "release $ENV{RELEASE}\\nmode $ENV{MODE}\\n$head";
  print $client "HTTP/1.0 200 OK\\r\\nContent-Length: " . length($body) . "\\r\\n\\r\\n$body"; close $client;
}
"""
LEADER = (
    "container_commands:\n"
    '  01_all: {command: "touch /var/app/staging/was-here"}\n'
    '  02_one: {command: "touch /var/app/staging/led", leader_only: true}\n'
)
HOOK = ".platform/hooks/postdeploy/01_hook.sh"


def version(stage: Any, release: str, port: int = 8000, files: dict[str, str] | None = None) -> str:
    web = stage.container(
        "web",
        entryPoint=["/usr/bin/perl", "-e", SERVER],
        portMappings=[{"hostPort": 80, "containerPort": port}],
        environment=[{"name": "RELEASE", "value": release}],
    )
    return str(stage.version([web], files))


@pytest.fixture(scope="module")
def created(stage: Any) -> Iterator[dict[str, Any]]:
    """The environment of this module as it is after its launch, with the launch's request id."""
    files = {".ebextensions/01.config": LEADER, HOOK: "#!/bin/sh\necho this instance has $(ls)\n"}
    label = version(stage, "1", files=files)
    reply = stage.create(NAME, label, SETTINGS)
    environment = stage.ready(NAME)
    yield {**environment, "request_id": reply["ResponseMetadata"]["RequestId"], "label": label}
    stage.ready(NAME)
    stage.eb.terminate_environment(EnvironmentName=NAME)
    stage.wait_for(lambda: not describe(stage), f"the end of {NAME}")


def describe(stage: Any) -> Any:
    return stage.eb.describe_environments(EnvironmentNames=[NAME], IncludeDeleted=False)["Environments"]


@pytest.fixture
def url(created: dict[str, Any]) -> str:
    return f"http://{created['EndpointURL']}/"


def instances(stage: Any) -> dict[str, dict[str, Any]]:
    """What DescribeInstancesHealth says, by instance."""
    found = stage.eb.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
    return {item["InstanceId"]: item for item in found}


def labels(stage: Any) -> list[str]:
    return sorted(item["Deployment"]["VersionLabel"] for item in instances(stage).values())


def resources(stage: Any) -> dict[str, Any]:
    return made_of(stage, NAME)


def made_of(stage: Any, name: str) -> dict[str, Any]:
    return dict(stage.eb.describe_environment_resources(EnvironmentName=name)["EnvironmentResources"])


def said(stage: Any, words: str) -> bool:
    """Whether an event without a request says this."""
    return any(words in event["Message"] for event in stage.eb.describe_events(EnvironmentName=NAME)["Events"])


def health(stage: Any) -> dict[str, Any]:
    return dict(stage.eb.describe_environment_health(EnvironmentName=NAME, AttributeNames=["All"]))


def settle(stage: Any) -> None:
    stage.wait_for(lambda: health(stage)["HealthStatus"] == "Ok", "an environment that is well")


@contextlib.contextmanager
def visitors(url: str) -> Iterator[list[str]]:
    """Somebody asks all the time; the list has the first line of each answer, or what went wrong."""
    answers: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            try:
                with urllib.request.urlopen(url, timeout=5) as reply:
                    answers.append(reply.readline().decode().strip())
            except (OSError, urllib.error.URLError) as error:
                answers.append(f"failed: {error}")

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in asking:
            thread.join()


def test_a_launch_makes_as_many_instances_as_the_group_has_at_least(stage: Any, created: dict[str, Any]) -> None:
    messages = stage.messages(created["request_id"])
    found = resources(stage)
    assert messages[0] == "createEnvironment is starting."
    assert f"Created Auto Scaling group named: {found['AutoScalingGroups'][0]['Name']}" in messages
    assert f"Created load balancer named: {found['LoadBalancers'][0]['Name']}" in messages
    assert messages[-1] == f"Successfully launched environment: {NAME}"
    ids = sorted(item["Id"] for item in found["Instances"])
    assert said(stage, "Added instances [")
    assert sorted(instances(stage)) == ids
    assert len(ids) == 2
    assert health(stage)["InstancesHealth"]["Ok"] == 2


def test_each_instance_is_one_of_the_cluster_with_a_task_of_its_own(stage: Any, created: dict[str, Any]) -> None:
    ecs = stage.cloud.client("ecs")
    (cluster,) = [arn for arn in ecs.list_clusters()["clusterArns"] if f"awseb-{NAME}" in arn]
    arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
    members = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)["containerInstances"]
    assert {item["ec2InstanceId"] for item in members} == set(instances(stage))
    tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
    assert {task["containerInstanceArn"] for task in tasks} == set(arns)
    assert len({task["taskDefinitionArn"] for task in tasks}) == 1


def test_other_services_show_what_the_environment_consists_of(stage: Any, created: dict[str, Any]) -> None:
    found, ids = resources(stage), set(instances(stage))
    name = found["AutoScalingGroups"][0]["Name"]
    (group,) = stage.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (2, 3, 2)
    assert {item["InstanceId"] for item in group["Instances"]} == ids
    assert target_states(stage) == dict.fromkeys(ids, "healthy")


def target_states(stage: Any) -> dict[str, str]:
    """What DescribeTargetHealth says, by instance."""
    elb = stage.cloud.client("elbv2")
    balancer = resources(stage)["LoadBalancers"][0]["Name"]
    (group,) = elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    assert group["HealthCheckPath"] == "/healthy"
    found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    return {item["Target"]["Id"]: item["TargetHealth"]["State"] for item in found}


def test_requests_come_as_a_load_balancer_sends_them(stage: Any, url: str) -> None:
    request = urllib.request.Request(url, headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        head = dict(line.decode().strip().partition(": ")[::2] for line in reply)
    got = {name.lower(): value for name, value in head.items()}
    assert got["x-forwarded-for"] == "192.0.2.7, 127.0.0.1"
    assert (got["x-forwarded-proto"], got["x-forwarded-port"]) == ("http", "80")
    assert got["x-amzn-trace-id"].startswith("Root=1-")


def test_one_instance_leads(stage: Any, created: dict[str, Any]) -> None:
    logs, group = stage.cloud.client("logs"), f"/aws/elasticbeanstalk/{NAME}/var/log/eb-hooks.log"
    lines = [
        event["message"]
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        if event["message"].startswith("this instance has")
    ]
    assert len(lines) == 2
    assert [line.count("was-here") for line in lines] == [1, 1]
    assert sorted(line.count(" led") for line in lines) == [0, 1]


def test_a_rolling_deployment_serves_all_the_time(stage: Any, url: str) -> None:
    ids = [item["Id"] for item in resources(stage)["Instances"]]
    label = version(stage, "2")
    with visitors(url) as answers:
        request_id = stage.update(NAME, VersionLabel=label)
    assert set(answers) == {"release 1", "release 2"}
    assert answers[-1] == "release 2"
    assert labels(stage) == [label, label]
    assert sorted(instances(stage)) == sorted(ids)
    batches = [
        [
            f"Batch {number}: Starting application deployment on instance(s) [{instance}].",
            f"Batch {number}: De-registering instance(s) from the load balancer and waiting for them to go out of "
            "service.",
            f"Batch {number}: Starting application deployment command execution.",
            "Instance deployment completed successfully.",
            f"Batch {number}: Completed application deployment command execution.",
            f"Command execution completed on {number} of 2 instances in environment.",
            f"Batch {number}: Registering instance(s) with the load balancer and waiting for them to be healthy.",
            f"Batch {number}: Completed application deployment.",
        ]
        for number, instance in enumerate(ids, 1)
    ]
    assert stage.messages(request_id) == [
        "Environment update is starting.",
        "Deploying new version to instance(s).",
        *batches[0],
        *batches[1],
        "New application version was deployed to running EC2 instances.",
        "Environment update completed successfully.",
    ]


def test_an_aborted_change_of_settings_goes_back_where_it_has_come(stage: Any, url: str) -> None:
    before = {name: item["Deployment"]["DeploymentId"] for name, item in instances(stage).items()}
    settings = stage.option_settings({PROPERTIES: {"MODE": "second"}})
    reply = stage.eb.update_environment(EnvironmentName=NAME, OptionSettings=settings)
    request_id = reply["ResponseMetadata"]["RequestId"]
    stage.wait_for(lambda: "second" in modes(url), "the first batch")
    stage.eb.abort_environment_update(EnvironmentName=NAME)
    stage.ready(NAME)
    assert stage.messages(request_id)[-2:] == [
        "Failed to deploy configuration.",
        "The environment was reverted to the previous configuration setting.",
    ]
    assert modes(url) == {"first"}
    assert {name: item["Deployment"]["DeploymentId"] for name, item in instances(stage).items()} == before
    assert {item["Deployment"]["Status"] for item in instances(stage).values()} == {"Deployed"}


def modes(url: str) -> set[str]:
    """What the instances, each of which is asked in its turn, have for the property MODE."""
    found = set()
    for _ in range(4):
        with urllib.request.urlopen(url, timeout=10) as reply:
            found.add(reply.read().decode().splitlines()[1].removeprefix("mode "))
    return found


def test_a_batch_that_nobody_can_reach_ends_the_deployment_and_leaves_two_versions(stage: Any, url: str) -> None:
    good, bad = stage.environment(NAME)["VersionLabel"], version(stage, "3", port=9)
    reply = stage.eb.update_environment(EnvironmentName=NAME, VersionLabel=bad)
    request_id = reply["ResponseMetadata"]["RequestId"]
    stage.wait_for(lambda: "Batch 1: Registering" in " ".join(stage.messages(request_id)), "the first batch")
    stage.cloud.advance(600 + 240 + 1)
    assert stage.ready(NAME)["VersionLabel"] == good
    messages = stage.messages(request_id)
    (failed,) = [name for name, item in instances(stage).items() if item["Deployment"]["VersionLabel"] == bad]
    assert (
        f"Instance id(s) '{failed}' did not pass health check after command execution. Aborting the operation."
        in messages
    )
    assert "Failed to deploy application." in messages
    assert sorted(labels(stage)) == sorted([good, bad])
    assert stage.fetch(url).startswith("release 2\n")
    unreachable = "ELB processes are not healthy on 1 out of 2 instances."
    stage.wait_for(lambda: unreachable in health(stage)["Causes"], "failed checks of the load balancer")
    assert "Command failed on 1 out of 2 instances." in health(stage)["Causes"]
    assert stage.environment(NAME)["Health"] == "Red"
    assert sorted(target_states(stage).values()) == ["healthy", "unhealthy"]
    unwell = " ".join(instances(stage)[failed]["Causes"])
    assert "Process default has been unhealthy" in unwell
    assert f'Incorrect application version "{bad}"' in unwell


def test_an_additional_batch_keeps_the_capacity(stage: Any, url: str) -> None:
    stage.update(
        NAME, OptionSettings=stage.option_settings({COMMAND: {"DeploymentPolicy": "RollingWithAdditionalBatch"}})
    )
    before, label = set(instances(stage)), version(stage, "4")
    with visitors(url) as answers:
        messages = stage.messages(stage.update(NAME, VersionLabel=label))
    assert set(answers) == {"release 2", "release 4"}
    assert "Launching a new batch of 1 additional instance(s)." in messages[2]
    assert set(instances(stage)) == before
    assert labels(stage) == [label, label]
    settle(stage)


def test_the_collection_judges_a_release_on_several_instances(stage: Any, url: str, run_module: Any) -> None:
    account = {"endpoint_url": stage.cloud.endpoint, "access_key": "testing", "secret_key": "testing-secret"}
    environment = {**account, "region": "us-west-2", "application_name": APPLICATION}
    label = version(stage, "4b")
    wanted = {"name": NAME, "version_label": label, "platform_branch": PLATFORM, "option_settings": SETTINGS}
    started = run_module("eb_environment", {**environment, **wanted})
    assert started["changed"], started
    judgement = {
        "environment_name": NAME,
        "version_label": label,
        "request_id": started["request_id"],
        "since": started["since"],
        "containers": ["web"],
        "probe": {"path": "/"},
        "steady": 2,
        "timeout": 120,
        "poll": 0.5,
    }
    judged = run_module("eb_health_wait", {**environment, **judgement})
    assert not judged.get("failed"), judged
    assert labels(stage) == [label, label]


def test_an_abort_leaves_what_each_instance_has(stage: Any, url: str) -> None:
    stage.update(NAME, OptionSettings=stage.option_settings({COMMAND: {"DeploymentPolicy": "Rolling"}}))
    old, new = stage.environment(NAME)["VersionLabel"], version(stage, "5")
    reply = stage.eb.update_environment(EnvironmentName=NAME, VersionLabel=new)
    request_id = reply["ResponseMetadata"]["RequestId"]
    first = "Batch 1: Completed application deployment."
    stage.wait_for(lambda: first in stage.messages(request_id), "the first batch")
    stage.eb.abort_environment_update(EnvironmentName=NAME)
    assert stage.environment(NAME)["Status"] in ("Aborting", "Ready")
    assert stage.ready(NAME)["VersionLabel"] == old
    assert "Failed to deploy application." in stage.messages(request_id)
    assert new in labels(stage)
    stage.wait_for(lambda: stage.answers(url, "release 4b"), "the version of the other instance")
    assert "Incorrect application version found on" in " ".join(health(stage)["Causes"])


def test_an_immutable_deployment_replaces_all_or_nothing(stage: Any, url: str) -> None:
    stage.update(NAME, OptionSettings=stage.option_settings({COMMAND: {"DeploymentPolicy": "Immutable"}}))
    before = set(instances(stage))
    bad = version(stage, "6", files={HOOK: "#!/bin/sh\nexit 1\n"})
    messages = stage.messages(stage.update(NAME, VersionLabel=bad))
    assert "Failed to deploy application." in messages
    assert set(instances(stage)) == before
    label = version(stage, "7")
    with visitors(url) as answers:
        messages = stage.messages(stage.update(NAME, VersionLabel=label))
    assert [answer for answer in answers if not answer.startswith("release ")] == []
    assert answers[-1] == "release 7"
    assert set(instances(stage)).isdisjoint(before)
    assert labels(stage) == [label, label]
    assert messages[1].startswith("Immutable deployment policy enabled. Launching one instance")
    assert "Test instance passed health checks. Launching remaining new instances." in messages
    assert "Deployment succeeded. Terminating old instances and temporary Auto Scaling group." in messages
    settle(stage)


def test_the_groups_sizes_scale(stage: Any, created: dict[str, Any]) -> None:
    before = set(instances(stage))
    stage.update(NAME, OptionSettings=stage.option_settings({ASG: {"MinSize": "3"}}))
    assert len(instances(stage)) == 3
    assert len(set(labels(stage))) == 1
    assert health(stage)["InstancesHealth"]["Ok"] == 3
    stage.update(NAME, OptionSettings=stage.option_settings({ASG: {"MinSize": "2", "MaxSize": "2"}}))
    assert len(instances(stage)) == 2
    assert len(set(instances(stage)) & before) == 1
    settle(stage)


def test_a_lost_instance_is_replaced(stage: Any, url: str) -> None:
    label = stage.environment(NAME)["VersionLabel"]
    lost = next(iter(instances(stage)))
    stage.cloud.admin("POST", "latency", {"autoscaling.notice": 60})
    stage.cloud.admin("POST", "instances/lose", {"instance_id": lost})
    stage.wait_for(lambda: health(stage)["HealthStatus"] == "Degraded", "an environment that is unwell")
    causes = " ".join(health(stage)["Causes"])
    assert "No data received from 1 out of 2 instances." in causes
    assert "1 active instances is below Auto Scaling group minimum size 2." in causes
    assert instances(stage)[lost]["HealthStatus"] == "NoData"
    found = stage.cloud.client("ec2").describe_instances(InstanceIds=[lost])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "terminated"
    # Until its health checks have failed, requests go to the lost one too.
    stage.wait_for(lambda: stage.answers(url, "release 7"), "the other instance's answer")
    stage.cloud.advance(61)
    stage.cloud.admin("DELETE", "latency")
    stage.wait_for(lambda: lost not in instances(stage) and len(instances(stage)) == 2, "another instance")
    settle(stage)
    assert said(stage, f"Removed instance [{lost}] from your environment.")
    assert labels(stage) == [label, label]
    ended = next(iter(instances(stage)))
    stage.cloud.client("ec2").terminate_instances(InstanceIds=[ended])
    stage.wait_for(lambda: ended not in instances(stage) and len(instances(stage)) == 2, "one for who was terminated")
    settle(stage)


def test_new_settings_of_instances_come_in_batches(stage: Any, url: str) -> None:
    update = {"RollingUpdateEnabled": "true", "RollingUpdateType": "Health", "MaxBatchSize": "1"}
    group = stage.cloud.client("ec2").create_security_group(GroupName=NAME, Description="for the test")["GroupId"]
    before = set(instances(stage))
    settings = {ROLLING_UPDATE: {**update, "MinInstancesInService": "1"}, LAUNCH: {"SecurityGroups": group}}
    with visitors(url) as answers:
        messages = stage.messages(stage.update(NAME, OptionSettings=stage.option_settings(settings)))
    assert set(answers) == {"release 7"}
    assert set(instances(stage)).isdisjoint(before)
    assert messages[-2:] == [
        "Successfully deployed new configuration to environment.",
        "Environment update completed successfully.",
    ]


def test_health_and_requests_are_metrics(stage: Any, url: str) -> None:
    cloudwatch = stage.cloud.client("cloudwatch")
    stage.fetch(url)
    # The load balancer's counts are looked at every two seconds, told every minute.
    balancer = resources(stage)["LoadBalancers"][0]["Name"].partition(":loadbalancer/")[2]

    def told(name: str, dimension: str, value: str) -> bool:
        stage.cloud.advance(60)
        found = cloudwatch.list_metrics(MetricName=name)["Metrics"]
        return [{"Name": dimension, "Value": value}] in [item["Dimensions"] for item in found]

    stage.wait_for(lambda: told("EnvironmentHealth", "EnvironmentName", NAME), "the health")
    stage.wait_for(lambda: told("RequestCount", "LoadBalancer", balancer), "the requests")
    stage.wait_for(lambda: told("HTTPCode_Target_2XX_Count", "LoadBalancer", balancer), "the answers")


def test_a_deployment_goes_on_where_health_is_to_be_ignored(stage: Any, url: str) -> None:
    bad = version(stage, "8", port=9)
    forced = {COMMAND: {"DeploymentPolicy": "AllAtOnce", "IgnoreHealthCheck": "true"}}
    stage.update(NAME, OptionSettings=stage.option_settings(forced))
    reply = stage.eb.update_environment(EnvironmentName=NAME, VersionLabel=bad)
    request_id = reply["ResponseMetadata"]["RequestId"]
    done = "Instance deployment completed successfully."
    stage.wait_for(lambda: stage.messages(request_id).count(done) == 2, "both instances")
    # It still gets the time that the commands may take to become healthy.
    assert stage.environment(NAME)["Status"] == "Updating"
    stage.cloud.advance(600 + 240 + 1)
    assert stage.ready(NAME)["VersionLabel"] == bad
    assert stage.messages(request_id)[-2:] == [
        "New application version was deployed to running EC2 instances.",
        "Environment update completed successfully.",
    ]
    assert labels(stage) == [bad, bad]
    unreachable = "ELB processes are not healthy on all instances."
    stage.wait_for(lambda: unreachable in health(stage)["Causes"], "failed checks of the load balancer")
    assert stage.environment(NAME)["Health"] == "Red"


GROWING = "hello-grows"
KIND = "aws:elasticbeanstalk:environment"
SINGLE = {KIND: {"EnvironmentType": "SingleInstance", "LoadBalancerType": "application"}}


@pytest.fixture(scope="module")
def single(stage: Any) -> Iterator[str]:
    """The address of an environment of one instance, as it is after its launch."""
    reply = stage.create(GROWING, version(stage, "1"), SINGLE)
    environment = stage.ready(GROWING)
    assert f"Successfully launched environment: {GROWING}" in stage.messages(reply["ResponseMetadata"]["RequestId"])
    yield f"http://{environment['EndpointURL']}/"
    stage.ready(GROWING)
    stage.eb.terminate_environment(EnvironmentName=GROWING)


def test_an_immutable_deployment_moves_the_address_of_a_single_instance(stage: Any, single: str) -> None:
    (before,) = made_of(stage, GROWING)["Instances"]
    stage.update(GROWING, OptionSettings=stage.option_settings({COMMAND: {"DeploymentPolicy": "Immutable"}}))
    label = version(stage, "2")
    with visitors(single) as answers:
        messages = stage.messages(stage.update(GROWING, VersionLabel=label))
    assert set(answers) == {"release 1", "release 2"}
    assert answers[-1] == "release 2"
    (after,) = made_of(stage, GROWING)["Instances"]
    assert after != before
    assert stage.environment(GROWING)["VersionLabel"] == label
    assert messages[1] == (
        "Immutable deployment policy enabled. Launching one instance with the new settings to verify health."
    )
    assert f"Waiting for instance(s) ({after['Id']}) to pass health checks." in messages
    assert not [message for message in messages if "remaining new instances" in message]
    assert messages[-3:] == [
        "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.",
        "New application version was deployed to running EC2 instances.",
        "Environment update completed successfully.",
    ]


def test_a_single_instance_gets_the_load_balancer_that_it_was_created_for(
    stage: Any, single: str, run_module: Any
) -> None:
    account = {"endpoint_url": stage.cloud.endpoint, "access_key": "testing", "secret_key": "testing-secret"}
    environment = {**account, "region": "us-west-2", "application_name": APPLICATION, "name": GROWING}
    assert not run_module("eb_environment", {**environment, "option_settings": SINGLE})["changed"]
    wanted = {**SETTINGS, ASG: {"MinSize": "2", "MaxSize": "2"}}
    assert run_module("eb_environment", {**environment, "option_settings": wanted})["changed"]
    grown = stage.ready(GROWING)
    made = made_of(stage, GROWING)
    assert len(made["LoadBalancers"]) == 1 and len(made["Instances"]) == 2
    assert stage.get(f"http://{grown['EndpointURL']}/").startswith("release 2\n")
    assert not run_module("eb_environment", {**environment, "option_settings": wanted})["changed"]
    classic = {KIND: {"LoadBalancerType": "classic"}}
    refused = run_module("eb_environment", {**environment, "option_settings": classic}, check=True)
    assert "that is chosen when an environment is created" in refused["msg"]
