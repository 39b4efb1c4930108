# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what with a bucket: its policy with conditions, its public access block, and the ACLs of its objects."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PUBLIC_READ_GRANTEE = "http://acs.amazonaws.com/groups/global/AllUsers"


class NotJudged(Exception):
    """A policy says something that is not understood here; the message names it."""


@dataclass(frozen=True)
class Caller:
    """Who asks S3: CloudFront for a distribution (its ARN), an identity of the account (`signed`), or nobody known.

    `secure`: over TLS, as CloudFront asks where its viewer came over TLS (CloudFront developer guide, "Require HTTPS
    for communication between CloudFront and your Amazon S3 origin"). The endpoint here stands for AWS's own, with TLS.
    """

    distribution_arn: str | None
    account_id: str
    secure: bool = True
    signed: bool = False

    def condition_values(self) -> dict[str, str]:
        values = {"aws:securetransport": str(self.secure).lower()}
        if self.secure:
            values["s3:tlsversion"] = "1.3"
        if self.signed:
            values["aws:principalaccount"] = self.account_id
        if self.distribution_arn is not None:
            values |= {"aws:sourcearn": self.distribution_arn, "aws:sourceaccount": self.account_id}
        return values


def may(bucket: Any, caller: Caller, action: str, resource: str, key: Any) -> bool:
    """Whether bucket policy or ACL let the caller do it: an explicit Deny wins, without an Allow nothing is let.

    :raises NotJudged: When the policy says something that is not understood here.
    """
    verdict = by_policy(bucket, caller, action, resource)
    if verdict is not None:
        return verdict
    if _flag(bucket.public_access_block, "ignore_public_acls") or key is None or key.acl is None:
        return False
    return any(
        "READ" in grant.permissions or "FULL_CONTROL" in grant.permissions
        for grant in key.acl.grants
        if any(grantee.uri == PUBLIC_READ_GRANTEE for grantee in grant.grantees)
    )


def by_policy(bucket: Any, caller: Caller, action: str, resource: str) -> bool | None:
    """What the bucket's policy says of it: False is an explicit Deny, None nothing.

    :raises NotJudged: When the policy says something that is not understood here.
    """
    statements = _statements(bucket.policy)
    public_counts = not _flag(bucket.public_access_block, "restrict_public_buckets")
    for effect, counts, verdict in (("Deny", True, False), ("Allow", public_counts, True)):
        if any(
            statement.get("Effect") == effect
            and _names(statement.get("Principal"), caller, counts)
            and _applies(statement, caller, action, resource)
            for statement in statements
        ):
            return verdict
    return None


def _flag(block: Any, name: str) -> bool:
    return block is not None and str(getattr(block, name)).lower() == "true"


def _statements(policy: bytes | None) -> list[dict[str, Any]]:
    if not policy:
        return []
    statements = json.loads(policy).get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def _names(principal: Any, caller: Caller, public_counts: bool) -> bool:
    if principal == "*" or (isinstance(principal, Mapping) and "*" in _strings(principal.get("AWS"))):
        return public_counts or caller.signed
    if not isinstance(principal, Mapping):
        return False
    if caller.signed:
        own = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
        return bool(own & set(_strings(principal.get("AWS"))))
    return caller.distribution_arn is not None and "cloudfront.amazonaws.com" in _strings(principal.get("Service"))


def _applies(statement: Mapping[str, Any], caller: Caller, action: str, resource: str) -> bool:
    for unknown in ("NotPrincipal", "NotAction", "NotResource"):
        if unknown in statement:
            raise NotJudged(unknown)
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
    if name not in _OPERATORS and name != "Null":
        raise NotJudged(f"the condition operator {operator}")
    if name == "Null":
        return (actual is None) is (wanted == ["true"])
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
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericLessThanEquals": lambda actual, wanted: float(actual) <= float(wanted),
    "NumericGreaterThan": lambda actual, wanted: float(actual) > float(wanted),
    "NumericGreaterThanEquals": lambda actual, wanted: float(actual) >= float(wanted),
}


def _strings(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
