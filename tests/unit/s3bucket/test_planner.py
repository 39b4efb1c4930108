# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a bucket, and that nothing remains to be done afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.model import (
    NEW,
    Create,
    LifecycleRule,
    Put,
    Settings,
    Wanted,
)
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.planner import canonical, plan, project

CLOSED = {"block_public_acls": True, "ignore_public_acls": True}
OPEN = {"block_public_acls": False, "ignore_public_acls": False}
POLICY: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Principal": "*"}]}
FULL = Settings(
    object_ownership="BucketOwnerPreferred",
    encryption="AES256",
    versioning=True,
    public_access=CLOSED,
    policy=POLICY,
    lifecycle_rules=(LifecycleRule("old", noncurrent_days=90),),
    tags={"Environment": "web"},
)

SETS: dict[str, tuple[Settings, Settings, list[str]]] = {
    "as declared": (FULL, FULL, []),
    "nothing declared": (Settings(), FULL, []),
    "versioning ends": (Settings(versioning=False), FULL, ["versioning"]),
    "a policy that means the same": (
        Settings(policy={"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*"}}),
        FULL,
        [],
    ),
    "no policy any more": (Settings(policy={}), FULL, ["policy"]),
    "access that somebody opened": (
        Settings(public_access=CLOSED),
        replace(FULL, public_access=OPEN),
        ["public_access"],
    ),
    "a rule that says more": (
        Settings(lifecycle_rules=FULL.lifecycle_rules),
        replace(FULL, lifecycle_rules=(LifecycleRule("old", noncurrent_days=90, other="disabled"),)),
        ["lifecycle_rules"],
    ),
    "a tag too many": (Settings(tags={}), FULL, ["tags"]),
    "a tag of AWS": (Settings(tags={}), replace(FULL, tags={"aws:made": "by"}), []),
}


@pytest.mark.parametrize(("wanted", "observed", "settings"), SETS.values(), ids=SETS)
def test_only_what_differs_is_set(wanted: Settings, observed: Settings, settings: list[str]) -> None:
    steps = plan(Wanted("web", wanted), observed)
    assert [step.setting for step in steps if isinstance(step, Put)] == settings and len(steps) == len(settings)
    after = project(Wanted("web", wanted), observed)
    assert not plan(Wanted("web", wanted), after)


def test_other_tags_may_stay() -> None:
    wanted = Wanted("web", Settings(tags={"Environment": "web"}), purge_tags=False)
    assert not plan(wanted, replace(FULL, tags={"Environment": "web", "Team": "one"}))
    (step,) = plan(wanted, replace(FULL, tags={"Team": "one"}))
    assert isinstance(step, Put) and step.value == {"Environment": "web", "Team": "one"}


def test_a_new_bucket_gets_what_it_does_not_have_by_itself() -> None:
    create, *puts = plan(Wanted("web", FULL), None)
    assert isinstance(create, Create) and create.object_ownership == "BucketOwnerPreferred"
    settings = [step.setting for step in puts if isinstance(step, Put)]
    assert settings == ["tags", "encryption", "versioning", "public_access", "policy", "lifecycle_rules"]
    assert [step.op for step in plan(Wanted("web", Settings()), None)] == ["create"]
    assert project(Wanted("web", Settings(versioning=True)), None) == replace(NEW, versioning=True)


def test_the_order_of_a_policys_lists_means_nothing() -> None:
    assert canonical({"Action": ["b", "a"]}) == canonical({"Action": ["a", "b"]}) != canonical({"Action": ["a"]})


def test_the_order_of_the_keys_of_statements_does_not_matter() -> None:
    declared = [{"Sid": "Read", "Action": "s3:GetObject"}, {"Sid": "Tls", "Action": "s3:*"}]
    kept = [dict(sorted(statement.items())) for statement in declared]
    assert canonical({"Statement": declared}) == canonical({"Statement": kept})
