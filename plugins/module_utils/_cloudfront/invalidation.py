# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An invalidation: found again by its caller reference, made where it is not, awaited where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._cloudfront import api
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    UNKNOWN,
    InvalidationObserved,
    InvalidationWanted,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import plan_invalidation
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan


@dataclass
class InvalidationManager:
    """Makes one invalidation, once.

    ``lookback`` is how many of the newest invalidations are read to find the reference again: CloudFront lists only
    ids. ``timeout`` is in seconds.
    """

    client: Any
    wanted: InvalidationWanted
    clock: Clock
    timeout: float
    lookback: int
    repeated: bool = field(default=False, init=False)
    _earlier: tuple[str, ...] = field(default=(), init=False)
    _made: str = field(default="", init=False)

    def read(self) -> InvalidationObserved | None:
        """The invalidation with the wanted reference, where it is among the newest."""
        if not self.wanted.paths or self.wanted.distribution_id == UNKNOWN:
            return None
        with attempting(f"read the invalidations of distribution {self.wanted.distribution_id}"):
            if self._made:
                return api.get_invalidation(self.client, self.wanted.distribution_id, self._made)
            self._earlier = tuple(api.invalidation_ids(self.client, self.wanted.distribution_id))
            return self._found(self.lookback)

    def _found(self, lookback: int) -> InvalidationObserved | None:
        for invalidation_id in self._earlier[:lookback]:
            found = api.get_invalidation(self.client, self.wanted.distribution_id, invalidation_id)
            if found.caller_reference == self.wanted.caller_reference:
                return found
        return None

    def plan(self, observed: InvalidationObserved | None) -> Plan:
        """The one step to what is wanted, or none."""
        return plan_invalidation(self.wanted, observed)

    def apply(self, plan: Plan, observed: InvalidationObserved | None) -> None:
        """Make the invalidation; while too many are in progress, wait for room."""
        wait = Wait[InvalidationObserved | None](
            what=f"room for another invalidation of distribution {self.wanted.distribution_id}",
            done=lambda made: made is not None,
            seen=lambda made: "too many invalidations in progress",
            timeout=self.timeout,
            poll=1.0,
            remedy="Invalidate fewer paths, such as /*, or give a longer wait_timeout",
        )
        made = wait.until_done(self._attempt, self.clock)
        if made is None:
            return
        self._made = made.id
        # CloudFront knew the reference, though it was older than what was read: nothing was done.
        self.repeated = made.id in self._earlier

    def _attempt(self) -> InvalidationObserved | None:
        wanted = self.wanted
        try:
            with attempting(f"invalidate {len(wanted.paths)} paths of distribution {wanted.distribution_id}"):
                return api.create_invalidation(
                    self.client, wanted.distribution_id, wanted.paths, wanted.caller_reference
                )
        except AwsError as error:
            if error.code == "TooManyInvalidationsInProgress":
                return None
            if error.code == "InvalidationBatchAlreadyExists":
                raise AntennaError(
                    f"The caller reference {wanted.caller_reference} was used before for other paths of distribution "
                    f"{wanted.distribution_id}. Give another caller_reference, or content."
                ) from error
            raise

    def completed(self, observed: InvalidationObserved) -> InvalidationObserved:
        """Wait until no edge serves the old content, and return the invalidation as it is then."""

        def look() -> InvalidationObserved:
            with attempting(f"read the invalidation {observed.id}"):
                return api.get_invalidation(self.client, self.wanted.distribution_id, observed.id)

        wait = Wait[InvalidationObserved](
            what=f"the invalidation {observed.id} of distribution {self.wanted.distribution_id} to complete",
            done=lambda seen: seen.completed,
            seen=lambda seen: f"status {seen.status}",
            timeout=self.timeout,
            poll=1.0,
            remedy="It goes on by itself; run again to wait longer",
        )
        return wait.until_done(look, self.clock)

    def project(self, observed: InvalidationObserved | None, plan: Plan) -> InvalidationObserved:
        """The invalidation as it would be."""
        return InvalidationObserved(UNKNOWN, "InProgress", self.wanted.caller_reference, self.wanted.paths)

    def view(self, observed: InvalidationObserved | None) -> dict[str, Any]:
        """The invalidation as result and diff show it; empty where there is none."""
        if observed is None:
            return {}
        return {
            "caller_reference": observed.caller_reference,
            "id": observed.id,
            "paths": sorted(observed.paths),
            "status": "Completed" if observed.completed else observed.status,
        }
