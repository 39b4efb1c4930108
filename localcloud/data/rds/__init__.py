# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS: each DB instance of PostgreSQL is one in a container of its own; of other engines moto keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Put containers behind moto's DB instances.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    import moto.rds.models as moto_models
    from moto.rds import urls

    from localcloud.data.copies import Copies
    from localcloud.data.figures import database_figures
    from localcloud.data.rds.instance import DBInstance, DBSnapshot, PostgresInstance, instances
    from localcloud.data.rds.lifecycle import Lifecycle
    from localcloud.data.rds.responses import PostgresResponse
    from localcloud.data.servers import Servers
    from localcloud.jobs import Jobs

    shape = ("DBInstance", "DBSnapshot", "DBParameterGroup")
    if list(urls.url_paths) != ["{0}/$"] or not all(hasattr(moto_models, name) for name in shape):
        raise RuntimeError("moto's RDS has another shape than expected: not the moto that requirements.txt pins")
    servers, jobs, copies = Servers(cloud), Jobs(), Copies(cloud)
    lifecycle = Lifecycle(cloud, servers, jobs, copies)
    cloud.reset_hooks.append(servers.remove_all)
    cloud.reset_hooks.append(copies.remove_all)
    PostgresInstance.cloud = DBSnapshot.cloud = PostgresResponse.cloud = cloud
    PostgresResponse.lifecycle = lifecycle
    PostgresResponse.describe_config = copies.describe_config
    moto_models.DBInstance = DBInstance
    moto_models.DBSnapshot = DBSnapshot
    urls.url_paths["{0}/$"] = PostgresResponse.dispatch
    cloud.status_providers["databases"] = lambda: _status(cloud, servers)
    cloud.metric_sources.append(lambda: database_figures(instances(), servers))
    lifecycle.watch()


def _status(cloud: Cloud, servers: Any) -> dict[str, Any]:
    from localcloud.data.rds.instance import instances

    return {
        instance.db_instance_identifier: {
            "engine": f"{instance.engine} {instance.engine_version}",
            "status": instance.status,
            "endpoint": f"{instance.address}:{instance.port}",
            "multi_az": instance.multi_az,
            "availability_zone": instance.availability_zone,
            "standby_zone": instance.secondary_availability_zone,
            "pending": sorted(instance.pending_modified_values),
            "region": instance.region,
            "container": servers.container(instance.key),
        }
        for instance in instances()
    }
