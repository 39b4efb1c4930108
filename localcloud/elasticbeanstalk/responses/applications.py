# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on applications."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localcloud.elasticbeanstalk import retention, views
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue, OperationInProgress, TooMany
from localcloud.elasticbeanstalk.models import Application, Environment
from localcloud.elasticbeanstalk.responses.core import Core
from localcloud.elasticbeanstalk.responses.tags import new_tags

POLL_SECONDS = 0.2


class Applications(Core):
    """Applications, and what of theirs is kept how long."""

    def create_application(self) -> ActionResult:
        name = self._needed("ApplicationName")
        with self._service.lock:
            if name in self._service.applications:
                raise InvalidParameterValue(f"Application {name} already exists.")
            created = self._create_application(name, self._get_param("Description"))
        return ActionResult({"Application": views.application(self._service, created)})

    def _create_application(self, name: str, description: str | None = None) -> Application:
        service, now = self._service, self._now()
        quota = self.services.quotas.applications
        if len(service.applications) >= quota:
            raise TooMany("TooManyApplicationsException", quota, "Applications")
        created = Application(
            name=name,
            description=description,
            created=now,
            updated=now,
            lifecycle=self._lifecycle_config(retention.default_lifecycle()),
            tags=new_tags(self._get_param("Tags")),
        )
        service.applications[name] = created
        self._say(name, "createApplication is starting.")
        self._say(name, f"Created new Application: {name}")
        self._say(name, "createApplication completed successfully.")
        return created

    def _lifecycle_config(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """The policy after this request.

        :raises InvalidParameterValue: When the service does not take it.
        """
        given = retention.merged(current, self._get_param("ResourceLifecycleConfig") or {})
        if (words := retention.defect(given)) is not None:
            raise InvalidParameterValue(words)
        return given

    def describe_applications(self) -> ActionResult:
        names = self._get_param("ApplicationNames")
        found = [
            item
            for item in list(self._service.applications.values())
            if (not names or item.name in names) and self._visible(item.created)
        ]
        return ActionResult({"Applications": [views.application(self._service, item) for item in found]})

    def update_application(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        description = self._get_param("Description")
        if description is not None:
            item.description, item.updated = description, self._now()
        return ActionResult({"Application": views.application(self._service, item)})

    def update_application_resource_lifecycle(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        item.lifecycle, item.updated = self._lifecycle_config(item.lifecycle), self._now()
        return ActionResult({"ApplicationName": item.name, "ResourceLifecycleConfig": item.lifecycle})

    def delete_application(self) -> ActionResult:
        """With TerminateEnvByForce its environments end first; who waits, waits for the last event."""
        name, service = self._needed("ApplicationName"), self._service
        if name not in service.applications:
            return EmptyResult()
        living = [item for item in service.environments(include_terminated=False) if item.application == name]
        if living and not self._get_param("TerminateEnvByForce"):
            raise OperationInProgress(f"Unable to delete application {name} because it has running environments.")
        self._say(name, "deleteApplication is starting.")
        for environment in living:
            if environment.status != "Terminating":
                self._terminate(environment, busy_too=True)
        threading.Thread(target=self._delete_when_empty, args=(name, living), daemon=True).start()
        return EmptyResult()

    def _delete_when_empty(self, name: str, living: Sequence[Environment]) -> None:
        while any(item.terminated is None for item in living):
            self._cloud.clock.wait(POLL_SECONDS)
        self._service.applications.pop(name, None)
        self._say(name, "The application has been deleted successfully.")
