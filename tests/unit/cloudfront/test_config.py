# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations: from options to AWS's shape, laid over what is there, and compared."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.config import (
    camel,
    created,
    declared,
    differences,
    overlay,
    plain,
    snake,
)

UI = {"id": "ui", "domain_name": "ui.s3.us-west-2.amazonaws.com", "origin_access_control_id": "E1"}
API = {
    "id": "api",
    "domain_name": "api.example.org",
    "custom_origin_config": {"origin_protocol_policy": "http-only"},
    "custom_headers": [{"header_name": "X-Forwarded-Proto", "header_value": "https"}],
}
BEHAVIOR = {"target_origin_id": "ui", "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6"}
FUNCTION = {"event_type": "viewer-request", "function_arn": "arn:aws:cloudfront::123456789012:function/router"}
SITE: dict[str, Any] = {
    "default_root_object": "index.html",
    "origins": [UI, API],
    "default_cache_behavior": {**BEHAVIOR, "function_associations": [FUNCTION]},
    "cache_behaviors": [{**BEHAVIOR, "path_pattern": "/api/*", "target_origin_id": "api"}],
}


def existing(**options: Any) -> dict[str, Any]:
    """What AWS returns for a distribution that was made from these options."""
    config = created(declared({**SITE, **options}), "reference", "comment")
    config |= {
        "Aliases": config.get("Aliases", {"Quantity": 0}),
        "CustomErrorResponses": config.get("CustomErrorResponses", {"Quantity": 0}),
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": config.get("PriceClass", "PriceClass_All"),
        "WebACLId": "",
    }
    if "ViewerCertificate" not in config:
        config["ViewerCertificate"] = {
            "CloudFrontDefaultCertificate": True,
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        }
    else:
        arn = config["ViewerCertificate"]["ACMCertificateArn"]
        told = {"CloudFrontDefaultCertificate": False, "Certificate": arn, "CertificateSource": "acm"}
        config["ViewerCertificate"] |= told
    config["Origins"]["Items"].reverse()
    return config


def test_a_certificate_of_ones_own_is_recognized() -> None:
    own = {"aliases": ["a.example.org"], "viewer_certificate": {"acm_certificate_arn": "arn"}}
    assert changes(existing(**own), own) == []


def changes(before: dict[str, Any], options: dict[str, Any]) -> list[str]:
    return differences(plain(before), plain(overlay(before, declared(options))))


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("http_port", "HTTPPort"),
        ("https_port", "HTTPSPort"),
        ("http_version", "HttpVersion"),
        ("is_ipv6_enabled", "IsIPV6Enabled"),
        ("web_acl_id", "WebACLId"),
        ("function_arn", "FunctionARN"),
        ("acm_certificate_arn", "ACMCertificateArn"),
        ("ssl_support_method", "SSLSupportMethod"),
        ("error_caching_min_ttl", "ErrorCachingMinTTL"),
        ("origin_ssl_protocols", "OriginSslProtocols"),
        ("s3_origin_config", "S3OriginConfig"),
        ("price_class", "PriceClass"),
    ],
)
def test_names_go_both_ways(option: str, key: str) -> None:
    assert camel(option) == key
    assert snake(key) == option


def test_what_is_not_given_is_not_declared() -> None:
    assert declared({"comment": None, "aliases": [], "enabled": False}) == {
        "Aliases": {"Quantity": 0},
        "Enabled": False,
    }


def test_every_key_is_one_that_botocore_knows() -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    options = {
        **SITE,
        "aliases": ["ui.example.org"],
        "http_version": "http2and3",
        "is_ipv6_enabled": True,
        "web_acl_id": "arn",
        "viewer_certificate": {"acm_certificate_arn": "arn"},
        "restrictions": {"geo_restriction": {"restriction_type": "whitelist", "locations": ["CH"]}},
        "logging": {"enabled": True, "include_cookies": False, "bucket": "logs", "prefix": ""},
        "custom_error_responses": [{"error_code": 404, "response_code": "200", "response_page_path": "/"}],
    }
    shape = botocore.session.get_session().get_service_model("cloudfront").shape_for("DistributionConfig")
    report = ParamValidator().validate(created(declared(options), "reference", "comment"), shape)
    assert not report.has_errors(), report.generate_report()


def test_a_bucket_behind_an_access_control_keeps_the_older_identity_empty() -> None:
    origin = created(declared(SITE), "reference", "comment")["Origins"]["Items"][0]
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    assert origin["OriginAccessControlId"] == "E1"


def test_a_new_custom_origin_gets_what_aws_demands() -> None:
    origin = created(declared(SITE), "reference", "comment")["Origins"]["Items"][1]
    assert origin["CustomOriginConfig"]["HTTPPort"] == 80
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
    assert origin["CustomOriginConfig"]["OriginSslProtocols"] == {"Quantity": 1, "Items": ["TLSv1.2"]}


UNCHANGED: list[dict[str, Any]] = [
    {},
    SITE,
    {"origins": [API, UI]},
    {"origins": [{"id": "ui", "domain_name": UI["domain_name"]}, {"id": "api", "domain_name": "api.example.org"}]},
    {"aliases": []},
    {"web_acl_id": ""},
    {"viewer_certificate": {"cloudfront_default_certificate": True}},
    {"default_cache_behavior": {**BEHAVIOR, "allowed_methods": ["HEAD", "GET"]}},
    {"default_cache_behavior": {**BEHAVIOR, "origin_request_policy_id": ""}},
    {"price_class": "PriceClass_All", "comment": "comment", "enabled": True},
]


@pytest.mark.parametrize("options", UNCHANGED)
def test_what_is_there_is_not_changed(options: dict[str, Any]) -> None:
    assert changes(existing(), options) == []


CHANGED: list[tuple[dict[str, Any], list[str]]] = [
    ({"comment": "other"}, ["comment"]),
    ({"enabled": False}, ["enabled"]),
    ({"default_root_object": ""}, ["default_root_object"]),
    ({"aliases": ["b.example.org", "a.example.org"]}, ["aliases"]),
    ({"origins": [UI]}, ["origins[api]"]),
    ({"origins": [UI, {**API, "custom_headers": []}]}, ["origins[api].custom_headers"]),
    (
        {"origins": [UI, {**API, "custom_headers": [{"header_name": "x-forwarded-proto", "header_value": "http"}]}]},
        ["origins[api].custom_headers[X-Forwarded-Proto]", "origins[api].custom_headers[x-forwarded-proto]"],
    ),
    (
        {"origins": [UI, {**API, "custom_origin_config": {"http_port": 8080}}]},
        ["origins[api].custom_origin_config.http_port"],
    ),
    (
        {"default_cache_behavior": {**BEHAVIOR, "function_associations": []}},
        ["default_cache_behavior.function_associations"],
    ),
    (
        {"default_cache_behavior": {**BEHAVIOR, "function_associations": [{**FUNCTION, "function_arn": "other"}]}},
        ["default_cache_behavior.function_associations[viewer-request].function_arn"],
    ),
    (
        {"default_cache_behavior": {**BEHAVIOR, "allowed_methods": ["GET", "HEAD", "OPTIONS"]}},
        ["default_cache_behavior.allowed_methods"],
    ),
    (
        {"default_cache_behavior": {**BEHAVIOR, "response_headers_policy_id": "id"}},
        ["default_cache_behavior.response_headers_policy_id"],
    ),
    ({"cache_behaviors": []}, ["cache_behaviors"]),
    (
        {"viewer_certificate": {"acm_certificate_arn": "arn"}, "aliases": ["a.example.org"]},
        [
            "aliases",
            "viewer_certificate.acm_certificate_arn",
            "viewer_certificate.cloudfront_default_certificate",
            "viewer_certificate.minimum_protocol_version",
            "viewer_certificate.ssl_support_method",
        ],
    ),
    (
        {"custom_error_responses": [{"error_code": 404, "response_code": "200", "response_page_path": "/index.html"}]},
        ["custom_error_responses"],
    ),
]


@pytest.mark.parametrize(("options", "places"), CHANGED)
def test_what_differs_is_named(options: dict[str, Any], places: list[str]) -> None:
    assert changes(existing(), options) == places


@pytest.mark.parametrize("options", [*UNCHANGED, *(options for options, _places in CHANGED)])
def test_planning_again_after_applying_yields_nothing(options: dict[str, Any]) -> None:
    after = overlay(existing(), declared(options))
    assert changes(after, options) == []


def test_the_order_of_behaviors_counts() -> None:
    first, second = ({**BEHAVIOR, "path_pattern": pattern} for pattern in ("/api/*", "/static/*"))
    before = existing(cache_behaviors=[first, second])
    assert changes(before, {"cache_behaviors": [second, first]}) == ["cache_behaviors (order)"]


def test_settings_without_a_policy_do_not_come_back_beside_one() -> None:
    before = existing()
    before["DefaultCacheBehavior"] |= {"ForwardedValues": {"QueryString": False}, "MinTTL": 0, "MaxTTL": 0}
    assert changes(before, SITE) == []
    behavior = overlay(before, declared({"default_cache_behavior": BEHAVIOR}))["DefaultCacheBehavior"]
    assert not {"ForwardedValues", "MinTTL", "MaxTTL"} & set(behavior)


def test_a_bucket_becomes_a_custom_origin_and_back() -> None:
    custom = {"id": "ui", "domain_name": "ui.example.org", "custom_origin_config": {}}
    before = existing()
    there = overlay(before, declared({"origins": [custom, API]}))["Origins"]["Items"][0]
    assert "S3OriginConfig" not in there
    assert "OriginAccessControlId" not in there
    back = overlay({**before, "Origins": {"Quantity": 1, "Items": [there]}}, declared({"origins": [UI]}))
    assert "CustomOriginConfig" not in back["Origins"]["Items"][0]


def test_what_is_not_declared_stays() -> None:
    before = existing()
    before["Origins"]["Items"][0]["OriginShield"] = {"Enabled": True, "OriginShieldRegion": "us-west-2"}
    before["DefaultCacheBehavior"]["RealtimeLogConfigArn"] = "arn"
    after = overlay(before, declared(SITE))
    assert {origin["Id"]: origin.get("OriginShield") for origin in after["Origins"]["Items"]} == {
        "ui": None,
        "api": {"Enabled": True, "OriginShieldRegion": "us-west-2"},
    }
    assert after["DefaultCacheBehavior"]["RealtimeLogConfigArn"] == "arn"
    assert after["CallerReference"] == "reference"
