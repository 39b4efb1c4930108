# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory an EC2 instance type has. Pure."""

from __future__ import annotations

import re

_GIB = 1024

# Burstable types follow no rule by vCPU.
_BURSTABLE = {
    "nano": 0.5,
    "micro": 1,
    "small": 2,
    "medium": 4,
    "large": 8,
    "xlarge": 16,
    "2xlarge": 32,
}
_BURSTABLE_FAMILIES = frozenset({"t2", "t3", "t3a", "t4g"})

# GiB of one "xlarge"; the other sizes are multiples of it.
_XLARGE = {
    "c4": 7.5,
    "c5": 8,
    "c5a": 8,
    "c5ad": 8,
    "c5d": 8,
    "c5n": 10.5,
    "c6a": 8,
    "c6g": 8,
    "c6gd": 8,
    "c6gn": 8,
    "c6i": 8,
    "c6id": 8,
    "c6in": 8,
    "c7a": 8,
    "c7g": 8,
    "c7gd": 8,
    "c7gn": 8,
    "c7i": 8,
    "c7i-flex": 8,
    "c8g": 8,
    "m4": 16,
    "m5": 16,
    "m5a": 16,
    "m5ad": 16,
    "m5d": 16,
    "m5dn": 16,
    "m5n": 16,
    "m5zn": 16,
    "m6a": 16,
    "m6g": 16,
    "m6gd": 16,
    "m6i": 16,
    "m6id": 16,
    "m6idn": 16,
    "m6in": 16,
    "m7a": 16,
    "m7g": 16,
    "m7gd": 16,
    "m7i": 16,
    "m7i-flex": 16,
    "m8g": 16,
    "r4": 30.5,
    "r5": 32,
    "r5a": 32,
    "r5ad": 32,
    "r5b": 32,
    "r5d": 32,
    "r5dn": 32,
    "r5n": 32,
    "r6a": 32,
    "r6g": 32,
    "r6gd": 32,
    "r6i": 32,
    "r6id": 32,
    "r6idn": 32,
    "r6in": 32,
    "r7a": 32,
    "r7g": 32,
    "r7gd": 32,
    "r7i": 32,
    "r8g": 32,
}
_SIZE = re.compile(r"^(?P<count>\d*)(?P<unit>medium|large|xlarge)$")
_SHARE = {"medium": 0.25, "large": 0.5, "xlarge": 1.0}

# What the kernel and the ECS agent keep at the very least: no instance registers the last of its memory with ECS.
_KEPT_BY_SYSTEM_MIB = 64


def memory_mib(instance_type: str) -> int | None:
    """Return the type's memory in MiB, or None for a type that is not known here."""
    family, _dot, size = instance_type.partition(".")
    if family in _BURSTABLE_FAMILIES:
        gib = _BURSTABLE.get(size)
        return None if gib is None else int(gib * _GIB)
    match = _SIZE.match(size)
    if match is None or family not in _XLARGE:
        return None
    if match["count"] and match["unit"] != "xlarge":
        return None
    return int(_XLARGE[family] * _SHARE[match["unit"]] * int(match["count"] or 1) * _GIB)


def memory_for_containers_mib(instance_type: str) -> int | None:
    """Return the MiB that containers can have on the type at the very most, or None for a type not known here."""
    memory = memory_mib(instance_type)
    return None if memory is None else memory - _KEPT_BY_SYSTEM_MIB
