# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What S3 refuses for a bucket's own settings: public access block and Object Ownership, which moto only keeps.

After the user guide's "Blocking public access to your Amazon S3 storage" and "Controlling ownership of objects and
disabling ACLs for your bucket".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from localcloud.calls import identify
from localcloud.s3.answers import S3Answer, body_of, error_answer

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

ENFORCED = "BucketOwnerEnforced"
OWNERS_OWN = "bucket-owner-full-control"
PUBLIC_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})
PUBLIC_GROUPS = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


class Guard:
    """WSGI: answers what a bucket's settings forbid."""

    def __init__(self, application: Callable[..., Iterable[bytes]], cloud: Cloud) -> None:
        self._application = application
        self._cloud = cloud

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._refusal(environ) if environ["REQUEST_METHOD"] in ("PUT", "POST") else None
        if refusal is None:
            return self._application(environ, start_response)
        status = HTTPStatus(refusal.status)
        headers = [*refusal.headers.items(), ("Content-Length", str(len(refusal.body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [refusal.body]

    def _refusal(self, environ: dict[str, Any]) -> S3Answer | None:
        asked = _query(environ)
        acl = _acl(environ)
        if (acl is None and not asked & {"acl", "policy"}) or identify(environ).service != "s3":
            return None
        name, _, key = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")
        bucket = self._bucket(name)
        if bucket is None:
            return None if key or acl is None else _new_with_acl(environ, acl)
        if "policy" in asked and not key:
            return _public_policy(bucket, body_of(environ))
        return _forbidden_acl(bucket, acl, body_of(environ) if "acl" in asked else b"")

    def _bucket(self, name: str) -> Any:
        from moto.s3.models import s3_backends

        return s3_backends[self._cloud.account_id]["aws"].buckets.get(name)


def _query(environ: dict[str, Any]) -> set[str]:
    return set(parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))


def _acl(environ: dict[str, Any]) -> str | None:
    """The canned ACL of the headers, or the grants in them."""
    grants = [str(value) for name, value in environ.items() if name.startswith("HTTP_X_AMZ_GRANT_")]
    return environ.get("HTTP_X_AMZ_ACL") or " ".join(grants) or None


def _new_with_acl(environ: dict[str, Any], acl: str) -> S3Answer | None:
    if environ.get("HTTP_X_AMZ_OBJECT_OWNERSHIP", ENFORCED) != ENFORCED or acl == "private":
        return None
    message = f"Bucket cannot have ACLs set with ObjectOwnership's {ENFORCED} setting"
    return error_answer(400, "InvalidBucketAclWithObjectOwnership", message)


def _public_policy(bucket: Any, policy: bytes) -> S3Answer | None:
    from moto.s3.utils import bucket_policy_is_public

    block = bucket.public_access_block
    if block is None or not block.block_public_policy or not bucket_policy_is_public(policy):
        return None
    return error_answer(
        403, "AccessDenied", "Access Denied: public policies are blocked by the BlockPublicPolicy setting"
    )


def _forbidden_acl(bucket: Any, acl: str | None, body: bytes) -> S3Answer | None:
    if bucket.ownership_rule == ENFORCED:
        if acl in (None, OWNERS_OWN) and not body:
            return None
        return error_answer(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    block = bucket.public_access_block
    text = f"{acl or ''} {body.decode(errors='replace')}"
    is_public = acl in PUBLIC_ACLS or any(group in text for group in PUBLIC_GROUPS)
    if block is not None and block.block_public_acls and is_public:
        return error_answer(
            403, "AccessDenied", "Access Denied: public ACLs are blocked by the BlockPublicAcls setting"
        )
    return None
