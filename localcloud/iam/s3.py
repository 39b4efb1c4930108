# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls need at S3, whose actions are often called otherwise than its operations.

"Amazon S3 API operations and permissions" of the S3 User Guide ("Required permissions for Amazon S3 API operations").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from urllib.parse import unquote

from localcloud.iam.needs import ANY, Asked, Need

_KINDS = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")

ACTIONS: Mapping[str, str] = {
    **{f"GetBucket{kind}Configuration": f"Get{kind}Configuration" for kind in _KINDS},
    **{f"ListBucket{kind}Configurations": f"Get{kind}Configuration" for kind in _KINDS},
    **{f"{verb}Bucket{kind}Configuration": f"Put{kind}Configuration" for kind in _KINDS for verb in ("Delete", "Put")},
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PostObject": "PutObject",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
}
"""By operation; all others are called as their operations."""

# With a version's id, each of these is an action of its own.
_VERSIONED = ("DeleteObject", "GetObject", "GetObjectAcl", "GetObjectTagging")
_KEY = re.compile(rb"<Object>.*?</Object>", re.DOTALL)


def needs(asked: Asked) -> Iterator[Need]:
    """What a call of S3 needs."""
    bucket, key = str(asked.parameters.get("Bucket", "")), str(asked.parameters.get("Key", ""))
    if asked.operation == "DeleteObjects":
        yield from _deletions(bucket, asked.body)
    elif asked.operation in ("CopyObject", "UploadPartCopy"):
        source = unquote(asked.headers.get("x-amz-copy-source", "")).lstrip("/")
        yield _need("GetObjectVersion" if "?versionId=" in source else "GetObject", source.partition("?")[0])
        yield _need("PutObject", f"{bucket}/{key}")
    else:
        action = ACTIONS.get(asked.operation, asked.operation)
        yield _need(_versioned(action) if "versionId" in asked.query else action, f"{bucket}/{key}" if key else bucket)
    yield from _by_header(asked, bucket, key)


def _by_header(asked: Asked, bucket: str, key: str) -> Iterator[Need]:
    """What is done by the way."""
    with_acl = "x-amz-acl" in asked.headers or any(name.startswith("x-amz-grant-") for name in asked.headers)
    if asked.operation == "CreateBucket":
        if "x-amz-object-ownership" in asked.headers:
            yield _need("PutBucketOwnershipControls", bucket)
        if with_acl:
            yield _need("PutBucketAcl", bucket)
        if asked.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
            yield _need("PutBucketObjectLockConfiguration", bucket)
            yield _need("PutBucketVersioning", bucket)
    elif asked.operation in ("CopyObject", "CreateMultipartUpload", "PutObject"):
        if with_acl:
            yield _need("PutObjectAcl", f"{bucket}/{key}")
        if "x-amz-tagging" in asked.headers:
            yield _need("PutObjectTagging", f"{bucket}/{key}")


def _deletions(bucket: str, body: bytes) -> Iterator[Need]:
    for found in _KEY.findall(body) or [b""]:
        key = re.search(rb"<Key>(.*?)</Key>", found, re.DOTALL)
        name = unescape(key[1].decode(errors="replace")) if key else "*"
        yield _need("DeleteObjectVersion" if b"<VersionId>" in found else "DeleteObject", f"{bucket}/{name}")


def _versioned(action: str) -> str:
    return action.replace("Object", "ObjectVersion", 1) if action in _VERSIONED else action


def _need(action: str, resource: str) -> Need:
    return Need(f"s3:{action}", f"arn:aws:s3:::{resource}" if resource else ANY)
