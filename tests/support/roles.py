# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a role, and what an expression makes of them, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[2] / "roles"


class Reader(DataLoader):  # type: ignore[misc]
    """Reads each file once; nobody changes what it gives, so that it needs no copy."""

    load_from_file = cache(DataLoader.load_from_file)


LOADER = Reader()


def variables_of(role: str) -> dict[str, Any]:
    """The defaults and the variables of a role, as templates."""
    files = [ROLES / role / kind / "main.yml" for kind in ("defaults", "vars")]
    found: dict[str, Any] = {}
    for file in files:
        found |= (LOADER.load_from_file(str(file), trusted_as_template=True) or {}) if file.exists() else {}
    return found


def evaluated(template: str, variables: Mapping[str, Any]) -> Any:
    """What the template makes of the variables."""
    return Templar(loader=LOADER, variables=dict(variables)).template(trust_as_template(template))
