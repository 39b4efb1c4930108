# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From declared and observed log groups to the steps between them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.amazon.aws.plugins.module_utils.tagging import compare_aws_tags
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step


@dataclass(frozen=True)
class MetricFilter:
    """Makes a metric of the events that a pattern lets pass. ``value`` is a number or a field such as ``$.length``."""

    name: str
    pattern: str
    metric_namespace: str
    metric_name: str
    value: str = "1"


@dataclass(frozen=True)
class LogGroup:
    """A log group. ``retention_in_days`` of None keeps events for ever; tags and filters are by name."""

    name: str
    retention_in_days: int | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    filters: tuple[MetricFilter, ...] = ()
    arn: str = ""

    def filter(self, name: str) -> MetricFilter | None:
        """Return the group's metric filter of this name."""
        return next((item for item in self.filters if item.name == name), None)


@dataclass(frozen=True)
class GroupStep(Step):
    """A step of one group: ``op`` is create, retain, tag, put filter or delete filter."""

    group: LogGroup = field(default_factory=lambda: LogGroup(""))
    filter: MetricFilter | None = None


Groups = t.Mapping[str, LogGroup]


def plan(wanted: t.Iterable[LogGroup], observed: Groups) -> Plan:
    """Return the steps to the wanted groups. Filters of the wanted metric namespaces that nobody wants are removed."""
    return Plan(tuple(step for group in wanted for step in _steps(group, observed.get(group.name))))


def project(observed: Groups, steps: Plan) -> dict[str, LogGroup]:
    """Return the groups as they will be."""
    after = dict(observed)
    for step in steps.steps:
        if isinstance(step, GroupStep):
            after[step.group.name] = _after(after.get(step.group.name, LogGroup(step.group.name)), step)
    return after


def _steps(wanted: LogGroup, found: LogGroup | None) -> t.Iterator[GroupStep]:
    if found is None:
        yield GroupStep("create", wanted.name, "there is no log group of this name", group=wanted)
        found = LogGroup(wanted.name, tags=wanted.tags)
    if wanted.retention_in_days is not None and wanted.retention_in_days != found.retention_in_days:
        before = f"{found.retention_in_days} days" if found.retention_in_days else "for ever"
        yield GroupStep(
            "retain", wanted.name, f"events are kept {before}, not {wanted.retention_in_days} days", group=wanted
        )
    lacking = sorted(compare_aws_tags(found.tags, wanted.tags, purge_tags=False)[0])
    if lacking:
        yield GroupStep("tag", wanted.name, f"tags differ: {', '.join(lacking)}", group=wanted)
    for item in wanted.filters:
        if found.filter(item.name) != item:
            reason = "is lacking" if found.filter(item.name) is None else "differs"
            yield GroupStep("put filter", wanted.name, f"the filter {item.name} {reason}", group=wanted, filter=item)
    namespaces = {item.metric_namespace for item in wanted.filters}
    for item in found.filters:
        if item.metric_namespace in namespaces and wanted.filter(item.name) is None:
            reason = f"the filter {item.name} is not declared"
            yield GroupStep("delete filter", wanted.name, reason, group=wanted, filter=item)


def _after(group: LogGroup, step: GroupStep) -> LogGroup:
    if step.op == "retain":
        return replace(group, retention_in_days=step.group.retention_in_days)
    if step.op in ("create", "tag"):
        return replace(group, tags={**group.tags, **step.group.tags})
    name = step.filter.name if step.filter else ""
    others = tuple(item for item in group.filters if item.name != name)
    added = (step.filter,) if step.op == "put filter" and step.filter else ()
    return replace(group, filters=tuple(sorted((*others, *added), key=lambda item: item.name)))
