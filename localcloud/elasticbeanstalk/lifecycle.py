# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to an environment over time: launches, updates, restarts and ends, each in a thread of its own.

Event texts, severities and their order follow public logs of the service: ECS on Amazon Linux 2023 deployments of
November 2023 for launches and updates, https://github.com/einaregilsson/beanstalk-deploy/issues/86 for failed commands,
https://github.com/aws/aws-toolkit-visual-studio/issues/77 for failed configurations, the developer guide's EB CLI pages
for the rest.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.bundle import Bundle
from localcloud.elasticbeanstalk.events import Severity
from localcloud.elasticbeanstalk.health import judge, judge_instance
from localcloud.elasticbeanstalk.instance import (
    APPLICATION,
    CONFIGURATION,
    CommandFailed,
    Instance,
    LaunchError,
    Stages,
    Tools,
    create_security_group,
    delete_security_group,
    profile_exists,
)
from localcloud.elasticbeanstalk.models import Beanstalk, Deployment, Draft, Environment, Health, random_name
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

WATCH_SECONDS = 2.0
# What the service says itself, before any instance had a part in it.
NOT_ON_THE_INSTANCE = ("ECS Application sourcebundle validation error", "Service:AmazonECS", "The configuration file")
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


class Operation:
    """One call's work on one environment."""

    def __init__(self, service: Beanstalk, environment: Environment, request_id: str) -> None:
        self._service = service
        self.environment = environment
        self._request_id = request_id

    def say(self, severity: Severity, message: str, label: str | None = None) -> None:
        self._service.say(self.environment, severity, message, self._request_id, label)

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
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch containers and health from now on."""
        threading.Thread(target=self._watch, name="elasticbeanstalk-watch", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def add(self, service: Beanstalk) -> None:
        self._services.append(service)

    def services(self) -> list[Beanstalk]:
        return list(self._services)

    def forget(self) -> None:
        """End every environment now: the account that had them is emptied."""
        services, self._services = self._services, []
        for service in services:
            for environment in service.environments(include_terminated=False):
                environment.abort.set()
                self._terminate(Operation(service, environment, ""))

    # -- launching ------------------------------------------------------------------------------------------------

    def create(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._create(operation, service))

    def _create(self, operation: Operation, service: Beanstalk) -> None:
        environment = operation.environment
        operation.say("INFO", "createEnvironment is starting.")
        operation.say("INFO", f"Using {service.bucket} as Amazon S3 storage bucket for environment data.")
        try:
            self._launch(operation)
        except (LaunchError, EngineError) as error:
            operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to launch environment.")
            self._finish(environment, failed="Environment launch failed.")
            return
        self._say_added(environment)
        try:
            self._deploy(operation, APPLICATION)
        except CommandFailed as error:
            self._say_command_failed(operation, error)
            operation.say(
                "ERROR",
                "Create environment operation is complete, but with errors. For more information, see troubleshooting "
                "documentation.",
            )
            self._finish(environment, failed=_command_cause(error))
            return
        operation.say("INFO", "Instance deployment completed successfully.")
        operation.say("INFO", f"Application available at {environment.cname}.")
        operation.say("INFO", f"Successfully launched environment: {environment.name}")
        self._finish(environment)

    def _launch(self, operation: Operation) -> None:
        environment = operation.environment
        if not environment.setting(options.LAUNCH, "IamInstanceProfile"):
            raise LaunchError("Environment must have instance profile associated with it.")
        if not profile_exists(environment):
            raise LaunchError(
                f"The instance profile {environment.setting(options.LAUNCH, 'IamInstanceProfile')} associated with the "
                "environment does not exist."
            )
        if environment.own_security_group is None:
            environment.own_security_group = create_security_group(environment)
            operation.say("INFO", f"Created security group named: {environment.own_security_group}")
        environment.cluster = environment.cluster or f"awseb-{environment.name}-{random_name(10)}"
        cluster = self._clusters.ensure(environment.account, environment.region, environment.cluster)
        operation.say("INFO", "Waiting for EC2 instances to launch. This may take a few minutes.")
        environment.instances = [Instance(self._tools, environment, cluster)]

    # -- updating -------------------------------------------------------------------------------------------------

    def update(self, operation: Operation, service: Beanstalk, change: Change) -> None:
        self._in_background(operation, service, lambda: self._update(operation, change))

    def _update(self, operation: Operation, change: Change) -> None:
        environment = operation.environment
        direct, extension = dict(environment.direct), dict(environment.extension)
        before = _Before(environment.bundle, direct, extension, environment.platform)
        changed = self._apply(environment, change)
        operation.say("INFO", "Environment update is starting.")
        if changed:
            operation.say("INFO", f"Updating environment {environment.name}'s configuration settings.")
        try:
            self._carry_out(operation, change, changed)
        except (CommandFailed, LaunchError) as error:
            self._revert(operation, change, changed, before, error)
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
        self._finish(environment)

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

    def _carry_out(self, operation: Operation, change: Change, changed: set[Key]) -> None:
        severities = {options.severity(key) for key in changed}
        stages = APPLICATION if change.version_label is not None else CONFIGURATION
        if "RestartEnvironment" in severities or change.platform is not None or not operation.environment.instances:
            self._replace_instance(operation)
            stages = APPLICATION
        elif change.version_label is None and "RestartApplicationServer" not in severities:
            for instance in operation.environment.instances:
                instance.stream_logs()
            return
        if change.version_label is not None:
            operation.say("INFO", "Deploying new version to instance(s).", change.version_label)
        self._deploy(operation, stages, change.version_label)
        operation.say("INFO", "Instance deployment completed successfully.")

    def _replace_instance(self, operation: Operation) -> None:
        environment = operation.environment
        self._remove_instances(environment)
        self._launch(operation)
        self._say_added(environment)

    def _remove_instances(self, environment: Environment) -> None:
        old, environment.instances = environment.instances, []
        for instance in old:
            instance.terminate()
            self._say_health_event(environment, f"Removed instance [{instance.id}] from your environment.")

    def _revert(
        self,
        operation: Operation,
        change: Change,
        changed: set[Key],
        before: _Before,
        error: CommandFailed | LaunchError,
    ) -> None:
        environment = operation.environment
        failed_settings = environment.settings
        replaced = environment.platform is not before.platform or any(
            options.severity(key) == "RestartEnvironment" for key in changed
        )
        environment.bundle, environment.platform = before.bundle, before.platform
        environment.direct, environment.extension = before.direct, before.extension
        environment.draft = Draft("failed", failed_settings, environment.settings) if changed else None
        if isinstance(error, CommandFailed):
            self._say_command_failed(operation, error)
        else:
            operation.say("ERROR", str(error))
        if replaced:
            self._go_back(operation)
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
        self._finish(environment, failed=_command_cause(error))

    def _go_back(self, operation: Operation) -> None:
        try:
            self._replace_instance(operation)
            self._deploy(operation, APPLICATION)
        except (CommandFailed, LaunchError, EngineError) as error:
            operation.say("ERROR", f"The previous configuration could not be put back: {error}")

    # -- deploying ------------------------------------------------------------------------------------------------

    def _deploy(self, operation: Operation, stages: Stages, label: str | None = None) -> None:
        environment = operation.environment
        if environment.bundle is None:
            raise CommandFailed("there is no source bundle to deploy")
        now = self._cloud.clock.now()
        environment.deployments += 1
        deployment = Deployment(environment.deployments, label or environment.version_label, "In Progress", now)
        for instance in environment.instances:
            instance.deployment = deployment
        deadline = self._cloud.clock.monotonic() + float(environment.setting(options.COMMAND, "Timeout") or 600)

        def give_up() -> bool:
            return operation.aborted or self._cloud.clock.monotonic() > deadline

        try:
            _instance(environment).deploy(environment.bundle, stages, give_up)
        except CommandFailed:
            _instance(environment).deployment = replace(deployment, status="Failed", time=self._cloud.clock.now())
            raise
        _instance(environment).deployment = replace(deployment, status="Deployed", time=self._cloud.clock.now())

    def _say_command_failed(self, operation: Operation, error: CommandFailed) -> None:
        instance = _instance(operation.environment).id
        detail = str(error)
        if detail.startswith(NOT_ON_THE_INSTANCE):
            operation.say("ERROR", detail)
            return
        if operation.aborted:
            return
        if error.event is not None:
            operation.say("ERROR", error.event)
        if error.timed_out:
            operation.say(
                "WARN",
                "The following instances have not responded in the allowed command timeout time (they might still "
                f"finish eventually on their own): [{instance}].",
            )
        else:
            operation.say("ERROR", "Instance deployment failed. For details, see 'eb-engine.log'.")
            operation.say(
                "ERROR",
                f"[Instance: {instance}] Command failed on instance. Return code: 1 Output: Engine execution has "
                "encountered an error..",
            )
        failed = "TimedOut" if error.timed_out else "Failed"
        operation.say("INFO", f"Command execution completed on all instances. Summary: [Successful: 0, {failed}: 1].")
        operation.say(
            "ERROR", f"Unsuccessful command execution on instance id(s) '{instance}'. Aborting the operation."
        )

    # -- restarting, ending ---------------------------------------------------------------------------------------

    def restart(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._restart(operation))

    def _restart(self, operation: Operation) -> None:
        operation.say("INFO", "restartAppServer is starting.")
        try:
            _instance(operation.environment).restart(lambda: operation.aborted)
        except CommandFailed as error:
            self._say_command_failed(operation, error)
            self._finish(operation.environment, failed=_command_cause(error))
            return
        operation.say("INFO", "restartAppServer completed successfully.")
        self._finish(operation.environment)

    def rebuild(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._rebuild(operation))

    def _rebuild(self, operation: Operation) -> None:
        operation.say("INFO", "rebuildEnvironment is starting.")
        try:
            self._replace_instance(operation)
            self._deploy(operation, APPLICATION)
        except (CommandFailed, LaunchError) as error:
            if isinstance(error, CommandFailed):
                self._say_command_failed(operation, error)
            else:
                operation.say("ERROR", str(error))
            operation.say("ERROR", "Failed to rebuild environment.")
            self._finish(operation.environment, failed=_command_cause(error))
            return
        operation.say("INFO", "rebuildEnvironment completed successfully.")
        self._finish(operation.environment)

    def tags_changed(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._tags_changed(operation))

    def _tags_changed(self, operation: Operation) -> None:
        operation.say("INFO", "Environment tag update is starting.")
        operation.say("INFO", "Environment tag update completed successfully.")
        self._finish(operation.environment, keep_failure=True)

    def terminate(self, operation: Operation, service: Beanstalk) -> None:
        self._in_background(operation, service, lambda: self._terminate(operation))

    def _terminate(self, operation: Operation) -> None:
        environment = operation.environment
        operation.say("INFO", "terminateEnvironment is starting.")
        operation.say("INFO", "Waiting for EC2 instances to terminate. This may take a few minutes.")
        self._remove_instances(environment)
        self._clusters.delete(environment.account, environment.region, environment.cluster)
        if environment.own_security_group is not None:
            self._delete_group(operation)
        self._cloud.names.remove(environment.cname)
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

    # -- common ---------------------------------------------------------------------------------------------------

    def _in_background(self, operation: Operation, service: Beanstalk, work: Callable[[], None]) -> None:
        environment = operation.environment
        environment.operation_started = self._cloud.clock.now()
        environment.abort.clear()
        self._judge(service, environment)

        def run() -> None:
            try:
                work()
            except Exception:
                # An environment must not stay busy for ever because of a defect here: it says so and goes on.
                LOG.exception("operation on environment %s", environment.name)
                operation.say("ERROR", "Internal Failure in the rehearsal cloud: see its log.")
                self._finish(environment, failed="Internal Failure in the rehearsal cloud.")
            self._judge(service, environment)

        threading.Thread(target=run, name=f"environment-{environment.name}", daemon=True).start()

    def _finish(self, environment: Environment, failed: str | None = None, keep_failure: bool = False) -> None:
        if not keep_failure:
            environment.failed_command = failed
        environment.abortable = False
        environment.updated = self._cloud.clock.now()
        if environment.status in ("Terminating", "Terminated"):
            return
        environment.status = "Ready"
        for service in self._services:
            if environment in service.environments():
                self._judge(service, environment)

    def _say_added(self, environment: Environment) -> None:
        for instance in environment.instances:
            self._say_health_event(environment, f"Added instance [{instance.id}] to your environment.")

    def _say_health_event(self, environment: Environment, message: str) -> None:
        for service in self._services:
            if environment in service.environments():
                service.say(environment, "INFO", message, None)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._cloud.clock.wait(WATCH_SECONDS)
            for service in self.services():
                for environment in service.environments(include_terminated=False):
                    self._look_at(service, environment)

    def _look_at(self, service: Beanstalk, environment: Environment) -> None:
        try:
            for instance in environment.instances if environment.status != "Terminating" else ():
                # Stopping the rest of a task may take its time: other environments must not wait for it.
                threading.Thread(target=self._watch_instance, args=(instance,), daemon=True).start()
            self._judge(service, environment)
        except EngineError:
            LOG.exception("health of environment %s", environment.name)

    def _watch_instance(self, instance: Instance) -> None:
        with contextlib.suppress(EngineError):
            instance.watch()

    def _judge(self, service: Beanstalk, environment: Environment) -> None:
        if environment.status == "Terminated":
            return
        instances, now = list(environment.instances), self._cloud.clock.now()
        for instance in instances:
            instance.health = judge_instance(instance.containers(), instance.restarts, now)
        health = judge(environment, [instance.health for instance in instances], now)
        with service.lock:
            old, environment.health, environment.health_time = environment.health, health, now
            changed = environment.enhanced and old.status != health.status
        if changed:
            severity: Severity = "WARN" if health.colour in ("Yellow", "Red") else "INFO"
            causes = f" {' '.join(health.causes)}" if health.causes else ""
            message = f"Environment health has transitioned from {old.status} to {health.status}.{causes}"
            service.say(environment, severity, message, None)


def _instance(environment: Environment) -> Instance:
    if not environment.instances:
        raise CommandFailed("the environment has no instance")
    return environment.instances[0]


def _value(settings: Mapping[Key, str], key: Key) -> str | None:
    option = options.find(key)
    return settings.get(key, option.default if option is not None else None)


def _command_cause(error: CommandFailed | LaunchError) -> str:
    if isinstance(error, LaunchError):
        return "Environment launch failed."
    return "Command timed out on all instances." if error.timed_out else "Command failed on all instances."
