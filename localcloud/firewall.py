# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups, enforced: a database or cache is on an instance's network only while a rule lets the instance in."""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from localcloud.engine import EngineError

LOG = logging.getLogger("localcloud.firewall")


@dataclass(frozen=True)
class Instance:
    """An EC2 instance and the Docker network that its containers share."""

    instance_id: str
    network: str
    security_group_ids: frozenset[str]


@dataclass(frozen=True)
class Store:
    """A database or cache: its container, and the names under which instances look for it.

    `endpoint` is the name that the API gives; `more_endpoints` are further ones that lead to the same place.
    """

    id: str
    container: str
    endpoint: str
    port: int
    security_group_ids: tuple[str, ...]
    more_endpoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class IngressRule:
    """One ingress rule. `from_port` is None when the protocol has no ports or all of them are meant."""

    protocol: str
    from_port: int | None
    to_port: int | None
    groups: frozenset[str] = frozenset()
    cidrs: frozenset[str] = frozenset()


class SecurityGroups(Protocol):
    """What the firewall asks EC2."""

    def ingress(self, group_id: str) -> Sequence[IngressRule]:
        """The group's ingress rules; none for a group that does not exist."""

    def address(self, instance_id: str) -> str | None:
        """The instance's private address, or None when EC2 does not know it."""


class Networks(Protocol):
    """What the firewall asks Docker."""

    def connect(self, network: str, container: str, aliases: tuple[str, ...] = ()) -> None: ...

    def disconnect(self, network: str, container: str) -> None: ...


class Firewall:
    """Keeps Docker's networks as the security groups say."""

    def __init__(self, networks: Networks, groups: SecurityGroups) -> None:
        self._networks = networks
        self._groups = groups
        self._lock = threading.RLock()
        self._instances: dict[str, Instance] = {}
        self._stores: dict[str, Store] = {}
        self._attached: dict[tuple[str, str], Store] = {}

    def add_instance(self, instance_id: str, network: str, security_group_ids: Iterable[str]) -> None:
        """Make known, or change, an instance; what its groups may reach is on `network` when this returns."""
        with self._lock:
            self._instances[instance_id] = Instance(instance_id, network, frozenset(security_group_ids))
            self.reconcile()

    def remove_instance(self, instance_id: str) -> None:
        """Take every store off the instance's network and forget the instance."""
        with self._lock:
            instance = self._instances.pop(instance_id, None)
            if instance is None:
                return
            shared = any(other.network == instance.network for other in self._instances.values())
            for (store_id, network), store in list(self._attached.items()):
                if network == instance.network and not shared:
                    self._networks.disconnect(network, store.container)
                    del self._attached[store_id, network]
            self.reconcile()

    def add_store(self, store: Store) -> None:
        """Make known, or change, a store; instances that are let in reach it when this returns."""
        with self._lock:
            self._stores[store.id] = store
            self.reconcile()

    def remove_store(self, store_id: str) -> None:
        """Take the store off every instance's network and forget it."""
        with self._lock:
            self._stores.pop(store_id, None)
            self.reconcile()

    def allows(self, store: Store, instance: Instance) -> bool:
        """Whether some ingress rule of the store's groups lets the instance reach the store's port."""
        address = self._groups.address(instance.instance_id)
        return any(
            _admits(rule, store.port, instance.security_group_ids, address)
            for group_id in store.security_group_ids
            for rule in self._groups.ingress(group_id)
        )

    def reconcile(self) -> None:
        """Attach and detach until Docker's networks agree with the security groups."""
        with self._lock:
            wanted = {
                (store.id, instance.network): store
                for store in self._stores.values()
                for instance in self._instances.values()
                if self.allows(store, instance)
            }
            for key, store in list(self._attached.items()):
                if wanted.get(key) != store:
                    self._networks.disconnect(key[1], store.container)
                    del self._attached[key]
            for key, store in wanted.items():
                if key not in self._attached:
                    self._attach(key, store)

    def _attach(self, key: tuple[str, str], store: Store) -> None:
        """One that is failing over is gone for a moment: the container in its place comes with `add_store`."""
        try:
            self._networks.connect(key[1], store.container, (store.endpoint, *store.more_endpoints))
        except EngineError as error:
            LOG.warning("%s stays off %s until the next look: %s", *key, error)
        else:
            self._attached[key] = store


def _admits(rule: IngressRule, port: int, groups: frozenset[str], address: str | None) -> bool:
    if rule.protocol not in ("tcp", "-1"):
        return False
    if rule.from_port is not None and not rule.from_port <= port <= (rule.to_port or rule.from_port):
        return False
    return bool(rule.groups & groups) or (address is not None and _in_any(address, rule.cidrs))


def _in_any(address: str, cidrs: Iterable[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


class MotoSecurityGroups:
    """Reads moto's EC2."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    def ingress(self, group_id: str) -> list[IngressRule]:
        group = self._backend().get_security_group_from_id(group_id)
        return [_rule(rule) for rule in group.ingress_rules] if group is not None else []

    def address(self, instance_id: str) -> str | None:
        for reservation in self._backend().reservations.values():
            for instance in reservation.instances:
                if instance.id == instance_id:
                    return str(instance.private_ip) if instance.private_ip else None
        return None

    def _backend(self) -> Any:
        from moto.ec2.models import ec2_backends

        return ec2_backends[self._account_id][self._region]


def _rule(rule: Any) -> IngressRule:
    group = rule.source_group.get("GroupId") if rule.source_group else None
    cidrs = (rule.ip_range.get("CidrIp"), rule.ip_range.get("CidrIpv6"))
    return IngressRule(
        protocol=str(rule.ip_protocol),
        from_port=None if rule.ip_protocol == "-1" else rule.from_port,
        to_port=None if rule.ip_protocol == "-1" else rule.to_port,
        groups=frozenset([group] if group else []),
        cidrs=frozenset(cidr for cidr in cidrs if cidr),
    )


CHANGES = ("SecurityGroup", "ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute")
READS = ("Describe", "Get")


def install(firewall: Firewall) -> None:
    """Have the firewall look again after every EC2 call that may have changed a security group."""
    from moto.ec2 import urls
    from moto.ec2.responses import EC2Response

    if list(urls.url_paths) != ["{0}/"]:
        raise RuntimeError("moto's EC2 has other URLs than expected: not the moto that requirements.txt pins")

    class GuardedEC2Response(EC2Response):  # type: ignore[misc]
        def call_action(self) -> Any:
            answer = super().call_action()
            action = str(self._get_action())
            if not action.startswith(READS) and any(change in action for change in CHANGES):
                firewall.reconcile()
            return answer

    urls.url_paths["{0}/"] = GuardedEC2Response.dispatch
