# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what with a bucket."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.s3.access import Caller, NotJudged, by_policy, may

ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
DISTRIBUTION = Caller(ARN, "123456789012")
ANYBODY = Caller(None, "123456789012")
OBJECT = "arn:aws:s3:::site/index.html"
SERVICE = {"Service": "cloudfront.amazonaws.com"}


def statement(**changes: Any) -> dict[str, Any]:
    allowed = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*"}
    return allowed | changes


def when(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def bucket(*statements: dict[str, Any], restrict: bool = False) -> Any:
    block = SimpleNamespace(restrict_public_buckets=restrict, ignore_public_acls=restrict)
    policy = json.dumps({"Statement": list(statements)}).encode() if statements else None
    return SimpleNamespace(policy=policy, public_access_block=block)


NO_TLS = statement(Effect="Deny", Principal="*", **when("Bool", "aws:SecureTransport", "false"))
PUBLIC = statement(Principal="*")


@pytest.mark.parametrize(
    ("caller", "of", "expected"),
    [
        (DISTRIBUTION, bucket(), False),
        (DISTRIBUTION, bucket(statement()), True),
        (ANYBODY, bucket(statement()), False),
        (DISTRIBUTION, bucket(statement(**when("StringEquals", "AWS:SourceArn", ARN))), True),
        (DISTRIBUTION, bucket(statement(**when("StringEquals", "AWS:SourceArn", ARN[:-1] + "2"))), False),
        (DISTRIBUTION, bucket(statement(**when("ArnLike", "aws:sourcearn", [ARN[:-1] + "*"]))), True),
        (DISTRIBUTION, bucket(statement(**when("StringEquals", "aws:SourceAccount", "210987654321"))), False),
        (DISTRIBUTION, bucket(statement(**when("StringEquals", "aws:SourceVpc", "vpc-1"))), False),
        (DISTRIBUTION, bucket(statement(), NO_TLS), True),
        (DISTRIBUTION, bucket(statement(), statement(Effect="Deny", Principal="*")), False),
        (DISTRIBUTION, bucket(statement(Action="s3:PutObject")), False),
        (DISTRIBUTION, bucket(statement(Action="s3:*")), True),
        (DISTRIBUTION, bucket(statement(Resource="arn:aws:s3:::site/assets/*")), False),
        (DISTRIBUTION, bucket(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})), False),
        (ANYBODY, bucket(PUBLIC), True),
        (ANYBODY, bucket(statement(Principal={"AWS": "*"})), True),
        (ANYBODY, bucket(PUBLIC, restrict=True), False),
    ],
)
def test_may_read(caller: Caller, of: Any, expected: bool) -> None:
    assert may(of, caller, "s3:GetObject", OBJECT, None) is expected


ACCOUNT = Caller(None, "123456789012", signed=True)
OLD_TLS = statement(Effect="Deny", Principal="*", **when("NumericLessThan", "s3:TlsVersion", "1.2"))


@pytest.mark.parametrize(
    ("caller", "of", "expected"),
    [
        (ACCOUNT, bucket(), None),
        (ACCOUNT, bucket(NO_TLS, OLD_TLS), None),
        (ACCOUNT, bucket(statement()), None),
        (ACCOUNT, bucket(statement(Effect="Deny", Principal="*")), False),
        (ACCOUNT, bucket(statement(Principal={"AWS": "123456789012"})), True),
        (ACCOUNT, bucket(statement(Principal={"AWS": "210987654321"})), None),
        (ACCOUNT, bucket(PUBLIC, restrict=True), True),
        (replace(DISTRIBUTION, secure=False), bucket(statement(), NO_TLS), False),
        (replace(DISTRIBUTION, secure=False), bucket(statement()), True),
    ],
)
def test_what_the_policy_says(caller: Caller, of: Any, expected: bool | None) -> None:
    assert by_policy(of, caller, "s3:GetObject", OBJECT) is expected


@pytest.mark.parametrize("changes", [when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), {"NotPrincipal": "*"}])
def test_what_is_not_understood_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotJudged):
        may(bucket(statement(**changes)), DISTRIBUTION, "s3:GetObject", OBJECT, None)
