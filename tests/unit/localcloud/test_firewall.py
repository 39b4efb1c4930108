# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups decide which store is on which network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.engine import EngineError
from localcloud.firewall import Firewall, IngressRule, Store

DATABASE = Store("db", "container", "db.example", 5432, ("sg-db",), ("also.example",))


class FakeNetworks:
    def __init__(self) -> None:
        self.attached: dict[tuple[str, str], tuple[str, ...]] = {}
        self.gone: set[str] = set()

    def connect(self, network: str, container: str, aliases: tuple[str, ...] = ()) -> None:
        if container in self.gone:
            raise EngineError(f"container {container} on network {network}: No such container: {container}")
        self.attached[network, container] = aliases

    def disconnect(self, network: str, container: str) -> None:
        del self.attached[network, container]


class FakeGroups:
    def __init__(self) -> None:
        self.rules: dict[str, list[IngressRule]] = {}

    def ingress(self, group_id: str) -> list[IngressRule]:
        return self.rules.get(group_id, [])

    def address(self, instance_id: str) -> str | None:
        return "10.0.0.7"


@pytest.fixture
def networks() -> FakeNetworks:
    return FakeNetworks()


@pytest.fixture
def groups() -> FakeGroups:
    return FakeGroups()


@pytest.fixture
def firewall(networks: FakeNetworks, groups: FakeGroups) -> Firewall:
    made = Firewall(networks, groups)
    made.add_store(DATABASE)
    made.add_instance("i-1", "net-1", ["sg-eb", "sg-other"])
    return made


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (IngressRule("tcp", 5432, 5432, groups=frozenset({"sg-eb"})), True),
        (IngressRule("tcp", 5000, 6000, groups=frozenset({"sg-eb"})), True),
        (IngressRule("-1", None, None, groups=frozenset({"sg-eb"})), True),
        (IngressRule("tcp", 5432, 5432, cidrs=frozenset({"10.0.0.0/24"})), True),
        (IngressRule("tcp", 5432, 5432, cidrs=frozenset({"::/0", "0.0.0.0/0"})), True),
        (IngressRule("tcp", 5432, 5432, cidrs=frozenset({"10.0.1.0/24"})), False),
        (IngressRule("tcp", 6379, 6379, groups=frozenset({"sg-eb"})), False),
        (IngressRule("udp", 5432, 5432, groups=frozenset({"sg-eb"})), False),
        (IngressRule("tcp", 5432, 5432, groups=frozenset({"sg-stranger"})), False),
    ],
)
def test_rule_decides(
    firewall: Firewall, networks: FakeNetworks, groups: FakeGroups, rule: IngressRule, admitted: bool
) -> None:
    assert networks.attached == {}
    groups.rules["sg-db"] = [rule]
    firewall.reconcile()
    assert networks.attached == ({("net-1", "container"): ("db.example", "also.example")} if admitted else {})


@pytest.fixture
def open_firewall(firewall: Firewall, groups: FakeGroups) -> Firewall:
    groups.rules["sg-db"] = [IngressRule("tcp", 5432, 5432, groups=frozenset({"sg-eb"}))]
    firewall.reconcile()
    return firewall


def test_revoked_rule_detaches(open_firewall: Firewall, networks: FakeNetworks, groups: FakeGroups) -> None:
    groups.rules.clear()
    open_firewall.reconcile()
    assert networks.attached == {}


def test_store_of_other_groups_is_detached(open_firewall: Firewall, networks: FakeNetworks) -> None:
    open_firewall.add_store(Store("db", "container", "db.example", 5432, ("sg-new",)))
    assert networks.attached == {}


def test_removed_store_and_instance_leave_nothing(open_firewall: Firewall, networks: FakeNetworks) -> None:
    open_firewall.add_instance("i-2", "net-2", ["sg-eb"])
    assert len(networks.attached) == 2
    open_firewall.remove_instance("i-1")
    assert set(networks.attached) == {("net-2", "container")}
    open_firewall.remove_store("db")
    assert networks.attached == {}
    open_firewall.remove_instance("i-1")


def test_shared_network_stays_for_the_other_instance(open_firewall: Firewall, networks: FakeNetworks) -> None:
    open_firewall.add_instance("i-2", "net-1", ["sg-eb"])
    open_firewall.remove_instance("i-1")
    assert set(networks.attached) == {("net-1", "container")}


def test_a_store_that_fails_over_meanwhile_keeps_nobody_else_out(
    firewall: Firewall, networks: FakeNetworks, groups: FakeGroups
) -> None:
    networks.gone.add("container")
    firewall.add_store(Store("cache", "other", "cache.example", 6379, ("sg-db",)))
    groups.rules["sg-db"] = [IngressRule("-1", None, None, groups=frozenset({"sg-eb"}))]
    firewall.reconcile()
    firewall.add_instance("i-2", "net-2", ["sg-eb"])
    assert set(networks.attached) == {("net-1", "other"), ("net-2", "other")}
    firewall.add_store(replace(DATABASE, container="standby"))
    assert {("net-1", "standby"), ("net-2", "standby")} < set(networks.attached)
