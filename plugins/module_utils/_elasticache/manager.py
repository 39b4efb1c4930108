# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A replication group on the common path of the modules."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan
from ansible_collections.antenna.aws.plugins.module_utils._elasticache import planner
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.api import ElastiCacheApi
from ansible_collections.antenna.aws.plugins.module_utils._elasticache.model import SETTLED, Group, WantedGroup


@dataclass(frozen=True)
class GroupManager:
    """Keeps a replication group as declared. ``wait_timeout`` (seconds) bounds each wait."""

    api: ElastiCacheApi
    clock: Clock
    wanted: WantedGroup
    present: bool
    wait: bool
    wait_timeout: int
    apply_immediately: bool

    def read(self) -> Group | None:
        """Return the group; when waiting was asked for, only once it is neither created, modified nor deleted."""
        group = self._look()
        return self._settled() if self.wait and not _is_settled(group) else group

    def plan(self, observed: Group | None) -> Plan:
        """Return the steps from the observed group to the declared one."""
        plan = planner.plan_present if self.present else planner.plan_absent
        return plan(self.wanted, observed)

    def apply(self, plan: Plan, observed: Group | None) -> None:
        """Carry out the steps; between two of them the group must become available again."""
        for number, step in enumerate(plan.steps):
            if number:
                self._settled()
            self.api.apply(step, self.apply_immediately)

    def project(self, observed: Group | None, plan: Plan) -> Group | None:
        """Return the group as it will be."""
        return planner.project(observed, plan)

    def view(self, observed: Group | None) -> dict[str, t.Any]:
        """Return what result and diff show; nothing for a group that does not exist."""
        return {} if observed is None else asdict(observed)

    def _look(self) -> Group | None:
        return self.api.group(self.wanted.replication_group_id, count_pending=not self.apply_immediately)

    def _settled(self) -> Group | None:
        wait: Wait[Group | None] = Wait(
            what=f"the replication group {self.wanted.replication_group_id!r} to settle",
            done=_is_settled,
            seen=lambda group: f"status {group.status}" if group else "no such group",
            timeout=self.wait_timeout,
            remedy="It goes on by itself: run again to go on waiting, or raise wait_timeout",
        )
        return wait.until_done(self._look, self.clock)


def _is_settled(group: Group | None) -> bool:
    return group is None or group.status in SETTLED
