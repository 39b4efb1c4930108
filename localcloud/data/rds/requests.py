# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS refuses, in its words where they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.rds.exceptions import RDSClientError

MAJOR_VERSION = "17"
DEFAULT_VERSION = "17.6"

UNDERSTOOD = {
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "BackupTarget",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBInstanceIdentifier",
    "DBName",
    "DBParameterGroupName",
    "DBSubnetGroupName",
    "DatabaseInsightsMode",
    "DedicatedLogVolume",
    "DeletionProtection",
    "EnableCloudwatchLogsExports",
    "EnableIAMDatabaseAuthentication",
    "EnablePerformanceInsights",
    "Engine",
    "EngineLifecycleSupport",
    "EngineVersion",
    "Iops",
    "KmsKeyId",
    "LicenseModel",
    "MasterUserPassword",
    "MasterUsername",
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "NetworkType",
    "OptionGroupName",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "Port",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PubliclyAccessible",
    "StorageEncrypted",
    "StorageThroughput",
    "StorageType",
    "Tags",
    "VpcSecurityGroupIds",
}
"""Parameters of CreateDBInstance and the restores that are kept; others are refused rather than ignored."""

MANAGED = {"ManageMasterUserPassword", "MasterUserSecretKmsKeyId"}
"""Those of CreateDBInstance that leave the password to RDS."""


def combination(message: str) -> RDSClientError:
    return RDSClientError("InvalidParameterCombination", message)


def value(message: str) -> RDSClientError:
    return RDSClientError("InvalidParameterValue", message)


def state(message: str) -> RDSClientError:
    return RDSClientError("InvalidDBInstanceState", message)


def absent(names: set[str]) -> RDSClientError:
    return RDSClientError("InvalidAction", f"{', '.join(sorted(names))} is not implemented here")


def check_understood(given: Mapping[str, Any], understood: set[str]) -> None:
    """Refuse parameters that would be without effect. False and empty ones ask for nothing."""
    if unknown := {name for name, item in given.items() if item not in (None, False, "", [])} - understood:
        raise absent(unknown)


def check_creation(given: Mapping[str, Any]) -> str | None:
    """Return the master user's password; None where RDS is to make it."""
    check_understood(given, UNDERSTOOD | MANAGED)
    check_version(str(given.get("EngineVersion") or DEFAULT_VERSION))
    check_zone(given)
    password, managed = given.get("MasterUserPassword"), bool(given.get("ManageMasterUserPassword"))
    if not given.get("MasterUsername"):
        raise _missing("MasterUsername")
    if not password and not managed:
        raise _missing("MasterUserPassword")
    if password and managed:
        raise combination("You can't specify MasterUserPassword for a password that RDS is to manage.")
    if managed:
        return None
    check_password(str(password))
    return str(password)


def _missing(name: str) -> RDSClientError:
    return value(f"The parameter {name} must be provided and must not be blank.")


def check_zone(given: Mapping[str, Any]) -> None:
    """A Multi-AZ instance chooses its zones itself."""
    if given.get("MultiAZ") and given.get("AvailabilityZone"):
        raise combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")


def check_version(version: str) -> None:
    """One that RDS may have and that the server here can stand for."""
    if not re.fullmatch(rf"{MAJOR_VERSION}(\.\d+)?", version):
        raise combination(f"Cannot find version {version} for postgres (only {MAJOR_VERSION} is implemented here)")


def check_upgrade(current: str, wanted: str) -> None:
    """Versions only grow."""
    check_version(wanted)
    if _minor(wanted) < _minor(current):
        raise combination(f"Cannot upgrade postgres from {current} to {wanted}")


def _minor(version: str) -> int:
    return int(version.partition(".")[2] or DEFAULT_VERSION.partition(".")[2])


def check_password(password: str) -> None:
    """The master user's."""
    if len(password) < 8 or set('/@" ') & set(password):
        raise value(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used, and it must have at least 8 of them."
        )


def check_retention(days: object) -> None:
    """That of automated backups."""
    if days is not None and not 0 <= int(str(days)) <= 35:
        raise value(f"Invalid backup retention period: {days}. Retention period must be between 0 and 35.")


def check_deletion(name: str, status: str, protected: bool, skip: bool, final: str | None) -> None:
    """Whether DeleteDBInstance may go on."""
    if status == "deleting":
        raise state(f"Instance {name} is already being deleted.")
    if protected:
        raise combination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    if not skip and not final:
        raise combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if skip and final:
        raise combination("FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified.")
