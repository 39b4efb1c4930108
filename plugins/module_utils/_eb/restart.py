# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart what runs in an environment: its containers start anew, and read their secrets anew."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._eb.environment import EnvironmentManager
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import ObservedEnvironment


@dataclass
class RestartManager(EnvironmentManager):
    """As its base, but whatever is there is restarted, and nothing is compared."""

    def read(self) -> ObservedEnvironment:
        """Return the environment alone."""
        environment = self.api.environment(self.wanted.name)
        if not self._read_before:
            self.since = self.api.newest_event_date(self.wanted.application_name, environment)
            self._read_before = True
        return ObservedEnvironment(environment=environment)

    def plan(self, observed: ObservedEnvironment) -> Plan:
        """Return the one step. Raises AntennaError when there is no environment."""
        if observed.environment is None:
            raise AntennaError(f"There is no environment {self.wanted.name!r} to restart: deploy it first.")
        return Plan((Step("restart", self.wanted.name, "it was asked for"),))

    def project(self, observed: ObservedEnvironment, plan: Plan) -> ObservedEnvironment:
        """Return the environment as it is: a restart leaves it so."""
        return observed

    def _apply_step(self, step: Step, observed: ObservedEnvironment, last: bool) -> None:
        environment = observed.environment
        if environment is None:
            raise AntennaError(f"Environment {self.wanted.name!r} is gone: it cannot be restarted any more.")
        self.request_id = self._accepted(environment, "a restart", lambda: self.api.restart(environment))
        if self.wait:
            self._until_ready(environment)
