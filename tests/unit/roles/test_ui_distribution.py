# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which UI is promoted and which is refused, how one is built, and what the distribution reads of which bucket."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.roles import ROLES, RoleTask, evaluated, variables_of


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("index.html", False),
        ("assets/index-1a2b.js", False),
        (".well-known/security.txt", False),
        ("a..b/..c/.d", False),
        ("../x", True),
        ("assets/../../x", True),
        ("assets/..", True),
        ("./x", True),
        ("/etc/x", True),
        ("assets//x", True),
        ("assets/", True),
    ],
)
def test_a_name_leads_to_a_file_below_the_build(name: str, odd: bool) -> None:
    task = RoleTask("ui_distribution/tasks/origin.yml", "Require names that are paths", {}).task
    promoted = {"__ui_distribution_promoted": {"files": [name]}}
    assert evaluated(task["vars"]["__ui_distribution_odd"], promoted) == ([name] if odd else [])


class Builds:
    """Runs of the build of one content; npm is one that waits to be let on where it is asked to."""

    NPM = """#!/bin/sh
set -eu
[ "$1" = run ] && { mkdir build; cp page build/index.html; exit; }
[ -z "${GATE:-}" ] || { touch "$GATE.reached"; cat "$GATE"; }
"""

    def __init__(self, folder: Path) -> None:
        self.work, self.programs, self.checkout = folder / "work", folder / "bin", folder / "checkout"
        for made in (self.work, self.programs, self.checkout):
            made.mkdir()
        (self.programs / "npm").write_text(self.NPM)
        (self.programs / "npm").chmod(0o755)
        (self.checkout / "package-lock.json").touch()
        (self.checkout / "page").write_text("the UI")
        variables = {"__ui_distribution_build_dir": str(self.work), "__ui_distribution_in_container": False}
        template = (ROLES / "ui_distribution/templates/build.sh.j2").read_text()
        self.script = evaluated(template, {**variables_of("ui_distribution"), **variables})

    def start(self, **variables: str) -> subprocess.Popen[str]:
        """Start a run, as the role does."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            ["sh", "-euc", self.script], cwd=self.checkout, env={**os.environ, "PATH": path, **variables}, text=True
        )

    def result(self) -> dict[str, str]:
        """What lies in the directory of the builds."""
        files = [path for path in self.work.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.work)): path.read_text() for path in files}


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(tmp_path)


def test_a_build_leaves_its_result_alone(builds: Builds) -> None:
    assert builds.start().wait(10) == 0
    assert builds.result() == {"site/index.html": "the UI"}


def test_a_run_that_is_repeated_does_not_disturb_the_one_that_still_builds(builds: Builds, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = builds.start(GATE=str(gate))
    deadline = time.monotonic() + 10
    while not gate.with_suffix(".reached").exists():
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    assert builds.start().wait(10) == 0
    gate.write_text("")
    assert first.wait(10) == 0
    assert builds.result() == {"site/index.html": "the UI"}


def test_what_a_killed_run_left_is_removed_once_none_may_last_that_long(builds: Builds) -> None:
    for name, age in (("run.old", 2000), ("run.young", 100)):
        (builds.work / name).mkdir()
        os.utime(builds.work / name, (time.time() - age,) * 2)
    assert builds.start().wait(10) == 0
    assert sorted(path.name for path in builds.work.iterdir()) == ["run.young", "site"]


def test_a_build_without_a_page_is_none(builds: Builds) -> None:
    (builds.checkout / "page").unlink()
    assert builds.start().wait(10) != 0
    assert builds.result() == {} and list(builds.work.iterdir()) == []


def test_the_distribution_reads_the_ui_and_what_antenna_gives_out() -> None:
    made = {"distribution": {"arn": "arn:aws:cloudfront::123456789012:distribution/E1"}}
    given = {
        "ui_distribution_bucket": "antenna-ui",
        "antenna_storage_bucket": "antenna-storage",
        "__ui_distribution_started": made,
    }
    path, name = (
        "ui_distribution/tasks/distribution.yml",
        "Let nobody but the distribution read the buckets, and nobody without TLS",
    )
    read = {}
    for item in RoleTask(path, name, given).keyword("loop"):
        task = RoleTask(path, name, {**given, "item": item})
        allowed, denied = task.argument("policy")["Statement"]
        assert allowed["Condition"] == {"StringEquals": {"AWS:SourceArn": made["distribution"]["arn"]}}
        assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "s3:*")
        read[task.argument("name")] = allowed["Resource"]
    assert read == {
        "antenna-ui": ["arn:aws:s3:::antenna-ui/*"],
        "antenna-storage": ["arn:aws:s3:::antenna-storage/uploads/*", "arn:aws:s3:::antenna-storage/static/*"],
    }
