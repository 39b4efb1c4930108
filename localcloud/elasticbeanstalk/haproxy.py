# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A front in HAProxy's words, and HAProxy's answers in ours. Nothing here does anything.

An application load balancer, as its user guide describes it: a new target gets requests after its first passed check;
with no target 503; with unhealthy ones only, requests go to all of them; a target that refuses the connection is 502.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from localcloud.elasticbeanstalk.balancer import Layout, Listener, Process, Target
from localcloud.names import LOOPBACK

DIRECTORY = "/front"
SOCKET = "admin.sock"
MASTER = "master.sock"
MASTER_ADDRESS = f"{DIRECTORY}/{MASTER},mode,666,level,admin"
STATE = "state"
HOSTS = "hosts"
BAD_GATEWAY = "502.http"
# Where requests go when no target is healthy.
OPEN = "open-"
FULL, NONE = 100, 0
# The field of a server's port in HAProxy's file of states.
_STATE_PORT = 18

State = Literal["initial", "healthy", "unhealthy"]


@dataclass(frozen=True)
class Sight:
    """What a process's health checks say about a target; `reason` is Elastic Load Balancing's code, `detail` HAProxy's.

    `sessions` are the requests or connections that it serves now.
    """

    state: State
    reason: str | None
    detail: str
    sessions: int


@dataclass(frozen=True)
class Counts:
    """Requests since HAProxy has read its configuration, by the first digit of the targets' answers."""

    requests: int = 0
    by_class: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)


def files(
    layout: Layout, targets: Sequence[Target], ports: Mapping[int, int], generation: str, pace: float
) -> Mapping[str, str]:
    """The files that HAProxy reads, by name.

    :param ports: A listener's port to that on loopback.
    :param generation: Told by `show info` as soon as this configuration is in force.
    :param pace: How many of our seconds a second between two health checks takes.
    """
    return {
        "haproxy.cfg": _configuration(layout, targets, ports, generation, pace),
        HOSTS: "".join(f"{target.id} {target.address}\n" for target in targets),
        BAD_GATEWAY: _page("502 Bad Gateway"),
    }


def still_true(state: str, layout: Layout, targets: Sequence[Target]) -> str:
    """Of what `show servers state` said, what a new configuration may go on with.

    HAProxy takes ports from there too: a target whose port has changed is a new one.
    """
    known = {target.id: target for target in targets}
    ports = {process.name: process.port for process in layout.processes}

    def holds(line: str) -> bool:
        fields = line.split()
        if len(fields) < _STATE_PORT + 1 or not fields[0].isdigit():
            return True
        target, port = known.get(fields[3]), ports.get(fields[1].removeprefix(OPEN))
        return target is not None and port is not None and fields[_STATE_PORT] == str(_local_port(port, target))

    return "".join(line for line in state.splitlines(keepends=True) if holds(line))


def certificate_file(listener: Listener) -> str:
    """The file of a listener's certificate, its chain and its key."""
    return f"{listener.port}.pem"


def _configuration(
    layout: Layout, targets: Sequence[Target], ports: Mapping[int, int], generation: str, pace: float
) -> str:
    sections = [
        [
            "global",
            f"node {generation}",
            f"stats socket {DIRECTORY}/{SOCKET} mode 666 level admin",
            f"server-state-file {DIRECTORY}/{STATE}",
            "hard-stop-after 60s",
            # Otherwise another HAProxy may listen on the same port, and each gets some of the requests.
            "noreuseport",
        ],
        [
            "defaults",
            "load-server-state-from-file global",
            "retries 0",
            "timeout connect 5s",
            f"timeout client {layout.idle:g}s",
            f"timeout server {layout.idle:g}s",
        ],
        *(_frontend(layout, listener, ports[listener.port]) for listener in layout.listeners),
        *(_backend(layout, process, targets, pace) for process in layout.processes),
    ]
    if layout.kind == "application":
        sections += [_open_backend(process, targets) for process in layout.processes]
    return "\n\n".join("\n    ".join(section) for section in sections) + "\n"


def _frontend(layout: Layout, listener: Listener, port: int) -> list[str]:
    name = listener.process
    secure = f" ssl crt {DIRECTORY}/{certificate_file(listener)} ssl-min-ver TLSv1.2" if listener.certificate else ""
    lines = [f"frontend listener-{listener.port}", f"mode {listener.mode}", f"bind {LOOPBACK}:{port}{secure}"]
    if listener.mode == "http":
        lines += [
            "acl forwarded req.hdr(x-forwarded-for) -m found",
            'http-request set-header X-Forwarded-For "%[req.fhdr(x-forwarded-for)], %[src]" if forwarded',
            "http-request set-header X-Forwarded-For %[src] unless forwarded",
            f"http-request set-header X-Forwarded-Proto {'https' if listener.certificate else 'http'}",
            f"http-request set-header X-Forwarded-Port {listener.port}",
        ]
    if layout.kind == "application":
        page = '"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"'
        lines += [
            "acl traced req.hdr(x-amzn-trace-id) -m found",
            'http-request set-header X-Amzn-Trace-Id "Root=1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),'
            'bytes(0,24)]" unless traced',
            f"http-request return status 503 content-type text/html string {page} if {{ nbsrv({OPEN}{name}) eq 0 }}",
            f"use_backend {OPEN}{name} if {{ nbsrv({name}) eq 0 }}",
        ]
    return [*lines, f"default_backend {name}"]


def _backend(layout: Layout, process: Process, targets: Sequence[Target], pace: float) -> list[str]:
    modes = {item.mode for item in layout.listeners if item.process == process.name} or {"http"}
    mode = "tcp" if modes == {"tcp"} else "http"
    lines = [f"backend {process.name}", f"mode {mode}", "balance roundrobin"]
    checked = layout.kind != "address"
    if mode == "http":
        lines.append(f"errorfile 503 {DIRECTORY}/{BAD_GATEWAY}")
    if process.sticky is not None and mode == "http":
        lines.append(f"cookie AWSALB insert indirect nocache maxlife {process.sticky}s")
    if checked:
        lines += _check(process, pace)
    for target in targets:
        line = [f"server {target.id} {_place(process, target)}"]
        if checked:
            line += [f"check weight {FULL if target.admitted else NONE}"]
        if process.sticky is not None and mode == "http":
            line += [f"cookie {target.id}"]
        lines.append(" ".join(line))
    return lines


def _open_backend(process: Process, targets: Sequence[Target]) -> list[str]:
    servers = [f"server {target.id} {_place(process, target)}" for target in targets]
    head = [f"backend {OPEN}{process.name}", "mode http", "balance roundrobin"]
    return [*head, f"errorfile 503 {DIRECTORY}/{BAD_GATEWAY}", *servers]


def _place(process: Process, target: Target) -> str:
    return f"{LOOPBACK}:{_local_port(process.port, target)}"


def _local_port(port: int, target: Target) -> int:
    # Nobody listens on port 1: a port that the instance's containers do not publish.
    return target.ports.get(port, 1)


def _check(process: Process, pace: float) -> list[str]:
    check = process.check
    lines = []
    if check.path is not None:
        lines = [
            "option httpchk",
            f"http-check send meth GET uri {check.path} ver HTTP/1.1 hdr Host %[srv_name,map({DIRECTORY}/{HOSTS})] "
            "hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close",
            f"http-check expect status {check.codes}",
        ]
    every = max(0.1, check.interval * pace)
    return [
        *lines,
        f"timeout check {check.timeout:g}s",
        f"default-server inter {int(every * 1000)}ms fall {check.unhealthy} rise {check.healthy}",
    ]


def _page(status: str) -> str:
    body = f"<html><body><h1>{status}</h1></body></html>\r\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head + body


# -- answers ----------------------------------------------------------------------------------------------------------

# HAProxy's result of a check to Elastic Load Balancing's reason code.
_REASONS = {
    "L7STS": "Target.ResponseCodeMismatch",
    "L7TOUT": "Target.Timeout",
    "L4TOUT": "Target.Timeout",
}
_PASSED = ("L4OK", "L7OK", "L7OKC")
_TAKEN = re.compile(rf"cannot bind socket \(Address already in use\) for \[{re.escape(LOOPBACK)}:(\d+)\]")


def generation(show_info: str) -> str | None:
    """The generation whose configuration is in force."""
    return next((line.partition(": ")[2] for line in show_info.splitlines() if line.startswith("node: ")), None)


def taken(said: str) -> set[int]:
    """The ports on which it could not listen because others do, from what it said when it read its configuration."""
    return {int(port) for port in _TAKEN.findall(said)}


def sights(show_stat: str) -> Mapping[str, Mapping[str, Sight]]:
    """Process to target to what is known about it, from `show stat`."""
    found: dict[str, dict[str, Sight]] = {}
    for row in _rows(show_stat):
        process, name = row["pxname"], row["svname"]
        if name not in ("FRONTEND", "BACKEND") and not process.startswith(OPEN):
            found.setdefault(process, {})[name] = _sight(row)
    return found


def sessions(show_stat: str, target: str) -> int:
    """The requests or connections that a target serves now."""
    return sum(int(row["scur"] or 0) for row in _rows(show_stat) if row["svname"] == target)


def passed(show_stat: str) -> set[str]:
    """The targets whose last check by every process was passed."""
    results: dict[str, list[bool]] = {}
    for row in _rows(show_stat):
        if row["svname"] not in ("FRONTEND", "BACKEND") and not row["pxname"].startswith(OPEN):
            results.setdefault(row["svname"], []).append(_result(row) in _PASSED)
    return {name for name, passes in results.items() if all(passes)}


def counts(show_stat: str) -> Counts:
    """The targets' answers, all processes together, and the requests of all listeners."""
    answers, requests = [0] * 5, 0
    for row in _rows(show_stat):
        if row["svname"] == "FRONTEND":
            requests += int(row["req_tot"] or 0)
        elif row["svname"] == "BACKEND":
            for digit in range(5):
                answers[digit] += int(row[f"hrsp_{digit + 1}xx"] or 0)
    one, two, three, four, five = answers
    return Counts(requests, (one, two, three, four, five))


def _rows(show_stat: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(show_stat.removeprefix("# "))))


def _result(row: Mapping[str, str]) -> str:
    """The last check's result; a star leads it while the next is under way."""
    return (row.get("check_status") or "").removeprefix("* ")


def _sight(row: Mapping[str, str]) -> Sight:
    result = _result(row)
    detail = " ".join(word for word in (result, row.get("check_code"), row.get("last_chk")) if word)
    up, now = row["status"].startswith(("UP", "no check", "DRAIN", "NOLB")), int(row["scur"] or 0)
    if not up:
        return Sight("unhealthy", _REASONS.get(result, "Target.FailedHealthChecks"), detail, now)
    if row["status"] != "no check" and int(row["weight"] or 0) == NONE:
        return Sight("initial", "Elb.InitialHealthChecking", detail, now)
    return Sight("healthy", None, detail, now)
