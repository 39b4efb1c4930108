# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ModifyDBInstance changes at once, what it starts, and what it leaves to the maintenance window.

As the RDS User Guide has it, "Settings for DB instances": some settings ignore ApplyImmediately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = {
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "DatabaseInsightsMode": "database_insights_mode",
    "DBParameterGroupName": "db_parameter_group_name",
    "DeletionProtection": "deletion_protection",
    "EnablePerformanceInsights": "performance_insights_enabled",
    "MaxAllocatedStorage": "max_allocated_storage",
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "PreferredBackupWindow": "preferred_backup_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "PubliclyAccessible": "publicly_accessible",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
}
"""Settings without an outage that never wait, and the attributes of moto that hold them."""

STARTED = {"MasterUserPassword": "master_user_password", "DBPortNumber": "port"}
"""Settings that take a while and never wait for the window."""

POSTPONABLE = {
    "StorageType": "storage_type",
    "AllocatedStorage": "allocated_storage",
    "BackupRetentionPeriod": "backup_retention_period",
    "CACertificateIdentifier": "ca_certificate_identifier",
    "DBInstanceClass": "db_instance_class",
    "DBSubnetGroupName": "subnet_group_name",
    "DedicatedLogVolume": "dedicated_log_volume",
    "EnableIAMDatabaseAuthentication": "enable_iam_database_authentication",
    "EngineVersion": "engine_version",
    "Iops": "iops",
    "LicenseModel": "license_model",
    "MultiAZ": "multi_az",
    "NetworkType": "network_type",
    "OptionGroupName": "option_group_name",
    "StorageThroughput": "storage_throughput",
}
"""Settings that wait for the window unless they are to be applied immediately; throughput follows its storage type."""

ATTRIBUTES = {**AT_ONCE, **STARTED, **POSTPONABLE}
PENDING_NAMES = {"DBPortNumber": "Port", "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled"}
"""Where PendingModifiedValues calls a setting otherwise."""
NOT_SHOWN = {"OptionGroupName", "NetworkType"}
"""What PendingModifiedValues has no member for."""

RESTARTING = {"DBPortNumber", "DBInstanceClass", "EngineVersion"}
STORAGE = {"StorageType", "AllocatedStorage", "Iops", "StorageThroughput"}
CONTROL = {
    "AllowMajorVersionUpgrade",
    "ApplyImmediately",
    "CertificateRotationRestart",
    "CloudwatchLogsExportConfiguration",
    "DBInstanceIdentifier",
    "ManageMasterUserPassword",
    "MasterUserSecretKmsKeyId",
    "RotateMasterUserPassword",
}
"""What ModifyDBInstance understands besides settings."""


@dataclass(frozen=True)
class Changes:
    """Settings by their names in ModifyDBInstance."""

    at_once: Mapping[str, Any] = field(default_factory=dict)
    started: Mapping[str, Any] = field(default_factory=dict)
    postponed: Mapping[str, Any] = field(default_factory=dict)


def plan(wanted: Mapping[str, Any], current: Mapping[str, Any], pending: Mapping[str, Any], now: bool) -> Changes:
    """Sort the settings of a ModifyDBInstance.

    :param current: The values of all settings in `wanted`, None for the unreadable password.
    :param pending: What waits for the window already; it is applied now with the rest if `now`.
    :param now: ApplyImmediately.
    """
    at_once: dict[str, Any] = {}
    started: dict[str, Any] = {}
    postponed: dict[str, Any] = {name: value for name, value in pending.items() if name not in wanted}
    for name, value in wanted.items():
        if value == current[name] and name in POSTPONABLE:
            continue
        if name in AT_ONCE:
            at_once[name] = value
        elif name in STARTED or _ignores_the_window(name, value, current[name]):
            started[name] = value
        else:
            postponed[name] = value
    if now:
        started, postponed = {**postponed, **started}, {}
    return Changes(at_once, started, postponed)


def _ignores_the_window(name: str, value: Any, current: Any) -> bool:
    """Another retention of backups that are made anyway comes as soon as possible."""
    return name == "BackupRetentionPeriod" and bool(value) and bool(current)


def status_for(names: set[str]) -> str:
    """What the instance's status is while these settings change."""
    if "EngineVersion" in names:
        return "upgrading"
    return "resetting-master-credentials" if names == {"MasterUserPassword"} else "modifying"


def shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as PendingModifiedValues shows them."""
    values = {PENDING_NAMES.get(name, name): value for name, value in settings.items() if name not in NOT_SHOWN}
    return {**values, "MasterUserPassword": "****"} if "MasterUserPassword" in values else values


def rounded_storage(asked: int, current: int) -> int:
    """Storage grows by a tenth at least."""
    return max(asked, -(-current * 11 // 10)) if asked > current else asked
