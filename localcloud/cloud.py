# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal cloud as one value that all service packages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.ca import CertificateAuthority
from localcloud.clock import MovableClock
from localcloud.engine import KIND_LABEL, NAME_LABEL, Engine
from localcloud.faults import Faults
from localcloud.firewall import Firewall
from localcloud.iam.authority import Switch
from localcloud.journal import Journal
from localcloud.latency import Latency
from localcloud.names import Names

if TYPE_CHECKING:
    from localcloud.cloudwatch.metrics import Datum

StatusProvider = Callable[[], Mapping[str, Any] | list[dict[str, Any]]]


@dataclass
class Cloud:
    """One rehearsal cloud. `endpoint` is for this machine, `container_endpoint` for containers.

    Service packages add to `status_providers` (a section of the status, as `environments`, to what makes it), to
    `shutdown_hooks` (called once before the containers are removed) and to `reset_hooks` (called whenever the account
    is to be empty again). Who runs instances sets `lose_instance`: it takes an instance's id, lets the instance vanish
    as if its host had failed, and raises LookupError for an unknown one. Who has environments sets `environment_arn`:
    it takes a region and a name or id. What is in `metric_sources` is asked each minute for what goes into CloudWatch.
    """

    id: str
    state_dir: Path
    account_id: str
    region: str
    endpoint: str
    container_endpoint: str
    registry: str
    engine: Engine
    ca: CertificateAuthority
    firewall: Firewall
    infra_image: str
    names: Names = field(default_factory=Names)
    latency: Latency = field(default_factory=Latency)
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    iam: Switch = field(default_factory=Switch)
    clock: MovableClock = field(default_factory=MovableClock)
    status_providers: dict[str, StatusProvider] = field(default_factory=dict)
    shutdown_hooks: list[Callable[[], None]] = field(default_factory=list)
    reset_hooks: list[Callable[[], None]] = field(default_factory=list)
    metric_sources: list[Callable[[], Iterable[Datum]]] = field(default_factory=list)
    lose_instance: Callable[[str], None] | None = None
    environment_arn: Callable[[str, str], str | None] | None = None

    def labels(self, kind: str, name: str) -> dict[str, str]:
        """The labels of a Docker object; the engine adds the cloud's own."""
        return {KIND_LABEL: kind, NAME_LABEL: name}

    def docker_name(self, kind: str, name: str) -> str:
        """A name for a Docker object that no other cloud on this machine uses."""
        return f"localcloud-{self.id}-{kind}-{name}"

    def status(self) -> dict[str, Any]:
        """What `status --json` prints."""
        sections: dict[str, Any] = {"environments": {}, "distributions": {}, "databases": {}}
        for section, provide in self.status_providers.items():
            sections[section] = provide()
        return {
            "endpoint": self.endpoint,
            "container_endpoint": self.container_endpoint,
            "registry": self.registry,
            "ca": str(self.ca.path),
            "account_id": self.account_id,
            "region": self.region,
            "latency": str(self.latency),
            **sections,
        }


_current: Cloud | None = None


def current() -> Cloud:
    """The cloud of this process.

    :raises RuntimeError: Before `install` has set it.
    """
    if _current is None:
        raise RuntimeError("no rehearsal cloud runs in this process")
    return _current


def set_current(cloud: Cloud | None) -> None:
    """Make it the cloud of this process."""
    global _current
    _current = cloud
