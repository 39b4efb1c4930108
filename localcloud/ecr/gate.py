# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before the registry: what clients push goes to it directly, but for manifests, on which ECR has its own say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from localcloud import admin
from localcloud.ecr.mutability import overwriting_refused
from localcloud.ecr.repositories import repositories

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.ecr.registry import Registry

PATH = "registry-manifest"
PASSED_ON = ("Docker-Content-Digest", "Docker-Distribution-Api-Version", "Location", "WWW-Authenticate")


def configuration(port: int, registry_port: int, endpoint: str) -> str:
    """Nginx's.

    :param port: Where clients come.
    :param registry_port: Where the registry listens in the same container.
    :param endpoint: Where manifests go.
    """
    return f"""\
daemon off;
worker_processes 1;
pid /run/gate.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_request_buffering off;
  proxy_read_timeout 900;
  server {{
    listen {port};
    proxy_set_header Host $http_host;
    location / {{ proxy_pass http://127.0.0.1:{registry_port}; }}
    location ~ ^/v2/(?<repository>.+)/manifests/(?<reference>[^/]+)$ {{
      if ($request_method = PUT) {{
        rewrite ^ /_localcloud/{PATH}?repository=$repository&reference=$reference break;
        proxy_pass {endpoint};
      }}
      proxy_pass http://127.0.0.1:{registry_port};
    }}
  }}
}}
"""


def manifest_handler(registry: Registry) -> admin.Handler:
    """Answers the pushes of manifests: refused where a tag must stay, else the registry's answer."""

    def answer(cloud: Cloud, request: Request) -> Response:
        repository, reference = request.args["repository"], request.args["reference"]
        if (refusal := refused(registry, repository, reference)) is not None:
            errors = {"errors": [{"code": "TAG_INVALID", "message": refusal}]}
            return Response(json.dumps(errors), 400, mimetype="application/json")
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        reply = registry.push(repository, reference, request.get_data(), headers)
        passed_on = {name: reply.headers[name] for name in PASSED_ON if name in reply.headers}
        return Response(reply.content, reply.status_code, passed_on, mimetype=reply.headers.get("Content-Type"))

    return answer


def refused(registry: Registry, repository: str, reference: str) -> str | None:
    """What ECR says to a push under a tag that must stay; None when it may go on, or is by digest."""
    for found in repositories(repository):
        if ":" not in reference and found.image_tag_mutability != "MUTABLE":
            return overwriting_refused(
                repository,
                reference,
                registry.tags(repository),
                str(found.image_tag_mutability),
                found.image_tag_mutability_exclusion_filters or (),
            )
    return None
