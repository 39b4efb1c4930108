# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that look at environments: events and health."""

from __future__ import annotations

from moto.core.responses import ActionResult

from localcloud.elasticbeanstalk import views
from localcloud.elasticbeanstalk.events import Query
from localcloud.elasticbeanstalk.exceptions import InvalidRequest
from localcloud.elasticbeanstalk.models import Environment
from localcloud.elasticbeanstalk.responses.core import Core, aware


class Observation(Core):
    """Events and health."""

    def describe_events(self) -> ActionResult:
        if self._get_param("TemplateName") is not None:
            return ActionResult({"Events": []})
        query = Query(
            application=self._get_param("ApplicationName"),
            environment=self._get_param("EnvironmentName"),
            environment_id=self._get_param("EnvironmentId"),
            version_label=self._get_param("VersionLabel"),
            request_id=self._get_param("RequestId"),
            platform_arn=self._get_param("PlatformArn"),
            severity=self._get_param("Severity"),
            start=aware(self._get_param("StartTime")),
            end=aware(self._get_param("EndTime")),
        )
        page, token = self._page(self._service.events.find(query), lambda item: item.date.isoformat(), 1000)
        return ActionResult({"Events": [views.event(item) for item in page], **token})

    def describe_environment_health(self) -> ActionResult:
        environment = self._enhanced("DescribeEnvironmentHealth")
        return ActionResult(views.environment_health(environment, set(self._get_param("AttributeNames") or [])))

    def describe_instances_health(self) -> ActionResult:
        environment = self._enhanced("DescribeInstancesHealth")
        page, token = self._page(environment.instances, lambda item: item.id, 100)
        found = views.instances_health(page, set(self._get_param("AttributeNames") or []))
        return ActionResult({"InstanceHealthList": found, "RefreshedAt": environment.health_time, **token})

    def _enhanced(self, operation: str) -> Environment:
        environment = self._environment()
        if not environment.enhanced:
            raise InvalidRequest(f"{operation} is not supported.")
        return environment
