# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which configuration options Elastic Beanstalk knows on Linux platforms, and how their values are spelled. Pure."""

from __future__ import annotations

import difflib
import json
import typing as t

ANY = "*"
ENVIRONMENT_PROPERTIES = "aws:elasticbeanstalk:application:environment"
ENVIRONMENT_SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
ENVIRONMENT_PROPERTIES_LIMIT = 4096

# Names by namespace, separated by "|"; "*" stands for any name, and at a namespace's end for the name of a process,
# listener, rule or policy. From the developer guide: a name that is not here is refused by the service.
_CATALOGUE = {
    "aws:autoscaling:asg": (
        "Availability Zones|Cooldown|Custom Availability Zones|EnableCapacityRebalancing|MaxSize|MinSize"
    ),
    "aws:autoscaling:launchconfiguration": (
        "BlockDeviceMappings|DisableDefaultEC2SecurityGroup|DisableIMDSv1|EC2KeyName|IamInstanceProfile|"
        "ImageId|InstanceType|LaunchTemplateTagPropagationEnabled|MonitoringInterval|RootVolumeIOPS|"
        "RootVolumeSize|RootVolumeThroughput|RootVolumeType|SSHSourceRestriction|SecurityGroups"
    ),
    "aws:autoscaling:scheduledaction": "DesiredCapacity|EndTime|MaxSize|MinSize|Recurrence|StartTime|Suspend",
    "aws:autoscaling:trigger": (
        "BreachDuration|EvaluationPeriods|LowerBreachScaleIncrement|LowerThreshold|MeasureName|Period|"
        "Statistic|Unit|UpperBreachScaleIncrement|UpperThreshold"
    ),
    "aws:autoscaling:updatepolicy:rollingupdate": (
        "MaxBatchSize|MinInstancesInService|PauseTime|RollingUpdateEnabled|RollingUpdateType|Timeout"
    ),
    "aws:ec2:instances": (
        "EnableSpot|InstanceTypes|SpotAllocationStrategy|SpotFleetOnDemandAboveBasePercentage|"
        "SpotFleetOnDemandBase|SpotMaxPrice|SupportedArchitectures"
    ),
    "aws:ec2:vpc": "AssociatePublicIpAddress|DBSubnets|ELBScheme|ELBSubnets|Subnets|VPCId",
    "aws:elasticbeanstalk:application": "Application Healthcheck URL",
    "aws:elasticbeanstalk:application:environment": "*",
    "aws:elasticbeanstalk:application:environmentsecrets": "*",
    "aws:elasticbeanstalk:cloudwatch:logs": "DeleteOnTerminate|RetentionInDays|StreamLogs",
    "aws:elasticbeanstalk:cloudwatch:logs:health": "DeleteOnTerminate|HealthStreamingEnabled|RetentionInDays",
    "aws:elasticbeanstalk:command": "BatchSize|BatchSizeType|DeploymentPolicy|IgnoreHealthCheck|Timeout",
    "aws:elasticbeanstalk:customoption": "*",
    "aws:elasticbeanstalk:environment": "EnvironmentType|LoadBalancerIsShared|LoadBalancerType|ServiceRole",
    "aws:elasticbeanstalk:environment:process:*": (
        "DeregistrationDelay|HealthCheckInterval|HealthCheckPath|HealthCheckTimeout|HealthyThresholdCount|"
        "MatcherHTTPCode|Port|Protocol|StickinessEnabled|StickinessLBCookieDuration|StickinessType|"
        "UnhealthyThresholdCount"
    ),
    "aws:elasticbeanstalk:environment:proxy:staticfiles": "*",
    "aws:elasticbeanstalk:healthreporting:system": (
        "ConfigDocument|EnhancedHealthAuthEnabled|HealthCheckSuccessThreshold|SystemType"
    ),
    "aws:elasticbeanstalk:hostmanager": "LogPublicationControl",
    "aws:elasticbeanstalk:managedactions": "ManagedActionsEnabled|PreferredStartTime|ServiceRoleForManagedUpdates",
    "aws:elasticbeanstalk:managedactions:platformupdate": "InstanceRefreshEnabled|UpdateLevel",
    "aws:elasticbeanstalk:monitoring": "Automatically Terminate Unhealthy Instances",
    "aws:elasticbeanstalk:sns:topics": (
        "Notification Endpoint|Notification Protocol|Notification Topic ARN|Notification Topic Name"
    ),
    "aws:elasticbeanstalk:sqsd": (
        "ConnectTimeout|ErrorVisibilityTimeout|HttpConnections|HttpPath|InactivityTimeout|MaxRetries|"
        "MimeType|RetentionPeriod|VisibilityTimeout|WorkerQueueURL"
    ),
    "aws:elasticbeanstalk:trafficsplitting": "EvaluationTime|NewVersionPercent",
    "aws:elasticbeanstalk:xray": "XRayEnabled",
    "aws:elb:healthcheck": "HealthyThreshold|Interval|Target|Timeout|UnhealthyThreshold",
    "aws:elb:listener": "InstancePort|InstanceProtocol|ListenerEnabled|ListenerProtocol|Name|PolicyNames",
    "aws:elb:listener:*": (
        "InstancePort|InstanceProtocol|ListenerEnabled|ListenerProtocol|Name|PolicyNames|SSLCertificateId"
    ),
    "aws:elb:loadbalancer": (
        "CrossZone|LoadBalancerHTTPPort|LoadBalancerHTTPSPort|LoadBalancerPortProtocol|"
        "LoadBalancerSSLPortProtocol|ManagedSecurityGroup|Name|SSLCertificateId|SecurityGroups"
    ),
    "aws:elb:policies": (
        "ConnectionDrainingEnabled|ConnectionDrainingTimeout|ConnectionSettingIdleTimeout|LoadBalancerPorts|"
        "Stickiness Cookie Expiration|Stickiness Policy"
    ),
    "aws:elb:policies:*": (
        "CookieName|InstancePorts|LoadBalancerPorts|ProxyProtocol|PublicKey|PublicKeyPolicyNames|"
        "SSLProtocols|SSLReferencePolicy|Stickiness Cookie Expiration|Stickiness Policy"
    ),
    "aws:elbv2:listener:*": "DefaultProcess|ListenerEnabled|Protocol|Rules|SSLCertificateArns|SSLPolicy",
    "aws:elbv2:listenerrule:*": "HostHeaders|PathPatterns|Priority|Process",
    "aws:elbv2:loadbalancer": (
        "AccessLogsS3Bucket|AccessLogsS3Enabled|AccessLogsS3Prefix|IdleTimeout|ManagedSecurityGroup|"
        "SecurityGroups|SharedLoadBalancer"
    ),
    "aws:rds:dbinstance": (
        "DBAllocatedStorage|DBDeletionPolicy|DBEngine|DBEngineVersion|DBInstanceClass|DBPassword|"
        "DBSnapshotIdentifier|DBUser|HasCoupledDatabase|MultiAZDatabase"
    ),
}


def option_names(namespace: str) -> frozenset[str] | None:
    """Return the names that the namespace takes (``*``: any), or None for a namespace that the service lacks."""
    names = _CATALOGUE.get(namespace)
    if names is None:
        family, _colon, member = namespace.rpartition(":")
        names = _CATALOGUE.get(f"{family}:{ANY}") if member else None
    return None if names is None else frozenset(names.split("|"))


def unknown_option(namespace: str, name: str) -> str | None:
    """Return why the service would refuse the option, with what was probably meant; None for an option it knows."""
    names = option_names(namespace)
    if names is None:
        return f"Elastic Beanstalk has no option namespace {namespace!r}{_nearest(namespace, _CATALOGUE)}"
    if ANY in names or name in names:
        return None
    elsewhere = sorted(other for other, listed in _CATALOGUE.items() if name in listed.split("|"))
    hint = f"; it belongs to {', '.join(elsewhere)}" if elsewhere else _nearest(name, names)
    return f"Elastic Beanstalk has no option {name!r} in {namespace}{hint}"


def option_value(value: t.Any) -> str:
    """Return a value as the service spells it: 'true' and 'false', comma lists, JSON documents."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(option_value(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return str(value)


def option_settings(given: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> dict[str, dict[str, str]]:
    """Return the settings as strings, sorted; an option without a value (None) is left out."""
    spelled = {
        namespace: {name: option_value(value) for name, value in sorted((options or {}).items()) if value is not None}
        for namespace, options in sorted(given.items())
    }
    return {namespace: options for namespace, options in spelled.items() if options}


def properties_size(properties: t.Mapping[str, str]) -> int:
    """Return the bytes that environment properties take, as the service counts: KEY=value, all together."""
    return sum(len(f"{name}={value}".encode()) for name, value in properties.items())


def _nearest(name: str, known: t.Iterable[str]) -> str:
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    nearest = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.75)
    return f"; did you mean {by_lower_case[nearest[0]]!r}?" if nearest else ""
