# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags may move, and which images a lifecycle policy expires."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.ecr.lifecycle import expired
from localcloud.ecr.mutability import overwriting_refused
from localcloud.ecr.registry import Image

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DEV = [{"filterType": "WILDCARD", "filter": "dev*"}]


@pytest.mark.parametrize(
    ("tag", "mutability", "exclusions", "refused"),
    [
        ("v1", "MUTABLE", [], None),
        ("v2", "IMMUTABLE", [], None),
        ("v1", "IMMUTABLE", [], "repository"),
        ("v1", "IMMUTABLE_WITH_EXCLUSION", DEV, "tag"),
        ("dev-1", "IMMUTABLE_WITH_EXCLUSION", DEV, None),
        ("v1", "MUTABLE_WITH_EXCLUSION", DEV, None),
        ("dev-1", "MUTABLE_WITH_EXCLUSION", DEV, "tag"),
    ],
)
def test_tags_that_must_stay(tag: str, mutability: str, exclusions: list[dict[str, str]], refused: str | None) -> None:
    said = overwriting_refused("web", tag, ["v1", "dev-1"], mutability, exclusions)
    assert said == (
        f"The image tag '{tag}' already exists in the 'web' repository and cannot be overwritten because the {refused} "
        "is immutable."
        if refused
        else None
    )


def _image(name: str, days: float, *tags: str, parts: tuple[str, ...] = ()) -> Image:
    manifest = json.dumps({"manifests": [{"digest": part} for part in parts]})
    return Image(name, tags, "type", None, 1, NOW - timedelta(days=days), manifest)


IMAGES = [
    _image("a", 40, "prod-1"),
    _image("b", 30, "prod-2"),
    _image("c", 20, "dev-1", "dev-extra"),
    _image("d", 10),
    _image("e", 1),
    _image("f", 0, "dev-2"),
]


def _rule(priority: int, **selection: Any) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def _older(days: int) -> dict[str, Any]:
    return {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}


def _more(number: int) -> dict[str, Any]:
    return {"countType": "imageCountMoreThan", "countNumber": number}


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ([_rule(1, tagStatus="untagged", **_older(7))], {"d": 1}),
        ([_rule(1, tagStatus="untagged", **_older(10))], {"d": 1}),
        ([_rule(1, tagStatus="any", **_more(4))], {"a": 1, "b": 1}),
        ([_rule(1, tagStatus="tagged", tagPrefixList=["prod"], **_more(1))], {"a": 1}),
        ([_rule(1, tagStatus="tagged", tagPatternList=["*-1"], **_older(15))], {"a": 1, "c": 1}),
        # Every prefix must be that of some tag.
        ([_rule(1, tagStatus="tagged", tagPrefixList=["dev-1", "dev-e"], **_older(1))], {"c": 1}),
        ([_rule(1, tagStatus="tagged", tagPrefixList=["dev", "prod"], **_older(1))], {}),
        # What an earlier rule selects is out of reach of later ones, which count it all the same.
        (
            [_rule(2, tagStatus="any", **_more(2)), _rule(1, tagStatus="tagged", tagPrefixList=["prod"], **_older(35))],
            {"a": 1, "c": 2, "d": 2},
        ),
    ],
)
def test_expired(rules: list[dict[str, Any]], gone: dict[str, int]) -> None:
    found = expired(json.dumps({"rules": rules}), IMAGES, NOW)
    assert {item.image.digest: item.priority for item in found} == gone


def test_parts_of_an_index_stay_as_long_as_it() -> None:
    policy = json.dumps({"rules": [_rule(1, tagStatus="untagged", **_older(1))]})
    parts = [_image("part", 9), _image("lonely", 9)]
    index = _image("index", 9, "v1", parts=("part",))
    assert [item.image.digest for item in expired(policy, [*parts, index], NOW)] == ["lonely"]
