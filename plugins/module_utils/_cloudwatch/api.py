# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that calls CloudWatch Logs about groups and their metric filters."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._cloudwatch import planner
from ansible_collections.antenna.aws.plugins.module_utils._cloudwatch.planner import (
    Groups,
    GroupStep,
    LogGroup,
    MetricFilter,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan


@dataclass(frozen=True)
class LogGroupsManager:
    """Keeps log groups with their metric filters as declared. ``client`` is a boto3 client of logs."""

    client: t.Any
    wanted: tuple[LogGroup, ...]

    def read(self) -> Groups:
        """Return those of the wanted groups that exist, by name."""
        found = (self._group(item.name) for item in self.wanted)
        return {group.name: group for group in found if group is not None}

    def plan(self, observed: Groups) -> Plan:
        """Return the steps to what is wanted."""
        return planner.plan(self.wanted, observed)

    def apply(self, plan: Plan, observed: Groups) -> None:
        """Carry out the steps."""
        for step in plan.steps:
            if isinstance(step, GroupStep):
                with attempting(f"{step.op} the log group {step.resource}"):
                    self._apply(step, observed)

    def project(self, observed: Groups, plan: Plan) -> Groups:
        """Return the groups as they will be."""
        return planner.project(observed, plan)

    def view(self, observed: Groups) -> dict[str, t.Any]:
        """Return the groups in plain values."""
        return {
            name: {
                "retention_in_days": group.retention_in_days,
                "tags": dict(group.tags),
                "metric_filters": {item.name: item.pattern for item in group.filters},
            }
            for name, group in sorted(observed.items())
        }

    def _group(self, name: str) -> LogGroup | None:
        with attempting(f"read the log group {name}"):
            for page in self.client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
                for group in page["logGroups"]:
                    if group["logGroupName"] == name:
                        arn = str(group["arn"]).removesuffix(":*")
                        tags = self.client.list_tags_for_resource(resourceArn=arn)["tags"]
                        return LogGroup(name, group.get("retentionInDays"), dict(tags), self._filters(name), arn)
        return None

    def _filters(self, name: str) -> tuple[MetricFilter, ...]:
        found = [
            MetricFilter(item["filterName"], item["filterPattern"], made["metricNamespace"], made["metricName"], value)
            for page in self.client.get_paginator("describe_metric_filters").paginate(logGroupName=name)
            for item in page["metricFilters"]
            for made in item["metricTransformations"][:1]
            for value in (str(made["metricValue"]),)
        ]
        return tuple(sorted(found, key=lambda item: item.name))

    def _apply(self, step: GroupStep, observed: Groups) -> None:
        group, item = step.group, step.filter
        if step.op == "create":
            self.client.create_log_group(logGroupName=group.name, tags=dict(group.tags))
        elif step.op == "retain":
            self.client.put_retention_policy(logGroupName=group.name, retentionInDays=group.retention_in_days)
        elif step.op == "tag":
            self.client.tag_resource(resourceArn=observed[group.name].arn, tags=dict(group.tags))
        elif step.op == "delete filter" and item:
            self.client.delete_metric_filter(logGroupName=group.name, filterName=item.name)
        elif item:
            made = {"metricNamespace": item.metric_namespace, "metricName": item.metric_name, "metricValue": item.value}
            self.client.put_metric_filter(
                logGroupName=group.name,
                filterName=item.name,
                filterPattern=item.pattern,
                metricTransformations=[made],
            )
