# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that looks up what a deployment consists of: one finder for each kind of resource."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict as tags_of
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.api import find_access_control
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client as client_of
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import Declared, Found
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.api import ElastiCacheApi

Client = t.Callable[[str], t.Any]
Raw = t.Mapping[str, t.Any]
Finder = t.Callable[[Client, Declared], "Found | None"]
Together = t.Callable[[Client, t.Sequence[str]], t.Mapping[str, Found]]

_ABSENT = frozenset(
    {
        "404",
        "CacheParameterGroupNotFound",
        "CacheSubnetGroupNotFoundFault",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "DBParameterGroupNotFound",
        "DBSubnetGroupNotFoundFault",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchFunctionExists",
        "NotFound",
        "RepositoryNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
_HIDDEN = ("403", "AccessDenied", "Forbidden")
_ALARMS_AT_ONCE = 100
"""How many alarms CloudWatch describes by name in one call."""


def find(client: Client, declared: Declared) -> Found | None:
    """Return the resource as it is, None where there is none. Raises AwsError."""
    try:
        with attempting(f"look up the {declared.label}"):
            return FINDERS[declared.kind](client, declared)
    except AwsError as error:
        if is_absent(error):
            return None
        raise


def find_all(client: Client, declared: t.Sequence[Declared]) -> tuple[Found | None, ...]:
    """Return each resource as ``find`` does, with fewer calls where AWS tells several at once. Raises AwsError."""
    named = {kind: [item.name for item in declared if item.kind == kind] for kind in TOGETHER}
    told = {kind: _told(client, kind, names) for kind, names in named.items() if names}
    return tuple(told[item.kind].get(item.name) if item.kind in told else find(client, item) for item in declared)


def _told(client: Client, kind: str, names: t.Sequence[str]) -> t.Mapping[str, Found]:
    with attempting(f"look up the {kind} {', '.join(names)}"):
        return TOGETHER[kind](client, names)


def is_absent(error: AwsError) -> bool:
    """Whether AWS says that there is no such thing."""
    return error.code in _ABSENT or error.code.endswith(".NotFound") or "No Application named" in error.answer


def clients(module: t.Any) -> Client:
    """Return what gives each service's client, made when it is first asked for."""
    return functools.cache(lambda service: client_of(module, service, attempts=8))


def pages(client: t.Any, operation: str, key: str, **arguments: t.Any) -> t.Iterator[t.Any]:
    """Yield the items below ``key`` of all pages of an operation."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key) or ()


def _alarm(client: Client, declared: Declared) -> Found | None:
    return _alarms(client, [declared.name]).get(declared.name)


def _alarms(client: Client, names: t.Sequence[str]) -> dict[str, Found]:
    cloudwatch = client("cloudwatch")
    found: dict[str, Found] = {}
    for first in range(0, len(names), _ALARMS_AT_ONCE):
        chunk = names[first : first + _ALARMS_AT_ONCE]
        for alarm in cloudwatch.describe_alarms(AlarmNames=chunk, MaxRecords=_ALARMS_AT_ONCE)["MetricAlarms"]:
            if alarm["AlarmName"] in chunk:
                tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
                more = {"reason": alarm.get("StateReason", ""), "since": str(alarm.get("StateUpdatedTimestamp", ""))}
                found[alarm["AlarmName"]] = Found(
                    alarm["AlarmArn"], tags_of(tags), status=alarm["StateValue"], more=more
                )
    return found


def _application(client: Client, declared: Declared) -> Found | None:
    beanstalk = client("elasticbeanstalk")
    for item in beanstalk.describe_applications(ApplicationNames=[declared.name])["Applications"]:
        if item["ApplicationName"] == declared.name:
            tags = beanstalk.list_tags_for_resource(ResourceArn=item["ApplicationArn"])["ResourceTags"]
            return Found(item["ApplicationArn"], tags_of(tags), members=tuple(item.get("Versions") or ()))
    return None


def _environment(client: Client, declared: Declared) -> Found | None:
    beanstalk = client("elasticbeanstalk")
    found = beanstalk.describe_environments(EnvironmentNames=[declared.name], IncludeDeleted=False)["Environments"]
    for item in found:
        if item["EnvironmentName"] == declared.name and item["Status"] != "Terminated":
            if item["Status"] == "Terminating":
                # It tells no tags any more; it is known by its application.
                return Found(item["EnvironmentId"], None, text=item["ApplicationName"], status=item["Status"])
            tags = beanstalk.list_tags_for_resource(ResourceArn=item["EnvironmentArn"])["ResourceTags"]
            return Found(item["EnvironmentId"], tags_of(tags), status=item["Status"])
    return None


def _bucket(client: Client, declared: Declared) -> Found | None:
    s3 = client("s3")
    try:
        with attempting(f"look up the bucket {declared.name}"):
            s3.head_bucket(Bucket=declared.name)
    except AwsError as error:
        if error.code in _HIDDEN:
            return Found(declared.name, {}, status="not accessible")
        raise
    try:
        with attempting(f"read the tags of the bucket {declared.name}"):
            return Found(declared.name, tags_of(s3.get_bucket_tagging(Bucket=declared.name)["TagSet"]))
    except AwsError as error:
        if error.code != "NoSuchTagSet":
            raise
    return Found(declared.name, {})


def _cache_subnet_group(client: Client, declared: Declared) -> Found | None:
    elasticache = client("elasticache")
    answer = elasticache.describe_cache_subnet_groups(CacheSubnetGroupName=declared.name)
    for group in answer["CacheSubnetGroups"]:
        if group["CacheSubnetGroupName"] == declared.name:
            return Found(declared.name, None, text=group.get("CacheSubnetGroupDescription", ""))
    return None


def _dashboard(client: Client, declared: Declared) -> Found | None:
    body = client("cloudwatch").get_dashboard(DashboardName=declared.name)
    return Found(body.get("DashboardArn", declared.name), None, text=body["DashboardBody"])


def _db_instance(client: Client, declared: Declared) -> Found | None:
    for instance in client("rds").describe_db_instances(DBInstanceIdentifier=declared.name)["DBInstances"]:
        endpoint = instance.get("Endpoint", {})
        return Found(
            instance["DBInstanceArn"],
            tags_of(instance.get("TagList")),
            status=instance["DBInstanceStatus"],
            more={
                "endpoint": {"address": endpoint["Address"], "port": endpoint["Port"]} if endpoint else {},
                "protected": bool(instance.get("DeletionProtection")),
                "resource_id": str(instance.get("DbiResourceId", "")).lower(),
            },
        )
    return None


def _db_parameter_group(client: Client, declared: Declared) -> Found | None:
    rds = client("rds")
    for group in rds.describe_db_parameter_groups(DBParameterGroupName=declared.name)["DBParameterGroups"]:
        tags = rds.list_tags_for_resource(ResourceName=group["DBParameterGroupArn"])["TagList"]
        return Found(group["DBParameterGroupArn"], tags_of(tags))
    return None


def _db_snapshots(client: Client, declared: Declared) -> Found | None:
    """The manual snapshots whose names begin so."""
    names = tuple(
        snapshot["DBSnapshotIdentifier"]
        for snapshot in pages(client("rds"), "describe_db_snapshots", "DBSnapshots", SnapshotType="manual")
        if snapshot["DBSnapshotIdentifier"].startswith(declared.name)
    )
    return Found(declared.name, None, text=declared.mark, members=names) if names else None


def _db_subnet_group(client: Client, declared: Declared) -> Found | None:
    rds = client("rds")
    for group in rds.describe_db_subnet_groups(DBSubnetGroupName=declared.name)["DBSubnetGroups"]:
        tags = rds.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"]
        return Found(group["DBSubnetGroupArn"], tags_of(tags))
    return None


def _distribution(client: Client, declared: Declared) -> Found | None:
    """The distribution with this tag Name, as CloudFront gives names no place of their own."""
    cloudfront = client("cloudfront")
    for page in cloudfront.get_paginator("list_distributions").paginate():
        for item in page["DistributionList"].get("Items") or ():
            tags = tags_of(cloudfront.list_tags_for_resource(Resource=item["ARN"])["Tags"].get("Items"))
            if tags.get("Name") == declared.name:
                return Found(item["Id"], tags, status=item["Status"], more={"domain_name": item["DomainName"]})
    return None


def _function(client: Client, declared: Declared) -> Found | None:
    summary = client("cloudfront").describe_function(Name=declared.name)["FunctionSummary"]
    arn = summary["FunctionMetadata"]["FunctionARN"]
    return Found(arn, None, text=summary["FunctionConfig"].get("Comment", ""))


def _iam_role(client: Client, declared: Declared) -> Found | None:
    iam = client("iam")
    role = iam.get_role(RoleName=declared.name)["Role"]
    policies = tuple(pages(iam, "list_role_policies", "PolicyNames", RoleName=declared.name))
    return Found(role["Arn"], tags_of(role.get("Tags")), members=policies)


def _iam_user(client: Client, declared: Declared) -> Found | None:
    iam = client("iam")
    user = iam.get_user(UserName=declared.name)["User"]
    tags = tags_of(iam.list_user_tags(UserName=declared.name)["Tags"])
    return Found(user["Arn"], tags)


def _log_groups(client: Client, declared: Declared) -> Found | None:
    """The log groups whose names begin so."""
    names = tuple(
        group["logGroupName"]
        for group in pages(client("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=declared.name)
    )
    return Found(declared.name, None, text=declared.mark, members=names) if names else None


def _metric_filter(client: Client, declared: Declared) -> Found | None:
    answer = client("logs").describe_metric_filters(logGroupName=declared.parent, filterNamePrefix=declared.name)
    for item in answer["metricFilters"]:
        if item["filterName"] == declared.name:
            return Found(declared.name, None, text=declared.mark)
    return None


def _origin_access_control(client: Client, declared: Declared) -> Found | None:
    control = find_access_control(client("cloudfront"), declared.name)
    return Found(control.id, None, text=control.description) if control else None


def _replication_group(client: Client, declared: Declared) -> Found | None:
    """Only while it is available it tells its tags; its description bears the mark always."""
    group = ElastiCacheApi(client("elasticache")).group(declared.name)
    return Found(group.arn or "", group.tags, text=group.description or "", status=group.status) if group else None


def _repository(client: Client, declared: Declared) -> Found | None:
    ecr = client("ecr")
    (repository,) = ecr.describe_repositories(repositoryNames=[declared.name])["repositories"]
    tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    return Found(repository["repositoryArn"], tags_of(tags))


def _route_table(client: Client, declared: Declared) -> Found | None:
    """The route table with this tag Name."""
    filters = [{"Name": "vpc-id", "Values": [declared.parent]}, {"Name": "tag:Name", "Values": [declared.name]}]
    for table in client("ec2").describe_route_tables(Filters=filters)["RouteTables"]:
        tags = tags_of(table.get("Tags"))
        if tags.get("Name") == declared.name:
            associations = tuple(item["RouteTableAssociationId"] for item in table["Associations"])
            return Found(table["RouteTableId"], tags, members=associations)
    return None


def _secret(client: Client, declared: Declared) -> Found | None:
    secret = client("secretsmanager").describe_secret(SecretId=declared.name)
    if secret.get("DeletedDate"):
        return None
    return Found(secret["ARN"], tags_of(secret.get("Tags")), more={"description": secret.get("Description", "")})


def _security_group(client: Client, declared: Declared) -> Found | None:
    filters = [{"Name": "vpc-id", "Values": [declared.parent]}, {"Name": "group-name", "Values": [declared.name]}]
    for group in client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]:
        if group["GroupName"] == declared.name and group["VpcId"] == declared.parent:
            return Found(group["GroupId"], tags_of(group.get("Tags")))
    return None


def _subnet(client: Client, declared: Declared) -> Found | None:
    """The subnet of this range."""
    filters = [{"Name": "vpc-id", "Values": [declared.parent]}, {"Name": "cidr-block", "Values": [declared.name]}]
    for subnet in client("ec2").describe_subnets(Filters=filters)["Subnets"]:
        if subnet["CidrBlock"] == declared.name and subnet["VpcId"] == declared.parent:
            return Found(subnet["SubnetId"], tags_of(subnet.get("Tags")))
    return None


def _topic(client: Client, declared: Declared) -> Found | None:
    sns = client("sns")
    for topic in pages(sns, "list_topics", "Topics"):
        if topic["TopicArn"].rpartition(":")[2] == declared.name:
            tags = sns.list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"]
            return Found(topic["TopicArn"], tags_of(tags))
    return None


FINDERS: t.Mapping[str, Finder] = {
    "alarm": _alarm,
    "application": _application,
    "bucket": _bucket,
    "cache_subnet_group": _cache_subnet_group,
    "dashboard": _dashboard,
    "db_instance": _db_instance,
    "db_parameter_group": _db_parameter_group,
    "db_snapshots": _db_snapshots,
    "db_subnet_group": _db_subnet_group,
    "distribution": _distribution,
    "environment": _environment,
    "function": _function,
    "iam_role": _iam_role,
    "iam_user": _iam_user,
    "log_groups": _log_groups,
    "metric_filter": _metric_filter,
    "origin_access_control": _origin_access_control,
    "replication_group": _replication_group,
    "repository": _repository,
    "route_table": _route_table,
    "secret": _secret,
    "security_group": _security_group,
    "subnet": _subnet,
    "topic": _topic,
}
"""How each kind of resource is found."""

TOGETHER: t.Mapping[str, Together] = {"alarm": _alarms}
"""How several of a kind are found by their names, where one call tells them all."""
