# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on an instance's host: container commands and platform hooks, run in a container in its place."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.ecs.tasks import INSTANCE_LABEL, Interrupted
from localcloud.elasticbeanstalk.bundle import ContainerCommand
from localcloud.engine import ContainerSpec, Mount
from localcloud.logs.pump import Destination, Pump

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

STAGING = "/var/app/staging"
DOCKER_SOCKET = "/var/run/docker.sock"
RUNNING = "Running "
POLL_SECONDS = 0.3

# A host sees its own containers only; every other command names a container, which it got from here.
DOCKER_WRAPPER = """#!/bin/sh
case "$1" in
  ps) shift; exec /usr/bin/docker ps --filter label={label}={instance} "$@" ;;
  container)
    case "$2" in
      ls|list|ps) shift 2; exec /usr/bin/docker container ls --filter label={label}={instance} "$@" ;;
    esac ;;
esac
exec /usr/bin/docker "$@"
"""


@dataclass(frozen=True)
class Host:
    """The instance whose host the commands run on."""

    instance_id: str
    network: str
    directory: Path
    environment: Mapping[str, str]
    log: Destination | None


@dataclass(frozen=True)
class Outcome:
    """How commands ended; `output` is theirs, `last` the script that ran last."""

    exit_code: int
    output: str
    last: str = ""


class HostRunner:
    """Runs commands on the host of an instance."""

    def __init__(self, cloud: Cloud, pump: Pump) -> None:
        self._cloud = cloud
        self._pump = pump

    def hooks(
        self, host: Host, application: Path, target: str, scripts: tuple[str, ...], give_up: Callable[[], bool]
    ) -> Outcome:
        """Run platform hooks in their order until one fails.

        :param application: The unpacked bundle on this machine, seen at `target`.
        :param scripts: Paths in the bundle.
        """
        for script in scripts:
            # Amazon Linux platforms grant the permission themselves since April 2022.
            (application / script).chmod(0o755)
        lines = [f"echo '{RUNNING}{script}'; {shlex.quote(f'{target}/{script}')} || exit $?" for script in scripts]
        outcome = self._run(host, application, target, "\n".join(lines), {}, give_up)
        begun = [line.removeprefix(RUNNING) for line in outcome.output.splitlines() if line.startswith(RUNNING)]
        return replace(outcome, last=begun[-1] if begun else "")

    def command(self, host: Host, application: Path, command: ContainerCommand, give_up: Callable[[], bool]) -> Outcome:
        """Run a container command in the staging directory."""
        text = command.command if isinstance(command.command, str) else shlex.join(command.command)
        directory = shlex.quote(command.working_directory or STAGING)
        script = f"echo 'Running container command {command.name}'\ncd {directory} || exit 1\n{text}"
        return self._run(host, application, STAGING, script, command.environment, give_up)

    def _run(
        self,
        host: Host,
        application: Path,
        target: str,
        script: str,
        environment: Mapping[str, str],
        give_up: Callable[[], bool],
    ) -> Outcome:
        container = self._cloud.engine.run(
            ContainerSpec(
                image=self._cloud.infra_image,
                name=self._cloud.docker_name("host", f"{host.instance_id}-{secrets.token_hex(4)}"),
                network=host.network,
                entrypoint=("/bin/sh", "-c"),
                command=(f"cd {target}\n{script}",),
                environment={**host.environment, **environment},
                labels=self._cloud.labels("host", host.instance_id),
                mounts=(
                    Mount(str(application), target),
                    Mount(DOCKER_SOCKET, DOCKER_SOCKET),
                    Mount(str(self._wrapper(host)), "/usr/local/bin/docker", read_only=True),
                ),
            )
        )
        if host.log is not None:
            self._pump.watch(container, host.log)
        try:
            return self._await(container, give_up)
        finally:
            self._pump.unwatch(container)
            self._cloud.engine.remove(container)

    def _await(self, container: str, give_up: Callable[[], bool]) -> Outcome:
        while True:
            state = self._cloud.engine.inspect(container)
            if state is None:
                return Outcome(137, "")
            if not state.running:
                output = "\n".join(line.text for line in self._pump.lines(container))
                return Outcome(state.exit_code or 0, output)
            if give_up():
                raise Interrupted("The commands on the instance were stopped.")
            self._cloud.clock.wait(POLL_SECONDS)

    def _wrapper(self, host: Host) -> Path:
        path = host.directory / "bin" / "docker"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(DOCKER_WRAPPER.format(label=INSTANCE_LABEL, instance=host.instance_id))
            path.chmod(0o755)
        return path
