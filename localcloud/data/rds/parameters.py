# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DB parameters of the family postgres17: what there is, what a value may be, and what the server is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

FAMILY = "postgres17"
DEFAULT_GROUP = f"default.{FAMILY}"
FORCE_SSL = "rds.force_ssl"

LIBRARIES = ("pg_stat_statements", "auto_explain", "pg_prewarm")
"""What the server here can preload; other libraries of RDS are left out."""

CLASS_MEMORY_GIB = {
    "db.t4g.micro": 1,
    "db.t4g.small": 2,
    "db.t4g.medium": 4,
    "db.t4g.large": 8,
    "db.t3.micro": 1,
    "db.t3.small": 2,
    "db.t3.medium": 4,
    "db.t3.large": 8,
    "db.m7g.large": 8,
    "db.m6g.large": 8,
}
"""Memory by DB instance class; RDS keeps a part of it for itself, which is not known."""

_MANAGED = re.compile(
    "allow_alter_system|archive_.*|config_file|data_directory.*|data_sync_retry|event_source|external_pid_file|fsync|"
    "full_page_writes|hba_file|huge_pages.*|ident_file|krb_.*|listen_addresses|local_preload_libraries|"
    "dynamic_library_path|port|primary_.*|promote_.*|recovery_.*|restore_command|restart_after_crash|ssl|"
    "ssl_.*file|ssl_crl_dir|ssl_passphrase.*|ssl_ecdh_curve|superuser_reserved_connections|syslog_.*|unix_socket_.*|"
    "wal_level|wal_sync_method|zero_damaged_pages|bonjour.*|cluster_name|archive_cleanup_command"
)
"""What RDS keeps in its own hands."""

_TYPES = {"BOOLEAN": "boolean", "INTEGER": "integer", "REAL": "float", "STRING": "string", "ENUM": "string"}


@dataclass(frozen=True)
class Parameter:
    """A DB parameter; `default` is None where the engine's own holds."""

    name: str
    description: str
    data_type: str
    apply_type: Literal["static", "dynamic"]
    default: str | None = None
    source: Literal["system", "engine-default"] = "engine-default"
    bounds: tuple[str, str] | None = None
    modifiable: bool = True

    @property
    def allowed(self) -> str | None:
        """The values in RDS's words, None for free text."""
        if self.data_type == "boolean":
            return "0,1"
        return "-".join(self.bounds) if self.bounds else None


OWN = (
    Parameter(FORCE_SSL, "Force SSL connections.", "boolean", "dynamic", "1", "system"),
    Parameter("rds.logical_replication", "Enables logical decoding.", "boolean", "static", "0"),
    Parameter(
        "rds.log_retention_period",
        "Minutes that log files are kept.",
        "integer",
        "dynamic",
        "4320",
        "system",
        ("1440", "10080"),
    ),
)
"""RDS's own."""

SYSTEM = {
    "max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)",
    "shared_buffers": "{DBInstanceClassMemory/32768}",
    "shared_preload_libraries": "pg_stat_statements",
}
"""What RDS sets besides the engine's defaults. The memory of shared buffers is not taken here."""


class InvalidValue(ValueError):
    """A value that the parameter cannot have; the message is RDS's."""


def catalogue(described: str) -> dict[str, Parameter]:
    """The parameters by name: PostgreSQL's own words (`postgres --describe-config`), and what RDS makes of them."""
    found = [_of_engine(line.split("\t")) for line in described.splitlines() if line.count("\t") >= 7]
    return {parameter.name: parameter for parameter in sorted([*found, *OWN], key=lambda item: item.name)}


def _of_engine(fields: list[str]) -> Parameter:
    name, context, _, kind, _, low, high, text = fields[:8]
    # RDS writes all names in lower case, PostgreSQL understands them.
    name = name.lower()
    return Parameter(
        name,
        text,
        _TYPES[kind],
        "static" if context == "postmaster" else "dynamic",
        SYSTEM.get(name),
        "system" if name in SYSTEM else "engine-default",
        (low, high) if kind in ("INTEGER", "REAL") else None,
        _MANAGED.fullmatch(name) is None,
    )


def check(parameter: Parameter, value: str) -> None:
    """Whether the parameter may have this value.

    :raises InvalidValue: If not.
    """
    refused = InvalidValue(
        f"Invalid parameter value: {value} for: {parameter.name} allowed values are: {parameter.allowed}"
    )
    if parameter.data_type == "boolean" and value not in ("0", "1"):
        raise refused
    if parameter.bounds is not None:
        try:
            number = int(value) if parameter.data_type == "integer" else float(value)
        except ValueError:
            raise refused from None
        if not float(parameter.bounds[0]) <= number <= float(parameter.bounds[1]):
            raise refused


def shown(parameter: Parameter, set_by_user: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter as DescribeDBParameters shows it.

    :param set_by_user: `ParameterValue` and `ApplyMethod`, or nothing.
    """
    value = set_by_user.get("ParameterValue", parameter.default)
    return {
        "ParameterName": parameter.name,
        "Description": parameter.description,
        "Source": "user" if set_by_user else parameter.source,
        "ApplyType": parameter.apply_type,
        "DataType": parameter.data_type,
        "IsModifiable": parameter.modifiable,
        "ApplyMethod": set_by_user.get("ApplyMethod", "pending-reboot"),
        **({"ParameterValue": value} if value is not None else {}),
        **({"AllowedValues": parameter.allowed} if parameter.allowed else {}),
    }


def max_connections(instance_class: str) -> int | None:
    """What RDS makes of the class's memory; None for a class whose memory is not known here."""
    memory = CLASS_MEMORY_GIB.get(instance_class)
    return min(memory * 2**30 // 9531392, 5000) if memory else None


def configuration(values: Mapping[str, str], instance_class: str) -> str:
    """The server's configuration file.

    :param values: What the parameter group sets.
    """
    connections = max_connections(instance_class)
    lines = {"max_connections": str(connections)} if connections else {}
    wanted = {"shared_preload_libraries": SYSTEM["shared_preload_libraries"], **values}
    for name, value in wanted.items():
        if name == "rds.logical_replication" and value == "1":
            lines["wal_level"] = "logical"
        elif name == "shared_preload_libraries":
            lines[name] = ",".join(_loadable(value.split(",")))
        elif not name.startswith("rds."):
            lines[name] = value
    quoted = {name: value.replace("'", "''") for name, value in lines.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in sorted(quoted.items()))


def _loadable(libraries: Iterable[str]) -> list[str]:
    return [library for library in (item.strip() for item in libraries) if library in LIBRARIES]


def host_based_authentication(force_ssl: bool) -> str:
    """The server's pg_hba.conf."""
    kind = "hostssl" if force_ssl else "host"
    return (
        "local all all trust\nlocal replication rdsadmin trust\n"
        f"{kind} all all 0.0.0.0/0 scram-sha-256\n{kind} all all ::/0 scram-sha-256\n"
    )


def files(values: Mapping[str, str], instance_class: str) -> dict[str, bytes]:
    """The files of an instance that these values of its parameter group make."""
    return {
        "parameters.conf": configuration(values, instance_class).encode(),
        "pg_hba.conf": host_based_authentication(values.get(FORCE_SSL, "1") == "1").encode(),
    }
