# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege of the role that deploys: IAM takes its policies, and what linters find in them is explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.policies import lint
from tests.policies.conftest import HERE, LONGEST, of_deployer

NAMES = ("data", "identity", "release", "environment", "stack", "promotion")
LIMIT = 6144
"""Characters of a managed policy, blanks not counted."""
MADE = "what is made has no name yet"
WITHOUT_RESOURCES = {
    "cloudfront:CreateDistribution": MADE,
    "cloudfront:CreateFunction": MADE,
    "cloudfront:CreateOriginAccessControl": MADE,
    "ec2:CreateTags": "tags what is being made alone, by the condition ec2:CreateAction",
    "ec2:RunInstances": "of the region's launch templates alone, by the condition ec2:LaunchTemplate",
    "ecs:DeregisterTaskDefinition": "IAM knows no resource for it, and no condition",
    "elasticbeanstalk:CheckDNSAvailability": "asks whether a name is free in the region",
    "elasticbeanstalk:CreateStorageLocation": "makes the one bucket of the service in the region, whose name is fixed",
}
"""Actions on all resources that do more than look, and why."""


def test_there_are_these_policies_and_who_may_take_the_role(policies: dict[str, dict[str, Any]]) -> None:
    assert sorted(policies) == sorted([*NAMES, "trust"])
    (statement,) = policies["trust"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": ["repo:example/antenna:environment:production"],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_names_actions_and_fits(policies: dict[str, dict[str, Any]], name: str) -> None:
    assert [action for action in lint.actions(policies[name]) if "*" in action] == []
    assert lint.size(policies[name]) <= LIMIT


def test_policies_fit_with_the_longest_names(tmp_path: Path) -> None:
    found = of_deployer(tmp_path, {**HERE, **LONGEST})
    assert {name: size for name in NAMES if (size := lint.size(found[name])) > LIMIT} == {}


@pytest.mark.parametrize("name", NAMES)
def test_all_resources_are_for_looking_or_explained(policies: dict[str, dict[str, Any]], name: str) -> None:
    assert sorted(lint.open_to_all(policies[name]) - set(WITHOUT_RESOURCES)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_parliament_finds_is_explained(policies: dict[str, dict[str, Any]], linters: Path, name: str) -> None:
    assert lint.parliament(linters, policies[name]) == lint.explained("deployer", name, "parliament")


@pytest.mark.parametrize("name", NAMES)
def test_what_cloudsplaining_finds_is_explained(
    policies: dict[str, dict[str, Any]], linters: Path, tmp_path: Path, name: str
) -> None:
    found = lint.cloudsplaining(linters, policies[name], tmp_path)
    assert found == lint.explained("deployer", name, "cloudsplaining")
