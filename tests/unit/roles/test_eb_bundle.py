# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hook that migrates: it tries again while services come up, and its outcome is that of the last try."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.roles import ROLES, evaluated

HOOK = ROLES / "eb_bundle/templates/01_migrate.sh.j2"


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)


def migrate(folder: Path, *docker: str, deadline: int) -> subprocess.CompletedProcess[str]:
    """Run the hook where Docker is a script that is given, and nobody sleeps."""
    variables = {"eb_bundle_migration_deadline": deadline, "__eb_bundle_secret_keys": ["DJANGO_SECRET_KEY"]}
    program(folder / "hook", evaluated(HOOK.read_text(), variables).partition("\n")[2])
    program(folder / "docker", *docker)
    program(folder / "sleep", "exit 0")
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", folder / "hook"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_it_tries_again_while_services_come_up(tmp_path: Path) -> None:
    fails_twice = ('[ "$1" = ps ] && exec echo c0ffee', 'echo "$@" >> calls', "[ $(wc -l < calls) -gt 2 ]")
    done = migrate(tmp_path, *fails_twice, deadline=60)
    assert done.returncode == 0 and done.stderr.count("trying again") == 2
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 3
    assert calls[0].startswith("exec c0ffee /entrypoint python /bundle/masked.py DJANGO_SECRET_KEY ")
    assert calls[0].endswith("python manage.py migrate --noinput")


@pytest.mark.parametrize(
    ("docker", "status", "said"),
    [
        (('[ "$1" = ps ] && exec echo c0ffee', "echo no such table >&2", "exit 7"), 7, "no such table"),
        (("exit 0",), 1, "No container named django is running."),
    ],
    ids=["the migration fails", "no container runs"],
)
def test_at_the_deadline_the_last_outcome_counts(
    tmp_path: Path, docker: tuple[str, ...], status: int, said: str
) -> None:
    done = migrate(tmp_path, *docker, deadline=0)
    assert done.returncode == status and said in done.stderr
    assert "did not succeed within 0 seconds" in done.stderr
