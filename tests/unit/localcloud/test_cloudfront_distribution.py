# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A distribution's configuration: what is completed, what is refused, which behaviour answers."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.cloudfront.distribution import complete_config, pattern_matches, read_config
from localcloud.cloudfront.exceptions import CloudFrontError

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def minimal(**changes: Any) -> dict[str, Any]:
    origin = {"Id": "ui", "DomainName": "site.s3.us-west-2.amazonaws.com", "S3OriginConfig": {}}
    behavior = {"TargetOriginId": "ui", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": OPTIMIZED}
    config = {
        "CallerReference": "one",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }
    return config | changes


def with_behavior(**changes: Any) -> dict[str, Any]:
    config = minimal()
    config["DefaultCacheBehavior"] = config["DefaultCacheBehavior"] | changes
    return config


def with_origin(**changes: Any) -> dict[str, Any]:
    config = minimal()
    config["Origins"] = {"Quantity": 1, "Items": [{"Id": "ui", **changes}]}
    return config


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/api/*", "/api/v2/", True),
        ("/api/*", "/api/", True),
        ("/api/*", "/api", False),
        ("api/*", "/api/v2/", True),
        ("/API/*", "/api/v2/", False),
        ("*.jpg", "/a/b.jpg", True),
        ("/a?.css", "/ab.css", True),
        ("/a?.css", "/a.css", False),
        ("/a.css", "/aXcss", False),
        ("*", "/anything/at/all", True),
    ],
)
def test_path_patterns(pattern: str, path: str, expected: bool) -> None:
    assert pattern_matches(pattern, path) is expected


def test_first_matching_behavior_answers() -> None:
    def item(pattern: str) -> dict[str, Any]:
        return {**minimal()["DefaultCacheBehavior"], "PathPattern": pattern}

    behaviors = {"Quantity": 2, "Items": [item("/api/v2/*"), item("/api/*")]}
    edge = read_config(complete_config(minimal(CacheBehaviors=behaviors)))
    patterns = [edge.behavior_for(path).pattern for path in ("/api/v2/x", "/api/v1/x", "/")]
    assert patterns == ["/api/v2/*", "/api/*", "*"]


def test_nothing_is_invented_beside_a_cache_policy() -> None:
    behavior = complete_config(minimal())["DefaultCacheBehavior"]
    assert behavior["CachePolicyId"] == OPTIMIZED
    assert not {"ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"} & behavior.keys()


def test_what_was_given_is_kept_and_the_argument_is_not_touched() -> None:
    given = with_origin(
        DomainName="site.s3.us-west-2.amazonaws.com",
        S3OriginConfig={"OriginAccessIdentity": ""},
        OriginAccessControlId="E1",
    )
    completed = complete_config(given)
    assert completed["Origins"]["Items"][0]["OriginAccessControlId"] == "E1"
    assert completed["Origins"]["Items"][0]["S3OriginConfig"]["OriginAccessIdentity"] == ""
    assert "OriginPath" not in given["Origins"]["Items"][0]


def test_completing_again_changes_nothing() -> None:
    once = complete_config(minimal())
    assert complete_config(once) == once


FORWARDED: dict[str, Any] = {
    "CachePolicyId": None,
    "ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "none"}},
}


def test_the_settings_from_before_there_were_policies() -> None:
    completed = complete_config(with_behavior(**FORWARDED, MinTTL=0))
    behavior = completed["DefaultCacheBehavior"]
    assert (behavior["DefaultTTL"], behavior["MaxTTL"]) == (86_400, 31_536_000)
    policy = read_config(completed).behavior_for("/").cache_policy
    assert (policy.default_ttl, policy.query_strings.picks("a"), policy.cookies.picks("a")) == (86_400, True, False)
    forwarded = FORWARDED["ForwardedValues"] | {"Headers": {"Quantity": 1, "Items": ["*"]}}
    changed = with_behavior(**(FORWARDED | {"ForwardedValues": forwarded}), MinTTL=0)
    assert read_config(complete_config(changed)).behavior_for("/").cache_policy.max_ttl == 0, "nothing is cached then"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (minimal(Origins={"Quantity": 2, "Items": []}), "InconsistentQuantities"),
        (with_behavior(TargetOriginId="other"), "NoSuchOrigin"),
        (with_behavior(CachePolicyId="none"), "NoSuchCachePolicy"),
        (with_behavior(OriginRequestPolicyId="none"), "NoSuchOriginRequestPolicy"),
        (with_behavior(CachePolicyId=None), "InvalidArgument"),
        (with_behavior(ForwardedValues={"QueryString": True}), "InvalidArgument"),
        (with_behavior(CachePolicyId=None, ForwardedValues={"QueryString": True}), "InvalidArgument"),
        (with_behavior(**FORWARDED, MinTTL=9, DefaultTTL=8, MaxTTL=9), "InvalidTTLOrder"),
        (with_behavior(AllowedMethods={"Quantity": 1, "Items": ["POST"]}), "InvalidArgument"),
        (with_behavior(LambdaFunctionAssociations={"Quantity": 1, "Items": [{}]}), "UnsupportedOperation"),
        (with_origin(DomainName="example.org", S3OriginConfig={}), "InvalidArgument"),
        (with_origin(DomainName="10.0.0.1", CustomOriginConfig={"HTTPPort": 80, "HTTPSPort": 443}), "InvalidArgument"),
        (with_origin(DomainName="example.org"), "InvalidArgument"),
        (minimal(Aliases={"Quantity": 1, "Items": ["www.example.org"]}), "InvalidViewerCertificate"),
        (minimal(DefaultRootObject="/index.html"), "InvalidDefaultRootObject"),
        (minimal(Comment=None), "InvalidArgument"),
        (
            with_origin(
                DomainName="example.org",
                CustomOriginConfig={"HTTPPort": 80, "HTTPSPort": 443},
                OriginShield={"Enabled": True, "OriginShieldRegion": "east"},
            ),
            "InvalidArgument",
        ),
        (
            minimal(Restrictions={"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 0}}),
            "InvalidGeoRestrictionParameter",
        ),
    ],
)
def test_refused(config: dict[str, Any], code: str) -> None:
    with pytest.raises(CloudFrontError) as caught:
        complete_config(config)
    assert caught.value.code == code
