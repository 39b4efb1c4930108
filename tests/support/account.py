# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an account: by AWS's lists, and by the journal of those who deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from tests.support.rehearsal import ACCOUNT, REGION, Rehearsal

MADE = re.compile(r"(?:Create|Restore)(?P<kind>\w+?)(?:WithTags|ToPointInTime|FromDBSnapshot)?")
REMOVED = re.compile(r"(?:Delete|Terminate)(?P<kind>\w+)")
NOT_REMOVED = {
    "Invalidation": "gone with its distribution",
    "StorageLocation": "the bucket of Elastic Beanstalk, which is the account's",
    "Tags": "gone with what bears them",
}
"""What is made and never removed by itself, and why."""
UNTAGGED = ("access", "dashboard", "function", "redis subnets", "tagged")
"""Kinds that bear no tags: what the deployment made of them, their descriptions tell."""


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
        return found | {f"tagged {tags['Environment']}" for tags in self._network().values() if "Environment" in tags}

    def _network(self) -> dict[str, dict[str, str]]:
        """The tags of subnets and route tables, whose names are tags too."""
        ec2 = self.client("ec2")
        subnets = {f"subnet {one['SubnetId']}": tags_in(one) for one in ec2.describe_subnets()["Subnets"]}
        tables = {f"table {one['RouteTableId']}": tags_in(one) for one in ec2.describe_route_tables()["RouteTables"]}
        return subnets | tables

    def tags(self, name: str) -> dict[str, dict[str, str]]:
        """The tags of what a deployment made, and of its versions, by what it is; without the kinds that bear none."""
        listed = self.client("elasticbeanstalk").describe_application_versions(ApplicationName=name)
        versions = {f"version {version['VersionLabel']}" for version in listed["ApplicationVersions"]}
        readers = self._readers(name)
        found = {item: tags for item, tags in self._network().items() if tags.get("Environment") == name}
        for item in self.of(name) | versions:
            kind = next(kind for kind in [*UNTAGGED, *readers] if item.startswith(f"{kind} "))
            if kind in readers:
                found[item] = tags_in(readers[kind](item.removeprefix(f"{kind} ")))
        return found

    def _readers(self, name: str) -> dict[str, Callable[[str], Any]]:
        """What asks for the tags of each kind of thing of a deployment, by the thing's name."""

        def by_arn(service: str, argument: str, kind: str) -> Callable[[str], Any]:
            arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}"
            return lambda thing: self.client(service).list_tags_for_resource(**{argument: arn + thing})

        s3, ec2, iam = self.client("s3"), self.client("ec2"), self.client("iam")
        sns, secrets, cloudfront = self.client("sns"), self.client("secretsmanager"), self.client("cloudfront")
        named = cloudfront.list_distributions()["DistributionList"].get("Items", [])
        distributions = {item["Comment"]: item["ARN"] for item in named}
        groups = {group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
        return {
            "alarm": by_arn("cloudwatch", "ResourceARN", "alarm:"),
            "application": by_arn("elasticbeanstalk", "ResourceArn", "application/"),
            "bucket": lambda thing: s3.get_bucket_tagging(Bucket=thing),
            "database": by_arn("rds", "ResourceName", "db:"),
            "db parameters": by_arn("rds", "ResourceName", "pg:"),
            "db subnets": by_arn("rds", "ResourceName", "subgrp:"),
            "distribution": lambda thing: cloudfront.list_tags_for_resource(Resource=distributions[thing])["Tags"],
            "environment": by_arn("elasticbeanstalk", "ResourceArn", f"environment/{name}/"),
            "group": groups.__getitem__,
            "logs": by_arn("logs", "resourceArn", "log-group:"),
            "profile": lambda thing: iam.get_instance_profile(InstanceProfileName=thing)["InstanceProfile"],
            "redis": by_arn("elasticache", "ResourceName", "replicationgroup:"),
            "repository": by_arn("ecr", "resourceArn", "repository/"),
            "role": lambda thing: iam.list_role_tags(RoleName=thing),
            "secret": lambda thing: secrets.describe_secret(SecretId=thing),
            "snapshot": by_arn("rds", "ResourceName", "snapshot:"),
            "topic": lambda thing: sns.list_tags_for_resource(ResourceArn=thing),
            "user": lambda thing: iam.list_user_tags(UserName=thing),
            "version": by_arn("elasticbeanstalk", "ResourceArn", f"applicationversion/{name}/"),
        }

    def of(self, name: str) -> set[str]:
        """Those of one deployment; the role that deploys it is none of them."""
        own = re.compile(rf"(^|[ /:]){re.escape(name)}($|[-/ ])")
        return {item for item in self.everything() if own.search(item) and item != f"role {name}-deployer"}


def tags_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """The tags in an answer, whatever its service calls them."""
    tags = next(
        (answer[key] for key in ("Items", "ResourceTags", "TagList", "Tags", "TagSet", "tags") if key in answer), []
    )
    return dict(tags if isinstance(tags, dict) else boto3_tag_list_to_ansible_dict(tags))


def made_and_not_removed(calls: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many more of each kind the calls of the roles that deploy have made than removed, whatever their names."""
    done = [call["operation"] for call in calls if "-deployer/" in call["caller"] and call["status"] < 400]
    made = Counter(found["kind"] for operation in done if (found := MADE.fullmatch(operation)))
    removed = Counter(found["kind"] for operation in done if (found := REMOVED.fullmatch(operation)))
    return Counter({kind: count for kind, count in (made - removed).items() if kind not in NOT_REMOVED})
