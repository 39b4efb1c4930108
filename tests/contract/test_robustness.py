# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent: the answer is one of AWS's, and the cloud lives."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from tests.contract.conftest import LocalCloud
from tests.support.fuzz import FORM, JSON, SERVICES, Request, error_code, is_of_aws, requests, send
from tests.support.wsgi import SIGNED

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261125
MEBIBYTE = 1 << 20


def _localcloud(state: Path, *words: str) -> None:
    command = [sys.executable, "-m", "localcloud", words[0], "--state-dir", str(state), *words[1:]]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud of its own: who knows what it is asked for."""
    state = tmp_path_factory.mktemp("robust") / "state"
    _localcloud(state, "up")
    ready = json.loads((state / "ready.json").read_text())
    try:
        yield LocalCloud(state, ready["endpoint"], ready["registry"])
    finally:
        _localcloud(state, "down")


@pytest.fixture(autouse=True)
def lives(cloud: LocalCloud) -> Iterator[None]:
    """The process that answers after the test is the one from before it."""
    pid = json.loads((cloud.state_dir / "ready.json").read_text())["pid"]
    yield
    os.kill(pid, 0)
    assert cloud.client("sts").get_caller_identity()["Account"] == "123456789012"


def request(service: str, protocol: str, body: bytes = b"", method: str = "POST", **headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(service, protocol, method, "/", {"Authorization": SIGNED.format(service), **names}, body)


def test_thousand_fuzzed_requests(cloud: LocalCloud) -> None:
    asked = list(requests(SEED, 1000))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: send(cloud.endpoint, one), asked))
    pairs = list(zip(asked, answers, strict=True))
    assert [(one, answer) for one, answer in pairs if not is_of_aws(one, answer)] == []
    broken = [(one, answer) for one, answer in pairs if answer.status >= 500]
    assert broken == [], "who sends nonsense is to blame for it"
    assert sum(answer.status >= 400 for answer in answers) > 600


PROTOCOLS = {name: "json" if name in ("ecr", "ecs", "logs", "secretsmanager") else "xml" for name in SERVICES}


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"s3", "elasticloadbalancing"}))
def test_unknown_operation(cloud: LocalCloud, service: str) -> None:
    if PROTOCOLS[service] == "json":
        one = request(service, "json", b"{}", Content_Type=JSON, X_Amz_Target="Service_20260101.Dance")
    else:
        one = request(service, "xml", b"Action=Dance&Version=2010-12-01", Content_Type=FORM)
    answer = send(cloud.endpoint, one)
    assert (answer.status, error_code(one, answer)) == (400, "InvalidAction")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/cbor", "multipart/form-data"]
)
@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"s3"}))
def test_wrong_content_type(cloud: LocalCloud, service: str, content_type: str) -> None:
    one = request(service, PROTOCOLS[service], b"Action=DescribeX", Content_Type=content_type)
    answer = send(cloud.endpoint, one)
    assert answer.status >= 400 and is_of_aws(one, answer)


def test_unreadable_json(cloud: LocalCloud) -> None:
    for body in (b"{", b"[]", b"7", b"\xff\xfe", b"null"):
        one = request("secretsmanager", "json", body, Content_Type=JSON, X_Amz_Target="secretsmanager.ListSecrets")
        answer = send(cloud.endpoint, one)
        assert (answer.status, error_code(one, answer)) == (400, "SerializationException"), body


@pytest.mark.parametrize("method", ["BREW", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("service", ["elasticbeanstalk", "ecr", "s3", "cloudfront"])
def test_strange_method(cloud: LocalCloud, service: str, method: str) -> None:
    one = request(service, PROTOCOLS[service], method=method)
    assert is_of_aws(one, send(cloud.endpoint, one))


def test_unknown_service_and_no_signature(cloud: LocalCloud) -> None:
    one = request("nonesuch", "xml", b"Action=Dance", Content_Type=FORM)
    answer = send(cloud.endpoint, one)
    assert (answer.status, error_code(one, answer)) == (400, "InvalidAction")
    for authorization in ("Basic YTpi", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c", "x" * 5000):
        one = request("ecr", "json", b"{}", Content_Type=JSON, X_Amz_Target="A.B", Authorization=authorization)
        answer = send(cloud.endpoint, one)
        assert (answer.status, error_code(one, answer)) == (400, "IncompleteSignature")


def test_huge_bodies(cloud: LocalCloud) -> None:
    one = request("elasticbeanstalk", "xml", b"Action=DescribeEvents&X=" + b"x" * 17 * MEBIBYTE, Content_Type=FORM)
    answer = send(cloud.endpoint, one)
    assert (answer.status, error_code(one, answer)) == (413, "RequestEntityTooLarge")
    name = "x" * 2 * MEBIBYTE
    one = request("iam", "xml", f"Action=CreateUser&UserName={name}".encode(), Content_Type=FORM)
    assert is_of_aws(one, send(cloud.endpoint, one))
    s3: boto3.client = cloud.client("s3")
    s3.create_bucket(Bucket="huge", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="huge", Key="object", Body=b"x" * 32 * MEBIBYTE)
    assert s3.head_object(Bucket="huge", Key="object")["ContentLength"] == 32 * MEBIBYTE


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\xff\xfe\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -7\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nnot so many",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http(cloud: LocalCloud, sent: bytes) -> None:
    address = urlsplit(cloud.endpoint)
    # A server that has read enough may close the connection while we still send.
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection((address.hostname, address.port), timeout=30) as connection,
    ):
        connection.sendall(sent)
        # It may have gone meanwhile, which is no kind of ConnectionError here.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
