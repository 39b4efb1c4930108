# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""localcloud/FIDELITY.md says of every operation what the code does: a row for each that we answer, and no other."""

from __future__ import annotations

import pytest
from moto.core.utils import get_service_model

from localcloud.cloudwatch.alarms import Rule
from localcloud.cloudwatch.patterns import PatternError, compiled
from tests.support.fidelity import FIDELITIES, OTHERS, RESPONSES, answered_by, operations, tables, words

TABLES = tables()
WATCHING = words("CloudWatch, watching")


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


def test_every_statistic_and_comparison_of_alarms_is_told_as_it_is() -> None:
    model = get_service_model("cloudwatch")
    statistics, comparisons = (model.shape_for(name).enum for name in ("Statistic", "ComparisonOperator"))
    known = {
        **{name: Rule(name, 60, 1, 1, "GreaterThanThreshold", 0).is_known for name in statistics},
        **{name: Rule("Sum", 60, 1, 1, name, 0).is_known for name in comparisons},
    }
    assert {name: WATCHING.get(name) in ("faithful", "simplified") for name in known} == known
    assert set(known) <= set(WATCHING) and set(WATCHING.values()) <= set(FIDELITIES)


def test_patterns_of_metric_filters_are_told_as_they_are() -> None:
    patterns = [word for word in WATCHING if not word.isalpha() or word == "ERROR"]
    assert len(patterns) == 12

    def is_known(pattern: str) -> bool:
        try:
            compiled(pattern)
        except PatternError:
            return False
        return True

    assert {word: WATCHING[word] != "absent" for word in patterns} == {word: is_known(word) for word in patterns}
