# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance of an environment: an EC2 instance in name, a Docker network with the bundle's containers in fact."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from moto.ec2.models.instance_types import INSTANCE_TYPES

from localcloud.ecs.clusters import Cluster, ContainerInstance, TaskDefinition
from localcloud.ecs.tasks import (
    CURRENT,
    INSTANCE_LABEL,
    OUT_OF_MEMORY,
    Agent,
    ContainerView,
    Interrupted,
    Place,
    Task,
    TaskContainer,
    TaskError,
    instance_directory,
)
from localcloud.elasticbeanstalk import ec2, logs
from localcloud.elasticbeanstalk.balancer import HTTP_PORT, Target
from localcloud.elasticbeanstalk.bundle import Bundle, BundleError, ContainerDefinition, Dockerrun
from localcloud.elasticbeanstalk.health import Restart
from localcloud.elasticbeanstalk.hooks import RUNNING, STAGING, Host, HostRunner, Outcome
from localcloud.elasticbeanstalk.models import PENDING, Deployment, Health
from localcloud.elasticbeanstalk.ports import Ports
from localcloud.engine import EngineError
from localcloud.logs.pump import Destination, Pump

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.models import Environment

SETTLE_SECONDS = 3.0
POLL_SECONDS = 0.5
MOST_RESTART_DELAY = 60.0
FILE_LINES = 1000
GiveUp = Callable[[], bool]
# https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.secrets.html, "Troubleshooting"
NO_SECRETS = "Instance deployment failed to get one or more secrets"


class CommandFailed(Exception):
    """A deployment failed on the instance.

    :param detail: What went wrong, for the instance's log.
    :param timed_out: The command timeout was over.
    :param event: What the instance tells of it besides, for the environment's events.
    """

    def __init__(self, detail: str, timed_out: bool = False, event: str | None = None) -> None:
        super().__init__(detail)
        self.timed_out = timed_out
        self.event = event


@dataclass(frozen=True)
class Tools:
    """What instances work with."""

    cloud: Cloud
    agent: Agent
    pump: Pump
    runner: HostRunner
    ports: Ports


@dataclass(frozen=True)
class Stages:
    """Which hooks a deployment runs: those of the application's or of the configuration's deployments."""

    folder: str
    container_commands: bool


APPLICATION = Stages(".platform/hooks", container_commands=True)
CONFIGURATION = Stages(".platform/confighooks", container_commands=False)


class Instance:
    """A running instance. `ports` maps its ports to those on loopback that stand for them."""

    def __init__(self, tools: Tools, environment: Environment, cluster: Cluster) -> None:
        """Launch it.

        :raises ec2.LaunchError: When EC2 refuses, or there is no port for it; nothing is left of it then.
        """
        self._tools = tools
        self._environment = environment
        self.cluster = cluster
        self.instance_type = ec2.instance_type(environment)
        self._security_groups = ec2.security_groups(environment)
        launched = ec2.launch(environment, self.instance_type, self._security_groups, len(cluster.instances))
        self.id, self.availability_zone, self.address = launched.id, launched.availability_zone, launched.private_ip
        self.ports: dict[int, int] = {}
        self.launched = tools.cloud.clock.now()
        self.network = tools.cloud.docker_name("instance", self.id)
        self.task: Task | None = None
        self.restarts: list[Restart] = []
        self.health: Health = PENDING
        self.deployment: Deployment | None = None
        self._definition: TaskDefinition | None = None
        self.lock = threading.RLock()
        self.lost = False
        self._terminated = False
        self._files: dict[str, deque[str]] = {}
        try:
            self._connect()
        except Exception:
            self._clear()
            raise

    def _connect(self) -> None:
        """Get what it is reached by, and into its cluster."""
        cloud = self._tools.cloud
        self._take_port(HTTP_PORT)
        cloud.engine.ensure_network(self.network, cloud.labels("instance", self.id))
        cloud.firewall.add_instance(self.id, self.network, self._security_groups)
        self.cluster.instances.append(ContainerInstance(secrets.token_hex(16), self.id, self.launched))
        self._log("eb-engine.log", f"[INFO] Instance {self.id} of type {self.instance_type} was launched.")

    def target(self) -> Target:
        """What a front knows about it."""
        return Target(self.id, self.address, dict(self.ports))

    def _take_port(self, port: int) -> None:
        if port not in self.ports:
            self.ports = {**self.ports, port: self._tools.ports.take(f"{self.id}:{port}")}

    # -- deploying ------------------------------------------------------------------------------------------------

    def deploy(self, bundle: Bundle, stages: Stages, give_up: GiveUp, leader: bool) -> None:
        """Stop the old task, start the bundle's and run the hooks; put the old task back when anything fails.

        :param leader: Whether it runs the commands that one instance of all has to run.
        :param give_up: Whether to stop because someone aborted or the command timeout is over.
        :raises CommandFailed: The old task runs again.
        """
        environment = self._environment
        previous, directory = self._definition, self.directory
        shutil.rmtree(directory / "staging", ignore_errors=True)
        try:
            bundle.check()
            self._fetch_secrets()
            bundle.unpack(directory / "staging")
            self._before(bundle, stages, give_up, leader)
            dockerrun, now = bundle.dockerrun(environment.secrets), self._tools.cloud.clock.now()
            for port in sorted(dockerrun.host_ports):
                self._take_port(port)
            definition = self.cluster.register(dockerrun, environment.properties, environment.secrets, now)
            # Containers mount what lies at its final place.
            self._promote()
            self._replace(definition, give_up)
            self._scripts(bundle, f"{stages.folder}/postdeploy", directory / "current", CURRENT, give_up)
        except (TaskError, Interrupted, CommandFailed, EngineError, BundleError) as error:
            # https://github.com/rennokki/laravel-aws-eb/issues/57
            self._log(
                "eb-engine.log",
                "[ERROR] An error occurred during execution of command [app-deploy]. Stop running the command. "
                f"Error: {error}",
            )
            self._put_back(previous)
            event = error.event if isinstance(error, CommandFailed) else None
            raise CommandFailed(str(error), timed_out=isinstance(error, Interrupted), event=event) from error
        self._log("eb-engine.log", "[INFO] Instance deployment completed successfully.")

    def _before(self, bundle: Bundle, stages: Stages, give_up: GiveUp, leader: bool) -> None:
        staging = self.directory / "staging"
        self._scripts(bundle, f"{stages.folder}/prebuild", staging, STAGING, give_up)
        if stages.container_commands:
            for command in bundle.container_commands:
                if command.leader_only and not leader:
                    continue
                self._log("eb-engine.log", f"[INFO] Running container command {command.name}.")
                outcome = self._tools.runner.command(self._host("eb-engine.log"), staging, command, give_up)
                if outcome.exit_code and not command.ignore_errors:
                    raise CommandFailed(_said(f"container_command {command.name}", outcome))
        self._scripts(bundle, f"{stages.folder}/predeploy", staging, STAGING, give_up)

    def _scripts(self, bundle: Bundle, folder: str, application: Path, target: str, give_up: GiveUp) -> None:
        scripts = bundle.scripts(folder)
        if not scripts:
            return
        self._log("eb-engine.log", f"[INFO] Running the scripts of {folder}.")
        outcome = self._tools.runner.hooks(self._host("eb-hooks.log"), application, target, scripts, give_up)
        self._file("eb-hooks.log").extend(outcome.output.splitlines())
        if outcome.exit_code:
            # As in public eb-engine.log files of Amazon Linux 2 and 2023, for example with RunAppDeployPreBuildHooks.
            said = outcome.output.partition(f"{RUNNING}{outcome.last}\n")[2][-2000:]
            raise CommandFailed(
                f"Command {outcome.last or folder} failed with error exit status {outcome.exit_code}. Stderr:{said}"
            )

    def _fetch_secrets(self) -> dict[str, str]:
        """As the platform does it first of all, and again whenever the application is started anew."""
        try:
            return self._tools.agent.instance_secrets(self._place(), self._environment.secrets)
        except TaskError as error:
            raise CommandFailed(str(error), event=NO_SECRETS) from error

    def _host(self, log: str) -> Host:
        environment = self._environment
        values = {**environment.properties, **self._fetch_secrets()}
        return Host(self.id, self.network, self.directory, values, self.log_destination(log))

    def _promote(self) -> None:
        current, staging = self.directory / "current", self.directory / "staging"
        shutil.rmtree(self.directory / "previous", ignore_errors=True)
        if current.exists():
            current.rename(self.directory / "previous")
        staging.rename(current)

    def _put_back(self, previous: TaskDefinition | None) -> None:
        with self.lock:
            if self._definition is previous and self.task is not None and self.task.status == "RUNNING":
                return
            if (self.directory / "previous").exists():
                shutil.rmtree(self.directory / "current", ignore_errors=True)
                (self.directory / "previous").rename(self.directory / "current")
            self._end_task("Task was replaced by the one of the previous version.")
            self._definition = previous
            if previous is None:
                return
            try:
                self._start(previous, lambda: False)
                self._settle(lambda: False)
            except (TaskError, Interrupted, EngineError) as error:
                self._log("eb-engine.log", f"[ERROR] The previous version does not start again: {error}")

    # -- the task -------------------------------------------------------------------------------------------------

    def _replace(self, definition: TaskDefinition, give_up: GiveUp) -> None:
        with self.lock:
            self._end_task("Task was replaced by a deployment.")
            # Nobody restarts a task before it has started once, and what the task before did is not its fault.
            self._definition, self.restarts = None, []
            self._start(definition, give_up)
            self._settle(give_up)
            self._definition = definition

    def restart(self, give_up: GiveUp) -> None:
        """Stop the task and start it anew.

        :raises CommandFailed: When it does not start.
        """
        with self.lock:
            definition = self._definition
            if definition is None:
                raise CommandFailed("no version is deployed")
            self._fetch_secrets()
            try:
                self._replace(definition, give_up)
            except (TaskError, Interrupted, EngineError) as error:
                self._definition = definition
                raise CommandFailed(str(error), timed_out=isinstance(error, Interrupted)) from error

    def _start(self, definition: TaskDefinition, give_up: GiveUp) -> None:
        if self._terminated:
            raise Interrupted("The instance is terminated.")
        self._check_memory(definition.dockerrun)
        now = self._tools.cloud.clock.now()
        task = Task(
            id=secrets.token_hex(16),
            place=self._place(),
            family=definition.family,
            revision=definition.revision,
            dockerrun=definition.dockerrun,
            environment=definition.environment,
            containers=[TaskContainer(container) for container in definition.dockerrun.containers],
            created=now,
        )
        self.task = task
        self.cluster.add_task(task, now)
        self._log("eb-ecs-mgr.log", f"Starting task {task.arn} of {task.definition_arn}")
        try:
            self._tools.agent.start(task, definition.secrets, give_up)
        except (TaskError, Interrupted):
            self.stream_logs()
            self._forget(task)
            raise
        self.stream_logs()

    def _place(self) -> Place:
        environment = self._environment
        return Place(
            account=environment.account,
            region=environment.region,
            instance_id=self.id,
            network=self.network,
            cluster=self.cluster.name,
            ports=dict(self.ports),
            log_stream=self.id,
        )

    def _settle(self, give_up: GiveUp) -> None:
        """A task counts as running when its essential containers stay for a moment."""
        clock = self._tools.cloud.clock
        until = clock.monotonic() + SETTLE_SECONDS
        while clock.monotonic() < until:
            for view in self.containers():
                if view.essential and view.status == "STOPPED":
                    raise TaskError(f"Essential container in task exited: {_how(view)}")
            if give_up():
                raise Interrupted("The task was stopped while it started.")
            clock.wait(POLL_SECONDS)

    def _end_task(self, reason: str) -> None:
        if self.task is None:
            return
        self._log("eb-ecs-mgr.log", f"Stopping task {self.task.arn}: {reason}")
        self._tools.agent.stop(self.task, reason)
        self._forget(self.task)

    def _forget(self, task: Task) -> None:
        for container in task.containers:
            if container.runtime_id is not None:
                self._keep(container.definition.name, container.runtime_id)
                self._tools.pump.unwatch(container.runtime_id)
        self._tools.agent.remove(task)

    def containers(self) -> list[ContainerView]:
        """The current task's containers."""
        task = self.task
        return self._tools.agent.views(task) if task is not None else []

    def watch(self) -> None:
        """What the ECS agent does all the time: end the task when an essential container ended, and start it anew.

        Restarts wait longer from one to the next, up to a minute.
        """
        if not self.lock.acquire(blocking=False):
            return
        try:
            self._watch()
        finally:
            self.lock.release()

    def _watch(self) -> None:
        task, now = self.task, self._tools.cloud.clock.now()
        if task is None or self._definition is None:
            return
        if task.status == "RUNNING":
            ended = next((view for view in self.containers() if view.essential and view.status == "STOPPED"), None)
            if ended is None:
                return
            out_of_memory = bool(ended.reason and ended.reason.startswith(OUT_OF_MEMORY))
            self.restarts = [*self.restarts[-20:], Restart(now, ended.name, ended.exit_code, out_of_memory)]
            self._log("eb-ecs-mgr.log", f"Essential container in task exited: {_how(ended)}")
            self._end_task("Essential container in task exited")
        if task.status == "STOPPED" and not self._waits(now):
            try:
                self._start(self._definition, lambda: False)
            except (TaskError, Interrupted, EngineError) as error:
                self.restarts = [*self.restarts[-20:], Restart(now, "of the task", None, False)]
                self._log("eb-ecs-mgr.log", f"The task does not start: {error}")

    def _waits(self, now: datetime) -> bool:
        ages = [(now - restart.time).total_seconds() for restart in self.restarts]
        recent = [age for age in ages if age < 10 * MOST_RESTART_DELAY]
        return bool(recent) and recent[-1] < min(2.0 ** (len(recent) - 1), MOST_RESTART_DELAY)

    # -- logs -----------------------------------------------------------------------------------------------------

    def stream_logs(self) -> None:
        """Have each container's output copied where its log driver or StreamLogs says."""
        if self.task is None:
            return
        for container in self.task.containers:
            destination = self._container_log(container.definition, self.task)
            if container.runtime_id is not None and destination is not None:
                self._tools.pump.watch(container.runtime_id, destination)
            elif container.runtime_id is not None:
                self._tools.pump.unwatch(container.runtime_id)

    def _container_log(self, definition: ContainerDefinition, task: Task) -> Destination | None:
        if definition.logs is None:
            return self.log_destination(f"containers/{definition.name}-stdouterr.log")
        stream = definition.logs.stream(definition.name, task.id)
        return Destination(self._environment.account, self._environment.region, definition.logs.group, stream)

    def log_destination(self, name: str) -> Destination | None:
        """The stream of an instance's log file, None while logs are not streamed."""
        return logs.of_file(self._environment, name, self.id)

    def _check_memory(self, dockerrun: Dockerrun) -> None:
        """ECS places no task on an instance that lacks the memory."""
        wanted = sum(item.memory_reservation or item.memory or 0 for item in dockerrun.containers)
        has = INSTANCE_TYPES.get(self.instance_type, {}).get("MemoryInfo", {}).get("SizeInMiB")
        if has is not None and wanted > has:
            raise TaskError(f"RESOURCE:MEMORY: the task needs {wanted} MiB, {self.instance_type} has {has} MiB")

    def log_files(self) -> dict[str, list[str]]:
        """The lines of the instance's logs by their paths below `/var/log`."""
        running = {
            _container_file(view.name, view.runtime_id): [line.text for line in self._tools.pump.lines(view.runtime_id)]
            for view in self.containers()
            if view.runtime_id is not None
        }
        return {**{name: list(text) for name, text in self._files.items()}, **running}

    def _log(self, name: str, message: str) -> None:
        line = f"{self._tools.cloud.clock.now():%Y/%m/%d %H:%M:%S.%f} {message}"
        self._file(name).append(line)
        destination = self.log_destination(name)
        if destination is not None:
            self._tools.pump.write(destination, line)

    def _file(self, name: str) -> deque[str]:
        return self._files.setdefault(name, deque(maxlen=FILE_LINES))

    def _keep(self, name: str, runtime_id: str) -> None:
        """The output of a container that is about to be removed stays on the instance, as its file does on AWS."""
        self._file(_container_file(name, "previous")).extend(line.text for line in self._tools.pump.lines(runtime_id))

    # -- the end --------------------------------------------------------------------------------------------------

    @property
    def directory(self) -> Path:
        """The instance's files on this machine."""
        return Path(instance_directory(self._tools.cloud, self.id))

    def terminate(self) -> None:
        """Stop everything and leave nothing behind."""
        self._terminated = True
        self._end("Task was stopped because its instance was terminated.")

    def lose(self) -> None:
        """Vanish at once, as an instance whose host fails: nothing is asked to end."""
        self._terminated = self.lost = True
        engine = self._tools.cloud.engine
        hosts = engine.list(self._tools.cloud.labels("host", self.id))
        for container in (*engine.list({INSTANCE_LABEL: self.id}), *hosts):
            engine.remove(container.id)
        self._end("Host EC2 (instance) terminated.")

    def _end(self, reason: str) -> None:
        with self.lock:
            self._definition = None
            try:
                self._end_task(reason)
            finally:
                self._clear()

    def _clear(self) -> None:
        """Give back what it has: last what Docker may refuse to give up."""
        cloud = self._tools.cloud
        ec2.terminate(self._environment, self.id)
        self.cluster.remove_instance(self.id)
        self._tools.ports.give_back(self.ports.values())
        shutil.rmtree(self.directory, ignore_errors=True)
        cloud.firewall.remove_instance(self.id)
        cloud.engine.remove_network(self.network)


def _said(what: str, outcome: Outcome) -> str:
    return f"{what} failed with exit code {outcome.exit_code}: {outcome.output[-2000:]}"


def _container_file(name: str, runtime_id: str) -> str:
    return f"containers/{name}-{runtime_id[:12]}-stdouterr.log"


def _how(view: ContainerView) -> str:
    if view.exit_code is None:
        return f"{view.name} ({view.reason or 'it is gone'})"
    return f"{view.name} (exit code {view.exit_code}{f', {view.reason}' if view.reason else ''})"
