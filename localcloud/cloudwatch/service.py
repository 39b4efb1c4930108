# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at what the cloud's services tell, and at all alarms, by the cloud's clock."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.sns.exceptions import SNSNotFoundError
from moto.sns.models import sns_backends

from localcloud.cloudwatch.alarms import INSUFFICIENT, Judgement, Rule, judge, points
from localcloud.cloudwatch.metrics import Metrics, hook_logs

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

PERIOD_SECONDS = 60.0
"""How often services tell their metrics, as on AWS."""
LOOK_SECONDS = 1.0
UNCHECKED = "Unchecked: Initial alarm creation"


def install(cloud: Cloud) -> None:
    """Watch from here on.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    metrics = Metrics(cloud.account_id)
    hook_logs(metrics, cloud.clock)
    watch = Watch(cloud, metrics)
    cloud.status_providers["alarms"] = watch.status
    cloud.shutdown_hooks.append(watch.stop)
    watch.start()


class Watch:
    """A thread that collects metrics each minute and evaluates alarms each second, both of the cloud's time."""

    def __init__(self, cloud: Cloud, metrics: Metrics) -> None:
        self._cloud = cloud
        self._metrics = metrics
        self._ended = threading.Event()
        self._collected = float("-inf")

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="cloudwatch", daemon=True).start()

    def stop(self) -> None:
        """End after the present look."""
        self._ended.set()

    def status(self) -> dict[str, Any]:
        """The alarms for people: name to state and reason."""
        return {
            alarm.name: {"state": alarm.state_value, "reason": alarm.state_reason}
            for backend in list(cloudwatch_backends[self._cloud.account_id].values())
            for alarm in list(backend.alarms.values())
        }

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception:
                traceback.print_exc(file=sys.stderr)
            self._cloud.clock.wait(LOOK_SECONDS)

    def look(self) -> None:
        """Collect what is due, and evaluate every alarm."""
        now = self._cloud.clock.now()
        if self._cloud.clock.monotonic() - self._collected >= PERIOD_SECONDS:
            self._collected = self._cloud.clock.monotonic()
            self._collect(now)
            self._metrics.forget(now)
        for region, backend in list(cloudwatch_backends[self._cloud.account_id].items()):
            for alarm in list(backend.alarms.values()):
                if alarm.metric_name and rule_of(alarm).is_known:
                    self._evaluate(region, alarm, now)

    def _collect(self, now: datetime) -> None:
        """What one source cannot tell keeps no other from telling."""
        for source in self._cloud.metric_sources:
            try:
                for datum in source():
                    self._metrics.put(datum, now)
            except Exception:
                traceback.print_exc(file=sys.stderr)

    def _evaluate(self, region: str, alarm: Alarm, now: datetime) -> None:
        dimensions = {part.name: part.value for part in alarm.dimensions}
        values = self._metrics.values(region, alarm.namespace, alarm.metric_name, dimensions)
        rule = rule_of(alarm)
        judgement = judge(rule, points(rule, values, now))
        if alarm.state_reason == UNCHECKED and alarm.state_value != INSUFFICIENT:
            # Moto has new alarms begin as OK.
            alarm.state_value = INSUFFICIENT
        if judgement is None or judgement.state == alarm.state_value:
            return
        before = alarm.state_value
        alarm.update_state(judgement.reason, "{}", judgement.state)
        alarm.state_updated_timestamp = now.replace(tzinfo=None)
        if alarm.actions_enabled:
            self._notify(region, alarm, before, judgement, now)

    def _notify(self, region: str, alarm: Alarm, before: str, judgement: Judgement, now: datetime) -> None:
        actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
            judgement.state, alarm.insufficient_data_actions
        )
        text = json.dumps(notification(self._cloud.account_id, region, alarm, before, judgement, now))
        subject = f'{judgement.state}: "{alarm.name}" in {region}'[:100]
        for action in actions:
            if ":sns:" not in action:
                continue
            try:
                sns_backends[self._cloud.account_id][region].publish(text, arn=action, subject=subject)
            except SNSNotFoundError:
                print(f"localcloud: the alarm {alarm.name} has no topic {action}", file=sys.stderr)  # noqa: T201


def rule_of(alarm: Alarm) -> Rule:
    """The condition of moto's alarm."""
    return Rule(
        statistic=str(alarm.statistic),
        period=int(alarm.period or 60),
        periods=int(alarm.evaluation_periods),
        datapoints=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        comparison=str(alarm.comparison_operator),
        threshold=float(alarm.threshold or 0),
        missing=str(alarm.treat_missing_data or "missing"),
    )


def notification(
    account_id: str, region: str, alarm: Alarm, before: str, judgement: Judgement, now: datetime
) -> dict[str, Any]:
    """The message to a topic, with the keys that CloudWatch gives it."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "NewStateValue": judgement.state,
        "NewStateReason": judgement.reason,
        "StateChangeTime": now.isoformat(timespec="milliseconds"),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": str(alarm.statistic).upper(),
            "Dimensions": [{"name": part.name, "value": part.value} for part in alarm.dimensions],
            "Period": int(alarm.period or 60),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold or 0),
            "TreatMissingData": alarm.treat_missing_data or "missing",
        },
    }
