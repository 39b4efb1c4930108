# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What response headers policies add and remove."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from localcloud.cloudfront.exceptions import CloudFrontError
from localcloud.cloudfront.headers import MANAGED, apply, complete_config


def items(*values: Any) -> dict[str, Any]:
    return {"Quantity": len(values), "Items": list(values)}


def applied(config: dict[str, Any], method: str = "GET", origin: dict[str, str] | None = None, **asked: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in asked.items()}
    return dict(apply(config, CIMultiDict(named), method, CIMultiDict(origin or {})))


@pytest.mark.parametrize(
    ("part", "value", "header"),
    [
        ("ContentSecurityPolicy", {"ContentSecurityPolicy": "default-src 'self'"}, "Content-Security-Policy"),
        ("ContentTypeOptions", {}, "X-Content-Type-Options"),
        ("FrameOptions", {"FrameOption": "DENY"}, "X-Frame-Options"),
        ("ReferrerPolicy", {"ReferrerPolicy": "same-origin"}, "Referrer-Policy"),
        ("StrictTransportSecurity", {"AccessControlMaxAgeSec": 1, "Preload": True}, "Strict-Transport-Security"),
        ("XSSProtection", {"Protection": False}, "X-XSS-Protection"),
    ],
)
def test_security_headers_replace_the_origins_only_where_told(part: str, value: dict[str, Any], header: str) -> None:
    added = applied({"SecurityHeadersConfig": {part: {**value, "Override": False}}})
    assert list(added) == [header]
    origin = {header: "of the origin"}
    assert applied({"SecurityHeadersConfig": {part: {**value, "Override": False}}}, origin=origin) == origin
    assert applied({"SecurityHeadersConfig": {part: {**value, "Override": True}}}, origin=origin) == added


def test_the_words_of_strict_transport_security() -> None:
    part = {"AccessControlMaxAgeSec": 63072000, "IncludeSubdomains": True, "Preload": True, "Override": True}
    added = applied({"SecurityHeadersConfig": {"StrictTransportSecurity": part}})
    assert added == {"Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload"}


def test_headers_are_removed_before_others_are_added() -> None:
    config = {
        "RemoveHeadersConfig": items({"Header": "server"}, {"Header": "X-Powered-By"}),
        "CustomHeadersConfig": items({"Header": "Server", "Value": "edge", "Override": False}),
    }
    assert applied(config, origin={"Server": "x", "X-Powered-By": "y"}) == {"Server": "edge"}


CORS = {
    "AccessControlAllowOrigins": items("https://a.example", "*.b.example"),
    "AccessControlAllowHeaders": items("X-A"),
    "AccessControlAllowMethods": items("GET", "PUT"),
    "AccessControlAllowCredentials": True,
    "AccessControlExposeHeaders": items("X-B"),
    "AccessControlMaxAgeSec": 600,
    "OriginOverride": True,
}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", True),
        ("http://a.example", False),
        ("http://x.b.example", True),
        ("https://other.example", False),
    ],
)
def test_cors_headers_are_for_the_origins_that_are_named(origin: str, allowed: bool) -> None:
    expected = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-B",
    }
    assert applied({"CorsConfig": CORS}, Origin=origin) == (expected if allowed else {})


def test_preflight_requests_get_more() -> None:
    asked = {"Origin": "https://a.example", "Access_Control_Request_Method": "PUT"}
    added = applied({"CorsConfig": CORS}, "OPTIONS", **asked)
    assert added["Access-Control-Allow-Methods"] == "GET, PUT"
    assert (added["Access-Control-Allow-Headers"], added["Access-Control-Max-Age"]) == ("X-A", "600")


def test_no_request_of_another_origin_no_cors_header() -> None:
    assert applied({"CorsConfig": CORS}) == {}


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"Name": "with space"}, "InvalidArgument"),
        ({"Name": "x", "ServerTimingHeadersConfig": {"Enabled": True}}, "UnsupportedOperation"),
        ({"Name": "x", "CustomHeadersConfig": {"Quantity": 2, "Items": []}}, "InconsistentQuantities"),
        ({"Name": "x", "CustomHeadersConfig": items(*[{}] * 11)}, "TooManyCustomHeadersInResponseHeadersPolicy"),
    ],
)
def test_what_is_refused(config: dict[str, Any], code: str) -> None:
    with pytest.raises(CloudFrontError, match=code):
        complete_config(config)


def test_managed_policies_are_complete_themselves() -> None:
    for policy in MANAGED.values():
        assert complete_config(policy.config) == policy.config
