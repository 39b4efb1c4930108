# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hook that migrates: it tries again while services come up, and its outcome is that of the last try.

And a promoted bundle: what in it differs from the one that would be made here.
"""

from __future__ import annotations

import os
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.roles import ROLES, evaluated, variables_of

HOOK = ROLES / "eb_bundle/templates/01_migrate.sh.j2"


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)


def migrate(folder: Path, *docker: str, deadline: int) -> subprocess.CompletedProcess[str]:
    """Run the hook where Docker is a script that is given, and nobody sleeps."""
    variables = {"eb_bundle_migration_deadline": deadline}
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
    assert calls[0].startswith("exec c0ffee /entrypoint python /bundle/masked.py python /bundle/alone.py ")
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


HASHES = {"containers/monitor.py": "1a", ".platform/hooks/postdeploy/01_migrate.sh": "2b"}


def promoted() -> dict[str, Any]:
    """The bundle of this very state of the collection, as another deployment has it."""
    definitions = evaluated("{{ __eb_bundle_definitions }}", variables_of("eb_bundle"))
    own = {"image": "registry.example.org/other@sha256:1", "memory": 4096, "environment": [{"name": "A", "value": "b"}]}
    return {
        "containers": [{"name": name, **own, **definition} for name, definition in definitions.items()],
        "volumes": [{"name": "bundle", "host": {"source_path": "/var/app/current/containers"}}],
        "files": {**HASHES, "Dockerrun.aws.json": "3c", ".ebignore": "4d", "containers/authorities.pem": "5e"},
    }


def differing(bundle: dict[str, Any]) -> Any:
    given = {"__eb_bundle_release_hashes": HASHES, "__eb_bundle_promoted": {"bundles": [bundle]}}
    return evaluated("{{ __eb_bundle_differing }}", {**variables_of("eb_bundle"), **given})


def test_what_a_deployment_gives_its_bundle_is_no_difference() -> None:
    assert differing(promoted()) == []


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("containers", 2, "command"), ["/start-celerybeat"], "command of celerybeat"),
        (("containers", 0, "port_mappings", 0, "container_port"), 8000, "port_mappings of django"),
        (("containers", 4, "essential"), True, "essential of awscli"),
        (("containers", 6, "links"), ["django"], "links of ml-backend-example"),
        (("volumes", 0, "host", "source_path"), "/var/app/current", "volumes"),
        (("files", "containers/monitor.py"), "9f", "containers/monitor.py"),
        (("files", ".platform/hooks/prebuild/00_more.sh"), "9f", ".platform/hooks/prebuild/00_more.sh"),
    ],
)
def test_what_was_not_tried_is_named(path: tuple[Any, ...], value: object, named: str) -> None:
    bundle = deepcopy(promoted())
    *way, last = path
    place: Any = bundle
    for step in way:
        place = place[step]
    place[last] = value
    assert differing(bundle) == [named]


def test_a_container_or_a_file_too_few_is_named() -> None:
    bundle = promoted()
    bundle["containers"] = [item for item in bundle["containers"] if item["name"] != "ml-backend-minimal"]
    del bundle["files"]["containers/monitor.py"]
    assert differing(bundle) == ["essential of ml-backend-minimal", "containers/monitor.py"]
