# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a wanted and an observed replication group to the steps between them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.model import (
    CREATE_FAILED,
    CREATING,
    DELETING,
    PARAMETERS,
    Group,
    WantedGroup,
)

Changes = tuple[tuple[str, t.Any], ...]

_MODIFIABLE = (
    "description",
    "engine",
    "engine_version",
    "cache_node_type",
    "automatic_failover_enabled",
    "multi_az_enabled",
    "cache_parameter_group_name",
    "security_group_ids",
    "preferred_maintenance_window",
    "snapshot_retention_limit",
)
_FIXED = ("at_rest_encryption_enabled", "cache_subnet_group_name", "port")


@dataclass(frozen=True)
class CreateGroup(Step):
    """Create the group with everything that was declared."""

    options: Changes = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ModifyGroup(Step):
    """One ModifyReplicationGroup call."""

    options: Changes = ()


@dataclass(frozen=True)
class ResizeGroup(Step):
    """Change the number of nodes."""

    nodes: int = 1
    grows: bool = True


@dataclass(frozen=True)
class TagGroup(Step):
    """Change the group's tags."""

    arn: str = ""
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeleteGroup(Step):
    """Delete the group with its data."""


def plan_present(wanted: WantedGroup, observed: Group | None) -> Plan:
    """Return the steps that make the group as declared. Raises AntennaError when that is not possible from here."""
    if observed is None:
        _refuse_impossible(wanted, wanted.num_cache_clusters or 1, bool(wanted.automatic_failover_enabled))
        return Plan((_create(wanted),))
    if observed.status == DELETING:
        raise AntennaError(
            f"Replication group {wanted.replication_group_id!r} is being deleted: try again when it is gone."
        )
    if observed.status == CREATE_FAILED:
        raise AntennaError(
            f"The creation of replication group {wanted.replication_group_id!r} has failed: look at its events with "
            "'aws elasticache describe-events', delete it (state: absent) and try again."
        )
    _refuse_fixed(wanted, observed)
    _refuse_engine(wanted, observed)
    _refuse_impossible(
        wanted,
        _either(wanted.num_cache_clusters, observed.num_cache_clusters) or 1,
        bool(_either(wanted.automatic_failover_enabled, observed.automatic_failover_enabled)),
    )
    return Plan((*_tags(wanted, observed), *_encryption(wanted, observed), *_size_and_options(wanted, observed)))


def plan_absent(wanted: WantedGroup, observed: Group | None) -> Plan:
    """Return the steps that remove the group; none when it is gone or on its way."""
    if observed is None or observed.status == DELETING:
        return Plan()
    return Plan((DeleteGroup("delete", wanted.replication_group_id, "the replication group must not exist"),))


def project(observed: Group | None, plan: Plan) -> Group | None:
    """Return what will be observed when the plan has been applied."""
    for step in plan.steps:
        observed = _project_step(observed, step)
    return observed


def same_version(wanted: str, current: str) -> bool:
    """Tell whether a version is what was declared, as far as it was: 7.1 is 7.1.0, and 6.x is 6.2.6."""
    pairs = zip(wanted.split("."), current.split("."), strict=False)
    return all(part in ("x", there) for part, there in pairs) and wanted.count(".") <= current.count(".")


def _create(wanted: WantedGroup) -> CreateGroup:
    missing = [name for name in ("description", "cache_node_type") if not getattr(wanted, name)]
    if missing:
        raise AntennaError(
            f"Replication group {wanted.replication_group_id!r} does not exist, and creating it takes "
            f"{' and '.join(missing)}."
        )
    options = tuple((name, getattr(wanted, name)) for name in PARAMETERS if getattr(wanted, name) is not None)
    return CreateGroup(
        "create",
        wanted.replication_group_id,
        "there is no replication group of this name",
        options=options,
        tags=tuple(sorted((wanted.tags or {}).items())),
    )


def _refuse_impossible(wanted: WantedGroup, nodes: int, failover: bool) -> None:
    name = wanted.replication_group_id
    if wanted.automatic_failover_enabled and nodes < 2:
        raise AntennaError(
            f"Replication group {name!r} cannot fail over automatically with {nodes} node: declare num_cache_clusters "
            "of 2 or more, or automatic_failover_enabled: false."
        )
    if wanted.multi_az_enabled and not failover:
        raise AntennaError(
            f"Replication group {name!r} cannot be multi_az_enabled without automatic_failover_enabled: declare both."
        )


def _refuse_fixed(wanted: WantedGroup, observed: Group) -> None:
    for name in _FIXED:
        value, current = getattr(wanted, name), getattr(observed, name)
        if value is not None and current is not None and value != current:
            raise AntennaError(
                f"Replication group {wanted.replication_group_id!r} has {name} {current!r}, which cannot become "
                f"{value!r} after creation: declare {current!r}, or delete the group with its data and create it anew."
            )


def _refuse_engine(wanted: WantedGroup, observed: Group) -> None:
    name = wanted.replication_group_id
    engines = (observed.engine, wanted.engine)
    if None not in engines and engines[0] != engines[1] and engines != ("redis", "valkey"):
        raise AntennaError(
            f"Replication group {name!r} runs {observed.engine}, which cannot become {wanted.engine}: only redis can "
            "become valkey."
        )
    if wanted.engine not in (None, observed.engine) or wanted.engine_version is None or observed.engine_version is None:
        return
    if _older(wanted.engine_version, observed.engine_version):
        raise AntennaError(
            f"Replication group {name!r} runs version {observed.engine_version}, and cannot go back to "
            f"{wanted.engine_version}: declare {observed.engine_version}."
        )


def _older(wanted: str, current: str) -> bool:
    if same_version(wanted, current):
        return False
    return _numbers(wanted) < _numbers(current)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _tags(wanted: WantedGroup, observed: Group) -> t.Iterator[TagGroup]:
    if wanted.tags is None or observed.tags is None or observed.arn is None:
        return
    add = {key: value for key, value in wanted.tags.items() if observed.tags.get(key) != value}
    extra = [key for key in observed.tags if key not in wanted.tags and not key.startswith("aws:")]
    remove = sorted(extra) if wanted.purge_tags else []
    if add or remove:
        yield TagGroup(
            "tag",
            wanted.replication_group_id,
            "tags differ: " + ", ".join([*sorted(add), *(f"{key} (removed)" for key in remove)]),
            arn=observed.arn,
            add=tuple(sorted(add.items())),
            remove=tuple(remove),
        )


def _encryption(wanted: WantedGroup, observed: Group) -> t.Iterator[ModifyGroup]:
    """TLS is switched over a mode in which both kinds of client connect: "preferred"."""
    enabled, mode = wanted.transit_encryption_enabled, wanted.transit_encryption_mode
    states: list[Changes] = []
    if enabled is True and observed.transit_encryption_enabled is False:
        states = [(("transit_encryption_enabled", True), ("transit_encryption_mode", "preferred"))]
        if mode != "preferred":
            states.append((("transit_encryption_mode", "required"),))
    elif enabled is False and observed.transit_encryption_enabled is True:
        if observed.transit_encryption_mode != "preferred":
            states.append((("transit_encryption_mode", "preferred"),))
        states.append((("transit_encryption_enabled", False),))
    elif enabled is not False and None not in (mode, observed.transit_encryption_mode):
        states = [(("transit_encryption_mode", mode),)] if mode != observed.transit_encryption_mode else []
    for state in states:
        yield ModifyGroup("modify", wanted.replication_group_id, _reason(state, observed), options=state)


def _size_and_options(wanted: WantedGroup, observed: Group) -> list[Step]:
    changes: Changes = (
        *(
            (name, getattr(wanted, name))
            for name in _MODIFIABLE
            if _differs(name, getattr(wanted, name), getattr(observed, name))
        ),
        *_snapshotting(wanted, observed),
    )
    modify = [ModifyGroup("modify", wanted.replication_group_id, _reason(changes, observed), options=changes)]
    nodes, current = wanted.num_cache_clusters, observed.num_cache_clusters
    if nodes is None or current is None or nodes == current:
        return list(modify) if changes else []
    resize = ResizeGroup(
        "resize",
        wanted.replication_group_id,
        f"num_cache_clusters is {current}, wanted is {nodes}",
        nodes=nodes,
        grows=nodes > current,
    )
    # A group needs its second node before failover can be switched on, and keeps it until that is off.
    steps: list[Step] = [resize, *modify] if resize.grows else [*modify, resize]
    return [step for step in steps if step is resize or changes]


def _snapshotting(wanted: WantedGroup, observed: Group) -> Changes:
    """To begin with snapshots the service wants to know of which node: the last one is a replica where there is one."""
    if wanted.snapshot_retention_limit and observed.snapshot_retention_limit == 0 and observed.member_clusters:
        return (("snapshotting_cluster_id", observed.member_clusters[-1]),)
    return ()


def _differs(name: str, value: t.Any, current: t.Any) -> bool:
    if value is None or current is None:
        return False
    if name == "engine_version":
        return not same_version(value, current)
    if name == "security_group_ids":
        return set(value) != set(current)
    if name == "preferred_maintenance_window":
        # The service tells days in small letters.
        return bool(value.lower() != current)
    return bool(value != current)


def _reason(changes: Changes, observed: Group) -> str:
    return ", ".join(f"{name} is {_shown(getattr(observed, name))}, wanted is {_shown(v)}" for name, v in changes)


def _shown(value: t.Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _either(wanted: t.Any, observed: t.Any) -> t.Any:
    return observed if wanted is None else wanted


def _project_step(observed: Group | None, step: Step) -> Group | None:
    if isinstance(step, CreateGroup):
        # What the service calls them is told by the service only.
        known = {name: value for name, value in step.options if name in Group.__dataclass_fields__}
        return Group(step.resource, CREATING, tags=dict(step.tags), **known)
    if isinstance(step, DeleteGroup) or observed is None:
        return None
    if isinstance(step, ModifyGroup):
        return replace(observed, **dict(step.options))
    if isinstance(step, ResizeGroup):
        return replace(observed, num_cache_clusters=step.nodes)
    if isinstance(step, TagGroup):
        kept = {key: value for key, value in (observed.tags or {}).items() if key not in step.remove}
        return replace(observed, tags={**kept, **dict(step.add)})
    raise TypeError(f"unknown step {step!r}")
