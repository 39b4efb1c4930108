# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform branches and versions.

Version numbers are those seen in public (4.0.0, 4.0.1, 4.0.8, 4.2.0 for ECS on Amazon Linux 2023; moto 5.2.5 lists
4.2.0 and 3.5.0). The newest ones on AWS are higher: nobody may pin them. 4.10.0 stands for that, and is what sorting
names as text gets wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue


@dataclass(frozen=True)
class Branch:
    """A platform branch; `lifecycle` is that of ListPlatformBranches."""

    name: str
    operating_system: str
    operating_system_version: str
    lifecycle: str
    order: int


@dataclass(frozen=True)
class Platform:
    """A version of a branch; `lifecycle` is `Recommended` for the newest and empty for the others."""

    branch: Branch
    version: str
    lifecycle: str

    def arn(self, region: str) -> str:
        return f"arn:aws:elasticbeanstalk:{region}::platform/{self.branch.name}/{self.version}"

    @property
    def solution_stack(self) -> str:
        system = self.branch.name.removeprefix("ECS running on ")
        return f"{system} v{self.version} running ECS"


AL2023 = Branch("ECS running on 64bit Amazon Linux 2023", "Amazon Linux", "2023", "Supported", 1)
AL2 = Branch("ECS running on 64bit Amazon Linux 2", "Amazon Linux", "2", "Retired", 2)
BRANCHES = (AL2023, AL2)
PLATFORMS = (
    Platform(AL2023, "4.0.8", ""),
    Platform(AL2023, "4.2.0", ""),
    Platform(AL2023, "4.9.1", ""),
    Platform(AL2023, "4.10.0", "Recommended"),
    Platform(AL2, "3.5.0", ""),
)


def by_arn(arn: str, region: str) -> Platform:
    """:raises InvalidParameterValue: When there is no such platform."""
    for platform in PLATFORMS:
        if platform.arn(region) == arn:
            return platform
    raise InvalidParameterValue(f"No Platform named '{arn}' found.")


def by_solution_stack(name: str) -> Platform:
    """:raises InvalidParameterValue: When there is no such solution stack."""
    for platform in PLATFORMS:
        if platform.solution_stack == name:
            return platform
    raise InvalidParameterValue(f"No Solution Stack named '{name}' found.")


def branches(filters: Sequence[Mapping[str, Any]]) -> list[Branch]:
    """Those that pass all filters of ListPlatformBranches."""
    return [item for item in BRANCHES if all(_passes(_branch_attributes(item), one, "Attribute") for one in filters)]


def versions(filters: Sequence[Mapping[str, Any]]) -> list[Platform]:
    """Those that pass all filters of ListPlatformVersions, newest first as the service lists them."""
    found = [item for item in PLATFORMS if all(_passes(_version_attributes(item), one, "Type") for one in filters)]
    return sorted(found, key=lambda item: tuple(int(part) for part in item.version.split(".")), reverse=True)


def _branch_attributes(branch: Branch) -> dict[str, str]:
    return {
        "BranchName": branch.name,
        "LifecycleState": branch.lifecycle.lower(),
        "PlatformName": "ECS",
        "TierType": "WebServer/Standard",
    }


def _version_attributes(platform: Platform) -> dict[str, str]:
    return {
        "PlatformName": platform.branch.name,
        "PlatformVersion": platform.version,
        "PlatformStatus": "Ready",
        "PlatformBranchName": platform.branch.name,
        "PlatformLifecycleState": platform.lifecycle,
        "PlatformOwner": "AWSElasticBeanstalk",
        "OperatingSystemName": platform.branch.operating_system,
        "SupportedTier": "WebServer/Standard",
    }


def _passes(attributes: Mapping[str, str], condition: Mapping[str, Any], name_key: str) -> bool:
    name, operator = condition.get(name_key, ""), condition.get("Operator", "=")
    values = condition.get("Values") or []
    if name not in attributes:
        raise InvalidParameterValue(f"Invalid filter: {name_key} '{name}' is not supported.")
    found = attributes[name]
    if name_key == "Attribute":
        found, values = found.lower(), [value.lower() for value in values]
    tests: dict[str, Callable[[str], bool]] = {
        "=": lambda value: found == value,
        "!=": lambda value: found != value,
        "in": lambda value: found == value,
        "contains": lambda value: value in found,
        "begins_with": lambda value: found.startswith(value),
        "ends_with": lambda value: found.endswith(value),
    }
    if operator not in tests:
        raise InvalidParameterValue(f"Invalid filter: Operator '{operator}' is not supported.")
    return any(tests[operator](value) for value in values)
