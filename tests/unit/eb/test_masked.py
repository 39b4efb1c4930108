# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of the containers is in the output of the post-deploy hook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "roles/eb_bundle/files/masked.py"
NAMES = {"MASKED_VARIABLES": "PASSWORD,LONGER,EMPTY,ABSENT"}
SECRETS = {"PASSWORD": "open-sesame", "LONGER": "open-sesame-2", "EMPTY": ""}


def masked(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "sh", "-c", command],
        env={**os.environ, **NAMES, **SECRETS}, capture_output=True, text=True, timeout=20,
    )  # fmt: skip


def test_values_are_masked_in_both_streams_and_the_rest_is_passed_on() -> None:
    run = masked("echo user / $PASSWORD; echo $LONGER >&2; echo done")
    assert run.stdout.splitlines() == ["user / ********", "********", "done"]
    assert run.stderr == ""


def test_the_exit_status_is_that_of_the_command() -> None:
    assert (masked("exit 7").returncode, masked("true").returncode) == (7, 0)
