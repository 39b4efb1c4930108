# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's managed policies, read once: moto reads all of them anew for every account, which takes most of a second."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.iam.models import IAMBackend

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Have new accounts take copies.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    if not hasattr(IAMBackend, "_init_aws_policies"):
        raise RuntimeError("moto's IAM has another shape than expected: not the moto that requirements.txt pins")
    motos = IAMBackend._init_aws_policies
    known: dict[tuple[str, str], list[Any]] = {}

    def policies(backend: Any) -> list[Any]:
        place = (backend.account_id, backend.region_name)
        if place not in known:
            known[place] = motos(backend)
        return [copy.copy(policy) for policy in known[place]]

    IAMBackend._init_aws_policies = policies
