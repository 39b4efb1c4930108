# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the outcome of a deployment and of a restart is judged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import RoleTask, evaluated, variables_of

OWN = {"version_label", "request_id", "since", "steady"}
"""What tells the one operation from the other."""


def judged(file: str) -> dict[str, Any]:
    """The arguments of the judgement as they are written."""
    task = RoleTask(f"eb_environment/tasks/{file}.yml", "Judge the outcome", {}).task
    return dict(task["antenna.aws.eb_health_wait"])


def test_a_restart_is_judged_as_a_deployment_is() -> None:
    """The same server starts, and publishes the same static files before it listens."""
    restart, deployment = judged("restart"), judged("judge")
    assert set(restart) == set(deployment)
    assert {key: restart[key] for key in set(restart) - OWN} == {key: deployment[key] for key in set(restart) - OWN}


def test_all_containers_are_judged_without_a_bundle_at_hand() -> None:
    bundle = variables_of("eb_bundle")
    names = RoleTask("eb_environment/tasks/restart.yml", "Judge the outcome", bundle).argument("containers")
    assert sorted(names) == sorted(evaluated("{{ eb_bundle_memory }}", bundle))


@pytest.mark.parametrize(("now", "left"), [("task/new", []), ("task/old", ["django"])])
def test_a_container_that_runs_on_in_its_old_task_is_named(now: str, left: list[str]) -> None:
    """Before the restart as eb_environment_info returns them, after it as eb_health_wait does."""
    given = {
        "__eb_environment_present": {"environments": [{"containers": [{"name": "django", "task_arn": "task/old"}]}]},
        "__eb_environment_restarted": {"evidence": {"containers": [{"name": "django", "task_arn": now}]}},
    }
    task = RoleTask("eb_environment/tasks/restart.yml", "Require that every task was started anew", {}).task
    found = evaluated(task["vars"]["__eb_environment_left"], given)
    assert [container["name"] for container in found] == left
