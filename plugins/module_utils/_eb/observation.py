# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment is judged by: the goal, and one look at the environment. Values only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    ConfigurationSet,
    Container,
    Environment,
    Event,
    HealthReport,
    Instance,
    ProbeAnswer,
    Task,
)

Containers: t.TypeAlias = tuple[Container, ...]


@dataclass(frozen=True)
class Goal:
    """What success is.

    ``request_id`` and ``since`` tell this deployment's events from older ones; with neither, the present state alone
    is judged. ``containers`` names those that must run; ``None`` means every container of the task.
    ``steady`` are the seconds for which everything must hold. ``patience`` are the seconds for which, while nothing
    else is wanting, a server may leave the probe without an answer, and a stopped task may be without a successor.
    ``probe_port`` is the port that the probe asks the environment's endpoint at; None where it asks elsewhere.
    """

    environment_name: str
    application_name: str | None = None
    version_label: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    threshold: str = "Ok"
    steady: float = 0.0
    patience: float = 0.0
    containers: tuple[str, ...] | None = None
    probe_statuses: tuple[int, ...] | None = None
    probe_port: int | None = None

    @property
    def follows_a_request(self) -> bool:
        return bool(self.request_id)


@dataclass(frozen=True)
class Observation:
    """One look at the environment. A part that is ``None`` was not read, or could not be read, this time.

    ``instance_ids`` are the environment's instances, also where its health reporting does not tell of them.
    ``unread`` says in words which reads failed; ``unreadable`` those that can never succeed.

    The rest are seconds, and count what looks before this one had found as this one does: ``steady_for`` nothing
    wanting, ``unanswered_for`` nothing but the probe, ``down_for`` a task stopped and not replaced, ``gone_for`` an
    environment that had been there.
    """

    found: bool | None = None
    environment: Environment | None = None
    events: tuple[Event, ...] = ()
    configurations: tuple[ConfigurationSet, ...] | None = None
    health: HealthReport | None = None
    instances: tuple[Instance, ...] | None = None
    instance_ids: tuple[str, ...] = ()
    tasks: tuple[Task, ...] | None = None
    probe: ProbeAnswer | None = None
    unread: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    steady_for: float = 0.0
    unanswered_for: float = 0.0
    down_for: float = 0.0
    gone_for: float | None = None
