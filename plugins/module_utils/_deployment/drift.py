# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run in check mode says about each resource: whether it is as declared. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

DRIFTED = "yes"
AS_DECLARED = "no"
UNKNOWN = "unknown"

KINDS: t.Mapping[str, frozenset[str]] = {
    "amazon.aws.ec2_security_group": frozenset({"security_group"}),
    "amazon.aws.ec2_vpc_route_table": frozenset({"route_table"}),
    "amazon.aws.ec2_vpc_subnet": frozenset({"subnet"}),
    "amazon.aws.iam_instance_profile": frozenset({"iam_role"}),
    "amazon.aws.iam_policy": frozenset({"iam_role", "iam_user"}),
    "amazon.aws.iam_role": frozenset({"iam_role"}),
    "amazon.aws.iam_user": frozenset({"iam_user"}),
    "amazon.aws.rds_instance": frozenset({"db_instance"}),
    "amazon.aws.rds_instance_param_group": frozenset({"db_parameter_group"}),
    "amazon.aws.rds_subnet_group": frozenset({"db_subnet_group"}),
    "antenna.aws.cloudfront_distribution": frozenset({"distribution"}),
    "antenna.aws.cloudfront_function": frozenset({"function"}),
    "antenna.aws.cloudfront_origin_access_control": frozenset({"origin_access_control"}),
    "antenna.aws.cloudwatch_alarms": frozenset({"alarm"}),
    "antenna.aws.cloudwatch_dashboard": frozenset({"dashboard"}),
    "antenna.aws.eb_environment": frozenset({"environment"}),
    "antenna.aws.eb_version": frozenset({"application"}),
    "antenna.aws.ecr_repositories": frozenset({"repository"}),
    "antenna.aws.elasticache_replication_group": frozenset({"replication_group"}),
    "antenna.aws.log_groups": frozenset({"log_groups"}),
    "antenna.aws.s3_bucket": frozenset({"bucket"}),
    "antenna.aws.s3_site": frozenset({"bucket"}),
    "community.aws.elasticache_subnet_group": frozenset({"cache_subnet_group"}),
    "community.aws.secretsmanager_secret": frozenset({"secret"}),
    "community.aws.sns_topic": frozenset({"topic"}),
}
"""The kinds of resources that a module changes. Each of these modules can run in check mode."""

NAMELESS = frozenset({"community.aws.secretsmanager_secret"})
"""Modules whose parameters are never shown, and of whose kind a deployment has one resource."""

PREFIXES = frozenset({"log_groups"})
"""Kinds that are declared by how the names of their resources begin."""


@dataclass(frozen=True)
class Checked:
    """What one task, or one turn of its loop, said in check mode. ``names`` are all its plain parameters.

    ``members`` are the names of the resources that it lists, with the reasons to change each of them.
    """

    task: str
    action: str
    names: frozenset[str]
    changed: bool
    reasons: tuple[str, ...] = ()
    members: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def words(self, name: str) -> tuple[str, ...]:
        """Why it would change the resource of this name: the module's reasons, else the name of the task."""
        if not self.changed:
            return ()
        return self.members.get(name, self.reasons or (self.task,))


def checks(document: t.Mapping[str, t.Any], host: str) -> tuple[Checked, ...]:
    """Return what each task said about the host, from what Ansible's JSON callback wrote."""
    return tuple(
        _checked(task["task"]["name"], turn, result.get("action", ""))
        for play in document.get("plays", ())
        for task in play.get("tasks", ())
        for name, result in task.get("hosts", {}).items()
        if name == host
        for turn in (result["results"] if isinstance(result.get("results"), list) else (result,))
    )


def failure(document: t.Mapping[str, t.Any], host: str) -> str:
    """Return why the run ended early, empty where it did not."""
    for play in document.get("plays", ()):
        for task in play.get("tasks", ()):
            result = task.get("hosts", {}).get(host, {})
            if result.get("failed"):
                return f"{task['task']['name']}: {_message(result)}"
    return ""


def drift(kind: str, name: str, found: t.Iterable[Checked], complete: bool) -> tuple[str, tuple[str, ...]]:
    """Return whether the resource differs from what is declared, and what would be done about it.

    ``complete``: the run came to its end, so that what it said nothing of would stay as it is.
    """
    about = [item for item in found if _is_about(item, kind, name)]
    words = tuple(word for item in about for word in item.words(name))
    if words:
        return DRIFTED, words
    return (AS_DECLARED if about or complete else UNKNOWN), ()


def elsewhere(names: t.Collection[tuple[str, str]], found: t.Iterable[Checked]) -> tuple[str, ...]:
    """Return what would change and is none of the resources, such as builds; ``names`` are their kinds and names."""
    changed = [item for item in found if item.changed]
    return tuple(dict.fromkeys(item.task for item in changed if not any(_is_about(item, *name) for name in names)))


def _is_about(item: Checked, kind: str, name: str) -> bool:
    if kind not in KINDS.get(item.action, ()):
        return False
    if kind in PREFIXES:
        return any(named.startswith(name) for named in item.names)
    return name in item.names or item.action in NAMELESS


def _checked(task: str, result: t.Mapping[str, t.Any], action: str) -> Checked:
    arguments = (result.get("invocation") or {}).get("module_args") or {}
    plan = result.get("plan") if isinstance(result.get("plan"), list) else []
    steps = [step for step in plan or () if isinstance(step, dict)]
    listed = frozenset(_listed(arguments))
    return Checked(
        task=task.rpartition(" : ")[2],
        action=action,
        names=frozenset(_names(arguments)) | listed,
        changed=bool(result.get("changed")),
        reasons=_reasons(steps),
        members={name: _reasons(step for step in steps if step.get("resource") == name) for name in listed}
        if steps
        else {},
    )


def _reasons(steps: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    return tuple(f"{step.get('op')}: {step.get('reason')}" for step in steps)


def _listed(arguments: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for value in arguments.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict) and "name" in item:
                yield str(item["name"])


def _names(arguments: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield from (value for value in arguments.values() if isinstance(value, str))
    tags = arguments.get("tags")
    if isinstance(tags, dict) and "Name" in tags:
        yield str(tags["Name"])


def _message(result: t.Mapping[str, t.Any]) -> str:
    for turn in (*(result.get("results") or ()), result):
        if isinstance(turn, dict) and turn.get("failed"):
            return str(turn.get("msg", "no message"))
    return "no message"
