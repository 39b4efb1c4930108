#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_alarms
short_description: Manage alarms of CloudWatch, with their tags
version_added: 0.2.0
description:
  - Creates, changes and deletes alarms on metrics, all that are named at once.
  - Unlike M(amazon.aws.cloudwatch_metric_alarm) it makes alarms with their tags, so that a run that is interrupted
    leaves none behind of which nobody knows whose it is.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  alarms:
    description:
      - The alarms.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the alarm.
        type: str
        required: true
      state:
        description:
          - Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      description:
        description:
          - What it tells.
        type: str
        default: ""
      namespace:
        description:
          - Namespace of the metric. Needed with O(alarms[].state=present).
        type: str
      metric_name:
        description:
          - Name of the metric. Needed with O(alarms[].state=present).
        type: str
      dimensions:
        description:
          - Dimensions of the metric, by name.
        type: dict
        default: {}
      statistic:
        description:
          - What is made of the values of a period. Needed with O(alarms[].state=present).
        type: str
        choices: [Average, Maximum, Minimum, SampleCount, Sum]
      comparison_operator:
        description:
          - How the statistic is compared with the threshold. Needed with O(alarms[].state=present).
        type: str
        choices:
          - GreaterThanOrEqualToThreshold
          - GreaterThanThreshold
          - LessThanOrEqualToThreshold
          - LessThanThreshold
      threshold:
        description:
          - What the statistic is compared with. Needed with O(alarms[].state=present).
        type: float
      period:
        description:
          - Length, in seconds, of a period. Needed with O(alarms[].state=present).
        type: int
      evaluation_periods:
        description:
          - How many periods in a row set it off.
        type: int
        default: 1
      treat_missing_data:
        description:
          - How a period without data counts.
        type: str
        choices: [breaching, ignore, missing, notBreaching]
        default: missing
  alarm_actions:
    description:
      - ARNs of what each alarm tells when it goes off.
    type: list
    elements: str
    default: []
  ok_actions:
    description:
      - ARNs of what each alarm tells when all is well again.
    type: list
    elements: str
    default: []
  tags:
    description:
      - Tags that each alarm has; other tags stay.
    type: dict
    default: {}
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
"""

EXAMPLES = r"""
- name: Tell the topic of tasks that wait, and no longer of the node that is gone
  antenna.aws.cloudwatch_alarms:
    alarms:
      - name: antenna-queue-length
        description: Tasks wait for a worker.
        namespace: Antenna/antenna
        metric_name: QueueLength
        statistic: Minimum
        comparison_operator: GreaterThanOrEqualToThreshold
        threshold: 1000
        period: 300
        evaluation_periods: 3
      - name: antenna-redis-memory-antenna-redis-002
        state: absent
    alarm_actions: [arn:aws:sns:us-west-2:123456789012:antenna-alarms]
    tags:
      Environment: antenna
"""

RETURN = r"""
alarms:
  description: Those of the alarms that exist, by name.
  returned: success
  type: dict
  sample:
    antenna-queue-length:
      metric_name: QueueLength
      threshold: 1000.0
      tags:
        Environment: antenna
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: create
      resource: antenna-queue-length
      reason: there is no alarm of this name
"""

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

_NEEDED = ("namespace", "metric_name", "statistic", "comparison_operator", "threshold", "period")
ALARM = {
    "name": {"type": "str", "required": True},
    **STATE.argument_spec,
    "description": {"type": "str", "default": ""},
    "namespace": {"type": "str"},
    "metric_name": {"type": "str"},
    "dimensions": {"type": "dict", "default": {}},
    "statistic": {"type": "str", "choices": ["Average", "Maximum", "Minimum", "SampleCount", "Sum"]},
    "comparison_operator": {
        "type": "str",
        "choices": [
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanOrEqualToThreshold",
            "LessThanThreshold",
        ],
    },
    "threshold": {"type": "float"},
    "period": {"type": "int"},
    "evaluation_periods": {"type": "int", "default": 1},
    "treat_missing_data": {
        "type": "str",
        "choices": ["breaching", "ignore", "missing", "notBreaching"],
        "default": "missing",
    },
}
SPEC = ArgumentSpec(
    {
        "alarms": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": ALARM,
            "required_if": [("state", "present", _NEEDED)],
        },
        "alarm_actions": {"type": "list", "elements": "str", "default": []},
        "ok_actions": {"type": "list", "elements": "str", "default": []},
        "tags": {"type": "dict", "default": {}},
    }
)

_SPELLED = {
    "description": "AlarmDescription",
    "namespace": "Namespace",
    "metric_name": "MetricName",
    "statistic": "Statistic",
    "comparison_operator": "ComparisonOperator",
    "threshold": "Threshold",
    "period": "Period",
    "evaluation_periods": "EvaluationPeriods",
    "treat_missing_data": "TreatMissingData",
    "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions",
}
"""Settings as CloudWatch spells them; dimensions are a list there."""
_AT_ONCE = 100
"""How many alarms CloudWatch describes by name in one call."""


@dataclass(frozen=True)
class Alarm:
    """An alarm: its settings, by the names of the module's options, and its tags."""

    name: str
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    tags: t.Mapping[str, str] = field(default_factory=dict)
    arn: str = ""


Alarms = t.Mapping[str, Alarm]


@dataclass(frozen=True)
class AlarmStep(Step):
    """A step of one alarm: ``op`` is create, update, tag or delete."""

    alarm: Alarm = field(default_factory=lambda: Alarm(""))


@dataclass(frozen=True)
class AlarmsManager:
    """Keeps the wanted alarms as declared, and has none of the unwanted names."""

    client: t.Any
    wanted: tuple[Alarm, ...]
    unwanted: tuple[str, ...]

    def read(self) -> Alarms:
        """Return those of the named alarms that exist, by name; tags are read of the wanted ones only."""
        wanted = {alarm.name for alarm in self.wanted}
        names = [*sorted(wanted), *self.unwanted]
        found: dict[str, Alarm] = {}
        for first in range(0, len(names), _AT_ONCE):
            chunk = names[first : first + _AT_ONCE]
            with attempting(f"read the alarms {', '.join(chunk)}"):
                answer = self.client.describe_alarms(AlarmNames=chunk, MaxRecords=_AT_ONCE, aws_retry=True)
                found |= {
                    raw["AlarmName"]: self._alarm(raw, raw["AlarmName"] in wanted) for raw in answer["MetricAlarms"]
                }
        return {name: found[name] for name in names if name in found}

    def plan(self, observed: Alarms) -> Plan:
        """Return the steps to what is wanted."""
        removals = (
            AlarmStep("delete", name, "the alarm is not wanted", alarm=observed[name])
            for name in self.unwanted
            if name in observed
        )
        return Plan((*(step for alarm in self.wanted for step in _steps(alarm, observed.get(alarm.name))), *removals))

    def apply(self, plan: Plan, observed: Alarms) -> None:
        """Carry out the steps."""
        for step in plan.steps:
            if isinstance(step, AlarmStep):
                with attempting(f"{step.op} the alarm {step.resource}"):
                    self._apply(step)

    def project(self, observed: Alarms, plan: Plan) -> Alarms:
        """Return the alarms as they will be."""
        kept = {name: alarm for name, alarm in observed.items() if name not in self.unwanted}
        for alarm in self.wanted:
            before = observed.get(alarm.name, alarm)
            kept[alarm.name] = replace(before, settings=alarm.settings, tags={**before.tags, **alarm.tags})
        return kept

    def view(self, observed: Alarms) -> dict[str, t.Any]:
        """Return the alarms in plain values."""
        return {name: {**alarm.settings, "tags": dict(alarm.tags)} for name, alarm in sorted(observed.items())}

    def _alarm(self, raw: t.Mapping[str, t.Any], tagged: bool) -> Alarm:
        settings = {
            **{option: raw.get(key) for option, key in _SPELLED.items()},
            "description": raw.get("AlarmDescription", ""),
            "dimensions": {item["Name"]: item["Value"] for item in raw.get("Dimensions") or ()},
        }
        arn = raw["AlarmArn"]
        tags = self.client.list_tags_for_resource(ResourceARN=arn, aws_retry=True)["Tags"] if tagged else ()
        return Alarm(raw["AlarmName"], settings, boto3_tag_list_to_ansible_dict(tags), arn)

    def _apply(self, step: AlarmStep) -> None:
        alarm = step.alarm
        tags = ansible_dict_to_boto3_tag_list(alarm.tags)
        if step.op == "delete":
            self.client.delete_alarms(AlarmNames=[alarm.name], aws_retry=True)
        elif step.op == "tag":
            self.client.tag_resource(ResourceARN=alarm.arn, Tags=tags, aws_retry=True)
        else:
            # An alarm that exists keeps the tags that it has: AWS passes over those of an update.
            made = {"Tags": tags} if step.op == "create" and tags else {}
            self.client.put_metric_alarm(AlarmName=alarm.name, **_arguments(alarm.settings), **made, aws_retry=True)


def _steps(wanted: Alarm, found: Alarm | None) -> t.Iterator[AlarmStep]:
    if found is None:
        yield AlarmStep("create", wanted.name, "there is no alarm of this name", alarm=wanted)
        return
    different = [name for name, value in wanted.settings.items() if found.settings[name] != value]
    if different:
        words = ", ".join(name.replace("_", " ") for name in different)
        reason = f"its {words} {'differs' if len(different) == 1 else 'differ'}"
        yield AlarmStep("update", wanted.name, reason, alarm=wanted)
    lacking = sorted(compare_aws_tags(found.tags, wanted.tags, purge_tags=False)[0])
    if lacking:
        reason = f"its tags differ: {', '.join(lacking)}"
        yield AlarmStep("tag", wanted.name, reason, alarm=replace(wanted, arn=found.arn))


def _arguments(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(settings["dimensions"].items())]
    return {**{key: settings[option] for option, key in _SPELLED.items()}, "Dimensions": dimensions}


def wanted_from(params: t.Mapping[str, t.Any]) -> tuple[Alarm, ...]:
    """Return the alarms that the parameters want."""
    tags = texts(params["tags"])
    return tuple(
        Alarm(item["name"], _settings(item, params), tags) for item in params["alarms"] if item["state"] == "present"
    )


def _settings(item: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    dimensions = texts(item["dimensions"])
    return {**{option: item.get(option, params.get(option)) for option in _SPELLED}, "dimensions": dimensions}


def work(module: t.Any) -> dict[str, t.Any]:
    """Bring the alarms to what is declared and return the module's result."""
    unwanted = tuple(item["name"] for item in module.params["alarms"] if item["state"] == "absent")
    manager = AlarmsManager(client(module, "cloudwatch", attempts=8), wanted_from(module.params), unwanted)
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "alarms": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
