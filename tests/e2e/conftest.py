# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal of its own for the end-to-end tests: its own cloud, and a copy of examples/antenna to change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.support.rehearsal import ROOT, WORK, Rehearsal


class OneDeploymentEach(LoadFileScheduling):
    """Gives each worker of pytest-xdist the files that share a deployment: the guide's reads that of the local one."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).replace("test_guide", "test_deployment")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneDeploymentEach:
    return OneDeploymentEach(config, log)


@pytest.fixture(scope="session")
def rehearsal() -> Iterator[Rehearsal]:
    shutil.rmtree(WORK, ignore_errors=True)
    source = WORK / "source"
    shutil.copytree(
        ROOT / "examples/antenna", source, ignore=shutil.ignore_patterns("node_modules", "build", "__pycache__")
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LOCALCLOUD_STATE": str(WORK / "cloud"), "ANSIBLE_NOCOLOR": "1"}
    one = Rehearsal(source, environment)
    try:
        one.localcloud("up", "--enforce-iam")
        one.localcloud("base-images", str(source))
        yield one
        one.leave_behind()
    finally:
        if not os.environ.get("KEEP_REHEARSAL"):
            one.localcloud("down")


@pytest.fixture(scope="session")
def chromium() -> str:
    found = subprocess.run([ROOT / "setup/chromium.sh"], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()
