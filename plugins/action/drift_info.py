# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a playbook in check mode, as this run was started, and says of each resource whether it would change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from ansible import constants as C
from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.antenna.aws.plugins.module_utils._deployment import drift

_TIMEOUT = 3600
_PROMPTS = ("prompt", "prompt_ask_vault_pass")
"""What stands for a question in a vault's id."""
_WITHOUT = "Without the comparison, `-e drift=false`, the rest of the report is the same."
_PROMPTED = (
    "this run asks for the password of a vault, and the run in check mode cannot ask: give it in a file with "
    f"`--vault-password-file`. {_WITHOUT}"
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """See the documentation of the module of this name."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the drift of each resource, and what else would change."""
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(
            {
                "playbook": {"type": "path", "required": True},
                "skip_tags": {"type": "list", "elements": "str", "default": []},
                "resources": {"type": "list", "elements": "dict", "required": True},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", ""))
        if asks_for_a_password(context.CLIARGS, C.DEFAULT_VAULT_IDENTITY_LIST):
            return report({}, host, arguments["resources"], _PROMPTED)
        document, failure = _checked(command(arguments["playbook"], arguments["skip_tags"], host))
        return report(document, host, arguments["resources"], failure)


def asks_for_a_password(given: t.Mapping[str, t.Any], configured: t.Iterable[str]) -> bool:
    """Return whether this run asks a person for the password of a vault, as the run in check mode cannot.

    ``given`` are the options of the command line, ``configured`` the vaults that Ansible's configuration adds.
    """
    vaults = [*configured, *(given.get("vault_ids") or ())]
    return bool(given.get("ask_vault_pass")) or any(item.split("@", 1)[-1] in _PROMPTS for item in vaults)


def _checked(words: t.Sequence[str]) -> tuple[dict[str, t.Any], str]:
    """Run the command, and return what its JSON callback wrote, or why there is nothing."""
    try:
        done = subprocess.run(
            words,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"the run in check mode did not end within {_TIMEOUT} s. {_WITHOUT}"
    try:
        return _document(done.stdout), ""
    except ValueError:
        told = done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}"
        return {}, f"the run in check mode told nothing: {told.rstrip('.')}. {_WITHOUT}"


def command(playbook: str, skip_tags: t.Sequence[str], host: str) -> list[str]:
    """Return the command that checks the host with this run's inventories, variables and vaults."""
    given = context.CLIARGS
    options = ["--check", "--diff", f"--limit={host}", *(f"--skip-tags={tag}" for tag in skip_tags)]
    options += [f"--inventory={item}" for item in given.get("inventory") or ()]
    options += [f"--extra-vars={item}" for item in given.get("extra_vars") or ()]
    options += [f"--vault-id={item}" for item in given.get("vault_ids") or ()]
    options += [f"--vault-password-file={item}" for item in given.get("vault_password_files") or ()]
    return [sys.executable, "-m", "ansible", "playbook", playbook, *options]


def report(
    document: t.Mapping[str, t.Any], host: str, resources: t.Sequence[t.Mapping[str, t.Any]], failure: str = ""
) -> dict[str, t.Any]:
    """Return the action's result. ``failure`` is why there is no document, empty where there is one."""
    found, failure = drift.checks(document, host), failure or drift.failure(document, host)
    return {
        "changed": False,
        "failure": failure,
        "drift": [_drift(item, found, not failure) for item in resources],
        "elsewhere": list(drift.elsewhere([(item["kind"], item["name"]) for item in resources], found)),
    }


def _drift(item: t.Mapping[str, t.Any], found: t.Sequence[drift.Checked], complete: bool) -> dict[str, t.Any]:
    state, reasons = drift.drift(item["kind"], item["name"], found, complete)
    return {"kind": item["kind"], "name": item["name"], "drift": state, "reasons": list(reasons)}


def _document(output: str) -> dict[str, t.Any]:
    """Return what the JSON callback wrote; other callbacks may write before and after it. Raises ValueError."""
    document: dict[str, t.Any] = json.JSONDecoder().raw_decode(output[output.index("{\n") :])[0]
    return document


def _environment() -> dict[str, str]:
    """The run's own, with output for programs. Warnings go to the error output, deprecations nowhere."""
    settings = {
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    return {**os.environ, **settings}
