# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/_localcloud/…` on the endpoint: status, journal, clock, latency and stand-in instances, for people and tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from localcloud.latency import UnknownDuration

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

PREFIX = "/_localcloud/"

Handler = Callable[["Cloud", Request], Response]


def answer(cloud: Cloud, request: Request) -> Response:
    """Answer a request below `/_localcloud/`."""
    handler = _HANDLERS.get((request.method, request.path.removeprefix(PREFIX)))
    if handler is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _HANDLERS)
        return Response(f"no {request.method} {request.path}; there is: {known}\n", 404)
    return handler(cloud, request)


def _status(cloud: Cloud, request: Request) -> Response:
    return as_json(cloud.status())


def _journal(cloud: Cloud, request: Request) -> Response:
    after = request.args.get("after", "0")
    if not after.isdecimal():
        return Response(f"after={after} is not a number\n", 400)
    return Response(cloud.journal.lines(int(after)), mimetype="application/jsonl")


def _latency(cloud: Cloud, request: Request) -> Response:
    return as_json(cloud.latency.all())


def _set_latency(cloud: Cloud, request: Request) -> Response:
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict) or not all(isinstance(value, int | float) for value in wanted.values()):
        return Response('expected JSON such as {"cloudfront.distribution": 5}\n', 400)
    try:
        cloud.latency.set(wanted)
    except (UnknownDuration, ValueError) as error:
        return Response(f"{error}\n", 400)
    return as_json(cloud.latency.all())


def _reset_latency(cloud: Cloud, request: Request) -> Response:
    cloud.latency.reset()
    return as_json(cloud.latency.all())


def _clock(cloud: Cloud, request: Request) -> Response:
    return as_json({"now": cloud.clock.now().isoformat()})


def _advance_clock(cloud: Cloud, request: Request) -> Response:
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict) or set(wanted) != {"advance"} or not isinstance(wanted["advance"], int | float):
        return Response('expected JSON such as {"advance": 3600}, in seconds\n', 400)
    try:
        now = cloud.clock.advance(wanted["advance"])
    except (ValueError, OverflowError) as error:
        return Response(f"{error}\n", 400)
    return as_json({"now": now.isoformat()})


def _add_instance(cloud: Cloud, request: Request) -> Response:
    """Let a Docker network count as an instance in these security groups, to look at a store from there."""
    wanted = request.get_json(force=True, silent=True)
    keys = {"instance_id", "network", "security_group_ids"}
    if not isinstance(wanted, dict) or set(wanted) != keys or not isinstance(wanted["security_group_ids"], list):
        return Response(f"expected JSON with {', '.join(sorted(keys))}\n", 400)
    cloud.firewall.add_instance(str(wanted["instance_id"]), str(wanted["network"]), wanted["security_group_ids"])
    return as_json(wanted)


def _remove_instance(cloud: Cloud, request: Request) -> Response:
    cloud.firewall.remove_instance(request.args.get("instance_id", ""))
    return Response(status=204)


def as_json(value: object) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(value, indent=2) + "\n", mimetype="application/json")


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "status"): _status,
    ("GET", "journal"): _journal,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _advance_clock,
    ("GET", "latency"): _latency,
    ("POST", "latency"): _set_latency,
    ("DELETE", "latency"): _reset_latency,
    ("POST", "instances"): _add_instance,
    ("DELETE", "instances"): _remove_instance,
}


def add_handler(method: str, path: str, handler: Handler) -> None:
    """Answer `method` on `/_localcloud/<path>` with `handler` from now on."""
    _HANDLERS[method, path] = handler
