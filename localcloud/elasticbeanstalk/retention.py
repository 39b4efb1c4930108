# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which application versions the service keeps: lifecycle policies and quotas. Pure.

As https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/applications-lifecycle.html says: a policy is applied after a
version was created, does not count that version, deletes at most 100 versions at a time, and spares those that an
environment uses or used until it was terminated less than ten weeks ago.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.models import Environment, Version

MOST_AT_ONCE = 100
SPARED = timedelta(weeks=10)


@dataclass(frozen=True)
class Quotas:
    """How many there may be in a region; the standard quotas of a new account."""

    applications: int = 75
    versions: int = 1000
    environments: int = 200
    templates: int = 2000
    platforms: int = 50


@dataclass(frozen=True)
class Policy:
    """An application's policy; None: that rule is off."""

    most: int | None
    oldest: timedelta | None
    deletes_bundles: bool


def default_lifecycle() -> dict[str, Any]:
    """What an application has that was never given a policy."""
    return {
        "VersionLifecycleConfig": {
            "MaxCountRule": {"Enabled": False, "MaxCount": 200, "DeleteSourceFromS3": False},
            "MaxAgeRule": {"Enabled": False, "MaxAgeInDays": 180, "DeleteSourceFromS3": False},
        }
    }


def merged(current: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A policy after a change: the role stays until another is given, and so does a rule that is not mentioned."""
    rules = {**current["VersionLifecycleConfig"]}
    for name, rule in (given.get("VersionLifecycleConfig") or {}).items():
        rules[name] = {**rules[name], **rule}
    role = given.get("ServiceRole", current.get("ServiceRole"))
    return {**({"ServiceRole": role} if role is not None else {}), "VersionLifecycleConfig": rules}


def defect(lifecycle: Mapping[str, Any]) -> str | None:
    """Why the service does not take a policy, else None. The conditions are its documentation's, the words are ours."""
    rules = lifecycle["VersionLifecycleConfig"]
    count, age = rules["MaxCountRule"], rules["MaxAgeRule"]
    if not (count["Enabled"] or age["Enabled"]):
        return None
    if count["Enabled"] and age["Enabled"]:
        return "Specify either MaxCountRule or MaxAgeRule, not both."
    if not lifecycle.get("ServiceRole"):
        return "A ServiceRole is required to apply an application version lifecycle policy."
    number = count["MaxCount"] if count["Enabled"] else age["MaxAgeInDays"]
    return None if number >= 1 else f"An application version lifecycle rule must allow at least 1, not {number}."


def policy(lifecycle: Mapping[str, Any]) -> Policy:
    rules = lifecycle["VersionLifecycleConfig"]
    count, age = rules["MaxCountRule"], rules["MaxAgeRule"]
    return Policy(
        most=count["MaxCount"] if count["Enabled"] else None,
        oldest=timedelta(days=age["MaxAgeInDays"]) if age["Enabled"] else None,
        deletes_bundles=bool((count if count["Enabled"] else age).get("DeleteSourceFromS3")),
    )


def spared_labels(environments: Iterable[Environment], application: str, now: datetime) -> set[str]:
    """The labels that a policy leaves alone."""
    return {
        item.version_label
        for item in environments
        if item.application == application and (item.terminated is None or now - item.terminated < SPARED)
    }


def expired(
    versions: Collection[Version], newest: Version, rules: Policy, spared: Collection[str], now: datetime
) -> list[Version]:
    """The versions to delete once `newest` was created, oldest first."""
    older = sorted((item for item in versions if item is not newest), key=lambda item: item.created)
    over = older[: max(len(older) - rules.most, 0)] if rules.most is not None else []
    aged = [item for item in older if rules.oldest is not None and now - item.created > rules.oldest]
    return [item for item in over + aged if item.label not in spared][:MOST_AT_ONCE]
