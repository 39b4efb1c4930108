# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as moto keeps them, and what puts some there: metric filters and the cloud's own services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import moto.logs.models as moto_logs
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend

from localcloud.clock import Clock
from localcloud.cloudwatch.alarms import Value
from localcloud.cloudwatch.patterns import PatternError, compiled, value_of

KEPT = timedelta(days=1)
"""Older values are forgotten; CloudWatch keeps those of minutes for fifteen days."""


@dataclass(frozen=True)
class Datum:
    """A value that a service tells about one of its things now."""

    region: str
    namespace: str
    name: str
    value: float
    dimensions: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """Puts values into moto's CloudWatch and finds them there."""

    def __init__(self, account_id: str) -> None:
        self._backends = cloudwatch_backends[account_id]

    def put(self, datum: Datum, time: datetime) -> None:
        """Keep the value under its time."""
        dimensions = [{"Name": name, "Value": value} for name, value in datum.dimensions.items()]
        # As moto's own: in UTC, without saying so.
        stamp = time.astimezone(UTC).replace(tzinfo=None)
        self._backends[datum.region].metric_data.append(
            MetricDatum(datum.namespace, datum.name, datum.value, dimensions, stamp)
        )

    def values(self, region: str, namespace: str, name: str, dimensions: Mapping[str, str]) -> Iterator[Value]:
        """Yield the values of the metric with exactly these dimensions."""
        for item in list(self._backends[region].metric_data):
            of_it = (item.namespace, item.name) == (namespace, name) and hasattr(item, "value")
            if of_it and {part.name: part.value for part in item.dimensions} == dimensions:
                yield Value(_aware(item.timestamp), float(item.value))

    def forget(self, now: datetime) -> None:
        """Forget values that nobody looks at any more."""
        for backend in list(self._backends.values()):
            backend.metric_data[:] = [item for item in backend.metric_data if now - _aware(item.timestamp) < KEPT]


def filter_metrics(
    filters: Iterable[Mapping[str, Any]], region: str, events: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Datum, datetime]]:
    """Yield what the metric filters of a log group make of events, each with the event's time."""
    for item in filters:
        pattern = compiled(item["filterPattern"])
        for event in events:
            matches = pattern.matches(event["message"])
            for wanted in item["metricTransformations"]:
                given = wanted["metricValue"] if matches else wanted.get("defaultValue")
                value = None if given is None else value_of(event["message"], str(given))
                if value is not None:
                    datum = Datum(region, wanted["metricNamespace"], wanted["metricName"], value)
                    yield datum, datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def hook_logs(metrics: Metrics, clock: Clock) -> None:
    """Have metric filters judged when they are made, and evaluated on the events that arrive from here on.

    Events are refused as too old or too new by this clock.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    needed = ("put_log_events", "put_metric_filter", "delete_log_group", "describe_metric_filters")
    if not all(hasattr(LogsBackend, name) for name in needed) or not hasattr(moto_logs, "utcnow"):
        raise RuntimeError("moto's CloudWatch Logs has another shape than expected: not the moto that is pinned")
    put_log_events, put_metric_filter = LogsBackend.put_log_events, LogsBackend.put_metric_filter
    delete_log_group = LogsBackend.delete_log_group

    def put_events(self: Any, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]) -> Any:
        answer = put_log_events(self, log_group_name, log_stream_name, log_events)
        filters = self.describe_metric_filters(log_group_name=log_group_name)
        for datum, time in filter_metrics(filters, self.region_name, log_events):
            metrics.put(datum, time)
        return answer

    def put_filter(self: Any, filter_name: str, filter_pattern: str, log_group_name: str, transformations: Any) -> None:
        if log_group_name not in self.groups:
            raise ResourceNotFoundException
        try:
            compiled(filter_pattern)
        except PatternError as error:
            raise InvalidParameterException(str(error)) from error
        # Moto would keep a second one of this name.
        if any(item["filterName"] == filter_name for item in self.describe_metric_filters(None, log_group_name)):
            self.delete_metric_filter(filter_name, log_group_name)
        put_metric_filter(self, filter_name, filter_pattern, log_group_name, transformations)

    def delete_group(self: Any, log_group_name: str) -> None:
        delete_log_group(self, log_group_name)
        for item in self.describe_metric_filters(log_group_name=log_group_name):
            self.delete_metric_filter(item["filterName"], log_group_name)

    moto_logs.utcnow = lambda: clock.now().replace(tzinfo=None)
    LogsBackend.put_log_events = put_events
    LogsBackend.put_metric_filter = put_filter
    LogsBackend.delete_log_group = delete_group


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
