# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which application versions Elastic Beanstalk keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.elasticbeanstalk import retention
from localcloud.elasticbeanstalk.models import Version
from localcloud.elasticbeanstalk.retention import Policy

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
ROLE = {"ServiceRole": "arn:aws:iam::123456789012:role/aws-elasticbeanstalk-service-role"}


def version(label: str, days: float) -> Version:
    created = NOW - timedelta(days=days)
    return Version("app", label, None, "bucket", f"{label}.zip", "PROCESSED", created, created, {})


def expired(count: int, policy: Policy, *spared: str) -> list[str]:
    """The labels that go when v0, created now, follows v1 (a day old), v2 (two days old) and so on."""
    versions = [version(f"v{days}", days) for days in range(count + 1)]
    return [item.label for item in retention.expired(versions, versions[0], policy, spared, NOW)]


@pytest.mark.parametrize(
    ("policy", "spared", "gone"),
    [
        (Policy(None, None, False), (), []),
        (Policy(3, None, False), (), ["v5", "v4"]),
        (Policy(5, None, False), (), []),
        (Policy(3, None, False), ("v5",), ["v4"]),
        (Policy(None, timedelta(days=3), False), (), ["v5", "v4"]),
        (Policy(None, timedelta(days=3), False), ("v4", "v0"), ["v5"]),
    ],
)
def test_the_newest_version_does_not_count_and_used_ones_stay(
    policy: Policy, spared: tuple[str, ...], gone: list[str]
) -> None:
    assert expired(5, policy, *spared) == gone


def test_a_policy_deletes_a_hundred_versions_at_a_time() -> None:
    assert len(expired(150, Policy(1, None, False))) == 100


def config(**rules: Any) -> dict[str, Any]:
    return {"VersionLifecycleConfig": rules}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, None),
        (config(MaxCountRule={"Enabled": True, "MaxCount": 10}), "A ServiceRole is required"),
        ({**ROLE, **config(MaxCountRule={"Enabled": True, "MaxCount": 10})}, None),
        ({**ROLE, **config(MaxCountRule={"Enabled": True, "MaxCount": 0})}, "must allow at least 1, not 0"),
        ({**ROLE, **config(MaxCountRule={"Enabled": True}, MaxAgeRule={"Enabled": True})}, "not both"),
    ],
)
def test_which_policies_are_taken(given: dict[str, Any], words: str | None) -> None:
    found = retention.defect(retention.merged(retention.default_lifecycle(), given))
    assert found is None if words is None else words in str(found)


def test_a_role_is_needed_once_and_rules_change_one_by_one() -> None:
    counted = config(MaxCountRule={"Enabled": True, "MaxCount": 10, "DeleteSourceFromS3": True})
    first = retention.merged(retention.default_lifecycle(), {**ROLE, **counted})
    second = retention.merged(first, config(MaxCountRule={"Enabled": True, "MaxCount": 5}))
    assert retention.defect(second) is None
    assert retention.policy(second) == Policy(most=5, oldest=None, deletes_bundles=True)
    assert second["VersionLifecycleConfig"]["MaxAgeRule"]["MaxAgeInDays"] == 180
