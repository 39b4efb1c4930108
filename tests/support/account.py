# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an account: by AWS's lists, and by the journal of those who deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.rehearsal import Rehearsal

MADE = re.compile(r"(?:Create|Restore)(?P<kind>\w+?)(?:WithTags|ToPointInTime|FromDBSnapshot)?")
REMOVED = re.compile(r"(?:Delete|Terminate)(?P<kind>\w+)")
NOT_REMOVED = {
    "Invalidation": "gone with its distribution",
    "StorageLocation": "the bucket of Elastic Beanstalk, which is the account's",
    "Tags": "gone with what bears them",
}
"""What is made and never removed by itself, and why."""


class Account:
    """What AWS's lists say of an account."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.client = rehearsal.client

    def names(self, service: str, operation: str, key: str, name: str, **arguments: Any) -> list[str]:
        answer = getattr(self.client(service), operation)(**arguments)
        for part in key.split("."):
            answer = answer.get(part) or {}
        return [item if not name else item[name] for item in answer]

    def everything(self) -> set[str]:
        """The names of all that bears a deployment's name, service by service."""
        lists = {
            "environment": self.names(
                "elasticbeanstalk", "describe_environments", "Environments", "EnvironmentName", IncludeDeleted=False
            ),
            "application": self.names("elasticbeanstalk", "describe_applications", "Applications", "ApplicationName"),
            "bucket": self.names("s3", "list_buckets", "Buckets", "Name"),
            "role": self.names("iam", "list_roles", "Roles", "RoleName"),
            "profile": self.names("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
            "user": self.names("iam", "list_users", "Users", "UserName"),
            "secret": self.names("secretsmanager", "list_secrets", "SecretList", "Name"),
            "database": self.names("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
            "snapshot": self.names("rds", "describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
            "db parameters": self.names(
                "rds", "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"
            ),
            "db subnets": self.names("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
            "redis": self.names(
                "elasticache", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"
            ),
            "redis subnets": self.names(
                "elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"
            ),
            "repository": self.names("ecr", "describe_repositories", "repositories", "repositoryName"),
            "group": self.names("ec2", "describe_security_groups", "SecurityGroups", "GroupName"),
            "logs": self.names("logs", "describe_log_groups", "logGroups", "logGroupName"),
            "function": self.names("cloudfront", "list_functions", "FunctionList.Items", "Name"),
            "access": self.names("cloudfront", "list_origin_access_controls", "OriginAccessControlList.Items", "Name"),
            "distribution": self.names("cloudfront", "list_distributions", "DistributionList.Items", "Comment"),
            "alarm": self.names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
            "dashboard": self.names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
            "topic": self.names("sns", "list_topics", "Topics", "TopicArn"),
        }
        found = {f"{kind} {name}" for kind, names in lists.items() for name in names}
        subnets = (
            self.client("ec2").describe_subnets()["Subnets"] + self.client("ec2").describe_route_tables()["RouteTables"]
        )
        for item in subnets:
            found |= {f"tagged {tag['Value']}" for tag in item.get("Tags", ()) if tag["Key"] == "Environment"}
        return found

    def of(self, name: str) -> set[str]:
        """Those of one deployment; the role that deploys it is none of them."""
        own = re.compile(rf"(^|[ /:]){re.escape(name)}($|[-/ ])")
        return {item for item in self.everything() if own.search(item) and item != f"role {name}-deployer"}


def made_and_not_removed(calls: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many more of each kind the calls of the roles that deploy have made than removed, whatever their names."""
    done = [call["operation"] for call in calls if "-deployer/" in call["caller"] and call["status"] < 400]
    made = Counter(found["kind"] for operation in done if (found := MADE.fullmatch(operation)))
    removed = Counter(found["kind"] for operation in done if (found := REMOVED.fullmatch(operation)))
    return Counter({kind: count for kind, count in (made - removed).items() if kind not in NOT_REMOVED})
