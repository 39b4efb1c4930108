# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Elastic Beanstalk asks EC2 and IAM for, in an environment's name."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from localcloud.elasticbeanstalk import options

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.models import Environment

DEFAULT_INSTANCE_TYPE = "t3.micro"


class LaunchError(Exception):
    """EC2 would not launch the instance; the message is fit for an event."""


@dataclass(frozen=True)
class Launched:
    """An EC2 instance."""

    id: str
    availability_zone: str
    private_ip: str


def instance_type(environment: Environment) -> str:
    """Without spot instances only the first of the types is used."""
    types = environment.setting(options.INSTANCES, "InstanceTypes")
    older = environment.setting(options.LAUNCH, "InstanceType")
    return (types or older or DEFAULT_INSTANCE_TYPE).split(",")[0].strip()


def security_groups(environment: Environment) -> list[str]:
    declared = environment.settings.get(options.Key(options.LAUNCH, "SecurityGroups"), "")
    own = [environment.own_security_group] if environment.own_security_group else []
    return [group.strip() for group in declared.split(",") if group.strip()] + own


def launch(environment: Environment, kind: str, groups: list[str], number: int) -> Launched:
    """Run an instance.

    :param number: How many there are: the environment's subnets take their turns.
    :raises LaunchError: When EC2 refuses.
    """
    backend = ec2_backends[environment.account][environment.region]
    subnets = [name.strip() for name in (environment.setting(options.VPC, "Subnets") or "").split(",") if name.strip()]
    tags = {**environment.tags, **system_tags(environment), "Name": environment.name}
    try:
        reservation = backend.run_instances(
            _image(backend),
            1,
            None,
            [],
            instance_type=kind,
            is_instance_type_default=False,
            region_name=environment.region,
            subnet_id=subnets[number % len(subnets)] if subnets else None,
            security_group_ids=list(groups),
            tags={"instance": tags},
        )
        instance = reservation.instances[0]
        profile = environment.setting(options.LAUNCH, "IamInstanceProfile") or ""
        which = "iam_instance_profile_arn" if profile.startswith("arn:") else "iam_instance_profile_name"
        try:
            backend.associate_iam_instance_profile(instance_id=instance.id, **{which: profile})
        except (ServiceException, EC2ClientError):
            instance.terminate()
            raise
    except (ServiceException, EC2ClientError) as error:
        raise LaunchError(f"Launching a new EC2 instance. Status Reason: {getattr(error, 'message', error)}") from error
    return Launched(str(instance.id), str(instance.placement.zone), str(instance.private_ip or ""))


def terminate(environment: Environment, instance_id: str) -> None:
    """Terminate an instance as a scaling group does, which termination protection does not prevent.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html, "Considerations". An
    instance that EC2 does not know any more is no error.
    """
    instance = ec2_backends[environment.account][environment.region].get_instance_by_id(instance_id)
    if instance is not None:
        instance.terminate()


def _image(backend: Any) -> str:
    """Some image of the catalogue: the containers' host is this machine."""
    images = backend.describe_images()
    linux = [image for image in images if "al2023" in (image.name or "")]
    return str((linux or images)[0].id)


def system_tags(environment: Environment) -> dict[str, str]:
    """The tags that Elastic Beanstalk puts on everything of an environment."""
    return {"elasticbeanstalk:environment-name": environment.name, "elasticbeanstalk:environment-id": environment.id}


def create_security_group(environment: Environment) -> str:
    """The group that Elastic Beanstalk makes for the instances, and its id.

    :raises LaunchError: When EC2 refuses, as for a VPC that does not exist.
    """
    backend = ec2_backends[environment.account][environment.region]
    name = f"awseb-{environment.id}-stack-AWSEBSecurityGroup-{secrets.token_hex(6).upper()}"
    try:
        group = backend.create_security_group(
            name,
            "SecurityGroup for ElasticBeanstalk environment.",
            environment.setting(options.VPC, "VPCId"),
            tags={**system_tags(environment), "Name": environment.name},
        )
        backend.authorize_security_group_ingress(group.id, "tcp", "80", "80", [{"CidrIp": "0.0.0.0/0"}])
    except (ServiceException, EC2ClientError) as error:
        reason = getattr(error, "message", error)
        raise LaunchError(f"Creating security group named: {name} failed Reason: {reason}") from error
    return str(group.id)


def delete_security_group(environment: Environment) -> None:
    """Delete that group."""
    if environment.own_security_group is not None:
        backend = ec2_backends[environment.account][environment.region]
        backend.delete_security_group(group_id=environment.own_security_group)


def profile_exists(environment: Environment) -> bool:
    """Whether the environment's instance profile exists."""
    wanted = environment.setting(options.LAUNCH, "IamInstanceProfile")
    profiles = iam_backends[environment.account]["aws"].get_instance_profiles()
    return any(wanted in (profile.name, profile.arn) for profile in profiles)
