# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of moto's own tests, run against plain moto and against the rehearsal cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.moto.suite import Difference, Verdict, compare, outcomes_in, read_differences

PLAIN = {"test_s3/a.py::test_a": "passed", "test_s3/a.py::test_b[x]": "passed", "test_s3/a.py::test_c": "assert 1"}
WORSE = {"test_s3/a.py::test_a": "passed", "test_s3/a.py::test_b[x]": "boom", "test_s3/a.py::test_c": "assert 1"}


def listed(*tests: str, service: str = "s3", problems: tuple[str, ...] = ()) -> tuple[Difference, ...]:
    return (Difference(service, "a reason", "its evidence", tests, problems),)


def judge(ours: dict[str, str], differences: tuple[Difference, ...] = ()) -> Verdict:
    return compare(PLAIN, ours, differences, ("s3",))


def test_what_fails_with_both_is_nobodys_business() -> None:
    assert judge(PLAIN).agrees


def test_what_fails_here_alone_is_a_difference() -> None:
    verdict = judge(WORSE)
    assert (dict(verdict.unexplained), verdict.agrees) == ({"test_s3/a.py::test_b[x]": "boom"}, False)


def test_what_did_not_run_here_is_one_too() -> None:
    assert set(judge({}).unexplained.values()) == {"did not run"}


@pytest.mark.parametrize("pattern", ["a.py::test_b[x]", "*::test_b*", "a.py::test_b[*"])
def test_a_listed_difference_is_explained(pattern: str) -> None:
    verdict = judge(WORSE, listed(pattern))
    assert (verdict.explained, verdict.agrees) == (1, True)


def test_a_difference_may_be_listed_by_its_words() -> None:
    assert judge(WORSE, listed(problems=("boo",))).agrees
    assert judge(WORSE, listed(problems=("boo", "bang"))).idle == ("s3: bang",)


def test_a_listed_test_that_passes_is_a_difference_as_well() -> None:
    verdict = judge(PLAIN, listed("a.py::test_a") + listed("a.py::test_x", service="ecr"))
    assert (verdict.idle, verdict.agrees) == (("s3: a.py::test_a",), False)


def test_outcomes_are_read_by_the_names_that_pytest_uses(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    cases = (
        '<testcase classname="tests.test_s3.test_s3" name="test_a"/>'
        '<testcase classname="tests.test_s3.test_s3.TestX" name="test_b"><failure message="boom&#10;more"/></testcase>'
        '<testcase classname="tests.test_s3.test_s3" name="test_c"><skipped/></testcase>'
    )
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert outcomes_in(report) == {
        "test_s3/test_s3.py::test_a": "passed",
        "test_s3/test_s3.py::TestX::test_b": "boom",
        "test_s3/test_s3.py::test_c": "skipped",
    }


def test_every_listed_difference_has_a_reason_and_evidence() -> None:
    for difference in read_differences():
        assert difference.reason and difference.evidence
        assert difference.tests or difference.problems
        assert {type(words) for words in (*difference.tests, *difference.problems)} == {str}
