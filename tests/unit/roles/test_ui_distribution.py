# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which UI is promoted and which is refused, and how one is built."""

from __future__ import annotations

import pytest

from tests.support.roles import RoleTask, evaluated


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("index.html", False),
        ("assets/index-1a2b.js", False),
        (".well-known/security.txt", False),
        ("a..b/..c/.d", False),
        ("../x", True),
        ("assets/../../x", True),
        ("assets/..", True),
        ("./x", True),
        ("/etc/x", True),
        ("assets//x", True),
        ("assets/", True),
    ],
)
def test_a_name_leads_to_a_file_below_the_build(name: str, odd: bool) -> None:
    task = RoleTask("ui_distribution/tasks/origin.yml", "Require names that are paths", {}).task
    promoted = {"__ui_distribution_promoted": {"files": [name]}}
    assert evaluated(task["vars"]["__ui_distribution_odd"], promoted) == ([name] if odd else [])
