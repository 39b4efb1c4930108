# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what with a bucket: its policy with conditions, its public access block, and the ACLs of its objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.policies import NotJudged, applies, statements, strings

PUBLIC_READ_GRANTEE = "http://acs.amazonaws.com/groups/global/AllUsers"


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
    found = statements(json.loads(bucket.policy)) if bucket.policy else []
    public_counts = not _flag(bucket.public_access_block, "restrict_public_buckets")
    for effect, counts, verdict in (("Deny", True, False), ("Allow", public_counts, True)):
        if any(
            statement.get("Effect") == effect
            and _names(statement.get("Principal"), caller, counts)
            and _applies(statement, caller, action, resource)
            for statement in found
        ):
            return verdict
    return None


def _flag(block: Any, name: str) -> bool:
    return block is not None and str(getattr(block, name)).lower() == "true"


def _names(principal: Any, caller: Caller, public_counts: bool) -> bool:
    if principal == "*" or (isinstance(principal, Mapping) and "*" in strings(principal.get("AWS"))):
        return public_counts or caller.signed
    if not isinstance(principal, Mapping):
        return False
    if caller.signed:
        own = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
        return bool(own & set(strings(principal.get("AWS"))))
    return caller.distribution_arn is not None and "cloudfront.amazonaws.com" in strings(principal.get("Service"))


def _applies(statement: Mapping[str, Any], caller: Caller, action: str, resource: str) -> bool:
    if "NotPrincipal" in statement:
        raise NotJudged("NotPrincipal")
    return applies(statement, action, resource, caller.condition_values())
