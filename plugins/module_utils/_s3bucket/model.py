# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bucket's settings, wanted and observed. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Step

Document = t.Mapping[str, t.Any]

PUBLIC_ACCESS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")


@dataclass(frozen=True)
class LifecycleRule:
    """A rule for all objects of a bucket. ``other`` is what such a rule does not say, as S3 tells it."""

    id: str
    expiration_days: int | None = None
    noncurrent_days: int | None = None
    other: str = ""


@dataclass(frozen=True)
class Settings:
    """What is set on a bucket. In a wanted value None leaves alone; an observed one has every value.

    They are set in this order: the tags first, by which a run that is interrupted knows the bucket for its own.
    """

    tags: t.Mapping[str, str] | None = None
    object_ownership: str | None = None
    encryption: str | None = None
    versioning: bool | None = None
    public_access: t.Mapping[str, bool] | None = None
    policy: Document | None = None
    lifecycle_rules: tuple[LifecycleRule, ...] | None = None


NEW = Settings(
    object_ownership="BucketOwnerEnforced",
    encryption="AES256",
    versioning=False,
    public_access=dict.fromkeys(PUBLIC_ACCESS, True),
    policy={},
    lifecycle_rules=(),
    tags={},
)
"""A bucket as S3 makes it since April 2023."""


@dataclass(frozen=True)
class Wanted:
    """A bucket as declared. With ``purge_tags`` it has no other tags."""

    name: str
    settings: Settings
    purge_tags: bool = True


@dataclass(frozen=True)
class Create(Step):
    """Make the bucket."""

    object_ownership: str | None = None


@dataclass(frozen=True)
class Put(Step):
    """Give one setting its value."""

    setting: str = ""
    value: t.Any = field(default=None, compare=False)
