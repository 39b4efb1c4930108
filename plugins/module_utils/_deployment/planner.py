# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was found of a deployment to the steps that remove it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import (
    MADE,
    NOBODY,
    OTHERS,
    SHARED_TAG,
    USER_TAGS,
    Declared,
    Found,
    Resource,
)

STAGES: tuple[frozenset[str], ...] = (
    frozenset({"alarm", "dashboard", "metric_filter"}),
    # What takes minutes goes together.
    frozenset({"db_instance", "distribution", "environment", "replication_group"}),
    frozenset(
        {
            "application",
            "bucket",
            "cache_subnet_group",
            "db_parameter_group",
            "db_snapshots",
            "db_subnet_group",
            "function",
            "iam_role",
            "iam_user",
            "log_groups",
            "origin_access_control",
            "repository",
            "secret",
            "topic",
        }
    ),
    frozenset({"route_table", "security_group", "subnet"}),
)
"""Kinds by the order of their removal; what one stage removes, the next one's resources no longer depend on."""


@dataclass(frozen=True)
class Remove(Step):
    """Remove the resource. ``snapshot`` is the name of the final snapshot of a database, empty for none."""

    declared: Declared = field(default_factory=lambda: Declared("", ""))
    stage: int = 0
    snapshot: str = ""


@dataclass(frozen=True)
class Release(Remove):
    """Take this deployment's policies and tag from what others go on using."""


@dataclass(frozen=True)
class Kept:
    """A resource that stays, and why."""

    resource: Resource
    reason: str


def plan(resources: t.Iterable[Resource], delete_data: bool) -> Plan:
    """Return the steps that remove what is ours, in order. Data goes only with ``delete_data``."""
    steps = [step for item in resources for step in _steps(item, delete_data)]
    steps.sort(key=lambda step: (step.stage, step.op, step.resource))
    return Plan(tuple(steps))


def kept(resources: t.Iterable[Resource], delete_data: bool) -> tuple[Kept, ...]:
    """Return what exists and stays."""
    return tuple(
        Kept(item, reason)
        for item in resources
        for reason in (_reason_to_keep(item, delete_data),)
        if item.found is not None and reason
    )


def project(resources: t.Sequence[Resource], steps: Plan) -> tuple[Resource, ...]:
    """Return what will be found when the plan has been applied."""
    removed = {step.declared for step in steps if isinstance(step, Remove) and not isinstance(step, Release)}
    return tuple(replace(item, found=None, owner=NOBODY) if item.declared in removed else item for item in resources)


def final_snapshot(declared: Declared, found: Found) -> str:
    """Return the name of a database's final snapshot: each database, however often made anew, has its own."""
    return f"{declared.name}-final-{str(found.more.get('resource_id', '')).removeprefix('db-')[:12]}".rstrip("-")


def _steps(item: Resource, delete_data: bool) -> t.Iterator[Remove]:
    declared, found = item.declared, item.found
    if found is None or item.owner == OTHERS:
        return
    if declared.shared and not _is_last(item):
        if declared.mark in (found.tags or {}) or set(found.members) & set(declared.policies):
            yield Release(
                "release",
                declared.label,
                "others go on using it; this deployment's policies and tag are taken from it",
                declared=declared,
                stage=_stage(declared.kind),
            )
        return
    if _reason_to_keep(item, delete_data):
        return
    snapshot = "" if delete_data or declared.kind != "db_instance" else final_snapshot(declared, found)
    yield Remove(
        "remove",
        declared.label,
        _reason(item, snapshot),
        declared=declared,
        stage=_stage(declared.kind),
        snapshot=snapshot,
    )


def _reason(item: Resource, snapshot: str) -> str:
    if snapshot:
        return f"the deployment made it; the final snapshot {snapshot} is taken before"
    if item.declared.data:
        return "the deployment made it, and its data is to be deleted"
    return "the deployment made it"


def _reason_to_keep(item: Resource, delete_data: bool) -> str:
    if item.owner == OTHERS:
        return "this deployment did not make it"
    if item.declared.shared and not _is_last(item):
        return "it is shared"
    if item.declared.data and not delete_data:
        return "it holds data"
    return ""


def _is_last(item: Resource) -> bool:
    """Whether a deployment made the shared resource, and no other one uses it any more."""
    tags = (item.found.tags if item.found else None) or {}
    others = [key for key in tags if key.startswith(USER_TAGS) and key != item.declared.mark]
    return tags.get(SHARED_TAG) == MADE and not others


def _stage(kind: str) -> int:
    return next(number for number, kinds in enumerate(STAGES) if kind in kinds)
