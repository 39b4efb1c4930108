# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a version, or a configuration, to an environment's instances by its deployment policy.

Events follow public logs: a rolling deployment of November 2022 (keysupport.org, Corretto on AL2), immutable ones of
October 2025 (three instances) and February 2026 (one), failed commands of
https://github.com/einaregilsson/beanstalk-deploy/issues/86, failed health checks of
https://github.com/rennokki/laravel-aws-eb/issues/71. No log of an additional batch was found: its words are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from localcloud.elasticbeanstalk import options, rollout
from localcloud.elasticbeanstalk.bundle import Bundle, BundleError
from localcloud.elasticbeanstalk.ec2 import LaunchError
from localcloud.elasticbeanstalk.fleet import Fleet, side_by_side
from localcloud.elasticbeanstalk.health import passes
from localcloud.elasticbeanstalk.instance import APPLICATION, CONFIGURATION, CommandFailed, Instance, Stages
from localcloud.elasticbeanstalk.models import Deployment
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.models import Environment

# What the service adds to the command timeout: developer guide, aws:elasticbeanstalk:command, Timeout.
GRACE_SECONDS = 240
POLL_SECONDS = 0.5
# However long a second is: once may be chance.
LEAST_LOOKS = 3
# What the service says itself, before any instance had a part in it.
NOT_ON_THE_INSTANCE = ("ECS Application sourcebundle validation error", "Service:AmazonECS", "The configuration file")


class DeploymentFailed(Exception):
    """A deployment ended before its end. `cause` is what the environment's health says about it."""

    def __init__(self, cause: str, aborted: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.aborted = aborted


@dataclass(frozen=True)
class Work:
    """What is brought to instances. `label` is the version's; `number` is the deployment's id."""

    bundle: Bundle
    stages: Stages
    label: str
    number: int
    version: bool


def next_work(environment: Environment, label: str, version: bool) -> Work:
    """A deployment of the environment's bundle, with its own number.

    :param version: Whether it is a new version, or the configuration of the one that is there.
    :raises LaunchError: When there is no bundle.
    """
    if environment.bundle is None:
        raise LaunchError("there is no source bundle to deploy")
    environment.deployments += 1
    stages = APPLICATION if version else CONFIGURATION
    return Work(environment.bundle, stages, label, environment.deployments, version)


def current_work(environment: Environment, work: Work) -> Work:
    """The deployment that the environment's instances have already, for those that come to them."""
    has = environment.expected
    return work if has is None else replace(work, label=has.version_label, number=has.id, version=False)


def succeed(environment: Environment, work: Work, now: datetime) -> None:
    """From now on this is what the environment's instances should have."""
    environment.expected = Deployment(work.number, work.label, "Deployed", now)


class Deployer:
    """Carries out one operation's deployments."""

    def __init__(self, cloud: Cloud, fleet: Fleet, operation: Operation) -> None:
        self._cloud = cloud
        self._fleet = fleet
        self._operation = operation
        self._environment = fleet.environment
        self._led = False
        # Until then a batch has to have run its commands and to be healthy.
        self._until = 0.0

    # -- policies -------------------------------------------------------------------------------------------------

    def deploy(self, work: Work) -> None:
        """Bring it to the running instances, by the environment's policy.

        :raises DeploymentFailed: Some instances may have it then.
        """
        environment, ids = self._environment, [item.id for item in self._fleet.instances]
        plan = rollout.deployment(environment.setting, ids, environment.load_balanced)
        if plan.policy == "Immutable" and work.version:
            self.replace_immutably(work, "Immutable deployment policy enabled.")
            return
        if work.version:
            self._operation.say("INFO", "Deploying new version to instance(s).", work.label)
        self.check(work)
        if plan.policy not in ("Rolling", "RollingWithAdditionalBatch"):
            self._command(self._fleet.instances, work)
            self._fleet.serve(self._fleet.instances)
            self.await_health(self._fleet.instances)
            return
        additional = self._additional(plan.additional, work) if work.version else []
        self._roll(plan.batches, work)
        self._fleet.remove(additional)

    def _additional(self, count: int, work: Work) -> list[Instance]:
        if not count:
            return []
        self._operation.say(
            "INFO",
            "Rolling with Additional Batch deployment policy enabled. Launching a new batch of "
            f"{count} additional instance(s).",
        )
        instances = self._fleet.launch(count)
        self._fleet.add(instances)
        try:
            self.bootstrap(instances, work)
            self._fleet.serve(instances)
            self.await_health(instances)
        except DeploymentFailed:
            self._fleet.remove(instances)
            raise
        return instances

    def _roll(self, batches: Sequence[Sequence[str]], work: Work) -> None:
        done, total = 0, sum(map(len, batches))
        for number, ids in enumerate(batches, 1):
            instances = [item for item in self._fleet.instances if item.id in ids]
            done += len(instances)
            self._batch(f"Batch {number}", instances, work, f"{done} of {total}")

    def _batch(self, name: str, instances: Sequence[Instance], work: Work, done: str) -> None:
        say, listed = self._operation.say, ", ".join(item.id for item in instances)
        say("INFO", f"{name}: Starting application deployment on instance(s) [{listed}].")
        say(
            "INFO",
            f"{name}: De-registering instance(s) from the load balancer and waiting for them to go out of service.",
        )
        self._fleet.withdraw(instances, lambda: self._operation.aborted)
        say("INFO", f"{name}: Starting application deployment command execution.")
        try:
            self._command(instances, work)
        except DeploymentFailed:
            # The version from before runs on them again.
            self._fleet.serve([item for item in instances if not item.lost])
            raise
        say("INFO", f"{name}: Completed application deployment command execution.")
        say("INFO", f"Command execution completed on {done} instances in environment.")
        say("INFO", f"{name}: Registering instance(s) with the load balancer and waiting for them to be healthy.")
        self._fleet.serve(instances)
        self.await_health(instances)
        say("INFO", f"{name}: Completed application deployment.")

    def replace_immutably(self, work: Work, why: str) -> None:
        """Launch new instances beside the old ones; these go when all of those are healthy, and stay otherwise.

        :raises DeploymentFailed: The old instances are as they were.
        """
        say, fleet, old = self._operation.say, self._fleet, self._fleet.instances
        say("INFO", f"{why} Launching one instance with the new settings to verify health.")
        self.check(work)
        group = f"awseb-{self._environment.id}-immutable-stack-AWSEBAutoScalingGroup"
        say("INFO", f"Created temporary auto scaling group {group}.")
        new: list[Instance] = []
        try:
            self._prove(new, 1, work)
            if len(old) > 1:
                say("INFO", "Test instance passed health checks. Launching remaining new instances.")
                self._prove(new, len(old) - 1, work)
        except DeploymentFailed:
            # The old ones never ceased to serve.
            fleet.remove(new)
            raise
        say("INFO", "Detached new instance(s) from temporary auto scaling group.")
        say("INFO", "Attached new instance(s) to the permanent auto scaling group.")
        say("INFO", "Starting post-deployment configuration on new instances.")
        say("INFO", "Waiting for post-deployment configuration to complete.")
        fleet.serve(new)
        say("INFO", "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.")
        # What is left to do is tidying: nobody can stop it.
        self._environment.abortable = False
        fleet.remove(old)

    def _prove(self, all_new: list[Instance], count: int, work: Work) -> None:
        say, fleet = self._operation.say, self._fleet
        instances = fleet.launch(count)
        all_new += instances
        self.bootstrap(instances, work)
        listed = ",".join(item.id for item in instances)
        if self._environment.load_balanced:
            say("INFO", f"Adding new instance(s) ({listed}) to the load balancer.")
            fleet.serve(instances)
        say("INFO", f"Waiting for instance(s) ({listed}) to pass health checks.")
        fleet.add(instances)
        self.await_health(instances)

    # -- instances ------------------------------------------------------------------------------------------------

    def bootstrap(self, instances: Sequence[Instance], work: Work) -> None:
        """Bring it to new instances, with every stage of a version's deployment.

        :raises DeploymentFailed: Some may have it then.
        """
        self._command(instances, replace(work, stages=APPLICATION))

    def join(self, instances: Sequence[Instance], work: Work) -> None:
        """Make new instances of the environment's: with a version, behind the front, healthy.

        :raises DeploymentFailed: They are among the environment's own then, for what they are.
        """
        self._fleet.add(instances)
        self._led = True  # a leader is there already
        self.bootstrap(instances, work)
        self._fleet.serve(instances)
        self.await_health(instances)

    def bring_back(self, instances: Sequence[Instance], work: Work) -> None:
        """Bring what the environment had to instances that had something else for a moment.

        :raises DeploymentFailed: Some may have it then.
        """
        self._command(instances, work)
        self._fleet.serve(instances)
        self.await_health(instances)

    def lead(self, instances: Sequence[Instance], work: Work) -> None:
        """As `bootstrap`, for the first instances of an environment: they are behind the front from their start.

        :raises DeploymentFailed: They run for what they are.
        """
        self.check(work)
        self._fleet.serve(instances)
        self.bootstrap(instances, work)
        self._fleet.serve(instances)
        self.await_health(instances)

    def check(self, work: Work) -> None:
        """Find out first what no instance is needed for."""
        try:
            work.bundle.check()
            work.bundle.dockerrun(self._environment.secrets)
        except BundleError as error:
            for instance in self._fleet.instances:
                self._note(instance, work, "Failed")
            self._operation.say("ERROR", str(error))
            raise DeploymentFailed("Command failed on all instances.") from error

    def _command(self, instances: Sequence[Instance], work: Work) -> None:
        """Deploy on these, all at once; on one of all the leader's commands too.

        :raises DeploymentFailed: After its events.
        """
        if self._operation.aborted:
            raise DeploymentFailed("Command failed on all instances.", aborted=True)
        clock = self._cloud.clock
        began = clock.monotonic()
        until = began + float(self._environment.setting(options.COMMAND, "Timeout") or 600) + GRACE_SECONDS
        self._until = until
        leader = instances[0].id if instances and work.version and not self._led else None

        def give_up() -> bool:
            return self._operation.aborted or clock.monotonic() > until

        def one(instance: Instance) -> CommandFailed | None:
            return self._one(instance, work, give_up, instance.id == leader)

        outcomes = dict(zip(instances, side_by_side(one, instances), strict=True))
        self._led = self._led or leader is not None
        step = "elasticbeanstalk.deploy" if work.version else "elasticbeanstalk.configuration"
        clock.wait(max(0.0, began + self._cloud.latency.of(step) - clock.monotonic()))
        failed = {instance: error for instance, error in outcomes.items() if error is not None}
        if failed:
            raise DeploymentFailed(self.say_failed(failed, len(instances)), self._operation.aborted)

    def _one(self, instance: Instance, work: Work, give_up: Callable[[], bool], leader: bool) -> CommandFailed | None:
        self._note(instance, work, "In Progress")
        try:
            instance.deploy(work.bundle, work.stages, give_up, leader)
        except (CommandFailed, EngineError) as error:
            self._note(instance, work, "Failed")
            return error if isinstance(error, CommandFailed) else CommandFailed(str(error))
        self._note(instance, work, "Deployed")
        self._operation.say("INFO", "Instance deployment completed successfully.")
        return None

    def _note(self, instance: Instance, work: Work, status: Literal["In Progress", "Deployed", "Failed"]) -> None:
        instance.deployment = Deployment(work.number, work.label, status, self._cloud.clock.now())

    def say_failed(self, failed: Mapping[Instance, CommandFailed], count: int) -> str:
        """The events about instances, of `count`, on which a command failed; returns the cause for the health."""
        say, cause = self._operation.say, _cause(failed, len(self._fleet.instances))
        for words in dict.fromkeys(str(error) for error in failed.values()):
            if words.startswith(NOT_ON_THE_INSTANCE):
                say("ERROR", words)
                return cause
        if self._operation.aborted:
            return cause
        for event in dict.fromkeys(error.event for error in failed.values() if error.event is not None):
            say("ERROR", event)
        late = [instance.id for instance, error in failed.items() if error.timed_out]
        if late:
            say(
                "WARN",
                "The following instances have not responded in the allowed command timeout time (they might still "
                f"finish eventually on their own): [{', '.join(late)}].",
            )
        for instance in failed:
            if instance.id not in late:
                say("ERROR", "Instance deployment failed. For details, see 'eb-engine.log'.")
                say(
                    "ERROR",
                    f"[Instance: {instance.id}] Command failed on instance. Return code: 1 Output: Engine execution "
                    "has encountered an error..",
                )
        parts = {"Successful": count - len(failed), "Failed": len(failed) - len(late), "TimedOut": len(late)}
        summary = ", ".join(f"{word}: {number}" for word, number in parts.items() if number or word == "Successful")
        say("INFO", f"Command execution completed on all instances. Summary: [{summary}].")
        listed = ",".join(instance.id for instance in failed)
        say("ERROR", f"Unsuccessful command execution on instance id(s) '{listed}'. Aborting the operation.")
        return cause

    # -- health ---------------------------------------------------------------------------------------------------

    def await_health(self, instances: Sequence[Instance]) -> None:
        """Return when these have passed their health checks for a while, or nobody cares.

        :raises DeploymentFailed: When they do not within the command timeout, which began with their commands.
        """
        environment, clock = self._environment, self._cloud.clock
        if not environment.enhanced and not environment.load_balanced:
            return
        steady = self._cloud.latency.of("elasticbeanstalk.health")
        since, looks = clock.monotonic(), 0
        while True:
            bad = self._failing(instances)
            if not bad:
                looks += 1
                if looks >= LEAST_LOOKS and clock.monotonic() - since >= steady:
                    return
            if self._operation.aborted:
                raise DeploymentFailed("Command failed on all instances.", aborted=True)
            if bad and (clock.monotonic() > self._until or any(item.lost for item in bad)):
                break
            if bad:
                since, looks = clock.monotonic(), 0
            clock.wait(POLL_SECONDS)
        if environment.setting(options.COMMAND, "IgnoreHealthCheck") == "true":
            return
        listed = ",".join(item.id for item in bad)
        self._operation.say(
            "ERROR",
            f"Instance id(s) '{listed}' did not pass health check after command execution. Aborting the operation.",
        )
        raise DeploymentFailed(_on("Command failed", len(bad), len(self._fleet.instances)))

    def _failing(self, instances: Sequence[Instance]) -> list[Instance]:
        environment, now, targets = self._environment, self._cloud.clock.now(), self._fleet.targets()
        threshold = environment.setting(options.HEALTH_SYSTEM, "HealthCheckSuccessThreshold") or "Ok"
        facts = {item: self._fleet.facts(item, targets) for item in instances}
        if not environment.enhanced:  # the load balancer alone decides
            return [item for item, known in facts.items() if any(t.state != "healthy" for _, t in known.targets or ())]
        return [item for item, known in facts.items() if not passes(known, threshold, now)]


def _cause(failed: Mapping[Instance, CommandFailed], count: int) -> str:
    late = all(error.timed_out for error in failed.values())
    return _on("Command timed out" if late else "Command failed", len(failed), count)


def _on(what: str, number: int, count: int) -> str:
    return f"{what} on all instances." if number >= count else f"{what} on {number} out of {count} instances."
