# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small parts of the cloud: authority, names, journal, state, versions."""

from __future__ import annotations

import io
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from localcloud.ca import CertificateAuthority
from localcloud.data.elasticache import full_version, region_code
from localcloud.journal import Call, Entry, Journal, identify, is_read
from localcloud.names import Address, Names
from localcloud.refusals import Refusals
from localcloud.state import Ready, State

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/{}/aws4_request, SignedHeaders=host, Signature=0"


def test_authority_survives_and_repeats_itself(tmp_path: Path) -> None:
    first = CertificateAuthority(tmp_path).issue(["a.example", "b.example"], ["127.0.0.1"])
    again = CertificateAuthority(tmp_path).issue(["b.example", "a.example"], ["127.0.0.1"])
    assert first == again
    context = ssl.create_default_context(cafile=str(first.authority))
    assert len(context.get_ca_certs()) == 1
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(first.certificate, first.key)
    for private in (first.key, tmp_path / "ca-key.pem"):
        assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="at least one name"):
        CertificateAuthority(tmp_path).issue([])


def test_names_ignore_case_and_dot() -> None:
    names = Names()
    names.set("Web.Example.", "127.0.0.1", 80)
    assert names.get("web.example") == Address("127.0.0.1", 80)
    names.remove("WEB.example")
    names.remove("WEB.example")
    assert names.get("web.example") is None and names.all() == {}


def _environ(service: str | None, method: str = "GET", path: str = "/", query: str = "", **more: Any) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **more,
    }
    return {**environ, "HTTP_AUTHORIZATION": SIGNED.format(service)} if service else environ


@pytest.mark.parametrize(
    ("environ", "call"),
    [
        (
            _environ("ecr", "POST", HTTP_X_AMZ_TARGET="AmazonEC2ContainerRegistry_V20150921.DescribeImages"),
            Call("ecr", "us-west-2", "DescribeImages"),
        ),
        (_environ("iam", query="Action=GetRole&Version=2010-05-08"), Call("iam", "us-west-2", "GetRole")),
        (_environ("s3", "PUT", "/bucket"), Call("s3", "us-west-2", "CreateBucket")),
        (_environ("s3", "PUT", "/bucket/a/b"), Call("s3", "us-west-2", "PutObject")),
        (
            _environ("s3", "PUT", "/bucket/a", HTTP_X_AMZ_COPY_SOURCE="/bucket/b"),
            Call("s3", "us-west-2", "CopyObject"),
        ),
        (_environ("cloudfront", path="/2020-05-31/distribution"), Call("cloudfront", "us-west-2", "ListDistributions")),
        (_environ("nonesuch"), Call("nonesuch", "us-west-2", "")),
        (_environ(None, path="/bucket/key"), Call("s3", "", "GetObject")),
    ],
)
def test_call_is_identified(environ: dict[str, Any], call: Call) -> None:
    assert identify(environ) == call


def test_form_is_left_for_those_who_come_after() -> None:
    form = b"Action=CreateEnvironment&EnvironmentName=web"
    environ = _environ(
        "elasticbeanstalk",
        "POST",
        CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8",
        CONTENT_LENGTH=str(len(form)),
    )
    environ["wsgi.input"] = io.BytesIO(form)
    assert identify(environ).operation == "CreateEnvironment"
    assert environ["wsgi.input"].read() == form


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


def test_journal_keeps_the_newest() -> None:
    journal = Journal(capacity=2)
    for operation in ("A", "B", "C"):
        journal.add(Entry(0, "", "s3", "", operation, "read", 200, "", 0.0))
    assert [(entry.number, entry.operation) for entry in journal.entries()] == [(2, "B"), (3, "C")]
    assert [entry.number for entry in journal.entries(after=2)] == [3]


def _raise(error: Exception) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        raise error

    return application


@pytest.mark.parametrize(
    ("environ", "error", "status", "body"),
    [
        (_environ("rds", "POST"), NotImplementedError("x"), "400 Bad Request", "<Code>InvalidAction</Code>"),
        (_environ("ec2", "POST"), NotImplementedError("x"), "400 Bad Request", "<Response><Errors>"),
        (_environ("ecr", "POST", HTTP_X_AMZ_TARGET="a.B"), NotImplementedError("x"), "400 Bad Request", '"__type"'),
        (_environ("s3"), KeyError("a<b"), "500 Internal Server Error", "KeyError: 'a&lt;b'"),
    ],
)
def test_crash_is_an_answer(environ: dict[str, Any], error: Exception, status: str, body: str) -> None:
    answered: list[str] = []
    reply = Refusals(_raise(error))(environ, lambda status, headers: answered.append(status))
    assert answered == [status]
    assert body in b"".join(reply).decode()


def test_state_knows_its_own_daemon_only(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert state.daemon_pid() is None
    state.pid_file.write_text(f"{os.getpid()}\n")
    assert state.daemon_pid() is None
    assert State(tmp_path).cloud_id != State(tmp_path / "other").cloud_id


def test_damaged_ready_file_counts_as_none(tmp_path: Path) -> None:
    state = State(tmp_path)
    ready = Ready("http://127.0.0.1:1", "http://172.17.0.1:1", "127.0.0.1:2", "/ca.pem", "123456789012", "us-west-2", 1)
    state.write_ready(ready)
    assert state.read_ready() == ready
    state.ready_file.write_text("{")
    assert state.read_ready() is None


@pytest.mark.parametrize(("version", "full"), [("7.1", "7.1.0"), ("7", "7.0.0"), ("6.2.6", "6.2.6"), (None, "7.1.0")])
def test_cache_version_is_reported_in_full(version: str | None, full: str) -> None:
    assert full_version("redis", version) == full


@pytest.mark.parametrize(
    ("region", "code"), [("us-west-2", "usw2"), ("eu-central-1", "euc1"), ("ap-southeast-2", "apse2")]
)
def test_region_code(region: str, code: str) -> None:
    assert region_code(region) == code
