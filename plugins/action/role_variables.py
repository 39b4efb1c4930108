# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the variables of all roles together: a mistake in the last role's ends a run before the first change."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
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
        variables = task_vars or {}
        options = options_of(_specs(Path(arguments["roles_path"]), arguments["roles"]))
        prefixes = [*arguments["prefixes"], *(f"{role}_" for role in arguments["roles"])]
        problems = [
            *missing(variables, options),
            *(stranger.message for stranger in unknown(variables, options, prefixes)),
            *self._malformed(variables, options),
        ]
        if problems:
            return {"failed": True, "changed": False, "problems": problems, "msg": "\n".join(problems)}
        return {"changed": False, "problems": []}

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
            if errors and option.get("no_log"):
                yield f"{name} is not of the type {option.get('type', 'str')}."
            else:
                yield from errors


def _specs(roles_path: Path, roles: t.Iterable[str]) -> t.Iterator[t.Mapping[str, t.Any]]:
    for role in roles:
        file = roles_path / role / "meta" / "argument_specs.yml"
        try:
            yield yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise AnsibleError(f"Could not read the argument specs of the role {role}: {error}") from error
