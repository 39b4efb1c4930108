# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What databases and caches tell CloudWatch each minute, read from the real servers.

Of the metrics that RDS and ElastiCache publish (user guides, "Amazon CloudWatch metrics for …"), those that a server
can be asked for at no cost: no processor load, which here is the machine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from localcloud.cloudwatch.metrics import Datum
from localcloud.data.elasticache.nodes import ADMINISTRATOR, options

if TYPE_CHECKING:
    from localcloud.data.elasticache.group import Member, ValkeyGroup
    from localcloud.data.rds.instance import PostgresInstance
    from localcloud.data.servers import Key, Servers

GIB = 2**30
ASK_DATABASE = """\
setpriv --reuid=postgres --regid=postgres --init-groups psql --username=rdsadmin --dbname=postgres --port="$PORT" \\
  --quiet --tuples-only --no-align --command="SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'rdsadmin'),
    (SELECT sum(pg_database_size(oid)) FROM pg_database)"
"""


def database_figures(instances: Iterable[PostgresInstance], servers: Servers) -> Iterator[Datum]:
    """Connections, and the storage that is left, in bytes, of each available DB instance."""
    for instance in instances:
        if instance.status != "available":
            continue
        told = servers.exec_run(instance.key, ("sh", "-c", ASK_DATABASE))
        if told.exit_code != 0:
            continue
        connections, used = (float(number) for number in told.output.split("|"))
        free = max(0.0, float(instance.allocated_storage) * GIB - used)
        dimensions = {"DBInstanceIdentifier": instance.db_instance_identifier}
        yield Datum(instance.region, "AWS/RDS", "DatabaseConnections", connections, dimensions)
        yield Datum(instance.region, "AWS/RDS", "FreeStorageSpace", free, dimensions)


class CacheFigures:
    """Memory, evictions and connections of each node of available replication groups."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._evicted: dict[Key, float] = {}

    def of(self, groups: Iterable[ValkeyGroup]) -> Iterator[Datum]:
        """Yield what there is to tell of these groups now."""
        for group in groups:
            if group.status == "available":
                for member in group.members:
                    yield from self._of(group, member)

    def _of(self, group: ValkeyGroup, member: Member) -> Iterator[Datum]:
        key = group.member_key(member)
        ask = ("sh", "-c", f"valkey-cli {options(group)} --user {ADMINISTRATOR} INFO")
        told = self._servers.exec_run(key, ask, {"REDISCLI_AUTH": group.secret})
        numbers = re.findall(r"^(\w+):(\d+(?:\.\d+)?)\r?$", told.output, re.MULTILINE)
        found = {name: float(value) for name, value in numbers}
        if told.exit_code != 0 or "used_memory" not in found:
            return
        evicted = found.get("evicted_keys", 0.0)
        figures = {
            "CurrConnections": found.get("connected_clients", 0.0),
            "Evictions": max(0.0, evicted - self._evicted.get(key, 0.0)),
        }
        self._evicted[key] = evicted
        if found.get("maxmemory"):
            figures["DatabaseMemoryUsagePercentage"] = 100 * found["used_memory"] / found["maxmemory"]
        for metric, value in figures.items():
            yield Datum(group.region, "AWS/ElastiCache", metric, value, {"CacheClusterId": member.name})
