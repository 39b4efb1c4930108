# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a run changes, or would change, for those who do not read its log."""

from __future__ import annotations

DOCUMENTATION = r"""
name: changes
type: notification
short_description: Write what a run changes as Markdown
version_added: 0.2.0
description:
  - Writes what a run has changed or, in check mode, would change into a file, as Markdown for a comment on a pull
    request or for the summary of a job. It has each change with its reason and, with C(--diff), the differences.
  - What tasks hide with C(no_log) is hidden here too.
  - Commands that a check does not run, such as builds, are listed as known when they run.
requirements:
  - the callback is enabled, as in C(ANSIBLE_CALLBACKS_ENABLED=antenna.aws.changes)
options:
  path:
    description:
      - The file. Without it nothing is written.
    type: path
    env:
      - name: ANTENNA_CHANGES_PATH
    ini:
      - section: callback_antenna_changes
        key: path
  limit:
    description:
      - How many characters the file may have. GitHub takes comments of up to 65536.
      - Where there are more, differences are left out, beginning with the longest, and then the end of the list.
    type: int
    default: 60000
    env:
      - name: ANTENNA_CHANGES_LIMIT
    ini:
      - section: callback_antenna_changes
        key: limit
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

import copy
import typing as t
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.antenna.aws.plugins.module_utils._deployment.changes import (
    Change,
    Changes,
    change_of,
    is_unchecked,
    markdown,
)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Collects what tasks say, host by host, and writes it when the run ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "antenna.aws.changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._changes: dict[str, list[Change]] = {}
        self._unchecked: dict[str, list[str]] = {}
        self._failures: dict[str, str] = {}

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._note(result, {})

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._note(result, {"skipped": True})

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._note(result, {"failed": True})
        if not ignore_errors:
            self._failures.setdefault(result.host.name, f"{result.task.get_name()}: {_message(result)}")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        path = self.get_option("path")
        if not path:
            return
        check = bool(context.CLIARGS.get("check"))
        found = [
            Changes(
                host,
                check,
                tuple(self._changes.get(host, ())),
                tuple(self._unchecked.get(host, ())),
                self._failures.get(host, ""),
            )
            for host in sorted(stats.processed)
        ]
        Path(path).write_text(markdown(found, self.get_option("limit")), encoding="utf-8")

    def _note(self, result: t.Any, outcome: t.Mapping[str, bool]) -> None:
        task = result.task.get_name()
        if result.task.changed_when == [False]:
            # Its command only asks, and a check has not asked.
            return
        for item, turn in _turns(result, outcome):
            change = change_of(task, self._label(item, turn), turn, self._difference(turn))
            if change is not None:
                self._changes.setdefault(result.host.name, []).append(change)
            elif is_unchecked(turn):
                self._unchecked.setdefault(result.host.name, []).append(task)

    def _label(self, item: bool, turn: t.Mapping[str, t.Any]) -> str:
        return str(self._get_item_label(turn)) if item else ""

    def _difference(self, turn: t.Mapping[str, t.Any]) -> str:
        diff = turn.get("diff")
        # Ansible rewrites what it is given to show.
        return str(self._get_diff(copy.deepcopy(diff))) if diff and turn.get("changed") else ""


def _turns(result: t.Any, outcome: t.Mapping[str, bool]) -> t.Iterator[tuple[bool, t.Mapping[str, t.Any]]]:
    """Return the results of a task one by one, and whether each is a turn of a loop.

    Ansible takes the outcome out of a result, but not out of the turns of a loop.
    """
    turns = result.result.get("results")
    if result.task.loop is None or not isinstance(turns, list):
        yield False, {**result.result, **outcome}
        return
    for turn in turns:
        yield True, turn


def _message(result: t.Any) -> str:
    failed = (turn for _item, turn in _turns(result, {"failed": True}) if turn.get("failed"))
    return str(next(failed, result.result).get("msg", "no message"))
