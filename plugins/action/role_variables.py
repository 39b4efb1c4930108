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
from ansible_collections.antenna.aws.plugins.module_utils._core.variables import Option, missing, options_of, unknown


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
        problems = [
            *missing(variables, options),
            *(stranger.message for stranger in unknown(variables, options, prefixes)),
            *self._malformed(variables, options),
        ]
        # What does not have its type cannot be compared with anything.
        return problems or [*self._incompatible(variables, options, files)]

    def _malformed(self, variables: t.Mapping[str, t.Any], options: t.Mapping[str, Option]) -> t.Iterator[str]:
        for name in sorted(set(variables) & set(options)):
            try:
                value = self._templar.template(variables[name])
            except AnsibleError as error:
                # What it is made of may itself be lacking, which is said already.
                if "is undefined" not in str(error):
                    yield f"{name} cannot be evaluated: {error}"
                continue
            option = {**options[name], "required": False}
            errors = ArgumentSpecValidator({name: option}).validate({name: value}).error_messages
            if option.get("type") in ("list", "dict") and isinstance(value, str):
                # Modules would take it apart; the roles would take each character for an item.
                given = f"{name} is {value}, a text instead of a {option['type']}"
                remedy = f"write it as YAML in the inventory, as JSON on the command line, -e '{{\"{name}\": …}}'"
                errors = [f"{given}: {remedy}."]
            if errors and option.get("no_log"):
                yield f"{name} is not of the type {option.get('type', 'str')}."
            else:
                yield from errors

    def _incompatible(
        self, variables: t.Mapping[str, t.Any], options: t.Mapping[str, Option], files: t.Iterable[Path]
    ) -> t.Iterator[str]:
        """Yield the message of each relation between values that does not hold, defaults of the roles included."""
        defaults = {name: option["default"] for name, option in options.items() if "default" in option}
        templar = self._templar.copy_with_new_env(available_variables={**defaults, **variables})
        for file in files:
            for relation in self._read(file / "relations.yml", []):
                if not templar.template(relation["holds"]):
                    yield " ".join(str(templar.template(relation["message"])).split())

    def _read(self, file: Path, absent: t.Any = None) -> t.Any:
        """Return what the YAML file holds, or what is told where it may be absent and is."""
        if absent is not None and not file.exists():
            return absent
        try:
            return self._loader.load_from_file(str(file), trusted_as_template=True)
        except AnsibleError as error:
            raise AnsibleError(f"Could not read {file}: {error}") from error
