# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudFront's planners decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.config import declared
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    AccessControlObserved,
    AccessControlWanted,
    DistributionObserved,
    DistributionWanted,
    FunctionObserved,
    FunctionWanted,
    InvalidationObserved,
    InvalidationWanted,
    distribution_reference,
    invalidation_reference,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import (
    access_control_values,
    demand_paths,
    demand_targets,
    distribution_config,
    distribution_tags,
    function_code,
    function_config,
    plan_access_control,
    plan_distribution,
    plan_function,
    plan_invalidation,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.policies import policy_id
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan

BEHAVIOR = {"target_origin_id": "api", "cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
CONFIG = declared(
    {"origins": [{"id": "api", "domain_name": "a", "custom_origin_config": {}}], "default_cache_behavior": BEHAVIOR}
)
WANTED = DistributionWanted("ui", distribution_reference("ui"), CONFIG)


def ops(plan: Plan) -> list[str]:
    return [step.op for step in plan]


def made(wanted: DistributionWanted, **others: Any) -> DistributionObserved:
    values = {"config": distribution_config(wanted, None), "tags": distribution_tags(wanted, None), **others}
    return DistributionObserved("E1", "arn", "d1.cloudfront.net", "Deployed", "etag", **values)


class TestDistribution:
    def test_an_absent_one_is_made(self) -> None:
        plan = plan_distribution(WANTED, None)
        assert ops(plan) == ["create"]
        assert "Name=ui" in next(iter(plan)).reason

    def test_one_that_was_made_is_left_alone(self) -> None:
        assert not plan_distribution(WANTED, made(WANTED))

    def test_nothing_declared_makes_nothing(self) -> None:
        assert not plan_distribution(replace(WANTED, config={}), None)
        assert not plan_distribution(replace(WANTED, config={}), made(WANTED))

    def test_making_demands_origins_and_a_behavior(self) -> None:
        with pytest.raises(AntennaError, match="origins and default_cache_behavior must be given"):
            plan_distribution(replace(WANTED, config={"Comment": "x"}), None)

    def test_an_update_names_what_differs(self) -> None:
        wanted = replace(WANTED, config={**CONFIG, "Comment": "other"})
        (step,) = plan_distribution(wanted, made(WANTED))
        assert (step.op, step.resource) == ("update", "E1")
        assert step.reason.startswith("comment differ")

    @pytest.mark.parametrize(
        ("tags", "purge", "there", "expected"),
        [
            (None, True, {"Name": "ui", "a": "1"}, []),
            ({}, True, {"Name": "ui", "a": "1"}, ["untag"]),
            ({}, False, {"Name": "ui", "a": "1"}, []),
            ({"a": "2"}, True, {"Name": "ui", "a": "1"}, ["tag"]),
            ({"b": "1"}, True, {"Name": "ui", "a": "1"}, ["tag", "untag"]),
            ({}, True, {"Name": "ui", "aws:cloudformation:stack-name": "1"}, []),
        ],
    )
    def test_tags(self, tags: dict[str, str] | None, purge: bool, there: dict[str, str], expected: list[str]) -> None:
        wanted = replace(WANTED, tags=tags, purge_tags=purge)
        assert ops(plan_distribution(wanted, made(WANTED, tags=there))) == expected
        assert not plan_distribution(wanted, made(WANTED, tags=distribution_tags(wanted, made(WANTED, tags=there))))

    def test_removal_disables_first(self) -> None:
        absent = replace(WANTED, present=False)
        assert ops(plan_distribution(absent, made(WANTED))) == ["disable", "delete"]
        disabled = made(WANTED, config={**made(WANTED).config, "Enabled": False})
        assert ops(plan_distribution(absent, disabled)) == ["delete"]
        assert not plan_distribution(absent, None)

    def test_a_behavior_needs_its_origin(self) -> None:
        config = declared({"cache_behaviors": [{**BEHAVIOR, "path_pattern": "/x", "target_origin_id": "nowhere"}]})
        demand_targets(config)
        with pytest.raises(AntennaError, match=r"cache_behaviors\[/x\] targets the origin 'nowhere'.*are: api"):
            demand_targets({**CONFIG, **config})

    def test_the_reference_comes_from_the_name(self) -> None:
        assert distribution_config(WANTED, None)["CallerReference"] == "antenna.aws/ui"


class TestPolicies:
    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("cache_policy_id", "CachingOptimized", "658327ea-f89d-4fab-a63d-7e88639e58f6"),
            ("cache_policy_id", "Managed-CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
            ("origin_request_policy_id", "AllViewer", "216adef6-5c7f-47e4-b989-5492eafa07d3"),
            ("origin_request_policy_id", "AllViewerExceptHostHeader", "b689b0a8-53d0-40ab-baf2-68738e2966ac"),
            ("origin_request_policy_id", "", ""),
            (
                "response_headers_policy_id",
                "11111111-2222-3333-4444-555555555555",
                "11111111-2222-3333-4444-555555555555",
            ),
        ],
    )
    def test_names_become_ids(self, option: str, value: str, expected: str) -> None:
        assert policy_id(option, value) == expected

    def test_a_name_of_another_kind_is_refused(self) -> None:
        with pytest.raises(AntennaError, match=r"cache_policy_id is 'AllViewer'.*CachingDisabled"):
            policy_id("cache_policy_id", "AllViewer")


CODE = b"function handler(event) { return event.request; }"
FUNCTION = FunctionObserved(
    "router", "arn", "e1", CODE, {"Comment": "router", "Runtime": "cloudfront-js-2.0"}, CODE,
    {"Comment": "router", "Runtime": "cloudfront-js-2.0"},
)  # fmt: skip


class TestFunction:
    @pytest.mark.parametrize(
        ("wanted", "observed", "expected"),
        [
            (FunctionWanted("router", CODE), None, ["create", "publish"]),
            (FunctionWanted("router", CODE), FUNCTION, []),
            (FunctionWanted("router"), FUNCTION, []),
            (FunctionWanted("router", b"new"), FUNCTION, ["update", "publish"]),
            (FunctionWanted("router", comment="new"), FUNCTION, ["update", "publish"]),
            (FunctionWanted("router", runtime="cloudfront-js-1.0"), FUNCTION, ["update", "publish"]),
            (FunctionWanted("router", CODE), replace(FUNCTION, live_code=None, live_config=None), ["publish"]),
            (FunctionWanted("router", CODE), replace(FUNCTION, live_code=b"old"), ["publish"]),
            (FunctionWanted("router", CODE), replace(FUNCTION, live_config={"Comment": "old"}), ["publish"]),
            (FunctionWanted("router", present=False), FUNCTION, ["delete"]),
            (FunctionWanted("router", present=False), None, []),
        ],
    )
    def test_steps(self, wanted: FunctionWanted, observed: FunctionObserved | None, expected: list[str]) -> None:
        assert ops(plan_function(wanted, observed)) == expected
        if wanted.present:
            config, code = function_config(wanted, observed), function_code(wanted, observed)
            assert not plan_function(wanted, FunctionObserved("router", "arn", "e2", code, config, code, config))

    def test_stores_that_are_associated_stay(self) -> None:
        stores = {"Quantity": 1, "Items": [{"KeyValueStoreARN": "arn"}]}
        observed = replace(FUNCTION, config={**FUNCTION.config, "KeyValueStoreAssociations": stores})
        config = function_config(FunctionWanted("router", comment="new"), observed)
        assert config["KeyValueStoreAssociations"] == stores

    @pytest.mark.parametrize("code", [b"", b"x" * 10241])
    def test_code_has_a_size(self, code: bytes) -> None:
        with pytest.raises(AntennaError, match=f"router has {len(code)} bytes"):
            plan_function(FunctionWanted("router", code), FUNCTION)

    def test_a_new_one_needs_code(self) -> None:
        with pytest.raises(AntennaError, match="to make it code must be given"):
            plan_function(FunctionWanted("router"), None)


CONTROL = AccessControlObserved("E1", "e1", "ui", "", "s3", "always", "sigv4")


class TestAccessControl:
    @pytest.mark.parametrize(
        ("wanted", "observed", "expected"),
        [
            (AccessControlWanted("ui"), None, ["create"]),
            (AccessControlWanted("ui"), CONTROL, []),
            (AccessControlWanted("ui", description="new"), CONTROL, ["update"]),
            (AccessControlWanted("ui", description=""), replace(CONTROL, description="old"), ["update"]),
            (AccessControlWanted("ui"), replace(CONTROL, description="old"), []),
            (AccessControlWanted("ui", present=False), CONTROL, ["delete"]),
            (AccessControlWanted("ui", present=False), None, []),
        ],
    )
    def test_steps(
        self, wanted: AccessControlWanted, observed: AccessControlObserved | None, expected: list[str]
    ) -> None:
        assert ops(plan_access_control(wanted, observed)) == expected
        if wanted.present:
            after = AccessControlObserved("E1", "e2", "ui", **access_control_values(wanted, observed))
            assert not plan_access_control(wanted, after)


class TestInvalidation:
    def wanted(self, *paths: str, content: str = "one") -> InvalidationWanted:
        return InvalidationWanted("E1", paths, invalidation_reference(content, paths))

    def test_once_per_content(self) -> None:
        wanted = self.wanted("/", "/index.html")
        assert ops(plan_invalidation(wanted, None)) == ["create"]
        done = InvalidationObserved("I1", "Completed", wanted.caller_reference, ("/index.html", "/"))
        assert not plan_invalidation(wanted, done)

    def test_no_paths_no_invalidation(self) -> None:
        assert not plan_invalidation(self.wanted(), None)

    def test_other_paths_are_refused(self) -> None:
        done = InvalidationObserved("I1", "Completed", "mine", ("/a",))
        with pytest.raises(AntennaError, match=r"mine was used by invalidation I1 for other paths \(/a\)"):
            plan_invalidation(InvalidationWanted("E1", ("/b",), "mine"), done)

    def test_the_reference_depends_on_content_and_paths_alone(self) -> None:
        assert invalidation_reference("one", ("/a", "/b")) == invalidation_reference("one", ("/b", "/a"))
        references = {
            invalidation_reference("one", ("/a",)),
            invalidation_reference("two", ("/a",)),
            invalidation_reference("one", ("/b",)),
        }
        assert len(references) == 3

    @pytest.mark.parametrize("status", ["Completed", "COMPLETED", "completed"])
    def test_completion_is_read_however_it_is_written(self, status: str) -> None:
        assert InvalidationObserved("I1", status, "r", ()).completed

    def test_long_lists_are_told_shortly(self) -> None:
        (step,) = plan_invalidation(self.wanted(*(f"/{number}" for number in range(7))), None)
        assert step.resource == "/0, /1, /2, /3, /4 and 2 more"

    def test_paths_are_sorted_and_once(self) -> None:
        assert demand_paths(["/b", "/a", "/b", "/a/*"]) == ("/a", "/a/*", "/b")

    @pytest.mark.parametrize(
        ("paths", "message"),
        [
            (["index.html"], "'index.html' does not start with /"),
            ([""], "does not start with /"),
            (["/*.html"], "not its last character"),
            (["/a*b*"], "not its last character"),
            (["/" + "a" * 4000], "longer than 4000"),
            (["/a b"], "URL-encoded"),
            (["/ä"], "URL-encoded"),
            ([f"/{number}/*" for number in range(16)], "16 paths have a wildcard"),
            ([f"/{number}" for number in range(3001)], "3001 paths were given"),
        ],
    )
    def test_bad_paths(self, paths: list[str], message: str) -> None:
        with pytest.raises(AntennaError, match=message):
            demand_paths(paths)
