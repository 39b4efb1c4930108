# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take, and that the table, the code and the README say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localcloud.latency import DURATIONS, Latency, UnknownDuration, table

PACKAGE = Path(__file__).resolve().parents[3] / "localcloud"


def test_profiles() -> None:
    assert Latency().of("rds.create") == 1.5
    assert Latency().of("elasticbeanstalk.deploy") == 0
    assert Latency("aws").of("rds.create") == 246
    assert Latency("aws", 0.01).of("rds.create") == pytest.approx(2.46)
    assert (str(Latency()), str(Latency("aws", 0.01))) == ("instant", "aws, times 0.01")


def test_single_steps_are_set_and_reset() -> None:
    latency = Latency("aws", 0.01)
    latency.set({"rds.create": 7, "rds.delete": 0})
    assert (latency.of("rds.create"), latency.all()["rds.delete"]) == (7, 0)
    latency.reset()
    assert latency.all() == Latency("aws", 0.01).all()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_no_duration_sets_nothing(seconds: float) -> None:
    latency = Latency()
    with pytest.raises(ValueError, match="is no duration"):
        latency.set({"rds.create": 7, "rds.delete": seconds})
    with pytest.raises(ValueError, match="is no duration"):
        Latency("aws", seconds)
    assert latency.all() == Latency().all()


def test_unknown_step_is_an_error() -> None:
    latency = Latency()
    with pytest.raises(UnknownDuration, match=r"no duration 'rds\.dance'"):
        latency.of("rds.dance")
    with pytest.raises(UnknownDuration, match=r"no duration 'rds\.dance'"):
        latency.set({"rds.create": 7, "rds.dance": 1})
    assert latency.of("rds.create") == 1.5


def test_table_is_in_order_and_sourced() -> None:
    keys = [item.key for item in DURATIONS]
    assert keys == sorted(set(keys))
    assert all(item.source and item.what and item.aws >= item.instant >= 0 for item in DURATIONS)


def test_readme_shows_the_table() -> None:
    shown = re.findall(r"^\| `[a-z0-9_.]+` \|.*\|$", (PACKAGE / "README.md").read_text(), re.MULTILINE)
    assert [row for row in shown if row.split("`")[1] in {item.key for item in DURATIONS}] == table()


def test_services_ask_for_steps_of_the_table() -> None:
    keys = {item.key for item in DURATIONS}
    asked = {
        key
        for path in PACKAGE.rglob("*.py")
        for key in re.findall(r"latency\.of\(\s*f?\"([^\"]+)\"", path.read_text())
        if "{" not in key
    }
    assert asked <= keys and "cloudfront.distribution" in asked


def test_no_step_of_the_table_is_idle() -> None:
    """Each is asked for by its key, or by what comes after the service."""
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "latency.py")
    idle = [item.key for item in DURATIONS if not re.search(f'"({item.key}|{item.key.partition(".")[2]})"', code)]
    assert idle == []
