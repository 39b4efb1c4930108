# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distributions, invalidations, origin access controls and functions, with their states in time.

Nothing runs in the background: what is deployed or completed follows from the clock at the moment of asking.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.cloudfront.cache import Purge
from localcloud.cloudfront.distribution import Config, EdgeConfig, behaviors_of, read_config
from localcloud.cloudfront.exceptions import not_found

API_ROOT = "https://cloudfront.amazonaws.com/2020-05-31"


@dataclass(frozen=True)
class Ports:
    """Where a distribution answers on loopback."""

    https: int
    http: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def http_url(self) -> str:
        return f"http://localhost:{self.http}"


@dataclass(frozen=True)
class Runtime:
    """What the models need from the running cloud. Times and durations in seconds."""

    clock: Callable[[], float]
    deploy_seconds: Callable[[], float]
    invalidation_seconds: Callable[[], float]
    open_listeners: Callable[[Distribution], Ports]
    close_listeners: Callable[[str], None]


_runtime: Runtime | None = None


def configure(runtime: Runtime) -> None:
    """Set the runtime that all backends use from now on."""
    global _runtime
    _runtime = runtime


def runtime() -> Runtime:
    if _runtime is None:
        raise RuntimeError("The rehearsal cloud's CloudFront was used before localcloud.cloudfront.install().")
    return _runtime


def random_id(alphabet: str = string.ascii_uppercase + string.digits, length: int = 13) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def resource_id(prefix: str = "E") -> str:
    return prefix + random_id()


def moment(seconds: float) -> datetime:
    """A naive UTC time, as moto's serializers expect it."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Invalidation:
    """A batch of paths; it takes effect when it completes (seconds of the clock)."""

    id: str
    caller_reference: str
    paths: tuple[str, ...]
    created_at: float
    completes_at: float

    def status(self, now: float) -> str:
        return "Completed" if now >= self.completes_at else "InProgress"

    def to_api(self, now: float) -> dict[str, Any]:
        return self.summary(now) | {
            "InvalidationBatch": {
                "Paths": {"Quantity": len(self.paths), "Items": list(self.paths)},
                "CallerReference": self.caller_reference,
            }
        }

    def summary(self, now: float) -> dict[str, Any]:
        return {"Id": self.id, "CreateTime": moment(self.created_at), "Status": self.status(now)}


@dataclass
class Distribution:
    """A distribution: the wanted configuration, and what of it the edge has by now."""

    id: str
    arn: str
    account_id: str
    domain_name: str
    config: Config
    edge: EdgeConfig
    etag: str
    modified_at: float
    deployed_at: float
    before: EdgeConfig | None = None
    invalidations: list[Invalidation] = field(default_factory=list)
    ports: Ports | None = None

    @property
    def location(self) -> str:
        return f"{API_ROOT}/distribution/{self.id}"

    def status(self, now: float) -> str:
        return "Deployed" if now >= self.deployed_at else "InProgress"

    def edge_config(self, now: float) -> EdgeConfig | None:
        """What viewers meet at this moment; None before the first deployment is done."""
        return self.edge if now >= self.deployed_at else self.before

    def purges(self, now: float) -> tuple[Purge, ...]:
        return tuple(
            Purge(invalidation.paths, invalidation.completes_at)
            for invalidation in self.invalidations
            if now >= invalidation.completes_at
        )

    def in_progress(self, now: float) -> list[Invalidation]:
        return [item for item in self.invalidations if item.status(now) == "InProgress"]

    def change(self, config: Config, now: float, deploy_seconds: float) -> None:
        self.before = self.edge_config(now)
        self.config = config
        self.edge = read_config(config)
        self.etag = resource_id()
        self.modified_at = now
        self.deployed_at = now + deploy_seconds

    def to_api(self, now: float) -> dict[str, Any]:
        return {
            "Id": self.id,
            "ARN": self.arn,
            "Status": self.status(now),
            "LastModifiedTime": moment(self.modified_at),
            "InProgressInvalidationBatches": len(self.in_progress(now)),
            "DomainName": self.domain_name,
            "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
            "ActiveTrustedKeyGroups": self._key_groups(),
            "DistributionConfig": self.config,
        }

    def _key_groups(self) -> dict[str, Any]:
        behaviors = behaviors_of(self.config)
        groups = sorted({group for behavior in behaviors for group in behavior["TrustedKeyGroups"].get("Items") or ()})
        shown = [{"KeyGroupId": group} for group in groups]
        return {"Enabled": bool(shown), "Quantity": len(shown), **({"Items": shown} if shown else {})}

    def summary(self, now: float) -> dict[str, Any]:
        return {**self.config, **self.to_api(now), "ETag": self.etag}


@dataclass(frozen=True)
class OriginAccessControl:
    """How CloudFront signs its requests to an origin."""

    id: str
    etag: str
    config: Config

    @property
    def name(self) -> str:
        return str(self.config["Name"])

    def signs(self, viewer_has_authorization: bool) -> bool:
        behavior = self.config["SigningBehavior"]
        return behavior == "always" or (behavior == "no-override" and not viewer_has_authorization)

    def to_api(self) -> dict[str, Any]:
        return {"Id": self.id, "OriginAccessControlConfig": self.config}

    def summary(self) -> dict[str, Any]:
        return {"Id": self.id, **self.config}


@dataclass(frozen=True)
class FunctionVersion:
    """The code of a function in one stage."""

    code: str
    config: Config
    etag: str
    modified_at: float


@dataclass
class Function:
    """A CloudFront Function: what is being developed, and what is published."""

    name: str
    arn: str
    created_at: float
    development: FunctionVersion
    live: FunctionVersion | None = None

    def version(self, stage: str) -> FunctionVersion:
        """Raises NoSuchFunctionExists for a stage that it never reached."""
        found = self.live if stage == "LIVE" else self.development
        if found is None:
            raise not_found("NoSuchFunctionExists", f"function {self.name} in stage {stage}")
        return found

    def summary(self, stage: str, associated: bool) -> dict[str, Any]:
        version = self.version(stage)
        published = self.live is not None and self.live.code == self.development.code
        status = "UNPUBLISHED" if not published else "DEPLOYED" if associated else "UNASSOCIATED"
        if stage == "LIVE":
            status = "DEPLOYED" if associated else "UNASSOCIATED"
        return {
            "Name": self.name,
            "Status": status,
            "FunctionConfig": version.config,
            "FunctionMetadata": {
                "FunctionARN": self.arn,
                "Stage": stage,
                "CreatedTime": moment(self.created_at),
                "LastModifiedTime": moment(version.modified_at),
            },
        }
