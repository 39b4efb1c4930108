# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege: what linters find in the roles' own policies is nothing, or is explained one by one."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

NAMES = ("instance", "service", "execution", "read-secrets", "pass-execution-role", "storage")

CLUSTER = "runs for one cluster alone by the condition ecs:cluster"
TAG = "makes only what bears the environment's tag, by the condition aws:RequestTag"
WITHOUT_RESOURCES = {
    "ecr:GetAuthorizationToken": "signs in to the registry as a whole",
    "ecs:DiscoverPollEndpoint": "asks for the agent's address, which is the region's",
    "ecs:Poll": CLUSTER,
    "ecs:StartTask": CLUSTER,
    "ecs:StartTelemetrySession": CLUSTER,
    "ecs:StopTask": CLUSTER,
    "ecs:SubmitContainerStateChange": "tells of a container of the agent's own instance",
    "ecs:SubmitTaskStateChange": "tells of a task of the agent's own instance",
    "ec2:AllocateAddress": TAG,
    "ec2:CreateLaunchTemplate": TAG,
    "ec2:CreateSecurityGroup": TAG,
    "ec2:RunInstances": TAG,
}
"""Actions on all resources that do more than look, and what limits them nevertheless."""

README = Path(__file__).resolve().parents[2] / "roles/identity/README.md"


def explained(name: str, linter: str) -> set[str]:
    """The findings of the linter on the policy that the role's README explains, as ``kind: action``."""
    row = re.compile(rf"\| {name} \| {linter} \| ([\w ]+): `([\w:]+)` \| .{{6,}} \|")
    return {f"{found[1]}: {found[2]}" for line in README.read_text().splitlines() if (found := row.fullmatch(line))}


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(item) for item in document["Statement"]]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_names_actions_and_fits_into_a_role(documents: dict[str, dict[str, Any]], name: str) -> None:
    actions = [action for item in statements(documents[name]) for action in listed(item["Action"])]
    assert [action for action in actions if "*" in action] == []
    # Inline policies of a role may have 10 240 characters together, blanks not counted.
    assert len(json.dumps(documents[name], separators=(",", ":"))) < 9_000


@pytest.mark.parametrize("name", NAMES)
def test_all_resources_are_for_looking_or_explained(documents: dict[str, dict[str, Any]], name: str) -> None:
    open_to_all = {
        action
        for item in statements(documents[name])
        if "*" in listed(item["Resource"])
        for action in listed(item["Action"])
    }
    looking = {action for action in open_to_all if action.split(":")[1].startswith(("Describe", "List", "Get"))}
    assert sorted(open_to_all - looking - set(WITHOUT_RESOURCES)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_parliament_finds_above_its_lowest_level_is_explained(
    documents: dict[str, dict[str, Any]], linters: Path, name: str
) -> None:
    command = [str(linters / "parliament"), "--json"]
    policy = json.dumps(documents[name])
    done = subprocess.run(command, input=policy, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    found = {
        f"{finding['title'].removesuffix(' for the given action')}: {item['action']}"
        for finding in map(json.loads, done.stdout.splitlines())
        if finding["severity"] != "LOW"
        for item in finding["detail"]
    }
    assert found == explained(name, "parliament")


@pytest.mark.parametrize("name", NAMES)
def test_what_cloudsplaining_finds_is_explained(
    documents: dict[str, dict[str, Any]], linters: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(documents[name]))
    command = [str(linters / "python"), "-c", CLOUDSPLAINING, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {f"{kind}: {item}" for kind, items in json.loads(done.stdout).items() for item in items}
    assert found == explained(name, "cloudsplaining")


CLOUDSPLAINING = """\
import json, sys
from cloudsplaining.scan.policy_document import PolicyDocument

document = PolicyDocument(json.load(open(sys.argv[1])))
print(json.dumps({
    "PrivilegeEscalation": document.allows_privilege_escalation,
    "ResourceExposure": document.permissions_management_without_constraints,
    "DataExfiltration": document.allows_data_exfiltration_actions,
    "ServiceWildcard": document.service_wildcard,
    "CredentialsExposure": document.credentials_exposure,
    "InfrastructureModification": document.infrastructure_modification,
}))
"""
