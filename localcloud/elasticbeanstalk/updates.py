# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An update of an environment: what is changed, in which order, and what becomes of it when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk import options, rollout
from localcloud.elasticbeanstalk.bundle import Bundle
from localcloud.elasticbeanstalk.deployments import Deployer, DeploymentFailed, Work, current_work, next_work, succeed
from localcloud.elasticbeanstalk.ec2 import LaunchError
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.instance import Instance
from localcloud.elasticbeanstalk.models import Deployment, Draft
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform
from localcloud.elasticbeanstalk.provision import Provisioner, check_template
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LAUNCH_FAILED = "Environment launch failed."


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


class Update:
    """One update."""

    def __init__(self, cloud: Cloud, fleet: Fleet, operation: Operation, change: Change) -> None:
        environment = fleet.environment
        self._cloud = cloud
        self._fleet = fleet
        self._operation = operation
        self._change = change
        self._environment = environment
        self._deployer = Deployer(cloud, fleet, operation)
        self._provisioner = Provisioner(cloud, fleet, operation)
        self._before = _Before(
            bundle=environment.bundle,
            direct=dict(environment.direct),
            extension=dict(environment.extension),
            platform=environment.platform,
            instances=tuple(fleet.instances),
        )

    def run(self) -> str | None:
        """Carry it out, or put back what can be; returns what the environment's health says of a failure."""
        environment, change, operation = self._environment, self._change, self._operation
        changed = self._apply()
        operation.say("INFO", "Environment update is starting.")
        if changed:
            operation.say("INFO", f"Updating environment {environment.name}'s configuration settings.")
        if change.version_label is not None:
            self._cloud.clock.wait(self._cloud.latency.of("elasticbeanstalk.deploy.start"))
        try:
            self._carry_out(changed)
        except (DeploymentFailed, LaunchError, EngineError) as error:
            return self._revert(changed, error)
        environment.draft = None
        if change.version_label is not None:
            environment.version_label = change.version_label
            operation.say(
                "INFO", "New application version was deployed to running EC2 instances.", change.version_label
            )
        if changed:
            operation.say("INFO", "Successfully deployed new configuration to environment.")
        operation.say("INFO", "Environment update completed successfully.")
        return None

    def _apply(self) -> set[Key]:
        """Change the settings, and say which have other values than before."""
        environment, change = self._environment, self._change
        old = environment.settings
        environment.direct = dict(change.direct)
        if change.bundle is not None:
            environment.bundle = change.bundle
            environment.extension = dict(change.bundle.option_settings)
        new = environment.settings
        changed = {key for key in old.keys() | new.keys() if options.value(old, key) != options.value(new, key)}
        if changed:
            environment.draft = Draft("pending", new, old)
        environment.platform = change.platform or environment.platform
        return changed

    def _carry_out(self, changed: set[Key]) -> None:
        environment, fleet, change = self._environment, self._fleet, self._change
        new_version = change.version_label is not None
        check_template(environment)
        work = next_work(environment, change.version_label or environment.version_label, new_version)
        if not fleet.instances:
            instances = self._provisioner.launch()
            fleet.add(instances)
            self._deployer.lead(instances, work)
        elif _replaces(changed, change.platform):
            self._replace(work)
        else:
            fleet.arrange()
            if any(key.namespace == options.ASG for key in changed):
                self._scale(current_work(environment, work))
            if not new_version and not any(options.severity(key) == "RestartApplicationServer" for key in changed):
                for instance in fleet.instances:
                    instance.stream_logs()
                return
            self._deployer.deploy(work)
        succeed(environment, work, self._cloud.clock.now())

    def _scale(self, work: Work) -> None:
        """As many instances as the scaling group's sizes ask for."""
        fleet, group = self._fleet, self._environment.resources.scaling_group
        surplus = len(fleet.instances) - fleet.desired
        if surplus > 0:
            fleet.remove(fleet.instances[:surplus])
        if surplus < 0:
            instances = fleet.launch(-surplus)
            for instance in instances:
                self._operation.say("INFO", f"Added EC2 instance '{instance.id}' to Auto Scaling Group '{group}'.")
            self._deployer.join(instances, work)

    def _replace(self, work: Work) -> None:
        """Other instances for the new settings, by the environment's policy for that."""
        environment, fleet, deployer, operation = self._environment, self._fleet, self._deployer, self._operation
        old = fleet.instances
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
            self._provisioner.open_changed_front()
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

    def _revert(self, changed: set[Key], error: Exception) -> str:
        environment, before, change = self._environment, self._before, self._change
        operation = self._operation
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
            self._go_back(replaced)
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
        return error.cause if isinstance(error, DeploymentFailed) else LAUNCH_FAILED

    def _go_back(self, replaced: bool) -> None:
        """The previous configuration on whatever instances do not have it, and as many instances as before."""
        environment, fleet, before = self._environment, self._fleet, self._before
        deployer = Deployer(self._cloud, fleet, self._operation)
        try:
            fleet.remove([item for item in fleet.instances if item not in before.instances])
            self._provisioner.open_changed_front()
            fleet.arrange()
            work = current_work(environment, next_work(environment, environment.version_label, version=False))
            missing = len(before.instances) - len(fleet.instances)
            if missing > 0:
                deployer.join(fleet.launch(missing), work)
            others = [item for item in fleet.instances if _has_another(item, environment.expected)]
            changed = [item for item in others if not _failed(item)]
            for item in filter(_failed, others):
                # There the instance has put back itself what it had.
                item.deployment = environment.expected
            if changed and not replaced:
                deployer.bring_back(changed, work)
        except (DeploymentFailed, LaunchError, EngineError) as error:
            self._operation.say("ERROR", f"The previous configuration could not be put back: {error}")


def _replaces(changed: set[Key], platform: Platform | None) -> bool:
    """Whether a change needs other instances."""
    return platform is not None or any(options.severity(key) == "RestartEnvironment" for key in changed)


def _has_another(instance: Instance, expected: Deployment | None) -> bool:
    has = instance.deployment
    return has is not None and expected is not None and has.id != expected.id


def _failed(instance: Instance) -> bool:
    return instance.deployment is not None and instance.deployment.status == "Failed"
