# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 as an origin: objects read from the S3 of this process, as far as the bucket lets the distribution."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from multidict import CIMultiDict

from localcloud.cloudfront.exceptions import unsupported
from localcloud.policies import NotJudged
from localcloud.s3.access import Caller, may
from localcloud.s3.answers import S3Answer, error_answer

PASSED_METADATA = (
    "content-type",
    "cache-control",
    "content-encoding",
    "content-disposition",
    "content-language",
    "expires",
)


def read_object(account_id: str, bucket_name: str, path: str, caller: Caller) -> S3Answer:
    """The object behind a URL path, or S3's error as XML.

    :raises CloudFrontError: When the bucket's policy says what is not judged here.
    """
    try:
        return _read_object(account_id, bucket_name, path, caller)
    except NotJudged as error:
        raise unsupported(f"{error} in the policy of a bucket that is an origin") from error


def _read_object(account_id: str, bucket_name: str, path: str, caller: Caller) -> S3Answer:
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
