# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache: each node of a replication group is a Valkey in a container of its own; moto keeps the other kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.data.servers import Servers


def install(cloud: Cloud) -> None:
    """Put containers behind moto's replication groups.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    import moto.elasticache.models as moto_models
    from moto.elasticache import urls

    from localcloud.data.elasticache.group import ReplicationGroup, ValkeyGroup, groups
    from localcloud.data.elasticache.lifecycle import Lifecycle
    from localcloud.data.elasticache.responses import ValkeyResponse
    from localcloud.data.figures import CacheFigures
    from localcloud.data.servers import Servers
    from localcloud.jobs import Jobs

    if list(urls.url_paths) != ["{0}/$"] or not hasattr(moto_models, "ReplicationGroup"):
        raise RuntimeError(
            "moto's ElastiCache has another shape than expected: not the moto that requirements.txt pins"
        )
    servers = Servers(cloud)
    lifecycle = Lifecycle(cloud, servers, Jobs())
    cloud.reset_hooks.append(servers.remove_all)
    cloud.reset_hooks.append(lifecycle.forget)
    ValkeyGroup.cloud = ValkeyResponse.cloud = cloud
    ValkeyResponse.lifecycle = lifecycle
    moto_models.ReplicationGroup = ReplicationGroup
    urls.url_paths["{0}/$"] = ValkeyResponse.dispatch
    cloud.status_providers["caches"] = lambda: _status(cloud, servers)
    figures = CacheFigures(servers)
    cloud.metric_sources.append(lambda: figures.of(groups()))
    lifecycle.watch()


def _status(cloud: Cloud, servers: Servers) -> dict[str, Any]:
    from localcloud.data.elasticache.group import groups

    return {
        group.replication_group_id: {
            "engine": f"{group.engine} {group.engine_version}",
            "status": group.status,
            "endpoint": f"{group.primary_address}:{group.port}",
            "reader_endpoint": f"{group.reader_address}:{group.port}",
            "tls": group.transit_encryption_enabled,
            "region": group.region,
            "container": servers.container(group.member_key(group.primary)),
            "members": {
                member.name: {
                    "role": member.role,
                    "status": member.status,
                    "availability_zone": member.zone,
                    "container": servers.container(group.member_key(member)),
                }
                for member in group.members
            },
        }
        for group in groups()
    }
