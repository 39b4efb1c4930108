# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a metric filter lets pass, and what becomes of an alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from localcloud.cloudwatch.alarms import Rule, Value, judge, points
from localcloud.cloudwatch.metrics import filter_metrics
from localcloud.cloudwatch.patterns import PatternError, compiled

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

PATTERNS: dict[str, tuple[str, str, bool]] = {
    "nothing asked": ("", "anything", True),
    "a term": ("ERROR", "an ERROR came", True),
    "case counts": ("ERROR", "an error came", False),
    "all terms": ("ERROR came", "came an ERROR", True),
    "one of all is lacking": ("ERROR went", "an ERROR came", False),
    "a phrase": ('"Sending due task"', "Scheduler: Sending due task beat", True),
    "a phrase in another order": ('"Sending due task"', "due task Sending", False),
    "one of several": ("?ERROR ?FATAL", "it was FATAL", True),
    "none of several": ("?ERROR ?FATAL", "it was fine", False),
    "but not": ("ERROR -retry", "ERROR, will retry", False),
    "a number of JSON": ("{ $.length >= 0 }", '{"length": 0}', True),
    "a number that is lacking": ("{ $.length >= 0 }", '{"other": 0}', False),
    "no JSON": ("{ $.length >= 0 }", "length 0", False),
    "a text of JSON": ('{ $.who = "beat*" }', '{"who": "beat-1"}', True),
    "both": ('{ ($.a = 1) && ($.b.c != "x") }', '{"a": 1, "b": {"c": "y"}}', True),
    "either": ("{ $.a > 5 || $.b < 2 }", '{"a": 1, "b": 1}', True),
    "a quote in a phrase": (r'"say \"no\""', 'they say "no"', True),
}


@pytest.mark.parametrize(("pattern", "message", "expected"), PATTERNS.values(), ids=PATTERNS)
def test_patterns(pattern: str, message: str, expected: bool) -> None:
    assert compiled(pattern).matches(message) is expected


@pytest.mark.parametrize("pattern", ["{ $.a }", "[ip, user]", "{ a = 1 }", '"open'])
def test_what_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="Invalid metric filter pattern"):
        compiled(pattern)


def test_events_become_values_at_their_own_time() -> None:
    filters = [
        {
            "filterPattern": "{ $.length >= 0 }",
            "metricTransformations": [
                {"metricNamespace": "N", "metricName": "Length", "metricValue": "$.length"},
                {"metricNamespace": "N", "metricName": "Told", "metricValue": "1", "defaultValue": 0},
            ],
        }
    ]
    events = [{"timestamp": 1000, "message": '{"length": 7}'}, {"timestamp": 2000, "message": "else"}]
    made = [(datum.name, datum.value, time.second) for datum, time in filter_metrics(filters, "us-west-2", events)]
    assert made == [("Length", 7.0, 1), ("Told", 1.0, 1), ("Told", 0.0, 2)]


def rule(**given: object) -> Rule:
    fields = {
        "statistic": "Sum", "period": 60, "periods": 3, "datapoints": 2,
        "comparison": "GreaterThanThreshold", "threshold": 5,
    }  # fmt: skip
    return Rule(**{**fields, **given})  # type: ignore[arg-type]


def test_values_are_gathered_by_period_newest_first() -> None:
    values = [Value(NOW - timedelta(seconds=age), 1.0) for age in (1, 59, 61, 125, 181)]
    assert points(rule(), values, NOW) == (2.0, 1.0, 1.0)
    assert points(rule(statistic="SampleCount", periods=1), values, NOW) == (2.0,)
    assert points(rule(), [Value(NOW + timedelta(seconds=1), 1.0)], NOW) == (None, None, None)


STATES: dict[str, tuple[Rule, tuple[float | None, ...], str | None]] = {
    "two of three": (rule(), (9, 0, 9), "ALARM"),
    "one of three": (rule(), (9, 0, 0), "OK"),
    "nothing known": (rule(), (None, None, None), "INSUFFICIENT_DATA"),
    "nothing known, nothing meant": (rule(missing="ignore"), (None, None, None), None),
    "silence is fine": (rule(missing="notBreaching"), (None, None, None), "OK"),
    "silence is trouble": (rule(missing="breaching"), (None, None, 1), "ALARM"),
    "silence is no second breach": (rule(missing="notBreaching"), (9, None, None), "OK"),
    "below": (rule(comparison="LessThanThreshold", threshold=1, datapoints=1), (0, 3, 3), "ALARM"),
}


@pytest.mark.parametrize(("condition", "found", "state"), STATES.values(), ids=STATES)
def test_states(condition: Rule, found: tuple[float | None, ...], state: str | None) -> None:
    judgement = judge(condition, found)
    assert (judgement and judgement.state) == state


def test_the_reason_names_values_threshold_and_what_was_missing() -> None:
    judgement = judge(rule(missing="breaching"), (9, None, 1))
    assert judgement is not None
    assert judgement.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9, 1] were greater than the threshold (5) "
        "(minimum 2 datapoints for a transition). 1 missing datapoints were treated as [Breaching]."
    )
