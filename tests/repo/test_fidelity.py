# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""localcloud/FIDELITY.md says of every operation what the code does: a row for each that we answer, and no other."""

from __future__ import annotations

import pytest
from moto.core.utils import get_service_model

from tests.support.fidelity import FIDELITIES, OTHERS, RESPONSES, answered_by, operations, tables

TABLES = tables()


def test_there_is_a_table_for_every_service_of_ours() -> None:
    assert sorted(TABLES) == sorted(RESPONSES)


@pytest.mark.parametrize("service", RESPONSES)
def test_rows_are_well_formed(service: str) -> None:
    rows = TABLES[service]
    assert [row for row in rows if row.fidelity not in FIDELITIES or not row.note] == []
    assert [OTHERS in row.operations for row in rows] == [False] * (len(rows) - 1) + [True], "the rest comes last"
    named = [name for row in rows for name in row.operations]
    assert sorted({name for name in named if named.count(name) > 1}) == []
    assert sorted(set(named) - {OTHERS} - set(get_service_model(service).operation_names)) == []


@pytest.mark.parametrize("service", RESPONSES)
def test_every_operation_that_we_answer_has_a_row(service: str) -> None:
    missing = set(answered_by(service, "localcloud")) - set(operations(TABLES[service], *FIDELITIES))
    assert sorted(missing) == [], f"localcloud/FIDELITY.md lacks rows in the section of {service}"


@pytest.mark.parametrize("service", RESPONSES)
def test_what_is_said_to_be_answered_is(service: str) -> None:
    promised = set(operations(TABLES[service], "faithful", "simplified"))
    assert sorted(promised - set(answered_by(service, "localcloud"))) == []


@pytest.mark.parametrize("service", RESPONSES)
def test_what_is_said_to_be_motos_is(service: str) -> None:
    promised = set(operations(TABLES[service], "moto"))
    assert sorted(promised - set(answered_by(service, "moto"))) == []
    if any(OTHERS in row.operations and row.fidelity == "absent" for row in TABLES[service]):
        assert sorted(set(answered_by(service, "moto")) - promised) == []
