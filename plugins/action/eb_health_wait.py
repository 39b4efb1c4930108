# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's half of eb_health_wait: show in Ansible's output what the module sees while it waits."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_PAUSE = 0.3
_COLORS = {
    "FATAL": "COLOR_ERROR",
    "ERROR": "COLOR_ERROR",
    "WARN": "COLOR_WARN",
    "DEBUG": "COLOR_DEBUG",
    "TRACE": "COLOR_DEBUG",
}

display = Display()


class Follower:
    """Reads the lines that a file gets while something else writes it, in a thread of its own."""

    def __init__(self, path: Path, show: t.Callable[[t.Mapping[str, str]], None]) -> None:
        self._path = path
        self._show = show
        self._ended = threading.Event()
        self._offset = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(_PAUSE):
            self._read()
        self._read()

    def _read(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            written = file.read()
        # The last line may still be in the middle of being written.
        whole = written[: written.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            # What cannot be read is not shown; the lines after it are.
            with contextlib.suppress(ValueError):
                self._show(json.loads(line))


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module and shows its progress, line by line, as it happens."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        host = (task_vars or {}).get("inventory_hostname", "")
        arguments = dict(self._task.args)
        if not self._can_follow(arguments):
            return self._execute(arguments, task_vars)
        with tempfile.TemporaryDirectory(prefix="eb_health_wait_") as folder:
            path = Path(folder) / "progress"
            with Follower(path, lambda progress: show(host, progress)):
                return self._execute({**arguments, "progress_path": str(path)}, task_vars)

    def _can_follow(self, arguments: t.Mapping[str, t.Any]) -> bool:
        # On another machine the file would be out of reach; who names a file of their own follows it themselves.
        is_local = self._connection.transport == "local"
        return is_local and not arguments.get("progress_path") and not self._task.no_log

    def _execute(self, arguments: t.Mapping[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = self._execute_module(module_args=dict(arguments), task_vars=task_vars)
        return result


def show(host: str, progress: t.Mapping[str, str]) -> None:
    """Show one line: host, time, severity, text."""
    severity = progress.get("severity", "")
    color = _COLORS.get(severity)
    line = f"  {host} | {progress.get('when', ''):>9}  {severity:<5}  {progress.get('text', '')}".rstrip()
    display.display(line, color=getattr(C, color) if color else C.COLOR_VERBOSE)
