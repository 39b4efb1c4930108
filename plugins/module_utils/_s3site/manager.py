# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site on S3, from the files on this machine to the objects of the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan
from ansible_collections.antenna.aws.plugins.module_utils._s3site import api
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import Site, SiteObject
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import (
    SitePlan,
    plan_site,
    projected,
    shown,
)


@dataclass(frozen=True)
class SiteManager:
    """Reads, plans and changes the objects of one site. ``now`` is the time of this run."""

    client: Any
    site: Site
    now: datetime

    def read(self) -> list[SiteObject]:
        """The objects below the site's prefix."""
        layout = self.site.layout
        with attempting(f"read the objects of the bucket {layout.bucket} below '{layout.prefix}'"):
            return api.read_objects(self.client, layout)

    def site_plan(self, observed: list[SiteObject]) -> SitePlan:
        """What turns these objects into the site."""
        return plan_site(self.site, observed, self.now)

    def plan(self, observed: list[SiteObject]) -> Plan:
        """The same, as people read it."""
        return self.site_plan(observed).steps()

    def apply(self, plan: Plan, observed: list[SiteObject]) -> None:
        """Upload, then mark, then delete."""
        layout = self.site.layout
        with attempting(f"upload the site to the bucket {layout.bucket}", "Make the bucket first if it is missing"):
            api.apply_plan(self.client, layout, self.site_plan(observed), self.now)

    def project(self, observed: list[SiteObject], plan: Plan) -> list[SiteObject]:
        """The objects as they would be."""
        return projected(self.site, observed, self.site_plan(observed), self.now)

    def view(self, observed: list[SiteObject]) -> dict[str, Any]:
        """The objects as the diff shows them."""
        return shown(observed)
