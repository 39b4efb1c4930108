# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log pump: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from moto import mock_aws
from moto.logs.models import logs_backends

from localcloud.clock import MovableClock, SystemClock, wait_until
from localcloud.logs import pump as pump_module
from localcloud.logs.pump import Destination, Pump

ACCOUNT, REGION, GROUP = "123456789012", "us-west-2", "/aws/elasticbeanstalk/hello/var/log/x.log"
TO = Destination(ACCOUNT, REGION, GROUP, "i-1", 7)


class Engine:
    """Containers' output; Docker's `since` knows whole seconds only."""

    def __init__(self) -> None:
        self.output: list[tuple[str, str]] = []

    def logs(self, container: str, since: datetime | None = None) -> Iterator[bytes]:
        if container == "strange":
            raise ValueError("no kind of output that anybody has thought of")
        whole = since.replace(microsecond=0).isoformat() if since else ""
        for stamp, text in self.output:
            if stamp >= whole[:19]:
                yield f"{stamp} {text}\n".encode()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with mock_aws():
        yield Engine()


def pump(engine: Engine) -> Pump:
    return Pump(cast("Any", SimpleNamespace(engine=engine, clock=MovableClock())))


def messages() -> list[str]:
    group = logs_backends[ACCOUNT][REGION].groups.get(GROUP)
    stream = group.streams.get("i-1") if group is not None else None
    return [event.message for event in stream.events] if stream is not None else []


def test_lines_of_one_second_arrive_once(engine: Engine) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    watching = pump(engine)
    engine.output = [(f"{now}.100000000Z", "one"), (f"{now}.200000002Z", "two"), (f"{now}.300000000Z", "")]
    watching.watch("c", TO)
    watching.unwatch("c")
    assert messages() == ["one", "two", " "]
    assert [line.text for line in watching.lines("c", f"{now}.200000002Z")] == [" "]


@pytest.mark.parametrize("sign", ["\r", "\f", "\x85", "\u2028"])
def test_a_progress_bar_is_one_line(engine: Engine, sign: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    watching = pump(engine)
    engine.output = [(f"{now}.100000000Z", f"10 %{sign}100 % done\r"), (f"{now}.200000000Z", "next")]
    watching.watch("c", TO)
    watching.unwatch("c")
    assert messages() == [f"10 %{sign}100 % done", "next"]


def test_lines_that_were_written_the_wrong_way_round_are_put_right(engine: Engine) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    watching = pump(engine)
    engine.output = [(f"{now}.200000000Z", "of stdout"), (f"{now}.100000000Z", "of stderr")]
    watching.watch("c", TO)
    watching.unwatch("c")
    assert messages() == ["of stderr", "of stdout"]
    assert watching.lines("c", f"{now}.200000000Z") == []


def test_output_that_cannot_be_copied_does_not_stop_that_of_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pump_module, "PERIOD_SECONDS", 0.01)
    watching = pump(engine)
    engine.output = [(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.100000000Z", "one")]
    watching.watch("strange", TO)
    watching.watch("c", TO)
    watching.start()
    wait_until(lambda: bool(messages()), "a line", 5, SystemClock())
    watching.stop()
    assert messages() == ["one"]
    assert "output of container strange" in caplog.text


def test_a_group_may_be_deleted_while_a_line_is_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    watching, backend = pump(engine), logs_backends[ACCOUNT][REGION]

    def ensure(group: str, stream: str) -> None:
        backend.create_log_stream(group, stream)
        backend.delete_log_group(group)

    with monkeypatch.context() as patched:
        patched.setattr(backend, "ensure_log_stream", ensure)
        watching.write(TO, "gone")
    watching.write(TO, "there")
    assert messages() == ["there"]


def test_lines_are_in_the_time_of_the_cloud(engine: Engine) -> None:
    watching = pump(engine)
    watching._cloud.clock.advance(3600)
    now = datetime.now(UTC).replace(microsecond=0)
    engine.output = [(f"{now:%Y-%m-%dT%H:%M:%S}.100000000Z", "one")]
    watching.watch("c", TO)
    watching.unwatch("c")
    (event,) = logs_backends[ACCOUNT][REGION].groups[GROUP].streams["i-1"].events
    assert event.timestamp == int(now.timestamp() + 3600) * 1000 + 100


def test_a_new_group_keeps_its_lines_as_long_as_asked(engine: Engine) -> None:
    watching = pump(engine)
    watching.write(TO, "hello")
    assert logs_backends[ACCOUNT][REGION].groups[GROUP].retention_in_days == 7


def test_groups_are_deleted_by_their_prefix(engine: Engine) -> None:
    watching = pump(engine)
    watching.write(TO, "hello")
    watching.delete_groups(ACCOUNT, REGION, "/aws/elasticbeanstalk/hell/")
    assert GROUP in logs_backends[ACCOUNT][REGION].groups
    watching.delete_groups(ACCOUNT, REGION, "/aws/elasticbeanstalk/hello/")
    assert GROUP not in logs_backends[ACCOUNT][REGION].groups


def test_a_container_that_nobody_watches_is_left_alone(engine: Engine) -> None:
    pump(engine).unwatch("c")
    assert GROUP not in logs_backends[ACCOUNT][REGION].groups
