# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's choice of addresses; what talks to Docker is proven by the contract tests."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

import pytest

from localcloud import engine


def test_networks_start_at_different_subnets_and_could_have_any() -> None:
    one, other = list(engine._subnets("one")), list(engine._subnets("other"))
    assert one[0] != other[0]
    assert len(one) == len(set(one)) == 2**11 + 2**10
    assert set(one) == set(other)
    assert all(any(subnet.subnet_of(pool) for pool in engine.POOLS) for subnet in islice(one, 100))


def test_routes_are_read_but_for_the_default_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = tmp_path / "route"
    routes.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    monkeypatch.setattr(engine, "ROUTES", routes)
    assert engine._routed() == [IPv4Network("172.17.0.0/16")]
