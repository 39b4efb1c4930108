# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call as IAM looks at it, and what it needs: actions on resources, with the condition keys of the request. Pure.

What each action works on, and by which keys it can be limited, is in the Service Authorization Reference;
`tests/policies/test_reference.py` holds the modules of this package to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from localcloud.calls import Parameters

ANY = "*"
"""The resource of actions that have none."""


@dataclass(frozen=True)
class Need:
    """An action on a resource that has to be let, where these condition keys have these values."""

    action: str
    resource: str = ANY
    context: Mapping[str, str] = field(default_factory=dict, compare=False)


class Known(Protocol):
    """What a service knows of resources that a call names otherwise than by its ARN."""

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        """The ARN of a living environment of Elastic Beanstalk."""

    def secret_arn(self, region: str, name: str) -> str | None:
        """The ARN of a secret, by its name or by the beginning of its ARN."""

    def roles_of(self, instance_profile: str) -> tuple[str, ...]:
        """The ARNs of the roles in an instance profile."""

    def route_table(self, region: str, association: str) -> str | None:
        """The id of the route table of an association."""

    def copies_tags(self, region: str, database: str) -> bool:
        """Whether snapshots of a DB instance get its tags."""

    def tags(self, region: str, arn: str) -> Mapping[str, str]:
        """The tags of a resource; only what EC2 and CloudFront have is known."""


@dataclass(frozen=True)
class Asked:
    """A call with all that its needs may depend on; header names are in small letters."""

    service: str
    operation: str
    region: str
    account: str
    parameters: Parameters
    known: Known
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """The values of a parameter: of a list every one, in whatever way the protocol writes it."""
        given = self.parameters.get(name)
        if isinstance(given, str):
            return [given]
        if isinstance(given, list):
            return [item for item in given if isinstance(item, str)]
        listed = re.compile(rf"{re.escape(name)}\.(?:[A-Za-z]+\.)?\d+")
        return [str(value) for key, value in self.parameters.items() if listed.fullmatch(key)]

    def arn(self, service: str, resource: str, *, everywhere: bool = False) -> str:
        """The ARN of a resource of this account, in the region of the call or, as some services have it, in none."""
        return f"arn:aws:{service}:{'' if everywhere else self.region}:{self.account}:{resource}"

    def request_tags(self) -> dict[str, str]:
        """The tags that the call gives to what it makes or changes."""
        given = self.parameters.get("Tags", self.parameters.get("tags"))
        if isinstance(given, Mapping):
            return {str(key): str(value) for key, value in given.items()}
        if isinstance(given, list):
            return dict(_listed_tags(given))
        return dict(_flat_tags(self.parameters))

    def request_tag_context(self) -> dict[str, str]:
        return {f"aws:requesttag/{key}": value for key, value in self.request_tags().items()}

    def resource_tag_context(self, arn: str) -> dict[str, str]:
        return {f"aws:resourcetag/{key}": value for key, value in self.known.tags(self.region, arn).items()}


Needs = Callable[[Asked], Iterable[Need]]


def _listed_tags(given: list[object]) -> Iterator[tuple[str, str]]:
    for item in given:
        if isinstance(item, Mapping):
            yield str(item.get("Key", item.get("key", ""))), str(item.get("Value", item.get("value", "")))


_TAG_KEY = re.compile(r"((?:.+\.)?(?:Tag|Tags|TagsToAdd)\.(?:(?:member|Tag)\.)?\d+)\.Key")


def _flat_tags(parameters: Parameters) -> Iterator[tuple[str, str]]:
    for name, key in parameters.items():
        if found := _TAG_KEY.fullmatch(name):
            yield str(key), str(parameters.get(f"{found[1]}.Value", ""))
