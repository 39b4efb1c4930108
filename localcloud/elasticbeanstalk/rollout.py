# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances a deployment or a replacement takes at a time. Nothing here does anything: it plans.

The rules are those of the developer guide: "Deployment policies and settings", "Rolling environment configuration
updates", "Immutable environment updates". How the service rounds percentages it does not say; here they are rounded up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from localcloud.elasticbeanstalk import options

Policy = Literal["AllAtOnce", "Rolling", "RollingWithAdditionalBatch", "Immutable"]
Setting = Callable[[str, str], str | None]
"""An option's effective value by namespace and name."""

ROLLING_UPDATE = "aws:autoscaling:updatepolicy:rollingupdate"
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True)
class Deployment:
    """How a version comes to running instances: batch after batch, the first after `additional` new instances."""

    policy: Policy
    batches: tuple[tuple[str, ...], ...]
    additional: int = 0


@dataclass(frozen=True)
class Replacement:
    """How instances are replaced for new settings.

    `size` at a time; the new ones first when `launch_first`, because as many have to stay in service. After each batch
    the next waits for health or, when `pause` is not None, so many seconds.
    """

    kind: Literal["all", "rolling", "immutable"]
    size: int
    launch_first: bool = False
    pause: float | None = None


def deployment(setting: Setting, instances: Sequence[str], load_balanced: bool) -> Deployment:
    """The plan for a new version. Without a load balancer the rolling policies do not exist: all at once, then."""
    policy = setting(options.COMMAND, "DeploymentPolicy")
    if policy == "Immutable":
        return Deployment("Immutable", (tuple(instances),))
    if not load_balanced or policy not in ("Rolling", "RollingWithAdditionalBatch"):
        return Deployment("AllAtOnce", (tuple(instances),))
    size = batch_size(
        setting(options.COMMAND, "BatchSizeType") or "Percentage",
        int(setting(options.COMMAND, "BatchSize") or 100),
        len(instances),
    )
    if policy == "Rolling":
        return Deployment("Rolling", batches(instances, size))
    return Deployment("RollingWithAdditionalBatch", batches(instances, size), additional=size)


def batch_size(kind: str, size: int, count: int) -> int:
    """Instances in a batch: at least one, at most all. `size` is their number or, of a Percentage, their share."""
    wanted = size if kind == "Fixed" else math.ceil(count * size / 100)
    return max(1, min(wanted, count))


def batches(instances: Sequence[str], size: int) -> tuple[tuple[str, ...], ...]:
    """The instances in their order, `size` at a time."""
    return tuple(tuple(instances[start : start + size]) for start in range(0, len(instances), size))


def replacement(setting: Setting, count: int, load_balanced: bool) -> Replacement:
    """The plan for settings that need other instances, `count` of which are there."""
    kind = setting(ROLLING_UPDATE, "RollingUpdateType")
    enabled = setting(ROLLING_UPDATE, "RollingUpdateEnabled") == "true"
    if enabled and kind == "Immutable":
        return Replacement("immutable", count)
    if not enabled or not load_balanced or count == 0:
        return Replacement("all", count)
    smallest, largest = capacity(setting, load_balanced)
    most = int(setting(ROLLING_UPDATE, "MaxBatchSize") or math.ceil(smallest / 3))
    stay = int(setting(ROLLING_UPDATE, "MinInstancesInService") or min(smallest, largest - 1))
    free = count - stay
    pause = duration(setting(ROLLING_UPDATE, "PauseTime") or "PT0S") if kind == "Time" else None
    # Nobody can be spared: new ones are launched first, beyond the group's size for the while.
    return Replacement("rolling", max(1, min(most, free if free > 0 else count)), free <= 0, pause)


def capacity(setting: Setting, load_balanced: bool) -> tuple[int, int]:
    """The scaling group's smallest and largest size; a single instance is one, whatever its options say."""
    if not load_balanced:
        return 1, 1
    smallest = int(setting(options.ASG, "MinSize") or 1)
    return smallest, max(smallest, int(setting(options.ASG, "MaxSize") or 4))


def desired(setting: Setting, load_balanced: bool, current: int) -> int:
    """How many instances there should be: as many as there are, within the group's sizes."""
    smallest, largest = capacity(setting, load_balanced)
    return max(smallest, min(current, largest))


def duration(text: str) -> float:
    """Seconds of an ISO 8601 duration such as PT5M30S.

    :raises ValueError: When it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text == "PT":
        raise ValueError(f"{text} is no duration such as PT5M30S")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
