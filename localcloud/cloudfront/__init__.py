# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront: moto's is replaced by one that keeps what it is told, takes time, and answers viewers on loopback."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import moto.cloudfront
import moto.cloudfront.models
from moto.backends import get_backend

from localcloud.cloudfront import models
from localcloud.cloudfront.edge import Edge
from localcloud.cloudfront.exchange import Exchange
from localcloud.cloudfront.models import (
    CloudFrontBackend,
    Distribution,
    OriginAccessControl,
    Runtime,
    cloudfront_backends,
)
from localcloud.cloudfront.origins import Origins

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Put this CloudFront in the place of moto's, start its edge and show its distributions in the cloud's status.

    How long a change takes to be deployed and an invalidation to complete: `cloud.latency`, `cloudfront.distribution`
    and `cloudfront.invalidation`.
    """
    _replace_backend()
    edge = Edge(partial(_certificate, cloud), Origins(cloud.names.get, _access_control), _exchange_for)
    models.configure(
        Runtime(
            clock=lambda: cloud.clock.now().timestamp(),
            deploy_seconds=lambda: cloud.latency.of("cloudfront.distribution"),
            invalidation_seconds=lambda: cloud.latency.of("cloudfront.invalidation"),
            open_listeners=edge.open,
            close_listeners=edge.close,
        )
    )
    cloud.status_providers["distributions"] = distributions_status
    cloud.shutdown_hooks.append(edge.shut_down)


def _certificate(cloud: Cloud, names: list[str]) -> tuple[str, str]:
    issued = cloud.ca.issue(names, ["127.0.0.1"])
    return str(issued.certificate), str(issued.key)


def _replace_backend() -> None:
    for module in (moto.cloudfront, moto.cloudfront.models):
        if not hasattr(module, "cloudfront_backends"):
            raise RuntimeError(f"{module.__name__} has no cloudfront_backends: not the pinned moto.")
        module.cloudfront_backends = cloudfront_backends
    if get_backend("cloudfront") is not cloudfront_backends:
        raise RuntimeError("moto looks for its CloudFront elsewhere: not the pinned moto.")


def _backend(account_id: str) -> CloudFrontBackend:
    backend: CloudFrontBackend = cloudfront_backends[account_id]["aws"]
    return backend


def _access_control(distribution: Distribution, identifier: str) -> OriginAccessControl:
    return _backend(distribution.account_id).access_control(identifier)


def _exchange_for(distribution: Distribution, origins: Origins) -> Exchange:
    backend = _backend(distribution.account_id)
    return Exchange(distribution, origins, backend.live_function, models.runtime().clock)


def distributions_status() -> dict[str, Any]:
    """`{ID: {url, http_url, domain, status}}` of all distributions."""
    now = models.runtime().clock()
    found: dict[str, Any] = {}
    for account in cloudfront_backends.values():
        for distribution in account["aws"].distributions.values():
            if distribution.ports is None:
                continue
            found[distribution.id] = {
                "url": distribution.ports.url,
                "http_url": distribution.ports.http_url,
                "domain": distribution.domain_name,
                "status": distribution.status(now),
            }
    return found
