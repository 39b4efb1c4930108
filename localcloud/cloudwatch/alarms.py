# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an alarm: its state from the values of its metric. Pure.

After the user guide of CloudWatch, "Using Amazon CloudWatch alarms", "Configuring how CloudWatch alarms treat missing
data" and "Evaluating an alarm" (M out of N).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT = "INSUFFICIENT_DATA"

_COMPARATORS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}


@dataclass(frozen=True)
class Rule:
    """An alarm's condition. `period` is in seconds; `missing` says how a period without data counts."""

    statistic: str
    period: int
    periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing: str = "missing"

    @property
    def is_known(self) -> bool:
        """Whether it can be evaluated here: no percentiles, no anomaly detection."""
        return self.statistic in _STATISTICS and self.comparison in _COMPARATORS


@dataclass(frozen=True)
class Value:
    """A value of a metric."""

    time: datetime
    value: float


@dataclass(frozen=True)
class Judgement:
    """The state an alarm is to have, and why."""

    state: str
    reason: str


def points(rule: Rule, values: Iterable[Value], now: datetime) -> tuple[float | None, ...]:
    """Return the metric's statistic of the periods that end now, newest first; None where there is no data."""
    buckets: list[list[float]] = [[] for _ in range(rule.periods)]
    length = timedelta(seconds=rule.period)
    for item in values:
        age = now - item.time
        if timedelta(0) <= age < length * rule.periods:
            buckets[int(age / length)].append(item.value)
    return tuple(_STATISTICS[rule.statistic](bucket) if bucket else None for bucket in buckets)


def judge(rule: Rule, found: Sequence[float | None]) -> Judgement | None:
    """Return the alarm's state; None means that it stays as it is, as the rule ignores missing data."""
    present = [value for value in found if value is not None]
    if not present and rule.missing in ("ignore", "missing"):
        return None if rule.missing == "ignore" else Judgement(INSUFFICIENT, _lacking(rule))
    breaching = [value for value in present if _COMPARATORS[rule.comparison][0](value, rule.threshold)]
    absent = len(found) - len(present)
    count = len(breaching) + (absent if rule.missing == "breaching" else 0)
    state = ALARM if count >= rule.datapoints else OK
    return Judgement(state, _reason(rule, present, count, absent))


def _lacking(rule: Rule) -> str:
    return f"Insufficient Data: {rule.periods} datapoints were unknown."


def _reason(rule: Rule, present: Sequence[float], count: int, absent: int) -> str:
    treated = f" {absent} missing datapoints were treated as [{_treatment(rule)}]." if absent else ""
    words = _COMPARATORS[rule.comparison][1]
    values = ", ".join(f"{value:g}" for value in present) or "no datapoints were received"
    return (
        f"Threshold Crossed: {count} out of the last {rule.periods} datapoints [{values}] "
        f"{'was' if count == 1 else 'were'} {words} the threshold ({rule.threshold:g}) "
        f"(minimum {rule.datapoints} datapoints for a transition).{treated}"
    )


def _treatment(rule: Rule) -> str:
    return {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.missing, "Missing")
