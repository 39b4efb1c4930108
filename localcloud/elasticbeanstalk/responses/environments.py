# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on environments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from localcloud.elasticbeanstalk import views
from localcloud.elasticbeanstalk.bundle import Bundle
from localcloud.elasticbeanstalk.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingRequiredParameter,
    TooMany,
    not_abortable,
    not_ready,
)
from localcloud.elasticbeanstalk.models import Environment, random_name
from localcloud.elasticbeanstalk.responses.configuration import Configuration
from localcloud.elasticbeanstalk.responses.core import aware, listed
from localcloud.elasticbeanstalk.responses.tags import new_tags
from localcloud.elasticbeanstalk.responses.versions import Versions
from localcloud.elasticbeanstalk.swap import swap
from localcloud.elasticbeanstalk.updates import Change

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]")
CNAME_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")


class Environments(Configuration, Versions):
    """Environments from their launch to their end."""

    def check_dns_availability(self) -> ActionResult:
        cname = self._cname(self._needed("CNAMEPrefix"))
        return ActionResult({"Available": not self._service.cname_taken(cname), "FullyQualifiedCNAME": cname})

    def _cname(self, prefix: str) -> str:
        if not CNAME_PREFIX.fullmatch(prefix):
            raise InvalidParameterValue(
                f"Value {prefix} at 'CNAMEPrefix' failed to satisfy constraint: Member must contain only letters, "
                "digits, and the dash character and may not start or end with a dash"
            )
        return f"{prefix.lower()}.{self.region}.elasticbeanstalk.com"

    def create_environment(self) -> ActionResult:
        service = self._service
        with service.lock:
            environment, bundle = self._new_environment()
            service.add(environment)
        environment.bundle, environment.extension = bundle, dict(bundle.option_settings)
        self._storage_location()
        reply = views.environment(environment)
        self._lifecycle.create(self._operation(environment), service)
        return ActionResult(reply)

    def _new_environment(self) -> tuple[Environment, Bundle]:
        service, now = self._service, self._now()
        application = service.application(self._needed("ApplicationName"))
        name = self._needed("EnvironmentName")
        self._refuse_unsupported("TemplateName", "GroupName", "OperationsRole", "EnvironmentDescription")
        if not NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"Value {name} at 'EnvironmentName' failed to satisfy constraint: Member must contain only letters, "
                "digits, and the dash character and may not start or end with a dash"
            )
        if any(item.name == name for item in service.environments(include_terminated=False)):
            raise InvalidParameterValue(f"Environment {name} already exists.")
        quota = self.services.quotas.environments
        if len(service.environments(include_terminated=False)) >= quota:
            raise TooMany("TooManyEnvironmentsException", quota, "Environments")
        _check_tier(self._get_param("Tier"))
        prefix = self._get_param("CNAMEPrefix")
        cname = self._cname(prefix) if prefix else self._random_cname(name)
        if service.cname_taken(cname):
            raise InvalidParameterValue(f"DNS name ({cname}) is not available.")
        platform = self._needed_platform()
        label = self._get_param("VersionLabel")
        if label is None:
            raise InvalidParameterValue("The rehearsal cloud has no sample application: give a VersionLabel.")
        bundle = self._bundle(application, label)
        direct = self._direct({})
        self._validate(bundle.option_settings, direct, None)
        return (
            Environment(
                id=f"e-{random_name(10)}",
                name=name,
                application=application.name,
                region=self.region,
                account=self.current_account,
                platform=platform,
                description=self._get_param("Description"),
                cname=cname,
                version_label=label,
                status="Launching",
                direct=direct,
                extension={},
                tags=new_tags(self._get_param("Tags")),
                created=now,
                updated=now,
            ),
            bundle,
        )

    def _random_cname(self, name: str) -> str:
        return f"{name.lower()}.eba-{random_name(8)}.{self.region}.elasticbeanstalk.com"

    def update_environment(self) -> ActionResult:
        environment = self._environment()
        if self._get_param("Tier") is not None:
            raise InvalidParameterValue("Cannot change environment tier")
        self._refuse_unsupported("TemplateName", "GroupName")
        if environment.status != "Ready":
            raise not_ready(environment.name)
        change = self._change(environment)
        description = self._get_param("Description")
        self._begin(environment, abortable=True)
        if description is not None:
            environment.description = description
        reply = views.environment(environment)
        self._lifecycle.update(self._operation(environment), self._service, change)
        return ActionResult(reply)

    def _change(self, environment: Environment) -> Change:
        label = self._get_param("VersionLabel")
        application = self._service.application(environment.application)
        bundle = self._bundle(application, label) if label is not None else None
        extension = bundle.option_settings if bundle is not None else environment.extension
        direct = self._direct(environment.direct)
        self._validate(extension, direct, environment.settings)
        platform = self._platform()
        return Change(label, bundle, direct, platform if platform is not environment.platform else None)

    def terminate_environment(self) -> ActionResult:
        environment = self._environment()
        reply = {**views.environment(environment), "Status": "Terminating", "AbortableOperationInProgress": False}
        # ForceTerminate is about environments of a group that depend on it: there are no groups here.
        self._terminate(environment)
        return ActionResult(reply)

    def abort_environment_update(self) -> ActionResult:
        environment = self._environment()
        with self._service.lock:
            if not environment.abortable:
                raise not_abortable(environment.name)
            environment.abort.set()
            environment.status = "Aborting"
        self._operation(environment).say("INFO", "abortEnvironmentUpdate is starting.")
        return EmptyResult()

    def restart_app_server(self) -> ActionResult:
        environment = self._environment()
        self._begin(environment, abortable=False)
        self._lifecycle.restart(self._operation(environment), self._service)
        return EmptyResult()

    def rebuild_environment(self) -> ActionResult:
        environment = self._environment()
        self._begin(environment, abortable=False)
        self._lifecycle.rebuild(self._operation(environment), self._service)
        return EmptyResult()

    # Moto's spelling of SwapEnvironmentCNAMEs.
    def swap_environment_cnam_es(self) -> ActionResult:
        source, destination = self._swapped("Source"), self._swapped("Destination")
        if source is destination:
            raise InvalidParameterValue("The source and the destination of a swap cannot be the same environment.")
        with self._service.lock:
            for environment in (source, destination):
                if environment.status != "Ready":
                    raise not_ready(environment.name)
            for environment in (source, destination):
                environment.status = "Updating"
        swap(self._cloud, self._operation(source), self._service, destination)
        return EmptyResult()

    def _swapped(self, which: str) -> Environment:
        name, identifier = self._get_param(f"{which}EnvironmentName"), self._get_param(f"{which}EnvironmentId")
        other = "EnvironmentId" if name is not None else "EnvironmentName"
        opposite = "Destination" if which == "Source" else "Source"
        if name is None and identifier is None:
            raise MissingRequiredParameter(f"Either {which}EnvironmentId or {which}EnvironmentName must be specified.")
        if self._get_param(f"{opposite}{other}") is not None:
            raise InvalidParameterCombination("Specify both environments of a swap by name, or both by id.")
        return self._service.environment(name, identifier)

    def describe_environments(self) -> ActionResult:
        wanted: list[tuple[Any, Callable[[Environment], object]]] = [
            (listed(self._get_param("ApplicationName")), lambda item: item.application),
            (listed(self._get_param("VersionLabel")), lambda item: item.version_label),
            (self._get_param("EnvironmentIds"), lambda item: item.id),
            (self._get_param("EnvironmentNames"), lambda item: item.name),
        ]
        include, since = self._get_param("IncludeDeleted"), aware(self._get_param("IncludedDeletedBackTo"))
        found = [
            item
            for item in self._service.environments(include_terminated=include is not False, since=since)
            if all(not values or of(item) in values for values, of in wanted) and self._visible(item.created)
        ]
        page, token = self._page(found, lambda item: item.id, None)
        return ActionResult({"Environments": [views.environment(item) for item in page], **token})

    def describe_environment_resources(self) -> ActionResult:
        environment = self._environment()
        return ActionResult({"EnvironmentResources": views.resources(environment)})


def _check_tier(tier: Mapping[str, str] | None) -> None:
    if tier is not None and (tier.get("Name", "WebServer"), tier.get("Type", "Standard")) != ("WebServer", "Standard"):
        raise InvalidParameterValue("The rehearsal cloud implements the tier WebServer/Standard only.")
