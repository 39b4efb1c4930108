# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linters, and what the README of a role explains of what they find."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

ROLES = Path(__file__).resolve().parents[2] / "roles"


def explained(role: str, name: str, linter: str) -> set[str]:
    """The findings of the linter on the policy that the role's README explains, as ``kind: action``."""
    row = re.compile(rf"\| {name} \| {linter} \| ([\w ]+): `([\w:, ]+)` \| .{{6,}} \|")
    lines = (ROLES / role / "README.md").read_text().splitlines()
    return {f"{found[1]}: {found[2]}" for line in lines if (found := row.fullmatch(line))}


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(item) for item in document["Statement"]]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def size(document: dict[str, Any]) -> int:
    """Characters as IAM counts them, without blanks."""
    return len(re.sub(r"\s", "", json.dumps(document, separators=(",", ":"))))


def actions(document: dict[str, Any]) -> list[str]:
    return [action for item in statements(document) for action in listed(item["Action"])]


def resources(document: dict[str, Any]) -> set[str]:
    """What the statements are about: their resources, and those that their conditions name."""
    items = statements(document)
    conditions = [item.get("Condition", {}).get("ArnLike", {}) for item in items]
    given = [item["Resource"] for item in items] + [value for condition in conditions for value in condition.values()]
    return {arn for value in given for arn in listed(value)}


def open_to_all(document: dict[str, Any]) -> set[str]:
    """The actions on all resources that do more than look."""
    found = {
        action for item in statements(document) if "*" in listed(item["Resource"]) for action in listed(item["Action"])
    }
    return {action for action in found if not action.split(":")[1].startswith(("Describe", "List", "Get"))}


def parliament(linters: Path, document: dict[str, Any]) -> set[str]:
    """What parliament finds above its lowest level."""
    command = [str(linters / "parliament"), "--json"]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return {
        f"{finding['title'].removesuffix(' for the given action')}: {action}"
        for finding in map(json.loads, done.stdout.splitlines())
        if finding["severity"] != "LOW"
        for action in _about(finding["detail"])
    }


def _about(detail: Any) -> list[str]:
    """The actions that a finding is about: a list of them, or a sentence."""
    return _DUE_TO.findall(detail) if isinstance(detail, str) else [str(item["action"]) for item in detail]


_DUE_TO = re.compile(r"due to (\S+) not being allowed")


def cloudsplaining(linters: Path, document: dict[str, Any], folder: Path) -> set[str]:
    """What cloudsplaining finds."""
    file = folder / "policy.json"
    file.write_text(json.dumps(document))
    command = [str(linters / "python"), "-c", _CLOUDSPLAINING, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {f"{kind}: {item}" for kind, items in json.loads(done.stdout).items() for item in items}


_CLOUDSPLAINING = """\
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
