# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account's response headers policies: those that AWS manages, and its own."""

from __future__ import annotations

from collections.abc import Callable

from localcloud.cloudfront.exceptions import CloudFrontError, check_if_match, not_found
from localcloud.cloudfront.headers import MANAGED, Config, ResponseHeadersPolicy, complete_config
from localcloud.cloudfront.resources import moment, random_id, resource_id, runtime


class ResponseHeadersPolicies:
    """Changes reach the edge as a distribution's do: after a while."""

    def __init__(self, is_used: Callable[[str], bool]) -> None:
        """`is_used` tells whether a distribution names the policy of that id."""
        self._is_used = is_used
        self._own: dict[str, ResponseHeadersPolicy] = {}

    def all(self, kind: str | None = None) -> dict[str, ResponseHeadersPolicy]:
        """By id; `kind` is `managed`, `custom` or None for both."""
        managed = {} if kind == "custom" else MANAGED
        return {**managed, **({} if kind == "managed" else self._own)}

    def find(self, identifier: str) -> ResponseHeadersPolicy | None:
        return self.all().get(identifier)

    def get(self, identifier: str) -> ResponseHeadersPolicy:
        """:raises CloudFrontError: NoSuchResponseHeadersPolicy."""
        found = self.find(identifier)
        if found is None:
            raise not_found("NoSuchResponseHeadersPolicy", "response headers policy")
        return found

    def create(self, given: Config) -> ResponseHeadersPolicy:
        config = complete_config(given)
        self._check_name(config["Name"], None)
        now = runtime().clock()
        policy = ResponseHeadersPolicy(_uuid(), resource_id(), config, moment(now))
        self._own[policy.id] = policy
        return policy

    def update(self, identifier: str, given: Config, if_match: str | None) -> ResponseHeadersPolicy:
        policy = self._mine(identifier, "IllegalUpdate", "The update contains modifications that are not allowed.")
        check_if_match(if_match, policy.etag)
        config = complete_config(given)
        self._check_name(config["Name"], identifier)
        now = runtime().clock()
        changed = ResponseHeadersPolicy(
            identifier,
            resource_id(),
            config,
            moment(now),
            effective_from=now + runtime().deploy_seconds(),
            before=policy.at(now),
        )
        self._own[identifier] = changed
        return changed

    def delete(self, identifier: str, if_match: str | None) -> None:
        policy = self._mine(identifier, "IllegalDelete", "You cannot delete a managed policy.")
        check_if_match(if_match, policy.etag)
        if self._is_used(identifier):
            raise CloudFrontError(
                "ResponseHeadersPolicyInUse",
                "Cannot delete the response headers policy because it is attached to one or more cache behaviors.",
                409,
            )
        del self._own[identifier]

    def _mine(self, identifier: str, code: str, message: str) -> ResponseHeadersPolicy:
        policy = self.get(identifier)
        if policy.managed:
            raise CloudFrontError(code, message)
        return policy

    def _check_name(self, name: str, own: str | None) -> None:
        if any(policy.name == name and policy.id != own for policy in self.all().values()):
            raise CloudFrontError(
                "ResponseHeadersPolicyAlreadyExists", f"A response headers policy named {name} already exists.", 409
            )


def _uuid() -> str:
    digits = random_id("0123456789abcdef", 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
