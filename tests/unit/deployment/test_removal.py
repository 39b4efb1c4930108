# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment consists of: whose it is, what is removed in which order, and what stays."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import FINDERS, find
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import (
    Declared,
    Found,
    Resource,
    declared_from,
    identity_from,
    owner,
    resource,
)
from ansible_collections.antenna.aws.plugins.module_utils._deployment.planner import (
    STAGES,
    Remove,
    kept,
    plan,
    project,
)
from ansible_collections.antenna.aws.plugins.module_utils._deployment.remove import REMOVERS, Remaining, advance
from botocore.stub import Stubber

IDENTITY = {"Environment": "web", "ManagedBy": "antenna.aws"}
OURS = {**IDENTITY, "Name": "x"}
ROLE = Declared("iam_role", "shared", shared=True, mark="antenna.aws/web", policies=("web-read",))

OWNERS: dict[str, tuple[Declared, Found | None, str]] = {
    "absent": (Declared("bucket", "b"), None, ""),
    "our tags": (Declared("bucket", "b"), Found("b", OURS), "ours"),
    "no tags": (Declared("bucket", "b"), Found("b", {}), "others"),
    "another environment's tags": (Declared("bucket", "b"), Found("b", {**OURS, "Environment": "web-2"}), "others"),
    "our mark": (Declared("function", "f", mark="UI of web"), Found("f", None, text="UI of web"), "ours"),
    "another mark": (Declared("function", "f", mark="UI of web"), Found("f", None, text="mine"), "others"),
    "no mark at all": (Declared("function", "f"), Found("f", None, text=""), "others"),
    "shared, made by another deployment": (
        ROLE,
        Found("r", {"antenna.aws": "made", "antenna.aws/other": "used"}),
        "ours",
    ),
    "shared, made by a person": (ROLE, Found("r", {"Team": "web"}), "others"),
}


@pytest.mark.parametrize(("declared", "found", "expected"), OWNERS.values(), ids=OWNERS)
def test_whose_it_is(declared: Declared, found: Found | None, expected: str) -> None:
    assert owner(declared, found, IDENTITY) == expected


def test_without_identity_nothing_is_looked_at() -> None:
    with pytest.raises(AntennaError, match="identity is empty"):
        identity_from({})


def found(kind: str, name: str = "x", more: dict[str, Any] | None = None, **fields: Any) -> Resource:
    return resource(Declared(kind, name, **fields), Found(name, OURS, more=more or {}), IDENTITY)


def steps(*resources: Resource, delete_data: bool = False) -> list[tuple[str, str]]:
    return [(step.op, step.resource) for step in plan(resources, delete_data)]


def test_what_depends_on_another_goes_first() -> None:
    everything = [found(kind, mark="x") for kind in sorted(FINDERS)]
    order = [name.split()[0] for _, name in steps(*everything, delete_data=True)]
    assert sorted(order) == sorted(FINDERS)
    assert order.index("environment") < order.index("application") < order.index("security_group")
    assert order.index("distribution") < order.index("origin_access_control")
    assert order.index("db_instance") < order.index("db_subnet_group") < order.index("subnet")


def test_every_kind_is_found_staged_and_removed() -> None:
    assert set(FINDERS) == set(REMOVERS) == {kind for kinds in STAGES for kind in kinds}


def test_data_stays_unless_told_and_a_database_leaves_its_last_snapshot() -> None:
    secret, bucket = found("secret", data=True), found("bucket", "ui")
    database = found("db_instance", "pg", more={"resource_id": "db-abcdefghijklmnop"})
    planned = plan((secret, bucket, database), delete_data=False)
    assert [step.resource for step in planned] == ["db_instance pg", "bucket ui"]
    assert "pg-final-abcdefghijkl" in planned.steps[0].reason
    assert [item.reason for item in kept((secret, bucket, database), False)] == ["it holds data"]
    planned = plan((secret, bucket, database), delete_data=True)
    assert [step.resource for step in planned] == ["db_instance pg", "bucket ui", "secret x"]
    assert "final" not in planned.steps[0].reason
    assert kept((bucket,), True) == ()


def test_what_others_made_stays() -> None:
    theirs = resource(Declared("bucket", "b"), Found("b", {}), IDENTITY)
    assert steps(theirs, delete_data=True) == []
    assert [item.reason for item in kept((theirs,), True)] == ["this deployment did not make it"]


SHARED: dict[str, tuple[dict[str, str], tuple[str, ...], list[tuple[str, str]]]] = {
    "the last user removes what was made": (
        {"antenna.aws": "made", "antenna.aws/web": "used"},
        ("web-read",),
        [("remove", "iam_role shared")],
    ),
    "another deployment goes on using it": (
        {"antenna.aws": "made", "antenna.aws/web": "used", "antenna.aws/two": "used"},
        ("web-read", "two-read"),
        [("release", "iam_role shared")],
    ),
    "it was there before": (
        {"antenna.aws": "adopted", "antenna.aws/web": "used"},
        (),
        [("release", "iam_role shared")],
    ),
    "released already": ({"antenna.aws": "adopted"}, ("two-read",), []),
}


@pytest.mark.parametrize(("tags", "policies", "expected"), SHARED.values(), ids=SHARED)
def test_what_is_shared(tags: dict[str, str], policies: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert steps(resource(ROLE, Found("r", tags, members=policies), IDENTITY)) == expected


def test_after_a_removal_nothing_is_planned() -> None:
    resources = tuple(found(kind) for kind in sorted(FINDERS))
    planned = plan(resources, True)
    assert planned
    assert not plan(project(resources, planned), True)


def test_several_names_of_a_kind() -> None:
    plain = {"parent": None, "mark": None, "data": False, "shared": False, "policies": []}
    declared = declared_from([{"kind": "subnet", "names": ["a", "b"], **plain, "parent": "vpc-1"}])
    assert [(item.kind, item.name, item.parent) for item in declared] == [
        ("subnet", "a", "vpc-1"),
        ("subnet", "b", "vpc-1"),
    ]


def test_an_environment_that_is_busy_is_removed_by_the_next_attempt() -> None:
    eb = boto3.client("elasticbeanstalk", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(eb) as answers:
        answers.add_response(
            "describe_environments",
            {
                "Environments": [
                    {
                        "EnvironmentId": "e-1",
                        "EnvironmentArn": "arn:aws:elasticbeanstalk:eu-central-1:1:environment/app/web-1",
                        "EnvironmentName": "web-1",
                        "Status": "Updating",
                    }
                ]
            },
        )
        answers.add_response("list_tags_for_resource", {"ResourceTags": []})
        answers.add_client_error(
            "terminate_environment",
            "InvalidParameterValue",
            "Cannot terminate environment named web-1. It is currently pending deployment.",
        )
        left = advance(lambda _service: eb, Remove("remove", "environment web-1", "", Declared("environment", "web-1")))
        assert left and "It is currently pending deployment" in left.words
        answers.assert_no_pending_responses()


def test_what_came_into_a_bucket_meanwhile_is_removed_by_the_next_attempt() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(s3) as answers:
        answers.add_response("head_bucket", {})
        answers.add_response("get_bucket_tagging", {"TagSet": []})
        answers.add_response("list_object_versions", {})
        answers.add_client_error("delete_bucket", "BucketNotEmpty")
        assert advance(lambda _service: s3, Remove("remove", "bucket ui-logs", "", Declared("bucket", "ui-logs")))
        answers.assert_no_pending_responses()


def test_what_went_though_the_answer_was_lost_is_gone_by_the_next_attempt() -> None:
    ec2 = boto3.client("ec2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    table = {"RouteTableId": "rtb-1", "Tags": [{"Key": "Name", "Value": "web"}]}
    step = Remove("remove", "route_table web", "", Declared("route_table", "web", parent="vpc-1"))
    with Stubber(ec2) as answers:
        associated = {**table, "Associations": [{"RouteTableAssociationId": "rtbassoc-1"}]}
        answers.add_response("describe_route_tables", {"RouteTables": [associated]})
        answers.add_client_error("disassociate_route_table", "InvalidAssociationID.NotFound")
        assert advance(lambda _service: ec2, step) == Remaining(step)
        answers.add_response("describe_route_tables", {"RouteTables": [{**table, "Associations": []}]})
        answers.add_response("delete_route_table", {})
        assert advance(lambda _service: ec2, step) == Remaining(step)
        answers.add_response("describe_route_tables", {"RouteTables": []})
        assert advance(lambda _service: ec2, step) is None


def test_a_removal_that_was_interrupted_waits_for_the_environment_before_its_roles_go() -> None:
    beanstalk = boto3.client(
        "elasticbeanstalk", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    terminating = {"EnvironmentName": "site", "EnvironmentId": "e-1", "ApplicationName": "app", "Status": "Terminating"}
    declared = Declared("environment", "site", mark="app")
    with Stubber(beanstalk) as answers:
        answers.add_response("describe_environments", {"Environments": [terminating]})
        environment = resource(declared, find(lambda _service: beanstalk, declared), IDENTITY)
    assert steps(found("iam_role"), environment) == [("remove", "environment site"), ("remove", "iam_role x")]
