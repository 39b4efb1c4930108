# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages, for RDS and ElastiCache; moto's pages need an attribute that is unique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LIMIT = 100


def page(name: str, items: Sequence[Any], asked: Any) -> dict[str, Any]:
    """The part of the list that a call asks for, as the answer's member `name`, with the marker of the next.

    :param asked: Has `get`, with the parameters `Marker` and `MaxRecords` of the call.
    """
    marker = str(asked.get("Marker") or "0")
    start = int(marker) if marker.isdecimal() else len(items)
    end = start + int(asked.get("MaxRecords") or LIMIT)
    return {name: list(items[start:end]), **({"Marker": str(end)} if end < len(items) else {})}
