# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's API: what moto keeps, with containers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBParameterGroupNotFoundError,
    DBSnapshotNotFoundFault,
    DBSubnetGroupNotFoundError,
    RDSClientError,
)
from moto.rds.responses import RDSResponse
from moto.rds.utils import valid_preferred_maintenance_window

from localcloud.data import events
from localcloud.data.others import of_ours
from localcloud.data.paging import page
from localcloud.data.rds import changes, managed, parameters, requests
from localcloud.data.rds.groups import ParameterGroups
from localcloud.data.rds.instance import (
    ENGINE,
    GP3_IOPS,
    GP3_THROUGHPUT,
    DBSnapshot,
    PostgresInstance,
)
from localcloud.data.rds.lifecycle import Lifecycle

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

BUSY = "Database instance is not in available state."


with_server = of_ours(RDSResponse, lambda response: response._instance(), lambda it: isinstance(it, PostgresInstance))
with_data = of_ours(RDSResponse, lambda response: response._source(), lambda it: it.has_data)


class PostgresResponse(ParameterGroups):
    """Set `lifecycle` and `cloud`, and what `ParameterGroups` needs, before the first request."""

    lifecycle: Lifecycle
    cloud: Cloud

    # -- instances ------------------------------------------------------------------------------------------------

    def create_db_instance(self) -> ActionResult:
        given = self._given()
        if given.get("Engine") != ENGINE or given.get("DBClusterIdentifier"):
            return super().create_db_instance()
        password = requests.check_creation(given)
        requests.check_retention(given.get("BackupRetentionPeriod"))
        self._check_parameter_group(given.get("DBParameterGroupName"))
        self._check_monitoring(given)
        self.params["EngineVersion"] = requests.full_version(given.get("EngineVersion"))
        if given.get("StorageType") == "gp3":
            self.params.setdefault("Iops", GP3_IOPS)
            self.params.setdefault("StorageThroughput", GP3_THROUGHPUT)
        answer = super().create_db_instance()
        instance: PostgresInstance = self._instance()
        self.lifecycle.create(instance, password or managed.begin(instance, given.get("MasterUserSecretKmsKeyId")))
        return answer

    @with_server
    def modify_db_instance(self, instance: PostgresInstance) -> ActionResult:
        given = self._given()
        if "NewDBInstanceIdentifier" in given:
            raise RDSClientError("InvalidAction", "Renaming a DB instance is not implemented here")
        requests.check_understood(given, changes.CONTROL | set(changes.ATTRIBUTES))
        if instance.status not in ("available", "storage-optimization"):
            raise requests.state(BUSY)
        managed.check(instance, given)
        wanted = {name: item for name, item in given.items() if name in changes.ATTRIBUTES}
        logs = given.get("CloudwatchLogsExportConfiguration")
        if not wanted and not logs and not managed.is_asked(given):
            raise requests.combination("No modifications were requested")
        self._check_changes(instance, wanted)
        if (password := managed.new_password(instance, given)) is not None:
            wanted["MasterUserPassword"] = password
        current = {name: instance.current(name) for name in wanted}
        planned = changes.plan(wanted, current, instance.waiting, bool(given.get("ApplyImmediately")))
        if logs:
            _export(instance, logs)
        self.lifecycle.modify(instance, planned)
        return ActionResult({"DBInstance": instance})

    @with_server
    def delete_db_instance(self, instance: PostgresInstance) -> ActionResult:
        given = self._given()
        final = given.get("FinalDBSnapshotIdentifier")
        requests.check_deletion(
            instance.db_instance_identifier,
            instance.status,
            instance.deletion_protection,
            bool(given.get("SkipFinalSnapshot")),
            final,
        )
        snapshot = self._new_snapshot(instance, final, "FinalDBSnapshotIdentifier") if final else None
        with_backups = given.get("DeleteAutomatedBackups") is not False
        self.lifecycle.delete(instance, snapshot, with_backups)
        return ActionResult({"DBInstance": instance})

    @with_server
    def reboot_db_instance(self, instance: PostgresInstance) -> ActionResult:
        forced = bool(self._given().get("ForceFailover"))
        if instance.status != "available":
            raise requests.state("Instance cannot currently reboot due to an in-progress management operation.")
        if forced and not instance.multi_az:
            raise requests.combination(
                "ForceFailover cannot be specified since the instance is not configured for either MultiAZ or "
                "High Availability"
            )
        self.lifecycle.reboot(instance, forced)
        return ActionResult({"DBInstance": instance})

    @with_server
    def stop_db_instance(self, instance: PostgresInstance) -> ActionResult:
        if instance.status != "available":
            raise requests.state(f"Instance {instance.db_instance_identifier} is not in available state.")
        if name := self._given().get("DBSnapshotIdentifier"):
            self.lifecycle.snapshot(instance, self._new_snapshot(instance, name, "DBSnapshotIdentifier"))
        self.lifecycle.stop(instance)
        return ActionResult({"DBInstance": instance})

    @with_server
    def start_db_instance(self, instance: PostgresInstance) -> ActionResult:
        if instance.status != "stopped":
            raise requests.state(f"Instance {instance.db_instance_identifier} is not stopped, it cannot be started.")
        self.lifecycle.start(instance)
        return ActionResult({"DBInstance": instance})

    # -- snapshots ------------------------------------------------------------------------------------------------

    @with_server
    def create_db_snapshot(self, instance: PostgresInstance) -> ActionResult:
        given = self._given()
        if instance.status != "available":
            raise requests.state(
                f"Cannot create a snapshot because the database instance {instance.db_instance_identifier} is not "
                "currently in the available state."
            )
        name = given["DBSnapshotIdentifier"]
        snapshot = self._new_snapshot(instance, name, "DBSnapshotIdentifier", given.get("Tags"))
        self.lifecycle.snapshot(instance, snapshot)
        return ActionResult({"DBSnapshot": snapshot})

    @with_data
    def copy_db_snapshot(self, source: DBSnapshot) -> ActionResult:
        answer = super().copy_db_snapshot()
        target = self._snapshot(str(self._given()["TargetDBSnapshotIdentifier"]))
        target.restored = source.restored
        self.lifecycle.copy_snapshot(source, target)
        return answer

    @with_data
    def delete_db_snapshot(self, snapshot: DBSnapshot) -> ActionResult:
        if snapshot.status == "creating":
            raise RDSClientError(
                "InvalidDBSnapshotState",
                "Cannot delete the snapshot because it is not currently in the available state.",
            )
        if snapshot.snapshot_type == "automated":
            raise RDSClientError("InvalidDBSnapshotState", "Only manual snapshots may be deleted.")
        self.lifecycle.remove_snapshot(snapshot)
        snapshot.status = "deleted"
        return ActionResult({"DBSnapshot": snapshot})

    @with_data
    def restore_db_instance_from_db_snapshot(self, snapshot: DBSnapshot) -> ActionResult:
        given = self._given()
        if snapshot.status != "available":
            raise RDSClientError("InvalidDBSnapshotState", f"DBSnapshot {snapshot.resource_id} is not available.")
        instance = self._restored(snapshot.restored, str(given["DBInstanceIdentifier"]), {"DBSnapshotIdentifier"})
        self.lifecycle.restore(instance, snapshot)
        return ActionResult({"DBInstance": instance})

    def restore_db_instance_to_point_in_time(self) -> ActionResult:
        given = self._given()
        name = str(given.get("SourceDBInstanceIdentifier"))
        source = self.backend.describe_db_instances(name)[0]
        if not isinstance(source, PostgresInstance):
            return super().restore_db_instance_to_point_in_time()
        if not source.backup_retention_period:
            raise RDSClientError("PointInTimeRestoreNotEnabled", f"Backups are not enabled for {name}.")
        own = {"SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier", "UseLatestRestorableTime", "RestoreTime"}
        latest, moment = bool(given.get("UseLatestRestorableTime")), given.get("RestoreTime")
        if latest == (moment is not None):
            raise requests.combination("Specify one of RestoreTime and UseLatestRestorableTime")
        if moment is not None:
            moment = self._restorable(source, moment)
        instance = self._restored(source.restored(), str(given["TargetDBInstanceIdentifier"]), own)
        if moment is None:
            self.lifecycle.restore(instance, source)
        else:
            self.lifecycle.restore_to(instance, source, moment)
        return ActionResult({"DBInstance": instance})

    def _restorable(self, source: PostgresInstance, asked: datetime | str) -> datetime:
        """A moment to which the instance can be restored."""
        moment = datetime.fromisoformat(asked) if isinstance(asked, str) else asked
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if source.status != "available":
            raise RDSClientError(
                "InvalidAction", "Restoring the past of an instance that does not run is not implemented here"
            )
        oldest = min((backup.completed for backup in self.lifecycle.backups(source)), default=self.cloud.clock.now())
        latest = source.latest_restorable_time or oldest
        refused = "The specified instance cannot be restored to a time"
        if moment > latest:
            raise requests.value(f"{refused} later than {latest:%Y-%m-%dT%H:%M:%SZ}.")
        if moment < oldest:
            days = f"because its backup retention period is set to {source.backup_retention_period} days."
            raise requests.value(f"{refused} earlier than {oldest:%Y-%m-%dT%H:%M:%SZ} {days}")
        return moment

    def _restored(self, taken_over: Mapping[str, Any], name: str, own: set[str]) -> PostgresInstance:
        """A new instance of a backup's settings and what the request says otherwise."""
        given = self._given()
        requests.check_understood(given, requests.UNDERSTOOD | own)
        requests.check_zone(given)
        self._check_parameter_group(given.get("DBParameterGroupName"))
        if name in self.backend.databases:
            raise DBInstanceAlreadyExists()
        asked = {key: item for key, item in dict(self.params).items() if item is not None}
        made: PostgresInstance = self.backend.create_db_instance(
            {
                **{key: item for key, item in taken_over.items() if item is not None},
                **asked,
                "db_instance_identifier": name,
            }
        )
        return made

    # -- subnet groups, events ------------------------------------------------------------------------------------

    def modify_db_subnet_group(self) -> ActionResult:
        """Moto's deletes the group."""
        name = str(self.params.get("DBSubnetGroupName")).lower()
        group = self.backend.subnet_groups.get(name)
        if group is None:
            raise DBSubnetGroupNotFoundError(name)
        ec2 = ec2_backends[self.current_account][self.region]
        group._subnets = [ec2.get_subnet(subnet_id) for subnet_id in self.params.get("SubnetIds", [])]
        if self.params.get("DBSubnetGroupDescription") is not None:
            group.description = self.params.get("DBSubnetGroupDescription")
        return ActionResult({"DBSubnetGroup": group})

    def describe_events(self) -> ActionResult:
        asked = self._given()
        if asked.get("SourceIdentifier") and not asked.get("SourceType"):
            raise requests.combination("Cannot specify source identifier without source type")
        found = events.chosen(self.backend.events, self.cloud.clock.now(), asked)
        return ActionResult(page("Events", found, asked))

    # -- inside ---------------------------------------------------------------------------------------------------

    def _given(self) -> dict[str, Any]:
        """The parameters under their names in the API."""
        # Without parameters moto makes a plain dictionary.
        return dict(self.params.original_dict()) if self.params else {}

    def _instance(self) -> Any:
        """Moto's, or one with a server."""
        return self.backend.describe_db_instances(str(self.params.get("DBInstanceIdentifier")))[0]

    def _source(self) -> DBSnapshot:
        """The snapshot that the call is about."""
        given = self._given()
        return self._snapshot(str(given.get("SourceDBSnapshotIdentifier") or given.get("DBSnapshotIdentifier")))

    def _snapshot(self, name: str) -> DBSnapshot:
        own = self.backend.extract_snapshot_name_from_arn(name) if name.startswith("arn:") else name
        found: DBSnapshot | None = self.backend.database_snapshots.get(own)
        if found is None:
            raise DBSnapshotNotFoundFault(name)
        return found

    def _new_snapshot(self, instance: PostgresInstance, name: str, parameter: str, tags: Any = None) -> DBSnapshot:
        self.backend.validate_db_snapshot_identifier(name, parameter_name=parameter)
        made: DBSnapshot = self.backend.create_db_snapshot(instance.db_instance_identifier, name, tags=tags)
        return made

    def _check_parameter_group(self, name: str | None) -> None:
        group = self.backend.db_parameter_groups.get(name) if name else None
        if name and group is None and name != parameters.DEFAULT_GROUP:
            raise DBParameterGroupNotFoundError(name)
        if group is not None and group.family != parameters.FAMILY:
            raise requests.combination(
                f"The parameter group {name} with DBParameterGroupFamily {group.family} can't be used for this "
                f"instance. Please use a parameter group with DBParameterGroupFamily {parameters.FAMILY}"
            )

    def _check_monitoring(self, given: Mapping[str, Any]) -> None:
        role = given.get("MonitoringRoleArn")
        held = iam_backends[self.current_account]["aws"].roles.values()
        trusts = [str(one.assume_role_policy_document) for one in held if one.arn == role]
        trusted = any("monitoring.rds.amazonaws.com" in trust for trust in trusts)
        requests.check_monitoring(int(given.get("MonitoringInterval") or 0), role, trusted)

    def _check_changes(self, instance: PostgresInstance, wanted: dict[str, Any]) -> None:
        """Refuse what cannot be, and round what RDS rounds."""
        self._check_parameter_group(wanted.get("DBParameterGroupName"))
        requests.check_retention(wanted.get("BackupRetentionPeriod"))
        if "MonitoringInterval" in wanted or "MonitoringRoleArn" in wanted:
            kept = {name: instance.current(name) for name in ("MonitoringInterval", "MonitoringRoleArn")}
            self._check_monitoring({**kept, **wanted})
        if "MasterUserPassword" in wanted:
            requests.check_password(str(wanted["MasterUserPassword"]))
        if "EngineVersion" in wanted:
            wanted["EngineVersion"] = requests.upgraded(str(instance.engine_version), str(wanted["EngineVersion"]))
        if "DBSubnetGroupName" in wanted:
            self.backend.describe_db_subnet_groups(wanted["DBSubnetGroupName"])
        if "AllocatedStorage" in wanted:
            if wanted["AllocatedStorage"] < instance.allocated_storage:
                raise requests.combination("Requested storage size is smaller than the current one: it only grows")
            wanted["AllocatedStorage"] = changes.rounded_storage(wanted["AllocatedStorage"], instance.allocated_storage)
        if "PreferredMaintenanceWindow" in wanted:
            wanted["PreferredMaintenanceWindow"] = wanted["PreferredMaintenanceWindow"].lower()
        message = valid_preferred_maintenance_window(
            wanted.get("PreferredMaintenanceWindow", instance.preferred_maintenance_window),
            wanted.get("PreferredBackupWindow", instance.preferred_backup_window),
        )
        if message:
            raise requests.value(message)


def _export(instance: PostgresInstance, wanted: Mapping[str, list[str]]) -> None:
    """Logs whose export begins and ends."""
    kept = set(instance.enabled_cloudwatch_logs_exports) - set(wanted.get("DisableLogTypes") or ())
    instance.enabled_cloudwatch_logs_exports = sorted(kept | set(wanted.get("EnableLogTypes") or ()))
