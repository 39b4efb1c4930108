# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM carried out: users and roles may do what their policies let, in every protocol, and nobody else is bound."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.contract.conftest import REGION, LocalCloud
from tests.support.webidentity import AUDIENCE, token

USER = "judged"
ROLE = "judged-role"


@dataclass(frozen=True)
class Judged:
    """A user, a role, and whose rights their policies are."""

    cloud: LocalCloud
    keys: Mapping[str, str]

    def client(self, service: str, keys: Mapping[str, str] | None = None) -> Any:
        signing: dict[str, Any] = dict(keys or self.keys)
        return boto3.client(service, endpoint_url=self.cloud.endpoint, region_name=REGION, **signing)

    def may(self, *statements: dict[str, Any]) -> None:
        """The user may do this, and nothing else."""
        self.cloud.client("iam").put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=document(*statements))


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.fixture(scope="module")
def judged(localcloud: LocalCloud) -> Iterator[Judged]:
    iam = localcloud.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    trust = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    place = {"LocationConstraint": REGION}
    localcloud.client("s3").create_bucket(Bucket="judged-bucket", CreateBucketConfiguration=place)
    localcloud.admin("POST", "iam", {"enforced": True})
    yield Judged(localcloud, keys)
    localcloud.admin("POST", "iam", {"enforced": False})


def refused(client: Any, operation: str, **parameters: Any) -> tuple[str, int, str]:
    """Code, status and message of the refusal, as botocore reads them."""
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(**parameters)
    answer = raised.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


CALLS: list[tuple[str, str, dict[str, Any], str, str, tuple[str, int]]] = [
    ("iam", "get_user", {"UserName": USER}, "iam:GetUser", f"iam::123456789012:user/{USER}", ("AccessDenied", 403)),
    (
        "rds",
        "describe_db_instances",
        {},
        "rds:DescribeDBInstances",
        "rds:us-west-2:123456789012:db:*",
        ("AccessDenied", 403),
    ),
    ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", "*", ("AccessDeniedException", 400)),
    ("ecs", "list_clusters", {}, "ecs:ListClusters", "*", ("AccessDeniedException", 400)),
    ("lambda", "list_functions", {}, "lambda:ListFunctions", "*", ("AccessDeniedException", 403)),
    ("cloudfront", "list_distributions", {}, "cloudfront:ListDistributions", "*", ("AccessDenied", 403)),
    (
        "s3",
        "list_objects_v2",
        {"Bucket": "judged-bucket"},
        "s3:ListBucket",
        "s3:::judged-bucket",
        ("AccessDenied", 403),
    ),
    ("ec2", "describe_subnets", {}, "ec2:DescribeSubnets", "*", ("UnauthorizedOperation", 403)),
    ("sns", "list_topics", {}, "sns:ListTopics", "*", ("AuthorizationError", 403)),
    (
        "elasticbeanstalk",
        "describe_environments",
        {"EnvironmentNames": ["judged"]},
        "elasticbeanstalk:DescribeEnvironments",
        "elasticbeanstalk:us-west-2:123456789012:environment/*/judged",
        ("AccessDenied", 403),
    ),
]
"""Service, operation and parameters, the action and the resource that they need, and how that is refused."""


@pytest.mark.parametrize(("service", "operation", "parameters", "action", "resource", "refusal"), CALLS)
def test_a_call_is_refused_as_the_service_does_it_until_it_is_let(
    judged: Judged,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    action: str,
    resource: str,
    refusal: tuple[str, int],
) -> None:
    client = judged.client(service)
    judged.may(statement("Deny", "none:None"))
    code, status, message = refused(client, operation, **parameters)
    assert (code, status) == refusal
    assert (
        f"User: arn:aws:iam::123456789012:user/{USER} is not authorized to perform: {action}".lower() in message.lower()
    )
    assert "because no identity-based policy allows the" in message
    arn = resource if resource == "*" else f"arn:aws:{resource}"
    judged.may(statement("Allow", action, arn))
    getattr(client, operation)(**parameters)
    judged.may(statement("Allow", action, arn), statement("Deny", action.split(":")[0] + ":*"))
    assert refused(client, operation, **parameters)[2].endswith("with an explicit deny in an identity-based policy")


def test_other_actions_and_other_resources_stay_closed(judged: Judged) -> None:
    judged.may(statement("Allow", "secretsmanager:*", "arn:aws:secretsmanager:*:*:secret:mine-??????"))
    secrets = judged.client("secretsmanager")
    arn = secrets.create_secret(Name="mine", SecretString="1")["ARN"]
    assert secrets.get_secret_value(SecretId="mine")["ARN"] == arn
    assert "secret:other" in refused(secrets, "create_secret", Name="other", SecretString="1")[2]
    assert refused(secrets, "list_secrets")[0] == "AccessDeniedException"


def test_an_action_that_nobody_knows_here_is_refused_too(judged: Judged) -> None:
    judged.may(statement("Allow", "dynamodb:*", "arn:aws:dynamodb:*:*:table/mine"))
    assert "dynamodb:ListTables on resource: *" in refused(judged.client("dynamodb"), "list_tables")[2]
    judged.may(statement("Allow", "dynamodb:ListTables"))
    assert judged.client("dynamodb").list_tables()["TableNames"] == []


def test_what_ec2_makes_must_bear_the_tags_and_can_then_be_changed(judged: Judged) -> None:
    ec2 = judged.client("ec2")
    vpc = judged.cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    wanted, has = ({"StringEquals": {f"aws:{whose}Tag/Owner": "me"}} for whose in ("Request", "Resource"))
    judged.may(
        statement("Allow", "ec2:CreateSecurityGroup", "arn:aws:ec2:*:*:vpc/*"),
        statement(
            "Allow", ["ec2:CreateSecurityGroup", "ec2:CreateTags"], "arn:aws:ec2:*:*:security-group/*", Condition=wanted
        ),
        statement("Allow", "ec2:DeleteSecurityGroup", "arn:aws:ec2:*:*:security-group/*", Condition=has),
    )
    bare = {"GroupName": "judged", "Description": "judged", "VpcId": vpc}
    assert refused(ec2, "create_security_group", **bare)[0] == "UnauthorizedOperation"
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "Owner", "Value": "me"}]}]
    mine = ec2.create_security_group(**bare, TagSpecifications=tags)["GroupId"]
    theirs = judged.cloud.client("ec2").create_security_group(**{**bare, "GroupName": "theirs"})["GroupId"]
    assert f"security-group/{theirs}" in refused(ec2, "delete_security_group", GroupId=theirs)[2]
    ec2.delete_security_group(GroupId=mine)
    judged.cloud.client("ec2").delete_security_group(GroupId=theirs)


def test_an_association_belongs_to_its_route_table(judged: Judged) -> None:
    ec2, all_may = judged.client("ec2"), judged.cloud.client("ec2")
    subnets = all_may.describe_subnets()["Subnets"]
    associations, tables = [], []
    for subnet, owner in zip(subnets, ("me", "others"), strict=False):
        tags = [{"ResourceType": "route-table", "Tags": [{"Key": "Owner", "Value": owner}]}]
        table = all_may.create_route_table(VpcId=subnet["VpcId"], TagSpecifications=tags)["RouteTable"]["RouteTableId"]
        made = all_may.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
        associations.append(made["AssociationId"])
        tables.append(table)
    has = {"StringEquals": {"aws:ResourceTag/Owner": "me"}}
    judged.may(statement("Allow", "ec2:DisassociateRouteTable", "arn:aws:ec2:*:*:route-table/*", Condition=has))
    code, status, message = refused(ec2, "disassociate_route_table", AssociationId=associations[1])
    assert (code, status) == ("UnauthorizedOperation", 403) and tables[1] in message
    ec2.disassociate_route_table(AssociationId=associations[0])


def test_a_role_has_the_rights_of_its_policies_less_those_of_its_session(judged: Judged) -> None:
    iam, sts = judged.cloud.client("iam"), judged.cloud.client("sts")
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=document(statement("Allow", "sns:*")))

    def taken(**more: Any) -> dict[str, str]:
        arn = f"arn:aws:iam::123456789012:role/{ROLE}"
        given = sts.assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    whole, less = taken(), taken(Policy=document(statement("Allow", "sns:ListTopics")))
    judged.client("sns", whole).create_topic(Name="judged")
    message = refused(judged.client("sns", less), "create_topic", Name="judged")[2]
    assert f"User: arn:aws:sts::123456789012:assumed-role/{ROLE}/test is not authorized" in message
    judged.client("sns", less).list_topics()
    assert refused(judged.client("iam", whole), "list_users")[0] == "AccessDenied"
    iam.delete_role_policy(RoleName=ROLE, PolicyName="all")
    assert refused(judged.client("sns", whole), "list_topics")[0] == "AuthorizationError"


ISSUER = "tokens.example.com"


@pytest.fixture
def federated(judged: Judged) -> Iterator[str]:
    """The ARN of a role that jobs may take for two hours, and who claims to be another may not."""
    iam = judged.cloud.client("iam")
    provider = iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE])
    said = {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": "job"}
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": said},
    }
    role = iam.create_role(RoleName="judged-job", AssumeRolePolicyDocument=document(trust), MaxSessionDuration=7200)
    yield role["Role"]["Arn"]
    iam.delete_role(RoleName="judged-job")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["OpenIDConnectProviderArn"])


def test_a_role_is_taken_by_the_token_that_it_trusts(judged: Judged, federated: str) -> None:
    wanted = {"RoleArn": federated, "RoleSessionName": "job", "DurationSeconds": 7200}
    given = judged.client("sts").assume_role_with_web_identity(WebIdentityToken=token(ISSUER, sub="job"), **wanted)
    assert given["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/judged-job/job"
    with urllib.request.urlopen(f"{judged.cloud.endpoint}/_localcloud/journal?service=sts") as lines:
        last = json.loads(lines.read().splitlines()[-1])
    assert (last["operation"], last["caller"]) == ("AssumeRoleWithWebIdentity", "anonymous")


@pytest.mark.parametrize(
    ("changed", "code", "status", "message"),
    [
        ({"sub": "another"}, "AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ({"aud": "another"}, "InvalidIdentityToken", 400, "Incorrect token audience"),
        ({"iss": "https://other"}, "InvalidIdentityToken", 400, "No OpenIDConnect provider found in your account for"),
        ({"exp": 1}, "ExpiredTokenException", 400, "must be before the expiration date/time 1"),
    ],
)
def test_a_role_is_not_taken_by_another_token(
    judged: Judged, federated: str, changed: dict[str, Any], code: str, status: int, message: str
) -> None:
    wanted = {
        "RoleArn": federated,
        "RoleSessionName": "job",
        "WebIdentityToken": token(ISSUER, **{"sub": "job", **changed}),
    }
    said = refused(judged.client("sts"), "assume_role_with_web_identity", **wanted)
    assert said[:2] == (code, status) and message in said[2]


def test_a_role_is_not_taken_by_what_is_no_token_nor_for_longer_than_it_may(judged: Judged, federated: str) -> None:
    sts, wanted = judged.client("sts"), {"RoleArn": federated, "RoleSessionName": "job"}
    said = refused(sts, "assume_role_with_web_identity", WebIdentityToken="nothing", **wanted)
    assert said[0] == "InvalidIdentityToken" and "not a valid JWT" in said[2]
    said = refused(
        sts, "assume_role_with_web_identity", WebIdentityToken=token(ISSUER, sub="job"), DurationSeconds=7201, **wanted
    )
    assert said[0] == "ValidationError" and "exceeds the MaxSessionDuration" in said[2]


def test_a_role_is_not_taken_by_whom_it_does_not_trust(judged: Judged, federated: str) -> None:
    judged.may(statement("Allow", "sts:AssumeRole"))
    for client in (judged.client("sts"), judged.cloud.client("sts")):
        code, status, message = refused(client, "assume_role", RoleArn=federated, RoleSessionName="job")
        assert (code, status) == ("AccessDenied", 403)
        assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {federated}")


def test_elastic_beanstalk_names_the_right_that_it_misses_elsewhere(judged: Judged) -> None:
    judged.may(statement("Allow", "elasticbeanstalk:*"))
    role = {"Namespace": "aws:elasticbeanstalk:environment", "OptionName": "ServiceRole", "Value": ROLE}
    named = {"ApplicationName": "judged", "EnvironmentName": "judged", "OptionSettings": [role]}
    code, status, message = refused(judged.client("elasticbeanstalk"), "create_environment", **named)
    assert (code, status) == ("InsufficientPrivilegesException", 403)
    assert message.startswith("You do not have permission to perform the 'iam:PassRole' action.")


def test_a_policy_that_is_not_understood_is_said_to_be(judged: Judged) -> None:
    judged.may(statement("Allow", "sns:ListTopics", "*", Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}))
    code, status, message = refused(judged.client("sns"), "list_topics")
    assert (code, status) == ("NotImplemented", 501)
    assert "does not judge the condition operator DateLessThan" in message


def test_who_has_no_policies_is_not_bound_and_the_journal_says_what_is_needed(judged: Judged) -> None:
    judged.cloud.client("sqs").list_queues()
    judged.may(statement("Allow", "s3:*"))
    judged.client("s3").list_buckets()
    with urllib.request.urlopen(f"{judged.cloud.endpoint}/_localcloud/journal?operation=ListBuckets") as lines:
        last = json.loads(lines.read().splitlines()[-1])
    assert last["needs"] == [["s3:ListAllMyBuckets", "*"]] and last["caller"].endswith(f"user/{USER}")


def test_off_policies_are_kept_and_bind_nobody(judged: Judged) -> None:
    judged.may(statement("Deny", "*"))
    assert judged.cloud.admin("POST", "iam", {"enforced": False}) == {"enforced": False}
    judged.client("sns").list_topics()
    judged.cloud.admin("POST", "iam", {"enforced": True})
    assert refused(judged.client("sns"), "list_topics")[0] == "AuthorizationError"
