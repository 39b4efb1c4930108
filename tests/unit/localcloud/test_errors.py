# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors in the form of each protocol."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

import pytest
from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from localcloud.calls import identify
from localcloud.errors import Protocol, Refusal, protocol_of, refuse
from localcloud.refusals import LARGEST, Refusals
from localcloud.server import dispatcher
from tests.support.wsgi import environ, form, target


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


def test_no_character_makes_the_answer_unreadable() -> None:
    request = environ("s3", "PUT", "/bucket")
    (body,) = refuse(request, lambda *_: None, identify(request), Refusal(400, "MalformedXML", "\x00\ud800<é☃"))
    assert ElementTree.fromstring(body).findtext("Message") == "??<é☃"  # noqa: S314


def _raise(error: Exception) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        raise error

    return application


@pytest.mark.parametrize(
    ("request_", "error", "status", "body"),
    [
        (environ("rds", "POST"), NotImplementedError("x"), "400 Bad Request", "<Code>InvalidAction</Code>"),
        (form("rds", "Action=Dance"), OperationNotFoundError("Dance"), "400 Bad Request", "find operation Dance"),
        (form("rds", "Action=CreateDBInstance"), KeyError("x"), "400 Bad Request", "<Code>ValidationError</Code>"),
        (form("ec2", "Action=RunInstances"), KeyError("x"), "400 Bad Request", "<Code>MissingParameter</Code>"),
        (target("ecr", "CreateRepository"), KeyError("x"), "400 Bad Request", '"InvalidParameterException"'),
        (environ("s3", "PUT", "/b/k"), ExpatError("x"), "400 Bad Request", "<Code>MalformedXML</Code>"),
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


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (form("sns", "Action=DeleteTopic&TopicArn=abc"), 400, "InvalidParameter"),
        (form("iam", "Action=ListRoles&Marker=abc"), 400, "ValidationError"),
        (form("rds", "Action=DeleteDBProxy&DBProxyName=abc"), 404, "DBProxyNotFoundFault"),
        (form("autoscaling", "Action=SuspendProcesses&AutoScalingGroupName=abc"), 400, "ValidationError"),
        (form("ec2", "Action=ModifyTransitGateway&TransitGatewayId=abc"), 400, "InvalidTransitGatewayID.NotFound"),
        (target("ecs", "DescribeCapacityProviders"), 400, "InvalidAction"),
    ],
)
def test_a_crash_of_moto_says_what_is_wrong_with_the_request(request_: dict[str, Any], status: int, code: str) -> None:
    """What it names is not there, or is nothing of that kind; else it is what moto cannot do."""
    answered: list[str] = []
    body = b"".join(Refusals(dispatcher())(request_, lambda status, *_: answered.append(status))).decode()
    assert answered[0].startswith(str(status)) and code in body, body


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (target("ecr", "DescribeImages", "{"), 400, "SerializationException"),
        (target("ecr", "DescribeImages", "[]"), 400, "SerializationException"),
        (target("ecr", "DescribeImages", ""), 200, ""),
        ({**target("ecr", "DescribeImages"), "HTTP_AUTHORIZATION": "Basic YQ=="}, 400, "IncompleteSignature"),
        ({**environ("s3"), "HTTP_AUTHORIZATION": "Basic YQ=="}, 400, "InvalidArgument"),
        ({**environ("s3"), "HTTP_AUTHORIZATION": "AWS AKIA:c2ln"}, 200, ""),
        ({**form("rds", "Action=X"), "CONTENT_LENGTH": str(LARGEST + 1)}, 413, "RequestEntityTooLarge"),
        (form("rds", "Action=DescribeDBInstances&Marker=%00"), 400, "MalformedInput"),
        ({**environ("s3", "PUT", "/b/k"), "CONTENT_LENGTH": str(LARGEST + 1)}, 200, ""),
    ],
)
def test_senseless_requests_do_not_arrive(request_: dict[str, Any], status: int, code: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    answered: list[str] = []
    body = b"".join(Refusals(application)(request_, lambda status, headers: answered.append(status))).decode()
    assert answered[0].startswith(str(status)) and code in body


def test_errors_in_json_are_told_in_the_form_of_the_service() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b'{"__type": "InvalidToken", "message": "no token"}']

    request = form("rds", "Action=DescribeDBInstances&Marker=x")
    body = b"".join(Refusals(application)(request, lambda *_: None)).decode()
    assert "<Code>InvalidToken</Code><Message>no token</Message>" in body


def test_json_is_called_json() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/html; charset=utf-8"), ("X", "y")])
        return [b"{}"]

    answered: list[Any] = []
    Refusals(application)(target("secretsmanager", "ListSecrets"), lambda *begun: answered.extend(begun))
    assert answered == ["200 OK", [("X", "y"), ("Content-Type", "application/x-amz-json-1.1")]]


@pytest.mark.parametrize(
    ("service", "page", "status", "code"),
    [
        ("s3", 405, 405, "MethodNotAllowed"),
        ("s3", 404, 404, "NoSuchKey"),
        ("s3", 403, 403, "AccessDenied"),
        ("rds", 405, 400, "InvalidAction"),
    ],
)
def test_web_pages_become_errors(service: str, page: int, status: int, code: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(f"{page} Of Moto", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<!doctype html>"]

    answered: list[str] = []
    body = Refusals(application)(environ(service, "BREW"), lambda status, headers: answered.append(status))
    assert answered[0].startswith(str(status)) and f"<Code>{code}</Code>" in b"".join(body).decode()
