# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from moto.core.responses import ActionResult, EmptyResult

from localcloud.elasticbeanstalk.ec2 import system_tags
from localcloud.elasticbeanstalk.exceptions import (
    InvalidParameterValue,
    OperationInProgress,
    ResourceNotFound,
    ResourceTypeNotSupported,
    TooManyTags,
)
from localcloud.elasticbeanstalk.models import Application, Environment, Version
from localcloud.elasticbeanstalk.responses.core import Core

MOST_TAGS = 50
# The service's own ones cannot be made, changed or removed: the developer guide on tagging.
RESERVED = ("aws:", "elasticbeanstalk:")
RESERVED_WORDS = " or ".join(RESERVED)
TAGGABLE = re.compile(
    r"arn:aws:elasticbeanstalk:[^:]*:[^:]*:(application|applicationversion|configurationtemplate|environment|platform)/.+"
)


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
        removed, added = self._get_param("TagsToRemove") or [], self._get_param("TagsToAdd") or []
        if isinstance(found, Environment) and "Name" in [*removed, *(item["Key"] for item in added)]:
            raise InvalidParameterValue("The tag 'Name' of an environment is the service's own.")
        _check_names(removed)
        # A key that the resource does not have is none to remove: the service says nothing.
        kept = {key: value for key, value in found.tags.items() if key not in removed}
        tags = new_tags(added, kept)
        if not isinstance(found, Environment):
            found.tags = tags
            return EmptyResult()
        self._begin_tagging(found)
        found.tags = tags
        self._lifecycle.tags_changed(self._operation(found), self._service)
        return EmptyResult()

    def _begin_tagging(self, environment: Environment) -> None:
        """Tags are changed by an update of the environment that nobody can stop."""
        with self._service.lock:
            if environment.status != "Ready":
                raise OperationInProgress(
                    f"Unable to update tags of environment: {environment.name}. An operation is already in progress, "
                    "please retry again shortly."
                )
            environment.status, environment.abortable = "Updating", False

    def _tagged(self, arn: str) -> Application | Version | Environment:
        if not TAGGABLE.fullmatch(arn):
            raise ResourceTypeNotSupported(f"The resource type of '{arn}' is not supported for this operation.")
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


def new_tags(items: Iterable[Mapping[str, str]] | None, kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """A resource's tags: those that it keeps and new ones.

    :raises InvalidParameterValue: When a key is the service's own, or AWS's.
    :raises TooManyTags: When there are more than a resource may have.
    """
    given = {item["Key"]: item.get("Value", "") for item in items or []}
    _check_names(given)
    tags = {**(kept or {}), **given}
    if len(tags) > MOST_TAGS:
        raise TooManyTags(f"A resource cannot have more than {MOST_TAGS} tags.")
    return tags


def _check_names(keys: Iterable[str]) -> None:
    for key in keys:
        if key.lower().startswith(RESERVED):
            raise InvalidParameterValue(f"The tag key '{key}' is reserved: keys may not begin with {RESERVED_WORDS}.")
