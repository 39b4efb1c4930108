# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a watch: the result, the words for people, and whose last words are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb import report
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Environment, Event, Task
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import Life
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, Success, Waiting
from ansible_collections.antenna.aws.plugins.module_utils._eb.watch import Ending, Progress

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOAL = Goal("env", "antenna", "v2", request_id="ours", since=T0)
DJANGO = Container("django", "i-1", last_status="RUNNING")
CRASHED = Container("beat", "i-1", last_status="STOPPED", exit_code=1)
TASK = Task("arn:task/c/t1", "i-1", created_at=T0 + timedelta(seconds=5), containers=(DJANGO, CRASHED))
SEEN = Observation(
    found=True,
    environment=Environment("e-1", "env", "antenna", status="Ready"),
    instance_ids=("i-1",),
    tasks=(TASK,),
)
FAILED = Event(T0 + timedelta(seconds=6), "ERROR", "Failed to deploy application.", "ours")


class Clock:
    time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Logs:
    """Answers one after the other, the last one again and again."""

    answers: list[dict[str, tuple[str, ...]] | Exception]
    asked: list[Sequence[Life]] = field(default_factory=list)

    def last_lines(self, _name: str, lives: Sequence[Life], *_more: Any) -> dict[str, tuple[str, ...]]:
        self.asked.append(lives)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def last_words(logs: Logs, ending: Ending) -> tuple[dict[str, tuple[str, ...]], str]:
    return report.last_words(logs, GOAL, ending, Clock())  # type: ignore[arg-type]


def test_the_one_to_blame_is_heard_and_waited_for() -> None:
    logs = Logs([{}, {"beat": ("no",)}])
    assert last_words(logs, Ending(Failure(("why",), (CRASHED,)), SEEN, 1.0)) == ({"beat": ("no",)}, "")
    assert [[life.name for life in lives] for lives in logs.asked] == [["beat"]] * 3


def test_last_words_are_read_until_they_stay_the_same() -> None:
    logs = Logs([{"beat": ("one",)}, {"beat": ("one", "two")}])
    found, _trouble = last_words(logs, Ending(Failure(("why",), (CRASHED,)), SEEN, 1.0))
    assert found == {"beat": ("one", "two")}
    assert len(logs.asked) == 3


def test_where_nobody_is_to_blame_all_are_heard_unless_the_service_said_why() -> None:
    silent = Logs([{}])
    last_words(silent, Ending(Failure(("probe",)), SEEN, 1.0))
    assert [life.name for life in silent.asked[0]] == ["django", "beat"]
    told = Logs([{}])
    last_words(told, Ending(Failure(("hook",)), replace(SEEN, events=(FAILED,)), 1.0))
    assert told.asked == [()]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            AwsError("read log groups", "AWS answered AccessDenied: no", code="AccessDenied"),
            "Could not read log groups",
        ),
        (KeyError("message"), "The logs could not be understood (KeyError"),
    ],
)
def test_logs_that_cannot_be_read_do_not_cost_the_verdict(error: Exception, words: str) -> None:
    ending = Ending(Failure(("why",), (CRASHED,)), SEEN, 1.0)
    found, trouble = last_words(Logs([error]), ending)
    assert found == {}
    assert trouble.startswith(words)
    told: list[Progress] = []
    raised = report.failure(ending, GOAL, found, trouble, told.append)
    assert "why" in raised.message and words in raised.message
    assert [progress.text for progress in told][:2] == ["Environment env with version v2 is not healthy (1 s).", "why"]


def test_a_failure_has_its_remedies_in_result_and_words() -> None:
    ending = Ending(Failure(("why",), (CRASHED,)), SEEN, 1.0)
    logs = {"beat": ("KeyError: 'REDIS_URL'",)}
    raised = report.failure(ending, GOAL, logs, "", lambda _progress: None)
    (remedy,) = raised.details["remedies"]
    assert (remedy["name"], remedy["where"], remedy["because"]) == ("variable-missing", "beat", "KeyError: 'REDIS_URL'")
    assert raised.message.endswith(f"Likely remedy (variable-missing): {remedy['remedy']}")


def test_every_ending_has_the_same_keys() -> None:
    endings = [Ending(verdict, SEEN, 1.0) for verdict in (Success("ok"), Waiting(("health",)), Failure(("why",)))]
    results = [report.result(ending, GOAL) for ending in endings]
    assert [result["verdict"] for result in results] == ["healthy", "waiting", "failed"]
    assert [result["reasons"] for result in results] == [["ok"], ["health"], ["why"]]
    assert len({tuple(result) for result in results}) == 1
