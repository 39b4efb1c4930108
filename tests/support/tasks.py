# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task of a role makes of values, as Ansible templates it, without running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLES = Path(__file__).resolve().parents[2] / "roles"
LOADER = DataLoader()
OMITTED = "<omitted>"


class RoleTask:
    """The task of this name in a file of a role, with the role's defaults and variables and those that are given."""

    def __init__(self, file: str, name: str, given: Mapping[str, Any]) -> None:
        (self.task,) = [task for task in _tasks(_load(file)) if task.get("name") == name]
        role = Path(file).parts[0]
        variables = {**_load(f"{role}/defaults/main.yml"), **_load(f"{role}/vars/main.yml"), "omit": OMITTED}
        self._templar = Templar(loader=LOADER, variables={**variables, **self.task.get("vars", {}), **given})

    def argument(self, name: str) -> Any:
        """The value of an argument of its module."""
        (arguments,) = [value for key, value in self.task.items() if "." in key]
        return self._templar.template(arguments[name])

    def holds(self, keyword: str) -> bool:
        """Whether all conditions of ``when``, ``until`` or ``failed_when`` hold."""
        conditions = self.task[keyword]
        listed = conditions if isinstance(conditions, list) else [conditions]
        return all(self._templar.evaluate_conditional(condition) for condition in listed)


def _load(file: str) -> Any:
    path = ROLES / file
    return LOADER.load_from_file(str(path), trusted_as_template=True) if path.exists() else {}


def _tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        yield from _tasks(task.get("block", []))
