# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments while Docker fails, ports run out, or somebody protects an instance: nothing hangs, nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ec2.models import ec2_backends

from localcloud.clock import MovableClock, SystemClock, wait_until
from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import ec2, monitor, options, platforms
from localcloud.elasticbeanstalk.events import Query
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.front import PortTaken
from localcloud.elasticbeanstalk.instance import Tools
from localcloud.elasticbeanstalk.lifecycle import Lifecycle
from localcloud.elasticbeanstalk.models import Beanstalk, Environment, Status
from localcloud.elasticbeanstalk.monitor import Monitor
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.ports import NoPort
from localcloud.engine import EngineError
from localcloud.firewall import Firewall, MotoSecurityGroups
from localcloud.latency import Latency
from localcloud.names import Names

ACCOUNT, REGION = "123456789012", "us-west-2"


class Engine:
    """Docker's networks, and Docker that fails once so many of them are made."""

    def __init__(self) -> None:
        self.networks: list[str] = []
        self.most = 10

    def ensure_network(self, name: str, labels: Any) -> None:
        if len(self.networks) >= self.most:
            raise EngineError(f"network {name}: Docker does not answer")
        self.networks.append(name)

    def remove_network(self, name: str) -> None:
        if name in self.networks:
            self.networks.remove(name)

    def inspect(self, container: str) -> None:
        return None

    def list(self, labels: Any) -> list[Any]:
        return []


class Ports:
    """So many ports, and what is lent of them."""

    def __init__(self, *ports: int) -> None:
        self.free, self.lent = list(ports), set[int]()

    def take(self, purpose: str) -> int:
        if not self.free:
            raise NoPort("no port is free")
        self.lent.add(self.free[0])
        return self.free.pop(0)

    def give_back(self, ports: Any) -> None:
        self.lent -= set(ports)


class Room:
    """One Elastic Beanstalk with what an environment needs around it, but for Docker."""

    def __init__(self, directory: Path) -> None:
        self.engine, self.clock, self.ports = Engine(), MovableClock(), Ports(20001, 20002, 20003)
        cloud: Any = SimpleNamespace(
            engine=self.engine,
            clock=self.clock,
            latency=Latency(),
            names=Names(),
            state_dir=directory,
            account_id=ACCOUNT,
            firewall=Firewall(self.engine, MotoSecurityGroups(ACCOUNT, REGION)),  # type: ignore[arg-type]
            docker_name=lambda kind, name: f"{kind}-{name}",
            labels=lambda kind, name: {kind: name},
        )
        agent: Any = SimpleNamespace(views=lambda task: [])
        runner: Any = None
        pump: Any = SimpleNamespace(write=lambda *words: None)
        self.tools = Tools(cloud, agent, pump, runner, self.ports)  # type: ignore[arg-type]
        self.clusters = Clusters()
        self.service = Beanstalk(ACCOUNT, REGION, self.clock)
        self.lifecycle = Lifecycle(cloud, self.tools, self.clusters)
        self.lifecycle.add(self.service)

    def environment(self, name: str = "env-one", status: Status = "Ready") -> Environment:
        made = Environment(
            id=f"e-{name}",
            name=name,
            application="app",
            region=REGION,
            account=ACCOUNT,
            platform=platforms.PLATFORMS[0],
            description=None,
            cname=f"{name}.us-west-2.elasticbeanstalk.com",
            version_label="v1",
            status=status,
            direct={
                options.ENVIRONMENT_TYPE: "SingleInstance",
                Key(options.LAUNCH, "IamInstanceProfile"): "profile",
                Key(options.HEALTH_SYSTEM, "SystemType"): "enhanced",
            },
            extension={},
            tags={},
            created=self.clock.now(),
            updated=self.clock.now(),
            cluster=f"awseb-{name}",
        )
        self.service.add(made)
        return made

    def fleet(self, environment: Environment) -> Fleet:
        return self.lifecycle.fleet(self.service, environment)

    def operation(self, environment: Environment) -> Operation:
        return Operation(self.service, environment, "request")

    def running(self) -> list[str]:
        """What EC2 says."""
        client: Any = boto3.client("ec2", region_name=REGION)
        reservations = client.describe_instances()["Reservations"]
        found = [item for reservation in reservations for item in reservation["Instances"]]
        return [item["InstanceId"] for item in found if item["State"]["Name"] == "running"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with mock_aws():
        iam: Any = boto3.client("iam")
        iam.create_instance_profile(InstanceProfileName="profile")
        yield Room(tmp_path)


def soon(goal: Any, what: str) -> None:
    """What another thread does."""
    wait_until(goal, what, 5, SystemClock(), poll=0.01)


# -- Docker fails while an environment is judged ----------------------------------------------------------------------


def test_an_operation_succeeds_though_nobody_can_see_its_environment(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(fleet: Fleet) -> None:
        raise EngineError("Docker does not answer")

    monkeypatch.setattr(Fleet, "examine", fail)
    environment = room.environment(status="Updating")
    room.lifecycle.restart(room.operation(environment), room.service)
    soon(lambda: environment.status == "Ready", "the end of the restart")
    assert environment.failed_command is None
    assert "health of environment env-one" in caplog.text


def test_an_environment_that_cannot_be_judged_keeps_no_other_from_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "WATCH_SECONDS", 0.01)
    looks: list[str] = []

    def examine(fleet: Fleet) -> list[Any]:
        looks.append(fleet.environment.name)
        if fleet.environment.name == "env-one":
            raise ValueError("nothing that anybody has thought of")
        return []

    monkeypatch.setattr(Fleet, "examine", examine)
    fleets = [(room.service, room.fleet(room.environment(name))) for name in ("env-one", "env-two")]
    watching = Monitor(room.tools.cloud, room.tools.pump, lambda: fleets, lambda service, fleet: None)
    watching.start()
    soon(lambda: looks.count("env-one") > 1 and looks.count("env-two") > 1, "a second look at both")
    watching.stop()


def test_a_termination_that_docker_fails_can_be_tried_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fleet: Fleet) -> None:
        raise EngineError("Docker does not answer")

    environment = room.environment(status="Terminating")
    with monkeypatch.context() as patched:
        patched.setattr(Fleet, "close", fail)
        room.lifecycle.terminate(room.operation(environment), room.service)
        soon(lambda: environment.failed_command is not None, "the failure")
    assert environment.status == "Ready"
    environment.status = "Terminating"
    monkeypatch.setattr(Fleet, "close", lambda fleet: None)
    room.lifecycle.terminate(room.operation(environment), room.service)
    soon(lambda: environment.status == "Terminated", "the end")


# -- launches that fail halfway ---------------------------------------------------------------------------------------


def test_no_port_for_the_second_instance_leaves_no_first_one(room: Room) -> None:
    room.ports.free = [20001]
    environment = room.environment()
    with pytest.raises(NoPort):
        room.fleet(environment).launch(2)
    assert (room.running(), room.engine.networks, room.ports.lent) == ([], [], set())
    assert room.clusters.of(ACCOUNT, REGION)[0].instances == []


def test_docker_that_fails_at_the_second_instance_leaves_no_first_one(room: Room) -> None:
    room.engine.most = 1
    with pytest.raises(EngineError):
        room.fleet(room.environment()).launch(2)
    assert (room.running(), room.engine.networks, room.ports.lent) == ([], [], set())


def test_an_instance_profile_that_is_gone_leaves_no_instance(room: Room) -> None:
    environment = room.environment()
    environment.direct[Key(options.LAUNCH, "IamInstanceProfile")] = "gone"
    with pytest.raises(ec2.LaunchError, match="Launching a new EC2 instance"):
        room.fleet(environment).launch(1)
    assert room.running() == []


def test_a_rebuild_that_docker_fails_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fleet, "arrange", lambda fleet: None)
    room.engine.most = 0
    environment = room.environment(status="Updating")
    environment.bundle = SimpleNamespace()  # type: ignore[assignment]
    room.lifecycle.rebuild(room.operation(environment), room.service)
    soon(lambda: environment.status == "Ready", "the end of the rebuild")
    assert environment.failed_command == "Environment launch failed."
    messages = [event.message for event in room.service.events.find(Query(severity="ERROR"))]
    assert messages[0] == "Failed to rebuild environment."
    assert messages[1].endswith("Docker does not answer")


# -- instances that somebody protects, or takes away ------------------------------------------------------------------


def test_termination_protection_does_not_keep_an_instance_from_its_scaling_group(room: Room) -> None:
    fleet = room.fleet(room.environment())
    (instance,) = fleet.launch(1)
    client: Any = boto3.client("ec2", region_name=REGION)
    client.modify_instance_attribute(InstanceId=instance.id, DisableApiTermination={"Value": True})
    fleet.discard([instance])
    assert (room.running(), room.engine.networks, room.ports.lent) == ([], [], set())


def test_an_instance_that_ec2_has_forgotten_is_lost_and_given_up(room: Room) -> None:
    fleet = room.fleet(room.environment())
    fleet.add(fleet.launch(1))
    ec2_backends[ACCOUNT][REGION].reset()
    (found,) = fleet.examine()
    assert found.health.status == "NoData"
    soon(lambda: not room.engine.networks, "the end of what it was")
    assert room.ports.lent == set()


def test_who_judges_does_not_wait_for_an_instance_that_is_lost(room: Room) -> None:
    fleet = room.fleet(room.environment())
    (instance,) = fleet.launch(1)
    fleet.add([instance])
    ec2.terminate(fleet.environment, instance.id)
    busy, over = threading.Event(), threading.Event()

    def deploy() -> None:
        with instance.lock:
            busy.set()
            over.wait(5)

    threading.Thread(target=deploy, daemon=True).start()
    assert busy.wait(5)
    (found,) = fleet.examine()
    assert found.health.status == "NoData"
    assert room.engine.networks
    over.set()
    soon(lambda: not room.engine.networks, "the end of what it was")


# -- two clouds want one port -----------------------------------------------------------------------------------------


def test_a_port_that_another_has_taken_meanwhile_is_not_asked_for_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, asked = room.fleet(room.environment()), []

    def arrange(layout: Any, ports: dict[int, int]) -> None:
        asked.append(ports[80])
        if ports[80] == 20001:
            raise PortTaken({20001})

    monkeypatch.setattr(fleet.front, "arrange", arrange)
    fleet.arrange()
    assert asked == [20001, 20002]
    assert fleet.environment.endpoint_url == "127.0.0.1:20002"
