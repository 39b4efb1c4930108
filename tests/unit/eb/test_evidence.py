# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told after a failure, and what a result holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from ansible_collections.antenna.aws.plugins.module_utils._eb.evidence import (
    containers_result,
    diagnosis,
    evidence,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    Container,
    Environment,
    Event,
    HealthReport,
    Instance,
    ProbeAnswer,
    Task,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.remedies import Found
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, judge

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOAL = Goal("env", "antenna", version_label="v2", request_id="ours", since=T0, probe_statuses=(200,))
CRASHED = Container("django", "i-1", "image", "STOPPED", exit_code=1)
INSTANCE_CAUSES = ("Application deployment failed.", "Command failed on all instances.")
OBSERVATION = Observation(
    found=True,
    environment=Environment("e-1", "env", "antenna", status="Ready", health="Red", version_label="v1"),
    events=(
        Event(T0 + timedelta(seconds=1), "ERROR", "Failed to deploy application.", "ours"),
        Event(T0 + timedelta(seconds=2), "ERROR", "Something of another request.", "other"),
    ),
    health=HealthReport("Degraded", "Red", ("Command failed on all instances.",)),
    instances=(Instance("i-1", "Degraded", "Red", INSTANCE_CAUSES, "v1", 6, "Failed", T0),),
    tasks=(
        Task("task/1", "i-1", "STOPPED", "STOPPED", "Essential container in task exited", T0, containers=(CRASHED,)),
    ),
    probe=ProbeAnswer("http://203.0.113.7/", "env.example", status=301, location="https://env.example/"),
)
LOGS = {"eb-engine.log": ("[ERROR] failed",), "django": ("starting", "KeyError: 'DJANGO_SECRET_KEY'")}


def test_a_person_is_told_what_they_would_look_for() -> None:
    failure = judge(OBSERVATION, GOAL)
    assert isinstance(failure, Failure)
    cure = Found("variable-missing", "Set it.", "django", "KeyError: 'DJANGO_SECRET_KEY'")
    assert diagnosis(failure, OBSERVATION, GOAL, LOGS, [cure]) == (
        "ERROR: Failed to deploy application.",
        "The environment is Ready with version v1, not with v2, and nothing is deploying any more.",
        "Container django stopped with exit code 1.",
        "The task on i-1 stopped: Essential container in task exited",
        "Cause: Command failed on all instances.",
        "Cause: Instance i-1: Application deployment failed.",
        "Probe http://203.0.113.7/ (Host env.example): answered 301, redirecting to https://env.example/.",
        "Last lines of django:",
        "  starting",
        "  KeyError: 'DJANGO_SECRET_KEY'",
        "Likely remedy (variable-missing): Set it.",
    )


def test_the_engines_own_account_is_shown_where_no_container_or_hook_tells_more() -> None:
    failure = Failure(("why",))
    engine = {"eb-engine.log": ("[ERROR] failed",)}
    assert diagnosis(failure, Observation(), GOAL, engine)[-1] == "  [ERROR] failed"
    with_hook = diagnosis(failure, Observation(), GOAL, {**engine, "eb-hooks.log": ("migration failed",)})
    assert with_hook[-2:] == ("Last lines of eb-hooks.log:", "  migration failed")
    assert "  [ERROR] failed" not in with_hook


def test_the_evidence_is_plain_and_has_the_same_keys_always() -> None:
    seen = evidence(OBSERVATION, GOAL, LOGS)
    assert json.loads(json.dumps(seen)) == seen
    assert evidence(Observation(), GOAL, {}).keys() == seen.keys()
    assert [event["message"] for event in seen["events"]] == ["Failed to deploy application."]
    assert (seen["health"], seen["containers"][0]["exit_code"]) == ("Degraded", 1)
    # botocore tells times in the zone of this machine.
    here = replace(OBSERVATION.tasks[0], created_at=T0.astimezone(timezone(timedelta(hours=-8))))
    (container,) = containers_result([here])
    assert (container["task_arn"], container["task_created_at"]) == ("task/1", "2026-11-23T12:00:00+00:00")
    without_request = evidence(OBSERVATION, replace(GOAL, request_id=None, since=None), {})
    assert len(without_request["events"]) == 2, "without a deployment the newest events are shown"
