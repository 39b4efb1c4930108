# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of PostgreSQL that RDS has, and what it makes of those that it is asked for."""

from __future__ import annotations

import pytest
from moto.rds.exceptions import RDSClientError

from localcloud.data.rds.requests import DEFAULT_VERSION, full_version, upgraded


@pytest.mark.parametrize(("asked", "got"), [(None, DEFAULT_VERSION), ("17", DEFAULT_VERSION), ("17.7", "17.7")])
def test_a_new_instance_has_a_minor_version(asked: str | None, got: str) -> None:
    assert full_version(asked) == got


@pytest.mark.parametrize("asked", ["17.5", "17.6", "16", "16.14", "17.x"])
def test_what_rds_no_longer_has_is_refused(asked: str) -> None:
    with pytest.raises(RDSClientError, match=f"Cannot find version {asked} for postgres"):
        full_version(asked)


@pytest.mark.parametrize(
    ("current", "asked", "got"),
    [
        ("17.7", "17.8", "17.8"),
        ("17.7", "17", DEFAULT_VERSION),
        ("17.10", "17", "17.10"),
        ("17.9", "17.9", "17.9"),
    ],
)
def test_an_instance_is_upgraded(current: str, asked: str, got: str) -> None:
    assert upgraded(current, asked) == got


def test_an_instance_is_never_downgraded() -> None:
    with pytest.raises(RDSClientError, match=r"Cannot upgrade postgres from 17\.9 to 17\.8"):
        upgraded("17.9", "17.8")
