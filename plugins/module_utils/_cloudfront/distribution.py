# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A distribution, from what is wanted to what is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._cloudfront import api
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.config import declared, plain
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    UNKNOWN,
    DistributionObserved,
    DistributionWanted,
    distribution_reference,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import (
    demand_targets,
    distribution_config,
    distribution_tags,
    plan_distribution,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.policies import OPTIONS, policy_id
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

# The options that are keys of the DistributionConfig.
CONFIG_OPTIONS = (
    "aliases",
    "cache_behaviors",
    "comment",
    "custom_error_responses",
    "default_cache_behavior",
    "default_root_object",
    "enabled",
    "http_version",
    "is_ipv6_enabled",
    "logging",
    "origins",
    "price_class",
    "restrictions",
    "viewer_certificate",
    "web_acl_id",
)


def wanted_distribution(params: Mapping[str, Any]) -> DistributionWanted:
    """The wanted distribution from the module's parameters.

    :raises AntennaError: when a policy has no such name, or a behavior targets an origin that is not declared.
    """
    config = declared(_with_policy_ids({key: params[key] for key in CONFIG_OPTIONS}))
    demand_targets(config)
    return DistributionWanted(
        name=params["name"],
        caller_reference=params["caller_reference"] or distribution_reference(params["name"]),
        config=config,
        tags={key: str(value) for key, value in params["tags"].items()} if params["tags"] is not None else None,
        purge_tags=params["purge_tags"],
        present=params["state"] == "present",
    )


def _with_policy_ids(options: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(options)
    if result["default_cache_behavior"] is not None:
        result["default_cache_behavior"] = _with_ids(result["default_cache_behavior"])
    if result["cache_behaviors"] is not None:
        result["cache_behaviors"] = [_with_ids(behavior) for behavior in result["cache_behaviors"]]
    return result


def _with_ids(behavior: Mapping[str, Any]) -> dict[str, Any]:
    ids = {key: policy_id(key, behavior[key]) for key in OPTIONS if behavior.get(key) is not None}
    return {**behavior, **ids}


@dataclass
class DistributionManager:
    """Reads, plans and changes one distribution. ``timeout`` is in seconds and bounds each wait."""

    client: Any
    wanted: DistributionWanted
    clock: Clock
    timeout: float
    _known: str = field(default="", init=False)

    def read(self) -> DistributionObserved | None:
        """The distribution as it is."""
        with attempting(f"read the distribution with the tag Name={self.wanted.name}"):
            if self._known:
                # A distribution that was just made may be missing from the listing for a moment.
                return api.read_distribution(self.client, self._known)
            return api.find_distribution(self.client, self.wanted.name)

    def plan(self, observed: DistributionObserved | None) -> Plan:
        """The steps to what is wanted."""
        return plan_distribution(self.wanted, observed)

    def apply(self, plan: Plan, observed: DistributionObserved | None) -> None:
        """Carry out the steps. Deleting waits until the distribution is deployed as disabled."""
        for step in plan:
            self._apply(step, observed)

    def _apply(self, step: Step, observed: DistributionObserved | None) -> None:
        with attempting(f"{step.op} the distribution {self.wanted.name} ({step.resource})", _REMEDIES.get(step.op, "")):
            if observed is None:
                config = distribution_config(self.wanted, None)
                made = api.create_distribution(self.client, config, distribution_tags(self.wanted, None))
                self._known = made.id
                return
            self._known = observed.id
            if step.op == "update":
                api.update_distribution(self.client, observed, distribution_config(self.wanted, observed))
            elif step.op == "tag":
                api.tag(self.client, observed.arn, distribution_tags(self.wanted, observed))
            elif step.op == "untag":
                kept = distribution_tags(self.wanted, observed)
                api.untag(self.client, observed.arn, sorted(set(observed.tags) - set(kept)))
            elif step.op == "disable":
                api.update_distribution(self.client, observed, {**observed.config, "Enabled": False})
            elif step.op == "delete":
                api.delete_distribution(self.client, self.deployed(observed))

    def deployed(self, observed: DistributionObserved) -> DistributionObserved:
        """Wait until every edge has the distribution's present configuration, and return it as it is then."""

        def look() -> DistributionObserved:
            with attempting(f"read the distribution {observed.id}"):
                return api.get_distribution(self.client, observed.id, observed.tags)

        wait = Wait[DistributionObserved](
            what=f"the distribution {self.wanted.name} ({observed.id}) to be deployed",
            done=lambda seen: seen.status == "Deployed",
            seen=lambda seen: f"status {seen.status}",
            timeout=self.timeout,
            poll=1.0,
            remedy="Run again: it goes on where it is. CloudFront usually takes some minutes; see wait_timeout",
        )
        return wait.until_done(look, self.clock)

    def demand(self, observed: DistributionObserved | None) -> None:
        """Refuse to end well without the distribution.

        :raises AntennaError: when it shall be there and is not, because nothing was declared from which to make it.
        """
        if self.wanted.present and observed is None:
            raise AntennaError(
                f"No distribution has the tag Name={self.wanted.name}. "
                "To make it, origins and default_cache_behavior must be given."
            )

    def project(self, observed: DistributionObserved | None, plan: Plan) -> DistributionObserved | None:
        """The distribution as it would be."""
        if not self.wanted.present:
            return None
        config, tags = distribution_config(self.wanted, observed), distribution_tags(self.wanted, observed)
        if observed is None:
            return DistributionObserved(UNKNOWN, UNKNOWN, UNKNOWN, "InProgress", UNKNOWN, config, tags)
        updated = any(step.op == "update" for step in plan)
        status, etag = ("InProgress", UNKNOWN) if updated else (observed.status, observed.etag)
        return replace(observed, config=config, tags=tags, status=status, etag=etag)

    def view(self, observed: DistributionObserved | None) -> dict[str, Any]:
        """The distribution as result and diff show it; empty where there is none."""
        if observed is None:
            return {}
        return {
            "arn": observed.arn,
            "caller_reference": observed.config.get("CallerReference", ""),
            "config": plain(observed.config),
            "domain_name": observed.domain_name,
            "enabled": bool(observed.config.get("Enabled")),
            "etag": observed.etag,
            "id": observed.id,
            "name": self.wanted.name,
            "status": observed.status,
            "tags": dict(observed.tags),
        }


_REMEDIES = {
    "update": "If it was changed by someone else meanwhile, run again",
    "delete": "If it was changed by someone else meanwhile, run again",
}
