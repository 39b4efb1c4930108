# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors in the form of each protocol."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from localcloud.calls import identify
from localcloud.errors import Protocol, Refusal, protocol_of, refuse
from localcloud.refusals import Refusals
from tests.support.requests import environ, form, target


@pytest.mark.parametrize(
    ("request_", "protocol", "parser"),
    [
        (form("elasticbeanstalk", "Action=X"), "query", "query"),
        (environ("cloudfront", path="/2020-05-31/distribution"), "query", "rest-xml"),
        (form("ec2", "Action=RunInstances"), "ec2", "ec2"),
        (environ("s3", "PUT", "/bucket"), "s3", "rest-xml"),
        (target("ecr", "DescribeImages"), "json", "json"),
        (environ("batch", "POST", "/v1/createjobqueue"), "rest-json", "rest-json"),
        (environ("nonesuch", CONTENT_TYPE="application/x-amz-json-1.0"), "json", "json"),
        (environ("nonesuch"), "query", "query"),
    ],
)
def test_clients_of_each_protocol_read_the_error(request_: dict[str, Any], protocol: Protocol, parser: str) -> None:
    call = identify(request_)
    answered: list[Any] = []
    body = refuse(request_, lambda *begun: answered.extend(begun), call, Refusal(503, "SlowDown", "a < b"))
    status, headers = answered
    assert (status, protocol_of(request_, call)) == ("503 Service Unavailable", protocol)
    response = {"body": body[0], "headers": {key.lower(): value for key, value in headers}, "status_code": 503}
    shape = get_service_model("sqs").operation_model("ListQueues").output_shape
    parsed = create_parser(parser).parse(response, shape)
    assert parsed["Error"]["Code"] == "SlowDown"
    assert parsed["Error"]["Message"] == "a < b"
    assert parsed["ResponseMetadata"]["RequestId"] == response["headers"]["x-amzn-requestid"]


def test_head_has_no_body() -> None:
    request = environ("s3", "HEAD", "/bucket/key")
    assert refuse(request, lambda *_: None, identify(request), Refusal(403, "AccessDenied", "Access Denied")) == []


def _raise(error: Exception) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        raise error

    return application


@pytest.mark.parametrize(
    ("request_", "error", "status", "body"),
    [
        (environ("rds", "POST"), NotImplementedError("x"), "400 Bad Request", "<Code>InvalidAction</Code>"),
        (environ("ec2", "POST"), NotImplementedError("x"), "400 Bad Request", "<Response><Errors>"),
        (target("ecr", "B"), NotImplementedError("x"), "400 Bad Request", '"__type"'),
        (environ("s3"), KeyError("a<b"), "500 Internal Server Error", "KeyError: 'a&lt;b'"),
    ],
)
def test_crash_is_an_answer(request_: dict[str, Any], error: Exception, status: str, body: str) -> None:
    answered: list[str] = []
    reply = Refusals(_raise(error))(request_, lambda status, headers: answered.append(status))
    assert answered == [status]
    assert body in b"".join(reply).decode()
