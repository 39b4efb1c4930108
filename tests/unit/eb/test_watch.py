# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an environment is watched: deadline, steadiness, trouble with reads, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    ConfigurationSet,
    Container,
    Environment,
    Event,
    HealthReport,
    Instance,
    ProbeAnswer,
    Task,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, Success
from ansible_collections.antenna.aws.plugins.module_utils._eb.watch import Ending, Observer, Progress, Watch

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOAL = Goal(
    "env", "antenna", version_label="v2", request_id="ours", since=T0, steady=10, patience=120, probe_statuses=(200,)
)
READY = Environment("e-1", "env", "antenna", status="Ready", health="Green", health_status="Ok", version_label="v2")
UPDATING = replace(READY, status="Updating")
STARTING = Event(T0 + timedelta(seconds=1), "INFO", "Environment update is starting.", "ours")
COMPLETED = Event(T0 + timedelta(seconds=9), "INFO", "Environment update completed successfully.", "ours")
HEALTH = Event(T0 + timedelta(seconds=5), "INFO", "Environment health has transitioned from Ok to Info.")
OLD = Event(T0, "ERROR", "Failed to deploy application.", "older")
FAILED = Event(T0 + timedelta(seconds=4), "ERROR", "Failed to deploy application.", "ours")
THROTTLED = AwsError("read environment 'env'", "AWS answered Throttling: Rate exceeded", code="Throttling")
DENIED = AwsError("list ECS clusters", "AWS answered AccessDeniedException: no", code="AccessDeniedException")
DJANGO = Container("django", "i-1", last_status="RUNNING")


@dataclass
class FakeClock:
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class FakeApi:
    """Answers as it is told for each look; the last answer stays."""

    environments: Sequence[Environment | AwsError | None]
    event_lists: Sequence[Sequence[Event]] = ((STARTING, COMPLETED),)
    looks: int = 0

    def environment(self, _name: str) -> Environment | None:
        self.looks += 1
        return self._now(self.environments)

    def events(self, _environment: Environment, since: Any = None, newest: Any = None) -> tuple[Event, ...]:
        return tuple(self._now(self.event_lists))

    def configurations(self, _environment: Environment) -> tuple[ConfigurationSet, ...]:
        return (ConfigurationSet("deployed"),)

    def health(self, _environment: Environment) -> HealthReport:
        return HealthReport("Ok", "Green")

    def instances(self, _environment: Environment) -> tuple[Instance, ...]:
        return (Instance("i-1", "Ok", "Green", (), "v2", 7, "Deployed", T0 + timedelta(seconds=8)),)

    def _now(self, answers: Sequence[Any]) -> Any:
        answer = answers[min(self.looks, len(answers)) - 1]
        if isinstance(answer, AwsError):
            raise answer
        return answer


@dataclass
class FakeContainers:
    looks: Sequence[tuple[Task, ...] | AwsError] = ((Task("task/1", "i-1", containers=(DJANGO,)),),)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def tasks(self, _environment: str, instance_ids: tuple[str, ...]) -> tuple[Task, ...]:
        self.asked.append(instance_ids)
        answer = self.looks[min(len(self.asked), len(self.looks)) - 1]
        if isinstance(answer, AwsError):
            raise answer
        return answer


def answering(_environment: Environment) -> ProbeAnswer:
    return ProbeAnswer("http://env/", "env", status=200)


def watch(
    api: FakeApi,
    *,
    goal: Goal = GOAL,
    containers: FakeContainers | None = None,
    probe: Callable[[Environment], ProbeAnswer] = answering,
    timeout: float = 100,
) -> tuple[Ending, list[Progress]]:
    told: list[Progress] = []
    clock = FakeClock()
    observer = Observer(goal, api, containers or FakeContainers(), probe, clock)  # type: ignore[arg-type]
    ending = Watch(observer, goal, clock, told.append, timeout=timeout, poll=5).run()
    return ending, told


def test_success_comes_after_it_was_steady() -> None:
    ending, told = watch(FakeApi([UPDATING, READY], [[STARTING], [STARTING, HEALTH, COMPLETED]]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 15
    assert [progress.text for progress in told] == [
        "Environment update is starting.",
        "waiting: the environment is Updating, not Ready",
        "Environment health has transitioned from Ok to Info.",
        "Environment update completed successfully.",
        "healthy, must hold for 10 s",
    ]
    assert told[0] == Progress("12:00:01Z", "INFO", "Environment update is starting.")
    assert told[1].when == "+0s"


def test_a_relapse_starts_steadiness_anew() -> None:
    degraded = replace(READY, status="Updating")
    ending, _told = watch(FakeApi([READY, READY, degraded, READY]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 25


def test_a_task_that_was_replaced_between_two_looks_starts_steadiness_anew() -> None:
    first, second = (Task(f"task/{number}", "i-1", containers=(DJANGO,)) for number in (1, 2))
    ending, _told = watch(FakeApi([READY]), containers=FakeContainers([(first,), (first,), (second,)]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 20


def test_what_was_not_changed_and_is_healthy_returns_at_once() -> None:
    api = FakeApi([READY], [[OLD]])
    ending, told = watch(api, goal=replace(GOAL, request_id=None))
    assert isinstance(ending.verdict, Success)
    assert (ending.seconds, api.looks, told) == (0, 1, [])


def test_without_a_date_only_new_events_are_told() -> None:
    goal = replace(GOAL, request_id=None, since=None)
    api = FakeApi([UPDATING, READY], [[OLD], [OLD, HEALTH]])
    ending, told = watch(api, goal=goal)
    assert isinstance(ending.verdict, Success)
    assert [progress.text for progress in told if progress.severity] == [HEALTH.message]


def test_failure_ends_the_watch_at_the_look_that_shows_it() -> None:
    ending, told = watch(FakeApi([UPDATING], [[STARTING], [STARTING, FAILED]]))
    assert isinstance(ending.verdict, Failure)
    assert ending.seconds == 5
    assert told[-1] == Progress("12:00:04Z", "ERROR", "Failed to deploy application.")


def test_the_deadline_holds_and_a_last_look_is_taken_at_it() -> None:
    api = FakeApi([UPDATING])
    ending, _told = watch(api, timeout=12)
    assert isinstance(ending.verdict, Failure)
    assert ending.verdict.reasons[0] == "Not settled after 12 s."
    assert (ending.seconds, api.looks) == (12, 4)


def test_throttling_is_survived_with_longer_pauses() -> None:
    api = FakeApi([THROTTLED, THROTTLED, THROTTLED, READY])
    ending, told = watch(api)
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 10 + 20 + 30 + 10
    assert "Rate exceeded" in told[0].text


def test_a_part_that_cannot_be_read_for_a_while_is_waited_for() -> None:
    broken = AwsError("read the tasks", "Connection was closed", code="ConnectionClosedError")
    running = (Task("task/1", "i-1", containers=(DJANGO,)),)
    ending, told = watch(FakeApi([READY]), containers=FakeContainers([broken, running]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 15
    assert "Could not read the tasks" in told[2].text


def test_a_refused_permission_is_an_error_at_once() -> None:
    ending, _told = watch(FakeApi([READY]), containers=FakeContainers([DENIED]))
    assert isinstance(ending.verdict, Failure)
    assert "AccessDeniedException" in ending.verdict.reasons[0]
    assert ending.seconds == 0


def test_a_new_environment_may_take_a_while_to_be_seen() -> None:
    ending, _told = watch(FakeApi([None, READY]))
    assert isinstance(ending.verdict, Success)


def test_the_probe_is_sent_only_to_a_ready_environment() -> None:
    asked: list[str] = []

    def probe(environment: Environment) -> ProbeAnswer:
        asked.append(environment.status)
        return answering(environment)

    watch(FakeApi([UPDATING, READY]), probe=probe)
    assert set(asked) == {"Ready"}


def test_a_long_wait_gives_a_sign_of_life_each_minute() -> None:
    _ending, told = watch(FakeApi([UPDATING], [[STARTING]]), timeout=150)
    assert [progress.when for progress in told if "Updating" in progress.text] == ["+0s", "+60s", "+120s"]


def test_what_only_counts_on_is_told_once() -> None:
    broken = [AwsError("read it", f"timed out after {seconds} s", code="ReadTimeout") for seconds in (4, 5, 6)]
    _ending, told = watch(FakeApi([*broken, READY]))
    assert [progress.when for progress in told if "timed out" in progress.text] == ["+0s"]


def test_an_answer_that_is_none_does_not_end_the_wait() -> None:
    garbled = FakeApi([READY])
    looks = iter([KeyError("EventDate")])
    events = garbled.events

    def broken(environment: Environment, since: Any = None, newest: Any = None) -> tuple[Event, ...]:
        for error in looks:
            raise error
        return events(environment, since, newest)

    garbled.events = broken  # type: ignore[method-assign]
    ending, told = watch(garbled)
    assert isinstance(ending.verdict, Success)
    assert "An answer could not be understood (KeyError: 'EventDate')" in told[0].text


def test_a_look_that_failed_breaks_no_steadiness_and_makes_none() -> None:
    lost = AwsError("read environment 'env'", "Connection was closed", code="ConnectionClosedError")
    ending, _told = watch(FakeApi([READY, lost, READY, READY]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 10
    ending, _told = watch(FakeApi([READY, lost]), timeout=30)
    assert isinstance(ending.verdict, Failure)


def test_events_that_were_seen_stay_seen_though_a_read_lags_behind() -> None:
    api = FakeApi([UPDATING, UPDATING, READY], [[STARTING], [STARTING, COMPLETED], [STARTING]])
    ending, told = watch(api)
    assert isinstance(ending.verdict, Success)
    assert [progress.text for progress in told].count("Environment update completed successfully.") == 1


def test_an_environment_that_still_looks_as_before_is_no_failure() -> None:
    before = replace(READY, version_label="v1")
    ending, _told = watch(FakeApi([before, before, READY]))
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 20


def test_an_environment_that_someone_removed_meanwhile_is_not_waited_for() -> None:
    ending, _told = watch(FakeApi([UPDATING, None]))
    assert isinstance(ending.verdict, Failure)
    assert ending.seconds == 15


def test_what_the_application_answers_is_believed_when_it_stands() -> None:
    refused = ProbeAnswer("http://env/", "env", status=400)
    ending, _told = watch(FakeApi([UPDATING, READY]), probe=lambda _environment: refused)
    assert isinstance(ending.verdict, Failure)
    assert ending.seconds == 5 + GOAL.steady


def test_a_server_may_take_its_time_to_answer() -> None:
    answers = iter([ProbeAnswer("http://env/", "env", error="connection refused")] * 20)
    ending, _told = watch(
        FakeApi([READY]), probe=lambda environment: next(answers, answering(environment)), timeout=600
    )
    assert isinstance(ending.verdict, Success)
    assert ending.seconds == 100 + GOAL.steady
    silent = ProbeAnswer("http://env/", "env", error="connection refused")
    ending, _told = watch(FakeApi([READY]), probe=lambda _environment: silent, timeout=600)
    assert isinstance(ending.verdict, Failure)
    assert ending.seconds == GOAL.patience


def test_looks_that_take_long_do_not_make_the_pauses_longer() -> None:
    clock = FakeClock()
    looks: list[float] = []

    def slow(environment: Environment) -> ProbeAnswer:
        looks.append(clock.time)
        clock.time += 2
        return answering(environment)

    observer = Observer(GOAL, FakeApi([READY]), FakeContainers(), slow, clock)  # type: ignore[arg-type]
    Watch(observer, GOAL, clock, lambda _progress: None, timeout=100, poll=5).run()
    assert looks == [0, 5, 10]


def test_reads_end_soon_after_the_deadline() -> None:
    clock = FakeClock()

    class Hanging(FakeApi):
        def health(self, _environment: Environment) -> HealthReport:
            clock.time += 20
            raise AwsError("read the health", "Read timeout", code="ReadTimeoutError")

    observer = Observer(GOAL, Hanging([UPDATING, READY]), FakeContainers(), answering, clock)  # type: ignore[arg-type]
    ending = Watch(observer, GOAL, clock, lambda _progress: None, timeout=30, poll=5).run()
    assert isinstance(ending.verdict, Failure)
    assert ending.seconds <= 50
