# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases' and caches' containers: their files, their network, their state, and their place behind the firewall."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.engine import ContainerSpec, EngineError, ExecResult, Mount
from localcloud.firewall import Store

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

START_TIMEOUT = 120.0
HOSTS = ("", "-standby")
"""A server that fails over moves to a container with the other of these suffixes."""


@dataclass(frozen=True)
class Key:
    """Which server: `name` is that of the DB instance or of the group's member."""

    kind: Literal["rds", "elasticache"]
    region: str
    name: str


@dataclass(frozen=True)
class Wanted:
    """A server to start.

    `files` are put, readable by root alone, into `directory` in the container. `probe` is a command in the container
    that ends well once clients are served. `data` is where its volume is mounted, None for a server without one.
    `home_names` are names under which other servers find it.
    """

    key: Key
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
    home_names: tuple[str, ...] = ()


@dataclass
class _Server:
    wanted: Wanted
    container: str
    store: Store
    host: str = HOSTS[0]
    lock: threading.Lock = field(default_factory=threading.Lock)


class Servers:
    """The containers of databases and caches, by key."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        # What containers take is taken on the machine's clock, wherever the cloud's has been put.
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._servers: dict[Key, _Server] = {}

    def start(self, wanted: Wanted) -> None:
        """Start a server, on its volume if there is one already, and put it behind the firewall.

        `await_ready` tells when it serves.

        :raises EngineError: When its container does not start; nothing is left of it then.
        """
        self._write_files(wanted)
        try:
            if wanted.data is not None:
                self._cloud.engine.ensure_volume(self.volume(wanted.key), self._labels(wanted.key))
            container = self._run(wanted, HOSTS[0])
        except EngineError:
            self._remove_objects(wanted, HOSTS[0])
            raise
        store = Store(
            id=self.docker_name(wanted.key),
            container=container,
            endpoint=wanted.endpoint,
            port=wanted.port,
            security_group_ids=wanted.security_group_ids,
            more_endpoints=wanted.more_endpoints,
        )
        with self._lock:
            self._servers[wanted.key] = _Server(wanted, container, store)
        self._cloud.firewall.add_store(store)

    def await_ready(self, key: Key) -> bool:
        """Wait until the server serves; False when its container ended meanwhile, or never did."""
        try:
            wait_until(lambda: self.serves(key) or not self.runs(key), f"{key.name} serves", START_TIMEOUT, self._clock)
        except DeadlineExceeded:
            return False
        return self.runs(key)

    def serves(self, key: Key) -> bool:
        """Whether clients are served."""
        server = self._servers.get(key)
        if server is None or not self.runs(key):
            return False
        try:
            return self._cloud.engine.exec_run(server.container, server.wanted.probe).exit_code == 0
        except EngineError:  # it has ended since
            return False

    def runs(self, key: Key) -> bool:
        """Whether the server's container runs."""
        server = self._servers.get(key)
        state = self._cloud.engine.inspect(server.container) if server is not None else None
        return state is not None and state.running

    def exists(self, key: Key) -> bool:
        """Whether there is such a server, running or not."""
        return key in self._servers

    def exec_run(self, key: Key, command: tuple[str, ...], environment: Mapping[str, str] | None = None) -> ExecResult:
        """Run a command in the server's container."""
        return self._cloud.engine.exec_run(self._servers[key].container, command, environment)

    def give_files(self, key: Key, files: Mapping[str, bytes]) -> None:
        """Give the running server other files; it is told about them by a command or its next start."""
        server = self._servers[key]
        with server.lock:
            server.wanted = replace(server.wanted, files={**server.wanted.files, **files})
            self._write_files(server.wanted)

    def admit(self, key: Key, security_group_ids: Iterable[str]) -> None:
        """Put the server into other security groups."""
        self._place(key, security_group_ids=tuple(security_group_ids))

    def listen(self, key: Key, port: int) -> None:
        """Clients are let in on another port from now on."""
        self._place(key, port=port)

    def name(self, key: Key, endpoint: str, more_endpoints: tuple[str, ...]) -> None:
        """Let other names lead to the server; what was connected by the old ones is cut off."""
        self._place(key, endpoint=endpoint, more_endpoints=more_endpoints)

    def stop(self, key: Key) -> None:
        """Stop the server and keep its data."""
        self._cloud.engine.stop(self._servers[key].container, timeout=30)

    def start_again(self, key: Key) -> None:
        """Start a server that does not run."""
        self._cloud.engine.start(self._servers[key].container)

    def fail_over(self, key: Key) -> None:
        """Kill the server's container, and start another on its data, to which its names lead.

        :raises EngineError: When the other container does not start.
        """
        server = self._servers[key]
        with server.lock:
            old = server.container
            self._cloud.engine.remove(old)
            (host,) = set(HOSTS) - {server.host}
            server.container, server.host = self._run(server.wanted, host), host
            server.store = replace(server.store, container=server.container)
        self._cloud.firewall.add_store(server.store)

    def replace(self, key: Key, files: Mapping[str, bytes]) -> None:
        """A new container, without what the old one held in memory, in the place of a server.

        :raises EngineError: When it does not start.
        """
        server = self._servers[key]
        with server.lock:
            self._cloud.engine.remove(server.container)
            server.wanted = replace(server.wanted, files={**server.wanted.files, **files})
            self._write_files(server.wanted)
            server.container = self._run(server.wanted, server.host)
            server.store = replace(server.store, container=server.container)
        self._cloud.firewall.add_store(server.store)

    def kill(self, key: Key) -> None:
        """End the server at once, as a failing host would."""
        self._cloud.engine.stop(self._servers[key].container, timeout=0)

    def remove(self, key: Key) -> None:
        """Remove the server and its data; an unknown one is no error."""
        with self._lock:
            server = self._servers.pop(key, None)
        if server is not None:
            self._cloud.firewall.remove_store(server.store.id)
            self._remove_objects(server.wanted, server.host)

    def remove_all(self) -> None:
        """Remove every server with its data."""
        for key in list(self._servers):
            self.remove(key)

    def container(self, key: Key) -> str:
        """The name of the server's container."""
        server = self._servers.get(key)
        return self.docker_name(key) + (server.host if server is not None else "")

    def docker_name(self, key: Key) -> str:
        """What the names of the server's Docker objects begin with."""
        local = key.name if key.region == self._cloud.region else f"{key.region}-{key.name}"
        return self._cloud.docker_name(key.kind, local)

    def volume(self, key: Key) -> str:
        """The name of the server's volume."""
        return self.docker_name(key)

    def _write_files(self, wanted: Wanted) -> None:
        """Put the files where the container sees them; they are private."""
        directory = self._directory(wanted.key)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in wanted.files.items():
            path = directory / name
            path.touch(mode=0o600)
            path.write_bytes(content)

    def _place(self, key: Key, **changed: object) -> None:
        server = self._servers[key]
        with server.lock:
            server.store = replace(server.store, **changed)  # type: ignore[arg-type]
        self._cloud.firewall.add_store(server.store)

    def _run(self, wanted: Wanted, host: str) -> str:
        mounts = [Mount(str(self._directory(wanted.key)), wanted.directory, read_only=True)]
        if wanted.data is not None:
            mounts.append(Mount(self.volume(wanted.key), wanted.data, kind="volume"))
        return self._cloud.engine.run(
            ContainerSpec(
                image=self._cloud.infra_image,
                name=self.docker_name(wanted.key) + host,
                network=self._network(),
                aliases=wanted.home_names,
                entrypoint=(wanted.entrypoint,),
                environment=wanted.environment,
                labels=self._labels(wanted.key),
                mounts=tuple(mounts),
                hostname=wanted.key.name,
            )
        )

    def _labels(self, key: Key) -> dict[str, str]:
        return self._cloud.labels(key.kind, key.name)

    def _network(self) -> str:
        """A network without a way out: servers meet their clients on the clients' networks."""
        name = self._cloud.docker_name("data", "home")
        self._cloud.engine.ensure_network(name, self._cloud.labels("data", "home"), internal=True)
        return name

    def _directory(self, key: Key) -> Path:
        return self._cloud.state_dir / key.kind / key.region / key.name

    def _remove_objects(self, wanted: Wanted, host: str) -> None:
        self._cloud.engine.remove(self.docker_name(wanted.key) + host)
        if wanted.data is not None:
            self._cloud.engine.remove_volume(self.volume(wanted.key))
        shutil.rmtree(self._directory(wanted.key), ignore_errors=True)
