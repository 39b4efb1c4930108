# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags may be given to another image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase


def overwriting_refused(
    repository: str, tag: str, existing: Iterable[str], mutability: str, exclusions: Iterable[Mapping[str, str]]
) -> str | None:
    """What ECR says when an image is pushed under a tag that is there and must stay; None when the push may go on.

    It is the same for an image that has the tag already (aws/containers-roadmap#2179).

    :param existing: The repository's tags.
    :param mutability: As `imageTagMutability` of the repository.
    :param exclusions: As its `imageTagMutabilityExclusionFilters`.
    """
    excluded = any(fnmatchcase(tag, item["filter"]) for item in exclusions)
    immutable = {"IMMUTABLE": True, "IMMUTABLE_WITH_EXCLUSION": not excluded, "MUTABLE_WITH_EXCLUSION": excluded}
    if tag not in existing or not immutable.get(mutability, False):
        return None
    what = "repository" if mutability == "IMMUTABLE" else "tag"
    return (
        f"The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because "
        f"the {what} is immutable."
    )
