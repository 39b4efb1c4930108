# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a lifecycle policy expires (User Guide, "Lifecycle policy properties in Amazon ECR")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from localcloud.ecr.registry import Image


@dataclass(frozen=True)
class Expiry:
    """An image that goes, and the priority of the rule by which it goes."""

    image: Image
    priority: int


def expired(policy: str, images: Iterable[Image], now: datetime) -> list[Expiry]:
    """The images that the policy expires now.

    Rules with lower priority numbers come first. An image that one of them selects, expired or not, is out of reach of
    the later ones, which count it all the same. What an image index holds stays as long as the index.
    """
    newest_first = sorted(images, key=lambda image: image.pushed_at, reverse=True)
    held = {digest for image in newest_first for digest in _parts(image)}
    taken: set[str] = set()
    found = []
    for rule in sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        selected = [image for image in newest_first if _selects(selection, image) and image.digest not in held]
        found += [
            Expiry(image, int(rule["rulePriority"]))
            for image in _surplus(selection, selected, now)
            if image.digest not in taken
        ]
        taken |= {image.digest for image in selected}
    return found


def _selects(selection: Mapping[str, Any], image: Image) -> bool:
    """By tags: of several prefixes or patterns each must be that of some tag."""
    status = selection["tagStatus"]
    if status == "any":
        return True
    if status == "untagged":
        return not image.tags
    patterns = [*selection.get("tagPatternList", ()), *(f"{item}*" for item in selection.get("tagPrefixList", ()))]
    return bool(patterns) and all(any(fnmatchcase(tag, pattern) for tag in image.tags) for pattern in patterns)


def _surplus(selection: Mapping[str, Any], newest_first: Sequence[Image], now: datetime) -> Sequence[Image]:
    number = int(selection["countNumber"])
    if selection["countType"] == "imageCountMoreThan":
        return newest_first[number:]
    oldest = now - timedelta(days=number)
    return [image for image in newest_first if image.pushed_at <= oldest]


def _parts(image: Image) -> Iterable[str]:
    """The digests of what an image index holds."""
    return [str(part["digest"]) for part in json.loads(image.manifest).get("manifests", ())]
