# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances a deployment or a replacement takes at a time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from localcloud.elasticbeanstalk import options, rollout
from localcloud.elasticbeanstalk.rollout import Deployment, Replacement, Setting

FOUR = ("i-1", "i-2", "i-3", "i-4")


def setting(values: Mapping[str, str]) -> Setting:
    """Options by name, as the catalogue has them otherwise."""

    def find(namespace: str, name: str) -> str | None:
        option = options.find(options.Key(namespace, name))
        return values.get(name, option.default if option is not None else None)

    return find


@pytest.mark.parametrize(
    ("values", "load_balanced", "expected"),
    [
        ({}, True, Deployment("AllAtOnce", (FOUR,))),
        ({"DeploymentPolicy": "Rolling"}, True, Deployment("Rolling", (FOUR,))),
        (
            {"DeploymentPolicy": "Rolling", "BatchSize": "30"},
            True,
            Deployment("Rolling", (("i-1", "i-2"), ("i-3", "i-4"))),
        ),
        (
            {"DeploymentPolicy": "Rolling", "BatchSizeType": "Fixed", "BatchSize": "3"},
            True,
            Deployment("Rolling", (("i-1", "i-2", "i-3"), ("i-4",))),
        ),
        (
            {"DeploymentPolicy": "RollingWithAdditionalBatch", "BatchSizeType": "Fixed", "BatchSize": "1"},
            True,
            Deployment("RollingWithAdditionalBatch", (("i-1",), ("i-2",), ("i-3",), ("i-4",)), additional=1),
        ),
        ({"DeploymentPolicy": "Immutable"}, True, Deployment("Immutable", (FOUR,))),
        ({"DeploymentPolicy": "Immutable"}, False, Deployment("Immutable", (FOUR,))),
        ({"DeploymentPolicy": "Rolling", "BatchSize": "30"}, False, Deployment("AllAtOnce", (FOUR,))),
    ],
)
def test_how_a_version_comes_to_the_instances(
    values: Mapping[str, str], load_balanced: bool, expected: Deployment
) -> None:
    assert rollout.deployment(setting(values), FOUR, load_balanced) == expected


@pytest.mark.parametrize(
    ("kind", "size", "count", "expected"),
    [
        ("Percentage", 30, 2, 1),
        ("Percentage", 1, 50, 1),
        ("Percentage", 50, 3, 2),
        ("Percentage", 100, 3, 3),
        ("Fixed", 5, 3, 3),
        ("Fixed", 2, 3, 2),
    ],
)
def test_a_batch_has_at_least_one_instance_and_at_most_all(kind: str, size: int, count: int, expected: int) -> None:
    assert rollout.batch_size(kind, size, count) == expected


ROLLING = {"RollingUpdateEnabled": "true", "RollingUpdateType": "Health"}


@pytest.mark.parametrize(
    ("values", "count", "load_balanced", "expected"),
    [
        ({}, 4, True, Replacement("all", 4)),
        ({**ROLLING}, 1, False, Replacement("all", 1)),
        ({**ROLLING, "MinSize": "4", "MaxSize": "4"}, 4, True, Replacement("rolling", 1)),
        (
            {**ROLLING, "MinSize": "4", "MaxSize": "8", "MaxBatchSize": "2", "MinInstancesInService": "1"},
            4,
            True,
            Replacement("rolling", 2),
        ),
        ({**ROLLING, "MinSize": "2", "MaxSize": "4"}, 2, True, Replacement("rolling", 1, launch_first=True)),
        (
            {**ROLLING, "RollingUpdateType": "Time", "PauseTime": "PT1M", "MinInstancesInService": "1"},
            2,
            True,
            Replacement("rolling", 1, pause=60.0),
        ),
        ({**ROLLING, "RollingUpdateType": "Immutable"}, 2, True, Replacement("immutable", 2)),
        ({**ROLLING, "RollingUpdateType": "Immutable"}, 1, False, Replacement("immutable", 1)),
    ],
)
def test_how_instances_are_replaced(
    values: Mapping[str, str], count: int, load_balanced: bool, expected: Replacement
) -> None:
    assert rollout.replacement(setting(values), count, load_balanced) == expected


@pytest.mark.parametrize(
    ("values", "load_balanced", "current", "expected"),
    [
        ({}, True, 0, 1),
        ({"MinSize": "3", "MaxSize": "3"}, True, 2, 3),
        ({"MinSize": "1", "MaxSize": "1"}, True, 2, 1),
        ({"MinSize": "1", "MaxSize": "4"}, True, 2, 2),
        ({"MinSize": "3", "MaxSize": "3"}, False, 1, 1),
    ],
)
def test_how_many_instances_there_should_be(
    values: Mapping[str, str], load_balanced: bool, current: int, expected: int
) -> None:
    assert rollout.desired(setting(values), load_balanced, current) == expected


def test_durations() -> None:
    assert rollout.duration("PT5M30S") == 330
    assert rollout.duration("PT1H") == 3600
    for wrong in ("PT", "5M", "P1D"):
        with pytest.raises(ValueError, match="no duration"):
            rollout.duration(wrong)
