# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done to a site's bucket, decided without calling S3.

A release leaves behind the hashed files of the one before. Browsers that loaded the old page still ask for them, so
they are not deleted at once but marked: the object gets the metadata ``superseded-at`` with the time. ``retain_days``
later it is deleted. A file that comes back, because a release was taken back, is written anew and so loses the mark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import (
    SHA256,
    SUPERSEDED,
    Layout,
    Site,
    SiteFile,
    SiteObject,
    matches,
)

_INDEX = "index.html"
_OTHER_CONTENT = "content differs"
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Upload:
    """A file that has to be written, and why."""

    file: SiteFile
    reason: str


@dataclass(frozen=True)
class Deletion:
    """An object that has to be deleted, and why."""

    object: SiteObject
    reason: str


@dataclass(frozen=True)
class SitePlan:
    """What has to be done, in the order in which it has to be done.

    ``stages`` are written one after the other, the files of a stage side by side: the files that a page names before
    the pages that name them.
    """

    stages: tuple[tuple[Upload, ...], ...] = ()
    superseded: tuple[SiteObject, ...] = ()
    deleted: tuple[Deletion, ...] = ()

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """All files that have to be written."""
        return tuple(upload for stage in self.stages for upload in stage)

    def steps(self) -> Plan:
        """The plan as people read it."""
        uploads = [Step("upload", upload.file.key, upload.reason) for upload in self.uploads]
        marks = [Step("mark", item.key, "no longer part of the site; kept for open pages") for item in self.superseded]
        deletes = [Step("delete", item.object.key, item.reason) for item in self.deleted]
        return Plan((*uploads, *marks, *deletes))


def plan_site(site: Site, objects: Sequence[SiteObject], now: datetime) -> SitePlan:
    """What turns the objects that are there into the site.

    :param objects: the objects below the site's prefix, with their headers.
    :param now: the present time, in UTC.
    """
    there = {item.key: item for item in objects if item.key.startswith(site.layout.prefix)}
    keys = {file.key for file in site.files}
    gone = [item for key, item in sorted(there.items()) if key not in keys] if site.layout.purge else []
    fates = [(item, _fate(site.layout, item, now)) for item in gone]
    return SitePlan(
        stages=_stages(_uploads(site.files, there)),
        superseded=tuple(item for item, (fate, _reason) in fates if fate == "mark"),
        deleted=tuple(Deletion(item, reason) for item, (fate, reason) in fates if fate == "delete"),
    )


def _uploads(files: Iterable[SiteFile], there: Mapping[str, SiteObject]) -> list[Upload]:
    reasons = ((file, _difference(file, there.get(file.key))) for file in files)
    return [Upload(file, reason) for file, reason in reasons if reason]


def _difference(file: SiteFile, there: SiteObject | None) -> str:
    if there is None:
        return "not there"
    if not _same_content(file, there):
        return _OTHER_CONTENT
    if file.content_type != there.content_type:
        return f"content type {there.content_type or 'missing'}, not {file.content_type}"
    if file.cache_control != there.cache_control:
        return f"cache control {there.cache_control or 'missing'}, not {file.cache_control or 'none'}"
    return "back in the site, but marked as superseded" if SUPERSEDED in there.metadata else ""


def _same_content(file: SiteFile, there: SiteObject) -> bool:
    if file.size != there.size:
        return False
    known = there.metadata.get(SHA256)
    # The ETag is the MD5 only of what was written in one piece and not encrypted with a key of KMS.
    return known == file.sha256 if known else there.etag == file.md5


def _stages(uploads: Sequence[Upload]) -> tuple[tuple[Upload, ...], ...]:
    stages = [[upload for upload in uploads if _stage(upload.file) == number] for number in range(3)]
    return tuple(tuple(stage) for stage in stages if stage)


def _stage(file: SiteFile) -> int:
    if file.hashed:
        return 0
    return 2 if file.name.rsplit("/", 1)[-1] == _INDEX else 1


def _fate(layout: Layout, item: SiteObject, now: datetime) -> tuple[str, str]:
    if not matches(item.key[len(layout.prefix) :], layout.hashed):
        return ("delete", "not part of the site")
    if layout.retain_days <= 0:
        return ("delete", "not part of the site, and retain_days is 0")
    since = superseded_at(item)
    if since is None:
        return ("mark", "")
    if now - since >= timedelta(days=layout.retain_days):
        return ("delete", f"superseded at {stamp(since)}, more than {layout.retain_days:g} days ago")
    return ("keep", "")


def stamp(moment: datetime) -> str:
    """A moment as the mark has it, in UTC to the second."""
    return moment.astimezone(UTC).strftime(_STAMP)


def superseded_at(item: SiteObject) -> datetime | None:
    """When the object was marked; None when it was not, or when the mark cannot be read."""
    try:
        return datetime.strptime(item.metadata.get(SUPERSEDED, ""), _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


# What the CDN has to hear --------------------------------------------------------------------------------------------


def changed_paths(layout: Layout, plan: SitePlan) -> list[str]:
    """The CDN's paths of what changed under an unchanged name, URL-encoded and sorted."""
    deleted = [item.object.key for item in plan.deleted]
    keys = [upload.file.key for upload in plan.uploads if not upload.file.hashed or upload.reason == _OTHER_CONTENT]
    keys += [key for key in deleted if not matches(key[len(layout.prefix) :], layout.hashed)]
    return cdn_paths(layout, keys)


def unhashed_paths(site: Site) -> list[str]:
    """The CDN's paths of every file whose name does not change with its content."""
    return cdn_paths(site.layout, [file.key for file in site.files if not file.hashed])


def cdn_paths(layout: Layout, keys: Iterable[str]) -> list[str]:
    """The paths under which a CDN serves the keys; a directory's index is served under two."""
    paths = set()
    for key in keys:
        path = _below(layout.origin_path, "/" + key)
        if path is None:
            continue
        # CloudFront distinguishes /a%2Bb from /a+b; these characters are what browsers leave as they are.
        encoded = quote(path, safe="/!$&'()+,;=:@-._~")
        paths.add(encoded)
        if encoded.endswith("/" + _INDEX):
            paths.add(encoded[: -len(_INDEX)])
    return sorted(paths)


def _below(origin_path: str, path: str) -> str | None:
    if not origin_path:
        return path
    return path[len(origin_path) :] if path.startswith(origin_path + "/") else None


# Identities ----------------------------------------------------------------------------------------------------------


def content_digest(site: Site) -> str:
    """The SHA-256 of the site: names, contents and headers, wherever it is built and whenever."""
    return _digest((file.name, file.sha256, file.content_type, file.cache_control) for file in site.files)


def objects_digest(layout: Layout, objects: Iterable[SiteObject]) -> str:
    """The same of a site that was uploaded, from its objects."""
    return _digest(
        (item.key[len(layout.prefix) :], item.metadata.get(SHA256) or item.etag, item.content_type, item.cache_control)
        for item in objects
    )


def live_objects(objects: Iterable[SiteObject]) -> list[SiteObject]:
    """The objects that are part of the site, without those that are only kept for open pages."""
    return [item for item in objects if SUPERSEDED not in item.metadata]


def _digest(entries: Iterable[tuple[str, ...]]) -> str:
    return hashlib.sha256("\n".join(map("\0".join, sorted(entries))).encode("utf-8")).hexdigest()


def release_digest(site: Site, objects: Sequence[SiteObject]) -> str:
    """What tells this release of the site from any other, also from an earlier one with the same content.

    It comes from when the files without a hash in their name were written. So it stays when nothing is done, and
    changes when a release is taken back: the CDN has to be told then, though it was told of the same content before.
    """
    keys = {file.key for file in site.files if not file.hashed}
    lines = [f"{item.key}\0{item.etag}\0{stamp(item.last_modified)}" for item in objects if item.key in keys]
    return hashlib.sha256("\n".join([content_digest(site), *sorted(lines)]).encode("utf-8")).hexdigest()


# Before and after ----------------------------------------------------------------------------------------------------


def projected(site: Site, objects: Sequence[SiteObject], plan: SitePlan, now: datetime) -> list[SiteObject]:
    """The objects as they will be once the plan is done."""
    deleted = {item.object.key for item in plan.deleted}
    after = {item.key: item for item in objects if item.key not in deleted}
    for upload in plan.uploads:
        after[upload.file.key] = _written(upload.file, now)
    for item in plan.superseded:
        after[item.key] = _marked(item, now)
    return [after[key] for key in sorted(after)]


def _written(file: SiteFile, now: datetime) -> SiteObject:
    return SiteObject(file.key, file.size, file.md5, now, file.content_type, file.cache_control, {SHA256: file.sha256})


def _marked(item: SiteObject, now: datetime) -> SiteObject:
    metadata = {**item.metadata, SUPERSEDED: stamp(now)}
    return SiteObject(item.key, item.size, item.etag, now, item.content_type, item.cache_control, metadata)


def shown(objects: Iterable[SiteObject]) -> dict[str, dict[str, object]]:
    """The objects as a diff shows them."""
    return {
        item.key: {
            "content": item.metadata.get(SHA256) or item.etag,
            "content_type": item.content_type,
            "cache_control": item.cache_control,
            **({SUPERSEDED.replace("-", "_"): item.metadata[SUPERSEDED]} if SUPERSEDED in item.metadata else {}),
        }
        for item in sorted(objects, key=lambda item: item.key)
    }
