# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A distribution's configuration: checked and completed as AWS does, and read into values for the edge."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.cloudfront.exceptions import CloudFrontError, invalid_argument, not_found, unsupported
from localcloud.cloudfront.policies import (
    CACHE_POLICIES,
    ORIGIN_REQUEST_POLICIES,
    CachePolicy,
    OriginRequestPolicy,
    legacy_policies,
)

Config = dict[str, Any]

S3_DOMAIN = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com$"
)
ALL_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
METHOD_SETS = (frozenset({"GET", "HEAD"}), frozenset({"GET", "HEAD", "OPTIONS"}), ALL_METHODS)
DEFAULT_CERTIFICATE = {
    "CloudFrontDefaultCertificate": True,
    "SSLSupportMethod": "vip",
    "MinimumProtocolVersion": "TLSv1",
    "CertificateSource": "cloudfront",
}
ERROR_CACHING_TTL = 10
SHIELD_REGIONS = frozenset(
    (
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
        "sa-east-1",
        "me-central-1",
    )
)
"""Where there are regional edge caches: Developer Guide, "Use Amazon CloudFront Origin Shield"."""


@dataclass(frozen=True)
class Origin:
    """Where a behaviour's requests go. Timeouts in seconds; `bucket` is set for S3 origins alone."""

    id: str
    domain: str
    path: str
    bucket: str | None
    oac_id: str
    custom_headers: tuple[tuple[str, str], ...]
    protocol_policy: str
    http_port: int
    https_port: int
    read_timeout: int
    connect_timeout: int
    attempts: int


@dataclass(frozen=True)
class Behavior:
    """How requests to paths matching `pattern` are answered."""

    pattern: str
    origin_id: str
    viewer_protocol_policy: str
    allowed_methods: frozenset[str]
    cached_methods: frozenset[str]
    compress: bool
    functions: tuple[tuple[str, str], ...]
    cache_policy: CachePolicy
    origin_request_policy: OriginRequestPolicy | None
    key_groups: tuple[str, ...]
    """Whose keys sign for this; nobody needs to sign where there are none."""
    response_headers_policy_id: str | None

    def function_for(self, event_type: str) -> str | None:
        return dict(self.functions).get(event_type)

    def matches(self, path: str) -> bool:
        return pattern_matches(self.pattern, path)


@dataclass(frozen=True)
class ErrorPage:
    """A custom error response; without `page` only its caching time (seconds) counts."""

    page: str
    response_code: int | None
    ttl: int


@dataclass(frozen=True)
class EdgeConfig:
    """What the edge needs of a DistributionConfig."""

    enabled: bool
    aliases: tuple[str, ...]
    root_object: str
    origins: Mapping[str, Origin]
    behaviors: tuple[Behavior, ...]
    error_pages: Mapping[int, ErrorPage]

    def behavior_for(self, path: str) -> Behavior:
        return next(behavior for behavior in self.behaviors if behavior.matches(path))

    def error_ttl(self, status: int) -> int:
        page = self.error_pages.get(status)
        return ERROR_CACHING_TTL if page is None else page.ttl


def pattern_matches(pattern: str, path: str) -> bool:
    """Path patterns are case-sensitive; `*` is any run of characters, `?` one; the first slash may be absent."""
    wanted = pattern if pattern.startswith(("/", "*")) else "/" + pattern
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in wanted)
    return re.fullmatch(regex, path, re.DOTALL) is not None


def read_config(config: Config) -> EdgeConfig:
    """Values for the edge from a completed and checked configuration."""
    behaviors = [*_items(config["CacheBehaviors"]), {**config["DefaultCacheBehavior"], "PathPattern": "*"}]
    return EdgeConfig(
        enabled=config["Enabled"],
        aliases=tuple(_items(config["Aliases"])),
        root_object=config["DefaultRootObject"],
        origins={origin["Id"]: _read_origin(origin) for origin in _items(config["Origins"])},
        behaviors=tuple(_read_behavior(behavior) for behavior in behaviors),
        error_pages={page["ErrorCode"]: _read_error_page(page) for page in _items(config["CustomErrorResponses"])},
    )


def _read_origin(origin: Config) -> Origin:
    custom = origin.get("CustomOriginConfig") or {}
    s3 = origin.get("S3OriginConfig") or {}
    match = S3_DOMAIN.match(origin["DomainName"]) if s3 else None
    headers = _items(origin["CustomHeaders"])
    return Origin(
        id=origin["Id"],
        domain=origin["DomainName"],
        path=origin["OriginPath"],
        bucket=match["bucket"] if match else None,
        oac_id=origin["OriginAccessControlId"],
        custom_headers=tuple((header["HeaderName"], header["HeaderValue"]) for header in headers),
        protocol_policy=custom.get("OriginProtocolPolicy", "https-only"),
        http_port=custom.get("HTTPPort", 80),
        https_port=custom.get("HTTPSPort", 443),
        read_timeout=custom.get("OriginReadTimeout", s3.get("OriginReadTimeout", 30)),
        connect_timeout=origin["ConnectionTimeout"],
        attempts=origin["ConnectionAttempts"],
    )


def _read_behavior(behavior: Config) -> Behavior:
    methods = behavior["AllowedMethods"]
    functions = _items(behavior["FunctionAssociations"])
    cache_policy, origin_request_policy = _policies(behavior)
    return Behavior(
        pattern=behavior["PathPattern"],
        origin_id=behavior["TargetOriginId"],
        viewer_protocol_policy=behavior["ViewerProtocolPolicy"],
        allowed_methods=frozenset(_items(methods)),
        cached_methods=frozenset(_items(methods["CachedMethods"])),
        compress=behavior["Compress"],
        functions=tuple((function["EventType"], function["FunctionARN"]) for function in functions),
        cache_policy=cache_policy,
        origin_request_policy=origin_request_policy,
        key_groups=tuple(_items(behavior["TrustedKeyGroups"])),
        response_headers_policy_id=behavior.get("ResponseHeadersPolicyId"),
    )


def _policies(behavior: Config) -> tuple[CachePolicy, OriginRequestPolicy | None]:
    if behavior.get("ForwardedValues") is not None:
        return legacy_policies(behavior["ForwardedValues"], behavior)
    wanted = ORIGIN_REQUEST_POLICIES.get(behavior.get("OriginRequestPolicyId", ""))
    return CACHE_POLICIES[behavior["CachePolicyId"]], wanted


def _read_error_page(page: Config) -> ErrorPage:
    code = page.get("ResponseCode")
    return ErrorPage(
        page=page.get("ResponsePagePath") or "",
        response_code=int(code) if code else None,
        ttl=int(page["ErrorCachingMinTTL"]),
    )


def complete_config(given: Config) -> Config:
    """The configuration as AWS returns it: every part present, with its default.

    Raises CloudFrontError for what AWS refuses and for what the edge could not carry out.
    """
    config = copy.deepcopy(given)
    for required in ("CallerReference", "Origins", "DefaultCacheBehavior", "Comment", "Enabled"):
        if config.get(required) is None:
            raise invalid_argument(f"The parameter {required} is required.")
    _check_quantities(config, "DistributionConfig")
    _refuse_unsupported(config)
    for key, default in _distribution_defaults().items():
        config.setdefault(key, default)
    config["Origins"]["Items"] = [_complete_origin(origin) for origin in _items(config["Origins"])]
    config["DefaultCacheBehavior"] = _complete_behavior(config["DefaultCacheBehavior"])
    if _items(config["CacheBehaviors"]):
        config["CacheBehaviors"]["Items"] = [_complete_behavior(item) for item in _items(config["CacheBehaviors"])]
    config["ViewerCertificate"] = _complete_certificate(config["ViewerCertificate"], config["Aliases"])
    for page in _items(config["CustomErrorResponses"]):
        _complete_error_page(page)
    _check_targets(config)
    _check_restriction(config["Restrictions"]["GeoRestriction"])
    return config


def _distribution_defaults() -> Config:
    return {
        "Aliases": {"Quantity": 0},
        "DefaultRootObject": "",
        "OriginGroups": {"Quantity": 0},
        "CacheBehaviors": {"Quantity": 0},
        "CustomErrorResponses": {"Quantity": 0},
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "ViewerCertificate": dict(DEFAULT_CERTIFICATE),
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
    }


def _complete_origin(origin: Config) -> Config:
    defaults: Config = {
        "OriginPath": "",
        "CustomHeaders": {"Quantity": 0},
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
        "OriginAccessControlId": "",
    }
    completed = defaults | origin
    if completed["OriginPath"] and not re.fullmatch(r"/.*[^/]", completed["OriginPath"]):
        raise invalid_argument("The parameter OriginPath must begin with a slash and must not end with one.")
    shield = completed["OriginShield"]
    if shield["Enabled"] and shield.get("OriginShieldRegion") not in SHIELD_REGIONS:
        raise invalid_argument("The parameter OriginShieldRegion is not valid.")
    if origin.get("S3OriginConfig") is not None:
        completed["S3OriginConfig"] = _complete_s3_origin(origin)
    elif origin.get("CustomOriginConfig") is not None:
        completed["CustomOriginConfig"] = _complete_custom_origin(origin)
    else:
        raise invalid_argument(
            f"The origin {origin['Id']} must have either an S3OriginConfig or a CustomOriginConfig parameter."
        )
    return completed


def _complete_s3_origin(origin: Config) -> Config:
    if not S3_DOMAIN.match(origin["DomainName"]):
        raise invalid_argument("The parameter Origin DomainName does not refer to a valid S3 bucket.")
    if origin["S3OriginConfig"].get("OriginAccessIdentity"):
        # None can be made here: the operation is refused.
        raise CloudFrontError(
            "InvalidOriginAccessIdentity", "The specified origin access identity does not exist or is not valid."
        )
    given: Config = origin["S3OriginConfig"]
    return {"OriginAccessIdentity": "", "OriginReadTimeout": 30} | given


def _complete_custom_origin(origin: Config) -> Config:
    if _is_address(origin["DomainName"]):
        raise invalid_argument("The parameter origin name cannot be an IP address.")
    custom: Config = {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5} | origin["CustomOriginConfig"]
    custom.setdefault("OriginSslProtocols", {"Quantity": 2, "Items": ["TLSv1", "SSLv3"]})
    if not 1 <= custom["OriginReadTimeout"] <= 120:
        raise CloudFrontError("InvalidOriginReadTimeout", "The parameter OriginReadTimeout has to be from 1 to 120.")
    return custom


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True


def _complete_behavior(behavior: Config) -> Config:
    _refuse_unsupported_in_behavior(behavior)
    completed = {
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "AllowedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
        "SmoothStreaming": False,
        "Compress": False,
        "LambdaFunctionAssociations": {"Quantity": 0},
        "FunctionAssociations": {"Quantity": 0},
        "FieldLevelEncryptionId": "",
        "GrpcConfig": {"Enabled": False},
    } | behavior
    _complete_methods(completed)
    _complete_forwarded_values(completed)
    _check_policies(completed)
    return completed


def _complete_methods(behavior: Config) -> None:
    methods = behavior["AllowedMethods"] = dict(behavior["AllowedMethods"])
    methods.setdefault("CachedMethods", {"Quantity": 2, "Items": ["HEAD", "GET"]})
    if frozenset(_items(methods)) not in METHOD_SETS:
        raise invalid_argument("The parameter AllowedMethods contains an invalid set of HTTP methods.")
    if frozenset(_items(methods["CachedMethods"])) not in METHOD_SETS[:2]:
        raise invalid_argument("The parameter CachedMethods contains an invalid set of HTTP methods.")


def _complete_forwarded_values(behavior: Config) -> None:
    given = behavior.get("ForwardedValues")
    if given is None:
        return
    if behavior.get("MinTTL") is None:
        raise invalid_argument("The parameter MinTTL is required.")
    behavior["ForwardedValues"] = {"Headers": {"Quantity": 0}, "QueryStringCacheKeys": {"Quantity": 0}} | given
    behavior.setdefault("DefaultTTL", max(86_400, behavior["MinTTL"]))
    behavior.setdefault("MaxTTL", max(31_536_000, behavior["DefaultTTL"]))
    if not behavior["MinTTL"] <= behavior["DefaultTTL"] <= behavior["MaxTTL"]:
        raise CloudFrontError("InvalidTTLOrder", "The order of the parameters must be MinTTL, DefaultTTL, MaxTTL.")


def _check_policies(behavior: Config) -> None:
    for key, known, code, what in (
        ("CachePolicyId", CACHE_POLICIES, "NoSuchCachePolicy", "cache policy"),
        ("OriginRequestPolicyId", ORIGIN_REQUEST_POLICIES, "NoSuchOriginRequestPolicy", "origin request policy"),
    ):
        wanted = behavior.get(key)
        if wanted and wanted not in known:
            raise not_found(code, f"{what} {wanted}")
    for key in ("CachePolicyId", "OriginRequestPolicyId", "ResponseHeadersPolicyId"):
        if not behavior.get(key):
            behavior.pop(key, None)


def _complete_certificate(certificate: Config, aliases: Config) -> Config:
    own = certificate.get("ACMCertificateArn") or certificate.get("IAMCertificateId")
    if not own:
        if _items(aliases):
            raise CloudFrontError(
                "InvalidViewerCertificate",
                "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted "
                "certificate that validates your authorization to use the domain name.",
            )
        return dict(DEFAULT_CERTIFICATE)
    if not certificate.get("SSLSupportMethod"):
        raise CloudFrontError("InvalidViewerCertificate", "The parameter SSLSupportMethod is required.")
    source = "acm" if certificate.get("ACMCertificateArn") else "iam"
    completed = {"MinimumProtocolVersion": "TLSv1", "CloudFrontDefaultCertificate": False} | certificate
    return completed | {"Certificate": own, "CertificateSource": source}


def _complete_error_page(page: Config) -> None:
    if bool(page.get("ResponsePagePath")) != bool(page.get("ResponseCode")):
        raise invalid_argument("ResponsePagePath and ResponseCode must both be given, or neither.")
    page.setdefault("ErrorCachingMinTTL", ERROR_CACHING_TTL)
    page.setdefault("ResponsePagePath", "")
    page.setdefault("ResponseCode", "")


def _check_targets(config: Config) -> None:
    origins = [origin["Id"] for origin in _items(config["Origins"])]
    if len(set(origins)) != len(origins):
        raise invalid_argument("The parameter Origin Id must be unique within the distribution.")
    for behavior in behaviors_of(config):
        if behavior["TargetOriginId"] not in origins:
            raise not_found("NoSuchOrigin", f"origin {behavior['TargetOriginId']}")
    patterns = [behavior["PathPattern"] for behavior in _items(config["CacheBehaviors"])]
    if len(set(patterns)) != len(patterns):
        raise invalid_argument("The parameter PathPattern must be unique within the distribution.")
    if config["DefaultRootObject"].startswith("/"):
        raise CloudFrontError("InvalidDefaultRootObject", "The default root object must not begin with a slash.")


def _check_restriction(restriction: Config) -> None:
    """Kept, and without effect: viewers here come from no country, and whose location is not known is served."""
    kind, countries = restriction.get("RestrictionType"), _items(restriction)
    known = kind in ("none", "blacklist", "whitelist") and all(re.fullmatch("[A-Z]{2}", it) for it in countries)
    if not known or bool(countries) != (kind != "none"):
        raise CloudFrontError("InvalidGeoRestrictionParameter", "The specified geo restriction parameter is not valid.")


def behaviors_of(config: Config) -> Iterator[Config]:
    """The default behaviour and all others."""
    yield config["DefaultCacheBehavior"]
    yield from _items(config["CacheBehaviors"])


def functions_of(config: Config) -> Iterator[Config]:
    """All function associations of a completed configuration."""
    for behavior in behaviors_of(config):
        yield from _items(behavior["FunctionAssociations"])


def origins_of(config: Config) -> list[Config]:
    return _items(config["Origins"])


def _refuse_unsupported(config: Config) -> None:
    for key, what in (
        ("OriginGroups", "origin groups"),
        ("ContinuousDeploymentPolicyId", "continuous deployment"),
        ("AnycastIpListId", "Anycast static IP lists"),
        ("ViewerMtlsConfig", "mutual TLS with viewers"),
        ("ConnectionFunctionAssociation", "connection functions"),
        ("Staging", "staging distributions"),
        ("TenantConfig", "multi-tenant distributions"),
    ):
        if _is_used(config.get(key)):
            raise unsupported(what)
    for origin in _items(config["Origins"]):
        if origin.get("VpcOriginConfig"):
            raise unsupported("VPC origins")


def _refuse_unsupported_in_behavior(behavior: Config) -> None:
    for key, what in (
        ("TrustedSigners", "signed URLs (TrustedSigners)"),
        ("LambdaFunctionAssociations", "Lambda@Edge"),
        ("FieldLevelEncryptionId", "field-level encryption"),
        ("RealtimeLogConfigArn", "real-time logs"),
        ("SmoothStreaming", "smooth streaming"),
    ):
        if _is_used(behavior.get(key)):
            raise unsupported(what)
    if behavior.get("ForwardedValues") is not None:
        if behavior.get("CachePolicyId"):
            raise invalid_argument(
                "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior."
            )
    elif not behavior.get("CachePolicyId"):
        raise invalid_argument("The parameter ForwardedValues is required when no CachePolicyId is given.")


def _is_used(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("Quantity") if "Quantity" in value else value)
    return bool(value)


def _check_quantities(node: Any, where: str) -> None:
    """Lists carry their length beside them; AWS refuses a wrong one."""
    if isinstance(node, dict):
        if "Quantity" in node and node["Quantity"] != len(node.get("Items") or []):
            raise CloudFrontError(
                "InconsistentQuantities",
                f"The value of Quantity and the size of Items do not match in {where}.",
            )
        for key, value in node.items():
            _check_quantities(value, f"{where}.{key}")
    elif isinstance(node, list):
        for value in node:
            _check_quantities(value, where)


def _items(container: Config) -> list[Any]:
    return list(container.get("Items") or [])
