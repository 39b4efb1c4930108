# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment consists of, and whose it is. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import texts
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError

OURS = "ours"
OTHERS = "others"
NOBODY = ""

MADE = "made"
SHARED_TAG = "antenna.aws"
"""Tag of what the deployments of an account share: ``made`` where one of them made it, else ``adopted``."""
USER_TAGS = "antenna.aws/"
"""So begins the tag of each deployment that uses what they share."""


@dataclass(frozen=True)
class Declared:
    """A resource that the deployment makes, as its role names it.

    ``mark`` stands in the description, comment or body of what cannot bear tags, or does not tell them at times.
    ``data`` is kept unless told. ``shared`` is what the deployments of an account share; ``mark`` is then the tag that
    says that this one uses it, and ``policies`` are the inline policies that are this deployment's. ``parent`` is what
    the name is unique in: a VPC, a log group.
    """

    kind: str
    name: str
    parent: str = ""
    mark: str = ""
    data: bool = False
    shared: bool = False
    policies: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The resource for people."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Found:
    """A resource as it is. ``tags`` is None where it bears or tells none, ``text`` what bears the mark then.

    ``members`` are what it consists of as far as that matters: inline policies of a role, names of log groups.
    """

    id: str
    tags: t.Mapping[str, str] | None = None
    text: str = ""
    status: str = ""
    members: tuple[str, ...] = ()
    more: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A declared resource with what was found of it, None where it does not exist."""

    declared: Declared
    found: Found | None
    owner: str

    def view(self) -> dict[str, t.Any]:
        """Return the resource in plain values, the same keys always."""
        found = self.found
        return {
            "kind": self.declared.kind,
            "name": self.declared.name,
            "parent": self.declared.parent,
            "data": self.declared.data,
            "shared": self.declared.shared,
            "exists": found is not None,
            "owner": self.owner,
            "id": found.id if found else "",
            "status": found.status if found else "",
            "details": dict(found.more) if found else {},
            "tags": dict(found.tags or {}) if found else {},
        }


def owner(declared: Declared, found: Found | None, identity: t.Mapping[str, str]) -> str:
    """Return whose the resource is: ours with the deployment's tags, or with its mark where it tells no tags."""
    if found is None:
        return NOBODY
    if declared.shared:
        return OURS if SHARED_TAG in (found.tags or {}) else OTHERS
    if found.tags is None:
        return OURS if declared.mark and declared.mark in found.text else OTHERS
    return OURS if all(found.tags.get(key) == value for key, value in identity.items()) else OTHERS


def resource(declared: Declared, found: Found | None, identity: t.Mapping[str, str]) -> Resource:
    """Return the declared resource with what was found of it, and whose it is."""
    return Resource(declared, found, owner(declared, found, identity))


def declared_from(params: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[Declared, ...]:
    """Return the resources that a module's parameters declare."""
    return tuple(
        Declared(
            kind=item["kind"],
            name=name,
            parent=item["parent"] or "",
            mark=item["mark"] or "",
            data=bool(item["data"]),
            shared=bool(item["shared"]),
            policies=tuple(item["policies"] or ()),
        )
        for item in params
        for name in item["names"]
    )


def identity_from(tags: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the tags by which a resource is known as the deployment's. Raises AntennaError where there are none."""
    if not tags:
        raise AntennaError("identity is empty: without a tag everything would be taken for this deployment's.")
    return texts(tags)
