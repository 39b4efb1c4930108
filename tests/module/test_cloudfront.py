# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CloudFront modules: check, run, check, run. What is asserted last in each is that nothing was written again."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.serving import serving

UNKNOWN = "(known after apply)"
CODE = "function handler(event) { return event.request; }"

API = {
    "id": "api",
    "domain_name": "api.example.org",
    "custom_origin_config": {"origin_protocol_policy": "http-only"},
    "custom_headers": [{"header_name": "X-Forwarded-Proto", "header_value": "https"}],
}
API_ONLY: dict[str, Any] = {
    "name": "antenna-ui",
    "default_root_object": "index.html",
    "price_class": "PriceClass_100",
    "origins": [API],
    "default_cache_behavior": {
        "target_origin_id": "api",
        "cache_policy_id": "CachingDisabled",
        "origin_request_policy_id": "AllViewer",
        "allowed_methods": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
    },
    "tags": {"project": "antenna"},
}


@pytest.fixture(scope="module")
def cloudfront_endpoint() -> Iterator[str]:
    with serving("cloudfront_server.py") as endpoint:
        yield endpoint


@pytest.fixture
def cloud(cloudfront_endpoint: str, aws: Any) -> Any:
    """An emptied account with a CloudFront that keeps what it is told."""
    request = urllib.request.Request(f"{cloudfront_endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    account = replace(aws, endpoint=cloudfront_endpoint)
    account.calls()
    return account


def ops(result: dict[str, Any]) -> list[str]:
    assert "plan" in result, result
    return [step["op"] for step in result["plan"]]


def lasting(view: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in view.items() if key not in ("etag", "status")}


def twice_in_check_and_run(account: Any, module: str, args: dict[str, Any], expected: list[str]) -> dict[str, Any]:
    """Check, run, check, run: the same decision first, none afterwards, and no write where none was announced."""
    foretold = account.run_module(module, args, check=True)
    assert ops(foretold) == expected, foretold
    assert account.writes() == []
    done = account.run_module(module, args)
    assert (ops(done), done["changed"]) == (expected, True)
    assert set(foretold) == set(done)
    account.calls()
    for check in (True, False):
        again = account.run_module(module, args, check=check)
        assert (ops(again), again["changed"]) == ([], False), again
    assert account.writes() == []
    return dict(done)


class TestDistribution:
    module = "cloudfront_distribution"

    def whole(self, cloud: Any) -> dict[str, Any]:
        control = cloud.run_module("cloudfront_origin_access_control", {"name": "antenna-ui"})
        function = cloud.run_module("cloudfront_function", {"name": "router", "code": CODE})
        cloud.calls()
        bucket = {
            "id": "ui",
            "domain_name": "antenna-ui.s3.eu-central-1.amazonaws.com",
            "origin_access_control_id": control["origin_access_control"]["id"],
        }
        association = {"event_type": "viewer-request", "function_arn": function["function"]["arn"]}
        default = {
            "target_origin_id": "ui",
            "cache_policy_id": "CachingOptimized",
            "function_associations": [association],
        }
        api = {**API_ONLY["default_cache_behavior"], "path_pattern": "/api/*"}
        return {**API_ONLY, "origins": [bucket, API], "default_cache_behavior": default, "cache_behaviors": [api]}

    def test_a_whole_one(self, cloud: Any) -> None:
        args = self.whole(cloud)
        found = twice_in_check_and_run(cloud, self.module, args, ["create"])["distribution"]
        assert found["tags"] == {"Name": "antenna-ui", "project": "antenna"}
        config = cloud.client("cloudfront").get_distribution(Id=found["id"])["Distribution"]["DistributionConfig"]
        origins = {origin["Id"]: origin for origin in config["Origins"]["Items"]}
        assert origins["ui"]["OriginAccessControlId"] == args["origins"][0]["origin_access_control_id"]
        assert origins["api"]["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
        assert config["DefaultCacheBehavior"]["FunctionAssociations"]["Quantity"] == 1

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"comment": "other"}, ["update"]),
            ({"origins": [{**API, "custom_headers": []}]}, ["update"]),
            ({"aliases": [], "web_acl_id": ""}, []),
            ({"tags": {"project": "other"}}, ["tag"]),
            ({"tags": {}}, ["untag"]),
            ({"tags": {}, "purge_tags": False}, []),
            ({"enabled": False, "tags": {"a": "b"}}, ["update", "tag", "untag"]),
        ],
    )
    def test_changes(self, cloud: Any, change: dict[str, Any], expected: list[str]) -> None:
        made = cloud.run_module(self.module, API_ONLY)["distribution"]
        cloud.calls()
        args = {**API_ONLY, **change}
        if expected:
            changed = twice_in_check_and_run(cloud, self.module, args, expected)["distribution"]
        else:
            changed = cloud.run_module(self.module, args)["distribution"]
            assert cloud.writes() == []
        assert changed["id"] == made["id"]

    def test_the_check_foretells_what_the_run_does(self, cloud: Any) -> None:
        cloud.run_module(self.module, API_ONLY)
        args = {**API_ONLY, "comment": "other", "tags": {"a": "b"}}
        foretold = cloud.run_module(self.module, args, check=True)
        done = cloud.run_module(self.module, args)
        for side in ("before", "after"):
            assert lasting(foretold["diff"][side]) == lasting(done["diff"][side])

    def test_an_empty_account_is_foretold(self, cloud: Any) -> None:
        foretold = cloud.run_module(self.module, API_ONLY, check=True)["distribution"]
        assert (foretold["id"], foretold["domain_name"], foretold["arn"]) == (UNKNOWN, UNKNOWN, UNKNOWN)
        assert foretold["config"]["comment"] == "antenna-ui"

    def test_started_early_and_awaited_late(self, cloud: Any) -> None:
        started = cloud.run_module(self.module, API_ONLY)
        assert started["distribution"]["status"] == "InProgress"
        awaited = cloud.run_module(self.module, {"name": "antenna-ui", "wait": True})
        assert (awaited["changed"], awaited["distribution"]["status"]) == (False, "Deployed")

    def test_awaiting_what_will_be_made_ends_well_in_a_check_alone(self, cloud: Any) -> None:
        args = {"name": "antenna-ui", "wait": True}
        assert cloud.run_module(self.module, args, check=True)["changed"] is False
        failed = cloud.run_module(self.module, args)
        assert failed["failed"]
        assert "No distribution has the tag Name=antenna-ui" in failed["msg"]

    def test_a_wait_ends(self, cloud: Any) -> None:
        cloud.run_module(self.module, API_ONLY)
        failed = cloud.run_module(
            self.module, {"name": "antenna-ui", "comment": "new", "wait": True, "wait_timeout": 0}
        )
        assert "Waited 0 s for the distribution antenna-ui" in failed["msg"]
        assert "last seen: status InProgress" in failed["msg"]

    def test_removal(self, cloud: Any) -> None:
        cloud.run_module(self.module, API_ONLY)
        cloud.calls()
        gone = twice_in_check_and_run(
            cloud, self.module, {"name": "antenna-ui", "state": "absent"}, ["disable", "delete"]
        )
        assert gone["distribution"] == {}
        assert "Items" not in cloud.client("cloudfront").list_distributions()["DistributionList"]

    def test_two_of_one_name_are_refused(self, cloud: Any) -> None:
        cloud.run_module(self.module, API_ONLY)
        other = cloud.run_module(self.module, {**API_ONLY, "name": "other", "tags": {}})["distribution"]
        items = {"Items": [{"Key": "Name", "Value": "antenna-ui"}]}
        cloud.client("cloudfront").tag_resource(Resource=other["arn"], Tags=items)
        failed = cloud.run_module(self.module, API_ONLY)
        assert "all have the tag Name=antenna-ui" in failed["msg"]
        assert other["id"] in failed["msg"]

    def test_one_that_lost_its_tag_is_not_made_again(self, cloud: Any) -> None:
        made = cloud.run_module(self.module, API_ONLY)["distribution"]
        cloud.client("cloudfront").untag_resource(Resource=made["arn"], TagKeys={"Items": ["Name"]})
        failed = cloud.run_module(self.module, {**API_ONLY, "comment": "other"})
        assert f"Distribution {made['id']} was made as antenna-ui" in failed["msg"]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"default_cache_behavior": {"target_origin_id": "x", "cache_policy_id": "CachingDisabled"}}, "origin 'x'"),
            ({"default_cache_behavior": {"target_origin_id": "api", "cache_policy_id": "Disabled"}}, "'Disabled'"),
            ({"origins": None}, "origins must be given"),
        ],
    )
    def test_bad_input_calls_nothing_that_writes(self, cloud: Any, change: dict[str, Any], message: str) -> None:
        failed = cloud.run_module(self.module, {**API_ONLY, **change})
        assert message in failed["msg"]
        assert cloud.writes() == []

    def test_unchanged_against_a_server_that_adds_and_forgets(self, aws: Any) -> None:
        api = {**API_ONLY["default_cache_behavior"], "path_pattern": "/api/*"}
        twice_in_check_and_run(aws, self.module, {**API_ONLY, "cache_behaviors": [api]}, ["create"])


class TestFunction:
    module = "cloudfront_function"
    args = {"name": "router", "code": CODE}

    def test_made_and_published(self, cloud: Any) -> None:
        done = twice_in_check_and_run(cloud, self.module, self.args, ["create", "publish"])["function"]
        assert done["arn"] == "arn:aws:cloudfront::123456789012:function/router"
        assert done["stage"] == "LIVE"
        live = cloud.client("cloudfront").get_function(Name="router", Stage="LIVE")["FunctionCode"].read()
        assert live.decode() == CODE

    def test_the_arn_is_foretold(self, cloud: Any) -> None:
        foretold = cloud.run_module(self.module, self.args, check=True)["function"]
        assert foretold["arn"] == "arn:aws:cloudfront::123456789012:function/router"

    @pytest.mark.parametrize("change", [{"code": CODE + "\n"}, {"comment": "other"}])
    def test_changes_reach_viewers(self, cloud: Any, change: dict[str, str]) -> None:
        cloud.run_module(self.module, self.args)
        cloud.calls()
        twice_in_check_and_run(cloud, self.module, {**self.args, **change}, ["update", "publish"])

    def test_an_interrupted_run_is_finished(self, cloud: Any) -> None:
        config = {"Comment": "router", "Runtime": "cloudfront-js-2.0"}
        cloud.client("cloudfront").create_function(Name="router", FunctionConfig=config, FunctionCode=CODE.encode())
        cloud.calls()
        twice_in_check_and_run(cloud, self.module, self.args, ["publish"])

    def test_removal(self, cloud: Any) -> None:
        cloud.run_module(self.module, self.args)
        cloud.calls()
        twice_in_check_and_run(cloud, self.module, {"name": "router", "state": "absent"}, ["delete"])

    def test_one_in_use_stays(self, cloud: Any) -> None:
        arn = cloud.run_module(self.module, self.args)["function"]["arn"]
        association = {"event_type": "viewer-request", "function_arn": arn}
        behavior = {**API_ONLY["default_cache_behavior"], "function_associations": [association]}
        cloud.run_module("cloudfront_distribution", {**API_ONLY, "default_cache_behavior": behavior})
        failed = cloud.run_module(self.module, {"name": "router", "state": "absent"})
        assert "router cannot be deleted: a distribution uses it" in failed["msg"]

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            ({"name": "a.b", "code": CODE}, "name 'a.b'"),
            ({"name": "router"}, "code must be given"),
            ({"name": "router", "code": "x" * 10241}, "10241 bytes"),
        ],
    )
    def test_bad_input(self, cloud: Any, args: dict[str, str], message: str) -> None:
        assert message in cloud.run_module(self.module, args)["msg"]
        assert cloud.writes() == []


class TestOriginAccessControl:
    module = "cloudfront_origin_access_control"
    args = {"name": "antenna-ui", "description": "UI bucket"}

    @pytest.fixture(params=["aws", "cloud"])
    def account(self, request: pytest.FixtureRequest) -> Any:
        return request.getfixturevalue(request.param)

    def test_made(self, account: Any) -> None:
        done = twice_in_check_and_run(account, self.module, self.args, ["create"])["origin_access_control"]
        assert done["id"] != UNKNOWN
        assert (done["origin_type"], done["signing_behavior"], done["signing_protocol"]) == ("s3", "always", "sigv4")

    def test_changed(self, account: Any) -> None:
        made = account.run_module(self.module, self.args)["origin_access_control"]
        account.calls()
        args = {**self.args, "signing_behavior": "no-override"}
        changed = twice_in_check_and_run(account, self.module, args, ["update"])["origin_access_control"]
        assert (changed["id"], changed["description"]) == (made["id"], "UI bucket")

    def test_a_deployment_finds_it_on_any_page(self, cloud: Any) -> None:
        cloudfront = cloud.client("cloudfront")
        plain = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
        names = [f"a-{number:03}" for number in range(101)]
        for name in names:
            cloudfront.create_origin_access_control(OriginAccessControlConfig={"Name": name, **plain})
        wanted = [{"kind": "origin_access_control", "names": [names[0], names[-1]]}]
        looked = cloud.run_module("deployment_info", {"resources": wanted, "identity": {"Environment": "web"}})
        assert [item["exists"] for item in looked["resources"]] == [True, True]

    def test_removed(self, account: Any) -> None:
        account.run_module(self.module, self.args)
        account.calls()
        twice_in_check_and_run(account, self.module, {"name": "antenna-ui", "state": "absent"}, ["delete"])

    def test_the_id_is_unknown_in_a_check(self, account: Any) -> None:
        assert account.run_module(self.module, self.args, check=True)["origin_access_control"]["id"] == UNKNOWN


class TestInvalidation:
    module = "cloudfront_invalidate"

    @pytest.fixture(params=["aws", "cloud"])
    def account(self, request: pytest.FixtureRequest) -> Any:
        return request.getfixturevalue(request.param)

    def args(self, account: Any, **others: Any) -> dict[str, Any]:
        made = account.run_module("cloudfront_distribution", API_ONLY)["distribution"]
        account.calls()
        return {"distribution_id": made["id"], "paths": ["/index.html", "/"], "content": "one", **others}

    def test_once_per_content(self, account: Any) -> None:
        args = self.args(account)
        done = twice_in_check_and_run(account, self.module, args, ["create"])["invalidation"]
        assert (done["status"], done["paths"]) == ("Completed", ["/", "/index.html"])
        other = twice_in_check_and_run(account, self.module, {**args, "content": "two"}, ["create"])["invalidation"]
        assert other["id"] != done["id"]
        assert account.run_module(self.module, args)["invalidation"]["id"] == done["id"]

    def test_without_waiting(self, cloud: Any) -> None:
        args = self.args(cloud, wait=False)
        assert cloud.run_module(self.module, args)["invalidation"]["status"] == "InProgress"
        late = cloud.run_module(self.module, {**args, "wait": True})
        assert (late["changed"], late["invalidation"]["status"]) == (False, "Completed")

    def test_no_paths_no_calls(self, account: Any) -> None:
        args = self.args(account, paths=[])
        result = account.run_module(self.module, args)
        assert (result["changed"], result["plan"], result["invalidation"]) == (False, [], {})
        assert account.calls() == []

    def test_older_than_what_is_read_is_still_not_repeated(self, cloud: Any) -> None:
        args = self.args(cloud)
        first = cloud.run_module(self.module, args)
        cloud.run_module(self.module, {**args, "content": "two"})
        again = cloud.run_module(self.module, {**args, "lookback": 0})
        assert (again["changed"], again["plan"]) == (False, [])
        assert again["invalidation"]["id"] == first["invalidation"]["id"]

    def test_a_reference_with_other_paths_is_refused(self, cloud: Any) -> None:
        args = {"distribution_id": self.args(cloud)["distribution_id"], "paths": ["/"], "caller_reference": "mine"}
        assert cloud.run_module(self.module, args)["changed"]
        for lookback in (0, 20):
            failed = cloud.run_module(self.module, {**args, "paths": ["/other"], "lookback": lookback})
            assert "mine was used" in failed["msg"]

    def test_a_distribution_that_will_be_made(self, account: Any) -> None:
        args = {"distribution_id": UNKNOWN, "paths": ["/*"], "content": UNKNOWN}
        assert ops(account.run_module(self.module, args, check=True)) == ["create"]

    def test_a_distribution_that_is_not_there(self, cloud: Any) -> None:
        args = {"distribution_id": "ENOTTHERE", "paths": ["/*"], "content": "one"}
        failed = cloud.run_module(self.module, args)
        assert "NoSuchDistribution" in failed["msg"]
        assert "distribution ENOTTHERE" in failed["msg"]

    def test_bad_paths_call_nothing(self, account: Any) -> None:
        args = self.args(account, paths=["/ok", "*.html"])
        assert "'*.html' does not start with /" in account.run_module(self.module, args)["msg"]
        assert account.calls() == []
