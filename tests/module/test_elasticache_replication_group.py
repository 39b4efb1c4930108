# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

MODULE = "elasticache_replication_group"
GROUP = {
    "replication_group_id": "antenna-redis",
    "description": "Redis of Antenna",
    "engine": "redis",
    "engine_version": "7.1",
    "cache_node_type": "cache.t4g.micro",
    "num_cache_clusters": 1,
    "automatic_failover_enabled": False,
    "multi_az_enabled": False,
    "transit_encryption_enabled": True,
    "at_rest_encryption_enabled": True,
    "tags": {"Project": "antenna"},
}


def test_create_check_run_check_run(aws: Any) -> None:
    checked = aws.run_module(MODULE, GROUP, check=True)
    assert checked["changed"]
    assert aws.writes() == []
    created = aws.run_module(MODULE, GROUP)
    assert created["changed"]
    assert aws.writes() == ["elasticache:CreateReplicationGroup"]
    assert checked["plan"] == created["plan"]
    assert checked["replication_group"].keys() == created["replication_group"].keys()
    group = created["replication_group"]
    assert group["status"] == "available"
    assert group["primary_endpoint"]["port"] == 6379
    assert group["primary_endpoint"]["address"].startswith("master.antenna-redis.")
    assert group["transit_encryption_enabled"] is True
    assert group["tags"] == {"Project": "antenna"}
    for check in (True, False):
        again = aws.run_module(MODULE, GROUP, check=check)
        assert not again["changed"], again["plan"]
        assert again["replication_group"] == group
    assert aws.writes() == []


def test_change_check_run_check_run(aws: Any) -> None:
    aws.run_module(MODULE, GROUP)
    changed = {**GROUP, "description": "another", "cache_node_type": "cache.t4g.small", "tags": {"Stage": "test"}}
    aws.writes()
    checked = aws.run_module(MODULE, changed, check=True)
    assert aws.writes() == []
    assert [step["op"] for step in checked["plan"]] == ["tag", "modify"]
    assert "cache_node_type is cache.t4g.micro, wanted is cache.t4g.small" in checked["plan"][1]["reason"]
    done = aws.run_module(MODULE, changed)
    assert done["plan"] == checked["plan"]
    assert done["diff"] == checked["diff"]
    assert done["replication_group"]["tags"] == {"Stage": "test"}
    for check in (True, False):
        assert not aws.run_module(MODULE, changed, check=check)["changed"]


def test_awaited_by_its_name_alone(aws: Any) -> None:
    aws.run_module(MODULE, {**GROUP, "wait": False})
    found = aws.run_module(MODULE, {"replication_group_id": "antenna-redis"})
    assert not found["changed"]
    assert found["replication_group"]["primary_endpoint"]["port"] == 6379


def test_absent(aws: Any) -> None:
    gone = {"replication_group_id": "antenna-redis", "state": "absent", "wait": False}
    assert not aws.run_module(MODULE, gone)["changed"]
    aws.run_module(MODULE, GROUP)
    aws.writes()
    checked = aws.run_module(MODULE, gone, check=True)
    assert checked["changed"]
    assert checked["replication_group"] == {}
    assert aws.writes() == []
    assert aws.run_module(MODULE, gone)["changed"]
    assert aws.writes() == ["elasticache:DeleteReplicationGroup"]
    assert not aws.run_module(MODULE, gone)["changed"]


def test_refusals_name_the_group_and_the_remedy(aws: Any) -> None:
    alone = aws.run_module(MODULE, {"replication_group_id": "antenna-redis"})
    assert "creating it takes description and cache_node_type" in alone["msg"]
    aws.run_module(MODULE, GROUP)
    fixed = aws.run_module(MODULE, {**GROUP, "at_rest_encryption_enabled": False})
    assert "'antenna-redis' has at_rest_encryption_enabled True, which cannot become False" in fixed["msg"]


def test_an_endpoint_that_does_not_answer_is_told(run_module: Any) -> None:
    connection = {"endpoint_url": "http://127.0.0.1:9", "region": "eu-central-1", "access_key": "a", "secret_key": "b"}
    failed = run_module(MODULE, {**GROUP, **connection})
    assert failed["failed"]
    assert failed["msg"].startswith("Could not look up the replication group 'antenna-redis': Could not connect")
    assert "exception" not in failed


def test_all_groups_are_listed_with_their_descriptions(aws: Any) -> None:
    assert aws.run_module(f"{MODULE}_info", {})["replication_groups"] == []
    aws.run_module(MODULE, GROUP)
    assert aws.run_module(f"{MODULE}_info", {})["replication_groups"] == [
        {"replication_group_id": "antenna-redis", "description": "Redis of Antenna", "status": "available"}
    ]
