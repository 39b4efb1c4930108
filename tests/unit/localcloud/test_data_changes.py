# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ModifyDBInstance changes when, and when windows open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.data.rds.changes import ATTRIBUTES, Changes, plan, rounded_storage, shown, status_for
from localcloud.data.windows import next_start

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
CURRENT: dict[str, Any] = {
    **dict.fromkeys(ATTRIBUTES),
    "BackupRetentionPeriod": 7,
    "DBInstanceClass": "db.t4g.small",
    "Iops": 3000,
}


@pytest.mark.parametrize(
    ("wanted", "pending", "now", "expected"),
    [
        ({"DeletionProtection": True}, {}, False, Changes(at_once={"DeletionProtection": True})),
        ({"DBInstanceClass": "db.t4g.large"}, {}, False, Changes(postponed={"DBInstanceClass": "db.t4g.large"})),
        ({"DBInstanceClass": "db.t4g.large"}, {}, True, Changes(started={"DBInstanceClass": "db.t4g.large"})),
        ({"DBInstanceClass": "db.t4g.small"}, {}, True, Changes()),
        ({"MasterUserPassword": "x"}, {}, False, Changes(started={"MasterUserPassword": "x"})),
        ({"DBPortNumber": 5433}, {}, False, Changes(started={"DBPortNumber": 5433})),
        # Backups that are made anyway are kept for longer at once, their beginning and end wait.
        ({"BackupRetentionPeriod": 14}, {}, False, Changes(started={"BackupRetentionPeriod": 14})),
        ({"BackupRetentionPeriod": 0}, {}, False, Changes(postponed={"BackupRetentionPeriod": 0})),
        # What waits comes along with the next immediate change, and can be taken back.
        ({"Iops": 4000}, {"MultiAZ": True}, False, Changes(postponed={"MultiAZ": True, "Iops": 4000})),
        ({"Iops": 4000}, {"MultiAZ": True}, True, Changes(started={"MultiAZ": True, "Iops": 4000})),
        ({"Iops": 3000}, {"Iops": 4000}, False, Changes()),
    ],
)
def test_plan(wanted: dict[str, Any], pending: dict[str, Any], now: bool, expected: Changes) -> None:
    assert plan(wanted, CURRENT, pending, now) == expected


def test_pending_values_are_shown_under_the_names_of_the_answer() -> None:
    settings = {"DBPortNumber": 5433, "MasterUserPassword": "secret", "OptionGroupName": "x", "Iops": 4000}
    assert shown(settings) == {"Port": 5433, "MasterUserPassword": "****", "Iops": 4000}


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ({"MasterUserPassword"}, "resetting-master-credentials"),
        ({"MasterUserPassword", "Iops"}, "modifying"),
        ({"EngineVersion", "Iops"}, "upgrading"),
    ],
)
def test_status_for(names: set[str], status: str) -> None:
    assert status_for(names) == status


@pytest.mark.parametrize(("asked", "stored"), [(21, 22), (100, 100), (20, 20), (22, 22)])
def test_storage_grows_by_a_tenth_at_least(asked: int, stored: int) -> None:
    assert rounded_storage(asked, 20) == stored


@pytest.mark.parametrize(
    ("window", "start"),
    [
        ("13:14-13:44", "2026-11-25T13:14"),
        ("05:10-05:40", "2026-11-26T05:10"),
        ("11:50-12:20", "2026-11-25T12:00"),
        ("23:50-12:30", "2026-11-25T12:00"),
        ("wed:13:00-wed:14:00", "2026-11-25T13:00"),
        ("wed:11:00-wed:11:30", "2026-12-02T11:00"),
        ("tue:23:00-wed:12:30", "2026-11-25T12:00"),
        ("Mon:00:00-Mon:00:30", "2026-11-30T00:00"),
        ("sun:23:45-mon:00:15", "2026-11-29T23:45"),
    ],
)
def test_windows_open(window: str, start: str) -> None:
    assert next_start(window, NOW) == datetime.fromisoformat(start).replace(tzinfo=UTC)


def test_window_is_open_until_its_end() -> None:
    assert next_start("12:00-12:30", NOW + timedelta(minutes=30)) == NOW + timedelta(days=1)
