# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m localcloud`: the rehearsal cloud from the command line."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn, TypeAlias

from localcloud import baseimages, display, images
from localcloud.client import Client, Refused
from localcloud.clock import DeadlineExceeded, SystemClock
from localcloud.engine import Engine, EngineError
from localcloud.faults import KINDS
from localcloud.latency import PROFILES, Latency
from localcloud.options import Options
from localcloud.process import NotStarted, alone, end, running, start
from localcloud.state import State

FOLLOW_SECONDS = 1.0
WATCH_SECONDS = 2.0

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Refusal(Exception):
    """The command cannot be done; the message says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    options = _parser().parse_args(argv)
    state = State.of(options.state_dir)
    try:
        return int(options.command(state, options))
    except (Refusal, Refused, NotStarted, EngineError, DeadlineExceeded, baseimages.BaseImageError) as refusal:
        print(f"localcloud: {refusal}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def up(state: State, options: argparse.Namespace) -> int:
    """Start the cloud unless it runs, and return when it answers."""
    with alone(state):
        return _up(state, options)


def _up(state: State, options: argparse.Namespace) -> int:
    ready = running(state)
    if ready is not None:
        _say(f"The rehearsal cloud is already up: {ready.endpoint}")
        return 0
    for removed in _cleared(state):
        _say(f"Removed a leftover: {removed}")
    images.ensure(Engine.open(state.cloud_id), _say)
    ready = start(state, _options(options))
    _say(f"The rehearsal cloud is up: {ready.endpoint}, for containers {ready.container_endpoint}")
    _say(f"Registry {ready.registry}, certificate authority {ready.ca}, log {state.log_file}")
    return 0


def down(state: State, options: argparse.Namespace) -> int:
    """Stop the cloud and remove what it made, and only that."""
    with alone(state):
        was_there = state.directory.exists()
        for removed in _cleared(state):
            _say(f"Removed {removed}")
        if state.pid_file.exists() or state.log_file.exists():
            shutil.rmtree(state.directory)
    _say("The rehearsal cloud is down" if was_there else "There is no rehearsal cloud here")
    return 0


def _cleared(state: State) -> Sequence[str]:
    """End the cloud if it runs, remove what it made, and say what.

    Images bear the address of their registry. Once ours is gone, who answers there is another cloud that has taken the
    port of one that crashed: they are its images then.
    """
    ready = state.read_ready()
    end(state)
    engine = Engine.open(state.cloud_id)
    removed = list(engine.remove_all())
    # Docker may still have been at work for the process that has just ended.
    while more := engine.remove_all():
        removed += more
    if ready is None or _answers(ready.registry):
        return removed
    return [*removed, *engine.remove_images_of(ready.registry)]


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def status(state: State, options: argparse.Namespace) -> int:
    """Print what there is; the exit status is 3 when the cloud does not run."""
    ready = running(state)
    if ready is None:
        print("The rehearsal cloud does not run. Start it: python -m localcloud up", file=sys.stderr)  # noqa: T201
        return 3
    client = Client(ready.endpoint)
    if options.watch:
        _watch(client)
    found = client.get("status")
    _say(json.dumps(found, indent=2) if options.json else "\n".join(display.status(found, _colours())))
    return 0


def _watch(client: Client) -> NoReturn:
    """Follow the status until it is interrupted: redrawn on a terminal, only what changes elsewhere."""
    before = client.get("status")
    _say("\n".join(display.status(before, _colours())))
    while True:
        SystemClock().wait(WATCH_SECONDS)
        now = client.get("status")
        if sys.stdout.isatty():
            _say("\033[H\033[2J" + "\n".join(display.status(now, _colours())))
        else:
            for line in display.changes(before, now):
                _say(f"{datetime.now():%H:%M:%S} {line}")
        before = now


def logs(state: State, options: argparse.Namespace) -> int:
    """Print the cloud's own log, or that of one of its containers."""
    if options.container is not None:
        engine = Engine.open(state.cloud_id)
        names = {item.name.removeprefix(f"localcloud-{state.cloud_id}-"): item.id for item in engine.list()}
        if options.container not in names:
            raise Refusal(f"no container {options.container}; there are: {', '.join(sorted(names)) or 'none'}")
        for chunk in engine.logs(names[options.container], follow=options.follow):
            sys.stdout.buffer.write(chunk)
        return 0
    if not state.log_file.exists():
        raise Refusal(f"no log at {state.log_file}: start the cloud with python -m localcloud up")
    tail = ["tail", "-n", "200", *(["-f"] if options.follow else []), str(state.log_file)]
    return subprocess.run(tail, check=False).returncode


def journal(state: State, options: argparse.Namespace) -> int:
    """Print the calls so far, for people or as JSON lines, and with --follow those to come."""
    client = _client(state)
    if not options.json:
        _say(display.journal_header(_colours()))
    wanted = {"service": options.service, "operation": options.operation, "access": options.access}
    after = options.after
    while True:
        for line in client.journal(after=after, **wanted):
            entry = json.loads(line)
            after = entry["number"]
            _say(line if options.json else display.journal_line(entry, _colours()))
        if not options.follow:
            return 0
        SystemClock().wait(FOLLOW_SECONDS)


def actions(state: State, options: argparse.Namespace) -> int:
    """Print the IAM actions that the calls so far needed, and on what."""
    entries = map(json.loads, _client(state).journal(after=options.after))
    _say("\n".join(display.actions([one for one in entries if fnmatchcase(one["caller"], options.caller)], _colours())))
    return 0


def iam(state: State, options: argparse.Namespace) -> int:
    """Say whether IAM's policies are carried out, or switch it."""
    client = _client(state)
    if options.switch is not None:
        client.post("iam", {"enforced": options.switch == "enforce"})
    enforced = client.get("iam")["enforced"]
    _say("Policies are enforced for users and roles" if enforced else "Policies are kept, not enforced")
    return 0


def faults_list(state: State, options: argparse.Namespace) -> int:
    """Print the rules in force."""
    return _say_faults(_client(state).get("faults"))


def faults_add(state: State, options: argparse.Namespace) -> int:
    """Put a rule into force."""
    names = ("kind", "service", "operation", "resource", "count", "probability", "seconds", "seed")
    rule = {name: value for name in names if (value := getattr(options, name)) is not None}
    return _say_faults([_client(state).post("faults", rule)])


def faults_clear(state: State, options: argparse.Namespace) -> int:
    """Take one rule, or all, out of force."""
    return _say_faults(_client(state).delete("faults" if options.id is None else f"faults?id={options.id}"))


def lose(state: State, options: argparse.Namespace) -> int:
    """Let an instance vanish as if its host had failed."""
    _client(state).post("instances/lose", {"instance_id": options.instance})
    _say(f"Lost {options.instance}")
    return 0


def certificate(state: State, options: argparse.Namespace) -> int:
    """Have ACM issue a certificate for a name, and print its ARNs."""
    for region, arn in _client(state).post("certificates", {"name": options.name}).items():
        _say(f"Certificate of {options.name} in {region}: {arn}")
    return 0


def base_images(state: State, options: argparse.Namespace) -> int:
    """Provide the images that the Dockerfiles below the given places start from.

    One that cannot be had is told and no failure: nobody may build from it.
    """
    wanted = baseimages.wanted_by([Path(context) for context in options.context])
    if refused := baseimages.provide(Engine.open(state.cloud_id), wanted, _say):
        _say("What starts from one of these is built only once a registry answers, or `docker load` has brought it:")
        for error in refused:
            _say(f"  {error}")
    return 0


def _serve(state: State, options: argparse.Namespace) -> int:
    # With it comes all of moto, for which no other command waits.
    from localcloud.daemon import serve

    return serve(state, _options(options))


def _client(state: State) -> Client:
    ready = running(state)
    if ready is None:
        raise Refusal("the rehearsal cloud does not run. Start it: python -m localcloud up")
    return Client(ready.endpoint)


def _say_faults(rules: Sequence[display.Told]) -> int:
    _say("\n".join(display.faults(rules, _colours())))
    return 0


def _colours() -> bool:
    """Whether there is somebody who sees them (https://no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _options(options: argparse.Namespace) -> Options:
    return Options(
        port=options.port,
        registry_port=options.registry_port,
        account_id=options.account_id,
        region=options.region,
        listen=tuple(options.listen),
        latency=options.latency,
        scale=options.scale,
        enforce_iam=options.enforce_iam,
    )


def _scale(text: str) -> float:
    return Latency(scale=float(text)).scale


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="The rehearsal cloud.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state-dir", help="its directory (default: LOCALCLOUD_STATE, else .localcloud)")
    start = argparse.ArgumentParser(add_help=False)
    defaults = Options()
    start.add_argument("--port", type=int, default=defaults.port, help="of the endpoint; another if taken")
    start.add_argument("--registry-port", type=int, default=defaults.registry_port, help="another if taken")
    start.add_argument("--account-id", default=defaults.account_id)
    start.add_argument("--region", default=defaults.region)
    start.add_argument("--listen", action="append", default=[], metavar="ADDRESS", help="besides loopback and bridge")
    start.add_argument("--latency", choices=PROFILES, default=defaults.latency, help="how long things take")
    start.add_argument("--scale", type=_scale, default=defaults.scale, metavar="FACTOR", help="of all latencies")
    start.add_argument("--enforce-iam", action="store_true", help="policies bind users and roles that have some")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, parents, summary in (
        ("up", up, [common, start], "start it, and return when it answers"),
        ("down", down, [common], "stop it and remove all that it made"),
        ("serve", _serve, [common, start], "run it in the foreground (up does this in the background)"),
    ):
        commands.add_parser(name, parents=parents, help=summary).set_defaults(command=command)
    shown = commands.add_parser("status", parents=[common], help="print what there is, with URLs")
    manner = shown.add_mutually_exclusive_group()
    manner.add_argument("--json", action="store_true")
    manner.add_argument("-w", "--watch", action="store_true", help="follow it until interrupted")
    shown.set_defaults(command=status)
    logged = commands.add_parser("logs", parents=[common], help="print its log, or a container's")
    logged.add_argument("container", nargs="?")
    logged.add_argument("-f", "--follow", action="store_true")
    logged.set_defaults(command=logs)
    called = commands.add_parser("journal", parents=[common], help="print the calls so far")
    called.add_argument("--json", action="store_true", help="as JSON lines")
    called.add_argument("-f", "--follow", action="store_true", help="and those to come, until interrupted")
    called.add_argument("--after", type=int, default=0, metavar="NUMBER")
    called.add_argument("--writes", dest="access", action="store_const", const="write", default="*")
    called.add_argument("--service", default="*", help="with wildcards, as operation")
    called.add_argument("--operation", default="*")
    called.set_defaults(command=journal)
    _add_permissions(commands, common)
    _add_trouble(commands, common)
    issued = commands.add_parser("certificate", parents=[common], help="have ACM issue a certificate for a name")
    issued.add_argument("name", metavar="NAME", help="such as antenna.example.org")
    issued.set_defaults(command=certificate)
    bases = commands.add_parser("base-images", parents=[common], help="provide what Dockerfiles start from")
    bases.add_argument("context", nargs="+", metavar="CONTEXT", help="a Dockerfile, or a directory to search for some")
    bases.set_defaults(command=base_images)
    return parser


def _add_permissions(commands: Commands, common: argparse.ArgumentParser) -> None:
    needed = commands.add_parser("actions", parents=[common], help="print the IAM actions that the calls so far needed")
    needed.add_argument("--caller", default="*", metavar="GLOB", help="of callers' ARNs")
    needed.add_argument("--after", type=int, default=0, metavar="NUMBER")
    needed.set_defaults(command=actions)
    switched = commands.add_parser("iam", parents=[common], help="say whether policies are enforced, or switch it")
    switched.add_argument("switch", nargs="?", choices=("enforce", "ignore"))
    switched.set_defaults(command=iam)


def _add_trouble(commands: Commands, common: argparse.ArgumentParser) -> None:
    lost = commands.add_parser("lose", parents=[common], help="let an instance vanish as if its host had failed")
    lost.add_argument("instance", metavar="INSTANCE")
    lost.set_defaults(command=lose)
    faults = commands.add_parser("faults", help="let calls fail").add_subparsers(required=True, metavar="COMMAND")
    faults.add_parser("list", parents=[common], help="print the rules").set_defaults(command=faults_list)
    cleared = faults.add_parser("clear", parents=[common], help="remove a rule, or all")
    cleared.add_argument("id", nargs="?", type=int)
    cleared.set_defaults(command=faults_clear)
    added = faults.add_parser("add", parents=[common], help="add a rule")
    added.add_argument("kind", choices=KINDS)
    for name in ("service", "operation", "resource"):
        added.add_argument(f"--{name}", help="with wildcards; any if not given")
    added.add_argument("--count", type=int, help="strike so many calls, then no more")
    added.add_argument("--probability", type=float, help="strike a fitting call so likely (default 1)")
    added.add_argument("--seed", type=int, help="of the probability: the same calls each time")
    added.add_argument("--seconds", type=float, help="slow: how late; stale: how long after a write")
    added.set_defaults(command=faults_add)


if __name__ == "__main__":
    sys.exit(main())
