# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that the planner of a web site on S3 compares."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

# Names of object metadata, which S3 returns as x-amz-meta-<name>.
SHA256 = "sha256"
SUPERSEDED = "superseded-at"


@dataclass(frozen=True)
class CacheRule:
    """The Cache-Control of files whose path below the source matches a shell pattern (``*`` matches ``/`` too)."""

    pattern: str
    value: str


@dataclass(frozen=True)
class SiteFile:
    """A file of the site as it shall be on S3. ``name`` is its path below the source, ``key`` its key in the bucket."""

    name: str
    key: str
    path: str
    size: int
    sha256: str
    md5: str
    content_type: str
    cache_control: str
    hashed: bool


@dataclass(frozen=True)
class SiteObject:
    """An object of the bucket as found."""

    key: str
    size: int
    etag: str
    last_modified: datetime
    content_type: str = ""
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Where a site lies in its bucket, and how its addresses come from its keys.

    ``prefix`` is empty or ends with ``/``. ``origin_path`` is what the CDN puts before a path to get the key.
    """

    bucket: str
    prefix: str = ""
    origin_path: str = ""
    hashed: tuple[str, ...] = ("assets/*",)
    retain_days: float = 30
    purge: bool = True


@dataclass(frozen=True)
class Site:
    """The site as wanted: its layout and its files, in the order of their names."""

    layout: Layout
    files: tuple[SiteFile, ...]


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a path below the source matches one of the shell patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def clean_prefix(prefix: str) -> str:
    """The prefix with exactly one ``/`` at its end, so that ``cs`` never means ``cs2/``; empty stays empty."""
    stripped = prefix.strip("/")
    return f"{stripped}/" if stripped else ""


def clean_origin_path(path: str) -> str:
    """CloudFront's OriginPath: empty, or with a ``/`` at its start and none at its end."""
    stripped = path.strip("/")
    return f"/{stripped}" if stripped else ""
