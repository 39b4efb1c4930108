# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a role, and what expressions and tasks make of them as Ansible templates them, without a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[2] / "roles"
OMITTED = "<omitted>"


class Reader(DataLoader):  # type: ignore[misc]
    """Reads each file once; nobody changes what it gives, so that it needs no copy."""

    load_from_file = cache(DataLoader.load_from_file)


LOADER = Reader()


def variables_of(role: str) -> dict[str, Any]:
    """The defaults and the variables of a role, as templates."""
    files = [ROLES / role / kind / "main.yml" for kind in ("defaults", "vars")]
    found: dict[str, Any] = {}
    for file in files:
        found |= (LOADER.load_from_file(str(file), trusted_as_template=True) or {}) if file.exists() else {}
    return found


def evaluated(template: str, variables: Mapping[str, Any]) -> Any:
    """What the template makes of the variables."""
    return Templar(loader=LOADER, variables=dict(variables)).template(trust_as_template(template))


class RoleTask:
    """The task of this name in a file of a role, with the role's defaults and variables and those that are given."""

    def __init__(self, file: str, name: str, given: Mapping[str, Any]) -> None:
        tasks = LOADER.load_from_file(str(ROLES / file), trusted_as_template=True)
        (self.task,) = [task for task in each_task(tasks) if task.get("name") == name]
        variables = {**variables_of(Path(file).parts[0]), "omit": OMITTED}
        self._templar = Templar(loader=LOADER, variables={**variables, **self.task.get("vars", {}), **given})

    def argument(self, name: str) -> Any:
        """The value of an argument of its module."""
        (arguments,) = [value for key, value in self.task.items() if "." in key]
        return self._templar.template(arguments[name])

    def variable(self, name: str) -> Any:
        """The value of a variable, such as one that the task has for itself."""
        return self._templar.template(trust_as_template("{{ " + name + " }}"))

    def condition(self, name: str) -> bool:
        """Whether the condition holds that is an argument of its module, such as ``that``."""
        (arguments,) = [value for key, value in self.task.items() if "." in key]
        return bool(self._templar.evaluate_conditional(arguments[name]))

    def keyword(self, name: str) -> Any:
        """The value of a keyword of the task, such as ``loop``."""
        return self._templar.template(self.task[name])

    def holds(self, keyword: str) -> bool:
        """Whether all conditions of ``when``, ``until`` or ``failed_when`` hold."""
        conditions = self.task[keyword]
        listed = conditions if isinstance(conditions, list) else [conditions]
        return all(self._templar.evaluate_conditional(condition) for condition in listed)


def each_task(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks, and those in their blocks."""
    for task in tasks:
        yield task
        yield from each_task(task.get("block", []) + task.get("rescue", []))
