# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM policies as the rehearsal cloud judges them."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud import policies

READ = "secretsmanager:GetSecretValue"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:antenna-AbC123"
ROLE = "arn:aws:iam::123456789012:role/antenna-execution"


def allow(action: Any = READ, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def permits(*statements: dict[str, Any], action: str = READ, resource: str = SECRET, **context: str) -> bool:
    return policies.permits([{"Statement": list(statements)}], action, resource, context)


@pytest.mark.parametrize(
    ("statement", "permitted"),
    [
        (allow(), True),
        (allow("secretsmanager:*"), True),
        (allow(["s3:GetObject", "SecretsManager:getsecretvalue"]), True),
        (allow("*"), True),
        (allow("secretsmanager:ListSecrets"), False),
        (allow(resource=[SECRET]), True),
        (allow(resource="arn:aws:secretsmanager:*:*:secret:antenna-??????"), True),
        (allow(resource="arn:aws:secretsmanager:*:*:secret:antenna"), False),
        (allow(resource="arn:aws:secretsmanager:*:*:secret:[a]*"), False),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": READ, "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": READ, "NotResource": SECRET}, False),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], permitted: bool) -> None:
    assert permits(statement) is permitted


def test_a_denial_wins_and_nothing_said_is_no() -> None:
    deny = {"Effect": "Deny", "Action": READ, "Resource": SECRET}
    assert not permits()
    assert not permits(allow(), deny)
    assert not policies.permits([{"Statement": allow()}, {"Statement": deny}], READ, SECRET, {})
    assert policies.permits([{"Statement": allow()}], READ, SECRET, {})


@pytest.mark.parametrize(
    ("condition", "permitted"),
    [
        ({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, True),
        ({"StringEquals": {"iam:passedtoservice": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}}, True),
        ({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, False),
        ({"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, True),
        ({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}, True),
        ({"ForAnyValue:StringLike": {"iam:PassedToService": "ecs*"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"Null": {"aws:SourceVpc": "true"}}, True),
        ({"Null": {"iam:PassedToService": "true"}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], permitted: bool) -> None:
    context = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    statement = allow("iam:PassRole", ROLE, Condition=condition)
    assert policies.permits([{"Statement": [statement]}], "iam:PassRole", ROLE, context) is permitted


def test_a_denial_whose_condition_does_not_hold_is_none() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert permits(allow(), deny, **{"aws:SecureTransport": "true"})


def test_what_cannot_be_judged_is_said() -> None:
    statement = allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    with pytest.raises(policies.NotJudged):
        permits(statement)
    assert not permits(statement, action="s3:GetObject")


TASKS = policies.Asker("Service", frozenset({"ecs-tasks.amazonaws.com"}), {"aws:SourceAccount": "123456789012"})
CALLER = policies.Asker("AWS", frozenset({"*", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/me"}))


@pytest.mark.parametrize(
    ("principal", "asker", "trusted"),
    [
        ({"Service": "ecs-tasks.amazonaws.com"}, TASKS, True),
        ({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}, TASKS, True),
        ({"Service": "ecs.amazonaws.com"}, TASKS, False),
        ({"AWS": "ecs-tasks.amazonaws.com"}, TASKS, False),
        ("*", TASKS, False),
        ("*", CALLER, True),
        ({"AWS": "*"}, CALLER, True),
        ({"AWS": ["arn:aws:iam::123456789012:root"]}, CALLER, True),
        ({"AWS": "arn:aws:iam::123456789012:user/you"}, CALLER, False),
        ({"Federated": "arn:aws:iam::123456789012:user/me"}, CALLER, False),
    ],
)
def test_trust(principal: Any, asker: policies.Asker, trusted: bool) -> None:
    document = {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}
    assert policies.trusts(document, asker) is trusted
    assert not policies.trusts(document, asker, "sts:AssumeRoleWithWebIdentity")


@pytest.mark.parametrize(("account", "trusted"), [("123456789012", True), ("210987654321", False)])
def test_trust_has_conditions(account: str, trusted: bool) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    assert policies.trusts({"Statement": [statement]}, TASKS) is trusted


def test_trust_of_everybody_but_some_is_not_judged() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    with pytest.raises(policies.NotJudged, match="NotPrincipal"):
        policies.trusts({"Statement": statement}, CALLER)
