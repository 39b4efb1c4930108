# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege: what linters find in the roles' own policies is nothing, or is explained one by one."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.policies import lint
from tests.policies.conftest import HERE, LONGEST, rendered

NAMES = ("instance", "service", "execution", "read-secrets", "pass-execution-role", "storage")

LIMIT = 10_240
"""Characters of all inline policies of a role, blanks not counted."""
AGENT = "opens what sessions with the agent's own instance go through, and IAM knows no resource for it"
CLUSTER = "runs for one cluster alone by the condition ecs:cluster"
WITHOUT_RESOURCES = {
    "ec2:CreateTags": "tags what is being made alone, by the condition ec2:CreateAction",
    "ec2:RunInstances": "of the region's launch templates alone, by the condition ec2:LaunchTemplate",
    "ecr:GetAuthorizationToken": "signs in to the registry as a whole",
    "ecs:DeregisterTaskDefinition": "IAM knows no resource for it, and no condition",
    "ecs:DiscoverPollEndpoint": "asks for the agent's address, which is the region's",
    "ecs:Poll": CLUSTER,
    "ecs:StartTask": CLUSTER,
    "ecs:StartTelemetrySession": CLUSTER,
    "ecs:StopTask": CLUSTER,
    "ecs:SubmitContainerStateChange": "tells of a container of the agent's own instance",
    "ecs:SubmitTaskStateChange": "tells of a task of the agent's own instance",
    "ssm:UpdateInstanceInformation": "tells of the agent's own instance",
    "ssmmessages:CreateControlChannel": AGENT,
    "ssmmessages:CreateDataChannel": AGENT,
    "ssmmessages:OpenControlChannel": AGENT,
    "ssmmessages:OpenDataChannel": AGENT,
}
"""Actions on all resources that do more than look, and what limits them nevertheless."""


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_names_actions_and_fits_into_a_role(documents: dict[str, dict[str, Any]], name: str) -> None:
    assert [action for action in lint.actions(documents[name]) if "*" in action] == []
    assert lint.size(documents[name]) <= LIMIT


def test_the_policies_of_a_role_fit_together_with_the_longest_names(tmp_path: Path) -> None:
    found = rendered("production", tmp_path, {**HERE, **LONGEST})
    for role in (("instance", "read-secrets", "pass-execution-role"), ("service",), ("execution", "read-secrets")):
        assert sum(lint.size(found[name]) for name in role) <= LIMIT, role


@pytest.mark.parametrize("name", NAMES)
def test_all_resources_are_for_looking_or_explained(documents: dict[str, dict[str, Any]], name: str) -> None:
    assert sorted(lint.open_to_all(documents[name]) - set(WITHOUT_RESOURCES)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_parliament_finds_above_its_lowest_level_is_explained(
    documents: dict[str, dict[str, Any]], linters: Path, name: str
) -> None:
    assert lint.parliament(linters, documents[name]) == lint.explained("identity", name, "parliament")


@pytest.mark.parametrize("name", NAMES)
def test_what_cloudsplaining_finds_is_explained(
    documents: dict[str, dict[str, Any]], linters: Path, tmp_path: Path, name: str
) -> None:
    found = lint.cloudsplaining(linters, documents[name], tmp_path)
    assert found == lint.explained("identity", name, "cloudsplaining")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stagings_alone_is_not_productions(
    documents: dict[str, dict[str, Any]], of_staging: dict[str, dict[str, Any]], name: str
) -> None:
    ours = lint.resources(documents[name])
    theirs = {arn.replace("*", "x").replace("?", "x") for arn in lint.resources(of_staging[name]) - ours}
    assert [(arn, other) for arn in ours - {"*"} for other in theirs if fnmatchcase(other, arn)] == []
