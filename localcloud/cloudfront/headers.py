# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Response headers policies: what an answer gains and loses on its way from the cache to the viewer.

After the developer guide's "Understand response headers policies" and "Use managed response headers policies".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from multidict import CIMultiDict

from localcloud.cloudfront.exceptions import CloudFrontError, invalid_argument, unsupported
from localcloud.cloudfront.policies import CREATED, etag_of

Config = dict[str, Any]

ALL_METHODS = ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
FEW = 10
"""The quota of custom headers, and that of headers to remove."""


@dataclass(frozen=True)
class Added:
    """A header for the viewer; `override` also replaces the origin's."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True)
class ResponseHeadersPolicy:
    """A policy as the API has it. Until `effective_from` (seconds of the clock) `before` holds at the edge."""

    id: str
    etag: str
    config: Config
    modified: datetime
    managed: bool = False
    effective_from: float = 0.0
    before: Config | None = None

    @property
    def name(self) -> str:
        return str(self.config["Name"])

    def at(self, now: float) -> Config:
        """The configuration that the edge has by then."""
        return self.config if now >= self.effective_from or self.before is None else self.before

    def to_api(self) -> dict[str, Any]:
        return {"Id": self.id, "LastModifiedTime": self.modified, "ResponseHeadersPolicyConfig": self.config}


def apply(config: Config, asked: CIMultiDict[str], method: str, headers: CIMultiDict[str]) -> CIMultiDict[str]:
    """The headers of an answer after a policy: removed, then added ones."""
    changed = CIMultiDict(headers)
    for item in _items(config.get("RemoveHeadersConfig")):
        changed.popall(item["Header"], None)
    for added in _added(config, asked, method):
        if added.override or added.name not in changed:
            changed[added.name] = added.value
    return changed


def _added(config: Config, asked: CIMultiDict[str], method: str) -> Iterator[Added]:
    yield from _security(config.get("SecurityHeadersConfig") or {})
    for item in _items(config.get("CustomHeadersConfig")):
        yield Added(item["Header"], item.get("Value", ""), item["Override"])
    cors = config.get("CorsConfig")
    if cors and "Origin" in asked:
        override = bool(cors["OriginOverride"])
        for name, value in _cors(cors, asked, method):
            yield Added(name, value, override)


def _security(config: Config) -> Iterator[Added]:
    if part := config.get("ContentSecurityPolicy"):
        yield Added("Content-Security-Policy", part["ContentSecurityPolicy"], part["Override"])
    if part := config.get("ContentTypeOptions"):
        yield Added("X-Content-Type-Options", "nosniff", part["Override"])
    if part := config.get("FrameOptions"):
        yield Added("X-Frame-Options", part["FrameOption"], part["Override"])
    if part := config.get("ReferrerPolicy"):
        yield Added("Referrer-Policy", part["ReferrerPolicy"], part["Override"])
    if part := config.get("StrictTransportSecurity"):
        words = [f"max-age={part['AccessControlMaxAgeSec']}"]
        words += ["includeSubDomains"] if part.get("IncludeSubdomains") else []
        words += ["preload"] if part.get("Preload") else []
        yield Added("Strict-Transport-Security", "; ".join(words), part["Override"])
    if part := config.get("XSSProtection"):
        words = ["1" if part["Protection"] else "0"]
        words += ["mode=block"] if part.get("ModeBlock") else []
        words += [f"report={part['ReportUri']}"] if part.get("ReportUri") else []
        yield Added("X-XSS-Protection", "; ".join(words), part["Override"])


def _cors(cors: Config, asked: CIMultiDict[str], method: str) -> Iterator[tuple[str, str]]:
    allowed = _items(cors["AccessControlAllowOrigins"])
    origin = asked["Origin"]
    if not any(_origin_matches(pattern, origin) for pattern in allowed):
        return
    yield "Access-Control-Allow-Origin", "*" if "*" in allowed else origin
    if cors["AccessControlAllowCredentials"]:
        yield "Access-Control-Allow-Credentials", "true"
    if exposed := _items(cors.get("AccessControlExposeHeaders")):
        yield "Access-Control-Expose-Headers", ", ".join(exposed)
    if method == "OPTIONS" and "Access-Control-Request-Method" in asked:
        methods = _items(cors["AccessControlAllowMethods"])
        yield "Access-Control-Allow-Methods", ", ".join(ALL_METHODS if "ALL" in methods else methods)
        yield "Access-Control-Allow-Headers", ", ".join(_items(cors["AccessControlAllowHeaders"]))
        if (age := cors.get("AccessControlMaxAgeSec")) is not None:
            yield "Access-Control-Max-Age", str(age)


def _origin_matches(pattern: str, origin: str) -> bool:
    """Origins may have `*` for a part of the host name; without a scheme they mean any."""
    wanted = pattern if "://" in pattern or pattern == "*" else f"*://{pattern}"
    regex = "".join(".*" if c == "*" else re.escape(c) for c in wanted)
    return re.fullmatch(regex, origin) is not None


def complete_config(given: Config) -> Config:
    """The configuration as AWS returns it.

    :raises CloudFrontError: For what AWS refuses, and for what the edge does not carry out.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", given.get("Name") or ""):
        raise invalid_argument("The parameter Name must have 1 to 128 letters, digits, hyphens or underscores.")
    if (given.get("ServerTimingHeadersConfig") or {}).get("Enabled"):
        raise unsupported("the Server-Timing header of response headers policies")
    for part, code in (
        ("CustomHeadersConfig", "TooManyCustomHeadersInResponseHeadersPolicy"),
        ("RemoveHeadersConfig", "TooManyRemoveHeadersInResponseHeadersPolicy"),
    ):
        listed = given.get(part) or {}
        if listed.get("Quantity", 0) != len(_items(listed)):
            raise CloudFrontError("InconsistentQuantities", f"Quantity and Items do not match in {part}.")
        if len(_items(listed)) > FEW:
            raise CloudFrontError(code, f"The response headers policy has more than {FEW} headers in {part}.")
    return {"Comment": "", **{name: value for name, value in given.items() if value is not None}}


def _items(container: Config | None) -> list[Any]:
    return list((container or {}).get("Items") or [])


_SECURITY = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {
        "Override": False,
        "IncludeSubdomains": False,
        "Preload": False,
        "AccessControlMaxAgeSec": 31536000,
    },
}


def _list_of(*items: str) -> Config:
    return {"Quantity": len(items), "Items": list(items)}


_SIMPLE_CORS = {
    "AccessControlAllowOrigins": _list_of("*"),
    "AccessControlAllowHeaders": _list_of("*"),
    "AccessControlAllowMethods": _list_of("GET"),
    "AccessControlAllowCredentials": False,
    "OriginOverride": False,
}
_PREFLIGHT_CORS = _SIMPLE_CORS | {
    "AccessControlAllowMethods": _list_of("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
    "AccessControlExposeHeaders": _list_of("*"),
}


def _managed(identifier: str, name: str, comment: str, cors: Config | None, security: bool) -> ResponseHeadersPolicy:
    config: Config = {"Name": f"Managed-{name}", "Comment": comment}
    config |= {"CorsConfig": cors} if cors else {}
    config |= {"SecurityHeadersConfig": _SECURITY} if security else {}
    return ResponseHeadersPolicy(identifier, etag_of(identifier), config, CREATED, managed=True)


MANAGED: dict[str, ResponseHeadersPolicy] = {
    policy.id: policy
    for policy in (
        _managed(
            "67f7725c-6f97-4210-82d7-5512b31e9d03",
            "SecurityHeadersPolicy",
            "Adds a set of security headers to every response",
            None,
            True,
        ),
        _managed(
            "60669652-455b-4ae9-85a4-c4c02393f86c",
            "SimpleCORS",
            "Allows all origins for simple CORS requests",
            _SIMPLE_CORS,
            False,
        ),
        _managed(
            "e61eb60c-9c35-4d20-a928-2b84e02af89c",
            "CORS-and-SecurityHeadersPolicy",
            "Allows all origins for simple CORS requests and adds security headers",
            _SIMPLE_CORS,
            True,
        ),
        _managed(
            "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
            "CORS-With-Preflight",
            "Allows all origins for CORS requests, including preflight requests",
            _PREFLIGHT_CORS,
            False,
        ),
        _managed(
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
            "CORS-with-preflight-and-SecurityHeadersPolicy",
            "Allows all origins for CORS requests, including preflight requests, and adds security headers",
            _PREFLIGHT_CORS,
            True,
        ),
    )
}
