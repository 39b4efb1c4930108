# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""localcloud/FIDELITY.md as values, and what the code says of the same."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from moto.core.utils import camelcase_to_underscores, get_service_model

FILE = Path(__file__).resolve().parents[2] / "localcloud" / "FIDELITY.md"
FIDELITIES = ("faithful", "simplified", "moto", "absent")
OTHERS = "every other"
RESPONSES = {
    "elasticbeanstalk": ("localcloud.elasticbeanstalk.responses", "EBResponse"),
    "ecs": ("localcloud.ecs.responses", "ECSResponse"),
    "ecr": ("localcloud.ecr.responses", "RegistryECRResponse"),
    "rds": ("localcloud.data.rds.responses", "PostgresResponse"),
    "elasticache": ("localcloud.data.elasticache.responses", "ValkeyResponse"),
    "cloudfront": ("localcloud.cloudfront.responses", "CloudFrontResponse"),
}
"""The class that answers each service's API."""

_SECTION = re.compile(r"^## .* \(([a-z]+)\)$")
_ROW = re.compile(r"^\| (`[^|]*`|every other) \| (\w+) \| (.*) \|$")
_WORD = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One line of a table: operations by AWS's names, or `every other`."""

    operations: tuple[str, ...]
    fidelity: str
    note: str


def tables() -> dict[str, list[Row]]:
    """The tables of the file, by service."""
    found: dict[str, list[Row]] = {}
    service = None
    for line in FILE.read_text().splitlines():
        if line.startswith("## "):
            section = _SECTION.match(line)
            service = section[1] if section else None
            if service is not None:
                found[service] = []
        elif service is not None and line.startswith("|") and not line.startswith(("| operation |", "|---")):
            found[service].append(_row(line))
    return found


def _row(line: str) -> Row:
    match = _ROW.match(line)
    if match is None:
        raise ValueError(f"not a row of {FILE.name}: {line}")
    names = match[1].replace("`", "").split(", ")
    return Row(tuple(names), match[2], match[3].strip())


def words(title: str) -> dict[str, str]:
    """What the table of a section that is no service's names in its first column, with its fidelity."""
    _, _, section = FILE.read_text().partition(f"\n## {title}\n")
    cells = (line.split(" | ") for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `"))
    return {word: fidelity for named, fidelity, *_ in cells for word in _WORD.findall(named)}


def operations(rows: Iterable[Row], *fidelities: str) -> list[str]:
    """The operations that rows of these fidelities name."""
    return [name for row in rows if row.fidelity in fidelities for name in row.operations if name != OTHERS]


def answered_by(service: str, package: str) -> list[str]:
    """The service's operations whose method comes from a class of that package (`localcloud` or `moto`)."""
    module, name = RESPONSES[service]
    classes = getattr(importlib.import_module(module), name).__mro__
    found = []
    for operation in get_service_model(service).operation_names:
        method = camelcase_to_underscores(operation)
        owner = next((item for item in classes if method in vars(item)), None)
        if owner is not None and owner.__module__.split(".")[0] == package:
            found.append(operation)
    return found
