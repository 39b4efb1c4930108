# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at an environment again and again until the verdict is known, and tell what happens meanwhile."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb import verdict
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, is_permanent, is_throttled
from ansible_collections.antenna.aws.plugins.module_utils._eb.containers import ContainersApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    READY,
    Environment,
    Event,
    Instance,
    ProbeAnswer,
    Task,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import (
    Failure,
    Goal,
    Observation,
    Verdict,
    Waiting,
)

T = t.TypeVar("T")

_LONGEST_PAUSE = 30.0
_RECENT_EVENTS = 20
_SHOWN_REASONS = 3


@dataclass(frozen=True)
class Progress:
    """One line for people. ``when`` is a time of day (UTC) by the service's clock, or the seconds waited so far."""

    when: str
    severity: str
    text: str

    def line(self) -> str:
        """Return the line: time, severity, text."""
        return f"{self.when:>9}  {self.severity:<5}  {self.text}"


@dataclass
class Observer:
    """Takes one look at an environment. A read that fails leaves its part out and says so."""

    goal: Goal
    api: BeanstalkApi
    containers: ContainersApi
    probe: t.Callable[[Environment], ProbeAnswer] | None = None
    throttled: bool = field(default=False, init=False)
    _unread: list[str] = field(default_factory=list, init=False)
    _unreadable: list[str] = field(default_factory=list, init=False)

    def look(self) -> Observation:
        """Return what can be seen now."""
        self.throttled = False
        self._unread, self._unreadable = [], []
        observation = self._look()
        return replace(observation, unread=tuple(self._unread), unreadable=tuple(self._unreadable))

    def _look(self) -> Observation:
        environment = self._read(lambda: self.api.environment(self.goal.environment_name))
        if environment is None:
            return Observation(found=None if self._unread else False)
        ready = environment.status == READY
        instances = self._read(lambda: self.api.instances(environment))
        return Observation(
            found=True,
            environment=environment,
            events=self._read(lambda: self._events(environment)) or (),
            configurations=self._read(lambda: self.api.configurations(environment)) if ready else None,
            health=self._read(lambda: self.api.health(environment)) if ready else None,
            instances=instances,
            tasks=self._read(lambda: self._tasks(environment, instances)),
            probe=self.probe(environment) if ready and self.probe is not None else None,
        )

    def _events(self, environment: Environment) -> tuple[Event, ...]:
        if self.goal.since is not None:
            return self.api.events(environment, since=self.goal.since)
        # A request that is not dated: the environment's newest events are enough to hold all of it.
        return self.api.events(environment, newest=_RECENT_EVENTS * 5 if self.goal.request_id else _RECENT_EVENTS)

    def _tasks(self, environment: Environment, instances: tuple[Instance, ...] | None) -> tuple[Task, ...] | None:
        if self.goal.containers == ():
            return None
        if instances is None:
            ids = self.api.instance_ids(environment)
        else:
            ids = tuple(instance.instance_id for instance in instances)
        return self.containers.tasks(environment.name, ids) if ids else None

    def _read(self, read: t.Callable[[], T | None]) -> T | None:
        try:
            return read()
        except AwsError as error:
            self.throttled = self.throttled or is_throttled(error)
            (self._unreadable if is_permanent(error) else self._unread).append(error.message)
            return None


@dataclass(frozen=True)
class Ending:
    """How a watch ended: the verdict, the last look, and the seconds that it took."""

    verdict: Verdict
    observation: Observation
    seconds: float


@dataclass
class Watch:
    """A wait for a verdict, with a deadline. ``timeout`` and ``poll`` are seconds; ``tell`` hears each new line."""

    observer: Observer
    goal: Goal
    clock: Clock
    tell: t.Callable[[Progress], None]
    timeout: float
    poll: float
    _good_since: float | None = field(default=None, init=False)
    _tasks_seen: frozenset[str] = field(default_factory=frozenset, init=False)
    _told: set[Event] = field(default_factory=set, init=False)
    _last_state: str = field(default="", init=False)

    def run(self) -> Ending:
        """Look until success, certain failure or the deadline; what is seen at the deadline still counts."""
        started = self.clock.now()
        deadline = started + self.timeout
        pause = self.poll
        first = True
        while True:
            now = self.clock.now()
            observation = self._observe(now, first)
            decided = verdict.judge(observation, self.goal)
            self._tell_events(observation, first)
            if not isinstance(decided, Waiting):
                return Ending(decided, observation, self.clock.now() - started)
            if now >= deadline:
                late = verdict.out_of_time(observation, self.goal, self.timeout)
                return Ending(late, observation, self.clock.now() - started)
            self._tell_state(decided, now - started)
            pause = min(pause * 2, _LONGEST_PAUSE) if self.observer.throttled else self.poll
            self.clock.sleep(max(0.0, min(pause, deadline - self.clock.now())))
            first = False

    def _observe(self, now: float, first: bool) -> Observation:
        observation = self.observer.look()
        self._keep_steadiness(observation, now, first)
        steady_for = 0.0 if self._good_since is None else now - self._good_since
        return replace(observation, steady_for=steady_for)

    def _keep_steadiness(self, observation: Observation, now: float, first: bool) -> None:
        tasks = frozenset(task.task_arn for task in verdict.current_tasks(observation.tasks or ()))
        replaced = not first and tasks != self._tasks_seen
        self._tasks_seen = tasks
        if not verdict.is_good(observation, self.goal):
            self._good_since = None
        elif self._good_since is None or replaced:
            # Where nothing was changed, what is healthy at the first look has been so for long enough.
            settled = first and not self.goal.follows_a_request
            self._good_since = now - self.goal.steady if settled else now

    def _tell_events(self, observation: Observation, first: bool) -> None:
        for event in observation.events:
            if event in self._told:
                continue
            self._told.add(event)
            if self._is_news(event, first):
                self.tell(Progress(event.date.strftime("%H:%M:%SZ"), event.severity, event.message))

    def _is_news(self, event: Event, first: bool) -> bool:
        if self.goal.since is not None:
            return event.date > self.goal.since
        return not first or (self.goal.follows_a_request and event.request_id == self.goal.request_id)

    def _tell_state(self, waiting: Waiting, seconds: float) -> None:
        more = len(waiting.unmet) - _SHOWN_REASONS
        shown = "; ".join(waiting.unmet[:_SHOWN_REASONS]) + (f"; and {more} more" if more > 0 else "")
        state = f"waiting: {shown}" if shown else f"healthy, must hold for {self.goal.steady:g} s"
        # Causes count seconds; that alone is no news.
        gist = re.sub(r"\d+", "#", state)
        if gist != self._last_state:
            self._last_state = gist
            self.tell(Progress(f"+{seconds:.0f}s", "", state))


def blamed(ending: Ending) -> tuple[str, ...]:
    """Return the names of the containers whose last words matter."""
    if not isinstance(ending.verdict, Failure):
        return ()
    return tuple(dict.fromkeys(container.name for container in ending.verdict.containers))
