# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the data tier makes of a database as RDS shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import RoleTask

NEW: list[dict[str, Any]] = []
ENDPOINT = {"address": "antenna-postgres.example.rds.amazonaws.com", "port": 5432}


def start(instances: list[dict[str, Any]], **given: Any) -> RoleTask:
    known = {
        "antenna_name": "antenna",
        "antenna_region": "us-west-2",
        "__data_tier_rds_present": {"instances": instances},
    }
    return RoleTask("data_tier/tasks/rds.yml", "Start the database", {**known, **given})


@pytest.mark.parametrize(
    ("running", "declared", "asked"),
    [
        ("", "17", "17"),
        ("", "17.6", "17.6"),
        ("17.6", "17.6", "17.6"),
        ("17.10", "17.6", "17.10"),
        ("17.6", "17", "17.6"),
        ("17.6", "17.10", "17.10"),
        ("16.10", "17.6", "17.6"),
        ("18.1", "17.6", "17.6"),
        ("17.7", 17.6, "17.7"),
    ],
)
def test_what_rds_has_upgraded_stays_so_within_the_major_version(running: str, declared: Any, asked: str) -> None:
    instances = [{"engine_version": running, "allocated_storage": 20, "endpoint": ENDPOINT}] if running else NEW
    task = start(instances, data_tier_rds_engine_version=declared)
    assert task.argument("engine_version") == asked


def test_a_database_is_not_changed_while_it_is_being_created() -> None:
    assert start(NEW).holds("when")
    assert not start([{"db_instance_status": "creating"}]).holds("when")
    assert start([{"db_instance_status": "backing-up", "endpoint": ENDPOINT}]).holds("when")


@pytest.mark.parametrize(
    ("started", "done"),
    [
        ({"failed": False}, True),
        ({"failed": True, "msg": "InvalidParameterValue: IAM role ARN … for: ENHANCED_MONITORING"}, False),
        ({"failed": True, "msg": "InvalidParameterValue: Cannot find version 16.4 for postgres"}, True),
    ],
    ids=["started", "a role that is not known everywhere yet", "refused"],
)
def test_only_a_new_role_is_waited_for(started: dict[str, Any], done: bool) -> None:
    assert start(NEW, __data_tier_rds_started=started).holds("until") is done


USABLE = {
    "available",
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "storage-config-upgrade",
    "storage-initialization",
    "storage-optimization",
}
LOST = {
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
    "stopped",
    "storage-full",
}
PASSING = {"creating", "deleting", "maintenance", "modifying", "rebooting", "resetting-master-credentials", "starting"}


LOOK = "Look at the database until it takes connections"
REFUSED = {"failed": True, "msg": "Could not look up the db_instance antenna-postgres: ExpiredToken. Sign in again."}


def shown(status: str) -> dict[str, Any]:
    return {"resources": [{"kind": "db_instance", "name": "antenna-postgres", "status": status}]}


def awaiting(name: str, answer: dict[str, Any]) -> RoleTask:
    known = {"antenna_name": "antenna", "__data_tier_rds": answer}
    return RoleTask("data_tier/tasks/await_rds.yml", name, known)


@pytest.mark.parametrize("status", sorted(USABLE | LOST | PASSING))
def test_a_database_is_awaited_until_it_takes_connections(status: str) -> None:
    look = awaiting(LOOK, shown(status))
    assert look.holds("until") == (status not in PASSING)
    assert look.holds("failed_when") == (status not in USABLE)


def test_a_database_that_is_not_there_is_awaited_by_nobody() -> None:
    look = awaiting(LOOK, shown(""))
    assert look.holds("until") and not look.holds("failed_when")


def test_a_look_that_fails_ends_the_wait() -> None:
    look = awaiting(LOOK, REFUSED)
    assert look.holds("until") and look.holds("failed_when")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (REFUSED, [REFUSED["msg"]]),
        (shown("storage-full"), ["antenna-postgres is storage-full", "aws rds describe-events", "mend that"]),
        (shown("creating"), ["antenna-postgres is still creating after 1800 seconds", "raise data_tier_wait_timeout"]),
    ],
)
def test_why_a_database_cannot_be_used_is_said_with_its_remedy(answer: dict[str, Any], said: list[str]) -> None:
    message = awaiting("Say why the database cannot be used", answer).argument("msg")
    assert [words for words in said if words not in message] == []


def test_what_is_from_before_a_restore_is_known_by_its_tags_and_descriptions() -> None:
    given = {
        "antenna_name": "antenna",
        "antenna_environment_name": "antenna",
        "data_tier_rds_identifier": "antenna-postgres-2",
        "data_tier_redis_identifier": "antenna-redis-2",
        "__data_tier_databases": {
            "instances": [
                {"db_instance_identifier": name, "tags": tags}
                for name, tags in (
                    ("antenna-postgres", {"Environment": "antenna"}),
                    ("antenna-postgres-2", {"Environment": "antenna"}),
                    ("theirs", {"Environment": "theirs"}),
                    ("untagged", {}),
                )
            ]
        },
        "__data_tier_groups": {
            "replication_groups": [
                {"replication_group_id": name, "description": description}
                for name, description in (
                    ("antenna-redis", "Redis of antenna"),
                    ("antenna-redis-2", "Redis of antenna"),
                    ("theirs", "Redis of theirs"),
                )
            ]
        },
    }
    task = RoleTask("data_tier/tasks/earlier.yml", "Name the data tier from before a restore", given)
    found = {item["kind"]: item for item in task.variable("__data_tier_earlier_resources")}
    assert found["db_instance"]["names"] == ["antenna-postgres"]
    assert found["db_snapshots"]["names"] == ["antenna-postgres-final-"]
    assert (found["replication_group"]["names"], found["replication_group"]["mark"]) == (
        ["antenna-redis"],
        "Redis of antenna",
    )
