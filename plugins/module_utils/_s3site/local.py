# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site as it lies on this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._s3site.content_type import content_type
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import (
    CacheRule,
    Layout,
    Site,
    SiteFile,
    matches,
)

_CHUNK = 1024 * 1024


def read_site(source: str, layout: Layout, rules: Sequence[CacheRule], exclude: Sequence[str]) -> Site:
    """The files below a directory, with what they shall be on S3.

    :param source: the directory.
    :param rules: the first that matches gives a file its Cache-Control; without one it gets none.
    :param exclude: shell patterns of paths below the source that do not belong to the site.
    :raises AntennaError: when the directory is missing or has no file, because the site would be deleted then, or
        when something in it cannot be read.
    """
    root = Path(source)
    if not root.is_dir():
        raise AntennaError(f"source {source} is not a directory. Build the site first.")
    try:
        names = [name for name in _names(root) if not matches(name, exclude)]
        files = tuple(_site_file(root, name, layout, rules) for name in names)
    except OSError as error:
        raise AntennaError(
            f"Could not read {error.filename or source} of the site: {error.strerror}. "
            "Let this user read it, or build the site anew."
        ) from error
    if not files:
        raise AntennaError(f"source {source} has no files. Build the site first; an empty one would delete everything.")
    return Site(layout, files)


def _names(root: Path) -> list[str]:
    # Passed over in silence, what a directory has would be deleted from the bucket.
    walked = os.walk(root, onerror=_fail)
    found = (Path(directory, name) for directory, _directories, names in walked for name in names)
    return sorted(path.relative_to(root).as_posix() for path in found if path.is_file())


def _fail(error: OSError) -> None:
    raise error


def _site_file(root: Path, name: str, layout: Layout, rules: Sequence[CacheRule]) -> SiteFile:
    path = root / name
    sha256, md5 = _digests(path)
    return SiteFile(
        name=name,
        key=layout.prefix + name,
        path=str(path),
        size=path.stat().st_size,
        sha256=sha256,
        md5=md5,
        content_type=content_type(name),
        cache_control=next((rule.value for rule in rules if matches(name, (rule.pattern,))), ""),
        hashed=matches(name, layout.hashed),
    )


def _digests(path: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()
