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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import options, resources, rollout
from localcloud.elasticbeanstalk.bundle import Bundle
from localcloud.elasticbeanstalk.deployments import Deployer, DeploymentFailed, Work
from localcloud.elasticbeanstalk.ec2 import LaunchError, create_security_group, delete_security_group, profile_exists
from localcloud.elasticbeanstalk.events import Severity
from localcloud.elasticbeanstalk.fleet import Fleet, side_by_side
from localcloud.elasticbeanstalk.instance import APPLICATION, CONFIGURATION, CommandFailed, Instance, Tools
from localcloud.elasticbeanstalk.models import Beanstalk, Deployment, Draft, Environment, Health
from localcloud.elasticbeanstalk.monitor import Monitor
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform
from localcloud.elasticbeanstalk.ports import NoPort
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LAUNCH_FAILED = "Environment launch failed."
LOG = logging.getLogger("localcloud.elasticbeanstalk")


@dataclass(frozen=True)
class Change:
    """What an update makes of an environment; None leaves as it is. `bundle` is that of `version_label`."""

    version_label: str | None
    bundle: Bundle | None
    direct: Mapping[Key, str]
    platform: Platform | None


@dataclass(frozen=True)
class _Before:
    """What an environment goes back to."""

    bundle: Bundle | None
    direct: dict[Key, str]
    extension: dict[Key, str]
    platform: Platform
    instances: tuple[Instance, ...]


class Operation:
    """One call's work on one environment; without a request id no call has caused it."""

    def __init__(self, service: Beanstalk, environment: Environment, request_id: str | None) -> None:
        self.service = service
        self.environment = environment
        self._request_id = request_id

    def say(self, severity: Severity, message: str, label: str | None = None) -> None:
        self.service.say(self.environment, severity, message, self._request_id, label)

    @property
    def aborted(self) -> bool:
        return self.environment.abort.is_set()


class Lifecycle:
    """Carries out what the API has accepted."""

    def __init__(self, cloud: Cloud, tools: Tools, clusters: Clusters) -> None:
        self._cloud = cloud
        self._tools = tools
        self._clusters = clusters
        self._services: list[Beanstalk] = []
        self._fleets: dict[str, Fleet] = {}
        self._monitor = Monitor(cloud, lambda: list(self._watched()), self._heal)

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

    def _watched(self) -> Iterator[tuple[Beanstalk, Fleet]]:
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
            instances = self._launch(operation, fleet)
        except (LaunchError, EngineError, NoPort) as error:
            operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to launch environment.")
            self._finish(operation, failed=LAUNCH_FAILED)
            return
        fleet.add(instances)
        work = self._work(environment, environment.version_label, version=True)
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
        self._succeed(environment, work)
        operation.say("INFO", f"Application available at {environment.cname}.")
        operation.say("INFO", f"Successfully launched environment: {environment.name}")
        self._finish(operation)

    def _launch(self, operation: Operation, fleet: Fleet) -> list[Instance]:
        """Everything around instances, and as many of them as there should be."""
        environment = operation.environment
        _check_template(environment)
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
            operation.say("INFO", f"Created security group named: {environment.own_security_group}")
        fleet.open()
        self._open_front(operation, fleet)
        operation.say("INFO", "Waiting for EC2 instances to launch. This may take a few minutes.")
        self._take("launch.instances")
        return fleet.launch(fleet.desired)

    def _open_front(self, operation: Operation, fleet: Fleet) -> None:
        """The load balancer or the elastic IP address, and the scaling group before it."""
        environment = operation.environment
        self._take("launch.launch_configuration")
        if environment.load_balanced:
            for name in resources.create_load_balancer(environment, fleet.layout()):
                operation.say("INFO", f"Created target group named: {name}")
        self._take("launch.auto_scaling_group")
        operation.say("INFO", f"Created Auto Scaling group named: {environment.resources.scaling_group}")
        fleet.arrange()
        if environment.load_balanced:
            self._take("launch.load_balancer")
            operation.say("INFO", f"Created load balancer named: {environment.resources.load_balancer}")
        else:
            self._take("launch.eip")
            operation.say("INFO", f"Created EIP: {environment.endpoint_url}")

    # -- updating -------------------------------------------------------------------------------------------------

    def update(self, operation: Operation, service: Beanstalk, change: Change) -> None:
        fleet = self.fleet(service, operation.environment)
        self._in_background(operation, service, lambda: self._update(operation, fleet, change))

    def _update(self, operation: Operation, fleet: Fleet, change: Change) -> None:
        environment = operation.environment
        direct, extension = dict(environment.direct), dict(environment.extension)
        before = _Before(environment.bundle, direct, extension, environment.platform, tuple(fleet.instances))
        changed = self._apply(environment, change)
        operation.say("INFO", "Environment update is starting.")
        if changed:
            operation.say("INFO", f"Updating environment {environment.name}'s configuration settings.")
        if change.version_label is not None:
            self._take("deploy.start")
        try:
            self._carry_out(operation, fleet, change, changed)
        except (DeploymentFailed, LaunchError, NoPort) as error:
            self._revert(operation, fleet, change, changed, before, error)
            return
        environment.draft = None
        if change.version_label is not None:
            environment.version_label = change.version_label
            operation.say(
                "INFO", "New application version was deployed to running EC2 instances.", change.version_label
            )
        if changed:
            operation.say("INFO", "Successfully deployed new configuration to environment.")
        operation.say("INFO", "Environment update completed successfully.")
        self._finish(operation)

    def _apply(self, environment: Environment, change: Change) -> set[Key]:
        """Change the settings, and say which have other values than before."""
        old = environment.settings
        environment.direct = dict(change.direct)
        if change.bundle is not None:
            environment.bundle = change.bundle
            environment.extension = dict(change.bundle.option_settings)
        new = environment.settings
        changed = {key for key in old.keys() | new.keys() if _value(old, key) != _value(new, key)}
        if changed:
            environment.draft = Draft("pending", new, old)
        environment.platform = change.platform or environment.platform
        return changed

    def _carry_out(self, operation: Operation, fleet: Fleet, change: Change, changed: set[Key]) -> None:
        environment, new_version = operation.environment, change.version_label is not None
        _check_template(environment)
        deployer = Deployer(self._cloud, fleet, operation)
        work = self._work(environment, change.version_label or environment.version_label, new_version)
        if not fleet.instances:
            instances = self._launch(operation, fleet)
            fleet.add(instances)
            deployer.lead(instances, work)
        elif _replaces(changed, change.platform):
            self._replace(operation, fleet, deployer, work)
        else:
            fleet.arrange()
            self._scale(operation, fleet, deployer, work, changed)
            if not new_version and not any(options.severity(key) == "RestartApplicationServer" for key in changed):
                for instance in fleet.instances:
                    instance.stream_logs()
                return
            deployer.deploy(work)
        self._succeed(environment, work)

    def _scale(self, operation: Operation, fleet: Fleet, deployer: Deployer, work: Work, changed: set[Key]) -> None:
        """As many instances as the scaling group's sizes ask for."""
        if not any(key.namespace == options.ASG for key in changed):
            return
        surplus = len(fleet.instances) - fleet.desired
        if surplus > 0:
            fleet.remove(fleet.instances[:surplus])
        if surplus < 0:
            self._grow(operation, fleet, deployer, self._current(operation.environment, work), -surplus)

    def _grow(self, operation: Operation, fleet: Fleet, deployer: Deployer, work: Work, count: int) -> None:
        instances = fleet.launch(count)
        group = operation.environment.resources.scaling_group
        for instance in instances:
            operation.say("INFO", f"Added EC2 instance '{instance.id}' to Auto Scaling Group '{group}'.")
        deployer.join(instances, work)

    def _replace(self, operation: Operation, fleet: Fleet, deployer: Deployer, work: Work) -> None:
        """Other instances for the new settings, by the environment's policy for that."""
        environment, old = operation.environment, fleet.instances
        plan = rollout.replacement(environment.setting, len(old), environment.load_balanced)
        if plan.kind == "immutable":
            deployer.replace_immutably(work, "Immutable environment update enabled.")
            return
        deployer.check(work)
        for ids in rollout.batches([item.id for item in old], plan.size):
            batch = [item for item in old if item.id in ids]
            if operation.aborted:
                raise DeploymentFailed("Command failed on all instances.", aborted=True)
            if plan.kind == "rolling":
                operation.say("INFO", f"Rolling update: replacing instance(s) [{', '.join(ids)}]; {len(old)} in all.")
            count = len(batch) if plan.kind == "rolling" else fleet.desired
            if not plan.launch_first:
                fleet.remove(batch)
            self._open_changed_front(operation, fleet)
            new = fleet.launch(count)
            fleet.add(new)
            deployer.bootstrap(new, work)
            fleet.serve(new)
            if plan.pause is None:
                deployer.await_health(new)
            else:
                self._cloud.clock.wait(plan.pause)
            if plan.launch_first:
                fleet.remove(batch)

    def _open_changed_front(self, operation: Operation, fleet: Fleet) -> None:
        """A load balancer where there was none, or none where there was one."""
        environment = operation.environment
        if environment.load_balanced != (environment.resources.load_balancer is not None):
            resources.delete_load_balancer(environment)
            self._open_front(operation, fleet)

    def _revert(
        self,
        operation: Operation,
        fleet: Fleet,
        change: Change,
        changed: set[Key],
        before: _Before,
        error: DeploymentFailed | LaunchError | NoPort,
    ) -> None:
        environment = operation.environment
        failed_settings = environment.settings
        replaced = _replaces(changed, change.platform)
        environment.bundle, environment.platform = before.bundle, before.platform
        environment.direct, environment.extension = before.direct, before.extension
        environment.draft = Draft("failed", failed_settings, environment.settings) if changed else None
        if not isinstance(error, DeploymentFailed):
            operation.say("ERROR", str(error))
        if changed:
            # Once it goes back nobody can stop it.
            environment.abortable = False
            environment.abort.clear()
            self._go_back(operation, fleet, before, replaced)
        if change.version_label is not None:
            operation.say("ERROR", "Failed to deploy application.", change.version_label)
            operation.say(
                "ERROR",
                "During an aborted deployment, some instances may have deployed the new application version. To ensure "
                "all instances are running the same version, re-deploy the appropriate application version.",
            )
        if changed:
            operation.say("ERROR", "Failed to deploy configuration.")
            operation.say("INFO", "The environment was reverted to the previous configuration setting.")
        self._finish(operation, failed=error.cause if isinstance(error, DeploymentFailed) else LAUNCH_FAILED)

    def _go_back(self, operation: Operation, fleet: Fleet, before: _Before, replaced: bool) -> None:
        """The previous configuration on whatever instances do not have it, and as many instances as before."""
        environment = operation.environment
        deployer = Deployer(self._cloud, fleet, operation)
        try:
            fleet.remove([item for item in fleet.instances if item not in before.instances])
            self._open_changed_front(operation, fleet)
            fleet.arrange()
            work = self._current(environment, self._work(environment, environment.version_label, version=False))
            missing = len(before.instances) - len(fleet.instances)
            if missing > 0:
                deployer.join(fleet.launch(missing), work)
            # Where it failed the instance has put back itself what was there.
            changed = [item for item in fleet.instances if _has_another(item, environment.expected)]
            if changed and not replaced:
                deployer.bring_back(changed, work)
        except (DeploymentFailed, LaunchError, EngineError, NoPort) as error:
            operation.say("ERROR", f"The previous configuration could not be put back: {error}")

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
        work = self._work(environment, environment.version_label, version=True)
        try:
            count = fleet.desired
            fleet.remove(fleet.instances)
            fleet.open()
            fleet.arrange()
            instances = fleet.launch(count)
            fleet.add(instances)
            Deployer(self._cloud, fleet, operation).lead(instances, work)
        except (DeploymentFailed, LaunchError, NoPort) as error:
            if not isinstance(error, DeploymentFailed):
                operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to rebuild environment.")
            self._finish(operation, failed=error.cause if isinstance(error, DeploymentFailed) else LAUNCH_FAILED)
            return
        self._succeed(environment, work)
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
        self._in_background(operation, service, lambda: self._terminate(operation, fleet))

    def _terminate(self, operation: Operation, fleet: Fleet) -> None:
        environment = operation.environment
        operation.say("INFO", "terminateEnvironment is starting.")
        operation.say("INFO", "Waiting for EC2 instances to terminate. This may take a few minutes.")
        self._take("terminate")
        fleet.close()
        resources.delete_load_balancer(environment)
        if environment.own_security_group is not None:
            self._delete_group(operation)
        if environment.setting(options.LOGS, "DeleteOnTerminate") == "true":
            self._tools.pump.delete_groups(
                environment.account, environment.region, f"/aws/elasticbeanstalk/{environment.name}/"
            )
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
        for _, fleet in self._watched():
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
            version = self._work(environment, environment.version_label, version=False)
            new = fleet.launch(wanted - len(fleet.instances))
            deployer.join(new, self._current(environment, version))

        def run() -> None:
            if not environment.working.acquire(blocking=False):
                return
            try:
                work()
            except (DeploymentFailed, LaunchError, EngineError, NoPort):
                LOG.exception("replacing lost instances of environment %s", environment.name)
            finally:
                environment.working.release()

        threading.Thread(target=run, name=f"heal-{environment.name}", daemon=True).start()

    def forget(self) -> None:
        """End every environment now: the account that had them is emptied."""
        for _, fleet in list(self._watched()):
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

    def _work(self, environment: Environment, label: str, version: bool) -> Work:
        """A deployment of the environment's bundle, with its own number."""
        if environment.bundle is None:
            raise LaunchError("there is no source bundle to deploy")
        environment.deployments += 1
        stages = APPLICATION if version else CONFIGURATION
        return Work(environment.bundle, stages, label, environment.deployments, version)

    @staticmethod
    def _current(environment: Environment, work: Work) -> Work:
        """The deployment that the environment's instances have already, for those that come to them."""
        has = environment.expected
        return work if has is None else Work(work.bundle, work.stages, has.version_label, has.id, version=False)

    def _succeed(self, environment: Environment, work: Work) -> None:
        environment.expected = Deployment(work.number, work.label, "Deployed", self._cloud.clock.now())

    def _in_background(self, operation: Operation, service: Beanstalk, work: Callable[[], None]) -> None:
        environment = operation.environment
        environment.operation_started = self._cloud.clock.now()
        fleet = self.fleet(service, environment)
        self._monitor.judge(service, fleet)

        def run() -> None:
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


def _replaces(changed: set[Key], platform: Platform | None) -> bool:
    """Whether a change needs other instances."""
    return platform is not None or any(options.severity(key) == "RestartEnvironment" for key in changed)


def _has_another(instance: Instance, expected: Deployment | None) -> bool:
    has = instance.deployment
    return has is not None and expected is not None and has.id != expected.id and has.status == "Deployed"


def _check_template(environment: Environment) -> None:
    """Properties are a parameter of the environment's template, and parameters have a limit.

    Seen in https://github.com/meteor-up/mup-aws-beanstalk/issues/42.
    """
    if options.properties_size(environment.settings) > options.PROPERTIES_LIMIT:
        raise LaunchError(
            "Service:AmazonCloudFormation, Message:Template format error: Parameter 'EnvironmentVariables' default "
            f"value '[****]' length is greater than {options.PROPERTIES_LIMIT}."
        )


def _value(settings: Mapping[Key, str], key: Key) -> str | None:
    option = options.find(key)
    return settings.get(key, option.default if option is not None else None)
