# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS, ElastiCache and security groups: real servers, reached only where a rule lets one in."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from localcloud import images

PASSWORD = "Aa0!~._-Zz9"


@dataclass(frozen=True)
class Network:
    """A Docker network that counts as an instance in the security group `client_group`."""

    name: str
    vpc_id: str
    subnet_ids: list[str]
    client_group: str
    store_group: str

    def run(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        variables = [word for name, value in (environment or {}).items() for word in ("-e", f"{name}={value}")]
        return subprocess.run(
            ["docker", "run", "--rm", "--network", self.name, *variables, images.tag(), *command],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _admin(localcloud: Any, method: str, path: str, body: Any = None) -> None:
    request = urllib.request.Request(
        f"{localcloud.endpoint}/_localcloud/{path}", method=method, data=json.dumps(body).encode() if body else None
    )
    urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(scope="module")
def network(localcloud: Any) -> Iterator[Network]:
    ec2 = localcloud.client("ec2")
    vpc_id = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
        for name in ("data-client", "data-store")
    ]
    made = docker.from_env().networks.create("localcloud-test-data")
    instance = {"instance_id": "i-data", "network": made.name, "security_group_ids": [groups[0]]}
    _admin(localcloud, "POST", "instances", instance)
    try:
        yield Network(made.name, vpc_id, [item["SubnetId"] for item in subnets[:2]], *groups)
    finally:
        _admin(localcloud, "DELETE", "instances?instance_id=i-data")
        made.remove()


def _rule(network: Network, port: int) -> dict[str, Any]:
    pairs = [{"GroupId": network.client_group}]
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}
    return {"GroupId": network.store_group, "IpPermissions": [permission]}


def test_database_is_postgres_behind_the_firewall(localcloud: Any, network: Network) -> None:
    rds, ec2 = localcloud.client("rds"), localcloud.client("ec2")
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=network.subnet_ids)
    created = rds.create_db_instance(
        DBInstanceIdentifier="data",
        Engine="postgres",
        EngineVersion="17.6",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        StorageType="gp3",
        StorageEncrypted=True,
        MasterUsername="antenna",
        MasterUserPassword=PASSWORD,
        DBName="ants",
        VpcSecurityGroupIds=[network.store_group],
        DBSubnetGroupName="data",
        EnablePerformanceInsights=True,
    )["DBInstance"]
    assert created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in created
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="data", WaiterConfig={"Delay": 1})
    found = rds.describe_db_instances(DBInstanceIdentifier="data")["DBInstances"][0]
    assert found["StorageType"] == "gp3" and found["Iops"] == 3000
    assert found["PerformanceInsightsEnabled"] is True
    host = found["Endpoint"]["Address"]
    assert localcloud.status()["databases"]["data"]["status"] == "available"

    def query(sql: str, password: str = PASSWORD, mode: str = "prefer") -> subprocess.CompletedProcess[str]:
        url = f"postgresql://antenna@{host}:5432/ants?sslmode={mode}&connect_timeout=5"
        return network.run("psql", url, "-Atc", sql, environment={"PGPASSWORD": password})

    assert "could not translate host name" in query("SELECT 1").stderr
    ec2.authorize_security_group_ingress(**_rule(network, 5432))
    answer = query("SELECT split_part(version(), ' ', 2), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())")
    assert answer.stdout.startswith("17.") and answer.stdout.endswith("|t\n"), answer.stderr
    assert query("CREATE TABLE ant (name text)").returncode == 0
    assert query("CREATE DATABASE test_ants").returncode == 0
    assert "no encryption" in query("SELECT 1", mode="disable").stderr
    assert "password authentication failed" in query("SELECT 1", password="wrong-password").stderr

    rds.modify_db_instance(DBInstanceIdentifier="data", MasterUserPassword="Another-pass1", ApplyImmediately=True)
    assert query("SELECT count(*) FROM ant", password="Another-pass1").stdout == "0\n"
    ec2.revoke_security_group_ingress(**_rule(network, 5432))
    assert query("SELECT 1", password="Another-pass1").returncode != 0

    rds.delete_db_instance(DBInstanceIdentifier="data", SkipFinalSnapshot=True)
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="data")
    assert not docker.from_env().volumes.list(filters={"name": "rds-data"})


def test_subnet_group_outlives_its_modification(localcloud: Any, network: Network) -> None:
    rds = localcloud.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="moved", DBSubnetGroupDescription="a", SubnetIds=network.subnet_ids)
    rds.modify_db_subnet_group(
        DBSubnetGroupName="moved", DBSubnetGroupDescription="b", SubnetIds=network.subnet_ids[:1]
    )
    found = rds.describe_db_subnet_groups(DBSubnetGroupName="moved")["DBSubnetGroups"][0]
    assert found["DBSubnetGroupDescription"] == "b"
    assert [item["SubnetIdentifier"] for item in found["Subnets"]] == network.subnet_ids[:1]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Engine": "mysql"}, "mysql is not implemented here"),
        ({"EngineVersion": "16.4"}, "Cannot find version 16.4 for postgres"),
        ({"MasterUserPassword": "with/slash"}, "not a valid password"),
    ],
)
def test_database_that_cannot_be_is_refused(localcloud: Any, changed: dict[str, str], message: str) -> None:
    rds = localcloud.client("rds")
    wanted = {
        "DBInstanceIdentifier": "refused",
        "Engine": "postgres",
        "EngineVersion": "17",
        "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": 20,
        "MasterUsername": "antenna",
        "MasterUserPassword": PASSWORD,
        **changed,
    }
    with pytest.raises(rds.exceptions.ClientError, match=message):
        rds.create_db_instance(**wanted)
    assert "refused" not in localcloud.status()["databases"]


def test_cache_speaks_tls_only_behind_the_firewall(localcloud: Any, network: Network) -> None:
    cache, ec2 = localcloud.client("elasticache"), localcloud.client("ec2")
    cache.create_cache_subnet_group(
        CacheSubnetGroupName="data", CacheSubnetGroupDescription="data", SubnetIds=network.subnet_ids
    )
    created = cache.create_replication_group(
        ReplicationGroupId="Data-Redis",
        ReplicationGroupDescription="data",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.t4g.micro",
        NumCacheClusters=1,
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        CacheSubnetGroupName="data",
        SecurityGroupIds=[network.store_group],
        Tags=[{"Key": "a", "Value": "b"}],
    )["ReplicationGroup"]
    assert (created["ReplicationGroupId"], created["Status"]) == ("data-redis", "creating")
    cache.get_waiter("replication_group_available").wait(ReplicationGroupId="data-redis", WaiterConfig={"Delay": 1})
    group = cache.describe_replication_groups(ReplicationGroupId="data-redis")["ReplicationGroups"][0]
    assert group["TransitEncryptionMode"] == "required"
    host = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    assert host.startswith("master.data-redis.") and host.endswith(".usw2.cache.amazonaws.com")
    node = cache.describe_cache_clusters(CacheClusterId=group["MemberClusters"][0])["CacheClusters"][0]
    assert node["SecurityGroups"] == [{"SecurityGroupId": network.store_group, "Status": "active"}]
    assert (node["EngineVersion"], node["CacheSubnetGroupName"]) == ("7.1.0", "data")
    assert node["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"
    assert cache.list_tags_for_resource(ResourceName=group["ARN"])["TagList"] == [{"Key": "a", "Value": "b"}]

    ca = json.loads((localcloud.state_dir / "ready.json").read_text())["ca"]

    def ping(*options: str) -> str:
        command = ["docker", "run", "--rm", "--network", network.name, "-v", f"{ca}:/ca.pem:ro", images.tag()]
        command += ["timeout", "10", "valkey-cli", "-h", host, *options, "ping"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    tls = ("--tls", "--cacert", "/ca.pem", "--sni", host)
    assert "Name or service not known" in ping(*tls) or "not connect" in ping(*tls)
    ec2.authorize_security_group_ingress(**_rule(network, 6379))
    assert ping(*tls) == "PONG\n"
    assert "PONG" not in ping()
    ec2.revoke_security_group_ingress(**_rule(network, 6379))

    cache.modify_replication_group(
        ReplicationGroupId="data-redis", SnapshotRetentionLimit=2, SecurityGroupIds=[network.client_group]
    )
    node = cache.describe_cache_clusters(CacheClusterId="data-redis-001")["CacheClusters"][0]
    assert (node["SnapshotRetentionLimit"], node["SecurityGroups"][0]["SecurityGroupId"]) == (2, network.client_group)
    with pytest.raises(cache.exceptions.ClientError, match="CacheSubnetGroupInUse"):
        cache.delete_cache_subnet_group(CacheSubnetGroupName="data")
    cache.delete_replication_group(ReplicationGroupId="data-redis")
    with pytest.raises(cache.exceptions.ReplicationGroupNotFoundFault):
        cache.describe_replication_groups(ReplicationGroupId="data-redis")
    cache.delete_cache_subnet_group(CacheSubnetGroupName="data")


def test_replicas_are_counted(localcloud: Any) -> None:
    cache = localcloud.client("elasticache")
    group = cache.create_replication_group(
        ReplicationGroupId="two", ReplicationGroupDescription="two", NumCacheClusters=2, Engine="valkey"
    )["ReplicationGroup"]
    assert group["MemberClusters"] == ["two-001", "two-002"]
    cache.increase_replica_count(ReplicationGroupId="two", NewReplicaCount=2, ApplyImmediately=True)
    nodes = cache.describe_cache_clusters()["CacheClusters"]
    assert [node["CacheClusterId"] for node in nodes] == ["two-001", "two-002", "two-003"]
    cache.delete_replication_group(ReplicationGroupId="two")


def test_master_password_is_only_in_a_private_file(localcloud: Any) -> None:
    rds = localcloud.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="secretive",
        Engine="postgres",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        MasterUsername="antenna",
        MasterUserPassword=PASSWORD,
    )
    try:
        inspected = docker.from_env().api.inspect_container(localcloud.status()["databases"]["secretive"]["container"])
        assert PASSWORD not in json.dumps(inspected)
        holders = [path for path in Path(localcloud.state_dir).rglob("*") if _holds(path, PASSWORD)]
        assert {path.name for path in holders} == {"password"}
        assert all(path.stat().st_mode & 0o077 == 0 for path in holders)
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="secretive", SkipFinalSnapshot=True)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text in path.read_text(errors="replace")
