# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services whose parameters name their resources, each with what is peculiar to it.

From the Service Authorization Reference. A database that is not told its groups takes the default ones of its engine,
which have to be let as well (RDS User Guide, "Identity-based policy examples").
"""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.iam.naming import Naming

NOTHING: frozenset[str] = frozenset()

SERVICES: Mapping[str, Naming] = {
    "acm": Naming(
        "acm", arns=frozenset({"CertificateArn"}), only={"RequestCertificate": NOTHING}, tagging="AddTagsToCertificate"
    ),
    "ecr": Naming(
        "ecr",
        kinds={"repositoryName": "repository/{}", "repositoryNames": "repository/{}"},
        arns=frozenset({"resourceArn"}),
        listing={"DescribeRepositories": "repository/*"},
    ),
    "elasticache": Naming(
        "elasticache",
        kinds={
            "ReplicationGroupId": "replicationgroup:{}",
            "CacheClusterId": "cluster:{}",
            "CacheSubnetGroupName": "subnetgroup:{}",
            "CacheParameterGroupName": "parametergroup:{}",
        },
        arns=frozenset({"ResourceName"}),
        only={
            "DescribeSnapshots": NOTHING,
            "DisassociateGlobalReplicationGroup": NOTHING,
            "ModifyGlobalReplicationGroup": NOTHING,
        },
        listing={
            "DescribeCacheClusters": "cluster:*",
            "DescribeCacheSubnetGroups": "subnetgroup:*",
            "DescribeReplicationGroups": "replicationgroup:*",
        },
        defaults={"CreateReplicationGroup": {"CacheParameterGroupName": "default"}},
        tagging="AddTagsToResource",
    ),
    "elasticloadbalancing": Naming(
        "elasticloadbalancing",
        arns=frozenset({"ListenerArn", "LoadBalancerArn", "ResourceArns", "TargetGroupArn"}),
        only={
            f"Describe{name}": NOTHING
            for name in (
                "ListenerCertificates",
                "Listeners",
                "LoadBalancerAttributes",
                "LoadBalancers",
                "Rules",
                "Tags",
                "TargetGroupAttributes",
                "TargetGroups",
                "TargetHealth",
            )
        },
        tagging="AddTags",
    ),
    "monitoring": Naming(
        "cloudwatch",
        kinds={
            "AlarmName": "alarm:{}",
            "AlarmNames": "alarm:{}",
            "DashboardName": "dashboard/{}",
            "DashboardNames": "dashboard/{}",
        },
        arns=frozenset({"ResourceARN"}),
        only={"ListAlarmMuteRules": NOTHING},
        listing={"DescribeAlarms": "alarm:*", "DescribeAlarmHistory": "alarm:*"},
        regionless=("dashboard/",),
    ),
    "rds": Naming(
        "rds",
        kinds={
            "DBInstanceIdentifier": "db:{}",
            "TargetDBInstanceIdentifier": "db:{}",
            "SourceDBInstanceIdentifier": "db:{}",
            "DBSnapshotIdentifier": "snapshot:{}",
            "SourceDBSnapshotIdentifier": "snapshot:{}",
            "TargetDBSnapshotIdentifier": "snapshot:{}",
            "DBSubnetGroupName": "subgrp:{}",
            "DBParameterGroupName": "pg:{}",
            "OptionGroupName": "og:{}",
        },
        arns=frozenset({"ResourceName"}),
        only={
            "CopyDBSnapshot": frozenset({"SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier"}),
            "DescribeEvents": NOTHING,
        },
        listing={
            "DescribeDBInstances": "db:*",
            "DescribeDBParameterGroups": "pg:*",
            "DescribeDBSnapshots": "snapshot:*",
            "DescribeDBSubnetGroups": "subgrp:*",
        },
        defaults={
            name: {"DBParameterGroupName": "default", "OptionGroupName": "default"}
            for name in ("CreateDBInstance", "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime")
        },
        tagging="AddTagsToResource",
    ),
    "sts": Naming(
        "sts",
        arns=frozenset({"RoleArn"}),
        # The API reference: no permission is needed for it.
        free=frozenset({"GetCallerIdentity"}),
        tagging="TagSession",
    ),
}
"""By name in signatures."""
