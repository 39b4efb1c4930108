# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed cache and origin request policies.

Names, ids and settings are those of the CloudFront developer guide ("Use managed cache policies" and its siblings).
Only policies whose every setting the edge carries out are offered; the id of any other one is refused as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

CREATED = datetime(2020, 7, 1)


@dataclass(frozen=True)
class Selection:
    """Which headers, cookies or query strings: a behaviour in AWS's words (`none`, `whitelist`, `all`, …) and names."""

    behavior: str = "none"
    names: tuple[str, ...] = ()

    def picks(self, name: str) -> bool:
        listed = name.lower() in {item.lower() for item in self.names}
        if self.behavior in ("all", "allViewer"):
            return True
        if self.behavior == "whitelist":
            return listed
        if self.behavior == "allExcept":
            return not listed
        return False

    def to_api(self, behavior_key: str, names_key: str) -> dict[str, Any]:
        answer: dict[str, Any] = {behavior_key: self.behavior}
        if self.names:
            answer[names_key] = {"Quantity": len(self.names), "Items": list(self.names)}
        return answer


def _selections_to_api(headers: Selection, cookies: Selection, query_strings: Selection) -> dict[str, Any]:
    return {
        "HeadersConfig": headers.to_api("HeaderBehavior", "Headers"),
        "CookiesConfig": cookies.to_api("CookieBehavior", "Cookies"),
        "QueryStringsConfig": query_strings.to_api("QueryStringBehavior", "QueryStrings"),
    }


@dataclass(frozen=True)
class CachePolicy:
    """TTLs in seconds and what belongs to the cache key."""

    id: str
    name: str
    comment: str
    min_ttl: int
    default_ttl: int
    max_ttl: int
    gzip: bool = False
    brotli: bool = False
    headers: Selection = Selection()
    cookies: Selection = Selection()
    query_strings: Selection = Selection()

    @property
    def etag(self) -> str:
        return etag_of(self.id)

    def config(self) -> dict[str, Any]:
        parameters = _selections_to_api(self.headers, self.cookies, self.query_strings)
        parameters |= {"EnableAcceptEncodingGzip": self.gzip, "EnableAcceptEncodingBrotli": self.brotli}
        return {
            "Name": self.name,
            "Comment": self.comment,
            "MinTTL": self.min_ttl,
            "DefaultTTL": self.default_ttl,
            "MaxTTL": self.max_ttl,
            "ParametersInCacheKeyAndForwardedToOrigin": parameters,
        }

    def to_api(self) -> dict[str, Any]:
        return {"Id": self.id, "LastModifiedTime": CREATED, "CachePolicyConfig": self.config()}


@dataclass(frozen=True)
class OriginRequestPolicy:
    """What of the viewer's request goes to the origin besides the cache key."""

    id: str
    name: str
    comment: str
    headers: Selection = Selection()
    cookies: Selection = Selection()
    query_strings: Selection = Selection()

    @property
    def etag(self) -> str:
        return etag_of(self.id)

    def config(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Comment": self.comment,
            **_selections_to_api(self.headers, self.cookies, self.query_strings),
        }

    def to_api(self) -> dict[str, Any]:
        return {"Id": self.id, "LastModifiedTime": CREATED, "OriginRequestPolicyConfig": self.config()}


def etag_of(policy_id: str) -> str:
    """Managed policies never change, so their ETag follows from the id."""
    return "E" + policy_id.replace("-", "").upper()[:13]


ALL = Selection("all")

CACHE_POLICIES: dict[str, CachePolicy] = {
    policy.id: policy
    for policy in (
        CachePolicy(
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "Managed-CachingOptimized",
            "Default policy when CF compression is enabled",
            1,
            86400,
            31536000,
            gzip=True,
            brotli=True,
        ),
        CachePolicy(
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            "Managed-CachingOptimizedForUncompressedObjects",
            "Default policy when compression is disabled",
            1,
            86400,
            31536000,
        ),
        CachePolicy(
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "Managed-CachingDisabled",
            "Policy with caching disabled",
            0,
            0,
            0,
        ),
        CachePolicy(
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
            "Managed-UseOriginCacheControlHeaders",
            "Policy for origins that return Cache-Control headers; query strings are not in the cache key",
            0,
            0,
            31536000,
            gzip=True,
            brotli=True,
            headers=Selection(
                "whitelist",
                ("host", "origin", "x-http-method-override", "x-http-method", "x-method-override"),
            ),
            cookies=ALL,
        ),
        CachePolicy(
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
            "Managed-UseOriginCacheControlHeaders-QueryStrings",
            "Policy for origins that return Cache-Control headers; query strings are in the cache key",
            0,
            0,
            31536000,
            gzip=True,
            brotli=True,
            headers=Selection(
                "whitelist",
                ("host", "origin", "x-http-method-override", "x-http-method", "x-method-override"),
            ),
            cookies=ALL,
            query_strings=ALL,
        ),
    )
}

ORIGIN_REQUEST_POLICIES: dict[str, OriginRequestPolicy] = {
    policy.id: policy
    for policy in (
        OriginRequestPolicy(
            "216adef6-5c7f-47e4-b989-5492eafa07d3",
            "Managed-AllViewer",
            "Policy to forward all parameters in viewer requests",
            headers=Selection("allViewer"),
            cookies=ALL,
            query_strings=ALL,
        ),
        OriginRequestPolicy(
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "Managed-AllViewerExceptHostHeader",
            "Policy to forward all parameters in viewer requests except for the Host header",
            headers=Selection("allExcept", ("host",)),
            cookies=ALL,
            query_strings=ALL,
        ),
        OriginRequestPolicy(
            "59781a5b-3903-41f3-afcb-af62929ccde1",
            "Managed-CORS-CustomOrigin",
            "Policy for CORS with a custom origin",
            headers=Selection("whitelist", ("origin",)),
        ),
        OriginRequestPolicy(
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
            "Managed-CORS-S3Origin",
            "Policy for S3 origin with CORS",
            headers=Selection(
                "whitelist", ("origin", "access-control-request-headers", "access-control-request-method")
            ),
        ),
        OriginRequestPolicy(
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            "Managed-UserAgentRefererHeaders",
            "Policy to forward user-agent and referer headers to origin",
            headers=Selection("whitelist", ("user-agent", "referer")),
        ),
        OriginRequestPolicy(
            "bf0718e1-ba1e-49d1-88b1-f726733018ae",
            "Managed-HostHeaderOnly",
            "Policy to forward Host header only",
            headers=Selection("whitelist", ("host",)),
        ),
    )
}


def legacy_policies(forwarded: dict[str, Any], behavior: dict[str, Any]) -> tuple[CachePolicy, OriginRequestPolicy]:
    """What a behaviour's own TTLs and ForwardedValues amount to.

    With all headers forwarded nothing is cached; with cache keys named, all query strings are forwarded nevertheless.
    """
    names = tuple((forwarded.get("Headers") or {}).get("Items") or [])
    headers = Selection("all") if "*" in names else Selection("whitelist", names) if names else Selection()
    cookies = _legacy_cookies(forwarded["Cookies"])
    keys = tuple((forwarded.get("QueryStringCacheKeys") or {}).get("Items") or [])
    strings = ALL if forwarded["QueryString"] else Selection()
    cached = headers.behavior != "all"
    cache = CachePolicy(
        "",
        "",
        "",
        behavior["MinTTL"] if cached else 0,
        behavior["DefaultTTL"] if cached else 0,
        behavior["MaxTTL"] if cached else 0,
        gzip=behavior["Compress"],
        headers=headers,
        cookies=cookies,
        query_strings=Selection("whitelist", keys) if keys else strings,
    )
    return cache, OriginRequestPolicy("", "", "", query_strings=strings)


def _legacy_cookies(cookies: dict[str, Any]) -> Selection:
    names = tuple((cookies.get("WhitelistedNames") or {}).get("Items") or [])
    return Selection(cookies["Forward"], names)
