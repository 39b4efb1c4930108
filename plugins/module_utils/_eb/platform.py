# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which platform version to create an environment on, as the service recommends it at this moment."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.antenna.aws.plugins.module_utils._eb.api import call, pages

_PLATFORM_ARN = re.compile(r"^arn:[^:]+:elasticbeanstalk:[^:]*:[^:]*:platform/([^/]+)(/[^/]+)?$")


def recommended_platform(client: t.Any, branch: str) -> str:
    """Return the ARN of the branch's recommended version, or '' when the branch has none.

    The service says which version that is: sorting names has been seen to pick the oldest.
    """
    found = pages(
        f"read the platform versions of branch {branch!r}",
        client.list_platform_versions,
        "PlatformSummaryList",
        Filters=[
            {"Type": "PlatformBranchName", "Operator": "=", "Values": [branch]},
            {"Type": "PlatformLifecycleState", "Operator": "=", "Values": ["Recommended"]},
        ],
    )
    arns = [
        str(summary.get("PlatformArn", ""))
        for summary in found
        if summary.get("PlatformBranchName") == branch and summary.get("PlatformLifecycleState") == "Recommended"
    ]
    return arns[0] if arns else ""


def platform_branch(client: t.Any, platform_arn: str) -> str:
    """Return the branch of a platform version; the platform's own name where the service gives none."""
    if not platform_arn:
        return ""
    answer = call(f"read platform {platform_arn!r}", client.describe_platform_version, PlatformArn=platform_arn).get(
        "PlatformDescription", {}
    )
    return str(answer.get("PlatformBranchName") or platform_name(platform_arn))


def platform_name(platform_arn: str) -> str:
    """Return the name in a platform ARN, '' when it is none."""
    match = _PLATFORM_ARN.match(platform_arn)
    return match.group(1) if match else ""
