# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings container output and instance logs into CloudWatch Logs.

On AWS the ECS platform streams /var/log/docker-events.log, eb-ecs-mgr.log, eb-engine.log, eb-hooks.log and the ECS
agent's logs when StreamLogs is true (developer guide, "Log groups and streams", table of platforms). The containers'
own output lies in /var/log/containers/<container>-<id>-stdouterr.log on the instance
(https://github.com/caktus/aws-web-stacks/issues/1) and reaches CloudWatch Logs with a container's `awslogs` log driver
or an agent that one configures. Here StreamLogs brings it as well, into <environment>/var/log/containers/….
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.logs.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException
from moto.logs.models import logs_backends

from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

PERIOD_SECONDS = 1.0
LINE_LIMIT = 200_000
LOG = logging.getLogger("localcloud.logs")


@dataclass(frozen=True)
class Destination:
    """A log stream. `retention_days` applies when the group is made."""

    account: str
    region: str
    group: str
    stream: str
    retention_days: int | None = None


@dataclass
class _Watched:
    container: str
    destination: Destination
    seen: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a container's output, with Docker's timestamp as text for its order."""

    stamp: str
    text: str

    @property
    def milliseconds(self) -> int:
        return int(_moment(self.stamp).timestamp() * 1000)


class Pump:
    """Copies new output of the watched containers every second."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.RLock()
        self._watched: dict[str, _Watched] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-pump", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Copy nothing more: the logs end with the cloud."""
        self._stopped.set()

    def watch(self, container: str, destination: Destination) -> None:
        """Copy a container's output from its start on."""
        with self._lock:
            if container not in self._watched:
                self._watched[container] = _Watched(container, destination)

    def unwatch(self, container: str) -> None:
        """Copy what is left of a container that is about to be removed, and forget it."""
        with self._lock:
            watched = self._watched.pop(container, None)
            if watched is not None:
                self._copy(watched)

    def write(self, destination: Destination, *messages: str) -> None:
        """Add lines of now."""
        now = int(self._cloud.clock.now().timestamp() * 1000)
        self._put(destination, [{"timestamp": now, "message": message} for message in messages])

    def delete_groups(self, account: str, region: str, prefix: str) -> None:
        """Delete the groups whose names begin so."""
        backend = logs_backends[account][region]
        with self._lock:
            for name in [group for group in backend.groups if group.startswith(prefix)]:
                backend.delete_log_group(name)

    def lines(self, container: str, since: str = "") -> list[Line]:
        """A container's output after the stamp `since`, in its order; none when the container is gone."""
        moment = _moment(since) if since else None
        try:
            output = b"".join(self._cloud.engine.logs(container, since=moment))
        except EngineError:
            return []
        # To Docker a line ends with \n: a progress bar's \r and what else Unicode breaks lines at belong to it.
        found = [_line(text) for text in output.decode(errors="replace").split("\n") if text]
        # stdout and stderr are stamped each by itself, and may be written the wrong way round.
        return sorted((line for line in found if line.stamp > since), key=lambda line: line.stamp)

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_SECONDS):
            with self._lock:
                watched = list(self._watched.values())
            for item in watched:
                try:
                    self._copy_watched(item)
                except Exception:
                    # What one container writes is no reason to copy nobody's output any more.
                    LOG.exception("output of container %s", item.container)

    def _copy_watched(self, item: _Watched) -> None:
        with self._lock:
            if item.container in self._watched:
                self._copy(item)

    def _copy(self, watched: _Watched) -> None:
        new = self.lines(watched.container, watched.seen)
        if new:
            watched.seen = new[-1].stamp
            # Docker stamps them with the machine's time.
            ahead = int(self._cloud.clock.ahead * 1000)
            self._put(
                watched.destination,
                [{"timestamp": line.milliseconds + ahead, "message": line.text} for line in new],
            )

    def _put(self, destination: Destination, events: list[dict[str, int | str]]) -> None:
        if not events:
            return
        backend = logs_backends[destination.account][destination.region]
        # The API makes and deletes groups meanwhile; lines for one that is deleted at this moment are gone with it.
        with self._lock, contextlib.suppress(ResourceNotFoundException):
            if destination.group not in backend.groups:
                with contextlib.suppress(ResourceAlreadyExistsException):
                    backend.create_log_group(destination.group, {})
                if destination.retention_days is not None:
                    backend.put_retention_policy(destination.group, destination.retention_days)
            backend.ensure_log_stream(destination.group, destination.stream)
            backend.put_log_events(destination.group, destination.stream, events)


def _line(text: str) -> Line:
    stamp, _, rest = text.partition(" ")
    # CloudWatch Logs refuses empty messages.
    return Line(stamp, rest.rstrip("\r")[:LINE_LIMIT] or " ")


def _moment(stamp: str) -> datetime:
    """Docker writes nanoseconds, always all nine digits: stamps have the order of their texts."""
    seconds, _, fraction = stamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
