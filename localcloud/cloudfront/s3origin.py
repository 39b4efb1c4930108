# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 as an origin: objects read from the S3 of this process, as far as the bucket lets the distribution."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from multidict import CIMultiDict

from localcloud.cloudfront.exceptions import unsupported

PASSED_METADATA = (
    "content-type",
    "cache-control",
    "content-encoding",
    "content-disposition",
    "content-language",
    "expires",
)
PUBLIC_READ_GRANTEE = "http://acs.amazonaws.com/groups/global/AllUsers"


@dataclass(frozen=True)
class Caller:
    """Who asks S3: CloudFront for a distribution (its ARN), or nobody known (None)."""

    distribution_arn: str | None
    account_id: str

    def condition_values(self) -> dict[str, str]:
        values = {"aws:securetransport": "true"}
        if self.distribution_arn is not None:
            values |= {"aws:sourcearn": self.distribution_arn, "aws:sourceaccount": self.account_id}
        return values


@dataclass(frozen=True)
class S3Answer:
    """What S3 answered; the body is complete."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


def read_object(account_id: str, bucket_name: str, path: str, caller: Caller) -> S3Answer:
    """The object behind a URL path, or S3's error as XML."""
    from moto.s3.exceptions import MissingBucket
    from moto.s3.models import s3_backends

    key_name = unquote(path).lstrip("/")
    backend = s3_backends[account_id]["aws"]
    try:
        bucket = backend.get_bucket(bucket_name)
    except MissingBucket:
        return error_answer(404, "NoSuchBucket", "The specified bucket does not exist", bucket_name)
    key = backend.get_object(bucket_name, key_name) if key_name else None
    if not may(bucket, caller, "s3:GetObject", f"arn:aws:s3:::{bucket_name}/{key_name}", key):
        return error_answer(403, "AccessDenied", "Access Denied")
    if key is None:
        if not may(bucket, caller, "s3:ListBucket", f"arn:aws:s3:::{bucket_name}", None):
            return error_answer(403, "AccessDenied", "Access Denied")
        if not key_name:
            raise unsupported("the listing of a bucket; set a default root object")
        return error_answer(404, "NoSuchKey", "The specified key does not exist.", key_name)
    return S3Answer(200, _object_headers(key), key.value)


def _object_headers(key: Any) -> CIMultiDict[str]:
    headers = CIMultiDict({"Server": "AmazonS3", "Accept-Ranges": "bytes"})
    described = key.response_dict
    headers["ETag"] = described["ETag"]
    headers["Last-Modified"] = described["last-modified"]
    for name, value in described.items():
        if name.startswith("x-amz-") and name != "x-amz-sdk-checksum-algorithm":
            headers[name] = str(value)
    for name, value in key.metadata.items():
        if name.lower() in PASSED_METADATA or name.lower().startswith("x-amz-meta-"):
            headers[name] = str(value)
    return headers


def error_answer(status: int, code: str, message: str, resource: str = "") -> S3Answer:
    detail = f"<Resource>{escape(resource)}</Resource>" if resource else ""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message>{detail}</Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    headers = CIMultiDict({"Server": "AmazonS3", "Content-Type": "application/xml"})
    return S3Answer(status, headers, body.encode())


def may(bucket: Any, caller: Caller, action: str, resource: str, key: Any) -> bool:
    """Whether bucket policy or ACL let the caller do it: an explicit Deny wins, without an Allow nothing is let."""
    statements = _statements(bucket.policy)
    block = bucket.public_access_block
    public_counts = not _flag(block, "restrict_public_buckets")
    if any(
        _applies(statement, caller, action, resource)
        for statement in statements
        if statement.get("Effect") == "Deny" and _names(statement.get("Principal"), caller, public_counts=True)
    ):
        return False
    if any(
        _applies(statement, caller, action, resource)
        for statement in statements
        if statement.get("Effect") == "Allow" and _names(statement.get("Principal"), caller, public_counts)
    ):
        return True
    if _flag(block, "ignore_public_acls") or key is None or key.acl is None:
        return False
    return any(
        "READ" in grant.permissions or "FULL_CONTROL" in grant.permissions
        for grant in key.acl.grants
        if any(grantee.uri == PUBLIC_READ_GRANTEE for grantee in grant.grantees)
    )


def _flag(block: Any, name: str) -> bool:
    return block is not None and str(getattr(block, name)).lower() == "true"


def _statements(policy: bytes | None) -> list[dict[str, Any]]:
    if not policy:
        return []
    statements = json.loads(policy).get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def _names(principal: Any, caller: Caller, public_counts: bool) -> bool:
    if principal == "*" or (isinstance(principal, Mapping) and "*" in _strings(principal.get("AWS"))):
        return public_counts
    if not isinstance(principal, Mapping) or caller.distribution_arn is None:
        return False
    return "cloudfront.amazonaws.com" in _strings(principal.get("Service"))


def _applies(statement: Mapping[str, Any], caller: Caller, action: str, resource: str) -> bool:
    for unknown in ("NotPrincipal", "NotAction", "NotResource"):
        if unknown in statement:
            raise unsupported(f"{unknown} in the policy of a bucket that is an origin")
    actions = any(fnmatch.fnmatchcase(action.lower(), wanted.lower()) for wanted in _strings(statement.get("Action")))
    resources = any(fnmatch.fnmatchcase(resource, wanted) for wanted in _strings(statement.get("Resource")))
    return actions and resources and _conditions_hold(statement.get("Condition") or {}, caller.condition_values())


def _conditions_hold(conditions: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    return all(
        _condition_holds(operator, known.get(key.lower()), _strings(wanted))
        for operator, tests in conditions.items()
        for key, wanted in tests.items()
    )


def _condition_holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    if_exists = operator.endswith("IfExists")
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise unsupported(f"the condition operator {operator} in the policy of a bucket that is an origin")
    negative = "Not" in name
    if actual is None:
        return if_exists or negative
    test = _OPERATORS[name]
    return any(test(actual, one) for one in wanted) is not negative


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringNotEquals": lambda actual, wanted: actual == wanted,
    "StringLike": fnmatch.fnmatchcase,
    "StringNotLike": fnmatch.fnmatchcase,
    "ArnEquals": fnmatch.fnmatchcase,
    "ArnLike": fnmatch.fnmatchcase,
    "ArnNotEquals": fnmatch.fnmatchcase,
    "ArnNotLike": fnmatch.fnmatchcase,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
}


def _strings(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
