# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the collection knows nothing of the rehearsal cloud, and what decides touches nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
PURE = sorted(
    file
    for name in (
        "model",
        "planner",
        "plan",
        "observation",
        "operation",
        "tasks",
        "verdict",
        "remedies",
        "evidence",
        "options",
        "bundle",
        "config",
    )
    for file in UTILS.glob(f"_*/{name}.py")
)
IMPURE = ("boto3", "botocore", "requests", "urllib.request", "socket", "subprocess", "time", "datetime.now")


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def python_files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def test_there_is_something_to_hold() -> None:
    assert len(PURE) >= 6, PURE


@pytest.mark.parametrize("file", PURE, ids=lambda file: str(file.relative_to(UTILS)))
def test_what_decides_imports_nothing_impure(file: Path) -> None:
    forbidden = [
        name
        for name in imports(file)
        if name.startswith(IMPURE) or "ansible.module_utils.basic" in name or name.endswith(".modules")
    ]
    assert forbidden == []


@pytest.mark.parametrize("file", python_files("plugins", "roles"), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_collection_does_not_know_the_rehearsal_cloud(file: Path) -> None:
    assert not [name for name in imports(file) if name.startswith("localcloud")]


@pytest.mark.parametrize("file", python_files("localcloud"), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_rehearsal_cloud_does_not_know_the_collection(file: Path) -> None:
    assert not [name for name in imports(file) if "antenna" in name or name.startswith("plugins")]


@pytest.mark.parametrize("file", python_files("localcloud"), ids=lambda file: str(file.relative_to(ROOT)))
def test_one_file_talks_to_docker(file: Path) -> None:
    if file.name != "engine.py":
        assert not [name for name in imports(file) if name.split(".")[0] == "docker"]


@pytest.mark.parametrize("folder", ["roles", "playbooks", "plugins"])
def test_no_mention_of_a_rehearsal(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*") if file.suffix in {".yml", ".py", ".j2", ".sh"}]
    assert files
    assert [str(file.relative_to(ROOT)) for file in files if "localcloud" in file.read_text()] == []
