# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS, read side: the clusters of Elastic Beanstalk's environments beside what moto keeps."""

from __future__ import annotations

import moto.ecs.urls

from localcloud.ecs.clusters import Clusters
from localcloud.ecs.responses import ECSResponse, Readers
from localcloud.ecs.tasks import Agent


def hook(agent: Agent, clusters: Clusters) -> None:
    """Answer ECS's read operations from these clusters.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    if list(moto.ecs.urls.url_paths) != ["{0}/$"]:
        raise RuntimeError("moto's ECS has other URLs than expected: not the moto that is pinned")
    ECSResponse.readers = Readers(agent, clusters)
    moto.ecs.urls.url_paths["{0}/$"] = ECSResponse.dispatch
