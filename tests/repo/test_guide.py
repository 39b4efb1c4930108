# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of docs/guide.md names a variable with the default that it has, a role, and a test that there is."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NONE = "—"
SHARED = ROOT / "inventories/local/group_vars/all/antenna.yml"


@dataclass(frozen=True)
class Row:
    """A statement of the guide. ``variable`` is ``name`` or ``name = default``, with the path into a dictionary."""

    statement: str
    how: str
    variable: str
    role: str
    proof: str


def rows() -> list[Row]:
    lines = (ROOT / "docs/guide.md").read_text().splitlines()
    cells = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in lines if line.startswith("| ")]
    return [Row(*cell) for cell in cells if cell[0] not in ("the guide", "---")]


@cache
def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def defaults() -> dict[str, Any]:
    """Every variable that a row may name: those of the roles, and what the inventory local says of the shared."""
    merged: dict[str, Any] = dict(load(SHARED))
    for file in (ROOT / "roles").glob("*/defaults/main.yml"):
        merged |= load(file) or {}
    return merged


def value_of(path: str) -> Any:
    name, *keys = (quoted or plain for quoted, plain in re.findall(r'\["([^"]+)"\]|(\w+)', path))
    value = defaults()[name]
    for key in keys:
        value = value[key]
    return value


def names(row: Row) -> str:
    return row.statement[:60]


def test_the_whole_guide_is_there() -> None:
    sections = re.findall(r"^## ([\d.]+)", (ROOT / "docs/guide.md").read_text(), re.MULTILINE)
    assert [section.split(".")[0] for section in sections] == sorted(section.split(".")[0] for section in sections)
    assert {section.split(".")[0] for section in sections} == set("12345678")
    assert len(rows()) >= 120


def test_the_rows_are_counted_by_state() -> None:
    counted = Counter(row.how.partition(":")[0] for row in rows())
    states = ", ".join(f"{counted[state]} *{state}*" for state in ("as the guide", "instead", "option"))
    assert f"Of {len(rows())} rows: {states}." in (ROOT / "docs/guide.md").read_text()


@pytest.mark.parametrize("row", rows(), ids=names)
def test_the_role_exists(row: Row) -> None:
    assert (ROOT / "roles" / row.role.strip("`") / "tasks/main.yml").is_file()


@pytest.mark.parametrize("row", [row for row in rows() if row.variable != NONE], ids=names)
def test_the_variable_has_the_default(row: Row) -> None:
    path, equals, default = row.variable.partition("` = `")
    value = value_of(path.strip("`"))
    if equals:
        assert yaml.safe_load(default.strip("`")) == value


@pytest.mark.parametrize("row", rows(), ids=names)
def test_the_proof_exists(row: Row) -> None:
    kind, _, name = row.proof.strip("`").partition(": ")
    if kind == "validate":
        assert name in [check["name"] for check in load(ROOT / "roles/validate/vars/main.yml")["__validate_checks"]]
    elif kind == "molecule":
        assert (ROOT / "extensions/molecule" / name / "molecule.yml").is_file()
    else:
        file, _, test = row.proof.strip("`").partition("::")
        functions = [
            item.name for item in ast.parse((ROOT / file).read_text()).body if isinstance(item, ast.FunctionDef)
        ]
        assert test in functions


@pytest.mark.parametrize("row", rows(), ids=names)
def test_what_is_done_instead_has_a_reason(row: Row) -> None:
    assert re.fullmatch(r"as the guide|option|instead: .{10,}", row.how)
