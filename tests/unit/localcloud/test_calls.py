# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request asks for, and that nothing else of it is kept."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from localcloud.calls import ANONYMOUS, LARGEST_FORM, Call, body_of, caller_of, identify, is_read, resource_of
from tests.support.wsgi import environ, form, target


@pytest.mark.parametrize(
    ("request_", "service", "operation", "resource"),
    [
        (target("ecr", "DescribeImages", '{"repositoryName": "web"}'), "ecr", "DescribeImages", "web"),
        (environ("iam", query="Action=GetRole&RoleName=r&Version=2010-05-08"), "iam", "GetRole", "r"),
        (environ("s3", "PUT", "/bucket"), "s3", "CreateBucket", "bucket"),
        (environ("s3", "PUT", "/bucket/a/b"), "s3", "PutObject", "bucket/a/b"),
        (environ("s3", "PUT", "/b/a", HTTP_X_AMZ_COPY_SOURCE="/b/c"), "s3", "CopyObject", "b/a"),
        (environ("cloudfront", path="/2020-05-31/distribution"), "cloudfront", "ListDistributions", ""),
        (environ("cloudfront", path="/2020-05-31/distribution/E1"), "cloudfront", "GetDistribution", "E1"),
        (environ("nonesuch"), "nonesuch", "", ""),
        (form("rds", "Action=CreateDBInstance&DBInstanceIdentifier=db&DBName=app"), "rds", "CreateDBInstance", "db"),
        (target("ecs", "ListTasks", '{"cluster": "c"}'), "ecs", "ListTasks", "c"),
        (target("ecr", "DescribeImages", "["), "ecr", "DescribeImages", ""),
        (target("ecr", "DescribeImages", "[1]"), "ecr", "DescribeImages", ""),
    ],
)
def test_call_is_identified(request_: dict[str, Any], service: str, operation: str, resource: str) -> None:
    access = "read" if operation.startswith(("Get", "Describe", "List")) or not operation else "write"
    assert identify(request_) == Call(service, "us-west-2", operation, access, resource, "AKIA")


def test_unsigned_call_is_one_to_s3() -> None:
    assert identify(environ(None, path="/bucket/key")) == Call("s3", "", "GetObject", "read", "bucket/key")


def test_presigned_call_is_signed_too() -> None:
    query = "X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    call = identify(environ(None, path="/bucket/key", query=query))
    assert (call.service, call.region, call.access_key) == ("s3", "eu-west-1", "AKIA")


def test_body_is_left_for_those_who_come_after() -> None:
    request = form("elasticbeanstalk", "Action=CreateEnvironment&EnvironmentName=web")
    assert identify(request).operation == "CreateEnvironment"
    assert request["wsgi.input"].read() == b"Action=CreateEnvironment&EnvironmentName=web"


@pytest.mark.parametrize("length", [str(LARGEST_FORM + 1), "-1", "many"])
def test_large_and_strange_bodies_are_not_read(length: str) -> None:
    request = {**form("rds", "Action=CreateDBInstance"), "CONTENT_LENGTH": length}
    assert identify(request).operation == ""
    assert body_of(request) is None
    assert request["wsgi.input"].read() == b"Action=CreateDBInstance"


@pytest.mark.parametrize(
    ("operation", "method", "read"),
    [
        ("DescribeEnvironments", "POST", True),
        ("GetAuthorizationToken", "POST", True),
        ("HeadObject", "HEAD", True),
        ("CheckDNSAvailability", "POST", True),
        ("CreateStorageLocation", "POST", False),
        ("PutObject", "PUT", False),
        ("BatchDeleteImage", "POST", False),
        ("", "GET", True),
        ("", "POST", False),
    ],
)
def test_reads_are_told_from_writes(operation: str, method: str, read: bool) -> None:
    assert is_read(operation, method) is read


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("UpdateEnvironment", {"ApplicationName": "hello", "EnvironmentName": "web", "VersionLabel": "v1"}, "web"),
        ("CreateApplicationVersion", {"ApplicationName": "hello", "VersionLabel": "v1"}, "hello/v1"),
        ("DescribeConfigurationSettings", {"ApplicationName": "hello", "EnvironmentName": "web"}, "hello/web"),
        ("DescribeEnvironments", {"EnvironmentNames.member.1": "a", "EnvironmentNames.member.2": "b"}, "a,b"),
        ("DescribeEvents", {"EnvironmentName": "web", "RequestId": "r"}, "web"),
        ("SwapEnvironmentCNAMEs", {"SourceEnvironmentName": "a", "DestinationEnvironmentName": "b"}, "a/b"),
        ("PutRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "{}"}, "r/p"),
        ("GetSecretValue", {"SecretId": "antenna/key"}, "antenna/key"),
        ("CreateReplicationGroup", {"ReplicationGroupId": "redis", "AuthToken": "secret"}, "redis"),
        ("ModifyDBInstance", {"DBInstanceIdentifier": "db", "VpcSecurityGroupIds.VpcSecurityGroupId.1": "sg-1"}, "db"),
        ("TerminateInstances", {"InstanceId.1": "i-1", "InstanceId.2": "i-2"}, "i-1,i-2"),
        ("DescribeLogStreams", {"logGroupName": "/aws/x"}, "/aws/x"),
        ("ListUsers", {}, ""),
    ],
)
def test_call_is_about_what_its_operation_is_about(operation: str, parameters: dict[str, str], resource: str) -> None:
    assert resource_of(operation, parameters) == resource


@pytest.mark.parametrize(
    "parameters",
    [
        {"MasterUserPassword": "x", "AuthToken": "x", "SecretString": "x", "ClientRequestToken": "x"},
        {"AccessKeyId": "x", "AccessKeyIds": ["x"], "SessionTokenName": "x", "PasswordName": "x"},
        {"OptionSettings.member.1.OptionName": "x", "OptionSettings.member.1.Value": "x", "Description": "x"},
        {"Name": {"Value": "x"}, "Names": [{"Value": "x"}], "Id": 7},
        {"Name": "x\n"},
    ],
)
def test_no_other_value_is_kept(parameters: dict[str, Any]) -> None:
    assert resource_of("CreateThing", parameters) == ""


def test_long_names_are_cut() -> None:
    assert len(resource_of("CreateThing", {"ThingName": "x" * 10_000})) == 200


def test_callers_are_those_that_sts_knows() -> None:
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    account = "210987654321"
    iam = iam_backends[account]["aws"]
    iam.create_user(region_name="us-west-2", user_name="ana")
    key = iam.create_access_key("ana").access_key_id
    role = sts_backends[account]["aws"].assume_role(
        region_name="us-west-2",
        role_arn=f"arn:aws:iam::{account}:role/deployer",
        role_session_name="ci",
        policy="",
        duration=900,
        external_id="",
    )
    assert caller_of(Call("s3", "", "GetObject")) == ANONYMOUS
    assert caller_of(Call("s3", "", "GetObject", access_key=key)) == f"arn:aws:iam::{account}:user/ana"
    assumed = Call("s3", "", "GetObject", access_key=role.access_key_id)
    assert caller_of(assumed) == f"arn:aws:sts::{account}:assumed-role/deployer/ci"


def test_json_that_is_no_object_has_no_parameters() -> None:
    request = target("ecr", "DescribeImages", json.dumps("repositoryName"))
    assert identify(request).resource == ""
    assert isinstance(request["wsgi.input"], io.BytesIO)
