# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories that moto keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def repositories(name: str | None = None) -> Sequence[Any]:
    """Those of every account and region, or those of that name; one registry stands behind them all."""
    from moto.ecr.models import ecr_backends

    backends = [backend for regions in list(ecr_backends.values()) for backend in list(regions.values())]
    found = [repository for backend in backends for repository in list(backend.repositories.values())]
    return [repository for repository in found if name in (None, repository.name)]
