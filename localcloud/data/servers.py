# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database's or cache's container: its files, its network, its state, and its place behind the firewall."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from localcloud.engine import ContainerSpec, EngineError, ExecResult, Mount
from localcloud.firewall import Store

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

Condition = Literal["starting", "ready", "stopped", "failed"]


@dataclass(frozen=True)
class Wanted:
    """A server to start.

    `files` are put, readable by root alone, into `directory` in the container. `probe` is a command in the container
    that ends well once clients are served. `data` is where its volume is mounted, None for a server without one.
    """

    kind: Literal["rds", "elasticache"]
    name: str
    region: str
    entrypoint: str
    directory: str
    files: Mapping[str, bytes]
    environment: Mapping[str, str]
    probe: tuple[str, ...]
    endpoint: str
    more_endpoints: tuple[str, ...]
    port: int
    security_group_ids: tuple[str, ...]
    data: str | None = None
    memory_bytes: int | None = None


@dataclass
class _Server:
    wanted: Wanted
    container: str
    store: Store
    started: float
    ready: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Servers:
    """The containers of one kind of service.

    How long a server takes to be ready at least: `cloud.latency`, `rds.create` and `elasticache.create`.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._servers: dict[tuple[str, str], _Server] = {}

    def start(self, wanted: Wanted) -> None:
        """Start a server and put it behind the firewall; it becomes ready by itself.

        :raises EngineError: When its container does not start; nothing is left of it then.
        """
        cloud = self._cloud
        name = self.docker_name(wanted)
        directory = self._write_files(wanted)
        mounts = [Mount(str(directory), wanted.directory, read_only=True)]
        labels = cloud.labels(wanted.kind, wanted.name)
        try:
            if wanted.data is not None:
                cloud.engine.ensure_volume(name, labels)
                mounts.append(Mount(name, wanted.data, kind="volume"))
            container = cloud.engine.run(
                ContainerSpec(
                    image=cloud.infra_image,
                    name=name,
                    network=self._network(),
                    entrypoint=(wanted.entrypoint,),
                    environment=wanted.environment,
                    labels=labels,
                    mounts=tuple(mounts),
                    memory_bytes=wanted.memory_bytes,
                    hostname=wanted.name,
                )
            )
        except EngineError:
            self._remove_objects(wanted)
            raise
        store = Store(
            id=name,
            container=container,
            endpoint=wanted.endpoint,
            port=wanted.port,
            security_group_ids=wanted.security_group_ids,
            more_endpoints=wanted.more_endpoints,
        )
        with self._lock:
            self._servers[wanted.region, wanted.name] = _Server(wanted, container, store, cloud.clock.monotonic())
        cloud.firewall.add_store(store)

    def condition(self, region: str, name: str) -> Condition:
        """What has become of the server; once ready it is looked at no more, until it is stopped."""
        server = self._servers.get((region, name))
        if server is None:
            return "failed"
        with server.lock:
            state = self._cloud.engine.inspect(server.container)
            if state is None:
                return "failed"
            if not state.running:
                server.ready = False
                return "stopped" if state.exit_code in (0, 143) else "failed"
            if self._cloud.clock.monotonic() - server.started < self._cloud.latency.of(f"{server.wanted.kind}.create"):
                return "starting"
            if not server.ready:
                server.ready = self._cloud.engine.exec_run(server.container, server.wanted.probe).exit_code == 0
            return "ready" if server.ready else "starting"

    def exec_run(self, region: str, name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> ExecResult:
        """Run a command in the server's container."""
        return self._cloud.engine.exec_run(self._servers[region, name].container, command, environment)

    def admit(self, region: str, name: str, security_group_ids: Iterable[str]) -> None:
        """Put the server into other security groups."""
        server = self._servers[region, name]
        server.store = replace(server.store, security_group_ids=tuple(security_group_ids))
        self._cloud.firewall.add_store(server.store)

    def stop(self, region: str, name: str) -> None:
        """Stop the server and keep its data."""
        self._cloud.engine.stop(self._servers[region, name].container, timeout=30)

    def start_again(self, region: str, name: str) -> None:
        """Start a stopped server."""
        server = self._servers[region, name]
        with server.lock:
            server.ready = False
            self._cloud.engine.start(server.container)

    def remove(self, region: str, name: str) -> None:
        """Remove the server and its data; an unknown one is no error."""
        with self._lock:
            server = self._servers.pop((region, name), None)
        if server is not None:
            self._cloud.firewall.remove_store(server.store.id)
            self._remove_objects(server.wanted)

    def remove_all(self) -> None:
        """Remove every server with its data."""
        for region, name in list(self._servers):
            self.remove(region, name)

    def docker_name(self, wanted: Wanted) -> str:
        """The name of the server's container and volume."""
        local = wanted.name if wanted.region == self._cloud.region else f"{wanted.region}-{wanted.name}"
        return self._cloud.docker_name(wanted.kind, local)

    def _network(self) -> str:
        """A network without a way out: servers meet their clients on the clients' networks."""
        name = self._cloud.docker_name("data", "home")
        self._cloud.engine.ensure_network(name, self._cloud.labels("data", "home"), internal=True)
        return name

    def _write_files(self, wanted: Wanted) -> Path:
        directory = self._directory(wanted)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in wanted.files.items():
            path = directory / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        return directory

    def _directory(self, wanted: Wanted) -> Path:
        return self._cloud.state_dir / wanted.kind / wanted.region / wanted.name

    def _remove_objects(self, wanted: Wanted) -> None:
        self._cloud.engine.remove(self.docker_name(wanted))
        if wanted.data is not None:
            self._cloud.engine.remove_volume(self.docker_name(wanted))
        shutil.rmtree(self._directory(wanted), ignore_errors=True)
