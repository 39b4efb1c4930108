# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at environments all the time: judges their health, and has lost instances replaced."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk import logs
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.health import judge
from localcloud.elasticbeanstalk.instance import Instance
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.events import Severity
    from localcloud.elasticbeanstalk.models import Beanstalk
    from localcloud.logs.pump import Pump

WATCH_SECONDS = 2.0
LOG = logging.getLogger("localcloud.elasticbeanstalk")

Watched = Callable[[], Iterable[tuple["Beanstalk", Fleet]]]
Heal = Callable[["Beanstalk", Fleet], None]


class Monitor:
    """Watches what `watched` gives."""

    def __init__(self, cloud: Cloud, pump: Pump, watched: Watched, heal: Heal) -> None:
        self._cloud = cloud
        self._pump = pump
        self._watched = watched
        self._heal = heal
        self._stopped = threading.Event()
        self._missed: dict[str, float] = {}

    def start(self) -> None:
        """Watch from now on."""
        threading.Thread(target=self._watch, name="elasticbeanstalk-watch", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            for service, fleet in self._watched():
                self._look_at(service, fleet)

    def _look_at(self, service: Beanstalk, fleet: Fleet) -> None:
        for instance in fleet.instances if fleet.environment.status != "Terminating" else ():
            # Stopping the rest of a task may take its time: other environments must not wait for it.
            threading.Thread(target=_watch_instance, args=(instance,), daemon=True).start()
        self.judge(service, fleet)
        with _until_next_look(fleet):
            self._replace_lost(service, fleet)

    def judge(self, service: Beanstalk, fleet: Fleet) -> None:
        """Judge the environment and its instances now; a change is an event."""
        with _until_next_look(fleet):
            self._judge(service, fleet)

    def _judge(self, service: Beanstalk, fleet: Fleet) -> None:
        environment = fleet.environment
        if environment.status == "Terminated":
            return
        instances, now = fleet.examine(), self._cloud.clock.now()
        health = judge(environment, instances, fleet.smallest, now)
        with service.lock:
            old, environment.health, environment.health_time = environment.health, health, now
            changed = environment.enhanced and old.status != health.status
        if changed:
            severity: Severity = "WARN" if health.colour in ("Yellow", "Red") else "INFO"
            causes = f" {' '.join(health.causes)}" if health.causes else ""
            message = f"Environment health has transitioned from {old.status} to {health.status}.{causes}"
            service.say(environment, severity, message, None)
            if (destination := logs.of_health(environment, now)) is not None:
                self._pump.write(destination, message)

    # -- lost instances -------------------------------------------------------------------------------------------

    def _replace_lost(self, service: Beanstalk, fleet: Fleet) -> None:
        """A scaling group looks at its instances now and then, and launches others for those that are gone."""
        environment, clock = fleet.environment, self._cloud.clock
        lost = [item for item in fleet.instances if item.lost]
        if environment.status != "Ready" or (not lost and len(fleet.instances) >= fleet.smallest):
            self._missed.pop(environment.id, None)
            return
        since = self._missed.setdefault(environment.id, clock.monotonic())
        if clock.monotonic() - since >= self._cloud.latency.of("autoscaling.notice"):
            del self._missed[environment.id]
            self._heal(service, fleet)


@contextlib.contextmanager
def _until_next_look(fleet: Fleet) -> Iterator[None]:
    """What cannot be seen now is no reason to fail an operation, or to look at no environment any more."""
    try:
        yield
    except Exception:
        LOG.exception("health of environment %s", fleet.environment.name)


def _watch_instance(instance: Instance) -> None:
    with contextlib.suppress(EngineError):
        instance.watch()
