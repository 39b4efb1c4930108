#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: log_groups
short_description: Manage log groups of CloudWatch Logs with their metric filters
version_added: 0.2.0
description:
  - Creates log groups, and keeps their retention, tags and metric filters as declared.
  - Metric filters that are not declared are removed if they fill a metric namespace of the declared ones.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  groups:
    description:
      - The log groups.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the group.
        type: str
        required: true
      retention_in_days:
        description:
          - How long events are kept. Without it, what is there stays.
        type: int
        choices:
          [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
      metric_filters:
        description:
          - What makes metrics of the group's events.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description:
              - Name of the filter, unique in the group.
            type: str
            required: true
          pattern:
            description:
              - Pattern of the events.
            type: str
            required: true
          metric_namespace:
            description:
              - Namespace of the metric.
            type: str
            required: true
          metric_name:
            description:
              - Name of the metric.
            type: str
            required: true
          value:
            description:
              - The metric's value for such an event, a number or a field of it such as V($.length).
            type: str
            default: "1"
  tags:
    description:
      - Tags that each group has; other tags stay.
    type: dict
    default: {}
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
"""

EXAMPLES = r"""
- name: Keep the output of the scheduler for a week, and count what it sends
  antenna.aws.log_groups:
    groups:
      - name: /aws/elasticbeanstalk/antenna/containers/celerybeat
        retention_in_days: 7
        metric_filters:
          - name: beat-sent
            pattern: '"Sending due task"'
            metric_namespace: Antenna/antenna
            metric_name: BeatSent
"""

RETURN = r"""
groups:
  description: The groups, by name.
  returned: success
  type: dict
  sample:
    /aws/elasticbeanstalk/antenna/containers/celerybeat:
      retention_in_days: 7
      tags: {}
      metric_filters:
        beat-sent: '"Sending due task"'
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: put filter
      resource: /aws/elasticbeanstalk/antenna/containers/celerybeat
      reason: the filter beat-sent is lacking
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._cloudwatch.api import LogGroupsManager
from ansible_collections.antenna.aws.plugins.module_utils._cloudwatch.planner import LogGroup, MetricFilter
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.module import result, run, sync

RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
FILTER = {
    "name": {"type": "str", "required": True},
    "pattern": {"type": "str", "required": True},
    "metric_namespace": {"type": "str", "required": True},
    "metric_name": {"type": "str", "required": True},
    "value": {"type": "str", "default": "1"},
}
GROUP = {
    "name": {"type": "str", "required": True},
    "retention_in_days": {"type": "int", "choices": RETENTIONS},
    "metric_filters": {"type": "list", "elements": "dict", "default": [], "options": FILTER},
}
SPEC = ArgumentSpec(
    {
        "groups": {"type": "list", "elements": "dict", "required": True, "options": GROUP},
        "tags": {"type": "dict", "default": {}},
    }
)


def wanted_from(params: t.Mapping[str, t.Any]) -> tuple[LogGroup, ...]:
    """Return the groups that the parameters declare."""
    tags = texts(params["tags"])
    return tuple(
        LogGroup(
            item["name"],
            item["retention_in_days"],
            tags,
            tuple(MetricFilter(**given) for given in item["metric_filters"]),
        )
        for item in params["groups"]
    )


def work(module: t.Any) -> dict[str, t.Any]:
    """Bring the groups to what is declared and return the module's result."""
    config = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "max_attempts": 8}}
    manager = LogGroupsManager(module.client("logs", config=config), wanted_from(module.params))
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "groups": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
