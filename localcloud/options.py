# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cloud may be told when it is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localcloud.latency import Profile


@dataclass(frozen=True)
class Options:
    """What `up` may be told. The ports are preferences: others are taken when they are not free.

    What takes AWS its time takes the time of the `latency` profile here, times `scale`. With `enforce_iam`
    policies bind who has some.
    """

    port: int = 5566
    registry_port: int = 5577
    account_id: str = "123456789012"
    region: str = "us-west-2"
    listen: tuple[str, ...] = ()
    latency: Profile = "instant"
    scale: float = 1.0
    enforce_iam: bool = False


def arguments(options: Options) -> list[str]:
    """The options as `serve` takes them on its command line."""
    pairs: list[tuple[str, Any]] = [
        ("--port", options.port),
        ("--registry-port", options.registry_port),
        ("--account-id", options.account_id),
        ("--region", options.region),
        ("--latency", options.latency),
        ("--scale", options.scale),
        *(("--listen", address) for address in options.listen),
    ]
    return [str(word) for pair in pairs for word in pair] + ["--enforce-iam"] * options.enforce_iam
