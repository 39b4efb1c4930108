# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of an inventory with another name is another deployment, which shares nothing with the first."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("identity", "secrets", "data_tier", "ecr_images", "eb_environment", "ui_distribution", "observability")
NAMES = """\
- hosts: antenna
  gather_facts: false
  tasks:
    # For the variables of the role alone: its tasks ask AWS.
    - ansible.builtin.import_role:
        name: antenna.aws.network
        tasks_from: vpc
      when: false
%s
    - ansible.builtin.copy:
        content: "{{ names | to_json }}"
        dest: "{{ dest }}"
        mode: "0600"
      vars:
        names:
          resources: "{{ __deployment_resources.values() | flatten }}"
          subnets: "{{ network_private_subnets | map(attribute='cidr') }}"
          groups: "{{ __network_group_names }}"
          route table: ["{{ antenna_name }}-private"]
          alone:
            - "{{ antenna_cname_prefix }}"
            - "{{ antenna_tags.Application }}"
            - "{{ antenna_tags.Environment }}"
            - "{{ antenna_work_dir }}"
            - "{{ observability_topic }}"
"""
ROLE = """\
    - ansible.builtin.import_role:
        name: antenna.aws.%s
        tasks_from: resources
        rolespec_validate: false
"""


class Deployment:
    """The names of all that a deployment makes, as its roles tell them."""

    def __init__(self, folder: Path, inventory: Path) -> None:
        self._names = folder / f"{inventory.name}.json"
        play = folder / f"{inventory.name}.yml"
        play.write_text(NAMES % "".join(ROLE % role for role in ROLES))
        given = {"antenna_account_id": "123456789012", "antenna_region": "us-west-2", "dest": str(self._names)}
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(play), "-i", str(inventory)]
        self._run = subprocess.Popen(
            [*command, "-e", json.dumps(given)], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True
        )

    def names(self) -> dict[str, Any]:
        output, _errors = self._run.communicate(timeout=300)
        assert self._run.returncode == 0, output
        return dict(json.loads(self._names.read_text()))


def unique(found: dict[str, Any]) -> Iterator[str]:
    """Each name that nobody else in the account may have."""
    for resource in found["resources"]:
        yield from (f"{resource['kind']} {name}" for name in resource["names"])
    for kind in ("subnets", "groups", "route table", "alone"):
        yield from (f"{kind} {name}" for name in found[kind])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The names of inventories/production, and of a copy in which one line differs."""
    folder = tmp_path_factory.mktemp("inventories")
    first, copy = ROOT / "inventories/production", folder / "another"
    shutil.copytree(first, copy)
    file = copy / "group_vars/all/antenna.yml"
    text = file.read_text()
    assert text.count("antenna_name: antenna\n") == 1
    file.write_text(text.replace("antenna_name: antenna\n", "antenna_name: antenna-two\n"))
    runs = [Deployment(folder, inventory) for inventory in (first, copy)]
    one, other = (set(unique(run.names())) for run in runs)
    return one, other


def test_a_copy_with_another_name_shares_no_name(both: tuple[set[str], set[str]]) -> None:
    one, other = both
    assert len(one) == len(other) > 40
    assert one & other == set()


def test_roles_of_a_copy_are_its_own(both: tuple[set[str], set[str]]) -> None:
    roles = [{name for name in names if name.startswith("iam_role ")} for names in both]
    assert [len(names) for names in roles] == [4, 4]
    assert all(name.startswith("iam_role antenna-two-") for name in roles[1])


def test_what_is_known_by_its_beginning_is_not_that_of_a_longer_name(both: tuple[set[str], set[str]]) -> None:
    beginnings = [name for name in both[0] if name.startswith(("log_groups ", "db_snapshots "))]
    assert len(beginnings) == 2
    assert [name for name in both[1] if name.startswith(tuple(beginnings))] == []
