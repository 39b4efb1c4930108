# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of docs/refusals.md: the values lead to the message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.antenna.aws.plugins.action.role_variables import ActionModule

ROOT = Path(__file__).resolve().parents[2]
ROLES = yaml.safe_load((ROOT / "roles/preflight/defaults/main.yml").read_text())["preflight_roles"]
LOADER = DataLoader()
SOUND: Mapping[str, Any] = {
    "antenna_name": "antenna",
    "antenna_account_id": "123456789012",
    "antenna_region": "us-west-2",
    "antenna_connection": {"region": "us-west-2"},
    "antenna_connection_remedy": "Check the credentials.",
    "antenna_application_name": "antenna",
    "antenna_environment_name": "antenna",
    "antenna_cname_prefix": "antenna-test",
    "antenna_environment_domain": "antenna-test.us-west-2.elasticbeanstalk.com",
    "antenna_domain_names": [],
    "antenna_environment_type": "SingleInstance",
    "antenna_instance_types": ["t3.large"],
    "antenna_secret_name": "antenna/environment",
    "antenna_storage_bucket": "antenna-storage-123456789012",
    "antenna_tags": {"Application": "antenna", "Environment": "antenna", "ManagedBy": "antenna.aws"},
    "antenna_source": "/source",
    "antenna_work_dir": "/work",
}


def rows() -> list[tuple[str, str]]:
    lines = (ROOT / "docs/refusals.md").read_text().splitlines()
    cells = [re.fullmatch(r"\| `(\{.*\})` \| (.*) \|", line) for line in lines]
    return [(cell[1], cell[2]) for cell in cells if cell]


def problems(variables: Mapping[str, Any]) -> list[str]:
    """What preflight says of these variables."""
    arguments = {"roles_path": str(ROOT / "roles"), "roles": ROLES, "prefixes": ["antenna_"]}
    action = ActionModule(Task(), None, None, LOADER, Templar(loader=LOADER, variables=dict(variables)), None)
    found: list[str] = action.problems(variables, arguments)
    return found


def test_a_sound_inventory_is_accepted() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(("values", "message"), rows(), ids=[row[1][:60] for row in rows()])
def test_the_message_is_the_one_that_is_documented(values: str, message: str) -> None:
    said = problems({**SOUND, **yaml.safe_load(values)})
    assert any(one.startswith(message) for one in said), said


def test_each_relation_has_a_row() -> None:
    documented = " ".join(message for _values, message in rows())
    for file in (ROOT / "roles").glob("*/meta/relations.yml"):
        for relation in yaml.safe_load(file.read_text()):
            assert relation["message"].split()[0] in documented, relation["message"]
