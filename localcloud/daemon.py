# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process behind the endpoint."""

from __future__ import annotations

import os
import signal
import sys
import threading

from localcloud import cloud as cloud_module
from localcloud import images
from localcloud.ca import CertificateAuthority
from localcloud.cloud import Cloud
from localcloud.engine import Engine, EngineError
from localcloud.firewall import Firewall, MotoSecurityGroups
from localcloud.iam.authority import Switch
from localcloud.install import install, prepare_environment
from localcloud.latency import Latency
from localcloud.names import LOOPBACK
from localcloud.options import Options
from localcloud.ports import free_port, listen
from localcloud.server import Server, application
from localcloud.state import Ready, State


def serve(state: State, options: Options) -> int:
    """Run the cloud until a signal ends it; the exit status is 1 when it could not start."""
    state.pid_file.write_text(f"{os.getpid()}\n")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        cloud, server = _start(state, options)
    except (EngineError, OSError, RuntimeError) as error:
        state.failure_file.write_text(f"{error}\n")
        print(f"localcloud: {error}", file=sys.stderr)  # noqa: T201
        return 1
    ended.wait()
    state.ready_file.unlink(missing_ok=True)
    server.stop()
    _shut_down(cloud)
    return 0


def _start(state: State, options: Options) -> tuple[Cloud, Server]:
    prepare_environment()
    engine = Engine.open(state.cloud_id)
    sockets = listen((LOOPBACK, engine.gateway(), *options.listen), options.port)
    cloud = _cloud(state, options, engine, port=sockets[0].getsockname()[1])
    cloud_module.set_current(cloud)
    install(cloud)
    server = Server(application(cloud), sockets)
    server.start()
    state.write_ready(
        Ready(
            endpoint=cloud.endpoint,
            container_endpoint=cloud.container_endpoint,
            registry=cloud.registry,
            ca=str(cloud.ca.path),
            account_id=cloud.account_id,
            region=cloud.region,
            pid=os.getpid(),
        )
    )
    return cloud, server


def _cloud(state: State, options: Options, engine: Engine, port: int) -> Cloud:
    # As far from the preferred one as the endpoint's, which no other cloud has: two that start at once do not meet.
    registry_port = free_port(options.registry_port + port - options.port)
    return Cloud(
        id=state.cloud_id,
        state_dir=state.directory,
        account_id=options.account_id,
        region=options.region,
        endpoint=f"http://{LOOPBACK}:{port}",
        container_endpoint=f"http://{engine.gateway()}:{port}",
        registry=f"{LOOPBACK}:{registry_port}",
        engine=engine,
        ca=CertificateAuthority(state.directory),
        firewall=Firewall(engine, MotoSecurityGroups(options.account_id, options.region)),
        infra_image=images.tag(),
        latency=Latency(options.latency, options.scale),
        iam=Switch(enforced=options.enforce_iam),
    )


def _shut_down(cloud: Cloud) -> None:
    """Every hook runs, whatever becomes of the others: the containers are removed by `down` in any case."""
    for hook in cloud.shutdown_hooks:
        try:
            hook()
        except Exception as error:
            print(f"localcloud: while shutting down: {error}", file=sys.stderr)  # noqa: T201
