# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on applications."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localcloud.elasticbeanstalk import views
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue, OperationInProgress
from localcloud.elasticbeanstalk.models import Application
from localcloud.elasticbeanstalk.responses.core import Core, tags_of


class Applications(Core):
    """Applications, and what of theirs is kept how long."""

    def create_application(self) -> ActionResult:
        name = self._needed("ApplicationName")
        if name in self._service.applications:
            raise InvalidParameterValue(f"Application {name} already exists.")
        return ActionResult({"Application": views.application(self._service, self._create_application(name))})

    def _create_application(self, name: str, description: str | None = None) -> Application:
        now = self._now()
        created = Application(
            name=name,
            description=description or self._get_param("Description"),
            created=now,
            updated=now,
            lifecycle=self._get_param("ResourceLifecycleConfig") or _no_lifecycle(),
            tags=tags_of(self._get_param("Tags")),
        )
        self._service.applications[name] = created
        self._say(name, "createApplication is starting.")
        self._say(name, "createApplication completed successfully.")
        return created

    def describe_applications(self) -> ActionResult:
        names = self._get_param("ApplicationNames")
        found = [item for item in self._service.applications.values() if not names or item.name in names]
        return ActionResult({"Applications": [views.application(self._service, item) for item in found]})

    def update_application(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        description = self._get_param("Description")
        if description is not None:
            item.description, item.updated = description, self._now()
        return ActionResult({"Application": views.application(self._service, item)})

    def update_application_resource_lifecycle(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        item.lifecycle, item.updated = self._needed("ResourceLifecycleConfig"), self._now()
        return ActionResult({"ApplicationName": item.name, "ResourceLifecycleConfig": item.lifecycle})

    def delete_application(self) -> ActionResult:
        name = self._needed("ApplicationName")
        living = [item for item in self._service.environments(include_terminated=False) if item.application == name]
        if name not in self._service.applications:
            return EmptyResult()
        if living and not self._get_param("TerminateEnvByForce"):
            raise OperationInProgress(f"Unable to delete application {name} because it has running environments.")
        for environment in living:
            self._terminate(environment)
        del self._service.applications[name]
        self._say(name, "deleteApplication is starting.")
        self._say(name, "The application has been deleted successfully.")
        return EmptyResult()


def _no_lifecycle() -> dict[str, Any]:
    return {
        "VersionLifecycleConfig": {
            "MaxCountRule": {"Enabled": False, "MaxCount": 200, "DeleteSourceFromS3": False},
            "MaxAgeRule": {"Enabled": False, "MaxAgeInDays": 180, "DeleteSourceFromS3": False},
        }
    }
