# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that the CloudFront planners compare."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What stands for an id that AWS has not given yet, in the result of a check.
UNKNOWN = "(known after apply)"


@dataclass(frozen=True)
class DistributionWanted:
    """A distribution as declared. ``config`` is in AWS's shape and holds declared keys only."""

    name: str
    caller_reference: str
    config: Mapping[str, Any]
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    present: bool = True


@dataclass(frozen=True)
class DistributionObserved:
    """A distribution as found. ``config`` is AWS's whole configuration."""

    id: str
    arn: str
    domain_name: str
    status: str
    etag: str
    config: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FunctionWanted:
    """A function as declared; None leaves alone."""

    name: str
    code: bytes | None = None
    runtime: str | None = None
    comment: str | None = None
    present: bool = True


@dataclass(frozen=True)
class FunctionObserved:
    """A function as found: what is being developed, and what viewers get (None where nothing was published)."""

    name: str
    arn: str
    etag: str
    code: bytes
    config: Mapping[str, Any]
    live_code: bytes | None = None
    live_config: Mapping[str, Any] | None = None
    status: str = ""


@dataclass(frozen=True)
class AccessControlWanted:
    """An origin access control as declared; None leaves alone."""

    name: str
    description: str | None = None
    origin_type: str | None = None
    signing_behavior: str | None = None
    signing_protocol: str | None = None
    present: bool = True


@dataclass(frozen=True)
class AccessControlObserved:
    """An origin access control as found."""

    id: str
    etag: str
    name: str
    description: str
    origin_type: str
    signing_behavior: str
    signing_protocol: str


@dataclass(frozen=True)
class InvalidationWanted:
    """An invalidation as asked for."""

    distribution_id: str
    paths: tuple[str, ...]
    caller_reference: str


@dataclass(frozen=True)
class InvalidationObserved:
    """An invalidation as found."""

    id: str
    status: str
    caller_reference: str
    paths: tuple[str, ...]

    @property
    def completed(self) -> bool:
        """Whether it is done. Servers differ in how they write it."""
        return self.status.lower() == "completed"


def distribution_reference(name: str) -> str:
    """The caller reference of the distribution of this name: the same in each attempt to make it."""
    return f"antenna.aws/{name}"


def invalidation_reference(content: str, paths: tuple[str, ...]) -> str:
    """The caller reference of an invalidation of these paths for this content.

    The paths are part of it, because AWS refuses a reference that comes back with other paths.
    """
    text = "\n".join((content, *sorted(paths)))
    return f"antenna.aws-{hashlib.sha256(text.encode('utf-8')).hexdigest()[:40]}"
