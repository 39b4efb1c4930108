# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on tags."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult

from localcloud.elasticbeanstalk.exceptions import ResourceNotFound
from localcloud.elasticbeanstalk.instance import system_tags
from localcloud.elasticbeanstalk.models import Application, Environment, Version
from localcloud.elasticbeanstalk.responses.core import Core, tags_of


class Tags(Core):
    """Tags of applications, versions and environments."""

    def list_tags_for_resource(self) -> ActionResult:
        arn = self._needed("ResourceArn")
        found = self._tagged(arn)
        tags = dict(found.tags)
        if isinstance(found, Environment):
            tags = {**tags, **system_tags(found), "Name": found.name}
        described = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return ActionResult({"ResourceArn": arn, "ResourceTags": described})

    def update_tags_for_resource(self) -> ActionResult:
        found = self._tagged(self._needed("ResourceArn"))
        if isinstance(found, Environment):
            self._begin(found, "Updating")
            # Tags are changed by an update of the environment that nobody can stop.
            found.abortable = False
        removed = set(self._get_param("TagsToRemove") or [])
        kept = {key: value for key, value in found.tags.items() if key not in removed}
        found.tags = {**kept, **tags_of(self._get_param("TagsToAdd"))}
        if isinstance(found, Environment):
            self._lifecycle.tags_changed(self._operation(found), self._service)
        return EmptyResult()

    def _tagged(self, arn: str) -> Application | Version | Environment:
        service = self._service
        for environment in service.environments(include_terminated=False):
            if environment.arn == arn:
                return environment
        for application in service.applications.values():
            if service.application_arn(application.name) == arn:
                return application
            for version in application.versions.values():
                if service.version_arn(version) == arn:
                    return version
        raise ResourceNotFound(f"Resource not found for arn '{arn}'.")
