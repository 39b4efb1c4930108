# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of the rehearsal cloud's dealings with Docker."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound
from docker.types import IPAMConfig, IPAMPool
from docker.types import Mount as DockerMount

LABEL = "localcloud"
KIND_LABEL = "localcloud.kind"
NAME_LABEL = "localcloud.name"
# Where networks get their addresses: set aside for benchmarks of network devices (RFC 2544), so no office uses it;
# the second is for machines whose VPN does.
POOLS = (ipaddress.IPv4Network("198.18.0.0/15"), ipaddress.IPv4Network("10.213.0.0/16"))
SUBNET_PREFIX = 26
ROUTES = Path("/proc/net/route")


class EngineError(Exception):
    """Docker refused or failed; the message is fit for a person.

    :param answer: Docker's own words.
    """

    def __init__(self, message: str, answer: str = "") -> None:
        super().__init__(message)
        self.answer = answer or message


class EngineUnavailable(EngineError):
    """Docker is not installed, not running or not ours to use."""


@dataclass(frozen=True)
class Mount:
    """A volume (by name) or a directory or file of this machine (by absolute path) in a container."""

    source: str
    target: str
    read_only: bool = False
    kind: Literal["bind", "volume"] = "bind"


@dataclass(frozen=True)
class ContainerSpec:
    """A container to start.

    `ports` maps a container port to (host address, host port), port 0 meaning any free one.
    `links` pairs another container's name or id with an alias under which this one sees it: one may have several.
    `extra_hosts` maps a name to an address.
    """

    image: str
    name: str
    network: str | None = None
    aliases: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    memory_bytes: int | None = None
    mounts: tuple[Mount, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class ContainerState:
    """A container as Docker sees it. `ports` maps container port to host port; `ip` is that of its first network."""

    id: str
    name: str
    image: str
    running: bool
    exit_code: int | None
    oom_killed: bool
    error: str
    restart_count: int
    ports: Mapping[int, int]
    ip: str
    networks: Mapping[str, str]
    labels: Mapping[str, str]
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class ExecResult:
    """What a command in a container did; `output` holds stdout and stderr."""

    exit_code: int
    output: str


class Engine:
    """Docker, for one rehearsal cloud: whatever it makes bears the cloud's id as a label."""

    def __init__(self, cloud_id: str, client: docker.DockerClient) -> None:
        self.cloud_id = cloud_id
        self._client = client

    @classmethod
    def open(cls, cloud_id: str) -> Engine:
        """Connect to the Docker of this machine.

        :raises EngineUnavailable: With what to do about it.
        """
        try:
            client = docker.from_env(timeout=600)
            client.ping()
        except (DockerException, requests.RequestException) as error:
            raise EngineUnavailable(_why_unavailable(error)) from error
        return cls(cloud_id, client)

    # -- networks and volumes -------------------------------------------------------------------------------------

    def ensure_network(self, name: str, labels: Mapping[str, str] | None = None, internal: bool = False) -> str:
        """The id of the bridge network `name`, made if absent. `internal`: without a way out of this machine."""
        with _explained(f"network {name}"):
            for network in self._client.networks.list(names=[name]):
                if network.name == name:
                    return str(network.id)
            return self._create_network(name, labels, internal)

    def _create_network(self, name: str, labels: Mapping[str, str] | None, internal: bool) -> str:
        """On a small subnet of our own choosing: Docker's address pools hold about thirty networks."""
        routed = _routed()
        for subnet in _subnets(name):
            if any(subnet.overlaps(other) for other in routed):
                continue
            pool = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))])
            try:
                made = self._client.networks.create(
                    name, driver="bridge", labels=self._labels(labels), internal=internal, ipam=pool
                )
            except APIError as error:
                if "overlaps" in str(error):  # with a network that is being made at the same moment, or is down
                    continue
                raise
            return str(made.id)
        raise EngineError(f"network {name}: no subnet of {', '.join(map(str, POOLS))} is free")

    def remove_network(self, name: str) -> None:
        """Remove the network and take all containers off it; an absent one is no error."""
        with _explained(f"network {name}"), contextlib.suppress(NotFound):
            network = self._client.networks.get(name)
            for container in network.attrs.get("Containers") or {}:
                with contextlib.suppress(NotFound):
                    network.disconnect(container, force=True)
            network.remove()

    def connect(self, network: str, container: str, aliases: tuple[str, ...] = ()) -> None:
        """Put the container on the network under these aliases; already there with all of them is fine."""
        with _explained(f"container {container} on network {network}"):
            found = self._client.networks.get(network)
            attached = self._client.api.inspect_container(container)["NetworkSettings"]["Networks"].get(found.name)
            if attached is not None:
                if set(aliases) <= set(attached.get("Aliases") or ()):
                    return
                found.disconnect(container, force=True)
            found.connect(container, aliases=list(aliases) or None)

    def disconnect(self, network: str, container: str) -> None:
        """Take the container off the network; absent or not on it is no error."""
        with _explained(f"container {container} off network {network}"), contextlib.suppress(NotFound):
            found = self._client.networks.get(network)
            if found.name in self._client.api.inspect_container(container)["NetworkSettings"]["Networks"]:
                found.disconnect(container, force=True)

    def ensure_volume(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Make the volume if absent."""
        with _explained(f"volume {name}"):
            try:
                self._client.volumes.get(name)
            except NotFound:
                self._client.volumes.create(name, labels=self._labels(labels))

    def remove_volume(self, name: str) -> None:
        """Remove the volume and its data; an absent one is no error."""
        with _explained(f"volume {name}"), contextlib.suppress(NotFound):
            self._client.volumes.get(name).remove(force=True)

    def gateway(self) -> str:
        """The address under which containers reach this machine."""
        with _explained("network bridge"):
            (config, *_) = self._client.networks.get("bridge").attrs["IPAM"]["Config"]
        # Some engines leave the gateway out: it is the subnet's first address then.
        return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))

    # -- containers -----------------------------------------------------------------------------------------------

    def run(self, spec: ContainerSpec) -> str:
        """Create and start a container, and return its id. A container that does not start is removed again."""
        with _explained(f"container {spec.name} of image {spec.image}"):
            created = self._client.api.create_container(
                image=spec.image,
                name=spec.name,
                command=list(spec.command) if spec.command is not None else None,
                entrypoint=list(spec.entrypoint) if spec.entrypoint is not None else None,
                environment=dict(spec.environment),
                labels=self._labels(spec.labels),
                hostname=spec.hostname,
                user=spec.user,
                ports=list(spec.ports),
                host_config=self._host_config(spec),
                networking_config=self._networking_config(spec),
            )
            identifier = str(created["Id"])
            try:
                self._client.api.start(identifier)
            except APIError:
                self._client.api.remove_container(identifier, force=True, v=True)
                raise
            return identifier

    def run_once(self, spec: ContainerSpec) -> ExecResult:
        """Run a container until it ends by itself, and remove it."""
        identifier = self.run(spec)
        try:
            with _explained(f"container {spec.name}"):
                code = self._client.api.wait(identifier)["StatusCode"]
                output = self._client.api.logs(identifier)
        finally:
            self.remove(identifier)
        return ExecResult(int(code), output.decode(errors="replace"))

    def inspect(self, container: str) -> ContainerState | None:
        """The container's state, or None when there is none of that id or name."""
        with _explained(f"container {container}"):
            try:
                return _state(self._client.api.inspect_container(container))
            except NotFound:
                return None

    def stop(self, container: str, timeout: int = 10) -> None:
        """Ask it to end, and kill it after `timeout` seconds; absent or ended is no error."""
        with _explained(f"container {container}"), contextlib.suppress(NotFound):
            self._client.api.stop(container, timeout=timeout)

    def signal(self, container: str, name: str) -> None:
        """Send its first process a signal such as USR2; absent or ended is no error."""
        with _explained(f"container {container}"), contextlib.suppress(NotFound):
            self._client.api.kill(container, name)

    def start(self, container: str) -> None:
        """Start a container that ended."""
        with _explained(f"container {container}"):
            self._client.api.start(container)

    def remove(self, container: str) -> None:
        """Kill and remove it with its anonymous volumes; an absent one is no error."""
        with _explained(f"container {container}"), contextlib.suppress(NotFound):
            self._client.api.remove_container(container, force=True, v=True)

    def logs(self, container: str, since: datetime | None = None, follow: bool = False) -> Iterator[bytes]:
        """The container's stdout and stderr in chunks, each line led by Docker's timestamp; none if it is absent."""
        with _explained(f"logs of container {container}"):
            try:
                yield from self._client.api.logs(
                    container, stdout=True, stderr=True, stream=True, timestamps=True, follow=follow, since=since
                )
            except NotFound:
                return

    def exec_run(
        self, container: str, command: tuple[str, ...], environment: Mapping[str, str] | None = None
    ) -> ExecResult:
        """Run a command in a running container and wait for its end."""
        with _explained(f"command in container {container}"):
            created = self._client.api.exec_create(container, list(command), environment=dict(environment or {}))
            output = self._client.api.exec_start(created["Id"])
            code = self._client.api.exec_inspect(created["Id"])["ExitCode"]
            return ExecResult(int(code if code is not None else -1), output.decode(errors="replace"))

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[ContainerState]:
        """This cloud's containers, running or not, that bear all these labels."""
        with _explained("containers"):
            found = self._client.api.containers(all=True, filters={"label": self._label_filter(labels)})
        states = (self.inspect(item["Id"]) for item in found)
        return [state for state in states if state is not None]

    def remove_all(self) -> Sequence[str]:
        """Remove every container, network and volume of this cloud, and say which."""
        removed = []
        for state in self.list():
            self.remove(state.id)
            removed.append(f"container {state.name}")
        filters = {"label": self._label_filter(None)}
        with _explained("leftovers"):
            networks = self._client.networks.list(filters=filters)
            volumes = self._client.volumes.list(filters=filters)
        for network in networks:
            self.remove_network(str(network.name))
            removed.append(f"network {network.name}")
        for volume in volumes:
            self.remove_volume(str(volume.name))
            removed.append(f"volume {volume.name}")
        return removed

    # -- images ---------------------------------------------------------------------------------------------------

    def remove_images_of(self, registry: str) -> Sequence[str]:
        """Remove this machine's copies of a registry's images, and say which. `registry` is host:port."""
        with _explained(f"images of {registry}"):
            copies = self._client.api.images(name=f"{registry}/*")
        names = {name for copy in copies for name in (copy["RepoTags"] or []) + (copy["RepoDigests"] or [])}
        removed = sorted(name for name in names if name.startswith(f"{registry}/") and not name.endswith("<none>"))
        for name in removed:
            self.remove_image(name)
        return [f"image {name}" for name in removed]

    def image_exists(self, reference: str) -> bool:
        """Whether this machine has the image."""
        return self.image_config(reference) is not None

    def image_config(self, reference: str) -> Mapping[str, Any] | None:
        """The image's configuration (Env, Cmd, Labels, …) as Docker spells it, or None when it is absent."""
        with _explained(f"image {reference}"):
            try:
                config = self._client.images.get(reference).attrs.get("Config") or {}
            except ImageNotFound:
                return None
            return dict(config)

    def pull(self, reference: str, username: str | None = None, password: str | None = None) -> None:
        """Pull an image.

        :raises EngineError: With the registry's own words.
        """
        credentials = {"username": username, "password": password} if username is not None else None
        with _explained(f"pull of {reference}"):
            for line in self._client.api.pull(reference, auth_config=credentials, stream=True, decode=True):
                if "error" in line:
                    raise EngineError(f"pull of {reference}: {line['error']}", str(line["error"]))

    def build(
        self,
        context: Path,
        dockerfile: str,
        tag: str,
        labels: Mapping[str, str] | None = None,
        buildargs: Mapping[str, str] | None = None,
    ) -> None:
        """Build an image.

        :param dockerfile: Path within `context`.
        :raises EngineError: With the end of the build's output.
        """
        try:
            self._client.images.build(
                path=str(context),
                dockerfile=dockerfile,
                tag=tag,
                rm=True,
                forcerm=True,
                labels=dict(labels or {}),
                buildargs=dict(buildargs or {}),
            )
        except BuildError as error:
            lines = [str(line.get("stream") or line.get("error") or "") for line in error.build_log]
            raise EngineError(f"build of {tag} failed: {''.join(lines)[-2000:].strip()}") from error
        except (APIError, DockerException, requests.RequestException) as error:
            raise EngineError(f"build of {tag}: {_explanation(error)}") from error

    def import_image(self, archive: Path, tag: str, changes: tuple[str, ...] = ()) -> None:
        """Make an image of a tar archive of a root file system; `changes` are Dockerfile instructions."""
        repository, _, version = tag.rpartition(":")
        with _explained(f"import of {tag}"):
            self._client.api.import_image_from_file(
                str(archive), repository=repository, tag=version, changes=list(changes)
            )

    def tag(self, reference: str, new: str) -> None:
        """Give the image another name."""
        repository, _, version = new.rpartition(":")
        with _explained(f"tag {new} of image {reference}"):
            self._client.api.tag(reference, repository, version)

    def remove_image(self, reference: str) -> None:
        """Remove the name, and the image with its last name; an absent one is no error."""
        with _explained(f"image {reference}"), contextlib.suppress(ImageNotFound):
            self._client.api.remove_image(reference)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _labels(self, labels: Mapping[str, str] | None) -> dict[str, str]:
        return {**(labels or {}), LABEL: self.cloud_id}

    def _label_filter(self, labels: Mapping[str, str] | None) -> Sequence[str]:
        return [f"{name}={value}" for name, value in self._labels(labels).items()]

    def _host_config(self, spec: ContainerSpec) -> Any:
        return self._client.api.create_host_config(
            port_bindings={port: (host, number or None) for port, (host, number) in spec.ports.items()},
            mem_limit=spec.memory_bytes,
            mounts=[DockerMount(m.target, m.source, type=m.kind, read_only=m.read_only) for m in spec.mounts],
            # On the default bridge a link is the container's, elsewhere it is its network endpoint's.
            links=list(spec.links) if spec.links and spec.network is None else None,
            extra_hosts=dict(spec.extra_hosts),
            network_mode=spec.network,
        )

    def _networking_config(self, spec: ContainerSpec) -> Any:
        if spec.network is None:
            return None
        endpoint = self._client.api.create_endpoint_config(
            aliases=list(spec.aliases) or None, links=list(spec.links) or None
        )
        return {"EndpointsConfig": {spec.network: endpoint}}


def _subnets(name: str) -> Iterator[ipaddress.IPv4Network]:
    """All subnets for networks, from one on that depends on the name: two clouds seldom try the same."""
    for pool in POOLS:
        count = 2 ** (SUBNET_PREFIX - pool.prefixlen)
        start = zlib.crc32(name.encode()) % count
        size = 2 ** (32 - SUBNET_PREFIX)
        for offset in range(count):
            number = (start + offset) % count
            yield ipaddress.IPv4Network((int(pool.network_address) + number * size, SUBNET_PREFIX))


def _routed() -> list[ipaddress.IPv4Network]:
    """The networks that this machine has routes to, but for the default route."""
    networks = []
    for line in ROUTES.read_text().splitlines()[1:] if ROUTES.exists() else ():
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        address, netmask = (int.from_bytes(bytes.fromhex(word), "little") for word in (destination, mask))
        if netmask:
            networks.append(ipaddress.IPv4Network((address, str(ipaddress.IPv4Address(netmask)))))
    return networks


def _state(found: Mapping[str, Any]) -> ContainerState:
    state = found["State"]
    networks = {name: item.get("IPAddress") or "" for name, item in found["NetworkSettings"]["Networks"].items()}
    return ContainerState(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        image=found["Config"]["Image"],
        running=bool(state["Running"]) and not state.get("Restarting"),
        exit_code=None if state["Running"] else int(state["ExitCode"]),
        oom_killed=bool(state["OOMKilled"]),
        error=state["Error"],
        restart_count=int(found["RestartCount"]),
        ports=_host_ports(found["NetworkSettings"].get("Ports") or {}),
        ip=next((address for address in networks.values() if address), ""),
        networks=networks,
        labels=dict(found["Config"].get("Labels") or {}),
        started_at=_time(state["StartedAt"]),
        finished_at=_time(state["FinishedAt"]),
    )


def _host_ports(ports: Mapping[str, Any]) -> dict[int, int]:
    return {
        int(port.partition("/")[0]): int(bindings[0]["HostPort"])
        for port, bindings in ports.items()
        if bindings and bindings[0].get("HostPort")
    }


def _time(text: str) -> datetime | None:
    """Docker writes nanoseconds, and the year 1 for never."""
    if text.startswith("0001-"):
        return None
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn Docker's exceptions into ours, naming the thing."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise EngineError(f"{what}: {_explanation(error)}", _explanation(error)) from error


def _explanation(error: Exception) -> str:
    explanation = getattr(error, "explanation", None)
    return str(explanation or error)


def _why_unavailable(error: Exception) -> str:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    text = str(error)
    if "Permission denied" in text or "PermissionError" in text:
        return f"Docker at {host} is not ours to use: add this user to the group docker, then log in anew"
    if "FileNotFoundError" in text or "No such file" in text:
        return f"no Docker at {host}: install Docker Engine and start it, or set DOCKER_HOST"
    if "refused" in text:
        return f"Docker at {host} does not run: start it (systemctl start docker), then repeat"
    return f"Docker at {host} cannot be used: {text}"
