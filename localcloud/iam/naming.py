# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls need at services whose parameters name their resources: one table says which parameter names which kind.

What a call names needs its action there; what it does not name, although the action is about such things, is all of
them. With tags, what is made needs the action that tags it, too: the services' guides say so under tagging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from localcloud.iam.needs import ANY, Asked, Need


@dataclass(frozen=True)
class Naming:
    """How a service's calls name their resources.

    `kinds`: the resource part of ARNs by parameter, `{}` for the parameter's value. `arns`: parameters whose values are
    ARNs. `only`: the parameters that count for an operation, where others name something too; none: its action has no
    resources. `listing`: what operations are about that name nothing. `defaults`: what an operation takes when it is
    not told. `regionless`: beginnings of kinds whose ARNs are in no region. `actions`: of operations that are called
    otherwise than their action. `free`: operations that need no permission.
    """

    prefix: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    arns: frozenset[str] = frozenset()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    listing: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    regionless: tuple[str, ...] = ()
    actions: Mapping[str, str] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    tagging: str = "TagResource"

    def needs(self, asked: Asked) -> Iterator[Need]:
        """What a call of this service needs."""
        if asked.operation in self.free:
            return
        resources = self.resources(asked)
        context = asked.request_tag_context()
        for resource in resources:
            yield Need(f"{self.prefix}:{self.actions.get(asked.operation, asked.operation)}", resource, context)
        if context and asked.operation.startswith(_MAKING):
            yield Need(f"{self.prefix}:{self.tagging}", resources[0], context)

    def resources(self, asked: Asked) -> list[str]:
        """The ARNs of what the call is about."""
        found = [resource for name in self._counted(asked.operation) for resource in self._named(asked, name)]
        listed = self.listing.get(asked.operation)
        return found or [ANY if listed is None else self._arn(asked, listed)]

    def _counted(self, operation: str) -> list[str]:
        only = self.only.get(operation)
        return [name for name in (*self.kinds, *sorted(self.arns)) if only is None or name in only]

    def _named(self, asked: Asked, name: str) -> list[str]:
        values = asked.values(name) or [*filter(None, [self.defaults.get(asked.operation, {}).get(name)])]
        return [self._arn(asked, value if name in self.arns else self.kinds[name].format(value)) for value in values]

    def _arn(self, asked: Asked, resource: str) -> str:
        if ":arn:" in f":{resource}":
            return resource[resource.index("arn:") :]
        everywhere = bool(self.regionless) and resource.startswith(self.regionless)
        return asked.arn(self.prefix, resource, everywhere=everywhere)


_MAKING = ("Copy", "Create", "Put", "Request", "Restore")
