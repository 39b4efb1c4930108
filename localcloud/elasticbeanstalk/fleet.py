# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment's instances and what stands before them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from localcloud import certificates
from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import balancer, health, resources, rollout
from localcloud.elasticbeanstalk.balancer import HTTP_PORT, HTTPS_PORT, Layout
from localcloud.elasticbeanstalk.ec2 import LaunchError
from localcloud.elasticbeanstalk.front import Front, PortTaken, TargetHealth
from localcloud.elasticbeanstalk.health import Facts, Found
from localcloud.elasticbeanstalk.instance import Instance, Tools
from localcloud.elasticbeanstalk.models import random_name
from localcloud.engine import EngineError
from localcloud.names import LOOPBACK, Address

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.models import Environment

Targets = Mapping[str, Mapping[str, TargetHealth]]
Result = TypeVar("Result")


def side_by_side(work: Callable[[Instance], Result], instances: Sequence[Instance]) -> list[Result]:
    """What `work` makes of each instance, all at once."""
    if not instances:
        return []
    with ThreadPoolExecutor(len(instances)) as pool:
        return list(pool.map(work, instances))


class Fleet:
    """The instances of one environment; events about them bear no request id."""

    def __init__(self, tools: Tools, clusters: Clusters, environment: Environment, say: Callable[[str], None]) -> None:
        self._tools = tools
        self._clusters = clusters
        self._say = say
        self.environment = environment
        self.front = Front(tools.cloud, environment.id)
        self._seen: Targets = {}

    @property
    def instances(self) -> list[Instance]:
        return list(self.environment.instances)

    @property
    def smallest(self) -> int:
        """The scaling group's minimum size."""
        environment = self.environment
        return rollout.capacity(environment.setting, environment.load_balanced)[0]

    @property
    def desired(self) -> int:
        """How many instances there should be."""
        environment = self.environment
        return rollout.desired(environment.setting, environment.load_balanced, len(environment.instances))

    # -- what stands before them ----------------------------------------------------------------------------------

    def layout(self) -> Layout:
        """The front that the settings ask for.

        :raises LaunchError: When it cannot be had here.
        """
        environment = self.environment
        if not environment.load_balanced:
            return balancer.address({HTTP_PORT, *(port for item in environment.instances for port in item.ports)})
        try:
            layout = balancer.load_balancer(environment.setting, {key.namespace for key in environment.settings})
        except balancer.Unsupported as error:
            raise LaunchError(str(error)) from error
        for listener in layout.listeners:
            if listener.certificate and not certificates.exists(self._tools.cloud, listener.certificate):
                # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
                raise LaunchError(
                    "Service:AmazonElasticLoadBalancing, Code:CertificateNotFound, "
                    f"Message:Certificate '{listener.certificate}' not found"
                )
        return layout

    def arrange(self) -> None:
        """Make the front as the settings and the instances' ports ask for, and let the environment's name lead there.

        :raises LaunchError: When it cannot be had here.
        """
        environment, layout = self.environment, self.layout()
        self._listen(layout)
        # What has HTTPS only is reached there, where AWS would name the load balancer without any port.
        known = {item.port for item in layout.listeners}
        first = HTTP_PORT if HTTP_PORT in known or not known else min(known)
        environment.endpoint_url = f"{LOOPBACK}:{environment.ports[first]}"
        self._tools.cloud.names.set(environment.cname, address_of(environment))

    def _listen(self, layout: Layout) -> None:
        """Have the front listen: on other ports where, since we looked for free ones, somebody else was quicker."""
        environment = self.environment
        for port in sorted({HTTP_PORT, *(item.port for item in layout.listeners)} - set(environment.ports)):
            local = self._tools.ports.take(f"{environment.name}:{port}")
            environment.ports = {**environment.ports, port: local}
        try:
            self.front.arrange(layout, environment.ports)
        except PortTaken as taken:
            environment.ports = {port: local for port, local in environment.ports.items() if local not in taken.ports}
            self._listen(layout)

    def serve(self, instances: Sequence[Instance]) -> None:
        """Let requests come to these: behind the load balancer with the others, at the elastic IP address alone."""
        self.arrange()
        if self.environment.load_balanced:
            self.front.register([instance.target() for instance in instances])
        elif instances:
            self.front.lead_to(instances[-1].target())

    def withdraw(self, instances: Sequence[Instance], give_up: Callable[[], bool] = lambda: False) -> None:
        """Let no more requests come to these; those under way may end."""
        self.front.deregister([instance.id for instance in instances], give_up)

    # -- coming and going -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make what instances need: their cluster and their scaling group."""
        environment = self.environment
        environment.cluster = environment.cluster or f"awseb-{environment.name}-{random_name(10)}"
        self._clusters.ensure(environment.account, environment.region, environment.cluster)
        resources.create_scaling_group(environment)

    def launch(self, count: int) -> list[Instance]:
        """New instances, running nothing yet, not among the environment's own.

        :raises LaunchError: When EC2 refuses, or there is no port for one; none is left then.
        """
        environment = self.environment
        cluster = self._clusters.ensure(environment.account, environment.region, environment.cluster)
        made: list[Instance] = []
        try:
            for _ in range(count):
                made.append(Instance(self._tools, environment, cluster))
        except Exception:
            self.discard(made)
            raise
        self._tools.cloud.clock.wait(self._tools.cloud.latency.of("ec2.launch"))
        return made

    def add(self, instances: Sequence[Instance]) -> None:
        """Count these among the environment's own."""
        known = {item.id for item in self.environment.instances}
        new = [item for item in instances if item.id not in known]
        self.environment.instances = [*self.environment.instances, *new]
        if new:
            self._say(f"Added {_named(new)} to your environment.")

    def remove(self, instances: Sequence[Instance]) -> None:
        """Take these out of service and terminate them."""
        self.withdraw(instances)
        gone = {item.id for item in instances}
        self.environment.instances = [item for item in self.environment.instances if item.id not in gone]
        self.discard(instances)
        if instances:
            self._say(f"Removed {_named(instances)} from your environment.")

    def discard(self, instances: Sequence[Instance]) -> None:
        """Terminate instances that are not, or no longer, among the environment's own."""
        self.front.forget([item.id for item in instances])
        side_by_side(_terminate, instances)

    def forget(self, instance: Instance) -> None:
        """Count one that is lost no longer among the environment's own."""
        self.environment.instances = [item for item in self.environment.instances if item is not instance]
        self.front.forget([instance.id])
        self._say(f"Removed {_named([instance])} from your environment.")

    def close(self) -> None:
        """Terminate all, and leave nothing behind."""
        environment = self.environment
        self.remove(self.instances)
        self.front.remove()
        self._tools.ports.give_back(environment.ports.values())
        self._clusters.delete(environment.account, environment.region, environment.cluster)
        resources.delete_scaling_group(environment)
        resources.delete_load_balancer(environment)
        self._tools.cloud.names.remove(environment.cname)

    # -- looking --------------------------------------------------------------------------------------------------

    def target_health(self, process: str, instance_id: str) -> TargetHealth | None:
        """What the load balancer said last about an instance, None about one that it does not know."""
        return self._seen.get(process, {}).get(instance_id)

    def targets(self) -> Targets:
        """What the load balancer says about the instances."""
        return self.front.observe() if self.environment.load_balanced else {}

    def facts(self, instance: Instance, targets: Targets) -> Facts:
        """What is known about an instance."""
        environment = self.environment
        seen = [(process, found[instance.id]) for process, found in targets.items() if instance.id in found]
        return Facts(
            launched=instance.launched,
            containers=instance.containers(),
            restarts=instance.restarts,
            deployment=instance.deployment,
            targets=seen if environment.load_balanced and targets else None,
            expected=environment.expected if environment.status == "Ready" else None,
            lost=instance.lost,
        )

    def examine(self) -> list[Found]:
        """Judge each of the environment's instances, and show them to the services beside."""
        now, targets = self._tools.cloud.clock.now(), self.targets()
        self._seen = targets
        for instance in self.instances:
            if not instance.lost and not resources.is_running(self.environment, instance.id):
                instance.lost = True
                # What it ran may take its time to go: other environments must not wait for it.
                threading.Thread(target=_lose, args=(instance,), daemon=True).start()
        environment = self.environment
        resources.show_instances(environment, rollout.capacity(environment.setting, environment.load_balanced))
        resources.show_targets(environment, [*dict.fromkeys(name for found in targets.values() for name in found)])
        judged = []
        for instance in self.instances:
            found = health.judge_instance(self.facts(instance, targets), now)
            instance.health = found.health
            judged.append(found)
        return judged


def _terminate(instance: Instance) -> None:
    with contextlib.suppress(EngineError):
        instance.terminate()


def _lose(instance: Instance) -> None:
    with contextlib.suppress(EngineError):
        instance.lose()


def _named(instances: Sequence[Instance]) -> str:
    return f"instance{'' if len(instances) == 1 else 's'} [{', '.join(item.id for item in instances)}]"


def address_of(environment: Environment) -> Address:
    """Where the environment's domain name leads, once it has an endpoint."""
    host, _, port = (environment.endpoint_url or "").rpartition(":")
    return Address(host, environment.ports.get(HTTP_PORT, int(port)), environment.ports.get(HTTPS_PORT))
