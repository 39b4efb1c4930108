# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the collection's modules may call, the role that deploys may do: also what no deployment of the tests calls.

The calls are read from the source: names of operations at clients, and in the arguments of those that page. What an
operation needs the rehearsal cloud knows.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name

from localcloud.iam.authority import KNOWN, needs
from localcloud.iam.needs import Asked
from localcloud.shapes import service_model
from tests.policies import lint
from tests.policies.calls import REGION, Things
from tests.policies.conftest import ACCOUNT, ROOT

PLUGINS = ROOT / "plugins"
SIGNED = {"cloudwatch": "monitoring"}
"""Services that boto3 calls otherwise than signatures do."""
CLIENTS = {
    "module_utils/_cloudfront": ("cloudfront",),
    "module_utils/_cloudwatch": ("logs",),
    "module_utils/_ecr": ("ecr",),
    "module_utils/_elasticache": ("elasticache",),
    "module_utils/_s3bucket": ("s3",),
    "module_utils/_s3site": ("s3",),
    "module_utils/_eb/api.py": ("ec2", "elasticbeanstalk"),
    "module_utils/_eb/containers.py": ("ecs",),
    "module_utils/_eb/logs.py": ("logs",),
    "module_utils/_eb/platform.py": ("elasticbeanstalk",),
    "module_utils/_eb/version_store.py": ("elasticbeanstalk", "s3", "sts"),
}
"""Whose clients are given to the functions of a file; other functions make theirs by the name of the service."""
CALLED = ("data", "identity", "release", "promotion")
"""The policies of what is called, where the others are of what AWS does behind the calls."""
NOT_ASKED_FOR = {
    "elasticbeanstalk:DescribeConfigurationOptions": "for options to remove, of which no role names any",
    "elasticbeanstalk:UpdateApplicationVersion": "for descriptions of versions, which no role gives",
    "s3:DeleteBucketPolicy": "for a bucket that is to have no policy any more, which no role says",
}
"""What modules can do, and the roles of the collection do not ask them for in this deployment."""
TAGS = {
    "ResourceArn": "arn:aws:elasticbeanstalk:us-west-2:123456789012:application/shop",
    "Tags": {"Name": "value"},
    "TagsToAdd.member.1.Key": "Name",
    "TagsToRemove.member.1": "Name",
}
"""What calls may tell of tags, which need actions of their own."""


@functools.cache
def operations(service: str) -> dict[str, str]:
    """The operations of a service of boto3, by the names that they have in Python."""
    model = service_model(SIGNED.get(service, service))
    assert model is not None
    return {xform_name(name): name for name in model.operation_names}


def sources() -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """Parts of the modules' source, and whose clients they have: functions, and modules as a whole."""
    for file in sorted(PLUGINS.rglob("*.py")):
        name = file.relative_to(PLUGINS).as_posix()
        tree = ast.parse(file.read_text())
        given = next((services for beginning, services in CLIENTS.items() if name.startswith(beginning)), ())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for part in [tree] if name.startswith("modules/") else functions:
            yield part, (*given, *(text for text in texts(part) if SIGNED.get(text, text) in KNOWN))


def texts(part: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(part) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@functools.cache
def called() -> set[tuple[str, str]]:
    """The services and operations that the modules call."""
    return {
        (service, operations(service)[name])
        for part, services in sources()
        for service in services
        for name in texts(part) | {node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute)}
        if name in operations(service)
    }


def actions(service: str, operation: str) -> set[str]:
    signed = SIGNED.get(service, service)
    return {need.action for need in needs(Asked(signed, operation, REGION, ACCOUNT, TAGS, Things()))}


def test_what_modules_may_call_the_role_that_deploys_may_do(policies: dict[str, dict[str, Any]]) -> None:
    let = {action for name in CALLED for action in lint.actions(policies[name])}
    needed = {action for service, operation in called() for action in actions(service, operation)}
    assert sorted(needed - let) == sorted(NOT_ASKED_FOR)


@pytest.mark.parametrize(
    "call",
    [
        ("cloudfront", "UpdateFunction"),
        ("ecs", "ListContainerInstances"),
        ("elasticache", "IncreaseReplicaCount"),
        ("iam", "DeleteAccessKey"),
        ("logs", "GetLogEvents"),
        ("s3", "PutBucketEncryption"),
    ],
)
def test_calls_are_found_however_they_are_written(call: tuple[str, str]) -> None:
    assert call in called()
