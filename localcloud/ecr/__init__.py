# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR: moto's repositories over a real registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from localcloud import admin
from localcloud.clock import SystemClock
from localcloud.ecr import gate
from localcloud.ecr.lifecycle import expired
from localcloud.ecr.registry import TOKEN_PATH, Registry
from localcloud.ecr.repositories import repositories
from localcloud.ecr.tokens import Bearers, Passwords, grant
from localcloud.jobs import every

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def install(cloud: Cloud) -> None:
    """Start the registry and answer ECR's API from it.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    from moto.ecr import urls

    from localcloud.ecr.responses import RegistryECRResponse

    if list(urls.url_paths) != ["{0}/$"]:
        raise RuntimeError("moto's ECR has other URLs than expected: not the moto that requirements.txt pins")
    issued = cloud.ca.issue(["registry.localcloud"])
    # The registry holds the bearers' times against the machine's clock, which nobody moves.
    bearers = Bearers(issued.certificate, issued.key, SystemClock())
    passwords = Passwords(cloud.clock)
    registry = Registry(cloud, bearers)
    registry.start()
    cloud.shutdown_hooks.append(registry.wait)
    cloud.reset_hooks.append(lambda: _forget_images(registry))
    RegistryECRResponse.registry = registry
    RegistryECRResponse.passwords = passwords
    RegistryECRResponse.address = cloud.registry
    urls.url_paths["{0}/$"] = RegistryECRResponse.dispatch
    RegistryECRResponse.cloud = cloud
    admin.add_handler("GET", TOKEN_PATH, _token_handler(passwords, bearers))
    admin.add_handler("PUT", gate.PATH, gate.manifest_handler(registry))
    every(cloud.latency.of("ecr.lifecycle"), cloud.clock, lambda: _expire_images(cloud, registry))


def _forget_images(registry: Registry) -> None:
    for repository in repositories():
        registry.forget(repository.name)


def _token_handler(passwords: Passwords, bearers: Bearers) -> admin.Handler:
    def answer(cloud: Cloud, request: Request) -> Response:
        given = request.authorization
        if given is None or not passwords.is_valid(given.username or "", given.password or ""):
            return _denial(given is not None and passwords.has_expired(given.password or ""))
        scopes = [scope for item in request.args.getlist("scope") for scope in item.split()]
        granted = grant(scopes, lambda name: bool(repositories(name)))
        return admin.as_json(bearers.sign(granted))

    return answer


def _denial(has_expired: bool) -> Response:
    if has_expired:
        message = "Your authorization token has expired. Reauthenticate and try again."
        answer: dict[str, Any] = {"errors": [{"code": "DENIED", "message": message}]}
    else:
        answer = {"details": "this password is not ours: call GetAuthorizationToken"}
    headers = {"WWW-Authenticate": 'Basic realm="localcloud"'}
    return Response(json.dumps(answer), 401, headers, mimetype="application/json")


def _expire_images(cloud: Cloud, registry: Registry) -> None:
    """Carry out lifecycle policies."""
    for repository in repositories():
        if repository.lifecycle_policy:
            images = registry.images(repository.name)
            for expiry in expired(repository.lifecycle_policy, images, cloud.clock.now()):
                registry.remove(repository.name, expiry.image)
