# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role has its parts, and its argument specification says the very defaults that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PARTS = ("defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml", "README.md")


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def options(role: Path) -> dict[str, Any]:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    return dict(specs["main"].get("options", {}))


def name(role: Path) -> str:
    return role.name


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_a_role_has_all_its_parts(role: Path) -> None:
    assert [part for part in PARTS if not (role / part).is_file()] == []


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_defaults_are_specified_and_equal(role: Path) -> None:
    defaults = load(role / "defaults/main.yml") or {}
    specified = options(role)
    assert sorted(set(defaults) - set(specified)) == []
    said = {key: option["default"] for key, option in specified.items() if "default" in option}
    assert {key: value for key, value in said.items() if key not in defaults or defaults[key] != value} == {}


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_a_roles_own_variables_carry_its_name(role: Path) -> None:
    defaults = load(role / "defaults/main.yml") or {}
    assert [key for key in defaults if not key.startswith(f"{role.name}_")] == []


def test_each_role_that_deploys_has_a_tag_of_its_name() -> None:
    tasks = [task for play in load(ROOT / "playbooks/site.yml") for task in play["tasks"]]
    imports = {task["name"]: task["ansible.builtin.import_role"]["name"].rpartition(".")[2] for task in tasks}
    tags = {task["name"]: task["tags"] for task in tasks}
    assert [name for name, role in imports.items() if role not in tags[name]] == []


def test_the_tags_that_are_told_of_are_there() -> None:
    tags = {tag for play in load(ROOT / "playbooks/site.yml") for task in play["tasks"] for tag in task["tags"]}
    told = re.findall(r"`--tags ([\w,]+)`", (ROOT / "README.md").read_text())
    assert len(told) > 5 and {tag for item in told for tag in item.split(",")} <= tags


def test_the_collections_are_named_alike() -> None:
    galaxy = load(ROOT / "galaxy.yml")["dependencies"]
    listed = {entry["name"]: entry["version"] for entry in load(ROOT / "requirements.yml")["collections"]}
    assert listed == galaxy
