# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk, with instances that really run the bundle's containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Answer Elastic Beanstalk's and ECS's APIs from here on.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    # ECS runs what our bundles define, and we run what ECS offers: neither package imports the other on its own.
    from localcloud.elasticbeanstalk import service

    service.install(cloud)
