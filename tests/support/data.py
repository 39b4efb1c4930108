# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases and caches as contract tests look at them."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

PASSWORD = "Aa0!~._-Zz9"
TOKEN = "a-token-of-16-and-more"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Network:
    """A Docker network that counts as an instance in the security group `client_group`, and a client there."""

    cloud: Any
    name: str
    client: str
    subnet_ids: list[str]
    client_group: str
    store_group: str

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> Done:
        variables = [word for name, value in (environment or {}).items() for word in ("-e", f"{name}={value}")]
        words = ["docker", "exec", *variables, self.client, "timeout", "20", *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    def rule(self, port: int) -> dict[str, Any]:
        """Parameters of the rule that lets the client in on a port."""
        pairs = [{"GroupId": self.client_group}]
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}
        return {"GroupId": self.store_group, "IpPermissions": [permission]}


@dataclass(frozen=True)
class Database:
    """A DB instance, and who looks into it."""

    network: Network
    name: str

    @property
    def rds(self) -> Any:
        return self.network.cloud.client("rds")

    def shown(self) -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0])

    def available(self) -> dict[str, Any]:
        """As it is once nothing is under way."""
        return dict(eventually(self.shown, lambda it: it["DBInstanceStatus"] == "available" and not _changing(it)))

    def modify(self, **changes: Any) -> dict[str, Any]:
        return self.call("modify_db_instance", **changes)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation as soon as nothing else is under way: a backup may begin at any time."""

        def attempt() -> dict[str, Any]:
            with contextlib.suppress(self.rds.exceptions.InvalidDBInstanceStateFault):
                return dict(getattr(self.rds, operation)(DBInstanceIdentifier=self.name, **arguments)["DBInstance"])
            return {}

        return dict(eventually(attempt, bool))

    def query(self, sql: str, password: str = PASSWORD, mode: str = "prefer") -> Done:
        endpoint = self.shown()["Endpoint"]
        url = f"postgresql://antenna@{endpoint['Address']}:{endpoint['Port']}/ants?sslmode={mode}&connect_timeout=5"
        return self.network.run("psql", url, "-Atc", sql, environment={"PGPASSWORD": password})

    def events(self) -> list[str]:
        found = self.rds.describe_events(SourceIdentifier=self.name, SourceType="db-instance")["Events"]
        return [event["Message"] for event in found]


@dataclass(frozen=True)
class Cache:
    """A replication group with TLS, and who looks into it."""

    network: Network
    name: str

    @property
    def elasticache(self) -> Any:
        return self.network.cloud.client("elasticache")

    def shown(self) -> dict[str, Any]:
        found = self.elasticache.describe_replication_groups(ReplicationGroupId=self.name)["ReplicationGroups"]
        return dict(found[0])

    def available(self) -> dict[str, Any]:
        """As it is once nothing is under way."""
        return dict(eventually(self.shown, lambda it: it["Status"] == "available" and not it["PendingModifiedValues"]))

    def modify(self, **changes: Any) -> dict[str, Any]:
        changed = self.elasticache.modify_replication_group(ReplicationGroupId=self.name, **changes)
        return dict(changed["ReplicationGroup"])

    def roles(self) -> dict[str, str]:
        """The role of each member."""
        members = self.shown()["NodeGroups"][0]["NodeGroupMembers"]
        return {member["CacheClusterId"]: member["CurrentRole"] for member in members}

    def cluster(self) -> dict[str, Any]:
        """One of the members as DescribeCacheClusters shows it."""
        name = self.shown()["MemberClusters"][0]
        found = self.elasticache.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)
        return dict(found["CacheClusters"][0])

    def tell(
        self, *command: str, endpoint: str = "PrimaryEndpoint", token: str | None = TOKEN, tls: bool = True
    ) -> str:
        """What the server behind the endpoint answers."""
        host = self.shown()["NodeGroups"][0][endpoint]["Address"]
        options = ("--tls", "--cacert", "/ca.pem", "--sni", host) if tls else ()
        words = ("valkey-cli", "--no-auth-warning", "-h", host, *options, *command)
        done = self.network.run(*words, environment={"REDISCLI_AUTH": token} if token else {})
        return (done.stdout + done.stderr).strip()

    def events(self) -> list[str]:
        return [event["Message"] for event in self.elasticache.describe_events()["Events"]]


def _changing(shown: Mapping[str, Any]) -> bool:
    statuses = {group["ParameterApplyStatus"] for group in shown["DBParameterGroups"]}
    return bool(shown["PendingModifiedValues"]) or "applying" in statuses


def eventually(look: Callable[[], Any], goal: Callable[[Any], bool], timeout: float = 60) -> Any:
    """What `look` returns once `goal` holds for it: containers take their time, whatever the cloud's clock says."""
    deadline = time.monotonic() + timeout
    while not goal(found := look()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {found}"
        time.sleep(0.1)
    return found


def figures(cloud: Any, namespace: str, metric: str, **dimensions: str) -> list[float]:
    """The newest averages that CloudWatch has of a metric, by the cloud's time."""
    now = cloud.advance(0)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=600,
        Statistics=["Average"],
    )
    return [float(point["Average"]) for point in found["Datapoints"]]
