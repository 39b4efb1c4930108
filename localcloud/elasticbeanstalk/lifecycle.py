# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to an environment over time: launches, updates, restarts and ends, each in a thread of its own.

Event texts, severities and their order follow public logs of the service: ECS on Amazon Linux 2023 deployments of
November 2023 for launches and updates, https://github.com/aws/aws-toolkit-visual-studio/issues/77 for failed
configurations, the developer guide's EB CLI pages for the rest.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import logs
from localcloud.elasticbeanstalk.deployments import Deployer, DeploymentFailed, current_work, next_work, succeed
from localcloud.elasticbeanstalk.ec2 import LaunchError, delete_security_group
from localcloud.elasticbeanstalk.fleet import Fleet, side_by_side
from localcloud.elasticbeanstalk.instance import CommandFailed, Instance, Tools
from localcloud.elasticbeanstalk.models import Beanstalk, Environment, Health
from localcloud.elasticbeanstalk.monitor import Monitor
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.provision import Provisioner
from localcloud.elasticbeanstalk.updates import LAUNCH_FAILED, Change, Update
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LOG = logging.getLogger("localcloud.elasticbeanstalk")


class Lifecycle:
    """Carries out what the API has accepted."""

    def __init__(self, cloud: Cloud, tools: Tools, clusters: Clusters) -> None:
        self._cloud = cloud
        self._tools = tools
        self._clusters = clusters
        self._services: list[Beanstalk] = []
        self._fleets: dict[str, Fleet] = {}
        self._monitor = Monitor(cloud, tools.pump, lambda: list(self.fleets()), self._heal)

    def start(self) -> None:
        """Watch containers and health from now on."""
        self._monitor.start()

    def stop(self) -> None:
        self._monitor.stop()

    def add(self, service: Beanstalk) -> None:
        self._services.append(service)

    def services(self) -> list[Beanstalk]:
        return list(self._services)

    def fleet(self, service: Beanstalk, environment: Environment) -> Fleet:
        """The environment's instances and what stands before them."""
        with service.lock:
            if environment.id not in self._fleets:
                self._fleets[environment.id] = Fleet(
                    self._tools,
                    self._clusters,
                    environment,
                    lambda message: service.say(environment, "INFO", message, None),
                )
            return self._fleets[environment.id]

    def fleets(self) -> Iterator[tuple[Beanstalk, Fleet]]:
        """Every living environment's."""
        for service in self.services():
            for environment in service.environments(include_terminated=False):
                yield service, self.fleet(service, environment)

    # -- launching ------------------------------------------------------------------------------------------------

    def create(self, operation: Operation, service: Beanstalk) -> None:
        fleet = self.fleet(service, operation.environment)
        self._in_background(operation, service, lambda: self._create(operation, service, fleet))

    def _create(self, operation: Operation, service: Beanstalk, fleet: Fleet) -> None:
        environment = operation.environment
        operation.say("INFO", "createEnvironment is starting.")
        self._take("launch.storage")
        operation.say("INFO", f"Using {service.bucket} as Amazon S3 storage bucket for environment data.")
        try:
            instances = Provisioner(self._cloud, fleet, operation).launch()
        except (LaunchError, EngineError) as error:
            operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to launch environment.")
            self._finish(operation, failed=LAUNCH_FAILED)
            return
        fleet.add(instances)
        work = next_work(environment, environment.version_label, version=True)
        try:
            Deployer(self._cloud, fleet, operation).lead(instances, work)
        except DeploymentFailed as error:
            operation.say(
                "ERROR",
                "Create environment operation is complete, but with errors. For more information, see troubleshooting "
                "documentation.",
            )
            self._finish(operation, failed=error.cause)
            return
        succeed(environment, work, self._cloud.clock.now())
        operation.say("INFO", f"Application available at {environment.cname}.")
        operation.say("INFO", f"Successfully launched environment: {environment.name}")
        self._finish(operation)

    # -- updating -------------------------------------------------------------------------------------------------

    def update(self, operation: Operation, service: Beanstalk, change: Change) -> None:
        fleet = self.fleet(service, operation.environment)

        def work() -> None:
            self._finish(operation, failed=Update(self._cloud, fleet, operation, change).run())

        self._in_background(operation, service, work)

    # -- restarting, ending ---------------------------------------------------------------------------------------

    def restart(self, operation: Operation, service: Beanstalk) -> None:
        fleet = self.fleet(service, operation.environment)
        self._in_background(operation, service, lambda: self._restart(operation, fleet))

    def _restart(self, operation: Operation, fleet: Fleet) -> None:
        operation.say("INFO", "restartAppServer is starting.")
        self._take("restart")

        def one(instance: Instance) -> CommandFailed | None:
            try:
                instance.restart(lambda: operation.aborted)
            except CommandFailed as error:
                return error
            return None

        instances = fleet.instances
        failed = {item: error for item, error in zip(instances, side_by_side(one, instances), strict=True) if error}
        if failed:
            cause = Deployer(self._cloud, fleet, operation).say_failed(failed, len(instances))
            self._finish(operation, failed=cause)
            return
        operation.say("INFO", "restartAppServer completed successfully.")
        self._finish(operation)

    def rebuild(self, operation: Operation, service: Beanstalk) -> None:
        fleet = self.fleet(service, operation.environment)
        self._in_background(operation, service, lambda: self._rebuild(operation, fleet))

    def _rebuild(self, operation: Operation, fleet: Fleet) -> None:
        environment = operation.environment
        operation.say("INFO", "rebuildEnvironment is starting.")
        work = next_work(environment, environment.version_label, version=True)
        try:
            count = fleet.desired
            fleet.remove(fleet.instances)
            fleet.open()
            fleet.arrange()
            instances = fleet.launch(count)
            fleet.add(instances)
            Deployer(self._cloud, fleet, operation).lead(instances, work)
        except (DeploymentFailed, LaunchError, EngineError) as error:
            if not isinstance(error, DeploymentFailed):
                operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to rebuild environment.")
            self._finish(operation, failed=error.cause if isinstance(error, DeploymentFailed) else LAUNCH_FAILED)
            return
        succeed(environment, work, self._cloud.clock.now())
        operation.say("INFO", "rebuildEnvironment completed successfully.")
        self._finish(operation)

    def tags_changed(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._tags_changed(operation))

    def _tags_changed(self, operation: Operation) -> None:
        operation.say("INFO", "Environment tag update is starting.")
        self._take("tags")
        operation.say("INFO", "Environment tag update completed successfully.")
        self._finish(operation, keep_failure=True)

    def terminate(self, operation: Operation, service: Beanstalk) -> None:
        fleet = self.fleet(service, operation.environment)

        def work() -> None:
            try:
                self._terminate(operation, fleet)
            except Exception:
                operation.environment.status = "Ready"  # for another try
                raise

        self._in_background(operation, service, work)

    def _terminate(self, operation: Operation, fleet: Fleet) -> None:
        environment = operation.environment
        operation.say("INFO", "terminateEnvironment is starting.")
        operation.say("INFO", "Waiting for EC2 instances to terminate. This may take a few minutes.")
        self._take("terminate")
        fleet.close()
        if environment.own_security_group is not None:
            self._delete_group(operation)
        for prefix in logs.ending_with(environment):
            self._tools.pump.delete_groups(environment.account, environment.region, prefix)
        operation.say("INFO", "terminateEnvironment completed successfully.")
        self._finish_terminated(environment)

    def _delete_group(self, operation: Operation) -> None:
        group = operation.environment.own_security_group
        try:
            delete_security_group(operation.environment)
        except Exception as error:  # moto's errors have no common base; a rule of someone else's may name the group
            reason = getattr(error, "message", error)
            operation.say("WARN", f"Deleting security group named: {group} failed Reason: {reason}")
            return
        operation.say("INFO", f"Deleted security group named: {group}")

    def _finish_terminated(self, environment: Environment) -> None:
        now = self._cloud.clock.now()
        environment.health = Health("Suspended")
        environment.updated = environment.terminated = now
        environment.abortable = False
        environment.status = "Terminated"
        self._fleets.pop(environment.id, None)

    # -- losing instances -----------------------------------------------------------------------------------------

    def lose(self, instance_id: str) -> None:
        """Have an instance vanish at once.

        :raises LookupError: When no environment has it.
        """
        for _, fleet in self.fleets():
            for instance in fleet.instances:
                if instance.id == instance_id:
                    instance.lose()
                    return
        raise LookupError(instance_id)

    def _heal(self, service: Beanstalk, fleet: Fleet) -> None:
        """What a scaling group does: no call, no status, other instances for those that are gone."""
        environment = fleet.environment

        def work() -> None:
            if environment.status != "Ready":
                return
            wanted = fleet.desired
            for instance in [item for item in fleet.instances if item.lost]:
                fleet.forget(instance)
            deployer = Deployer(self._cloud, fleet, Operation(service, environment, None))
            version = next_work(environment, environment.version_label, version=False)
            new = fleet.launch(wanted - len(fleet.instances))
            deployer.join(new, current_work(environment, version))

        def run() -> None:
            if not environment.working.acquire(blocking=False):
                return
            try:
                work()
            except (DeploymentFailed, LaunchError, EngineError):
                LOG.exception("replacing lost instances of environment %s", environment.name)
            finally:
                environment.working.release()

        threading.Thread(target=run, name=f"heal-{environment.name}", daemon=True).start()

    def forget(self) -> None:
        """End every environment now: the account that had them is emptied."""
        for _, fleet in list(self.fleets()):
            fleet.environment.abort.set()
            fleet.environment.status = "Terminating"
            with fleet.environment.working, contextlib.suppress(EngineError):
                fleet.close()
            self._finish_terminated(fleet.environment)
        self._services = []

    # -- common ---------------------------------------------------------------------------------------------------

    def _take(self, step: str) -> None:
        """Let the time pass that the service takes."""
        self._cloud.clock.wait(self._cloud.latency.of(f"elasticbeanstalk.{step}"))

    def _in_background(self, operation: Operation, service: Beanstalk, work: Callable[[], None]) -> None:
        environment = operation.environment
        environment.operation_started = self._cloud.clock.now()
        fleet = self.fleet(service, environment)

        def run() -> None:
            self._monitor.judge(service, fleet)
            # Whoever works on it already was told to stop; two at a time would undo each other's work.
            with environment.working:
                if environment.status != "Aborting":
                    environment.abort.clear()
                try:
                    work()
                except Exception:
                    # An environment must not stay busy for ever because of a defect here: it says so and goes on.
                    LOG.exception("operation on environment %s", environment.name)
                    operation.say("ERROR", "Internal Failure in the rehearsal cloud: see its log.")
                    self._finish(operation, failed="Internal Failure in the rehearsal cloud.")
            self._monitor.judge(service, fleet)

        threading.Thread(target=run, name=f"environment-{environment.name}", daemon=True).start()

    def _finish(self, operation: Operation, failed: str | None = None, keep_failure: bool = False) -> None:
        environment = operation.environment
        if not keep_failure:
            environment.failed_command = failed
        environment.abortable = False
        environment.updated = self._cloud.clock.now()
        if environment.status in ("Terminating", "Terminated"):
            return
        environment.status = "Ready"
        self._monitor.judge(operation.service, self.fleet(operation.service, environment))
