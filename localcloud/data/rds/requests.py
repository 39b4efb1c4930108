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
DEFAULT_VERSION = "17.9"
"""The minor version of who asks for a major one (aws/aws-cdk#11067), here the one to which AWS upgrades by itself."""
OLDEST_MINOR = 7
"""There are no new instances of 17.4 since May 2026 (CredentialEngine/CredentialRegistry#1000), nor of 17.6 since
October (#1036)."""

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

MONITORING_INTERVALS = (0, 1, 5, 10, 15, 30, 60)

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


def full_version(asked: str | None) -> str:
    """The minor version that a new instance gets: the default one, unless one is asked for.

    :raises RDSClientError: When RDS has no such version any more, or the server here cannot stand for it.
    """
    if asked in (None, MAJOR_VERSION):
        return DEFAULT_VERSION
    if not re.fullmatch(rf"{MAJOR_VERSION}\.\d+", asked):
        raise combination(f"Cannot find version {asked} for postgres (only {MAJOR_VERSION} is implemented here)")
    if _minor(asked) < OLDEST_MINOR:
        raise combination(f"Cannot find version {asked} for postgres")
    return asked


def upgraded(current: str, asked: str) -> str:
    """The version that an instance gets. They only grow; a major version asks for the default one at least.

    :raises RDSClientError: When the instance cannot have that version.
    """
    wanted = full_version(asked)
    if _minor(wanted) >= _minor(current):
        return wanted
    if asked == MAJOR_VERSION:
        return current
    raise combination(f"Cannot upgrade postgres from {current} to {asked}")


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


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


def check_monitoring(interval: int, role: str | None, trusted: bool) -> None:
    """That of Enhanced Monitoring.

    :param trusted: Whether the role may be taken by it.
    """
    if interval not in MONITORING_INTERVALS:
        raise value(f"Invalid monitoring interval: {interval}. It must be 0, 1, 5, 10, 15, 30 or 60 seconds.")
    if interval and not role:
        raise combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if role and not trusted:
        raise value(
            "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING"
        )


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
