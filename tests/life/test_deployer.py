# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of the role that deploys let what the deployments of the end-to-end tests called, and nothing else.

That what they called was let is seen there: the cloud enforces it. They leave behind what they called and what the
policies say; `make e2e` runs both.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.rehearsal import LIFE

BEHIND = ("environment", "stack")
"""Policies of what AWS does behind the calls, with the rights of the caller: no journal can show it."""
NEEDED_OTHERWISE = {
    "cloudfront:GetDistributionConfig": "to name the distribution that has the caller reference of this one already",
    "cloudfront:UpdateFunction": "for another code of the function, which comes with a new version of the collection",
    "cloudfront:UpdateOriginAccessControl": "for another description, which comes with a new version of the collection",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress": "for rules whose descriptions somebody changed",
    "ecr:PutImageScanningConfiguration": "for another ecr_images_scan_on_push than repositories were made with",
    "elasticache:DecreaseReplicaCount": "for fewer data_tier_redis_replicas",
    "elasticache:IncreaseReplicaCount": "for more data_tier_redis_replicas",
    "elasticache:ModifyCacheSubnetGroup": "for other subnets of the data tier",
    "elasticache:ModifyReplicationGroup": "for another node type, engine version or maintenance window of Redis",
    "elasticbeanstalk:RemoveTags": "for a tag that is taken out of antenna_tags",
    "logs:DeleteMetricFilter": "for a metric that is not watched any more",
    "logs:DescribeLogStreams": "for the last words of the containers of a release that failed",
    "logs:GetLogEvents": "for the last words of the containers of a release that failed",
    "rds:ModifyDBParameterGroup": "for data_tier_rds_parameters that differ from what the family has anyway",
    "rds:ModifyDBSubnetGroup": "for other subnets of the data tier",
    "s3:DeleteObject": "for files that a release of the UI no longer has, once they are old",
    "sns:Unsubscribe": "for an address that is taken out of observability_subscriptions",
}
"""Actions that deployments of the tests need not call, and when one does."""


def documents() -> dict[str, dict[str, Any]]:
    """The policies of all deployments, by the names of their files; without those that say who may take the role."""
    files = [file for file in LIFE.glob("*/policies/*/*.json") if not file.stem.endswith("-trust")]
    return {file.stem: json.loads(file.read_text()) for file in files}


def actions(document: dict[str, Any]) -> set[str]:
    listed = [statement["Action"] for statement in document["Statement"]]
    return {action for item in listed for action in ([item] if isinstance(item, str) else item)}


@pytest.fixture(scope="module")
def called() -> set[str]:
    return {action for file in LIFE.glob("*/called.json") for action in json.loads(file.read_text())}


@pytest.fixture(scope="module")
def allowed() -> set[str]:
    told = [document for name, document in documents().items() if not name.endswith(BEHIND)]
    return {action for document in told for action in actions(document)}


def test_deployments_have_left_what_they_called(called: set[str], allowed: set[str]) -> None:
    assert len(called) > 100 and len(allowed) > 100, "run make e2e first"


def test_nothing_is_let_that_no_deployment_calls(called: set[str], allowed: set[str]) -> None:
    assert sorted(allowed - called - set(NEEDED_OTHERWISE)) == []


def test_what_is_called_is_not_let_by_way_of_something_else(called: set[str], allowed: set[str]) -> None:
    assert sorted(called - allowed) == []


@pytest.mark.parametrize("behind", BEHIND)
def test_each_deployment_has_the_rights_that_no_journal_shows(behind: str) -> None:
    assert [name for name in documents() if name.endswith(behind)]
