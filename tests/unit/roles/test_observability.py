# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which alarms there are to be, and which of those that there may have been are not wanted any more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import RoleTask

HERE = {
    "antenna_name": "antenna",
    "antenna_environment_name": "antenna",
    "antenna_region": "us-west-2",
    "antenna_account_id": "123456789012",
    "antenna_tags": {"Environment": "antenna"},
}


def alarms(**given: Any) -> dict[str, dict[str, Any]]:
    task = RoleTask(
        "observability/tasks/alarms.yml",
        "Set the alarms, and remove those that are no longer wanted",
        {**HERE, **given},
    )
    return {alarm["name"]: alarm for alarm in task.argument("alarms")}


def names(state: str, **given: Any) -> set[str]:
    return {name for name, alarm in alarms(**given).items() if alarm.get("state", "present") == state}


def named(**given: Any) -> set[str]:
    task = RoleTask("observability/tasks/resources.yml", "Name what this role makes", {**HERE, **given})
    resources = task.variable("__observability_resources")
    return set(next(item for item in resources if item["kind"] == "alarm")["names"])


def test_what_an_alarm_does_not_say_is_as_usual() -> None:
    found = alarms(observability_alarms=True)
    assert {
        key: found["antenna-beat-silence"][key] for key in ("comparison_operator", "period", "treat_missing_data")
    } == {
        "comparison_operator": "LessThanThreshold",
        "period": 900,
        "treat_missing_data": "breaching",
    }
    node = found["antenna-redis-memory-antenna-redis-001"]
    assert (node["namespace"], node["period"], node["dimensions"]) == (
        "AWS/ElastiCache",
        300,
        {"CacheClusterId": "antenna-redis-001"},
    )


def test_without_alarms_none_of_them_is_wanted() -> None:
    assert names("present") == set()
    assert names("absent") == names("present", observability_alarms=True) | names("absent", observability_alarms=True)


@pytest.mark.parametrize(
    ("given", "wanted", "unwanted"),
    [
        ({"data_tier_redis_replicas": 1}, "antenna-redis-002", "antenna-redis-003"),
        ({"data_tier_redis_replicas": 0}, "antenna-redis-001", "antenna-redis-002"),
        ({"data_tier_redis_identifier": "antenna-redis-2"}, "antenna-redis-2-001", "antenna-redis-001"),
        ({"observability_redis_nodes": ["shared-001"]}, "shared-001", "antenna-redis-001"),
    ],
    ids=str,
)
def test_alarms_of_nodes_that_are_no_more_go(given: dict[str, Any], wanted: str, unwanted: str) -> None:
    given = {"observability_alarms": True, **given}
    assert {f"antenna-redis-memory-{wanted}", f"antenna-redis-evictions-{wanted}"} <= names("present", **given)
    assert {f"antenna-redis-memory-{unwanted}", f"antenna-redis-evictions-{unwanted}"} <= names("absent", **given)


@pytest.mark.parametrize("given", [{}, {"observability_alarms": True}, {"data_tier_redis_replicas": 5}], ids=str)
def test_the_deployment_has_all_that_there_may_be(given: dict[str, Any]) -> None:
    assert named(**given) == set(alarms(**given)) and "antenna-no-worker" in named(**given)
