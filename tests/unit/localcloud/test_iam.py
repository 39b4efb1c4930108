# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls need: the actions and resources of IAM, where they are not as the calls are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from localcloud.calls import Call
from localcloud.errors import Refusal
from localcloud.iam.authority import denial, needs
from localcloud.iam.needs import Asked, Need
from localcloud.policies import Verdict

HERE = "us-west-2:123456789012"
EB = f"arn:aws:elasticbeanstalk:{HERE}"
IAM = "arn:aws:iam::123456789012"


class Known:
    """One environment, one secret, one instance profile, one security group."""

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        return f"{EB}:environment/shop/shop-prod" if name_or_id in ("shop-prod", "e-1") else None

    def secret_arn(self, region: str, name: str) -> str | None:
        return f"arn:aws:secretsmanager:{HERE}:secret:shop-AbCdEf" if name == "shop" else None

    def roles_of(self, instance_profile: str) -> tuple[str, ...]:
        return (f"{IAM}:role/host",) if instance_profile == "hosts" else ()

    def route_table(self, region: str, association: str) -> str | None:
        return "rtb-0123456789abcdef0" if association == "rtbassoc-0123456789abcdef0" else None

    def copies_tags(self, region: str, database: str) -> bool:
        return database == "tagged"

    def tags(self, region: str, arn: str) -> Mapping[str, str]:
        return {"Environment": "shop"} if arn.endswith("sg-0123456789abcdef0") else {}


def asked(service: str, operation: str, parameters: Mapping[str, object], **more: Any) -> tuple[Need, ...]:
    return needs(Asked(service, operation, "us-west-2", "123456789012", parameters, Known(), **more))


def told(service: str, operation: str, parameters: Mapping[str, object], **more: Any) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in asked(service, operation, parameters, **more)]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "ListObjectsV2", {"Bucket": "b"}, ("s3:ListBucket", "arn:aws:s3:::b")),
        ("s3", "HeadBucket", {"Bucket": "b"}, ("s3:ListBucket", "arn:aws:s3:::b")),
        ("s3", "ListBuckets", {}, ("s3:ListAllMyBuckets", "*")),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k/x"}, ("s3:GetObject", "arn:aws:s3:::b/k/x")),
        ("s3", "UploadPart", {"Bucket": "b", "Key": "k"}, ("s3:PutObject", "arn:aws:s3:::b/k")),
        ("s3", "PutBucketEncryption", {"Bucket": "b"}, ("s3:PutEncryptionConfiguration", "arn:aws:s3:::b")),
        (
            "s3",
            "ListBucketInventoryConfigurations",
            {"Bucket": "b"},
            ("s3:GetInventoryConfiguration", "arn:aws:s3:::b"),
        ),
        ("s3", "DeletePublicAccessBlock", {"Bucket": "b"}, ("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::b")),
        ("ec2", "DescribeSubnets", {"SubnetId.1": "subnet-0123456789abcdef0"}, ("ec2:DescribeSubnets", "*")),
        (
            "ec2",
            "DeleteSubnet",
            {"SubnetId": "subnet-0123456789abcdef0"},
            ("ec2:DeleteSubnet", f"arn:aws:ec2:{HERE}:subnet/subnet-0123456789abcdef0"),
        ),
        (
            "ec2",
            "DisassociateRouteTable",
            {"AssociationId": "rtbassoc-0123456789abcdef0"},
            ("ec2:DisassociateRouteTable", f"arn:aws:ec2:{HERE}:route-table/rtb-0123456789abcdef0"),
        ),
        ("rds", "DescribeDBInstances", {}, ("rds:DescribeDBInstances", f"arn:aws:rds:{HERE}:db:*")),
        (
            "rds",
            "ListTagsForResource",
            {"ResourceName": f"arn:aws:rds:{HERE}:db:shop"},
            ("rds:ListTagsForResource", f"arn:aws:rds:{HERE}:db:shop"),
        ),
        (
            "elasticache",
            "DescribeReplicationGroups",
            {"ReplicationGroupId": "r"},
            ("elasticache:DescribeReplicationGroups", f"arn:aws:elasticache:{HERE}:replicationgroup:r"),
        ),
        (
            "monitoring",
            "GetDashboard",
            {"DashboardName": "d"},
            ("cloudwatch:GetDashboard", "arn:aws:cloudwatch::123456789012:dashboard/d"),
        ),
        (
            "monitoring",
            "DescribeAlarms",
            {"AlarmNames.member.1": "a"},
            ("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:a"),
        ),
        ("sns", "CreateTopic", {"Name": "t"}, ("sns:CreateTopic", f"arn:aws:sns:{HERE}:t")),
        (
            "sns",
            "Unsubscribe",
            {"SubscriptionArn": f"arn:aws:sns:{HERE}:t:0a"},
            ("sns:Unsubscribe", f"arn:aws:sns:{HERE}:t"),
        ),
        ("ecr", "DescribeImages", {"repositoryName": "r"}, ("ecr:DescribeImages", f"arn:aws:ecr:{HERE}:repository/r")),
        (
            "logs",
            "PutRetentionPolicy",
            {"logGroupName": "/g"},
            ("logs:PutRetentionPolicy", f"arn:aws:logs:{HERE}:log-group:/g"),
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/g:log-stream:s"),
        ),
        (
            "cloudfront",
            "CreateInvalidation",
            {"DistributionId": "E1"},
            ("cloudfront:CreateInvalidation", "arn:aws:cloudfront::123456789012:distribution/E1"),
        ),
        ("cloudfront", "CreateFunction", {}, ("cloudfront:CreateFunction", "*")),
        (
            "cloudfront",
            "GetFunction",
            {"Name": "f"},
            ("cloudfront:GetFunction", "arn:aws:cloudfront::123456789012:function/f"),
        ),
        ("iam", "PutRolePolicy", {"RoleName": "r", "PolicyName": "p"}, ("iam:PutRolePolicy", f"{IAM}:role/r")),
        (
            "iam",
            "RemoveRoleFromInstanceProfile",
            {"RoleName": "r", "InstanceProfileName": "i"},
            ("iam:RemoveRoleFromInstanceProfile", f"{IAM}:instance-profile/i"),
        ),
        ("iam", "CreatePolicy", {"PolicyName": "p"}, ("iam:CreatePolicy", f"{IAM}:policy/p")),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "shop"},
            ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:shop-AbCdEf"),
        ),
        (
            "secretsmanager",
            "DescribeSecret",
            {"SecretId": "new"},
            ("secretsmanager:DescribeSecret", f"arn:aws:secretsmanager:{HERE}:secret:new"),
        ),
        (
            "elasticbeanstalk",
            "UpdateEnvironment",
            {"EnvironmentName": "shop-prod"},
            ("elasticbeanstalk:UpdateEnvironment", f"{EB}:environment/shop/shop-prod"),
        ),
        (
            "elasticbeanstalk",
            "CheckDNSAvailability",
            {"CNAMEPrefix": "s"},
            ("elasticbeanstalk:CheckDNSAvailability", "*"),
        ),
        (
            "elasticbeanstalk",
            "DescribeEvents",
            {"ApplicationName": "shop", "VersionLabel": "v1"},
            ("elasticbeanstalk:DescribeEvents", f"{EB}:applicationversion/shop/v1"),
        ),
        (
            "elasticbeanstalk",
            "DescribeEvents",
            {"ApplicationName": "shop"},
            ("elasticbeanstalk:DescribeEvents", f"{EB}:application/shop"),
        ),
        (
            "ecs",
            "DescribeTasks",
            {"cluster": f"arn:aws:ecs:{HERE}:cluster/c", "tasks": [f"arn:aws:ecs:{HERE}:task/c/1"]},
            ("ecs:DescribeTasks", f"arn:aws:ecs:{HERE}:task/c/1"),
        ),
        ("dynamodb", "ListTables", {}, ("dynamodb:ListTables", "*")),
    ],
)
def test_a_call_needs_one_action(
    service: str, operation: str, parameters: Mapping[str, object], expected: tuple[str, str]
) -> None:
    assert told(service, operation, parameters) == [expected]


def test_who_is_calling_needs_nothing() -> None:
    assert told("sts", "GetCallerIdentity", {}) == []


def test_what_is_deleted_at_once_is_told_one_by_one() -> None:
    body = b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object></Delete>"
    assert told("s3", "DeleteObjects", {"Bucket": "b"}, body=body) == [
        ("s3:DeleteObject", "arn:aws:s3:::b/a&b"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::b/c"),
    ]


def test_a_copy_reads_and_writes() -> None:
    copied = told("s3", "CopyObject", {"Bucket": "to", "Key": "k"}, headers={"x-amz-copy-source": "/from/a%20b"})
    assert copied == [("s3:GetObject", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::to/k")]


def test_a_version_of_a_file_is_read_by_an_action_of_its_own() -> None:
    read = told("s3", "GetObject", {"Bucket": "b", "Key": "k"}, query={"versionId": "1"})
    assert read == [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]


def test_what_headers_ask_for_is_needed_too() -> None:
    made = told("s3", "CreateBucket", {"Bucket": "b"}, headers={"x-amz-object-ownership": "ObjectWriter"})
    assert made == [("s3:CreateBucket", "arn:aws:s3:::b"), ("s3:PutBucketOwnershipControls", "arn:aws:s3:::b")]
    put = told("s3", "PutObject", {"Bucket": "b", "Key": "k"}, headers={"x-amz-acl": "public-read"})
    assert put == [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectAcl", "arn:aws:s3:::b/k")]


def test_tags_at_creation_need_the_action_that_tags() -> None:
    tags = {"Tags.member.1.Key": "Project", "Tags.member.1.Value": "shop"}
    assert told("iam", "CreateRole", {"RoleName": "r", **tags}) == [
        ("iam:CreateRole", f"{IAM}:role/r"),
        ("iam:TagRole", f"{IAM}:role/r"),
    ]
    assert told("ecr", "CreateRepository", {"repositoryName": "r", "tags": [{"Key": "a", "Value": "b"}]})[1:] == [
        ("ecr:TagResource", f"arn:aws:ecr:{HERE}:repository/r")
    ]
    assert told("cloudfront", "CreateDistributionWithTags", {}) == [
        ("cloudfront:CreateDistribution", "*"),
        ("cloudfront:TagResource", "arn:aws:cloudfront::123456789012:distribution/*"),
    ]


def test_what_ec2_makes_is_limited_by_the_tags_that_it_gets() -> None:
    tag = {"TagSpecification.1.Tag.1.Key": "Environment", "TagSpecification.1.Tag.1.Value": "shop"}
    vpc, made, tagged = asked("ec2", "CreateSubnet", {"VpcId": "vpc-0123456789abcdef0", **tag})
    assert (vpc.resource, vpc.context) == (f"arn:aws:ec2:{HERE}:vpc/vpc-0123456789abcdef0", {})
    assert (made.resource, made.context) == (f"arn:aws:ec2:{HERE}:subnet/*", {"aws:requesttag/Environment": "shop"})
    assert tagged.action == "ec2:CreateTags" and tagged.context["ec2:createaction"] == "CreateSubnet"


def test_what_ecs_makes_is_tagged_by_an_action_that_knows_during_which_call() -> None:
    tags = {"tags": [{"key": "Environment", "value": "shop"}]}
    made, tagged = asked("ecs", "CreateCluster", {"clusterName": "c", **tags})
    assert (made.resource, tagged.resource) == (f"arn:aws:ecs:{HERE}:cluster/c",) * 2
    assert tagged.context == {"aws:requesttag/Environment": "shop", "ecs:createaction": "CreateCluster"}
    assert told("ecs", "RegisterTaskDefinition", {"family": "f", **tags}) == [
        ("ecs:RegisterTaskDefinition", f"arn:aws:ecs:{HERE}:task-definition/f:*"),
        ("ecs:TagResource", f"arn:aws:ecs:{HERE}:task-definition/f:*"),
    ]
    assert told("ecs", "StartTask", {"cluster": "c", "taskDefinition": "f:1", **tags}) == [
        ("ecs:StartTask", f"arn:aws:ecs:{HERE}:task-definition/f:1"),
        ("ecs:TagResource", f"arn:aws:ecs:{HERE}:task/c/*"),
    ]


@pytest.mark.parametrize(
    ("operation", "limited"), [("ListContainerInstances", False), ("ListTasks", True), ("StartTask", True)]
)
def test_the_cluster_limits_what_is_in_it_and_not_itself(operation: str, limited: bool) -> None:
    (need,) = asked("ecs", operation, {"cluster": "c"})
    assert need.context == ({"ecs:cluster": f"arn:aws:ecs:{HERE}:cluster/c"} if limited else {})


def test_what_there_is_is_limited_by_its_own_tags() -> None:
    group = {"GroupId": "sg-0123456789abcdef0", "IpPermissions.1.Groups.1.GroupId": "sg-0fedcba9876543210"}
    (need,) = asked("ec2", "AuthorizeSecurityGroupIngress", group)
    assert need.resource == f"arn:aws:ec2:{HERE}:security-group/sg-0123456789abcdef0"
    assert need.context == {"aws:resourcetag/Environment": "shop"}


def test_a_database_takes_default_groups_where_it_is_not_told() -> None:
    resources = [resource for _, resource in told("rds", "CreateDBInstance", {"DBInstanceIdentifier": "shop"})]
    assert resources == [f"arn:aws:rds:{HERE}:{name}" for name in ("db:shop", "pg:default", "og:default")]


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [("DeleteDBInstance", "FinalDBSnapshotIdentifier"), ("StopDBInstance", "DBSnapshotIdentifier")],
)
def test_a_last_snapshot_needs_what_makes_and_tags_snapshots(operation: str, parameter: str) -> None:
    snapshot = f"arn:aws:rds:{HERE}:snapshot:last"
    for database in ("plain", "tagged"):
        needed = told("rds", operation, {"DBInstanceIdentifier": database, parameter: "last"})
        assert ("rds:CreateDBSnapshot", f"arn:aws:rds:{HERE}:db:{database}") in needed
        assert ("rds:CreateDBSnapshot", snapshot) in needed
        assert (("rds:AddTagsToResource", snapshot) in needed) == (database == "tagged")
    alone = told("rds", operation, {"DBInstanceIdentifier": "tagged", "SkipFinalSnapshot": "true"})
    assert alone == [(f"rds:{operation}", f"arn:aws:rds:{HERE}:db:tagged")]


def test_roles_are_handed_on_only_by_those_who_may() -> None:
    options = {
        "OptionSettings.member.1.OptionName": "ServiceRole",
        "OptionSettings.member.1.Value": "eb",
        "OptionSettings.member.2.OptionName": "IamInstanceProfile",
        "OptionSettings.member.2.Value": "hosts",
    }
    made = asked(
        "elasticbeanstalk", "CreateEnvironment", {"ApplicationName": "shop", "EnvironmentName": "new", **options}
    )
    assert made[0] == Need("elasticbeanstalk:CreateEnvironment", f"{EB}:environment/shop/new")
    assert [(need.resource, need.context["iam:passedtoservice"]) for need in made[1:]] == [
        (f"{IAM}:role/eb", "elasticbeanstalk.amazonaws.com"),
        (f"{IAM}:role/host", "ec2.amazonaws.com"),
    ]
    added = told("iam", "AddRoleToInstanceProfile", {"RoleName": "host", "InstanceProfileName": "hosts"})
    assert added == [
        ("iam:AddRoleToInstanceProfile", f"{IAM}:instance-profile/hosts"),
        ("iam:PassRole", f"{IAM}:role/host"),
    ]


def test_the_roles_of_a_task_are_handed_on_too() -> None:
    roles = {"executionRoleArn": f"{IAM}:role/execution", "taskRoleArn": "task"}
    _, *passed = asked("ecs", "RegisterTaskDefinition", {"family": "shop", **roles})
    assert [(need.resource, need.context["iam:passedtoservice"]) for need in passed] == [
        (f"{IAM}:role/execution", "ecs-tasks.amazonaws.com"),
        (f"{IAM}:role/task", "ecs-tasks.amazonaws.com"),
    ]


def test_the_role_of_the_monitoring_is_handed_on_too() -> None:
    monitored = {"DBInstanceIdentifier": "shop", "MonitoringRoleArn": f"{IAM}:role/monitoring"}
    passed = [need for need in asked("rds", "ModifyDBInstance", monitored) if need.action == "iam:PassRole"]
    assert [(need.resource, need.context["iam:passedtoservice"]) for need in passed] == [
        (f"{IAM}:role/monitoring", "monitoring.rds.amazonaws.com")
    ]


def test_a_load_balancer_looks_around_with_the_rights_of_its_caller() -> None:
    made = told("elasticloadbalancing", "CreateLoadBalancer", {"Name": "shop"})
    assert ("ec2:DescribeInternetGateways", "*") in made
    assert told("elasticloadbalancing", "SetSubnets", {})[1:] == [("ec2:DescribeSubnets", "*")]


def test_tags_of_environments_are_changed_by_actions_of_their_own() -> None:
    arn = f"{EB}:environment/shop/shop-prod"
    changed = {"ResourceArn": arn, "TagsToAdd.member.1.Key": "a", "TagsToRemove.member.1": "b"}
    assert told("elasticbeanstalk", "UpdateTagsForResource", changed) == [
        ("elasticbeanstalk:AddTags", arn),
        ("elasticbeanstalk:RemoveTags", arn),
    ]


def test_the_managed_policy_that_is_attached_can_be_limited() -> None:
    (need,) = asked("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/P"})
    assert (need.resource, need.context) == (f"{IAM}:role/r", {"iam:policyarn": "arn:aws:iam::aws:policy/P"})


@pytest.mark.parametrize(
    ("service", "protocol", "action", "expected"),
    [
        ("iam", "query", "iam:GetRole", (403, "AccessDenied", "iam:GetRole on resource: r")),
        ("logs", "json", "logs:X", (400, "AccessDeniedException", "logs:X on resource: r")),
        ("s3", "s3", "s3:GetObject", (403, "AccessDenied", 's3:GetObject on resource: "r"')),
        ("sns", "query", "sns:CreateTopic", (403, "AuthorizationError", "SNS:CreateTopic on resource: r")),
        (
            "ec2",
            "ec2",
            "ec2:X",
            (403, "UnauthorizedOperation", "You are not authorized to perform this operation. User: "),
        ),
        (
            "elasticbeanstalk",
            "query",
            "iam:PassRole",
            (403, "InsufficientPrivilegesException", "the 'iam:PassRole' action"),
        ),
    ],
)
def test_each_service_refuses_in_its_own_way(
    service: str, protocol: Any, action: str, expected: tuple[int, str, str]
) -> None:
    refusal: Refusal = denial(Call(service, "", ""), Need(action, "r"), Verdict.NOT_ALLOWED, "arn:user", protocol)
    assert (refusal.status, refusal.code) == expected[:2]
    assert expected[2] in refusal.message


def test_a_refusal_says_whether_something_forbids_it() -> None:
    denied = denial(Call("iam", "", ""), Need("iam:GetRole", "r"), Verdict.DENIED, "arn:user", "query")
    assert denied.message == (
        "User: arn:user is not authorized to perform: iam:GetRole on resource: r "
        "with an explicit deny in an identity-based policy"
    )
