# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/_localcloud/…` on the endpoint: looks at the cloud and handles its time and its troubles, for people and tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from localcloud.faults import InvalidRule, Rule
from localcloud.journal import Filter
from localcloud.latency import UnknownDuration

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

PREFIX = "/_localcloud/"

Handler = Callable[["Cloud", Request], Response]


class Misasked(Exception):
    """The request makes no sense; the message says what would."""


def answer(cloud: Cloud, request: Request) -> Response:
    """Answer a request below `/_localcloud/`."""
    handler = _HANDLERS.get((request.method, request.path.removeprefix(PREFIX)))
    if handler is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _HANDLERS)
        return Response(f"no {request.method} {request.path}; there is: {known}\n", 404)
    try:
        return handler(cloud, request)
    except Misasked as error:
        return Response(f"{error}\n", 400)


def _status(cloud: Cloud, request: Request) -> Response:
    return as_json(cloud.status())


def _journal(cloud: Cloud, request: Request) -> Response:
    wanted = Filter(
        after=_number(request, "after"),
        service=request.args.get("service", "*"),
        operation=request.args.get("operation", "*"),
        access=request.args.get("access", "*"),
    )
    return Response(cloud.journal.lines(wanted), mimetype="application/jsonl")


def _clock(cloud: Cloud, request: Request) -> Response:
    return as_json({"now": cloud.clock.now().isoformat()})


def _advance_clock(cloud: Cloud, request: Request) -> Response:
    wanted = _object(request, '{"advance": 3600}, in seconds')
    if set(wanted) != {"advance"} or not _is_number(wanted["advance"]):
        raise Misasked('expected JSON such as {"advance": 3600}, in seconds')
    try:
        now = cloud.clock.advance(wanted["advance"])
    except (ValueError, OverflowError) as error:
        raise Misasked(str(error)) from error
    return as_json({"now": now.isoformat()})


def _latency(cloud: Cloud, request: Request) -> Response:
    return as_json(cloud.latency.all())


def _set_latency(cloud: Cloud, request: Request) -> Response:
    wanted = _object(request, '{"cloudfront.distribution": 5}')
    if not all(_is_number(value) for value in wanted.values()):
        raise Misasked('expected JSON such as {"cloudfront.distribution": 5}')
    try:
        cloud.latency.set(wanted)
    except (UnknownDuration, ValueError) as error:
        raise Misasked(str(error)) from error
    return as_json(cloud.latency.all())


def _reset_latency(cloud: Cloud, request: Request) -> Response:
    cloud.latency.reset()
    return as_json(cloud.latency.all())


def _faults(cloud: Cloud, request: Request) -> Response:
    return as_json(cloud.faults.all())


def _add_fault(cloud: Cloud, request: Request) -> Response:
    try:
        rule = Rule.parse(request.get_json(force=True, silent=True))
    except InvalidRule as error:
        raise Misasked(str(error)) from error
    return as_json(cloud.faults.add(rule))


def _remove_faults(cloud: Cloud, request: Request) -> Response:
    if "id" not in request.args:
        cloud.faults.clear()
    elif not cloud.faults.remove(_number(request, "id")):
        return Response(f"no fault {request.args['id']}\n", 404)
    return as_json(cloud.faults.all())


def _iam(cloud: Cloud, request: Request) -> Response:
    return as_json({"enforced": cloud.iam.enforced})


def _switch_iam(cloud: Cloud, request: Request) -> Response:
    wanted = _object(request, '{"enforced": true}')
    if set(wanted) != {"enforced"} or not isinstance(wanted["enforced"], bool):
        raise Misasked('expected JSON such as {"enforced": true}')
    cloud.iam.enforced = wanted["enforced"]
    return _iam(cloud, request)


def _add_instance(cloud: Cloud, request: Request) -> Response:
    """Let a Docker network count as an instance in these security groups, to look at a store from there."""
    example = '{"instance_id": "i-me", "network": "mine", "security_group_ids": ["sg-1"]}'
    wanted = _object(request, example)
    keys = {"instance_id", "network", "security_group_ids"}
    if set(wanted) != keys or not isinstance(wanted["security_group_ids"], list):
        raise Misasked(f"expected JSON such as {example}")
    cloud.firewall.add_instance(str(wanted["instance_id"]), str(wanted["network"]), wanted["security_group_ids"])
    return as_json(wanted)


def _remove_instance(cloud: Cloud, request: Request) -> Response:
    cloud.firewall.remove_instance(request.args.get("instance_id", ""))
    return Response(status=204)


def _lose_instance(cloud: Cloud, request: Request) -> Response:
    """Let an instance vanish as if its host had failed."""
    wanted = _object(request, '{"instance_id": "i-…"}')
    if set(wanted) != {"instance_id"}:
        raise Misasked('expected JSON such as {"instance_id": "i-…"}')
    if cloud.lose_instance is None:
        return Response("nobody in this cloud runs instances\n", 404)
    try:
        cloud.lose_instance(str(wanted["instance_id"]))
    except LookupError:
        return Response(f"there is no instance {wanted['instance_id']} to lose\n", 404)
    return as_json(wanted)


def as_json(value: object) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(value, indent=2) + "\n", mimetype="application/json")


def _object(request: Request, example: str) -> dict[str, Any]:
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict):
        raise Misasked(f"expected JSON such as {example}")
    return wanted


def _number(request: Request, name: str) -> int:
    given = request.args.get(name, "0")
    if not given.isdecimal():
        raise Misasked(f"{name}={given} is not a number")
    return int(given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "status"): _status,
    ("GET", "journal"): _journal,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _advance_clock,
    ("GET", "latency"): _latency,
    ("POST", "latency"): _set_latency,
    ("DELETE", "latency"): _reset_latency,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _remove_faults,
    ("GET", "iam"): _iam,
    ("POST", "iam"): _switch_iam,
    ("POST", "instances"): _add_instance,
    ("DELETE", "instances"): _remove_instance,
    ("POST", "instances/lose"): _lose_instance,
}


def add_handler(method: str, path: str, handler: Handler) -> None:
    """Answer `method` on `/_localcloud/<path>` with `handler` from now on."""
    _HANDLERS[method, path] = handler
