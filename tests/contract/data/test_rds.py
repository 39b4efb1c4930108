# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS: a real PostgreSQL whose states take time, which keeps what it is told, and whose data outlive it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.support.data import PASSWORD, Database, Network, eventually, figures

CREATED = {
    "AllocatedStorage": 25,
    "AutoMinorVersionUpgrade": False,
    "BackupRetentionPeriod": 3,
    "CACertificateIdentifier": "rds-ca-ecc384-g1",
    "CopyTagsToSnapshot": True,
    "DBInstanceClass": "db.t4g.small",
    "DBName": "ants",
    "DatabaseInsightsMode": "advanced",
    "DeletionProtection": True,
    "Engine": "postgres",
    "EngineVersion": "17.7",
    "MasterUsername": "antenna",
    "MaxAllocatedStorage": 100,
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
    "MultiAZ": True,
    "NetworkType": "IPV4",
    "PreferredBackupWindow": "04:00-04:30",
    "PreferredMaintenanceWindow": "tue:02:00-tue:02:30",
    "PubliclyAccessible": False,
    "StorageEncrypted": True,
    "StorageType": "gp3",
}
"""Members that DescribeDBInstances shows under the name and with the value that CreateDBInstance was given."""

SHOWN_OTHERWISE = {
    "DBParameterGroupName": (
        "DBParameterGroups",
        [{"DBParameterGroupName": "ants", "ParameterApplyStatus": "in-sync"}],
    ),
    "EnableCloudwatchLogsExports": ("EnabledCloudwatchLogsExports", ["postgresql"]),
    "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", True),
    "EnablePerformanceInsights": ("PerformanceInsightsEnabled", True),
    "PerformanceInsightsRetentionPeriod": ("PerformanceInsightsRetentionPeriod", 31),
    "Tags": ("TagList", [{"Key": "Project", "Value": "ants"}]),
}
"""Parameters of CreateDBInstance, and the members and values in which they appear."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
GIVEN: dict[str, Any] = {
    "DBParameterGroupName": "ants",
    "EnableCloudwatchLogsExports": ["postgresql"],
    "EnableIAMDatabaseAuthentication": True,
    "EnablePerformanceInsights": True,
    "PerformanceInsightsRetentionPeriod": 31,
    "Tags": [{"Key": "Project", "Value": "ants"}],
}


@pytest.fixture(scope="module")
def database(localcloud: Any, network: Network) -> Iterator[Database]:
    """Multi-AZ, with a parameter group of its own, and open to the client."""
    rds, kms = localcloud.client("rds"), localcloud.client("kms")
    rds.create_db_subnet_group(DBSubnetGroupName="ants", DBSubnetGroupDescription="a", SubnetIds=network.subnet_ids)
    localcloud.client("iam").create_role(RoleName="monitoring", AssumeRolePolicyDocument=json.dumps(TRUST))
    rds.create_db_parameter_group(DBParameterGroupName="ants", DBParameterGroupFamily="postgres17", Description="a")
    created = rds.create_db_instance(
        DBInstanceIdentifier="Ants",
        MasterUserPassword=PASSWORD,
        VpcSecurityGroupIds=[network.store_group],
        DBSubnetGroupName="ants",
        KmsKeyId=kms.create_key()["KeyMetadata"]["KeyId"],
        **CREATED,
        **GIVEN,
    )["DBInstance"]
    assert (created["DBInstanceStatus"], created.get("Endpoint")) == ("creating", None)
    localcloud.client("ec2").authorize_security_group_ingress(**network.rule(5432))
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="ants", WaiterConfig={"Delay": 1})
    made = Database(network, "ants")
    assert made.query("CREATE TABLE ant (name text)").returncode == 0
    yield made
    made.available()
    made.modify(DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier="ants", SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="ants", WaiterConfig={"Delay": 1})


@pytest.mark.parametrize("member", sorted({*CREATED, *SHOWN_OTHERWISE}))
def test_creation_is_kept(database: Database, member: str) -> None:
    shown = database.shown()
    name, value = SHOWN_OTHERWISE.get(member, (member, CREATED.get(member)))
    assert shown[name] == value


def test_creation_is_completed(database: Database, network: Network) -> None:
    shown = database.shown()
    assert shown["Endpoint"]["Address"].startswith("ants.") and shown["Endpoint"]["Port"] == 5432
    assert (shown["Iops"], shown["StorageThroughput"]) == (3000, 125)
    assert shown["KmsKeyId"].startswith("arn:aws:kms:us-west-2:")
    assert [group["VpcSecurityGroupId"] for group in shown["VpcSecurityGroups"]] == [network.store_group]
    assert shown["DBSubnetGroup"]["DBSubnetGroupName"] == "ants"
    assert {shown["AvailabilityZone"], shown["SecondaryAvailabilityZone"]} == {"us-west-2a", "us-west-2b"}
    assert shown["OptionGroupMemberships"] == [{"OptionGroupName": "default:postgres-17", "Status": "in-sync"}]
    status = network.cloud.status()["databases"]["ants"]
    assert (status["status"], status["multi_az"], status["engine"]) == ("available", True, "postgres 17.7")


def test_database_is_postgres_behind_the_firewall(database: Database, network: Network) -> None:
    ec2 = network.cloud.client("ec2")
    answer = database.query("SELECT split_part(version(), ' ', 2), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert answer.stdout.startswith("17.") and answer.stdout.endswith("|t\n"), answer.stderr
    assert database.query("CREATE DATABASE test_ants").returncode == 0
    assert "password authentication failed" in database.query("SELECT 1", password="wrong-password").stderr
    ec2.revoke_security_group_ingress(**network.rule(5432))
    assert "could not translate host name" in database.query("SELECT 1").stderr
    ec2.authorize_security_group_ingress(**network.rule(5432))
    assert database.query("SELECT 1").stdout == "1\n"


AT_ONCE = {
    "AutoMinorVersionUpgrade": True,
    "BackupRetentionPeriod": 4,
    "CopyTagsToSnapshot": False,
    "DatabaseInsightsMode": "standard",
    "MaxAllocatedStorage": 200,
    "MonitoringInterval": 0,
    "PreferredBackupWindow": "05:00-05:30",
    "PreferredMaintenanceWindow": "wed:03:00-wed:03:30",
    "PubliclyAccessible": True,
}


def test_it_tells_cloudwatch_each_minute(localcloud: Any, database: Database) -> None:
    localcloud.advance(61)
    free = eventually(lambda: figures(localcloud, "AWS/RDS", "FreeStorageSpace", DBInstanceIdentifier="ants"), bool)
    assert 0 < free[0] < database.shown()["AllocatedStorage"] * 2**30
    assert figures(localcloud, "AWS/RDS", "DatabaseConnections", DBInstanceIdentifier="ants")[0] >= 0


def test_some_changes_never_wait(database: Database) -> None:
    database.modify(
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["postgresql"]},
        **AT_ONCE,
    )
    shown = database.available()
    assert {name: shown[name] for name in AT_ONCE} == AT_ONCE
    assert shown["EnabledCloudwatchLogsExports"] == ["upgrade"]


def test_other_changes_wait_for_the_window_or_the_next_immediate_one(localcloud: Any, database: Database) -> None:
    pending = {"DBInstanceClass": "db.t4g.medium", "EngineVersion": "17.8", "AllocatedStorage": 40}
    database.modify(**pending)
    shown = database.shown()
    assert (shown["DBInstanceStatus"], shown["PendingModifiedValues"]) == ("available", pending)
    assert shown["DBInstanceClass"] == "db.t4g.small"
    database.modify(AllocatedStorage=25)
    assert "AllocatedStorage" not in database.shown()["PendingModifiedValues"]
    localcloud.advance(7 * 24 * 3600)
    shown = database.available()
    assert (shown["DBInstanceClass"], shown["EngineVersion"]) == ("db.t4g.medium", "17.8")
    assert "Finished applying modification to DB instance class" in database.events()

    database.modify(Iops=4000)
    assert database.shown()["PendingModifiedValues"] == {"Iops": 4000}
    database.modify(StorageThroughput=250, ApplyImmediately=True)
    shown = database.available()
    assert (shown["Iops"], shown["StorageThroughput"]) == (4000, 250)


def test_password_and_port_are_changed_at_once(database: Database, network: Network) -> None:
    changed = database.modify(MasterUserPassword="Another-pass1", DBPortNumber=5433)
    assert changed["PendingModifiedValues"] == {"MasterUserPassword": "****", "Port": 5433}
    assert database.available()["Endpoint"]["Port"] == 5433
    ec2 = network.cloud.client("ec2")
    assert "could not translate" in database.query("SELECT 1", "Another-pass1").stderr
    ec2.authorize_security_group_ingress(**network.rule(5433))
    assert database.query("SELECT 1", "Another-pass1").stdout == "1\n"
    database.modify(MasterUserPassword=PASSWORD)
    database.available()
    assert database.query("SELECT 1").stdout == "1\n"
    assert "Reset master credentials" in database.events()


def test_dynamic_parameters_are_felt_at_once(database: Database) -> None:
    assert "no encryption" in database.query("SELECT 1", mode="disable").stderr
    _set_parameter(database, "rds.force_ssl", "0", "immediate")
    assert database.available()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    assert database.query("SELECT 1", mode="disable").stdout == "1\n"
    _set_parameter(database, "log_min_duration_statement", "250", "immediate")
    database.available()
    assert database.query("SHOW log_min_duration_statement").stdout == "250ms\n"
    found = _parameters(database, Source="user")
    assert {name: item["ParameterValue"] for name, item in found.items()} == {
        "rds.force_ssl": "0",
        "log_min_duration_statement": "250",
    }
    database.rds.reset_db_parameter_group(DBParameterGroupName="ants", ResetAllParameters=True)
    database.available()
    assert "no encryption" in database.query("SELECT 1", mode="disable").stderr


def test_static_parameters_wait_for_a_reboot(database: Database) -> None:
    # 4 GiB of db.t4g.medium by the formula of the default.
    assert database.query("SHOW max_connections").stdout == "450\n"
    _set_parameter(database, "max_connections", "60", "pending-reboot")
    assert database.shown()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    assert database.query("SHOW max_connections").stdout == "450\n"
    assert database.call("reboot_db_instance")["DBInstanceStatus"] == "rebooting"
    assert database.available()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    assert database.query("SHOW max_connections").stdout == "60\n"


@pytest.mark.parametrize(
    ("name", "value", "method", "message"),
    [
        ("no_such", "1", "immediate", "Could not find parameter with name: no_such"),
        ("max_connections", "60", "immediate", "cannot use immediate apply method for static parameter"),
        ("max_connections", "many", "pending-reboot", "Invalid parameter value: many for: max_connections allowed"),
        ("rds.force_ssl", "2", "immediate", "Invalid parameter value: 2 for: rds.force_ssl allowed values are: 0,1"),
        ("data_directory", "/", "pending-reboot", "data_directory cannot be modified"),
    ],
)
def test_parameters_are_checked(database: Database, name: str, value: str, method: str, message: str) -> None:
    with pytest.raises(database.rds.exceptions.ClientError, match=message):
        _set_parameter(database, name, value, method)


def test_default_parameters_are_those_of_the_family(localcloud: Any, database: Database) -> None:
    shown = _parameters(database, group="default.postgres17")
    assert len(shown) > 300
    assert shown["rds.force_ssl"]["ParameterValue"] == "1"
    assert shown["max_connections"]["ApplyType"] == "static"
    rds = localcloud.client("rds")
    with pytest.raises(rds.exceptions.ClientError, match="not a valid identifier"):
        _set_parameter(database, "rds.force_ssl", "0", "immediate", group="default.postgres17")
    with pytest.raises(rds.exceptions.InvalidDBParameterGroupStateFault, match="still members of this parameter group"):
        rds.delete_db_parameter_group(DBParameterGroupName="ants")


def test_failover_moves_the_endpoint_and_keeps_the_data(database: Database, network: Network) -> None:
    before = database.shown()
    container = network.cloud.status()["databases"]["ants"]["container"]
    assert database.query("INSERT INTO ant VALUES ('before the failover')").returncode == 0
    database.call("reboot_db_instance", ForceFailover=True)
    after = database.available()
    assert after["Endpoint"] == before["Endpoint"]
    assert after["AvailabilityZone"] == before["SecondaryAvailabilityZone"]
    assert after["SecondaryAvailabilityZone"] == before["AvailabilityZone"]
    assert network.cloud.status()["databases"]["ants"]["container"] != container
    assert database.query("SELECT name FROM ant").stdout == "before the failover\n"
    assert database.events()[-4:] == [
        "Multi-AZ instance failover started.",
        "DB instance restarted",
        "The user requested a failover of the DB instance.",
        "Multi-AZ instance failover completed",
    ]


def test_standby_takes_over_from_a_host_that_fails(database: Database, network: Network) -> None:
    zone, before = database.shown()["AvailabilityZone"], database.events()
    docker.from_env().containers.get(network.cloud.status()["databases"]["ants"]["container"]).kill()
    eventually(database.events, lambda events: "Multi-AZ instance failover completed" in events[len(before) :])
    assert database.shown()["AvailabilityZone"] != zone
    assert database.query("SELECT name FROM ant").stdout == "before the failover\n"


def test_snapshots_hold_the_data_of_their_moment(database: Database, network: Network) -> None:
    rds = database.rds
    assert database.query("DELETE FROM ant; INSERT INTO ant VALUES ('kept')").returncode == 0
    snapshot = rds.create_db_snapshot(DBInstanceIdentifier="ants", DBSnapshotIdentifier="moment")["DBSnapshot"]
    assert (snapshot["Status"], snapshot["PercentProgress"]) == ("creating", 0)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="moment", WaiterConfig={"Delay": 1})
    database.available()
    assert database.query("INSERT INTO ant VALUES ('later')").returncode == 0
    between = datetime.fromisoformat(network.cloud.admin("GET", "clock")["now"])
    assert database.query("DELETE FROM ant").returncode == 0

    restored = Database(network, "ants-restored")
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=restored.name,
        DBSnapshotIdentifier="moment",
        VpcSecurityGroupIds=[network.store_group],
        DBSubnetGroupName="ants",
    )
    latest = Database(network, "ants-latest")
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="ants",
        TargetDBInstanceIdentifier=latest.name,
        UseLatestRestorableTime=True,
        VpcSecurityGroupIds=[network.store_group],
        DBSubnetGroupName="ants",
    )
    past = Database(network, "ants-past")
    of_the_past = {
        "SourceDBInstanceIdentifier": "ants",
        "TargetDBInstanceIdentifier": past.name,
        "VpcSecurityGroupIds": [network.store_group],
        "DBSubnetGroupName": "ants",
    }
    for wrong, words in ((timedelta(days=1), "to a time later than"), (timedelta(days=-9), "to a time earlier than")):
        with pytest.raises(rds.exceptions.ClientError, match=words):
            rds.restore_db_instance_to_point_in_time(RestoreTime=between + wrong, **of_the_past)
    rds.restore_db_instance_to_point_in_time(RestoreTime=between, **of_the_past)
    for made in (restored, latest, past):
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=made.name, WaiterConfig={"Delay": 1})
    shown = restored.shown()
    assert {"MultiAZ": False, "DeletionProtection": False}.items() <= shown.items()
    assert (shown["DBInstanceClass"], shown["AllocatedStorage"]) == ("db.t4g.medium", 25)
    assert restored.query("SELECT name FROM ant").stdout == "kept\n"
    assert latest.query("SELECT name FROM ant").stdout == ""
    assert past.query("SELECT name FROM ant ORDER BY 1").stdout == "kept\nlater\n"
    assert past.query("INSERT INTO ant VALUES ('again')").returncode == 0
    assert restored.query("INSERT INTO ant VALUES ('last')").returncode == 0

    rds.delete_db_instance(DBInstanceIdentifier=past.name, SkipFinalSnapshot=True)
    for made in (restored, latest):
        rds.delete_db_instance(DBInstanceIdentifier=made.name, FinalDBSnapshotIdentifier=f"{made.name}-final")
    for made in (restored, latest):
        rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=made.name, WaiterConfig={"Delay": 1})
    found = rds.describe_db_snapshots(DBSnapshotIdentifier="ants-latest-final")["DBSnapshots"][0]
    assert (found["Status"], found["SnapshotType"], found["Encrypted"]) == ("available", "manual", True)
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=restored.name,
        DBSnapshotIdentifier="ants-restored-final",
        VpcSecurityGroupIds=[network.store_group],
        DBSubnetGroupName="ants",
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=restored.name, WaiterConfig={"Delay": 1})
    # What was written when nothing but the end was to come is there, too.
    assert restored.query("SELECT name FROM ant ORDER BY 1").stdout == "kept\nlast\n"
    rds.delete_db_instance(DBInstanceIdentifier=restored.name, SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=restored.name, WaiterConfig={"Delay": 1})
    for name in ("moment", "ants-restored-final", "ants-latest-final"):
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.describe_db_snapshots(DBSnapshotIdentifier="moment")
    assert not docker.from_env().volumes.list(filters={"name": "snapshot-moment"})


def test_backups_are_made_every_day_and_kept_as_long_as_told(localcloud: Any, database: Database) -> None:
    def backups() -> list[str]:
        found = database.rds.describe_db_snapshots(DBInstanceIdentifier="ants", SnapshotType="automated")
        return [item["DBSnapshotIdentifier"] for item in found["DBSnapshots"] if item["Status"] == "available"]

    before = backups()
    localcloud.advance(24 * 3600)
    eventually(backups, lambda found: len(set(found) - set(before)) == 1)
    database.available()
    with pytest.raises(database.rds.exceptions.ClientError, match="Only manual snapshots may be deleted"):
        database.rds.delete_db_snapshot(DBSnapshotIdentifier=before[0])
    localcloud.advance(5 * 24 * 3600)
    eventually(backups, lambda found: not set(found) & set(before))
    database.available()


def test_stopped_instance_starts_again_after_seven_days(localcloud: Any, database: Database) -> None:
    assert database.call("stop_db_instance")["DBInstanceStatus"] == "stopping"
    eventually(database.shown, lambda it: it["DBInstanceStatus"] == "stopped")
    with pytest.raises(database.rds.exceptions.InvalidDBInstanceStateFault, match="not in available state"):
        database.rds.modify_db_instance(DBInstanceIdentifier="ants", AllocatedStorage=50)
    localcloud.advance(7 * 24 * 3600)
    database.available()
    assert any("exceeding the maximum allowed time being stopped" in event for event in database.events())
    assert database.query("SELECT count(*) FROM ant").returncode == 0


def test_deletion_is_refused_until_all_is_said(localcloud: Any, database: Database) -> None:
    rds = database.rds
    with pytest.raises(rds.exceptions.ClientError, match="Cannot delete protected DB Instance"):
        rds.delete_db_instance(DBInstanceIdentifier="ants", SkipFinalSnapshot=True)
    _create(localcloud, "short-lived", BackupRetentionPeriod=0)
    with pytest.raises(rds.exceptions.ClientError, match="FinalDBSnapshotIdentifier is required unless"):
        rds.delete_db_instance(DBInstanceIdentifier="short-lived")
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="short-lived", WaiterConfig={"Delay": 1})
    with pytest.raises(rds.exceptions.ClientError, match="ForceFailover cannot be specified since the instance is not"):
        rds.reboot_db_instance(DBInstanceIdentifier="short-lived", ForceFailover=True)
    localcloud.admin("POST", "latency", {"rds.delete": 3600})
    try:
        deleted = rds.delete_db_instance(DBInstanceIdentifier="short-lived", SkipFinalSnapshot=True)["DBInstance"]
        assert deleted["DBInstanceStatus"] == "deleting"
        assert Database(database.network, "short-lived").shown()["DBInstanceStatus"] == "deleting"
        with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault, match="already being deleted"):
            rds.delete_db_instance(DBInstanceIdentifier="short-lived", SkipFinalSnapshot=True)
        localcloud.advance(3600)
        rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="short-lived", WaiterConfig={"Delay": 1})
    finally:
        localcloud.admin("DELETE", "latency")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="short-lived")
    assert not docker.from_env().volumes.list(filters={"name": "rds-short-lived"})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"MasterUserPassword": ""}, "The parameter MasterUserPassword must be provided"),
        ({"MasterUsername": ""}, "The parameter MasterUsername must be provided"),
        ({"ManageMasterUserPassword": True}, "a password that RDS is to manage"),
        ({"EngineVersion": "16.4"}, "Cannot find version 16.4 for postgres"),
        ({"EngineVersion": "17.6"}, "Cannot find version 17.6 for postgres"),
        ({"MasterUserPassword": "with/slash"}, "not a valid password"),
        ({"MultiAZ": True, "AvailabilityZone": "us-west-2a"}, "not valid for Multi-AZ instances"),
        ({"BackupRetentionPeriod": 36}, "must be between 0 and 35"),
        ({"MonitoringInterval": 20}, "Invalid monitoring interval: 20"),
        ({"MonitoringInterval": 60}, "A MonitoringRoleARN value is required"),
        ({"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/none"}, "ENHANCED_MONITORING"),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
        ({"Domain": "d-1"}, "InvalidAction.*Domain is not implemented here"),
    ],
)
def test_database_that_cannot_be_is_refused(localcloud: Any, changed: dict[str, Any], message: str) -> None:
    rds = localcloud.client("rds")
    with pytest.raises(rds.exceptions.ClientError, match=message):
        _create(localcloud, "refused", **changed)
    assert "refused" not in localcloud.status()["databases"]


def test_rds_makes_the_master_password_and_renews_it(localcloud: Any, database: Database) -> None:
    rds = database.rds
    shown = database.modify(ManageMasterUserPassword=True)
    assert shown["MasterUserSecret"]["SecretStatus"] == "creating"
    secret = shown["MasterUserSecret"]["SecretArn"]
    made = _managed_password(localcloud, database, secret)
    with pytest.raises(rds.exceptions.ClientError, match="while RDS manages the password"):
        database.modify(MasterUserPassword=PASSWORD)
    database.modify(RotateMasterUserPassword=True, ApplyImmediately=True)
    renewed = _managed_password(localcloud, database, secret)
    assert renewed != made
    assert database.query("SELECT 1", password=renewed).returncode == 0
    assert database.query("SELECT 1", password=made).returncode != 0
    database.modify(ManageMasterUserPassword=False, MasterUserPassword=PASSWORD)
    eventually(database.shown, lambda it: not it["PendingModifiedValues"])
    assert "MasterUserSecret" not in database.available()
    assert database.query("SELECT 1").returncode == 0
    with pytest.raises(rds.exceptions.ClientError, match="ResourceNotFound"):
        localcloud.client("secretsmanager").describe_secret(SecretId=secret)


def test_other_engines_and_clusters_are_kept_without_a_server(localcloud: Any) -> None:
    rds = localcloud.client("rds")
    _create(localcloud, "kept", Engine="mysql", EngineVersion="8.0.40")
    try:
        shown = rds.describe_db_instances(DBInstanceIdentifier="kept")["DBInstances"][0]
        assert (shown["Engine"], shown["DBInstanceStatus"]) == ("mysql", "available")
        assert "kept" not in localcloud.status()["databases"]
        rds.create_db_snapshot(DBInstanceIdentifier="kept", DBSnapshotIdentifier="of-kept")
        rds.delete_db_snapshot(DBSnapshotIdentifier="of-kept")
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="kept", SkipFinalSnapshot=True)


def test_master_password_is_only_in_a_private_file(localcloud: Any, database: Database) -> None:
    inspected = docker.from_env().api.inspect_container(localcloud.status()["databases"]["ants"]["container"])
    assert PASSWORD not in json.dumps(inspected)
    holders = [path for path in Path(localcloud.state_dir).rglob("*") if _holds(path, PASSWORD)]
    assert {path.name for path in holders} == {"password"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)


def test_subnet_group_outlives_its_modification(localcloud: Any, network: Network) -> None:
    rds = localcloud.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="moved", DBSubnetGroupDescription="a", SubnetIds=network.subnet_ids)
    rds.modify_db_subnet_group(
        DBSubnetGroupName="moved", DBSubnetGroupDescription="b", SubnetIds=network.subnet_ids[:1]
    )
    found = rds.describe_db_subnet_groups(DBSubnetGroupName="moved")["DBSubnetGroups"][0]
    assert found["DBSubnetGroupDescription"] == "b"
    assert [item["SubnetIdentifier"] for item in found["Subnets"]] == network.subnet_ids[:1]


def _create(localcloud: Any, name: str, **changed: Any) -> None:
    wanted = {
        "DBInstanceIdentifier": name,
        "Engine": "postgres",
        "EngineVersion": "17",
        "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": 20,
        "MasterUsername": "antenna",
        "MasterUserPassword": PASSWORD,
        **changed,
    }
    localcloud.client("rds").create_db_instance(**wanted)


def _managed_password(localcloud: Any, database: Database, secret: str) -> str:
    """The one that the server has, once it has it."""
    eventually(database.shown, lambda it: it["MasterUserSecret"]["SecretStatus"] == "active")
    value = localcloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    assert json.loads(value)["username"] == "antenna"
    return str(json.loads(value)["password"])


def _set_parameter(database: Database, name: str, value: str, method: str, group: str = "ants") -> None:
    database.rds.modify_db_parameter_group(
        DBParameterGroupName=group,
        Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}],
    )


def _parameters(database: Database, group: str = "ants", **more: str) -> dict[str, dict[str, Any]]:
    pages = database.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group, **more)
    return {item["ParameterName"]: item for page in pages for item in page["Parameters"]}


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text in path.read_text(errors="replace")
