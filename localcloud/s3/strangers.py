# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers at S3: moto judges them by a policy's actions alone, so that one made for a CDN would let in everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from localcloud.policies import NotJudged
from localcloud.s3.access import Caller, may
from localcloud.s3.answers import S3Answer, body_of, error_answer

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

OTHERS = ("/moto-api", "/latest/", "/favicon.ico")
"""Paths that moto does not take for buckets."""


class Strangers:
    """WSGI: answers 403 to unsigned requests at S3 that neither policy nor ACL lets in."""

    def __init__(self, application: Callable[..., Iterable[bytes]], cloud: Cloud) -> None:
        self._application = application
        self._cloud = cloud

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._refusal(environ)
        if refusal is None:
            return self._application(environ, start_response)
        status = HTTPStatus(refusal.status)
        headers = [*refusal.headers.items(), ("Content-Length", str(len(refusal.body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [refusal.body]

    def _refusal(self, environ: dict[str, Any]) -> S3Answer | None:
        if not _is_unsigned(environ) or environ["REQUEST_METHOD"] == "OPTIONS":
            return None
        try:
            return None if self._admits(environ) else error_answer(403, "AccessDenied", "Access Denied")
        except NotJudged as error:
            return error_answer(501, "NotImplemented", f"Bucket policies with {error} are not judged here")

    def _admits(self, environ: dict[str, Any]) -> bool:
        from moto.s3.exceptions import MissingBucket
        from moto.s3.models import s3_backends

        bucket_name, _, key_name = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")
        backend = s3_backends[self._cloud.account_id]["aws"]
        try:
            bucket = backend.get_bucket(bucket_name)
        except MissingBucket:
            # Moto says so; the list of all buckets is for those who are known.
            return bool(bucket_name)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return False
        stranger = Caller(None, self._cloud.account_id)
        listing = may(bucket, stranger, "s3:ListBucket", f"arn:aws:s3:::{bucket_name}", None)
        if not key_name:
            return listing
        key = backend.get_object(bucket_name, key_name)
        admitted = may(bucket, stranger, "s3:GetObject", f"arn:aws:s3:::{bucket_name}/{key_name}", key)
        return admitted and (key is not None or listing)


def _is_unsigned(environ: dict[str, Any]) -> bool:
    """Unsigned, and for S3: other services are told by a target header or a form."""
    if "HTTP_AUTHORIZATION" in environ or "HTTP_X_AMZ_TARGET" in environ:
        return False
    if str(environ.get("PATH_INFO", "")).startswith(OTHERS):
        return False
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return False
    if _is_signed_form(environ):
        return False
    query = parse_qs(str(environ.get("QUERY_STRING", "")))
    return not ({"X-Amz-Signature", "Signature", "Action"} & set(query))


def _is_signed_form(environ: dict[str, Any]) -> bool:
    """A form of a browser, with the signature among its fields."""
    if not str(environ.get("CONTENT_TYPE", "")).startswith("multipart/form-data"):
        return False
    return any(field in body_of(environ) for field in (b'name="X-Amz-Signature"', b'name="signature"'))
