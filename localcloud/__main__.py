# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m localcloud`: the rehearsal cloud from the command line."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localcloud import baseimages, images
from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.daemon import Options, arguments, serve
from localcloud.engine import Engine, EngineError
from localcloud.latency import PROFILES, Latency
from localcloud.state import Ready, State

START_TIMEOUT = 120.0
STOP_TIMEOUT = 60.0


class Refusal(Exception):
    """The command cannot be done; the message says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    options = _parser().parse_args(argv)
    state = State.of(options.state_dir)
    try:
        return int(options.command(state, options))
    except (Refusal, EngineError, DeadlineExceeded, baseimages.BaseImageError) as refusal:
        print(f"localcloud: {refusal}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def up(state: State, options: argparse.Namespace) -> int:
    """Start the cloud unless it runs, and return when it answers."""
    ready = _running(state)
    if ready is not None:
        _say(f"The rehearsal cloud is already up: {ready.endpoint}")
        return 0
    engine = Engine.open(state.cloud_id)
    _end_daemon(state)
    for removed in engine.remove_all():
        _say(f"Removed a leftover: {removed}")
    images.ensure(engine, _say)
    ready = _start_daemon(state, _options(options))
    _say(f"The rehearsal cloud is up: {ready.endpoint}, for containers {ready.container_endpoint}")
    _say(f"Registry {ready.registry}, certificate authority {ready.ca}, log {state.log_file}")
    return 0


def down(state: State, options: argparse.Namespace) -> int:
    """Stop the cloud and remove what it made, and only that."""
    was_there = state.directory.exists()
    ready = state.read_ready()
    _end_daemon(state)
    engine = Engine.open(state.cloud_id)
    for removed in (*engine.remove_all(), *(engine.remove_images_of(ready.registry) if ready else ())):
        _say(f"Removed {removed}")
    if state.pid_file.exists() or state.log_file.exists():
        shutil.rmtree(state.directory)
    _say("The rehearsal cloud is down" if was_there else "There is no rehearsal cloud here")
    return 0


def status(state: State, options: argparse.Namespace) -> int:
    """Print what there is; the exit status is 3 when the cloud does not run."""
    ready = _running(state)
    if ready is None:
        print("The rehearsal cloud does not run. Start it: python -m localcloud up", file=sys.stderr)  # noqa: T201
        return 3
    found = json.loads(_get(ready, "status"))
    _say(json.dumps(found, indent=2) if options.json else _readable(found))
    return 0


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
    """Print the calls so far as JSON lines."""
    ready = _running(state)
    if ready is None:
        raise Refusal("the rehearsal cloud does not run. Start it: python -m localcloud up")
    sys.stdout.write(_get(ready, f"journal?after={options.after}"))
    return 0


def base_images(state: State, options: argparse.Namespace) -> int:
    """Provide the images that the Dockerfiles below the given places start from.

    One that cannot be had is told and no failure: nobody may build from it.
    """
    wanted = baseimages.wanted_by([Path(context) for context in options.context])
    for refused in baseimages.provide(Engine.open(state.cloud_id), wanted, _say):
        _say(f"Not provided, so what starts from it cannot be built here: {refused}")
    return 0


def _serve(state: State, options: argparse.Namespace) -> int:
    return serve(state, _options(options))


def _options(options: argparse.Namespace) -> Options:
    return Options(
        port=options.port,
        registry_port=options.registry_port,
        account_id=options.account_id,
        region=options.region,
        listen=tuple(options.listen),
        latency=options.latency,
        scale=options.scale,
    )


def _running(state: State) -> Ready | None:
    """The ready file of a daemon that lives and answers."""
    ready = state.read_ready()
    if ready is None or state.daemon_pid() != ready.pid:
        return None
    try:
        _get(ready, "latency")
    except (OSError, urllib.error.URLError):
        return None
    return ready


def _start_daemon(state: State, options: Options) -> Ready:
    state.directory.mkdir(parents=True, exist_ok=True)
    for path in (state.ready_file, state.failure_file):
        path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "localcloud", "serve", "--state-dir", str(state.directory), *arguments(options)]
    with state.log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_daemon_environment(),
        )
    wait_until(
        lambda: state.ready_file.exists() or process.poll() is not None,
        "the start of the rehearsal cloud",
        START_TIMEOUT,
        SystemClock(),
    )
    ready = state.read_ready()
    if ready is None:
        why = state.failure_file.read_text().strip() if state.failure_file.exists() else "it ended at once"
        raise Refusal(f"the rehearsal cloud did not start: {why} (log: {state.log_file})")
    return ready


def _daemon_environment() -> dict[str, str]:
    """The daemon finds this package wherever `up` was called from."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root, "PYTHONUNBUFFERED": "1"}


def _end_daemon(state: State) -> None:
    pid = state.daemon_pid()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    try:
        wait_until(lambda: state.daemon_pid() is None, f"the end of process {pid}", STOP_TIMEOUT, SystemClock())
    except DeadlineExceeded:
        os.kill(pid, signal.SIGKILL)
    state.ready_file.unlink(missing_ok=True)


def _get(ready: Ready, path: str) -> str:
    with urllib.request.urlopen(f"{ready.endpoint}/_localcloud/{path}", timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def _readable(found: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in found.items() if not isinstance(value, dict)]
    for section, items in found.items():
        if not isinstance(items, dict):
            continue
        lines.append(f"{section}:{'' if items else ' none'}")
        for name, item in items.items():
            lines.append(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in item.items()))
    return "\n".join(lines)


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
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, parents, summary in (
        ("up", up, [common, start], "start it, and return when it answers"),
        ("down", down, [common], "stop it and remove all that it made"),
        ("serve", _serve, [common, start], "run it in the foreground (up does this in the background)"),
    ):
        commands.add_parser(name, parents=parents, help=summary).set_defaults(command=command)
    shown = commands.add_parser("status", parents=[common], help="print what there is, with URLs")
    shown.add_argument("--json", action="store_true")
    shown.set_defaults(command=status)
    logged = commands.add_parser("logs", parents=[common], help="print its log, or a container's")
    logged.add_argument("container", nargs="?")
    logged.add_argument("-f", "--follow", action="store_true")
    logged.set_defaults(command=logs)
    called = commands.add_parser("journal", parents=[common], help="print the calls so far as JSON lines")
    called.add_argument("--after", type=int, default=0, metavar="NUMBER")
    called.set_defaults(command=journal)
    bases = commands.add_parser("base-images", parents=[common], help="provide what Dockerfiles start from")
    bases.add_argument("context", nargs="+", metavar="CONTEXT", help="a Dockerfile, or a directory to search for some")
    bases.set_defaults(command=base_images)
    return parser


if __name__ == "__main__":
    sys.exit(main())
