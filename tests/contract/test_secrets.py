# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on the ECS platform need three grants, and logs of containers a fourth: without any one of them a deployment
fails as it does on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

NAME = "secrets-one"
SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
LAUNCH = "aws:autoscaling:launchconfiguration"
NO_SECRETS = "Instance deployment failed to get one or more secrets"
GROUP = f"/aws/elasticbeanstalk/{NAME}/containers"
READ = ["secretsmanager:GetSecretValue"]


@dataclass(frozen=True)
class Keeper:
    """Roles, an instance profile and a secret of this module's own."""

    stage: Any
    iam: Any
    secret: str
    execution_role: str

    def grant(self, role: str, policy: str, actions: list[str], resource: str, **condition: Any) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource, **condition}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)

    def grant_all(self) -> None:
        pattern = self.secret[:-6] + "??????"
        passed = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        self.grant("keeper", "read", READ, pattern)
        self.grant("keeper", "pass", ["iam:PassRole"], self.execution_role, Condition=passed)
        self.grant("keeper-execution", "read", READ, pattern)
        self.grant("keeper-execution", "log", ["logs:CreateLogStream"], f"arn:aws:logs:*:*:log-group:{GROUP}:*")

    def version(self, **dockerrun: Any) -> str:
        web = self.stage.container(
            "web",
            portMappings=[{"hostPort": 80, "containerPort": 8000}],
            secrets=[{"name": "OF_THE_CONTAINER", "valueFrom": f"{self.secret}:password::"}],
            logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": GROUP}},
        )
        return str(self.stage.version([web], executionRoleArn=self.execution_role, **dockerrun))

    def deploy(self) -> list[str]:
        """The messages of the deployment of a new version."""
        return list(self.stage.messages(self.stage.update(NAME, VersionLabel=self.version())))


def role(iam: Any, name: str, service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])


@pytest.fixture(scope="module")
def keeper(stage: Any) -> Iterator[Keeper]:
    iam = stage.cloud.client("iam")
    role(iam, "keeper", "ec2.amazonaws.com")
    execution_role = role(iam, "keeper-execution", "ecs-tasks.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="keeper")
    iam.add_role_to_instance_profile(InstanceProfileName="keeper", RoleName="keeper")
    value = json.dumps({"password": "s3cret"})
    secret = stage.cloud.client("secretsmanager").create_secret(Name="keeper", SecretString=value)["ARN"]
    stage.cloud.client("logs").create_log_group(logGroupName=GROUP)
    made = Keeper(stage, iam, secret, execution_role)
    made.grant_all()
    settings: dict[str, Mapping[str, str]] = {
        LAUNCH: {"IamInstanceProfile": "keeper"},
        SECRETS: {"OF_THE_ENVIRONMENT": f"{secret}:password::"},
    }
    stage.create(NAME, made.version(), settings)
    stage.ready(NAME)
    yield made
    stage.eb.terminate_environment(EnvironmentName=NAME)


def test_with_all_grants_containers_have_the_environments_secrets_and_their_own(keeper: Keeper) -> None:
    url = f"http://{keeper.stage.environment(NAME)['EndpointURL']}"
    assert keeper.stage.get(f"{url}/env/OF_THE_ENVIRONMENT") == "s3cret\n"
    assert keeper.stage.get(f"{url}/env/OF_THE_CONTAINER") == "s3cret\n"


@pytest.mark.parametrize(
    ("of", "policy", "event", "log"),
    [
        ("keeper", "read", NO_SECRETS, "is not authorized to perform: secretsmanager:GetSecretValue on resource: "),
        ("keeper", "pass", None, "(AccessDeniedException) when calling the StartTask operation: User: "),
        ("keeper-execution", "read", None, "/keeper-execution/"),
        ("keeper-execution", "log", None, "failed to create Cloudwatch log stream: AccessDeniedException: User: "),
    ],
)
def test_without_one_of_the_grants_a_deployment_fails(
    keeper: Keeper, of: str, policy: str, event: str | None, log: str
) -> None:
    before = keeper.stage.environment(NAME)["VersionLabel"]
    keeper.iam.delete_role_policy(RoleName=of, PolicyName=policy)
    messages = keeper.deploy()
    keeper.grant_all()
    assert [message for message in messages if message == NO_SECRETS] == ([event] if event else [])
    assert "Instance deployment failed. For details, see 'eb-engine.log'." in messages
    assert "Failed to deploy application." in messages
    after = keeper.stage.environment(NAME)
    assert (after["VersionLabel"], after["Health"]) == (before, "Red")
    assert log in engine_log(keeper)[-1]


def engine_log(keeper: Keeper) -> list[str]:
    """The errors in the instance's log of deployments."""
    logs, group = keeper.stage.cloud.client("logs"), f"/aws/elasticbeanstalk/{NAME}/var/log/eb-engine.log"
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    ]
    return [message for message in events if "[ERROR]" in message]


def test_a_role_that_ecs_may_not_assume_is_none(keeper: Keeper) -> None:
    stranger = role(keeper.iam, "stranger", "lambda.amazonaws.com")
    keeper.grant("keeper", "pass-any", ["iam:PassRole"], "*")
    label = keeper.stage.version([keeper.stage.container("web")], executionRoleArn=stranger)
    keeper.stage.update(NAME, VersionLabel=label)
    keeper.iam.delete_role_policy(RoleName="keeper", PolicyName="pass-any")
    assert "ECS was unable to assume the role" in engine_log(keeper)[-1]


def test_secrets_without_an_execution_role_are_refused_by_ecs(keeper: Keeper) -> None:
    label = keeper.stage.version([keeper.stage.container("web")], executionRoleArn=None)
    messages = keeper.stage.messages(keeper.stage.update(NAME, VersionLabel=label))
    refused = [message for message in messages if message.startswith("Service:AmazonECS, Code:ClientException")]
    assert len(refused) == 1
    assert "you must also specify a value for 'executionRoleArn'" in refused[0]


def test_a_restart_reads_secrets_anew_and_fails_without_the_grant(keeper: Keeper) -> None:
    url = f"http://{keeper.stage.environment(NAME)['EndpointURL']}"
    value = json.dumps({"password": "rotated"})
    keeper.stage.cloud.client("secretsmanager").put_secret_value(SecretId=keeper.secret, SecretString=value)
    assert keeper.stage.get(f"{url}/env/OF_THE_ENVIRONMENT") == "s3cret\n"
    keeper.stage.eb.restart_app_server(EnvironmentName=NAME)
    keeper.stage.ready(NAME)
    assert keeper.stage.get(f"{url}/env/OF_THE_ENVIRONMENT") == "rotated\n"
    keeper.iam.delete_role_policy(RoleName="keeper", PolicyName="read")
    request_id = keeper.stage.eb.restart_app_server(EnvironmentName=NAME)["ResponseMetadata"]["RequestId"]
    keeper.stage.ready(NAME)
    keeper.grant_all()
    assert NO_SECRETS in keeper.stage.messages(request_id)
