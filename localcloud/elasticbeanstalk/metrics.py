# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What environments tell CloudWatch: their health, and the requests at their load balancers."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.cloudwatch.metrics import Datum
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.haproxy import Counts
from localcloud.elasticbeanstalk.lifecycle import Lifecycle

HEALTH_VALUES = {"Ok": 0, "Info": 1, "Unknown": 5, "NoData": 10, "Warning": 15, "Degraded": 20, "Severe": 25}
"""Developer guide, "Publishing Amazon CloudWatch custom metrics for an environment"."""


class EnvironmentMetrics:
    """A source of metrics, asked once a minute."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._counted: dict[str, Counts] = {}

    def __call__(self) -> Iterator[Datum]:
        for _, fleet in self._lifecycle.fleets():
            if fleet.environment.enhanced:
                yield _health(fleet)
            yield from self._requests(fleet)

    def _requests(self, fleet: Fleet) -> Iterator[Datum]:
        """Those since the last time; an application load balancer tells nothing where there was nothing."""
        environment, counts = fleet.environment, fleet.front.counts()
        balancer = (environment.resources.load_balancer or "").partition(":loadbalancer/")[2]
        before = self._counted.get(environment.id, Counts())
        self._counted[environment.id] = counts
        values = {"RequestCount": counts.requests - before.requests}
        for digit in range(2, 6):
            values[f"HTTPCode_Target_{digit}XX_Count"] = counts.by_class[digit - 1] - before.by_class[digit - 1]
        for name, value in values.items():
            if balancer and value > 0:
                yield Datum(environment.region, "AWS/ApplicationELB", name, value, {"LoadBalancer": balancer})


def _health(fleet: Fleet) -> Datum:
    """What enhanced health reporting tells for nothing: the environment's health as a number."""
    environment = fleet.environment
    value = HEALTH_VALUES.get(environment.health.status, HEALTH_VALUES["Unknown"])
    name = {"EnvironmentName": environment.name}
    return Datum(environment.region, "AWS/ElasticBeanstalk", "EnvironmentHealth", value, name)
