# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buckets are closed when they are new, and their settings and policies hold."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

REGION = {"LocationConstraint": "us-west-2"}
OPEN = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)


@pytest.fixture
def s3(localcloud: Any) -> Any:
    return localcloud.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"b-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=REGION)
    return name


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def policy(bucket: str, **changes: Any) -> str:
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**read, **changes}]})


def stranger(localcloud: Any, bucket: str, key: str) -> int:
    """The status that an unsigned request gets."""
    try:
        with urllib.request.urlopen(f"{localcloud.endpoint}/{bucket}/{key}", timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_new_bucket_is_closed(localcloud: Any, s3: Any, bucket: str) -> None:
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(OPEN, True)
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=policy(bucket)) == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    assert stranger(localcloud, bucket, "x") == 403


def test_without_acls_there_are_none(s3: Any, bucket: str) -> None:
    put = {"Bucket": bucket, "Key": "x", "Body": b"x"}
    for acl in ("public-read", "private"):
        assert code_of(s3.put_object, **put, ACL=acl) == "AccessControlListNotSupported"
    s3.put_object(**put, ACL="bucket-owner-full-control")
    assert code_of(s3.put_object_acl, Bucket=bucket, Key="x", ACL="private") == "AccessControlListNotSupported"
    assert code_of(s3.put_bucket_acl, Bucket=bucket, ACL="private") == "AccessControlListNotSupported"
    create = {"Bucket": f"b-{uuid.uuid4()}", "CreateBucketConfiguration": REGION, "ACL": "public-read"}
    assert code_of(s3.create_bucket, **create) == "InvalidBucketAclWithObjectOwnership"


def test_public_acls_are_blocked_until_they_are_not(localcloud: Any, s3: Any, bucket: str) -> None:
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
    put = {"Bucket": bucket, "Key": "x", "Body": b"x", "ACL": "public-read"}
    assert code_of(s3.put_object, **put) == "AccessDenied"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPEN)
    s3.put_object(**put)
    assert stranger(localcloud, bucket, "x") == 200
    ignored = {**OPEN, "IgnorePublicAcls": True}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=ignored)
    s3.put_object(**put)
    assert stranger(localcloud, bucket, "x") == 403
    public = "http://acs.amazonaws.com/groups/global/AllUsers"
    grants = s3.get_object_acl(Bucket=bucket, Key="x")["Grants"]
    assert public in [grant["Grantee"].get("URI") for grant in grants], "the ACL is kept"


def test_public_policies_are_blocked_until_they_are_not(localcloud: Any, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPEN)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    assert stranger(localcloud, bucket, "x") == 200
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**OPEN, "RestrictPublicBuckets": True})
    assert stranger(localcloud, bucket, "x") == 403


def test_a_policy_that_wants_tls_does_not_bind_who_has_it(s3: Any, bucket: str) -> None:
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, Effect="Deny", Action="s3:*", Condition=insecure))
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, Effect="Deny", Action="s3:PutObject"))
    assert code_of(s3.put_object, Bucket=bucket, Key="x", Body=b"y") == "AccessDenied"


def test_what_is_not_there_is_not_there_for_head_either(s3: Any, bucket: str) -> None:
    assert code_of(s3.head_object, Bucket=bucket, Key="x") == "404"
    assert code_of(s3.head_bucket, Bucket=f"b-{uuid.uuid4()}") == "404"


def test_versions_outlive_deletion(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="x", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="x", Body=b"2")
    s3.delete_object(Bucket=bucket, Key="x")
    assert code_of(s3.get_object, Bucket=bucket, Key="x") == "NoSuchKey"
    assert s3.get_object(Bucket=bucket, Key="x", VersionId=first)["Body"].read() == b"1"
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"


def test_forms_are_judged_by_their_signature(s3: Any, bucket: str) -> None:
    form = s3.generate_presigned_post(bucket, "x")
    assert requests.post(form["url"], data=form["fields"], files={"file": b"x"}, timeout=10).status_code == 204
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"x"
    unsigned = {"key": "y"}
    assert requests.post(form["url"], data=unsigned, files={"file": b"y"}, timeout=10).status_code == 403
