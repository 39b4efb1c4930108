# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that Elastic Beanstalk makes: what ECS's read operations show."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk.bundle import Dockerrun

if TYPE_CHECKING:
    from localcloud.ecs.tasks import Task

STOPPED_VISIBLE = timedelta(hours=1)


@dataclass(frozen=True)
class TaskDefinition:
    """A revision: the bundle's containers with the environment properties that Elastic Beanstalk adds to each."""

    family: str
    revision: int
    dockerrun: Dockerrun
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    registered: datetime


@dataclass(frozen=True)
class ContainerInstance:
    """An EC2 instance in the cluster."""

    id: str
    ec2_instance_id: str
    registered: datetime


@dataclass
class Cluster:
    """A cluster; stopped tasks stay visible for an hour, as ECS keeps them."""

    name: str
    account: str
    region: str
    definitions: list[TaskDefinition] = field(default_factory=list)
    instances: list[ContainerInstance] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:cluster/{self.name}"

    def remove_instance(self, ec2_instance_id: str) -> None:
        """Deregister it; an absent one is no error."""
        with self.lock:
            self.instances = [item for item in self.instances if item.ec2_instance_id != ec2_instance_id]

    def register(
        self, dockerrun: Dockerrun, environment: Mapping[str, str], secrets: Mapping[str, str], now: datetime
    ) -> TaskDefinition:
        """The newest revision if it is the same: all instances of a deployment run one; else a new one."""
        with self.lock:
            newest = self.definitions[-1] if self.definitions else None
            if newest is not None and (newest.dockerrun, newest.environment, newest.secrets) == (
                dockerrun,
                environment,
                secrets,
            ):
                return newest
            definition = TaskDefinition(self.name, len(self.definitions) + 1, dockerrun, environment, secrets, now)
            self.definitions.append(definition)
            return definition

    def add_task(self, task: Task, now: datetime) -> None:
        with self.lock:
            self.tasks = [item for item in self.tasks if item.stopped is None or now - item.stopped < STOPPED_VISIBLE]
            self.tasks.append(task)


class Clusters:
    """All clusters, by account and region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clusters: dict[tuple[str, str, str], Cluster] = {}

    def ensure(self, account: str, region: str, name: str) -> Cluster:
        """The cluster of this name, made if absent."""
        with self._lock:
            return self._clusters.setdefault((account, region, name), Cluster(name, account, region))

    def delete(self, account: str, region: str, name: str) -> None:
        """Forget it; an absent one is no error."""
        with self._lock:
            self._clusters.pop((account, region, name), None)

    def of(self, account: str, region: str) -> list[Cluster]:
        with self._lock:
            return [item for key, item in self._clusters.items() if key[:2] == (account, region)]
