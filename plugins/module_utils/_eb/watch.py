# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at an environment again and again until the verdict is known, and tell what happens meanwhile."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, SystemClock
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
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import current_tasks, is_down
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, Verdict, Waiting

T = t.TypeVar("T")

_LONGEST_PAUSE = 30.0
# Seconds that a look may take that begins at the deadline.
_LAST_LOOK = 15.0
# Seconds between a failure and the look at what follows from it.
_AFTERMATH = 2.0
_RECENT_EVENTS = 20
_SHOWN_REASONS = 3
# Seconds without a line after which the state is told again, though it is the same.
_SIGN_OF_LIFE = 60.0


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
    """Takes one look at an environment. A read that fails leaves its part out and says so.

    What was read is believed only as far as it can be: events that were seen once stay seen, whatever a later look, by
    another server that lags behind, has of them.
    """

    goal: Goal
    api: BeanstalkApi
    containers: ContainersApi
    probe: t.Callable[[Environment], ProbeAnswer] | None = None
    clock: Clock = field(default_factory=SystemClock)
    throttled: bool = field(default=False, init=False)
    _deadline: float = field(default=math.inf, init=False)
    _unread: list[str] = field(default_factory=list, init=False)
    _unreadable: list[str] = field(default_factory=list, init=False)
    _events: dict[Event, None] = field(default_factory=dict, init=False)

    def look(self, deadline: float = math.inf) -> Observation:
        """Return what can be seen now. No read is begun after ``deadline``, save the first two.

        The environment and its events tell most; a call that hangs ends by itself, after seconds.
        """
        self.throttled, self._deadline = False, deadline
        self._unread, self._unreadable = [], []
        observation = self._look()
        return replace(observation, unread=tuple(self._unread), unreadable=tuple(self._unreadable))

    def _look(self) -> Observation:
        environment = self._read(lambda: self.api.environment(self.goal.environment_name), always=True)
        if environment is None:
            return Observation(found=None if self._unread else False, events=tuple(self._events))
        for event in self._read(lambda: self._new_events(environment), always=True) or ():
            self._events[event] = None
        ready = environment.status == READY
        instances = self._read(lambda: self.api.instances(environment))
        ids = self._read(lambda: self._instance_ids(environment, instances)) or ()
        return Observation(
            found=True,
            environment=environment,
            events=tuple(sorted(self._events, key=lambda event: event.date)),
            configurations=self._read(lambda: self.api.configurations(environment)) if ready else None,
            health=self._read(lambda: self.api.health(environment)) if ready else None,
            instances=instances,
            instance_ids=ids,
            tasks=self._read(lambda: self.containers.tasks(environment.name, ids))
            if ids and self._wants_tasks
            else None,
            probe=self._probe(environment) if ready else None,
        )

    @property
    def _wants_tasks(self) -> bool:
        return self.goal.containers != ()

    def _new_events(self, environment: Environment) -> tuple[Event, ...]:
        if self.goal.since is not None:
            return self.api.events(environment, since=self.goal.since)
        # A request that is not dated: the environment's newest events are enough to hold all of it.
        return self.api.events(environment, newest=_RECENT_EVENTS * 5 if self.goal.request_id else _RECENT_EVENTS)

    def _instance_ids(self, environment: Environment, instances: tuple[Instance, ...] | None) -> tuple[str, ...]:
        if instances is None:
            return self.api.instance_ids(environment)
        return tuple(sorted(instance.instance_id for instance in instances))

    def _probe(self, environment: Environment) -> ProbeAnswer | None:
        return None if self.probe is None or self.clock.now() >= self._deadline else self.probe(environment)

    def _read(self, read: t.Callable[[], T | None], always: bool = False) -> T | None:
        if not always and self.clock.now() >= self._deadline:
            self._unread.append("there was no time left to read everything")
            return None
        try:
            return read()
        except AwsError as error:
            self.throttled = self.throttled or is_throttled(error)
            (self._unreadable if is_permanent(error) else self._unread).append(error.message)
        except Exception as error:  # an answer that is none must not end the wait for a better one
            self._unread.append(f"An answer could not be understood ({type(error).__name__}: {error}).")
        return None


@dataclass(frozen=True)
class Ending:
    """How a watch ended: the verdict, the last look, and the seconds that it took."""

    verdict: Verdict
    observation: Observation
    seconds: float


@dataclass
class Stopwatch:
    """For how long something has held without a break."""

    _since: float | None = None

    def see(self, holds: bool, now: float) -> float:
        """Take in one look; return the seconds since the first of those that saw it hold, without this one's break."""
        if not holds:
            self._since = None
        elif self._since is None:
            self._since = now
        return 0.0 if self._since is None else now - self._since


@dataclass
class Watch:
    """A wait for a verdict, with a deadline. ``timeout`` and ``poll`` are seconds; ``tell`` hears each new line."""

    observer: Observer
    goal: Goal
    clock: Clock
    tell: t.Callable[[Progress], None]
    timeout: float
    poll: float
    _good: Stopwatch = field(default_factory=Stopwatch, init=False)
    _unanswered: Stopwatch = field(default_factory=Stopwatch, init=False)
    _down: Stopwatch = field(default_factory=Stopwatch, init=False)
    _gone: Stopwatch = field(default_factory=Stopwatch, init=False)
    _was_there: bool = field(default=False, init=False)
    _tasks_seen: frozenset[str] = field(default_factory=frozenset, init=False)
    _told: set[Event] = field(default_factory=set, init=False)
    _last_state: str = field(default="", init=False)
    _last_line: float = field(default=-math.inf, init=False)

    def run(self) -> Ending:
        """Look until success, certain failure or the deadline; what is seen at the deadline still counts."""
        started = self.clock.now()
        deadline = started + self.timeout
        pause = self.poll
        first = True
        while True:
            now = self.clock.now()
            # The last look is taken at the deadline, and is a whole one.
            observation = self._observe(now, first, max(deadline, now + _LAST_LOOK))
            decided = verdict.judge(observation, self.goal)
            self._tell_events(observation, first)
            if isinstance(decided, Failure):
                return self._with_what_follows(Ending(decided, observation, self.clock.now() - started), deadline)
            if not isinstance(decided, Waiting):
                return Ending(decided, observation, self.clock.now() - started)
            if self.clock.now() >= deadline:
                late = verdict.out_of_time(observation, self.goal, self.timeout)
                return Ending(late, observation, self.clock.now() - started)
            self._tell_state(decided, now - started)
            pause = min(pause * 2, _LONGEST_PAUSE) if self.observer.throttled else self.poll
            # From look to look, not from a look's end: the reads take their time, too.
            start = self.clock.now() if self.observer.throttled else now
            self.clock.sleep(max(0.0, min(start + pause, deadline) - self.clock.now()))
            first = False

    def _with_what_follows(self, ending: Ending, deadline: float) -> Ending:
        """Look once more while the service is still at it: its own words about the failure are part of the evidence."""
        environment = ending.observation.environment
        if environment is None or environment.status == READY or not self.goal.follows_a_request:
            return ending
        pause = min(self.poll, _AFTERMATH)
        if self.clock.now() + pause >= deadline:
            return ending
        self.clock.sleep(pause)
        observation = self.observer.look(deadline)
        decided = verdict.judge(observation, self.goal)
        self._tell_events(observation, False)
        return Ending(decided, observation, ending.seconds) if isinstance(decided, Failure) else ending

    def _observe(self, now: float, first: bool, deadline: float) -> Observation:
        seen = self.observer.look(deadline)
        self._was_there = self._was_there or bool(seen.found)
        gone = self._gone.see(self._was_there and seen.found is False, now)
        seen = replace(seen, gone_for=gone if self._was_there else None)
        if seen.unread:
            # What could not be seen tells neither that something holds nor that it does not.
            return seen
        tasks = frozenset(task.task_arn for task in current_tasks(seen.tasks or ()))
        if tasks != self._tasks_seen:
            # What held for the tasks of before says nothing of these.
            self._good, self._unanswered, self._tasks_seen = Stopwatch(), Stopwatch(), tasks
        seen = replace(seen, down_for=self._down.see(is_down(seen, self.goal), now))
        unanswered = self._unanswered.see(verdict.only_the_probe_is_wanting(seen, self.goal), now)
        seen = replace(seen, unanswered_for=unanswered)
        steady = self._good.see(verdict.is_good(seen, self.goal), now)
        # Where nothing was changed, what is healthy at the first look has been so for long enough.
        settled = first and not self.goal.follows_a_request
        return replace(seen, steady_for=self.goal.steady if settled else steady)

    def _tell_events(self, observation: Observation, first: bool) -> None:
        for event in observation.events:
            if event in self._told:
                continue
            self._told.add(event)
            if self._is_news(event, first):
                self._say(Progress(event.date.strftime("%H:%M:%SZ"), event.severity, event.message))

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
        if gist != self._last_state or self.clock.now() - self._last_line >= _SIGN_OF_LIFE:
            self._last_state = gist
            self._say(Progress(f"+{seconds:.0f}s", "", state))

    def _say(self, line: Progress) -> None:
        self._last_line = self.clock.now()
        self.tell(line)
