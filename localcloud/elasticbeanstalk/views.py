# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's things as its API describes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from localcloud.elasticbeanstalk.events import Event
from localcloud.elasticbeanstalk.health import basic_colour
from localcloud.elasticbeanstalk.instancetypes import architectures
from localcloud.elasticbeanstalk.models import Application, Beanstalk, Environment, Version
from localcloud.elasticbeanstalk.optionrules import Problem
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.optionviews import Made, read_back
from localcloud.elasticbeanstalk.platforms import Branch, Platform

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.instance import Instance

Description = dict[str, Any]


def _present(**members: Any) -> Description:
    """Without what has no value: the service leaves those members out."""
    return {name: value for name, value in members.items() if value is not None}


def application(service: Beanstalk, item: Application) -> Description:
    return _present(
        ApplicationName=item.name,
        ApplicationArn=service.application_arn(item.name),
        Description=item.description,
        DateCreated=item.created,
        DateUpdated=item.updated,
        Versions=list(reversed(item.versions)),
        ConfigurationTemplates=[],
        ResourceLifecycleConfig=item.lifecycle,
    )


def version(service: Beanstalk, item: Version) -> Description:
    return _present(
        ApplicationName=item.application,
        ApplicationVersionArn=service.version_arn(item),
        VersionLabel=item.label,
        Description=item.description,
        SourceBundle={"S3Bucket": item.bucket, "S3Key": item.key},
        DateCreated=item.created,
        DateUpdated=item.updated,
        Status=item.status,
    )


def environment(item: Environment) -> Description:
    return _present(
        EnvironmentName=item.name,
        EnvironmentId=item.id,
        EnvironmentArn=item.arn,
        ApplicationName=item.application,
        VersionLabel=item.version_label,
        SolutionStackName=item.platform.solution_stack,
        PlatformArn=item.platform.arn(item.region),
        Description=item.description,
        EndpointURL=item.endpoint_url,
        CNAME=item.cname,
        DateCreated=item.created,
        DateUpdated=item.updated,
        Status=item.status,
        AbortableOperationInProgress=item.abortable,
        Health=item.health.colour if item.enhanced else basic_colour(item.health),
        HealthStatus=item.health.status if item.enhanced else None,
        Tier=item.tier,
        EnvironmentLinks=[],
    )


def resources(item: Environment) -> Description:
    made = item.resources

    def named(name: str | None, member: str = "Name") -> list[Description]:
        return [{member: name}] if name is not None else []

    return {
        "EnvironmentName": item.name,
        "Instances": [{"Id": instance.id} for instance in item.instances],
        "AutoScalingGroups": named(made.scaling_group),
        "LaunchConfigurations": [],
        "LaunchTemplates": named(made.launch_template, "Id"),
        "LoadBalancers": named(made.load_balancer),
        "Triggers": [],
        "Queues": [],
    }


def configuration(item: Environment, settings: Mapping[Key, str], status: str, app_source: str | None) -> Description:
    made = Made(security_group=item.own_security_group, app_source=app_source)
    return _present(
        SolutionStackName=item.platform.solution_stack,
        PlatformArn=item.platform.arn(item.region),
        ApplicationName=item.application,
        EnvironmentName=item.name,
        Description=item.description,
        DeploymentStatus=status,
        DateCreated=item.created,
        DateUpdated=item.updated,
        # Not in the public service model, but in the EB CLI's own, which fails without it.
        Tier=item.tier,
        OptionSettings=read_back(settings, made, architectures()),
    )


def message(problem: Problem) -> Description:
    return {
        "Message": problem.message,
        "Severity": problem.severity,
        "Namespace": problem.key.namespace,
        "OptionName": problem.key.name,
    }


def event(item: Event) -> Description:
    return _present(
        EventDate=item.date,
        Message=item.message,
        Severity=item.severity,
        ApplicationName=item.subject.application,
        EnvironmentName=item.subject.environment,
        VersionLabel=item.subject.version_label,
        RequestId=item.subject.request_id,
        PlatformArn=item.subject.platform_arn,
    )


def environment_health(item: Environment, attributes: set[str]) -> Description:
    instances = {"NoData": 0, "Unknown": 0, "Pending": 0, "Ok": 0, "Info": 0, "Warning": 0, "Degraded": 0, "Severe": 0}
    for instance in item.instances:
        instances[instance.health.status] += 1
    members = {
        "HealthStatus": item.health.status,
        "Status": item.status,
        "Color": item.health.colour,
        "Causes": list(item.health.causes),
        "ApplicationMetrics": {"RequestCount": 0},
        "InstancesHealth": instances,
        "RefreshedAt": item.health_time,
    }
    chosen = {name: value for name, value in members.items() if "All" in attributes or name in attributes}
    return {"EnvironmentName": item.name, **chosen}


def instances_health(instances: Iterable[Instance], attributes: set[str]) -> list[Description]:
    return [_instance_health(instance, attributes) for instance in instances]


def _instance_health(instance: Instance, attributes: set[str]) -> Description:
    one, five, _ = os.getloadavg()
    deployment = instance.deployment
    members = {
        "HealthStatus": instance.health.status,
        "Color": instance.health.colour,
        "Causes": list(instance.health.causes),
        "LaunchedAt": instance.launched,
        "ApplicationMetrics": {"RequestCount": 0},
        "System": {"LoadAverage": [one, five]},
        "Deployment": deployment
        and {
            "VersionLabel": deployment.version_label,
            "DeploymentId": deployment.id,
            "Status": deployment.status,
            "DeploymentTime": deployment.time,
        },
        "AvailabilityZone": instance.availability_zone,
        "InstanceType": instance.instance_type,
    }
    chosen = {name: value for name, value in members.items() if "All" in attributes or name in attributes}
    return {"InstanceId": instance.id, **{name: value for name, value in chosen.items() if value is not None}}


def branch(item: Branch) -> Description:
    return {
        "PlatformName": "ECS",
        "BranchName": item.name,
        "LifecycleState": item.lifecycle,
        "BranchOrder": item.order,
        "SupportedTierList": ["WebServer/Standard"],
    }


def platform_summary(item: Platform, region: str) -> Description:
    return {
        "PlatformArn": item.arn(region),
        "PlatformOwner": "AWSElasticBeanstalk",
        "PlatformStatus": "Ready",
        "PlatformCategory": "ECS",
        "OperatingSystemName": item.branch.operating_system,
        "OperatingSystemVersion": item.branch.operating_system_version,
        "SupportedTierList": ["WebServer/Standard"],
        "SupportedAddonList": [],
        "PlatformLifecycleState": item.lifecycle,
        "PlatformVersion": item.version,
        "PlatformBranchName": item.branch.name,
        "PlatformBranchLifecycleState": item.branch.lifecycle,
    }


def platform(item: Platform, region: str) -> Description:
    summary = platform_summary(item, region)
    return {
        **summary,
        "PlatformName": item.branch.name,
        "SolutionStackName": item.solution_stack,
        "Description": item.solution_stack,
        "ProgrammingLanguages": [],
        "Frameworks": [],
        "CustomAmiList": [],
    }
