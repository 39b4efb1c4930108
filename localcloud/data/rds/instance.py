# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DB instances and snapshots: moto's, with what they lack."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import moto.rds.models as moto_models
from moto.moto_api._internal import mock_random
from moto.rds.models import rds_backends

from localcloud.data.events import Event
from localcloud.data.rds import changes, parameters
from localcloud.data.servers import Key

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.data.rds.managed import MasterSecret

ENGINE = "postgres"
"""The engine that has servers here."""
GP3_IOPS = 3000
GP3_THROUGHPUT = 125
"""What a gp3 volume has without being asked, the latter in MiB/s."""
AUTHORITY = "rds-ca-rsa2048-g1"
UNREACHABLE = frozenset({"creating", "failed"})


class DBInstance(moto_models.DBInstance):  # type: ignore[misc]
    """A DB instance: of an engine that has a server here, else as moto keeps it, with nothing behind it."""

    def __new__(cls, *args: Any, engine: str | None = None, **kwargs: Any) -> DBInstance:
        """Moto makes all of them by this class."""
        made: DBInstance = super().__new__(PostgresInstance if engine == ENGINE else cls)
        return made


class PostgresInstance(DBInstance):
    """A DB instance with a server; its lifecycle sets `status`. Set `cloud` before the first."""

    cloud: Cloud

    def __init__(self, backend: Any, *args: Any, **kwargs: Any) -> None:
        self.subnet_group_name: str | None = kwargs.get("db_subnet_group_name")
        if kwargs.get("storage_encrypted"):
            kwargs["kms_key_id"] = kms_key_arn(backend, kwargs.get("kms_key_id"))
        kwargs.setdefault("ca_certificate_identifier", AUTHORITY)
        kwargs.setdefault("license_model", "postgresql-license")
        super().__init__(backend, *args, **{**kwargs, "manage_master_user_password": False})
        self.master_user_secret: MasterSecret | None = None
        """None where RDS does not manage the master user's password."""
        if not kwargs.get("option_group_name"):
            self.option_group_name = f"default:postgres-{self.major_version}"
        self.created = self.instance_create_time = self.cloud.clock.now()
        self.dbi_resource_id = f"db-{mock_random.get_random_string(26).upper()}"
        self.account_code = mock_random.get_random_string(12, lower_case=True)
        self.performance_insights_enabled = bool(kwargs.get("enable_performance_insights"))
        self.performance_insights_retention_period = kwargs.get("performance_insights_retention_period") or (
            7 if self.performance_insights_enabled else None
        )
        self.performance_insights_kms_key_id = kwargs.get("performance_insights_kms_key_id")
        self.database_insights_mode = kwargs.get("database_insights_mode") or "standard"
        self.dedicated_log_volume = bool(kwargs.get("dedicated_log_volume"))
        self.network_type = kwargs.get("network_type") or "IPV4"
        self.engine_lifecycle_support = kwargs.get("engine_lifecycle_support") or "open-source-rds-extended-support"
        self.backup_target = "region"
        self.customer_owned_ip_enabled = False
        self.activity_stream_status = "stopped"
        zones = self.zones()
        self.availability_zone = kwargs.get("availability_zone") or zones[0]
        self.secondary_availability_zone = self.other_zone() if self.multi_az else None
        self.status = "creating"
        self.waiting: dict[str, Any] = {}
        """Settings that wait for the maintenance window."""
        self.changing: dict[str, Any] = {}
        """Settings that are on their way."""
        self.waiting_until: datetime | None = None
        self.next_backup: datetime | None = None
        self.stopped_at: datetime | None = None
        self.parameters_in_effect: dict[str, str] = self.parameter_values()
        self.parameter_status = "in-sync"

    def __copy__(self) -> DBInstance:
        """Moto makes read replicas so; they have no server."""
        copied = DBInstance.__new__(DBInstance)
        copied.__dict__.update({**self.__dict__, "master_user_secret": None})
        return copied

    @property
    def key(self) -> Key:
        """Its server's."""
        return Key("rds", self.region, self.db_instance_identifier)

    @property
    def major_version(self) -> str:
        return str(self.engine_version).partition(".")[0]

    @property
    def address(self) -> str:
        return f"{self.db_instance_identifier}.{self.account_code}.{self.region}.rds.amazonaws.com"

    @property
    def db_instance_status(self) -> str:
        return str(self.status)

    @property
    def endpoint(self) -> dict[str, Any] | None:
        """None while there is nothing to connect to."""
        if self.status in UNREACHABLE:
            return None
        return {"Address": self.address, "Port": self.port, "HostedZoneId": "Z1PVIF0B656C1W"}

    @property
    def db_instance_port(self) -> int:
        return 0

    @property
    def pending_modified_values(self) -> dict[str, Any]:
        return changes.shown({**self.waiting, **self.changing})

    @property
    def latest_restorable_time(self) -> datetime | None:
        """None for an instance without automated backups."""
        return self.cloud.clock.now() if self.backup_retention_period and self.status not in UNREACHABLE else None

    @property
    def certificate_details(self) -> dict[str, Any]:
        return {"CAIdentifier": self.ca_certificate_identifier}

    @property
    def enhanced_monitoring_resource_arn(self) -> str | None:
        if not self.monitoring_interval:
            return None
        group = "log-group:RDSOSMetrics:log-stream"
        return f"arn:aws:logs:{self.region}:{self.account_id}:{group}:{self.dbi_resource_id}"

    @property
    def db_parameter_group_status_list(self) -> list[dict[str, Any]]:
        return [{"DBParameterGroupName": self.parameter_group_name, "ParameterApplyStatus": self.parameter_status}]

    @property
    def parameter_group_name(self) -> str:
        return str(self.db_parameter_group_name or parameters.DEFAULT_GROUP)

    def default_db_parameter_group_details(self) -> tuple[str, str]:
        return parameters.FAMILY, parameters.DEFAULT_GROUP

    def parameter_values(self) -> dict[str, str]:
        """What the parameter group sets."""
        group = self.backend.db_parameter_groups.get(self.parameter_group_name)
        found = group.parameters if group is not None else {}
        return {name: str(item["ParameterValue"]) for name, item in found.items()}

    def zones(self) -> Sequence[str]:
        """The availability zones in which it may be."""
        if self.subnet_group_name is None:
            return [f"{self.region}{letter}" for letter in "abc"]
        group = self.backend.describe_db_subnet_groups(self.subnet_group_name)[0]
        return sorted({str(subnet["SubnetAvailabilityZone"]["Name"]) for subnet in group.subnets})

    def other_zone(self) -> str:
        """Where a standby goes."""
        return next((zone for zone in self.zones() if zone != self.availability_zone), self.availability_zone)

    def current(self, name: str) -> Any:
        """The value of a setting by its name in ModifyDBInstance; None for the password."""
        if name == "MasterUserPassword":
            return None
        return getattr(self, changes.ATTRIBUTES[name])

    def set(self, name: str, value: Any) -> None:
        """Give a setting its new value."""
        setattr(self, changes.ATTRIBUTES[name], value)
        if name == "DBSubnetGroupName":
            self.db_subnet_group_name = value
        if name == "MultiAZ":
            self.secondary_availability_zone = self.other_zone() if value else None
        if name == "EnablePerformanceInsights":
            kept = self.performance_insights_retention_period or 7
            self.performance_insights_retention_period = kept if value else None

    def record(self, message: str, *categories: str) -> None:
        """Note an event."""
        now = self.cloud.clock.now()
        event = Event("db-instance", self.db_instance_identifier, message, now, categories, self.arn)
        self.backend.events.append(event)

    def add_event(self, event_type: str) -> None:
        """Moto's come too early; the lifecycle records them when they happen."""

    def save_automated_backup(self) -> None:
        """As `add_event`."""

    def restored(self) -> dict[str, Any]:
        """What a new instance takes over from this one's backup, as moto's constructor names it."""
        return {
            "engine": self.engine,
            "engine_version": self.engine_version,
            "db_instance_class": self.db_instance_class,
            "allocated_storage": self.allocated_storage,
            "storage_type": self.storage_type,
            "iops": self.iops,
            "storage_throughput": self.storage_throughput,
            "storage_encrypted": self.storage_encrypted,
            "kms_key_id": self.kms_key_id,
            "master_username": self.master_username,
            "db_name": self.db_name,
            "port": self.port,
            "license_model": self.license_model,
            "backup_retention_period": self.backup_retention_period,
            "preferred_backup_window": self.preferred_backup_window,
            "preferred_maintenance_window": self.preferred_maintenance_window,
        }


class DBSnapshot(moto_models.DBSnapshot):  # type: ignore[misc]
    """A snapshot; that of an instance with a server has its data in `volume`, others are as moto keeps them."""

    cloud: Cloud

    def __init__(self, backend: Any, database: DBInstance, *args: Any, **kwargs: Any) -> None:
        super().__init__(backend, database, *args, **kwargs)
        self.has_data = isinstance(database, PostgresInstance)
        if isinstance(database, PostgresInstance):
            self._take_over(database)

    def _take_over(self, database: PostgresInstance) -> None:
        self.database = database
        self.created = self.original_snapshot_create_time = self.completed = self.cloud.clock.now()
        self.status = "creating"
        self.percent_progress = 0
        self.availability_zone = database.availability_zone
        self.license_model = database.license_model
        self.option_group_name = database.option_group_name
        self.storage_type = database.storage_type
        self.iops = database.iops
        self.storage_throughput = database.storage_throughput
        self.snapshot_target = "region"
        self.vpc_id = getattr(getattr(database, "db_subnet_group", None), "vpc_id", None)
        self.restored = database.restored()

    @property
    def volume(self) -> str:
        """The name of the volume that holds the data."""
        name = str(self.db_snapshot_identifier).replace(":", ".")
        local = name if self.region == self.cloud.region else f"{self.region}-{name}"
        return self.cloud.docker_name("snapshot", local)

    def finish(self) -> None:
        """The data are there."""
        self.completed = self.cloud.clock.now()
        self.status, self.percent_progress = "available", 100

    def record(self, message: str, *categories: str) -> None:
        """Note an event."""
        now = self.cloud.clock.now()
        event = Event("db-snapshot", self.db_snapshot_identifier, message, now, categories, self.arn)
        self.backend.events.append(event)

    def add_event(self, event_type: str) -> None:
        """As of instances."""
        if not self.has_data:
            super().add_event(event_type)


def kms_key_arn(backend: Any, asked: str | None) -> str:
    """The key's ARN, whatever it was called by; that of alias/aws/rds when none was asked for.

    :raises KMSKeyNotAccessibleFault: When there is no such key.
    """
    if asked is None:
        name = uuid.uuid5(uuid.NAMESPACE_DNS, f"rds.{backend.region_name}.{backend.account_id}")
        return f"arn:aws:kms:{backend.region_name}:{backend.account_id}:key/{name}"
    default = kms_key_arn(backend, None)
    return default if asked in (default, "alias/aws/rds") else str(backend._validate_kms_key(asked))


def instances() -> Sequence[PostgresInstance]:
    """Every DB instance with a server."""
    backends = [backend for regions in list(rds_backends.values()) for backend in list(regions.values())]
    found = [instance for backend in backends for instance in list(backend.databases.values())]
    return [instance for instance in found if isinstance(instance, PostgresInstance)]
