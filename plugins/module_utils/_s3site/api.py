# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place where a site's files meet S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import SHA256, SUPERSEDED, Layout, SiteObject
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import SitePlan, Upload, stamp

# Not more than the connections that botocore keeps open.
WORKERS = 10
_DELETE_AT_ONCE = 1000

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def list_objects(client: Any, layout: Layout) -> list[SiteObject]:
    """The objects below the site's prefix, without their headers; none where the bucket does not exist."""
    objects: list[SiteObject] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = client.list_objects_v2(Bucket=layout.bucket, Prefix=layout.prefix, aws_retry=True, **token)
        except is_boto3_error_code("NoSuchBucket"):
            return []
        objects += [_listed(item) for item in page.get("Contents") or []]
        if not page.get("IsTruncated"):
            return objects
        token = {"ContinuationToken": page["NextContinuationToken"]}


def read_objects(client: Any, layout: Layout) -> list[SiteObject]:
    """The objects below the site's prefix with their headers, which S3 tells only one by one."""

    def read(item: SiteObject) -> SiteObject:
        return _headed(item, client.head_object(Bucket=layout.bucket, Key=item.key, aws_retry=True))

    return side_by_side(read, list_objects(client, layout))


def _listed(item: dict[str, Any]) -> SiteObject:
    return SiteObject(item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])


def _headed(item: SiteObject, head: dict[str, Any]) -> SiteObject:
    return replace(
        item,
        content_type=head.get("ContentType") or "",
        cache_control=head.get("CacheControl") or "",
        metadata=dict(head.get("Metadata") or {}),
    )


def apply_plan(client: Any, layout: Layout, plan: SitePlan, now: datetime) -> None:
    """Do what the plan says, stage after stage; deletions only when all else is there."""

    def write(upload: Upload) -> None:
        write_object(client, layout.bucket, upload)

    def mark(item: SiteObject) -> None:
        mark_superseded(client, layout.bucket, item, now)

    for stage in plan.stages:
        side_by_side(write, stage)
    side_by_side(mark, plan.superseded)
    delete_objects(client, layout.bucket, [deletion.object.key for deletion in plan.deleted])


def write_object(client: Any, bucket: str, upload: Upload) -> None:
    """Write one file with its headers."""
    file = upload.file
    cache = {"CacheControl": file.cache_control} if file.cache_control else {}
    client.put_object(
        Bucket=bucket,
        Key=file.key,
        Body=Path(file.path).read_bytes(),
        ContentType=file.content_type,
        Metadata={SHA256: file.sha256},
        aws_retry=True,
        **cache,
    )


def mark_superseded(client: Any, bucket: str, item: SiteObject, now: datetime) -> None:
    """Write the time of its end into an object's metadata. S3 can do that only by copying it onto itself."""
    cache = {"CacheControl": item.cache_control} if item.cache_control else {}
    client.copy_object(
        Bucket=bucket,
        Key=item.key,
        CopySource={"Bucket": bucket, "Key": item.key},
        MetadataDirective="REPLACE",
        ContentType=item.content_type,
        Metadata={**item.metadata, SUPERSEDED: stamp(now)},
        aws_retry=True,
        **cache,
    )


def delete_objects(client: Any, bucket: str, keys: Sequence[str]) -> None:
    """Delete exactly these keys.

    :raises AntennaError: naming the first that S3 did not delete.
    """
    for start in range(0, len(keys), _DELETE_AT_ONCE):
        wanted = [{"Key": key} for key in keys[start : start + _DELETE_AT_ONCE]]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True}, aws_retry=True)
        for error in answer.get("Errors") or []:
            raise AntennaError(f"{error['Key']} in {bucket} could not be deleted: {error['Code']} {error['Message']}")


def side_by_side(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Do the same work on all items, some at a time, and return the results in order; the first failure is raised."""
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
