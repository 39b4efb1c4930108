# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on platforms and the account."""

from __future__ import annotations

from moto.core.responses import ActionResult

from localcloud.elasticbeanstalk import platforms, views
from localcloud.elasticbeanstalk.responses.core import Core


class Platforms(Core):
    """Platforms, and the account's quotas."""

    def list_available_solution_stacks(self) -> ActionResult:
        names = [item.solution_stack for item in platforms.PLATFORMS]
        details = [{"SolutionStackName": name, "PermittedFileTypes": ["zip", "json"]} for name in names]
        return ActionResult({"SolutionStacks": names, "SolutionStackDetails": details})

    def list_platform_branches(self) -> ActionResult:
        found = platforms.branches(self._get_param("Filters") or [])
        page, token = self._page(found, lambda item: item.name, 100)
        return ActionResult({"PlatformBranchSummaryList": [views.branch(item) for item in page], **token})

    def list_platform_versions(self) -> ActionResult:
        page, token = self._page(platforms.versions(self._get_param("Filters") or []), lambda item: item.arn(""), 100)
        return ActionResult(
            {"PlatformSummaryList": [views.platform_summary(item, self.region) for item in page], **token}
        )

    def describe_platform_version(self) -> ActionResult:
        found = platforms.by_arn(self._needed("PlatformArn"), self.region)
        return ActionResult({"PlatformDescription": views.platform(found, self.region)})

    def describe_account_attributes(self) -> ActionResult:
        limits = self.services.quotas
        quotas = {
            "ApplicationQuota": limits.applications,
            "ApplicationVersionQuota": limits.versions,
            "EnvironmentQuota": limits.environments,
            "ConfigurationTemplateQuota": limits.templates,
            "CustomPlatformQuota": limits.platforms,
        }
        return ActionResult({"ResourceQuotas": {name: {"Maximum": value} for name, value in quotas.items()}})
