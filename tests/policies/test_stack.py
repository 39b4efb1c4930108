# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudFormation calls for the stack of an environment, by its own schemas of what the stack consists of.

Elastic Beanstalk has it make the stack with the rights of the service role, or of who calls. The schemas are those that
cfn-lint brings along.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.policies import lint
from tests.policies.calls import REGION

Documents = dict[str, dict[str, Any]]

KINDS = (
    # "Modify resources created for an environment" of the developer guide names them.
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::AutoScaling::ScalingPolicy",
    "AWS::AutoScaling::ScheduledAction",
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::EIP",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
)
NOT_CALLED = {
    "for properties that Elastic Beanstalk gives none of these resources": (
        "autoscaling:AttachTrafficSources",
        "autoscaling:DeleteLifecycleHook",
        "autoscaling:DetachTrafficSources",
        "autoscaling:DisableMetricsCollection",
        "autoscaling:EnableMetricsCollection",
        "autoscaling:PutLifecycleHook",
        "cloudwatch:GetMetricData",
        "cognito-idp:DescribeUserPoolClient",
        "ec2:AcceptAddressTransfer",
        "ec2:DescribeIpamPools",
        "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
        "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        "elasticloadbalancing:ModifyCapacityReservation",
        "elasticloadbalancing:ModifyIpPools",
        "elasticloadbalancing:SetIpAddressType",
        "managed-fleets:*",
        "ssm:Get*",
        "vpc-lattice:*",
    ),
    "where AWS's own AdministratorAccess-AWSElasticBeanstalk does without": (
        "cloudwatch:ListTagsForResource",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
    ),
    "Elastic Beanstalk replaces instances itself, by the group's update policy": (
        "autoscaling:CancelInstanceRefresh",
        "autoscaling:StartInstanceRefresh",
    ),
    "there are none of classic load balancers": (
        "autoscaling:AttachLoadBalancers",
        "autoscaling:DetachLoadBalancers",
    ),
    "nobody asks to be told by a topic": ("autoscaling:DeleteNotificationConfiguration",),
    "the first environment of the account makes the role, with the rights of who calls": (
        "iam:CreateServiceLinkedRole",
    ),
}
"""What the schemas name and an environment of this collection does without, by the reason."""


def schema(kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    return found


def called(kind: str) -> set[str]:
    """The actions that making, reading, changing and removing one of these may take; some end in an asterisk."""
    handlers: Mapping[str, Any] = schema(kind)["handlers"]
    return {action for name, handler in handlers.items() if name != "list" for action in handler["permissions"]}


def lacking(kind: str, let: set[str]) -> list[str]:
    """What of it is neither let nor done without; of several at once one that is let is enough."""
    without = [action for actions in NOT_CALLED.values() for action in actions]
    return sorted(
        action
        for action in called(kind)
        if not any(fnmatchcase(one, action) for one in let) and not any(fnmatchcase(action, one) for one in without)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_service_role_may_keep_the_stack(documents: Documents, kind: str) -> None:
    assert lacking(kind, set(lint.actions(documents["service"]))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_role_that_deploys_may_make_the_stack(policies: Documents, kind: str) -> None:
    let = {action for name in ("identity", "environment", "stack") for action in lint.actions(policies[name])}
    assert lacking(kind, let) == []


@pytest.mark.parametrize(
    ("kind", "tagged"),
    [("AWS::EC2::EIP", True), ("AWS::EC2::LaunchTemplate", False), ("AWS::EC2::SecurityGroup", True)],
)
def test_what_bears_the_tags_of_the_stack_bears_them_from_the_beginning(kind: str, tagged: bool) -> None:
    tagging = schema(kind)["tagging"]
    assert (tagging["taggable"], tagging["tagOnCreate"]) == (tagged, tagged)


def test_nothing_is_done_without_that_no_schema_names() -> None:
    named = {action for kind in KINDS for action in called(kind)}
    without = [action for actions in NOT_CALLED.values() for action in actions]
    assert [one for one in without if not any(fnmatchcase(action, one) for action in named)] == []
