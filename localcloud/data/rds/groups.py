# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DB parameter groups in the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBParameterGroupNotFoundError, RDSClientError
from moto.rds.responses import RDSResponse
from moto.rds.utils import DbInstanceEngine

from localcloud.data.others import of_ours
from localcloud.data.paging import page
from localcloud.data.rds import parameters, requests
from localcloud.data.rds.instance import ENGINE, PostgresInstance

if TYPE_CHECKING:
    from localcloud.data.rds.lifecycle import Lifecycle

ENGINES = ("aurora", *DbInstanceEngine.valid_db_instance_engine())
"""The beginnings of families; all but those of PostgreSQL are as moto keeps them."""
CHANGED_AT_ONCE = 20
"""More parameters than these are not taken in one call."""


of_postgres = of_ours(RDSResponse, lambda response: response._named_group(), lambda it: _has_catalogue(it.family))


class ParameterGroups(RDSResponse):  # type: ignore[misc]
    """Set `describe_config` (the output of `postgres --describe-config`) and `lifecycle` before the first request."""

    describe_config: Callable[[], str]
    lifecycle: Lifecycle

    def create_db_parameter_group(self) -> ActionResult:
        family = str(self.params.get("DBParameterGroupFamily") or "")
        if family and not family.startswith(ENGINES):
            raise requests.value(f"ParameterGroupFamily {family} is not a valid parameter group family")
        return super().create_db_parameter_group()

    def describe_db_parameter_groups(self) -> ActionResult:
        if self.params.get("DBParameterGroupName"):
            return ActionResult({"DBParameterGroups": [self._named_group()]})
        if self._users(parameters.DEFAULT_GROUP):
            self._have_default()
        return super().describe_db_parameter_groups()

    @of_postgres
    def describe_db_parameters(self, group: Any) -> ActionResult:
        source = self.params.get("Source")
        shown = [parameters.shown(item, group.parameters.get(item.name, {})) for item in self._catalogue().values()]
        chosen = [item for item in shown if source in (None, item["Source"])]
        return ActionResult(page("Parameters", chosen, self.params))

    @of_postgres
    def modify_db_parameter_group(self, group: Any) -> ActionResult:
        _check_changeable(group)
        wanted = [dict(item) for item in self.params.original_dict().get("Parameters", [])]
        if len(wanted) > CHANGED_AT_ONCE:
            raise requests.combination(f"At most {CHANGED_AT_ONCE} parameters can be modified in one request")
        for item in wanted:
            self._check(item)
        for item in wanted:
            group.parameters[item["ParameterName"]] = item
        self._apply(group, {item["ParameterName"]: (item["ApplyMethod"], item["ParameterValue"]) for item in wanted})
        return ActionResult({"DBParameterGroupName": group.name})

    @of_postgres
    def reset_db_parameter_group(self, group: Any) -> ActionResult:
        _check_changeable(group)
        asked = self.params.original_dict()
        if asked.get("ResetAllParameters", True) and not asked.get("Parameters"):
            wanted = {name: "immediate" if self._is_dynamic(name) else "pending-reboot" for name in group.parameters}
        else:
            wanted = {item["ParameterName"]: item["ApplyMethod"] for item in asked.get("Parameters", [])}
        for name in wanted:
            self._parameter(name)
            group.parameters.pop(name, None)
        self._apply(group, {name: (method, None) for name, method in wanted.items()})
        return ActionResult({"DBParameterGroupName": group.name})

    @of_postgres
    def delete_db_parameter_group(self, group: Any) -> ActionResult:
        _check_changeable(group)
        if self._users(group.name):
            raise RDSClientError(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {group.name}, "
                "so the group cannot be deleted",
            )
        return super().delete_db_parameter_group()

    def _apply(self, group: Any, changed: Mapping[str, tuple[str, str | None]]) -> None:
        """Have instances take dynamic parameters at once where so asked; the rest waits for their reboot."""
        immediate = {name: value for name, (method, value) in changed.items() if method == "immediate"}
        for instance in self._users(group.name):
            if immediate:
                self.lifecycle.set_parameters(instance, immediate)
            elif changed:
                instance.parameter_status = "pending-reboot"

    def _check(self, item: Mapping[str, Any]) -> None:
        parameter = self._parameter(item["ParameterName"])
        if not parameter.modifiable:
            raise requests.value(f"The parameter {parameter.name} cannot be modified.")
        if parameter.apply_type == "static" and item.get("ApplyMethod") == "immediate":
            raise requests.combination("cannot use immediate apply method for static parameter")
        if "{" in item["ParameterValue"]:
            raise RDSClientError("InvalidAction", "Formulas as parameter values are not implemented here")
        try:
            parameters.check(parameter, item["ParameterValue"])
        except parameters.InvalidValue as error:
            raise requests.value(str(error)) from error

    def _catalogue(self) -> Mapping[str, parameters.Parameter]:
        return _catalogue(type(self).describe_config)

    def _is_dynamic(self, name: str) -> bool:
        return self._catalogue()[name].apply_type == "dynamic"

    def _parameter(self, name: str) -> parameters.Parameter:
        found = self._catalogue().get(name)
        if found is None:
            raise requests.value(f"Could not find parameter with name: {name}")
        return found

    def _named_group(self) -> Any:
        self._have_default()
        name = str(self.params.get("DBParameterGroupName"))
        if name not in self.backend.db_parameter_groups:
            raise DBParameterGroupNotFoundError(name)
        return self.backend.db_parameter_groups[name]

    def _users(self, name: str) -> list[PostgresInstance]:
        return [
            item
            for item in self.backend.databases.values()
            if isinstance(item, PostgresInstance) and item.parameter_group_name == name
        ]

    def _have_default(self) -> None:
        groups = self.backend.db_parameter_groups
        if parameters.DEFAULT_GROUP not in groups:
            self.backend.create_db_parameter_group(
                {
                    "db_parameter_group_name": parameters.DEFAULT_GROUP,
                    "db_parameter_group_family": parameters.FAMILY,
                    "description": f"Default parameter group for {parameters.FAMILY}",
                }
            )


def _has_catalogue(family: str) -> bool:
    return str(family).startswith(ENGINE)


def _check_changeable(group: Any) -> None:
    if group.name.startswith("default."):
        raise requests.value(
            "The parameter DBParameterGroupName is not a valid identifier. Identifiers must begin with a letter; "
            "must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens."
        )


@cache
def _catalogue(describe_config: Callable[[], str]) -> Mapping[str, parameters.Parameter]:
    return parameters.catalogue(describe_config())
