# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of a CloudFront distribution: AWS's shape, the shape people write, and the way between.

AWS's shape wraps every list as ``{"Quantity": n, "Items": [...]}``. The plain shape, in which configurations are
declared, compared and shown, has lists as lists, snake_case keys, no empty values, and sets in a fixed order.
Nothing here talks to AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

# Words that AWS does not spell as Title case.
_WORDS = {word.lower(): word for word in ("HTTP", "HTTPS", "ACL", "IPV6", "ACM", "IAM", "SSL", "TTL")}
_CAMEL = {
    "function_arn": "FunctionARN",
    "http_version": "HttpVersion",
    "lambda_function_arn": "LambdaFunctionARN",
    "origin_ssl_protocols": "OriginSslProtocols",
}

# What tells two entries of one list apart. CacheBehaviors are besides an order: the first pattern that matches wins.
_IDENTITY = {
    "CacheBehaviors": "PathPattern",
    "CustomErrorResponses": "ErrorCode",
    "CustomHeaders": "HeaderName",
    "FunctionAssociations": "EventType",
    "LambdaFunctionAssociations": "EventType",
    "OriginGroups": "Id",
    "Origins": "Id",
}
_PLAIN_IDENTITY: dict[str, str]
_ORDERED = frozenset({"CacheBehaviors"})
_LISTS = frozenset(_IDENTITY) | {"Aliases", "CachedMethods", "OriginSslProtocols"}

# The time-to-live settings of a behavior without a cache policy. AWS refuses them beside one.
_WITHOUT_POLICY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")
_POLICIES = ("CachePolicyId", "OriginRequestPolicyId", "ResponseHeadersPolicyId")

_NEW_CUSTOM_ORIGIN: Mapping[str, Any] = {
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginProtocolPolicy": "https-only",
    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    "OriginReadTimeout": 30,
    "OriginKeepaliveTimeout": 5,
}
_NEW_BEHAVIOR: Mapping[str, Any] = {
    "ViewerProtocolPolicy": "redirect-to-https",
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["GET", "HEAD"],
        "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
    },
    "Compress": True,
}


def camel(name: str) -> str:
    """AWS's name for a snake_case option: ``is_ipv6_enabled`` gives ``IsIPV6Enabled``."""
    return _CAMEL.get(name) or "".join(_WORDS.get(word, word.capitalize()) for word in name.split("_"))


def snake(name: str) -> str:
    """The snake_case option for AWS's name: ``WebACLId`` gives ``web_acl_id``."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()


_PLAIN_IDENTITY = {snake(key): snake(value) for key, value in _IDENTITY.items()}


def wrapped(items: Sequence[Any], **others: Any) -> dict[str, Any]:
    """AWS's wrapper around a list. ``Items`` is left out of an empty one, as AWS itself does."""
    return {"Quantity": len(items), **({"Items": list(items)} if items else {}), **others}


# Declared options -> AWS's shape -------------------------------------------------------------------------------------


def declared(options: Mapping[str, Any]) -> dict[str, Any]:
    """AWS's shape of what was declared, and of nothing else: an option that is None does not appear."""
    return {camel(key): _declared_value(camel(key), value) for key, value in _given(options).items()}


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _declared_value(key: str, value: Any) -> Any:
    if key == "Origins":
        return wrapped([_declared_origin(origin) for origin in value])
    if key == "DefaultCacheBehavior":
        return _declared_behavior(value)
    if key == "CacheBehaviors":
        return wrapped([_declared_behavior(behavior) for behavior in value])
    if key == "GeoRestriction":
        return {"RestrictionType": value["restriction_type"], **wrapped(value.get("locations") or [])}
    if key in _LISTS:
        return wrapped([declared(item) if isinstance(item, Mapping) else item for item in value])
    return declared(value) if isinstance(value, Mapping) else value


def _declared_origin(options: Mapping[str, Any]) -> dict[str, Any]:
    origin = declared(options)
    if "CustomOriginConfig" not in origin and "OriginAccessControlId" in origin:
        # AWS wants the configuration of the older access identity present, and empty, beside an access control.
        origin["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    return origin


def _declared_behavior(options: Mapping[str, Any]) -> dict[str, Any]:
    methods = {key: options.get(key) for key in ("allowed_methods", "cached_methods")}
    behavior = declared({key: value for key, value in options.items() if key not in methods})
    if methods["allowed_methods"] is not None:
        behavior["AllowedMethods"] = wrapped(methods["allowed_methods"])
    if methods["cached_methods"] is not None:
        behavior.setdefault("AllowedMethods", {})["CachedMethods"] = wrapped(methods["cached_methods"])
    return behavior


# Laying what is declared over what is there --------------------------------------------------------------------------


def created(wanted: Mapping[str, Any], caller_reference: str, comment: str) -> dict[str, Any]:
    """The whole configuration of a distribution that does not exist yet.

    :param wanted: what is declared, in AWS's shape.
    :param caller_reference: what makes a second creation fail instead of making a second distribution.
    :param comment: the comment where none is declared; AWS demands one.
    """
    start = {"Comment": comment, "Enabled": True, "DefaultCacheBehavior": deepcopy(dict(_NEW_BEHAVIOR))}
    return {**overlay(start, wanted), "CallerReference": caller_reference}


def overlay(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration to send: what is there, with what is declared laid over it.

    Laying the same declaration over the result changes nothing, so a plan made from it converges.
    """
    after = deepcopy(dict(before))
    for key, value in wanted.items():
        after[key] = _overlaid(key, before.get(key), value)
    return _sendable(after)


def _overlaid(key: str, before: Any, wanted: Any) -> Any:
    if key == "ViewerCertificate":
        return _certificate(wanted)
    if key == "CustomOriginConfig":
        return overlay(before or _NEW_CUSTOM_ORIGIN, wanted)
    if key in _IDENTITY:
        return _overlaid_list(key, before or {}, wanted)
    if key == "AllowedMethods":
        return overlay(before or _NEW_BEHAVIOR["AllowedMethods"], wanted)
    if isinstance(wanted, Mapping) and "Quantity" in wanted:
        extras = {name: value for name, value in (before or {}).items() if name not in ("Quantity", "Items")}
        return {**extras, **deepcopy(dict(wanted))}
    if isinstance(wanted, Mapping):
        return overlay(before or {}, wanted)
    return wanted


def _overlaid_list(key: str, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    name = _IDENTITY[key]
    known = {_identity(item[name]): item for item in before.get("Items") or []}
    return wrapped([_overlaid_item(key, known.get(_identity(item[name])), item) for item in wanted.get("Items") or []])


def _overlaid_item(key: str, before: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if key == "Origins":
        return _overlaid_origin(before or {}, wanted)
    if key == "CacheBehaviors":
        return overlay(before if before is not None else _NEW_BEHAVIOR, wanted)
    return overlay(before or {}, wanted)


def _overlaid_origin(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An origin is either a bucket or a custom origin: declaring one kind removes what belongs to the other."""
    kept = dict(before)
    if "CustomOriginConfig" in wanted:
        kept.pop("S3OriginConfig", None)
        kept.pop("OriginAccessControlId", None)
    elif "S3OriginConfig" in wanted:
        kept.pop("CustomOriginConfig", None)
    origin = overlay(kept, wanted)
    if not {"CustomOriginConfig", "S3OriginConfig", "VpcOriginConfig"} & set(origin):
        origin["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    return origin


def _certificate(wanted: Mapping[str, Any]) -> dict[str, Any]:
    if wanted.get("ACMCertificateArn") or wanted.get("IAMCertificateId"):
        return {"SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021", **wanted}
    return {"CloudFrontDefaultCertificate": True}


def _sendable(config: dict[str, Any]) -> dict[str, Any]:
    """Without what AWS returns but does not accept back."""
    result = {key: value for key, value in config.items() if value is not None}
    for key in _POLICIES:
        if result.get(key) == "":
            del result[key]
    if result.get("CachePolicyId"):
        for key in _WITHOUT_POLICY:
            result.pop(key, None)
    return result


def _identity(value: Any) -> str:
    return str(value).lower()


# AWS's shape -> plain shape ------------------------------------------------------------------------------------------


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The plain shape of a configuration in AWS's: comparable, and readable in a diff."""
    result: dict[str, Any] = {}
    for key, value in sorted(_meaningful(config).items()):
        result.update(_plain_entry(key, value))
    return {key: value for key, value in result.items() if value is not None and value not in ("", [], {})}


def _meaningful(config: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in config.items() if key not in ("CallerReference",)}
    if result.get("CachePolicyId"):
        result = {key: value for key, value in result.items() if key not in _WITHOUT_POLICY}
    return result


def _plain_entry(key: str, value: Any) -> dict[str, Any]:
    if key == "AllowedMethods":
        return {
            "allowed_methods": sorted(value.get("Items") or []),
            "cached_methods": sorted((value.get("CachedMethods") or {}).get("Items") or []),
        }
    if key == "ViewerCertificate":
        return {"viewer_certificate": _plain_certificate(value)}
    if key == "GeoRestriction":
        locations = sorted(value.get("Items") or [])
        return {"geo_restriction": plain({"RestrictionType": value.get("RestrictionType"), "Locations": locations})}
    if isinstance(value, Mapping) and "Quantity" in value:
        return {snake(key): _plain_list(key, value.get("Items") or [])}
    return {snake(key): plain(value) if isinstance(value, Mapping) else value}


def _plain_list(key: str, items: Sequence[Any]) -> list[Any]:
    if key in _ORDERED:
        return [plain(item) for item in items]
    if key in _IDENTITY:
        return [plain(item) for item in sorted(items, key=lambda item: _identity(item[_IDENTITY[key]]))]
    return sorted((plain(item) if isinstance(item, Mapping) else item for item in items), key=str)


def _plain_certificate(value: Mapping[str, Any]) -> dict[str, Any]:
    if value.get("CloudFrontDefaultCertificate"):
        # AWS adds settings here that nobody can choose and that differ between its own answers.
        return {"cloudfront_default_certificate": True}
    # AWS says besides that it is not the default one.
    told = ("Certificate", "CertificateSource", "CloudFrontDefaultCertificate")
    return plain({key: item for key, item in value.items() if key not in told})


# What differs --------------------------------------------------------------------------------------------------------


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """The places where two plain configurations differ, as ``origins[api].custom_headers``."""
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = sorted(set(before) | set(after))
        return [item for key in keys for item in differences(before.get(key), after.get(key), _joined(path, key))]
    name = _PLAIN_IDENTITY.get(path.rsplit(".", 1)[-1])
    if name and isinstance(before, list) and isinstance(after, list):
        return _list_differences(before, after, path, name)
    return [path]


def _list_differences(before: Sequence[Any], after: Sequence[Any], path: str, name: str) -> list[str]:
    old = {item[name]: item for item in before}
    new = {item[name]: item for item in after}
    if set(old) == set(new) and list(old) != list(new):
        return [f"{path} (order)"]
    keys = list(old) + [key for key in new if key not in old]
    return [
        place
        for key in keys
        if old.get(key) != new.get(key)
        for place in _item_differences(old.get(key), new.get(key), f"{path}[{key}]")
    ]


def _item_differences(before: Any, after: Any, path: str) -> list[str]:
    return [path] if before is None or after is None else differences(before, after, path)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
