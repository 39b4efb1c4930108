# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that look at a deployment as a whole, on moto."""

from __future__ import annotations

import json
from typing import Any

IDENTITY = {"Environment": "web", "ManagedBy": "antenna.aws"}
READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
TAGS = [{"Key": key, "Value": value} for key, value in IDENTITY.items()]


def small_deployment(aws: Any) -> list[dict[str, Any]]:
    """Buckets with versions, one of them of others; a role with its profile, a repository, a subnet with its table."""
    s3, iam, ec2 = aws.client("s3"), aws.client("iam"), aws.client("ec2")
    for name in ("web-ui", "web-files", "theirs"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=name, Key="index.html", Body=b"1")
        s3.put_object(Bucket=name, Key="index.html", Body=b"2")
    for name in ("web-ui", "web-files"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
    s3.delete_object(Bucket="web-ui", Key="index.html")
    iam.create_role(RoleName="web-role", AssumeRolePolicyDocument="{}", Tags=TAGS)
    iam.put_role_policy(RoleName="web-role", PolicyName="read", PolicyDocument=READ)
    iam.create_instance_profile(InstanceProfileName="web-role")
    iam.add_role_to_instance_profile(InstanceProfileName="web-role", RoleName="web-role")
    aws.client("ecr").create_repository(repositoryName="web-backend", tags=TAGS)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    named = [*TAGS, {"Key": "Name", "Value": "web-private"}]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="172.31.200.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_tags(Resources=[subnet, table], Tags=named)
    ec2.associate_route_table(SubnetId=subnet, RouteTableId=table)
    group = ec2.create_security_group(VpcId=vpc, GroupName="web-sg", Description="web")["GroupId"]
    ec2.create_tags(Resources=[group], Tags=TAGS)
    return [
        {"kind": "bucket", "names": ["web-ui", "theirs"]},
        {"kind": "bucket", "names": ["web-files"], "data": True},
        {"kind": "iam_role", "names": ["web-role"]},
        {"kind": "repository", "names": ["web-backend"]},
        {"kind": "subnet", "names": ["172.31.200.0/24"], "parent": vpc},
        {"kind": "route_table", "names": ["web-private"], "parent": vpc},
        {"kind": "security_group", "names": ["web-sg"], "parent": vpc},
        {"kind": "topic", "names": ["web-alarms"]},
    ]


def owners(aws: Any, resources: list[dict[str, Any]]) -> dict[str, str]:
    found = aws.run_module("deployment_info", {"resources": resources, "identity": IDENTITY})["resources"]
    return {item["name"]: item["owner"] for item in found}


def test_a_deployment_is_removed_and_nothing_else(aws: Any) -> None:
    resources = small_deployment(aws)
    aws.writes()
    before = owners(aws, resources)
    assert {name for name, owner in before.items() if owner == "others"} == {"theirs"}
    assert before["web-alarms"] == "" and before["web-ui"] == before["172.31.200.0/24"] == "ours"

    wanted = {"resources": resources, "identity": IDENTITY}
    checked = aws.run_module("deployment_removal", wanted, check=True)
    assert checked["changed"] and aws.writes() == []
    removed = aws.run_module("deployment_removal", wanted)
    assert removed["plan"] == checked["plan"] and removed["kept"] == checked["kept"]
    assert {item["name"]: item["reason"] for item in removed["kept"]} == {
        "theirs": "this deployment did not make it",
        "web-files": "it holds data",
    }
    assert {name for name, owner in owners(aws, resources).items() if owner} == {"theirs", "web-files"}
    assert aws.client("iam").list_instance_profiles()["InstanceProfiles"] == []

    aws.writes()
    assert not aws.run_module("deployment_removal", wanted)["changed"]
    assert aws.writes() == []
    assert aws.run_module("deployment_removal", {**wanted, "delete_data": True})["changed"]
    assert [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]] == ["theirs"]


def test_alarms_are_looked_up_together_and_each_is_gone_before_a_removal_ends(aws: Any) -> None:
    cloudwatch = aws.client("cloudwatch")
    names = [f"web-alarm-{number:03}" for number in range(101)]
    rule = {"MetricName": "Workers", "Namespace": "Web", "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1}
    for name, tags in ((names[0], TAGS), (names[1], []), (names[-1], TAGS)):
        cloudwatch.put_metric_alarm(
            AlarmName=name, ComparisonOperator="LessThanThreshold", Threshold=1, Tags=tags, **rule
        )
    resources = [{"kind": "topic", "names": ["web-alarms"]}, {"kind": "alarm", "names": names}]
    aws.calls()
    looked_up = owners(aws, resources)
    assert list(looked_up) == ["web-alarms", *names]
    assert {name: owner for name, owner in looked_up.items() if owner} == {
        names[0]: "ours",
        names[1]: "others",
        names[-1]: "ours",
    }
    calls = aws.calls()
    assert (calls.count("monitoring:DescribeAlarms"), calls.count("monitoring:ListTagsForResource")) == (2, 3)

    removed = aws.run_module("deployment_removal", {"resources": resources, "identity": IDENTITY})
    assert [item["name"] for item in removed["kept"]] == [names[1]]
    assert [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]] == [names[1]]


def test_what_keeps_a_resource_is_told_when_time_is_up(aws: Any) -> None:
    iam = aws.client("iam")
    policy = iam.create_policy(PolicyName="theirs", PolicyDocument=READ)["Policy"]["Arn"]
    iam.create_user(UserName="web-storage", Tags=TAGS)
    iam.attach_user_policy(UserName="web-storage", PolicyArn=policy)
    resources = [{"kind": "iam_user", "names": ["web-storage"]}]
    wanted = {"resources": resources, "identity": IDENTITY, "wait_timeout": 1}
    told = aws.run_module("deployment_removal", wanted)["msg"]
    assert "last seen: iam_user web-storage still there (AWS answered DeleteConflict: Cannot delete entity" in told
    assert told.endswith("then run it again: it goes on where it stopped.")
    iam.detach_user_policy(UserName="web-storage", PolicyArn=policy)
    assert aws.run_module("deployment_removal", wanted)["changed"] and owners(aws, resources) == {"web-storage": ""}


def test_an_object_that_stays_is_told(aws: Any) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="web-ui", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_tagging(Bucket="web-ui", Tagging={"TagSet": TAGS})
    for key in ("index.html", "kept/report.html"):
        s3.put_object(Bucket="web-ui", Key=key, Body=b"1")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject*",
        "Resource": "arn:aws:s3:::web-ui/kept/*",
    }
    s3.put_bucket_policy(Bucket="web-ui", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    wanted = {"resources": [{"kind": "bucket", "names": ["web-ui"]}], "identity": IDENTITY}
    refused = aws.run_module("deployment_removal", wanted)
    assert (
        "Could not delete the object kept/report.html of the bucket web-ui: AWS answered AccessDenied" in refused["msg"]
    )
    assert owners(aws, wanted["resources"]) == {"web-ui": "ours"}


def test_a_database_is_tagged(aws: Any) -> None:
    made = aws.client("rds").create_db_instance(
        DBInstanceIdentifier="web-2",
        DBInstanceClass="db.t4g.small",
        Engine="postgres",
        Tags=[{"Key": "Owner", "Value": "ada"}],
    )
    arn = made["DBInstance"]["DBInstanceArn"]
    aws.writes()
    wanted = {"arns": [arn], "tags": IDENTITY}
    assert aws.run_module("rds_tags", wanted, check=True)["changed"] and aws.writes() == []
    assert aws.run_module("rds_tags", wanted)["databases"] == {arn: {"Owner": "ada", **IDENTITY}}
    aws.writes()
    assert not aws.run_module("rds_tags", wanted, check=True)["changed"]
    assert not aws.run_module("rds_tags", wanted)["changed"] and aws.writes() == []
