# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that removes what a deployment consists of: one remover for each kind of resource.

A remover does what can be done now and returns; it is called again until its resource is gone. So a removal that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import Client, find, is_absent, pages
from ansible_collections.antenna.aws.plugins.module_utils._deployment.model import Found
from ansible_collections.antenna.aws.plugins.module_utils._deployment.planner import Release, Remove
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import is_busy

Remover = t.Callable[[Client, Remove, Found], None]

_NOT_YET = frozenset(
    {
        "BucketNotEmpty",
        "CacheSubnetGroupInUse",
        "DeleteConflict",
        "DependencyViolation",
        "DistributionNotDisabled",
        "FunctionInUse",
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidDBParameterGroupState",
        "InvalidDBSubnetGroupStateFault",
        "InvalidReplicationGroupState",
        "InvalidReplicationGroupStateFault",
        "OperationInProgressException",
        "OriginAccessControlInUse",
    }
)
"""What AWS answers while something else must be gone first: it is tried again."""
_DELETED_AT_ONCE = 1000
_PASSING = frozenset({"InternalError", "ServiceUnavailable", "SlowDown"})
"""What S3 answers of an object that it deletes when asked again."""


@dataclass(frozen=True)
class Remaining:
    """A removal that is not done yet. ``refusal`` is what AWS answered to it, empty where it took it on."""

    step: Remove
    refusal: str = ""

    @property
    def words(self) -> str:
        """It for people."""
        return f"{self.step.resource} still there" + (f" ({self.refusal.rstrip('.')})" if self.refusal else "")


def advance(client: Client, step: Remove) -> Remaining | None:
    """Bring the removal on, and return what is left of it, None where it is done. Raises AwsError."""
    found = find(client, step.declared)
    if found is None:
        return None
    if isinstance(step, Release):
        _take_back(client, step, found)
        return None
    try:
        with attempting(f"remove the {step.declared.label}"):
            REMOVERS[step.declared.kind](client, step, found)
    except AwsError as error:
        # What is absent is gone since it was found: AWS did what was asked, and its answer was lost.
        if is_absent(error):
            return Remaining(step)
        if error.code not in _NOT_YET and not is_busy(error):
            raise
        return Remaining(step, error.answer)
    return Remaining(step)


def _take_back(client: Client, step: Remove, found: Found) -> None:
    iam, role = client("iam"), step.declared.name
    with attempting(f"take this deployment's policies and tag from the {step.declared.label}"):
        for policy in sorted(set(found.members) & set(step.declared.policies)):
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        if step.declared.mark in (found.tags or {}):
            iam.untag_role(RoleName=role, TagKeys=[step.declared.mark])


def _alarm(client: Client, step: Remove, found: Found) -> None:
    client("cloudwatch").delete_alarms(AlarmNames=[step.declared.name])


def _application(client: Client, step: Remove, found: Found) -> None:
    """The service leaves the bundles in S3 when it deletes an application, so its versions go first."""
    beanstalk = client("elasticbeanstalk")
    for label in found.members:
        beanstalk.delete_application_version(
            ApplicationName=step.declared.name, VersionLabel=label, DeleteSourceBundle=True
        )
    beanstalk.delete_application(ApplicationName=step.declared.name)


def _bucket(client: Client, step: Remove, found: Found) -> None:
    s3, name = client("s3"), step.declared.name
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
        for first in range(0, len(objects), _DELETED_AT_ONCE):
            chunk = objects[first : first + _DELETED_AT_ONCE]
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": chunk, "Quiet": True})
            _require_deletion(name, answer.get("Errors") or ())
    # Meanwhile something may have come: CloudFront delivers logs of a distribution that is gone.
    s3.delete_bucket(Bucket=name)


def _require_deletion(bucket: str, errors: t.Iterable[t.Mapping[str, str]]) -> None:
    """Raise AwsError for an object that stays: the call itself succeeds then."""
    for error in errors:
        if error["Code"] not in _PASSING:
            raise AwsError(
                f"delete the object {error['Key']} of the bucket {bucket}",
                f"AWS answered {error['Code']}: {error['Message']}",
                "Delete it, or let the caller do so, and run it again: it goes on where it stopped",
                code=error["Code"],
            )


def _cache_subnet_group(client: Client, step: Remove, found: Found) -> None:
    client("elasticache").delete_cache_subnet_group(CacheSubnetGroupName=step.declared.name)


def _dashboard(client: Client, step: Remove, found: Found) -> None:
    client("cloudwatch").delete_dashboards(DashboardNames=[step.declared.name])


def _db_instance(client: Client, step: Remove, found: Found) -> None:
    rds, name = client("rds"), step.declared.name
    if found.status == "deleting":
        return
    if found.more.get("protected"):
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    if step.snapshot:
        rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=step.snapshot)
    else:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)


def _db_parameter_group(client: Client, step: Remove, found: Found) -> None:
    client("rds").delete_db_parameter_group(DBParameterGroupName=step.declared.name)


def _db_snapshots(client: Client, step: Remove, found: Found) -> None:
    for name in found.members:
        client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)


def _db_subnet_group(client: Client, step: Remove, found: Found) -> None:
    client("rds").delete_db_subnet_group(DBSubnetGroupName=step.declared.name)


def _distribution(client: Client, step: Remove, found: Found) -> None:
    """Disabled first, deleted once all edges know it."""
    cloudfront = client("cloudfront")
    answer = cloudfront.get_distribution(Id=found.id)
    config = answer["Distribution"]["DistributionConfig"]
    if config["Enabled"]:
        disabled = {**config, "Enabled": False}
        cloudfront.update_distribution(Id=found.id, IfMatch=answer["ETag"], DistributionConfig=disabled)
    elif answer["Distribution"]["Status"] == "Deployed":
        cloudfront.delete_distribution(Id=found.id, IfMatch=answer["ETag"])


def _environment(client: Client, step: Remove, found: Found) -> None:
    if found.status != "Terminating":
        client("elasticbeanstalk").terminate_environment(EnvironmentId=found.id, TerminateResources=True)


def _function(client: Client, step: Remove, found: Found) -> None:
    cloudfront, name = client("cloudfront"), step.declared.name
    cloudfront.delete_function(Name=name, IfMatch=cloudfront.describe_function(Name=name)["ETag"])


def _iam_role(client: Client, step: Remove, found: Found) -> None:
    """With its instance profile, which has the role's name."""
    iam, name = client("iam"), step.declared.name
    for policy in found.members:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for profile in pages(iam, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=name):
        iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=name)
        if profile["InstanceProfileName"] == name:
            iam.delete_instance_profile(InstanceProfileName=name)
    iam.delete_role(RoleName=name)


def _iam_user(client: Client, step: Remove, found: Found) -> None:
    iam, name = client("iam"), step.declared.name
    for key in pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=name):
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in pages(iam, "list_user_policies", "PolicyNames", UserName=name):
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


def _log_groups(client: Client, step: Remove, found: Found) -> None:
    for name in found.members:
        client("logs").delete_log_group(logGroupName=name)


def _metric_filter(client: Client, step: Remove, found: Found) -> None:
    client("logs").delete_metric_filter(logGroupName=step.declared.parent, filterName=step.declared.name)


def _origin_access_control(client: Client, step: Remove, found: Found) -> None:
    cloudfront = client("cloudfront")
    etag = cloudfront.get_origin_access_control(Id=found.id)["ETag"]
    cloudfront.delete_origin_access_control(Id=found.id, IfMatch=etag)


def _replication_group(client: Client, step: Remove, found: Found) -> None:
    if found.status != "deleting":
        client("elasticache").delete_replication_group(ReplicationGroupId=step.declared.name)


def _repository(client: Client, step: Remove, found: Found) -> None:
    client("ecr").delete_repository(repositoryName=step.declared.name, force=True)


def _route_table(client: Client, step: Remove, found: Found) -> None:
    ec2 = client("ec2")
    for association in found.members:
        ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=found.id)


def _secret(client: Client, step: Remove, found: Found) -> None:
    client("secretsmanager").delete_secret(SecretId=step.declared.name, ForceDeleteWithoutRecovery=True)


def _security_group(client: Client, step: Remove, found: Found) -> None:
    client("ec2").delete_security_group(GroupId=found.id)


def _subnet(client: Client, step: Remove, found: Found) -> None:
    client("ec2").delete_subnet(SubnetId=found.id)


def _topic(client: Client, step: Remove, found: Found) -> None:
    client("sns").delete_topic(TopicArn=found.id)


REMOVERS: t.Mapping[str, Remover] = {
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
"""How each kind of resource is removed."""
