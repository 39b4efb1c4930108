# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DB parameters: PostgreSQL's own catalogue, what RDS makes of it, and what the server is told."""

from __future__ import annotations

import pytest

from localcloud.data.rds.parameters import (
    InvalidValue,
    catalogue,
    check,
    configuration,
    host_based_authentication,
    shown,
)

DESCRIBED = "\n".join(
    "\t".join(fields)
    for fields in (
        ("max_connections", "postmaster", "Connections", "INTEGER", "0", "1", "262143", "How many.", ""),
        ("TimeZone", "user", "Locale", "STRING", "GMT", "", "", "The time zone.", ""),
        ("autovacuum", "sighup", "Autovacuum", "BOOLEAN", "TRUE", "", "", "Starts the subprocess.", ""),
        ("seq_page_cost", "user", "Planner", "REAL", "1", "0", "1.79769e+308", "The cost.", ""),
        ("hba_file", "postmaster", "Files", "STRING", "", "", "", "The file.", ""),
    )
)
PARAMETERS = catalogue(DESCRIBED)


def test_catalogue_is_the_engines_with_what_rds_adds() -> None:
    assert list(PARAMETERS) == [
        "autovacuum",
        "hba_file",
        "max_connections",
        "rds.force_ssl",
        "rds.log_retention_period",
        "rds.logical_replication",
        "seq_page_cost",
        "timezone",
    ]
    assert not PARAMETERS["hba_file"].modifiable


def test_default_is_shown_until_somebody_sets_another() -> None:
    assert shown(PARAMETERS["max_connections"], {}) == {
        "ParameterName": "max_connections",
        "ParameterValue": "LEAST({DBInstanceClassMemory/9531392},5000)",
        "Description": "How many.",
        "Source": "system",
        "ApplyType": "static",
        "DataType": "integer",
        "AllowedValues": "1-262143",
        "IsModifiable": True,
        "ApplyMethod": "pending-reboot",
    }
    chosen = shown(PARAMETERS["timezone"], {"ParameterValue": "UTC", "ApplyMethod": "immediate"})
    assert (chosen["Source"], chosen["ParameterValue"], chosen["ApplyType"]) == ("user", "UTC", "dynamic")
    assert "ParameterValue" not in shown(PARAMETERS["autovacuum"], {})


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("autovacuum", "1", True),
        ("autovacuum", "on", False),
        ("max_connections", "262143", True),
        ("max_connections", "0", False),
        ("max_connections", "1.5", False),
        ("seq_page_cost", "1.5", True),
        ("seq_page_cost", "-1", False),
        ("timezone", "anything", True),
    ],
)
def test_values_are_checked(name: str, value: str, fits: bool) -> None:
    if fits:
        check(PARAMETERS[name], value)
    else:
        with pytest.raises(InvalidValue, match=f"Invalid parameter value: {value} for: {name} allowed values are: "):
            check(PARAMETERS[name], value)


@pytest.mark.parametrize(
    ("values", "instance_class", "line"),
    [
        ({}, "db.t4g.small", "max_connections = '225'"),
        ({}, "db.t4g.micro", "max_connections = '112'"),
        ({"max_connections": "60"}, "db.t4g.small", "max_connections = '60'"),
        ({"search_path": "'a', public"}, "db.x", "search_path = '''a'', public'"),
        ({}, "db.x", "shared_preload_libraries = 'pg_stat_statements'"),
        ({"shared_preload_libraries": "pgaudit, auto_explain"}, "db.x", "shared_preload_libraries = 'auto_explain'"),
        ({"rds.logical_replication": "1"}, "db.x", "wal_level = 'logical'"),
    ],
)
def test_configuration(values: dict[str, str], instance_class: str, line: str) -> None:
    assert line in configuration(values, instance_class).splitlines()


def test_parameters_of_rds_are_not_the_servers() -> None:
    assert "rds." not in configuration({"rds.force_ssl": "0"}, "db.x")
    assert "\nhostssl all" in host_based_authentication(force_ssl=True)
    assert "\nhost all" in host_based_authentication(force_ssl=False)
