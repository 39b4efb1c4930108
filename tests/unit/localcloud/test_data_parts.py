# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of RDS and ElastiCache: jobs, events, pages, logs, tokens."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.data.elasticache.lifecycle import log_deliveries
from localcloud.data.elasticache.nodes import RESTRICTED, permissions
from localcloud.data.events import Event, chosen
from localcloud.data.paging import page
from localcloud.data.servers import Key, Servers, Wanted
from localcloud.engine import EngineError
from localcloud.jobs import Jobs

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_jobs_of_one_resource_run_in_their_order_whatever_becomes_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    jobs, done, go, ended = Jobs(), [], threading.Event(), threading.Event()

    def fail() -> None:
        go.wait(5)
        done.append("failed")
        raise RuntimeError("told in the log")

    jobs.add("a", fail)
    jobs.add("a", lambda: done.append("second"))
    jobs.add("a", ended.set)
    assert jobs.is_busy("a") and not jobs.is_busy("b")
    jobs.add("b", go.set)
    assert ended.wait(5)
    assert done == ["failed", "second"]
    assert "told in the log" in capsys.readouterr().err


def test_a_server_that_ends_while_it_is_asked_does_not_serve(tmp_path: Path) -> None:
    def ended(container: str, command: tuple[str, ...]) -> None:
        raise EngineError(f"command in container {container}: container is not running")

    engine = SimpleNamespace(
        run=lambda spec: spec.name,
        ensure_network=lambda *words, **more: None,
        inspect=lambda container: SimpleNamespace(running=True),
        exec_run=ended,
    )
    cloud: Any = SimpleNamespace(
        engine=engine,
        firewall=SimpleNamespace(add_store=lambda store: None),
        state_dir=tmp_path,
        region="us-west-2",
        infra_image="infra",
        docker_name=lambda kind, name: f"{kind}-{name}",
        labels=lambda kind, name: {kind: name},
    )
    servers, key = Servers(cloud), Key("elasticache", "us-west-2", "cache-001")
    servers.start(Wanted(key, "entry", "/run/node", {}, {}, ("ping",), "cache.example", (), 6379, ()))
    assert servers.runs(key) and not servers.serves(key)


EVENTS = [
    Event("db-instance", "a", "old", NOW - timedelta(hours=2), ("creation",)),
    Event("db-instance", "a", "new", NOW, ("failover",)),
    Event("db-snapshot", "b", "other", NOW, ("creation",)),
]


@pytest.mark.parametrize(
    ("asked", "messages"),
    [
        ({}, ["new", "other"]),
        ({"Duration": 180}, ["old", "new", "other"]),
        ({"StartTime": NOW - timedelta(hours=3), "EndTime": NOW - timedelta(hours=1)}, ["old"]),
        ({"StartTime": (NOW - timedelta(hours=3)).replace(tzinfo=None)}, ["old", "new", "other"]),
        ({"SourceIdentifier": "A", "SourceType": "db-instance"}, ["new"]),
        ({"EventCategories": ["creation"]}, ["other"]),
    ],
)
def test_events_are_chosen(asked: dict[str, Any], messages: list[str]) -> None:
    assert [event.message for event in chosen(EVENTS, NOW, asked)] == messages


def test_pages() -> None:
    first = page("Items", list(range(150)), {})
    assert (first["Items"], first["Marker"]) == (list(range(100)), "100")
    assert page("Items", list(range(150)), {"Marker": "100"}) == {"Items": list(range(100, 150))}
    assert page("Items", [1, 2], {"MaxRecords": "1"}) == {"Items": [1], "Marker": "1"}


def test_log_deliveries_are_kept_by_type() -> None:
    slow, engine = {"LogType": "slow-log", "LogFormat": "json"}, {"LogType": "engine-log", "LogFormat": "text"}
    first = log_deliveries((), [{**slow, "Enabled": True}, engine])
    assert first == [{**slow, "Status": "active"}, {**engine, "Status": "active"}]
    assert log_deliveries(first, [{"LogType": "slow-log", "Enabled": False}]) == [{**engine, "Status": "active"}]


def test_tokens_are_told_as_digests() -> None:
    told = permissions(("first", "second"), without_token=False)
    assert sum(word.startswith("#") for word in told) == 2
    assert "first" not in " ".join(told) and "nopass" not in told
    assert "nopass" in permissions((), without_token=True)
    assert {f"-{command}" for command in RESTRICTED} <= set(told)
