# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress reaches Ansible's output while the module is still waiting."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from ansible_collections.antenna.aws.plugins.action import eb_health_wait


def line(text: str) -> str:
    return json.dumps({"when": "+1s", "severity": "INFO", "text": text}) + "\n"


def test_whole_lines_are_shown_as_they_come_and_the_rest_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    shown: list[str] = []
    first = threading.Event()

    def show(progress: Mapping[str, str]) -> None:
        shown.append(progress["text"])
        first.set()

    with eb_health_wait.Follower(path, show):
        path.write_text(line("one") + line("two")[:9])
        assert first.wait(5)
        assert shown == ["one"]
        with path.open("a") as file:
            file.write(line("two")[9:] + "no JSON\n" + line("three"))
    assert shown == ["one", "two", "three"]


def test_nothing_is_shown_where_nothing_was_written(tmp_path: Path) -> None:
    shown: list[Mapping[str, str]] = []
    with eb_health_wait.Follower(tmp_path / "progress", shown.append):
        pass
    assert shown == []


def test_a_line_has_host_time_severity_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    eb_health_wait.show("antenna", {"when": "12:00:01Z", "severity": "ERROR", "text": "Failed to deploy application."})
    eb_health_wait.show("antenna", {"when": "+5s", "severity": "", "text": "waiting"})
    assert capsys.readouterr().out.splitlines() == [
        "  antenna | 12:00:01Z  ERROR  Failed to deploy application.",
        "  antenna |       +5s         waiting",
    ]
