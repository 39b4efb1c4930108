# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a request contradicts the description of its operation."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from localcloud.shapes import misfit, service_model

NULL = "failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "body", "wrong"),
    [
        ("elasticbeanstalk", "CreateApplication", {"ApplicationName": "a"}, b"", ""),
        ("elasticbeanstalk", "CreateApplication", {}, b"", "1 validation error detected: Value null at 'app"),
        ("elasticbeanstalk", "CreateApplication", {"ApplicationName": ""}, b"", NULL),
        ("elasticbeanstalk", "CreateApplication", {"ApplicationName.member.1": "a"}, b"", NULL),
        ("elasticbeanstalk", "ValidateConfigurationSettings", {"ApplicationName": "a"}, b"", "at 'optionSettings'"),
        (
            "elasticbeanstalk",
            "ValidateConfigurationSettings",
            {"ApplicationName": "a", "OptionSettings.member.1.Value": "x"},
            b"",
            "",
        ),
        ("rds", "CreateDBInstance", {}, b"", "3 validation errors detected"),
        ("ec2", "TerminateInstances", {"InstanceId.1": "i-1"}, b"", ""),
        ("ec2", "TerminateInstances", {"InstanceId": "i-1"}, b"", NULL),
        (
            "monitoring",
            "GetMetricData",
            {"EndTime": "x"},
            b"",
            "Value null at 'metricDataQueries'",
        ),
        ("elasticloadbalancing", "CreateRule", {}, b"", "4 validation errors detected"),
        ("secretsmanager", "GetSecretValue", {"SecretId": "a"}, b"", ""),
        ("secretsmanager", "GetSecretValue", {}, b"", 'Missing required parameter in input: "SecretId"'),
        ("secretsmanager", "GetSecretValue", {"SecretId": 7}, b"", "Invalid type for parameter SecretId"),
        ("sns", "DeleteTopic", {"TopicArn": "arn:aws:sns:us-west-2:123456789012:a"}, b"", ""),
        ("sns", "DeleteTopic", {"TopicArn": "a"}, b"", "Invalid parameter: TopicArn"),
        ("rds", "DescribeDBInstances", {"MaxRecords": "a"}, b"", "invalid literal"),
        ("elasticloadbalancing", "ModifyListenerAttributes", {"ListenerArn": "a", "Attributes.x": "1"}, b"", "Missing"),
        ("ec2", "TerminateInstances", {"InstanceId.1": "i-1", "DryRun": "no"}, b"", ""),
        ("s3", "PutBucketTagging", {}, b"<Tagging/>", ""),
        ("s3", "PutBucketTagging", {}, b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>', ""),
        ("s3", "PutBucketTagging", {}, b"<Tags/>", "the document is a Tags, not a Tagging"),
        ("s3", "PutBucketTagging", {}, b"<Tagging>", "no XML document"),
        ("s3", "PutObject", {}, b"anything", ""),
        ("s3", "ListBuckets", {}, b"anything", ""),
        ("sts", "GetCallerIdentity", {"Any": "x"}, b"", ""),
        ("rds", "Dance", {}, b"", ""),
        ("nonesuch", "Dance", {}, b"", ""),
    ],
)
def test_misfit(service: str, operation: str, parameters: Mapping[str, object], body: bytes, wrong: str) -> None:
    found = misfit(service, operation, parameters, body, json=service == "secretsmanager")
    assert wrong in found if wrong else found == ""


def test_services_are_known_by_their_names_in_signatures() -> None:
    assert service_model("monitoring") is service_model("cloudwatch")
    assert service_model("nonesuch") is None
