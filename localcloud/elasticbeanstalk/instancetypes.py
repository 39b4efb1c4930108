# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's instance types, as moto knows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from moto.ec2.models.instance_types import INSTANCE_TYPES


@cache
def architectures() -> Mapping[str, tuple[str, ...]]:
    """Each type that exists with the architectures that it runs."""
    return {name: tuple(facts["ProcessorInfo"]["SupportedArchitectures"]) for name, facts in INSTANCE_TYPES.items()}
