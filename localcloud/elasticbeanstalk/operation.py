# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call's work on one environment."""

from __future__ import annotations

from localcloud.elasticbeanstalk.events import Severity
from localcloud.elasticbeanstalk.models import Beanstalk, Environment


class Operation:
    """One call's work on one environment; without a request id no call has caused it."""

    def __init__(self, service: Beanstalk, environment: Environment, request_id: str | None) -> None:
        self.service = service
        self.environment = environment
        self._request_id = request_id

    def say(self, severity: Severity, message: str, label: str | None = None) -> None:
        self.service.say(self.environment, severity, message, self._request_id, label)

    @property
    def aborted(self) -> bool:
        return self.environment.abort.is_set()
