# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's own policy lets Elastic Beanstalk do for managed updates, the scoped service role lets, too, or it is
explained."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.policies import lint

POLICY = "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy"
NOT_LET = {
    "what of it is about this environment has a name": ("cloudformation:*", "elasticbeanstalk:*"),
    "instances are made of launch templates": (
        "autoscaling:CreateLaunchConfiguration",
        "autoscaling:DeleteLaunchConfiguration",
    ),
    "there are none of classic load balancers": (
        "elasticloadbalancing:ApplySecurityGroupsToLoadBalancer",
        "elasticloadbalancing:ConfigureHealthCheck",
        "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
        "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
    ),
    "logs outlive their environment": ("logs:DeleteLogGroup",),
    "the database is none of the environment's": (
        "rds:DescribeDBEngineVersions",
        "rds:DescribeDBInstances",
        "rds:DescribeOrderableDBInstanceOptions",
    ),
    "the bucket has its policy since it was made, and other environments share it": ("s3:PutBucketPolicy",),
    "nobody asks to be told by a topic": (
        "sns:CreateTopic",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
    ),
    "the environment is no worker, and has no queue": ("sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
}
"""What the scoped role does without, by the reason."""


def test_the_service_role_may_do_what_managed_updates_do(documents: dict[str, dict[str, Any]]) -> None:
    # IAM compares actions in any case, and the policy has one of them otherwise.
    let = {action.lower() for action in lint.actions(documents["service"])}
    theirs = lint.actions(json.loads(aws_managed_policies_data)[POLICY]["Document"])
    lacking = {action for action in theirs if action.lower() not in let}
    assert sorted(lacking) == sorted(action for actions in NOT_LET.values() for action in actions)
