# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes, as people read it: what counts, what is said of it, and that it fits."""

from __future__ import annotations

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._deployment.changes import (
    Change,
    Changes,
    change_of,
    is_unchecked,
    markdown,
)

TASK = "antenna.aws.network : Make the private subnets"
DIFF = "--- before\n+++ after\n-old\n+new\n"


def host(*changes: Change, check: bool = True, failure: str = "", unchecked: tuple[str, ...] = ()) -> Changes:
    return Changes("antenna-production", check, changes, unchecked, failure)


def test_a_task_is_named_within_its_role() -> None:
    assert change_of(TASK, "172.31.128.0/20", {"changed": True}, "") == Change(
        "network", "Make the private subnets", "172.31.128.0/20"
    )


def test_a_task_of_a_playbook_has_no_role() -> None:
    assert change_of("Do something", "", {"changed": True}, "") == Change("", "Do something")


@pytest.mark.parametrize(
    "result",
    [{}, {"changed": False}, {"skipped": True, "msg": "Conditional result was False"}, {"failed": True}],
    ids=str,
)
def test_what_changes_nothing_is_not_said(result: dict[str, object]) -> None:
    assert change_of(TASK, "", result, "") is None


def test_a_command_that_a_check_does_not_run_is_said() -> None:
    result = {"skipped": True, "msg": "Command would have run if not in check mode"}
    change = change_of("antenna.aws.ecr_images : Build", "", result, "")
    assert change == Change("ecr_images", "Build", command=True)
    assert "- Build (known when it runs)" in markdown([host(change)], 1000)


def test_what_has_no_check_is_named() -> None:
    result = {"skipped": True, "msg": "remote module (amazon.aws.s3_bucket) does not support check mode"}
    assert is_unchecked(result) and change_of(TASK, "", result, "") is None
    text = markdown([host(unchecked=("antenna.aws.data_tier : Make the storage bucket",))], 1000)
    assert "A check cannot tell whether these would change something: Make the storage bucket (data_tier)." in text


def test_reasons_of_a_plan_are_said_once() -> None:
    step = {"op": "update", "resource": "antenna", "reason": "tags differ"}
    change = change_of(TASK, "", {"changed": True, "plan": [step, step]}, "")
    assert change is not None and change.reasons == ("update: tags differ",)


def test_a_plan_that_is_something_else_is_left_alone() -> None:
    change = change_of(TASK, "", {"changed": True, "plan": "monthly"}, "")
    assert change is not None and change.reasons == ()


def test_colors_of_a_terminal_are_left_out() -> None:
    change = change_of(TASK, "", {"changed": True}, "\x1b[0;31m-old\x1b[0m")
    assert change is not None and change.diff == "-old"


@pytest.mark.parametrize(
    ("found", "heading"),
    [
        (host(), "nothing would change"),
        (host(check=False), "nothing changed"),
        (host(Change("network", "Make")), "1 change would be made"),
        (host(Change("network", "Make"), Change("network", "Tag"), check=False), "2 changes"),
        (host(failure="Make: no"), "the check failed"),
        (host(check=False, failure="Make: no"), "the run failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_heading_sums_up(found: Changes, heading: str) -> None:
    assert markdown([found], 1000).splitlines()[0] == f"### antenna-production: {heading}"


def test_a_failure_is_said_with_what_would_have_changed_before_it() -> None:
    text = markdown([host(Change("network", "Make"), failure="Start the database: no quota")], 1000)
    assert "```text\nStart the database: no quota\n```" in text and "- Make" in text


def test_changes_are_told_role_by_role_in_the_order_of_the_run() -> None:
    text = markdown(
        [host(Change("network", "Make", "one"), Change("network", "Tag"), Change("identity", "Grant"))], 1000
    )
    assert [line for line in text.splitlines()[1:] if line] == [
        "**network**", "- Make: `one`", "- Tag", "**identity**", "- Grant",
    ]  # fmt: skip


def test_differences_are_folded() -> None:
    text = markdown([host(Change("network", "Make", diff=DIFF))], 1000)
    assert "<details>" in text and "  ```diff\n  --- before\n  +++ after\n  -old\n  +new\n  ```" in text


def test_differences_with_fences_stay_fenced() -> None:
    text = markdown([host(Change("network", "Make", diff="+```\n+out of the fence\n"))], 1000)
    assert "  ````diff\n  +```\n  +out of the fence\n  ````" in text


@pytest.mark.parametrize("limit", [500, 2000, 30_000])
def test_it_fits(limit: int) -> None:
    changes = [Change("network", f"Make {number}", diff="+line\n" * number) for number in range(100)]
    text = markdown([host(*changes), host(failure="x" * 50_000)], limit)
    assert len(text) <= limit


def test_the_longest_differences_are_left_out_first() -> None:
    text = markdown([host(Change("network", "Long", diff="+long\n" * 100), Change("network", "Short", diff=DIFF))], 400)
    assert "100 lines of differences: the log of the run has them" in text
    assert "+new" in text and "+long" not in text


def test_what_is_cut_off_is_said() -> None:
    changes = [Change("network", f"Make {number}") for number in range(100)]
    text = markdown([host(*changes)], 500)
    assert text.endswith("\nThe rest does not fit here: the log of the run has it.\n") and "- Make 1\n" in text
