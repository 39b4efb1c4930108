# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the variables of all roles together: a mistake in the last role's ends a run before the first change."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible_collections.antenna.aws.plugins.module_utils._core.variables import (
    Option,
    meant,
    missing,
    options_of,
    unknown,
)

_DOUBT = "what is wrong with it is said already"
# Not undefined, which the filter ``default`` would take for a value of its own.
_DOUBTFUL = trust_as_template(f"{{{{ undef() | ansible.builtin.mandatory('{_DOUBT}') }}}}")
"""The value of a variable of which nothing can be made, nor of what is made of it."""


class ActionModule(ActionBase):  # type: ignore[misc]
    """See the documentation of the module of this name."""

    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what is wrong with the variables, as one message."""
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(
            {
                "roles_path": {"type": "path", "required": True},
                "roles": {"type": "list", "elements": "str", "required": True},
                "prefixes": {"type": "list", "elements": "str", "default": []},
            }
        )
        problems = self.problems(task_vars or {}, arguments)
        failure = {"failed": True, "msg": "\n".join(problems)} if problems else {}
        return {"changed": False, "problems": problems, **failure}

    def problems(self, variables: t.Mapping[str, t.Any], arguments: t.Mapping[str, t.Any]) -> list[str]:
        """Return what is wrong with the variables, one sentence for each problem."""
        files = [Path(arguments["roles_path"]) / role / "meta" for role in arguments["roles"]]
        options = options_of(self._read(file / "argument_specs.yml") for file in files)
        prefixes = [*arguments["prefixes"], *(f"{role}_" for role in arguments["roles"])]
        lacking = missing(variables, options)
        strangers = unknown(variables, options, prefixes)
        malformed = dict(self._malformed(variables, options))
        doubtful = {*lacking, *malformed, *meant(strangers, variables)}
        return [
            *lacking.values(),
            *(stranger.message for stranger in strangers),
            *(error for errors in malformed.values() for error in errors),
            *self._incompatible(files, self._believed(variables, options, doubtful)),
        ]

    def _malformed(
        self, variables: t.Mapping[str, t.Any], options: t.Mapping[str, Option]
    ) -> t.Iterator[tuple[str, list[str]]]:
        """Yield each variable whose value is not what its role wants, with what is wrong with it."""
        for name in sorted(set(variables) & set(options)):
            try:
                value = self._templar.template(variables[name])
            except AnsibleError as error:
                # What it is made of may itself be lacking, which is said already.
                if "is undefined" not in str(error):
                    yield name, [f"{name} cannot be evaluated: {error}"]
                continue
            option = {**options[name], "required": False}
            errors = ArgumentSpecValidator({name: option}).validate({name: value}).error_messages
            if option.get("type") in ("list", "dict") and isinstance(value, str):
                # Modules would take it apart; the roles would take each character for an item.
                given = f"{name} is {value}, a text instead of a {option['type']}"
                remedy = f"write it as YAML in the inventory, as JSON on the command line, -e '{{\"{name}\": …}}'"
                errors = [f"{given}: {remedy}."]
            if errors and option.get("no_log"):
                yield name, [f"{name} is not of the type {option.get('type', 'str')}."]
            elif errors:
                yield name, errors

    def _believed(
        self, variables: t.Mapping[str, t.Any], options: t.Mapping[str, Option], doubtful: t.Iterable[str]
    ) -> t.Any:
        """Return what templates with the variables, defaults of the roles included, and fails at a doubtful one."""
        defaults = {name: option["default"] for name, option in options.items() if "default" in option}
        refused = dict.fromkeys(doubtful, _DOUBTFUL)
        return self._templar.copy_with_new_env(available_variables={**defaults, **variables, **refused})

    def _incompatible(self, files: t.Iterable[Path], templar: t.Any) -> t.Iterator[str]:
        """Yield the message of each relation between values that does not hold."""
        for file in files:
            for relation in self._read(file / "relations.yml", []):
                known = {**templar.available_variables, **relation.get("vars", {})}
                own = templar.copy_with_new_env(available_variables=known)
                try:
                    if not own.template(relation["holds"]):
                        yield " ".join(str(own.template(relation["message"])).split())
                except AnsibleError as error:
                    if _DOUBT not in str(error):
                        yield f"{relation['holds']} cannot be judged: {error}"

    def _read(self, file: Path, absent: t.Any = None) -> t.Any:
        """Return what the YAML file holds, or what is told where it may be absent and is."""
        if absent is not None and not file.exists():
            return absent
        try:
            return self._loader.load_from_file(str(file), trusted_as_template=True)
        except AnsibleError as error:
            raise AnsibleError(f"Could not read {file}: {error}") from error
