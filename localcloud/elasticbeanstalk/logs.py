# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an environment's logs go in CloudWatch Logs. Pure.

Names of groups and streams: developer guide, "Using Elastic Beanstalk with Amazon CloudWatch Logs" and "Streaming
Elastic Beanstalk environment health information to Amazon CloudWatch Logs".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk import options
from localcloud.logs.pump import Destination

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.models import Environment


def of_file(environment: Environment, name: str, instance: str) -> Destination | None:
    """The stream of a file in an instance's /var/log, None while logs are not streamed."""
    if environment.setting(options.LOGS, "StreamLogs") != "true":
        return None
    return _destination(environment, options.LOGS, f"{_files(environment)}{name}", instance)


def of_health(environment: Environment, now: datetime) -> Destination | None:
    """The stream of changes of health, None while they are not streamed."""
    if environment.setting(options.HEALTH_LOGS, "HealthStreamingEnabled") != "true":
        return None
    return _destination(environment, options.HEALTH_LOGS, _health(environment), f"{now:%Y-%m-%d}#{environment.id}")


def ending_with(environment: Environment) -> Iterator[str]:
    """How the names of the groups begin that are deleted with the environment."""
    for namespace, prefix in ((options.LOGS, _files(environment)), (options.HEALTH_LOGS, _health(environment))):
        if environment.setting(namespace, "DeleteOnTerminate") == "true":
            yield prefix


def _destination(environment: Environment, namespace: str, group: str, stream: str) -> Destination:
    days = environment.setting(namespace, "RetentionInDays")
    return Destination(environment.account, environment.region, group, stream, int(days) if days else None)


def _files(environment: Environment) -> str:
    return f"/aws/elasticbeanstalk/{environment.name}/var/log/"


def _health(environment: Environment) -> str:
    return f"/aws/elasticbeanstalk/{environment.name}/environment-health.log"
