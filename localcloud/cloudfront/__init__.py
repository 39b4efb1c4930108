# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront: moto's is replaced by one that keeps what it is told, takes time, and answers viewers on loopback."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import moto.cloudfront
import moto.cloudfront.models
from moto.backends import get_backend
from moto.s3.models import s3_backends

from localcloud.cloudfront import resources
from localcloud.cloudfront.accesslogs import AccessLogs, Target, line
from localcloud.cloudfront.edge import Edge
from localcloud.cloudfront.exchange import Account, Exchange
from localcloud.cloudfront.models import CloudFrontBackend, cloudfront_backends
from localcloud.cloudfront.origins import Origins
from localcloud.cloudfront.prerequisites import LOG_BUCKET
from localcloud.cloudfront.replies import Reply, ViewerRequest
from localcloud.cloudfront.resources import Distribution, OriginAccessControl, Runtime

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LEAST_WAIT = 0.5
"""Seconds between two deliveries of access logs, however fast the cloud is."""


def install(cloud: Cloud) -> None:
    """Put this CloudFront in the place of moto's, start its edge and show its distributions in the cloud's status.

    How long a change takes to be deployed, an invalidation to complete and access logs to be delivered:
    `cloud.latency`, `cloudfront.distribution`, `cloudfront.invalidation` and `cloudfront.logs`.
    """
    _replace_backend()
    logs = AccessLogs(_put_log, lambda: cloud.clock.now().timestamp())
    origins = Origins(cloud.names.get, _access_control, cloud.ca.path)
    edge = Edge(partial(_certificate, cloud), origins, _exchange_for, partial(_record, logs))
    resources.configure(
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
    threading.Thread(target=_deliver, args=(cloud, logs), name="cloudfront-logs", daemon=True).start()


def _deliver(cloud: Cloud, logs: AccessLogs) -> None:
    while True:
        cloud.clock.wait(max(cloud.latency.of("cloudfront.logs"), LEAST_WAIT))
        logs.deliver()


def _record(logs: AccessLogs, distribution: Distribution, viewer: ViewerRequest, reply: Reply, seconds: float) -> None:
    logging = distribution.config["Logging"]
    match = LOG_BUCKET.fullmatch(logging["Bucket"])
    if logging["Enabled"] and match:
        target = Target(distribution.account_id, match["name"], logging["Prefix"], distribution.id)
        logs.add(target, line(distribution, viewer, reply, resources.runtime().clock(), seconds))


def _put_log(target: Target, key: str, content: bytes) -> None:
    s3_backends[target.account_id]["aws"].put_object(target.bucket, key, content)


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
    account = Account(backend.live_function, backend.response_headers_policies.find, backend.public_keys_of)
    return Exchange(distribution, origins, account, resources.runtime().clock)


def distributions_status() -> dict[str, Any]:
    """`{ID: {url, http_url, domain, aliases, status}}` of all distributions."""
    now = resources.runtime().clock()
    found: dict[str, Any] = {}
    for account in cloudfront_backends.values():
        for distribution in account["aws"].distributions.values():
            if distribution.ports is None:
                continue
            found[distribution.id] = {
                "url": distribution.ports.url,
                "http_url": distribution.ports.http_url,
                "domain": distribution.domain_name,
                "aliases": list(distribution.edge.aliases),
                "status": distribution.status(now),
            }
    return found
