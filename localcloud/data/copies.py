# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of databases, volume to volume, as the storage behind RDS makes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from localcloud.engine import ContainerSpec, EngineError, Mount

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


class Copies:
    """Makes copies of volumes with a database in them, and removes them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._made: set[str] = set()

    def make(
        self, source: str, target: str, name: str, port: int | None = None, until: tuple[str, datetime] | None = None
    ) -> None:
        """Copy what the volume `source` holds to a new volume `target`.

        :param name: What the copy is called in the volume's label.
        :param port: That of the server that runs on `source`, None when none does.
        :param until: The volume of the server that `source` is a snapshot of, and the moment, by the machine's clock,
            whose data a server on `target` will find.
        :raises EngineError: When it fails; there is no `target` then.
        """
        written = (Mount(until[0], "/written", kind="volume"),) if until else ()
        moment = {"MOMENT": until[1].isoformat()} if until else {}
        engine = self._cloud.engine
        engine.ensure_volume(target, self._cloud.labels("rds", name))
        try:
            done = engine.run_once(
                ContainerSpec(
                    image=self._cloud.infra_image,
                    name=f"{target}-copy",
                    entrypoint=("/usr/local/bin/rds-copy",),
                    environment={"PORT": str(port or ""), **moment},
                    labels=self._cloud.labels("rds", name),
                    mounts=(
                        Mount(source, "/source", kind="volume"),
                        Mount(target, "/target", kind="volume"),
                        *written,
                    ),
                )
            )
            if done.exit_code != 0:
                raise EngineError(f"the copy to {target} failed: {done.output[-800:].strip()}")
        except EngineError:
            engine.remove_volume(target)
            raise
        self._made.add(target)

    def remove(self, volume: str) -> None:
        """Remove a copy; an absent one is no error."""
        self._cloud.engine.remove_volume(volume)
        self._made.discard(volume)

    def remove_all(self) -> None:
        """Remove every copy."""
        for volume in list(self._made):
            self.remove(volume)

    def describe_config(self) -> str:
        """PostgreSQL's own description of its parameters."""
        name = self._cloud.docker_name("rds", "parameters")
        command = ("postgres", "--describe-config")
        spec = ContainerSpec(self._cloud.infra_image, name, command=command, labels=self._cloud.labels("rds", ""))
        return self._cloud.engine.run_once(spec).output
