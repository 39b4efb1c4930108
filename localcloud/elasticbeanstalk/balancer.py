# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before an environment's instances, as option settings describe it: listeners, processes, health checks.

A load balancer of type application or classic, or the elastic IP address of a single instance. Nothing here does
anything; `haproxy.py` puts it into HAProxy's words and `front.py` runs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.options import Key

Setting = Callable[[str, str], str | None]
Kind = Literal["address", "application", "classic"]

DEFAULT = "default"
HTTP_PORT = 80
HTTPS_PORT = 443
PROCESS = "aws:elasticbeanstalk:environment:process"
LISTENER = "aws:elbv2:listener"
CLASSIC_LISTENER = "aws:elb:listener"
CLASSIC_CHECK = "aws:elb:healthcheck"
CLASSIC_POLICIES = "aws:elb:policies"
APPLICATION = "aws:elasticbeanstalk:application"
_TARGET = re.compile(r"(?:(HTTP|TCP|HTTPS|SSL):(\d+))?(/.*)?")


class Unsupported(Exception):
    """What the rehearsal cloud's load balancers do not do; the message names the option."""


@dataclass(frozen=True)
class Check:
    """A health check: a GET of `path` that has to be answered with one of `codes`, or a connection when it is None.

    `interval` and `timeout` are seconds; `healthy` and `unhealthy` count answers in a row.
    """

    path: str | None = "/"
    codes: str = "200"
    interval: float = 15
    timeout: float = 5
    healthy: int = 3
    unhealthy: int = 5


@dataclass(frozen=True)
class Process:
    """A port of the instances that requests are sent to: a target group. `sticky` is a cookie's life in seconds."""

    name: str
    port: int
    check: Check
    delay: float
    sticky: int | None = None


@dataclass(frozen=True)
class Listener:
    """A port of the front, and the process that answers there; with the ARN of a certificate, by TLS."""

    port: int
    process: str
    mode: Literal["http", "tcp"]
    certificate: str | None = None


@dataclass(frozen=True)
class Layout:
    """A front. `idle` is how many seconds a connection may be silent."""

    kind: Kind
    listeners: tuple[Listener, ...]
    processes: tuple[Process, ...]
    idle: float = 60

    def process(self, name: str = DEFAULT) -> Process:
        return next(item for item in self.processes if item.name == name)


@dataclass(frozen=True)
class Target:
    """An instance behind the front. `ports` maps its ports to those on loopback.

    `admitted`: it has passed its first health check, or none is asked for; before, it gets no requests.
    """

    id: str
    address: str
    ports: Mapping[int, int] = field(default_factory=dict)
    admitted: bool = False


def address(ports: Iterable[int]) -> Layout:
    """The elastic IP address of a single instance: every port of the instance, unseen."""
    wanted = sorted(set(ports))
    nothing = Check(path=None)
    return Layout(
        "address",
        tuple(Listener(port, str(port), "tcp") for port in wanted),
        tuple(Process(str(port), port, nothing, 0) for port in wanted),
        idle=3600,
    )


def load_balancer(setting: Setting, namespaces: Iterable[str]) -> Layout:
    """The environment's load balancer.

    :param namespaces: Those that settings were given for: processes and listeners are named in them.
    :raises Unsupported: When it cannot be had here.
    """
    kind = setting(options.ENVIRONMENT, "LoadBalancerType") or "classic"
    if kind == "network":
        raise Unsupported("LoadBalancerType network: the rehearsal cloud has application and classic load balancers.")
    if kind == "classic":
        return _classic(setting, namespaces)
    listeners = tuple(_listeners(setting, namespaces))
    names = sorted({DEFAULT, *(item.process for item in listeners)})
    processes = tuple(_process(setting, name) for name in names)
    return Layout("application", listeners, processes, float(setting("aws:elbv2:loadbalancer", "IdleTimeout") or 60))


def unsupported(settings: Mapping[Key, str]) -> str | None:
    """What of these settings cannot be had here, None when everything can."""
    policy = Key(options.COMMAND, "DeploymentPolicy")
    if settings.get(policy) == "TrafficSplitting":
        return f"{policy.namespace} {policy.name} TrafficSplitting: the rehearsal cloud has the other policies."
    if options.shape_of(settings) == "single":
        return None
    try:
        load_balancer(
            lambda namespace, name: options.value(settings, Key(namespace, name)), {k.namespace for k in settings}
        )
    except Unsupported as error:
        return str(error)
    return None


def _listeners(setting: Setting, namespaces: Iterable[str]) -> Iterable[Listener]:
    for namespace, port in _numbered(LISTENER, namespaces, {DEFAULT: HTTP_PORT}):
        if setting(namespace, "ListenerEnabled") == "false":
            continue
        if (protocol := setting(namespace, "Protocol") or "HTTP") not in ("HTTP", "HTTPS"):
            raise Unsupported(f"{namespace} Protocol {protocol}: the rehearsal cloud's listeners speak HTTP and HTTPS.")
        if setting(namespace, "Rules"):
            raise Unsupported(f"{namespace} Rules: the rehearsal cloud's listeners have their default process only.")
        arns = (setting(namespace, "SSLCertificateArns") or "").split(",") if protocol == "HTTPS" else [""]
        yield Listener(port, setting(namespace, "DefaultProcess") or DEFAULT, "http", arns[0].strip() or None)


def _numbered(prefix: str, namespaces: Iterable[str], named: Mapping[str, int]) -> list[tuple[str, int]]:
    """The namespaces of listeners with their ports: the default one always, the others where they were set."""
    found = {f"{prefix}:{name}" if name else prefix: port for name, port in named.items()}
    for namespace in namespaces:
        start, _, port = namespace.rpartition(":")
        if start == prefix and port.isdigit():
            found[namespace] = int(port)
    return sorted(found.items(), key=lambda item: item[1])


def _process(setting: Setting, name: str) -> Process:
    namespace = f"{PROCESS}:{name}"

    def number(option: str) -> int:
        return int(setting(namespace, option) or 0)

    if (protocol := setting(namespace, "Protocol") or "HTTP") != "HTTP":
        raise Unsupported(f"{namespace} Protocol {protocol}: the rehearsal cloud's processes speak HTTP only.")
    check = Check(
        path=setting(namespace, "HealthCheckPath") or setting(APPLICATION, "Application Healthcheck URL") or "/",
        codes=setting(namespace, "MatcherHTTPCode") or "200",
        interval=number("HealthCheckInterval"),
        timeout=number("HealthCheckTimeout"),
        healthy=number("HealthyThresholdCount"),
        unhealthy=number("UnhealthyThresholdCount"),
    )
    sticky = number("StickinessLBCookieDuration") if setting(namespace, "StickinessEnabled") == "true" else None
    return Process(name, number("Port"), check, number("DeregistrationDelay"), sticky)


def _classic(setting: Setting, namespaces: Iterable[str]) -> Layout:
    listeners, processes = [], {}
    check, delay = _classic_check(setting), 0.0
    if setting(CLASSIC_POLICIES, "ConnectionDrainingEnabled") == "true":
        delay = float(setting(CLASSIC_POLICIES, "ConnectionDrainingTimeout") or 20)
    for namespace, port in _numbered(CLASSIC_LISTENER, namespaces, {"": HTTP_PORT}):
        if setting(namespace, "ListenerEnabled") == "false":
            continue
        protocol = setting(namespace, "ListenerProtocol") or "HTTP"
        if protocol not in ("HTTP", "TCP"):
            raise Unsupported(f"{namespace} ListenerProtocol {protocol}: the rehearsal cloud has HTTP and TCP.")
        target = int(setting(namespace, "InstancePort") or HTTP_PORT)
        name = DEFAULT if port == HTTP_PORT else str(port)
        processes[name] = Process(name, target, check, delay)
        listeners.append(Listener(port, name, "http" if protocol == "HTTP" else "tcp"))
    processes.setdefault(DEFAULT, Process(DEFAULT, HTTP_PORT, check, delay))
    return Layout("classic", tuple(listeners), tuple(processes.values()))


def _classic_check(setting: Setting) -> Check:
    """A classic load balancer connects, unless it was given something to ask for."""
    wanted = setting(APPLICATION, "Application Healthcheck URL")
    found = _TARGET.fullmatch(wanted or "")
    if found is None or found.group(1) in ("HTTPS", "SSL"):
        raise Unsupported(f"{APPLICATION} Application Healthcheck URL {wanted}: /path, HTTP:80/path or TCP:80 can be.")

    def number(option: str) -> int:
        return int(setting(CLASSIC_CHECK, option) or 0)

    return Check(
        path=found.group(3),
        codes="200",
        interval=number("Interval"),
        timeout=number("Timeout"),
        healthy=number("HealthyThreshold"),
        unhealthy=number("UnhealthyThreshold"),
    )
