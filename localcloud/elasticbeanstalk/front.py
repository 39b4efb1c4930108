# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment's front, running: one HAProxy on this machine's loopback, told anew whenever something changes.

HAProxy runs in the machine's own network: its ports may change while it runs, and instances are ports on loopback too.
A new configuration is read without dropping a connection, and with what the old one knew about the targets.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud import certificates
from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.elasticbeanstalk import haproxy
from localcloud.elasticbeanstalk.balancer import Layout, Target
from localcloud.elasticbeanstalk.haproxy import Counts, Sight
from localcloud.engine import ContainerSpec, EngineError, Mount
from localcloud.names import LOOPBACK

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

TRIES = 12
TRY_SECONDS = 8.0
# A reload may swallow the question: asked anew it is answered.
ANSWER_SECONDS = 3.0
POLL_SECONDS = 0.2
# How many seconds between two health checks take when nothing takes its time.
INSTANT_PACE = 1 / 30
# HAProxy takes the time that it takes, whatever the cloud's clock says.
MACHINE = SystemClock()


class PortTaken(EngineError):
    """Others listen already on these `ports` of loopback."""

    def __init__(self, ports: set[int]) -> None:
        super().__init__(f"others listen already on {', '.join(map(str, sorted(ports)))} of {LOOPBACK}")
        self.ports = ports


@dataclass(frozen=True)
class TargetHealth:
    """What DescribeTargetHealth says about a target of a process, since when, and its private IP address."""

    state: str
    reason: str | None
    detail: str
    since: datetime


class Front:
    """The front of one environment; the methods may be called from several threads."""

    def __init__(self, cloud: Cloud, environment_id: str) -> None:
        self._cloud = cloud
        self._id = environment_id
        self._lock = threading.RLock()
        self._generation = 0
        # Whether HAProxy may have another configuration than what follows: the next call tells it again.
        self._stale = False
        self._layout: Layout | None = None
        self._ports: Mapping[int, int] = {}
        self._targets: dict[str, Target] = {}
        self._health: dict[tuple[str, str], TargetHealth] = {}
        self._draining: set[str] = set()
        self._counted = Counts()
        self._past = Counts()

    @property
    def _name(self) -> str:
        return self._cloud.docker_name("front", self._id)

    @property
    def _directory(self) -> Path:
        return self._cloud.state_dir / "fronts" / self._id

    @property
    def layout(self) -> Layout | None:
        return self._layout

    # -- changing -------------------------------------------------------------------------------------------------

    def arrange(self, layout: Layout, ports: Mapping[int, int]) -> None:
        """Have these listeners and processes from now on.

        :param ports: A listener's port to that on loopback.
        :raises PortTaken: When others have some of them.
        """
        with self._lock:
            if self._stale or (layout, ports) != (self._layout, self._ports):
                self._layout, self._ports = layout, dict(ports)
                self._tell()

    def register(self, targets: Sequence[Target]) -> None:
        """Send requests to these too, as soon as they have passed a health check; known ones get their new ports."""
        with self._lock:
            wanted = {target.id: self._as_before(target) for target in targets}
            if self._stale or any(self._targets.get(name) != target for name, target in wanted.items()):
                self._targets = {**self._targets, **wanted}
                self._draining -= wanted.keys()
                self._tell()

    def _as_before(self, target: Target) -> Target:
        known = self._targets.get(target.id)
        return replace(target, admitted=known.admitted if known is not None else not self._checks())

    def _checks(self) -> bool:
        return self._layout is not None and self._layout.kind != "address"

    def lead_to(self, target: Target) -> None:
        """Have this target and no other, as an elastic IP address moves."""
        with self._lock:
            wanted = {target.id: self._as_before(target)}
            if self._stale or wanted != self._targets:
                self._targets = wanted
                self._tell()

    def deregister(self, names: Sequence[str], give_up: Callable[[], bool]) -> None:
        """Send no more requests there, and let those that are under way end: no longer than the processes' delay."""
        known = [name for name in names if name in self._targets]
        if not known or self._layout is None:
            return
        processes = self._layout.processes
        with self._lock:
            self._draining |= set(known)
            backends = [*(item.name for item in processes)]
            if self._layout.kind == "application":
                backends += [f"{haproxy.OPEN}{name}" for name in backends]
            for name in known:
                for backend in backends:
                    self._ask(f"set server {backend}/{name} state drain")
        clock, delay = self._cloud.clock, max(item.delay for item in processes)
        until = clock.monotonic() + delay
        while clock.monotonic() < until and not give_up():
            statistics = self._ask("show stat")
            if not any(haproxy.sessions(statistics, name) for name in known):
                break
            clock.wait(POLL_SECONDS)
        self.forget(known)

    def forget(self, names: Sequence[str]) -> None:
        """Do without these targets at once."""
        with self._lock:
            left = {name: target for name, target in self._targets.items() if name not in names}
            self._draining -= set(names)
            if self._stale or left != self._targets:
                self._targets = left
                self._health = {key: value for key, value in self._health.items() if key[1] in left}
                self._tell()

    def remove(self) -> None:
        """Stop answering, and leave nothing behind."""
        with self._lock:
            self._layout = None
            self._cloud.engine.remove(self._name)
            shutil.rmtree(self._directory, ignore_errors=True)

    # -- looking --------------------------------------------------------------------------------------------------

    def observe(self) -> Mapping[str, Mapping[str, TargetHealth]]:
        """Look at the health checks: process to target to its health. Who passed its first gets requests from now."""
        with self._lock:
            if self._layout is None or not self._checks():
                return {}
            statistics = self._ask("show stat")
            self._admit(haproxy.passed(statistics))
            self._counted = haproxy.counts(statistics)
            now = self._cloud.clock.now()
            return {
                process: {name: self._note(process, name, sight, now) for name, sight in found.items()}
                for process, found in haproxy.sights(statistics).items()
            }

    def _admit(self, passed: set[str]) -> None:
        for name in passed & self._targets.keys():
            target = self._targets[name]
            if not target.admitted and self._layout is not None:
                self._targets[name] = replace(target, admitted=True)
                for process in self._layout.processes:
                    self._ask(f"set server {process.name}/{name} weight {haproxy.FULL}")

    def _note(self, process: str, name: str, sight: Sight, now: datetime) -> TargetHealth:
        draining = name in self._draining
        state = "draining" if draining else sight.state
        reason = "Target.DeregistrationInProgress" if draining else sight.reason
        before = self._health.get((process, name))
        since = before.since if before is not None and before.state == state else now
        noted = self._health[process, name] = TargetHealth(state, reason, sight.detail, since)
        return noted

    def counts(self) -> Counts:
        """Requests and answers since the front was made, as `observe` saw them last."""
        with self._lock:
            return _sum(self._past, self._counted)

    # -- HAProxy --------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        if self._layout is None:
            return
        self._stale = True
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._runs():
            self._remember(self._layout)
        else:
            (self._directory / haproxy.STATE).write_text("")
        self._generation += 1
        targets = list(self._targets.values())
        wanted = haproxy.files(self._layout, targets, self._ports, f"g{self._generation}", self._pace())
        for name, text in wanted.items():
            (self._directory / name).write_text(text)
        for listener in self._layout.listeners:
            if listener.certificate is not None:
                file = self._directory / haproxy.certificate_file(listener)
                file.touch(mode=0o600)
                file.write_bytes(certificates.pem(self._cloud, listener.certificate))
        self._put_in_force()
        self._stale = False

    def _put_in_force(self) -> None:
        """Have HAProxy read its configuration; a busy machine may need more than one try."""
        said = ""
        for _ in range(TRIES):
            # It answers when it has done it; where it cannot listen it tries for some seconds.
            said = self._ask("reload", haproxy.MASTER, TRY_SECONDS) if self._runs() else self._start()
            if taken := haproxy.taken(said) & set(self._ports.values()):
                raise PortTaken(taken)
            with contextlib.suppress(DeadlineExceeded):
                self._wait(self._in_force)
                return
        raise EngineError(f"the front of {self._id} does not take its configuration: {said}{self._log()}")

    def _wait(self, goal: Callable[[], bool]) -> None:
        wait_until(goal, f"the front of {self._id}", TRY_SECONDS, MACHINE, poll=0.05)

    def _runs(self) -> bool:
        state = self._cloud.engine.inspect(self._name)
        return state is not None and state.running

    def _log(self) -> str:
        return b"".join(self._cloud.engine.logs(self._name)).decode(errors="replace")[-1000:]

    def _in_force(self) -> bool:
        return haproxy.generation(self._ask("show info")) == f"g{self._generation}"

    def _remember(self, layout: Layout) -> None:
        state = haproxy.still_true(self._ask("show servers state"), layout, list(self._targets.values()))
        (self._directory / haproxy.STATE).write_text(state)
        self._past = _sum(self._past, haproxy.counts(self._ask("show stat")))
        self._counted = Counts()

    def _start(self) -> str:
        """Start one that reads it; returns what it says about it."""
        self._cloud.engine.remove(self._name)
        self._cloud.engine.run(
            ContainerSpec(
                image=self._cloud.infra_image,
                name=self._name,
                network="host",
                entrypoint=("/usr/sbin/haproxy",),
                command=("-W", "-db", "-S", haproxy.MASTER_ADDRESS, "-f", f"{haproxy.DIRECTORY}/haproxy.cfg"),
                labels=self._cloud.labels("front", self._id),
                mounts=(Mount(str(self._directory), haproxy.DIRECTORY),),
            )
        )
        with contextlib.suppress(DeadlineExceeded):
            self._wait(lambda: self._in_force() or not self._runs())
        return self._log()

    def _pace(self) -> float:
        latency = self._cloud.latency
        return latency.scale if latency.profile == "aws" else INSTANT_PACE

    def _ask(self, command: str, name: str = haproxy.SOCKET, timeout: float = ANSWER_SECONDS) -> str:
        """HAProxy's answer at this socket, empty while it does not listen."""
        try:
            directory = os.open(self._directory, os.O_PATH)
        except FileNotFoundError:
            return ""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(timeout)
                # A path of its own may be too long for a socket's address.
                client.connect(f"/proc/self/fd/{directory}/{name}")
                client.sendall(f"{command}\n".encode())
                return b"".join(iter(lambda: client.recv(65536), b"")).decode()
        except OSError:
            return ""
        finally:
            os.close(directory)


def _sum(one: Counts, other: Counts) -> Counts:
    a, b, c, d, e = (x + y for x, y in zip(one.by_class, other.by_class, strict=True))
    return Counts(one.requests + other.requests, (a, b, c, d, e))
