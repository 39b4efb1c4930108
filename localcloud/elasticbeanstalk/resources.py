# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other services show of an environment: scaling group, launch template, load balancer, target groups, health.

They are moto's, kept as the environment is; what somebody else changes of them there has no effect on it.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import InstanceState, autoscaling_backends
from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.elbv2.models import FakeHealthStatus, elbv2_backends

from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.balancer import Layout, Process
from localcloud.elasticbeanstalk.ec2 import LaunchError, instance_type, security_groups, system_tags
from localcloud.elasticbeanstalk.front import TargetHealth
from localcloud.elasticbeanstalk.models import Environment

HealthOf = Callable[[str, str], TargetHealth | None]
"""What the load balancer says about an instance, by process and instance id."""

MOST = 10_000
_WORDS = {
    "initial": "Initial health checks in progress",
    "draining": "Target deregistration is in progress",
    "unused": "Target is not registered to the target group",
}


def _tags(environment: Environment) -> list[dict[str, str]]:
    tags = {**environment.tags, **system_tags(environment), "Name": environment.name}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# -- the scaling group ------------------------------------------------------------------------------------------------


def create_scaling_group(environment: Environment) -> None:
    """Make it and its launch template, once."""
    made = environment.resources
    if made.scaling_group is not None:
        return
    stack = f"awseb-{environment.id}-stack"
    data = {"InstanceType": instance_type(environment), "SecurityGroupIds": security_groups(environment)}
    template = ec2_backends[environment.account][environment.region].create_launch_template(
        f"{stack}-AWSEBEC2LaunchTemplate-{secrets.token_hex(6)}", "", data, {}
    )
    made.launch_template = str(template.id)
    made.scaling_group = f"{stack}-AWSEBAutoScalingGroup-{secrets.token_hex(6)}"
    group: Any = autoscaling_backends[environment.account][environment.region].create_auto_scaling_group(
        name=made.scaling_group,
        availability_zones=[f"{environment.region}a"],
        desired_capacity=0,
        max_size=MOST,
        min_size=0,
        launch_config_name="",
        launch_template={"LaunchTemplateId": template.id},
        vpc_zone_identifier=None,
        default_cooldown=None,
        health_check_period=None,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=[],
        tags=[{**tag, "ResourceId": made.scaling_group, "PropagateAtLaunch": "true"} for tag in _tags(environment)],
    )
    # Instances are the environment's to launch.
    group.replace_autoscaling_group_instances = lambda count, tags: None
    group.set_desired_capacity = _refuse_capacity


def _refuse_capacity(capacity: int | None) -> None:
    raise ValidationError("The rehearsal cloud scales an environment by its options MinSize and MaxSize alone.")


def is_running(environment: Environment, instance_id: str) -> bool:
    """Whether EC2 has the instance, and nobody has terminated it there."""
    instance = ec2_backends[environment.account][environment.region].get_instance_by_id(instance_id)
    return instance is not None and instance.state not in ("shutting-down", "terminated")


def show_instances(environment: Environment, sizes: tuple[int, int]) -> None:
    """Let the scaling group have the environment's instances and these sizes, the smallest and the largest."""
    backend = autoscaling_backends[environment.account][environment.region]
    group = backend.autoscaling_groups.get(environment.resources.scaling_group or "")
    if group is None:
        return
    ec2 = ec2_backends[environment.account][environment.region]
    known = {state.instance_id: state for state in group.instance_states}
    states = []
    for item in environment.instances:
        state = known.get(item.id) or InstanceState(ec2.get_instance(item.id), autoscaling_group=group)
        state.health_status = "Unhealthy" if item.lost else "Healthy"
        states.append(state)
    group.instance_states = states
    group.min_size, group.max_size = sizes
    group.desired_capacity = len(states)
    group.target_group_arns = list(environment.resources.target_groups.values())


def delete_scaling_group(environment: Environment) -> None:
    """Remove it and its launch template; absent ones are no error."""
    made = environment.resources
    autoscaling_backends[environment.account][environment.region].autoscaling_groups.pop(made.scaling_group or "", None)
    with contextlib.suppress(ServiceException, EC2ClientError, KeyError):
        ec2_backends[environment.account][environment.region].delete_launch_template("", made.launch_template)
    made.scaling_group = made.launch_template = None


# -- the load balancer ------------------------------------------------------------------------------------------------


def create_load_balancer(environment: Environment, layout: Layout, health: HealthOf) -> list[str]:
    """Make it with its target groups, and return the groups' names; of a classic one there is but its name.

    :raises LaunchError: When it cannot be in the environment's subnets.
    """
    made = environment.resources
    if layout.kind == "classic":
        made.load_balancer = f"awseb-{environment.id[:3]}-AWSEBLoa-{secrets.token_hex(7).upper()[:13]}"
        return []
    try:
        balancer = elbv2_backends[environment.account][environment.region].create_load_balancer(
            f"awseb--AWSEB-{secrets.token_hex(6)}",
            security_groups(environment),
            _subnets(environment),
            scheme="internal" if environment.setting(options.VPC, "ELBScheme") == "internal" else "internet-facing",
            loadbalancer_type="application",
            tags=_tags(environment),
        )
    except (ServiceException, EC2ClientError) as error:
        reason = getattr(error, "message", error)
        raise LaunchError(f"Creating load balancer failed Reason: {reason}") from error
    balancer.activate()
    made.load_balancer = str(balancer.arn)
    groups = {item.name: _target_group(environment, item, str(balancer.vpc_id), health) for item in layout.processes}
    made.target_groups = {name: str(group.arn) for name, group in groups.items()}
    for listener in layout.listeners:
        action = {"Type": "forward", "TargetGroupArn": made.target_groups[listener.process]}
        elbv2_backends[environment.account][environment.region].create_listener(
            balancer.arn,
            "HTTPS" if listener.certificate else "HTTP",
            str(listener.port),
            "",
            listener.certificate,
            [action],
        )
    return [str(group.name) for group in groups.values()]


def _subnets(environment: Environment) -> list[str]:
    declared = environment.setting(options.VPC, "ELBSubnets") or environment.setting(options.VPC, "Subnets") or ""
    if names := [name.strip() for name in declared.split(",") if name.strip()]:
        return names
    backend = ec2_backends[environment.account][environment.region]
    return [str(subnet.id) for subnet in backend.describe_subnets(filters={"default-for-az": "true"})]


def _target_group(environment: Environment, process: Process, vpc: str, health: HealthOf) -> Any:
    check = process.check
    group = elbv2_backends[environment.account][environment.region].create_target_group(
        f"awseb-AWSEB-{secrets.token_hex(6).upper()}",
        protocol="HTTP",
        port=str(process.port),
        vpc_id=vpc,
        target_type="instance",
        healthcheck_path=check.path,
        healthcheck_interval_seconds=int(check.interval),
        healthcheck_timeout_seconds=int(check.timeout),
        healthy_threshold_count=str(check.healthy),
        unhealthy_threshold_count=str(check.unhealthy),
        matcher={"HttpCode": check.codes},
    )
    group.attributes["deregistration_delay.timeout_seconds"] = int(process.delay)

    def status(target: dict[str, Any], backend: Any) -> FakeHealthStatus:
        found = health(process.name, target["Id"])
        state = found.state if found is not None else "unused"
        reason = found.reason if found is not None else "Target.NotRegistered"
        words = _WORDS.get(state) or (f"Health checks failed: {found.detail}" if found and found.reason else None)
        return FakeHealthStatus(target["Id"], str(process.port), "traffic-port", state, reason, words)

    # moto's own knows no health check.
    group.health_for = status
    return group


def show_targets(environment: Environment, ids: Sequence[str]) -> None:
    """Let the target groups have these instances."""
    backend = elbv2_backends[environment.account][environment.region]
    for arn in environment.resources.target_groups.values():
        group = backend.target_groups.get(arn)
        if group is not None:
            group.targets = {name: {"Id": name, "Port": group.port} for name in ids}


def delete_load_balancer(environment: Environment) -> None:
    """Remove it with its target groups; absent ones are no error."""
    made = environment.resources
    backend = elbv2_backends[environment.account][environment.region]
    backend.load_balancers.pop(made.load_balancer or "", None)
    for arn in made.target_groups.values():
        backend.target_groups.pop(arn, None)
    made.load_balancer, made.target_groups = None, {}
