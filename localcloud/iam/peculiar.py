# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls need at services that each have ways of their own of naming what they are about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from localcloud.iam.naming import Naming
from localcloud.iam.needs import ANY, Asked, Need
from localcloud.iam.services import SERVICES

# -- Elastic Beanstalk: "Resources and conditions for Elastic Beanstalk actions" of the developer guide ----------------

_EB = "elasticbeanstalk"
_ABOUT_NOTHING = (
    "CheckDNSAvailability",
    "CreateStorageLocation",
    "DescribeAccountAttributes",
    "ListPlatformBranches",
)
_ABOUT_PLATFORMS = ("DescribePlatformVersion", "ListPlatformVersions")
_ABOUT_VERSIONS = (
    "CreateApplicationVersion",
    "DeleteApplicationVersion",
    "DescribeApplicationVersions",
    "UpdateApplicationVersion",
)
_ABOUT_APPLICATIONS = (
    "CreateApplication",
    "DeleteApplication",
    "DescribeApplications",
    "UpdateApplication",
    "UpdateApplicationResourceLifecycle",
)
_ABOUT_ENVIRONMENTS = re.compile(
    r"(?!Compose).*Environment.*|DescribeConfiguration(Options|Settings)|DescribeEvents|DescribeInstancesHealth"
    r"|RestartAppServer|ValidateConfigurationSettings"
)
_PASSED = {"ServiceRole": "elasticbeanstalk.amazonaws.com", "IamInstanceProfile": "ec2.amazonaws.com"}


def beanstalk(asked: Asked) -> Iterator[Need]:
    """What a call of Elastic Beanstalk needs: creating and updating an environment hands roles on, too."""
    context = asked.request_tag_context()
    if asked.operation == "UpdateTagsForResource":
        # Two virtual actions stand for it (API reference).
        for parameter, action in (("TagsToAdd", "AddTags"), ("TagsToRemove", "RemoveTags")):
            if any(name.startswith(f"{parameter}.") for name in asked.parameters):
                yield from (Need(f"{_EB}:{action}", arn, context) for arn in asked.values("ResourceArn"))
        return
    for resource in _beanstalk_resources(asked):
        yield Need(f"{_EB}:{asked.operation}", resource, context)
    if context and asked.operation.startswith("Create"):
        yield Need(f"{_EB}:AddTags", _beanstalk_resources(asked)[-1], context)
    if asked.operation in ("CreateEnvironment", "UpdateEnvironment"):
        yield from _passed(asked)


def _beanstalk_resources(asked: Asked) -> list[str]:
    application = "".join(asked.values("ApplicationName")[:1])
    if asked.operation in _ABOUT_NOTHING:
        return [ANY]
    if asked.operation in _ABOUT_PLATFORMS:
        return asked.values("PlatformArn") or [f"arn:aws:{_EB}:{asked.region}::platform/*"]
    if arns := asked.values("ResourceArn"):
        return arns
    if asked.operation in _ABOUT_APPLICATIONS:
        names = asked.values("ApplicationName") + asked.values("ApplicationNames")
        return [asked.arn(_EB, f"application/{name}") for name in names or ["*"]]
    if asked.operation in _ABOUT_VERSIONS:
        labels = asked.values("VersionLabel") + asked.values("VersionLabels")
        versions = [asked.arn(_EB, f"applicationversion/{application or '*'}/{label}") for label in labels or ["*"]]
        owner = [asked.arn(_EB, f"application/{application}")] if asked.operation == "CreateApplicationVersion" else []
        return owner + versions
    if asked.operation == "DescribeEvents" and asked.values("VersionLabel"):
        return [asked.arn(_EB, f"applicationversion/{application or '*'}/{asked.values('VersionLabel')[0]}")]
    if asked.operation == "DescribeEvents" and application and not any(asked.values(name) for name in _ENVIRONMENTS):
        return [asked.arn(_EB, f"application/{application}")]
    return _environments(asked, application) if _ABOUT_ENVIRONMENTS.fullmatch(asked.operation) else [ANY]


def _environments(asked: Asked, application: str) -> list[str]:
    names = [value for name in _ENVIRONMENTS for value in asked.values(name)]
    known = [
        asked.known.environment_arn(asked.region, name) or asked.arn(_EB, f"environment/{application or '*'}/{name}")
        for name in dict.fromkeys(names)
    ]
    return known or [asked.arn(_EB, f"environment/{application or '*'}/*")]


_ENVIRONMENTS = (
    "EnvironmentName",
    "EnvironmentNames",
    "EnvironmentId",
    "EnvironmentIds",
    "SourceEnvironmentName",
    "SourceEnvironmentId",
    "DestinationEnvironmentName",
    "DestinationEnvironmentId",
)


def _passed(asked: Asked) -> Iterator[Need]:
    """The roles among the options: of the service, and of the instances' profile."""
    for name, value in asked.parameters.items():
        if name.startswith("OptionSettings.member.") and name.endswith(".OptionName") and value in _PASSED:
            given = str(asked.parameters.get(name.removesuffix(".OptionName") + ".Value", ""))
            for role in _roles(asked, str(value), given):
                yield Need("iam:PassRole", role, {"iam:passedtoservice": _PASSED[str(value)]})


def _roles(asked: Asked, option: str, given: str) -> Iterable[str]:
    if option == "IamInstanceProfile":
        return asked.known.roles_of(given.rpartition("/")[2])
    return [given if given.startswith("arn:") else asked.arn("iam", f"role/{given}", everywhere=True)]


# -- IAM -------------------------------------------------------------------------------------------------------------

_ENTITIES: Mapping[str, str] = {
    "InstanceProfile": "instance-profile",
    "Role": "role",
    "User": "user",
    "Group": "group",
    "Policy": "policy",
}
# Operations whose name does not end in what they are about.
_ABOUT: Mapping[str, str] = {
    "AddRoleToInstanceProfile": "InstanceProfile",
    "AddUserToGroup": "Group",
    "ListInstanceProfilesForRole": "Role",
    "RemoveRoleFromInstanceProfile": "InstanceProfile",
    "RemoveUserFromGroup": "Group",
}


def identity(asked: Asked) -> Iterator[Need]:
    """What a call of IAM needs."""
    context = asked.request_tag_context()
    attached = "".join(asked.values("PolicyArn")[:1])
    if attached and asked.operation.startswith(("Attach", "Detach")):
        context["iam:policyarn"] = attached
    resources = _identity_resources(asked)
    for resource in resources:
        yield Need(f"iam:{asked.operation}", resource, context)
    noun = asked.operation.removeprefix("Create")
    if asked.request_tags() and noun in _ENTITIES and noun != asked.operation:
        yield Need(f"iam:Tag{noun}", resources[0], context)
    if asked.operation == "AddRoleToInstanceProfile":
        passed = {"iam:passedtoservice": "ec2.amazonaws.com"}
        for name in asked.values("RoleName"):
            yield Need("iam:PassRole", asked.arn("iam", f"role/{name}", everywhere=True), passed)


def _identity_resources(asked: Asked) -> list[str]:
    about = [_ABOUT[asked.operation]] if asked.operation in _ABOUT else list(_ENTITIES)
    for entity in about:
        if names := asked.values(f"{entity}Name"):
            # The name of an inline policy is none of a resource: what holds it came first.
            return [asked.arn("iam", f"{_ENTITIES[entity]}/{names[0]}", everywhere=True)]
    return asked.values("PolicyArn") or [ANY]


# -- CloudFront ------------------------------------------------------------------------------------------------------

_SUBJECTS: Mapping[str, str] = {
    "CachePolicy": "cache-policy",
    "Distribution": "distribution",
    "Function": "function",
    "Invalidation": "distribution",
    "OriginAccessControl": "origin-access-control",
    "OriginRequestPolicy": "origin-request-policy",
    "ResponseHeadersPolicy": "response-headers-policy",
}
_ABOUT_ONE = re.compile(rf"(?P<verb>[A-Z][a-z]+)(?P<noun>{'|'.join(_SUBJECTS)})(Config)?|List(?P<of>Invalidation)s")


def cloudfront(asked: Asked) -> Iterator[Need]:
    """What a call of CloudFront needs; what is created has no ARN yet."""
    operation = asked.operation.removesuffix("WithTags")
    resource = _distributed(asked, operation)
    yield Need(f"cloudfront:{operation}", resource, asked.resource_tag_context(resource))
    if operation != asked.operation:
        yield Need("cloudfront:TagResource", asked.arn("cloudfront", "distribution/*", everywhere=True))


def _distributed(asked: Asked, operation: str) -> str:
    if operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        return asked.query.get("Resource", ANY)
    found = _ABOUT_ONE.fullmatch(operation)
    names = asked.values("DistributionId") or asked.values("Id") or asked.values("Name")
    noun = found["noun"] or found["of"] if found else ""
    if not noun or not names or (operation.startswith("Create") and noun != "Invalidation"):
        return ANY
    return asked.arn("cloudfront", f"{_SUBJECTS[noun]}/{names[0]}", everywhere=True)


# -- Secrets Manager -------------------------------------------------------------------------------------------------


def secrets(asked: Asked) -> Iterator[Need]:
    """What a call of Secrets Manager needs: a secret that is there goes by its whole ARN, with its six characters."""
    context = asked.request_tag_context()
    if asked.operation == "CreateSecret":
        resource = asked.arn("secretsmanager", f"secret:{''.join(asked.values('Name'))}-??????")
        yield Need("secretsmanager:CreateSecret", resource, context)
        if context:
            yield Need("secretsmanager:TagResource", resource, context)
        return
    named = "".join(asked.values("SecretId")[:1])
    bare = named if named.startswith("arn:") else asked.arn("secretsmanager", f"secret:{named}")
    resource = (asked.known.secret_arn(asked.region, named) or bare) if named else ANY
    yield Need(f"secretsmanager:{asked.operation}", resource, context)


# -- CloudWatch Logs -------------------------------------------------------------------------------------------------

_GROUPS = Naming(
    "logs",
    kinds={"logGroupName": "log-group:{}"},
    arns=frozenset({"resourceArn"}),
    only={"DescribeQueries": frozenset()},
)
_IN_STREAMS = ("CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents")


def logs(asked: Asked) -> Iterator[Need]:
    """What a call of CloudWatch Logs needs: of a group, or of one of its streams."""
    if asked.operation not in _IN_STREAMS:
        yield from _GROUPS.needs(asked)
        return
    group, stream = ("".join(asked.values(name)) for name in ("logGroupName", "logStreamName"))
    yield Need(f"logs:{asked.operation}", asked.arn("logs", f"log-group:{group}:log-stream:{stream}"))


# -- RDS: a last snapshot needs the rights to it as well (aws-solutions/instance-scheduler-on-aws#572) -----------------

_LAST_SNAPSHOT = {"DeleteDBInstance": "FinalDBSnapshotIdentifier", "StopDBInstance": "DBSnapshotIdentifier"}


def rds(asked: Asked) -> Iterator[Need]:
    """What a call of RDS needs. Of a snapshot both are asked for: aws-samples/eks-workshop-v2#1201 has the database,
    gigascience/gigadb-website#2053 the snapshot."""
    yield from SERVICES["rds"].needs(asked)
    # The service's name as mitodl/ol-infrastructure#5874 has found it; AWS does not tell it.
    passed = {"iam:passedtoservice": "monitoring.rds.amazonaws.com"}
    yield from (Need("iam:PassRole", role, passed) for role in asked.values("MonitoringRoleArn"))
    databases = asked.values("DBInstanceIdentifier")
    for name in asked.values(_LAST_SNAPSHOT.get(asked.operation, "")):
        snapshot = asked.arn("rds", f"snapshot:{name}")
        yield from (Need("rds:CreateDBSnapshot", asked.arn("rds", f"db:{database}")) for database in databases)
        yield Need("rds:CreateDBSnapshot", snapshot)
        if any(asked.known.copies_tags(asked.region, database) for database in databases):
            yield Need("rds:AddTagsToResource", snapshot)


# -- SNS -------------------------------------------------------------------------------------------------------------

_TOPICS = Naming(
    "sns",
    kinds={"Name": "{}"},
    arns=frozenset({"TopicArn", "ResourceArn"}),
    only={"CreatePlatformApplication": frozenset()},
    actions={"PublishBatch": "Publish"},
)


def sns(asked: Asked) -> Iterator[Need]:
    """What a call of SNS needs; a subscription is a matter of its topic."""
    subscriptions = [arn.rpartition(":")[0] for arn in asked.values("SubscriptionArn")]
    if subscriptions:
        yield from (Need(f"sns:{asked.operation}", arn) for arn in subscriptions)
    else:
        yield from _TOPICS.needs(asked)


# -- Elastic Load Balancing: "Elastic Load Balancing API permissions" of its user guide --------------------------------

_LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    "CreateLoadBalancer": (
        "AccountAttributes",
        "Addresses",
        "InternetGateways",
        "SecurityGroups",
        "Subnets",
        "Vpcs",
    ),
    "CreateTargetGroup": ("InternetGateways", "Vpcs"),
    "RegisterTargets": ("Instances", "InternetGateways", "Subnets", "Vpcs"),
    "SetIpAddressType": ("Subnets",),
    "SetSubnets": ("Subnets",),
}


def balancers(asked: Asked) -> Iterator[Need]:
    """What a call of Elastic Load Balancing needs: it looks around in EC2 with the rights of its caller."""
    yield from SERVICES["elasticloadbalancing"].needs(asked)
    yield from (Need(f"ec2:Describe{what}") for what in _LOOKED_AT.get(asked.operation, ()))


# -- ECS: what runs in a cluster can be limited to the cluster by condition, the cluster itself by its ARN alone -------

_ABOUT_CLUSTERS = (
    "CreateCluster",
    "DeleteCluster",
    "DeregisterContainerInstance",
    "DescribeClusters",
    "ListAttributes",
    "ListContainerInstances",
    "PutClusterCapacityProviders",
    "RegisterContainerInstance",
    "SubmitAttachmentStateChanges",
    "SubmitContainerStateChange",
    "SubmitTaskStateChange",
    "UpdateCluster",
    "UpdateClusterSettings",
)
_ABOUT_INSIDES: Mapping[str, tuple[str, str]] = {
    "DescribeContainerInstances": ("containerInstances", "container-instance"),
    "DescribeTasks": ("tasks", "task"),
    "ListTasks": ("containerInstance", "container-instance"),
    "Poll": ("containerInstance", "container-instance"),
    "StartTelemetrySession": ("containerInstance", "container-instance"),
    "StopTask": ("task", "task"),
}
_ABOUT_DEFINITIONS: Mapping[str, str] = {
    "RegisterTaskDefinition": "family",
    "RunTask": "taskDefinition",
    "StartTask": "taskDefinition",
}
_INTO_CLUSTERS = ("RunTask", "StartTask")
# What is tagged while it is made ("Grant permission to tag resources on creation" of the developer guide).
_TAGGED: Mapping[str, str] = {
    "CreateCluster": "cluster/{}",
    "RegisterContainerInstance": "container-instance/{}/*",
    "RunTask": "task/{}/*",
    "StartTask": "task/{}/*",
}


def ecs(asked: Asked) -> Iterator[Need]:
    """What a call of ECS needs; a cluster goes by its name or its ARN."""
    given = [value for name in ("cluster", "clusters", "clusterName") for value in asked.values(name)]
    names = [name.rpartition("/")[2] for name in given] or ["default"]
    request = asked.request_tag_context()
    inside = {"ecs:cluster": asked.arn("ecs", f"cluster/{names[0]}")}
    limits = inside if asked.operation in (*_ABOUT_INSIDES, *_INTO_CLUSTERS) else {}
    resources = _ecs_resources(asked, names)
    for resource in resources:
        yield Need(f"ecs:{asked.operation}", resource, {**request, **limits})
    for role in asked.values("executionRoleArn") + asked.values("taskRoleArn"):
        arn = role if role.startswith("arn:") else asked.arn("iam", f"role/{role}", everywhere=True)
        yield Need("iam:PassRole", arn, {"iam:passedtoservice": "ecs-tasks.amazonaws.com"})
    if request and asked.operation in (*_TAGGED, "RegisterTaskDefinition"):
        made = _TAGGED.get(asked.operation)
        resource = asked.arn("ecs", made.format(names[0])) if made else resources[0]
        yield Need("ecs:TagResource", resource, {**request, "ecs:createaction": asked.operation})


def _ecs_resources(asked: Asked, clusters: list[str]) -> list[str]:
    if asked.operation in _ABOUT_CLUSTERS:
        return [asked.arn("ecs", f"cluster/{name}") for name in clusters]
    if asked.operation in _ABOUT_INSIDES:
        parameter, kind = _ABOUT_INSIDES[asked.operation]
        insides = [name.rpartition("/")[2] for name in asked.values(parameter)] or ["*"]
        return [asked.arn("ecs", f"{kind}/{clusters[0]}/{name}") for name in insides]
    if asked.operation in _ABOUT_DEFINITIONS:
        names = [name.rpartition("/")[2] for name in asked.values(_ABOUT_DEFINITIONS[asked.operation])]
        return [asked.arn("ecs", f"task-definition/{name if ':' in name else f'{name}:*'}") for name in names or ["*"]]
    return asked.values("resourceArn") or [ANY]


OTHERS: Mapping[str, Callable[[Asked], Iterable[Need]]] = {
    "cloudfront": cloudfront,
    "ecs": ecs,
    "elasticbeanstalk": beanstalk,
    "elasticloadbalancing": balancers,
    "iam": identity,
    "logs": logs,
    "rds": rds,
    "secretsmanager": secrets,
    "sns": sns,
}
"""By name in signatures."""
