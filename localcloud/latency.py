# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the cloud takes over what AWS takes its time for: one table for all services."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Profile = Literal["instant", "aws"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


@dataclass(frozen=True)
class Duration:
    """A step that takes time: at least so many seconds, and longer where a container behind it needs longer.

    `instant` is not 0 where a client that does not wait would otherwise get away with it here, and fail at AWS.
    `source` says where `aws` is from; "assumed" is a figure that nobody has vouched for.
    """

    key: str
    aws: float
    what: str
    source: str
    instant: float = 0.0


_LAUNCH_LOG = "public log of a launch, ECS on AL2023 with an ALB, November 2023: 5 min 0 s in all"
_DEPLOY_LOG = "public log of a deployment, ECS on AL2023, November 2023: 1 min 41 s in all"
_ASSUMED = "assumed"

DURATIONS: tuple[Duration, ...] = (
    Duration("autoscaling.notice", 60, "until a lost instance is noticed", "EC2 User Guide: a status check a minute"),
    Duration(
        "cloudfront.distribution", 300, "InProgress, then Deployed", "AWS blog of 2020: reliably within 5 min", 1.5
    ),
    Duration(
        "cloudfront.invalidation",
        60,
        "InProgress, then Completed",
        "static-asset-fingerprinting.com: typically under 60 s",
        1.5,
    ),
    Duration(
        "cloudfront.logs", 300, "until access logs are in their bucket", "assumed; Developer Guide: often in an hour", 1
    ),
    Duration("ec2.launch", 30, "pending, then running", "public Terraform runs: 10 to 42 s"),
    Duration(
        "ecr.lifecycle",
        86400,
        "from one look at lifecycle policies to the next",
        "ECR User Guide: within 24 hours",
        2,
    ),
    Duration(
        "elasticache.create", 395, "creating, then available", "hashicorp/terraform#8275, acceptance tests: 395 s", 1.5
    ),
    Duration("elasticache.delete", 300, "deleting, then gone", _ASSUMED),
    Duration("elasticache.failover", 60, "until the endpoint leads to the replica", _ASSUMED),
    Duration("elasticache.modify", 923, "modifying, then available", "a public Terraform run: 15 min 23 s"),
    Duration("elasticbeanstalk.configuration", 80, "a change of options", "Developer Guide, eb setenv: 75 to 85 s"),
    Duration(
        "elasticbeanstalk.consistency",
        2,
        "until lists show what was written",
        "assumed; Terraform's first look comes after 10 s",
    ),
    Duration("elasticbeanstalk.deploy", 57, "a batch: from the command to its end", _DEPLOY_LOG),
    Duration("elasticbeanstalk.deploy.start", 40, "from the call to the first batch", _DEPLOY_LOG),
    Duration(
        "elasticbeanstalk.health",
        120,
        "a batch passing its health checks",
        "Developer Guide, rolling deployments: 12 checks in two minutes",
    ),
    Duration("elasticbeanstalk.launch.auto_scaling_group", 16, "step of a launch", _LAUNCH_LOG),
    Duration("elasticbeanstalk.launch.eip", 15, "step of a launch, single instance", _ASSUMED),
    Duration("elasticbeanstalk.launch.instances", 121, "last step of a launch", _LAUNCH_LOG),
    Duration("elasticbeanstalk.launch.launch_configuration", 15, "step of a launch", _LAUNCH_LOG),
    Duration("elasticbeanstalk.launch.load_balancer", 126, "step of a launch, load-balanced", _LAUNCH_LOG),
    Duration("elasticbeanstalk.launch.security_group", 20, "step of a launch", _LAUNCH_LOG),
    Duration("elasticbeanstalk.launch.storage", 2, "first step of a launch", _LAUNCH_LOG),
    Duration("elasticbeanstalk.logs", 10, "until requested logs are in S3", _ASSUMED),
    Duration("elasticbeanstalk.restart", 20, "RestartAppServer", _ASSUMED),
    Duration("elasticbeanstalk.swap", 5, "SwapEnvironmentCNAMEs", "Developer Guide, eb swap: 5 s"),
    Duration("elasticbeanstalk.tags", 60, "Updating for changed tags", _ASSUMED),
    Duration(
        "elasticbeanstalk.terminate", 267, "Terminating, then Terminated", "Developer Guide, eb terminate: 4 min 27 s"
    ),
    Duration("elasticbeanstalk.version", 4, "PROCESSING, then PROCESSED", "assumed; eb looks every 4 s"),
    Duration("rds.create", 246, "creating, then available", "public Terraform runs: 3 min 16 s to 4 min 56 s", 1.5),
    Duration("rds.credentials", 30, "resetting-master-credentials, then available", _ASSUMED),
    Duration("rds.delete", 195, "deleting, then gone", "public Terraform runs: 3 min 15 s"),
    Duration("rds.failover", 90, "until the endpoint leads to the standby", "RDS User Guide: 60 to 120 s"),
    Duration("rds.modify", 387, "modifying, then available", "a public Terraform run: 6 min 27 s"),
    Duration("rds.notice", 20, "until the status tells that a change has begun", _ASSUMED, 0.3),
    Duration("rds.reboot", 60, "rebooting, then available", "davidmkerr.com, February 2016: less than a minute"),
    Duration(
        "rds.restore",
        550,
        "creating from a snapshot, then available",
        "hashicorp/terraform-provider-aws#27801: 1261 s for create, snapshot, restore and delete, less those",
    ),
    Duration(
        "rds.snapshot",
        225,
        "creating, then available",
        "hashicorp/terraform-provider-aws#23560: 895 s with a final snapshot, 670 s without",
    ),
    Duration("rds.start", 240, "starting, then available", _ASSUMED),
    Duration("rds.stop", 300, "stopping, then stopped", _ASSUMED),
    Duration("rds.storage_optimization", 3600, "after other storage, before available", _ASSUMED),
    Duration("rds.upgrade", 600, "upgrading, then available", _ASSUMED),
)
"""All durations, by key. A service asks `cloud.latency.of(<its key>)`."""


class UnknownDuration(KeyError):
    """There is no such key in the table."""

    def __str__(self) -> str:
        return f"no duration {self.args[0]!r}; localcloud/latency.py has them all"


class Latency:
    """The seconds that steps take: those of a profile, scaled, save what was set one by one."""

    def __init__(self, profile: Profile = "instant", scale: float = 1.0) -> None:
        """Take the profile's seconds times `scale`."""
        self.profile, self.scale = profile, _valid(scale)
        self._lock = threading.Lock()
        self._chosen: dict[str, float] = {}
        self._table = {item.key: (item.aws if profile == "aws" else item.instant) * scale for item in DURATIONS}

    def of(self, key: str) -> float:
        """The seconds of a step such as `rds.create`.

        :raises UnknownDuration: When the table does not have it.
        """
        _known(key)
        with self._lock:
            return self._chosen.get(key, self._table[key])

    def set(self, seconds: Mapping[str, float]) -> None:
        """From now on these steps take so long, whatever the profile says: all of them or, on an error, none.

        :raises UnknownDuration: When the table does not have one.
        :raises ValueError: When one is no duration.
        """
        chosen = {_known(key): _valid(value) for key, value in seconds.items()}
        with self._lock:
            self._chosen.update(chosen)

    def reset(self) -> None:
        """Back to what the profile says."""
        with self._lock:
            self._chosen.clear()

    def all(self) -> dict[str, float]:
        """Every step with its seconds."""
        with self._lock:
            return {**self._table, **self._chosen}

    def __str__(self) -> str:
        return self.profile if self.scale == 1 else f"{self.profile}, times {self.scale:g}"


def table(durations: Iterable[Duration] = DURATIONS) -> list[str]:
    """The table's rows as the README shows them."""
    return [f"| `{d.key}` | {d.what} | {d.instant:g} | {d.aws:g} | {d.source} |" for d in durations]


_KEYS = frozenset(item.key for item in DURATIONS)


def _known(key: str) -> str:
    if key not in _KEYS:
        raise UnknownDuration(key)
    return key


def _valid(seconds: float) -> float:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} is no duration: a number from 0 on is")
    return float(seconds)
