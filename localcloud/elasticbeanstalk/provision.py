# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment needs before and beside its instances, made step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk import options, resources
from localcloud.elasticbeanstalk.ec2 import LaunchError, create_security_group, profile_exists
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.instance import Instance
from localcloud.elasticbeanstalk.operation import Operation

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.models import Environment


def check_template(environment: Environment) -> None:
    """Properties are a parameter of the environment's template, and parameters have a limit.

    Seen in https://github.com/meteor-up/mup-aws-beanstalk/issues/42.

    :raises LaunchError: When they are over it.
    """
    if options.properties_size(environment.settings) > options.PROPERTIES_LIMIT:
        raise LaunchError(
            "Service:AmazonCloudFormation, Message:Template format error: Parameter 'EnvironmentVariables' default "
            f"value '[****]' length is greater than {options.PROPERTIES_LIMIT}."
        )


class Provisioner:
    """Makes it for one operation, and says so."""

    def __init__(self, cloud: Cloud, fleet: Fleet, operation: Operation) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._operation = operation
        self._environment = fleet.environment

    def launch(self) -> list[Instance]:
        """Everything around instances, and as many of them as there should be.

        :raises LaunchError: With what EC2 or Elastic Beanstalk objects to.
        """
        environment, fleet, say = self._environment, self._fleet, self._operation.say
        check_template(environment)
        if not environment.setting(options.LAUNCH, "IamInstanceProfile"):
            raise LaunchError("Environment must have instance profile associated with it.")
        if not profile_exists(environment):
            raise LaunchError(
                f"The instance profile {environment.setting(options.LAUNCH, 'IamInstanceProfile')} associated with the "
                "environment does not exist."
            )
        if environment.own_security_group is None:
            self._take("launch.security_group")
            environment.own_security_group = create_security_group(environment)
            say("INFO", f"Created security group named: {environment.own_security_group}")
        fleet.open()
        self.open_front()
        say("INFO", "Waiting for EC2 instances to launch. This may take a few minutes.")
        self._take("launch.instances")
        return fleet.launch(fleet.desired)

    def open_front(self) -> None:
        """The load balancer or the elastic IP address, and the scaling group before it."""
        environment, fleet, say = self._environment, self._fleet, self._operation.say
        self._take("launch.launch_configuration")
        if environment.load_balanced:
            for name in resources.create_load_balancer(environment, fleet.layout(), fleet.target_health):
                say("INFO", f"Created target group named: {name}")
        self._take("launch.auto_scaling_group")
        say("INFO", f"Created Auto Scaling group named: {environment.resources.scaling_group}")
        fleet.arrange()
        if environment.load_balanced:
            self._take("launch.load_balancer")
            say("INFO", f"Created load balancer named: {environment.resources.load_balancer}")
        else:
            self._take("launch.eip")
            say("INFO", f"Created EIP: {environment.endpoint_url}")

    def open_changed_front(self) -> None:
        """A load balancer where there was none, or none where there was one."""
        environment = self._environment
        if environment.load_balanced != (environment.resources.load_balancer is not None):
            resources.delete_load_balancer(environment)
            self.open_front()

    def _take(self, step: str) -> None:
        self._cloud.clock.wait(self._cloud.latency.of(f"elasticbeanstalk.{step}"))
