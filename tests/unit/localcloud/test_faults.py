# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble on demand: which calls it strikes, and what they meet."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from localcloud.calls import Call
from localcloud.clock import MovableClock
from localcloud.errors import Protocol
from localcloud.faults import KINDS, TIMED, FaultMiddleware, Faults, InvalidRule, Kind, Rule, refusal_of
from localcloud.stale import Memory
from tests.support.wsgi import environ, form

READ = Call("rds", "us-west-2", "DescribeDBInstances", "read", "db")
WRITE = Call("rds", "us-west-2", "DeleteDBInstance", "write", "db")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"service": "rds", "operation": "Describe*", "resource": "db"}, True),
        ({"service": "ec2"}, False),
        ({"operation": "Delete*"}, False),
        ({"operation": "describedbinstances"}, False),
        ({"resource": "d"}, False),
    ],
)
def test_rule_is_about_calls(wanted: dict[str, Any], fits: bool) -> None:
    assert Rule("throttling", **wanted).fits(READ) is fits


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "expected JSON"),
        ({"service": "rds"}, "expected JSON"),
        ({"kind": "rain"}, "kind 'rain' is none of"),
        ({"kind": ["slow"]}, "kind .* has the wrong type"),
        ({"kind": "slow"}, "need seconds above 0"),
        ({"kind": "throttling", "seconds": 1}, "nothing else takes them"),
        ({"kind": "throttling", "probability": 0}, "not above 0"),
        ({"kind": "throttling", "probability": 1.1}, "at most 1"),
        ({"kind": "throttling", "count": 0}, "not 1 or more"),
        ({"kind": "throttling", "count": True}, "count True has the wrong type"),
        ({"kind": "throttling", "colour": "red"}, "unknown: colour"),
        ({"kind": "throttling", "service": 7}, "service 7 has the wrong type"),
    ],
)
def test_nonsense_is_no_rule(given: object, why: str) -> None:
    with pytest.raises(InvalidRule, match=why):
        Rule.parse(given)


def test_first_rule_that_strikes_has_the_call_until_it_is_spent() -> None:
    faults = Faults()
    faults.add(Rule("throttling", operation="Describe*", count=2))
    faults.add(Rule("internal", service="rds"))
    struck = [faults.strike(call) for call in (READ, WRITE, READ, READ)]
    assert [rule and rule.kind for rule in struck] == ["throttling", "internal", "throttling", "internal"]
    assert [(rule["id"], rule["struck"]) for rule in faults.all()] == [(1, 2), (2, 2)]
    assert faults.remove(2) and not faults.remove(2)
    assert faults.strike(READ) is None
    faults.clear()
    assert faults.all() == []
    assert faults.add(Rule("denied"))["id"] == 3


def test_seed_repeats_the_dice() -> None:
    def pattern(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(Rule("unavailable", probability=0.3, seed=seed))
        return [faults.strike(READ) is not None for _ in range(200)]

    assert pattern(1) == pattern(1) != pattern(2)
    assert 30 < sum(pattern(1)) < 90


@pytest.mark.parametrize(
    ("kind", "protocol", "status", "code"),
    [
        ("throttling", "query", 400, "Throttling"),
        ("throttling", "json", 400, "ThrottlingException"),
        ("throttling", "ec2", 503, "RequestLimitExceeded"),
        ("throttling", "s3", 503, "SlowDown"),
        ("internal", "json", 500, "InternalFailure"),
        ("unavailable", "query", 503, "ServiceUnavailable"),
        ("denied", "query", 403, "AccessDenied"),
        ("denied", "json", 400, "AccessDeniedException"),
        ("denied", "ec2", 403, "UnauthorizedOperation"),
    ],
)
def test_each_service_has_its_own_words(kind: Kind, protocol: Protocol, status: int, code: str) -> None:
    refusal = refusal_of(kind, protocol)
    assert (refusal.status, refusal.code) == (status, code)


def test_there_are_words_for_all() -> None:
    for kind in set(KINDS) - {*TIMED, "dropped"}:
        assert all(refusal_of(kind, protocol).message for protocol in get_args(Protocol))


class World:
    """A service that counts its writes, behind the middleware."""

    def __init__(self, *rules: Rule) -> None:
        self.faults, self.clock, self.writes = Faults(), MovableClock(), 0
        for rule in rules:
            self.faults.add(rule)
        self.middleware = FaultMiddleware(self._answer, self.faults, self.clock, lambda call: "arn:aws:iam::1:user/ana")

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.writes += environ["REQUEST_METHOD"] == "POST" and b"Create" in environ["wsgi.input"].getvalue()
        start_response("200 OK", [("x-amzn-requestid", "r"), ("Content-Length", "0")])
        return [f"<Writes>{self.writes}</Writes><RequestId>r{self.clock.monotonic()}</RequestId>".encode()]

    def call(self, body: str, service: str = "rds", **more: Any) -> str:
        return b"".join(self.middleware({**form(service, body), **more}, lambda *_: None)).decode()

    def seen(self, body: str = "Action=DescribeX", service: str = "rds") -> int:
        return int(self.call(body, service).partition("</Writes>")[0].removeprefix("<Writes>"))


def test_no_rule_no_trouble() -> None:
    world = World()
    world.call("Action=CreateX")
    assert world.seen() == 1


def test_refused_call_never_arrives_and_says_who_may_not_do_what() -> None:
    world = World(Rule("denied", operation="Create*"))
    assert "User: arn:aws:iam::1:user/ana is not authorized to perform: rds:CreateX" in world.call("Action=CreateX")
    assert world.seen() == 0


def test_dropped_connection_is_really_cut() -> None:
    world = World(Rule("dropped"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(ConnectionAbortedError):
            world.call("Action=CreateX", **{"werkzeug.socket": ours})
        assert theirs.recv(1) == b""
    assert world.writes == 0


def test_slow_answer_comes_when_the_cloud_s_time_has_come() -> None:
    class Counting(MovableClock):
        waited = 0.0

        def wait(self, seconds: float) -> None:
            self.waited += seconds

    world = World(Rule("slow", operation="DescribeX", seconds=90, count=1))
    clock = Counting()
    world.middleware = FaultMiddleware(world._answer, world.faults, clock, lambda call: "")
    assert (world.seen(), world.seen(), clock.waited) == (0, 0, 90)


def test_reads_after_a_write_are_as_before_it_for_a_while() -> None:
    world = World(Rule("stale", service="rds", operation="DescribeX", seconds=30))
    first = world.call("Action=DescribeX")
    world.call("Action=CreateX", "s3")
    assert world.seen() == 1, "a write to another service is none"
    world.call("Action=CreateX")
    assert (world.writes, world.seen()) == (2, 1)
    assert world.seen("Action=DescribeX&Marker=2") == 2, "nobody had asked this before the write"
    assert world.seen("Action=DescribeY") == 2, "the rule is not about this"
    world.clock.advance(29)
    assert world.seen() == 1
    world.clock.advance(1)
    assert world.seen() == 2
    assert "<RequestId>r" in first


def test_stale_answer_has_a_request_id_of_its_own() -> None:
    world = World(Rule("stale", seconds=30, count=2))
    first = world.call("Action=DescribeX")
    world.call("Action=CreateX")
    again, third, fresh = (world.call("Action=DescribeX") for _ in range(3))
    assert again.partition("<RequestId>")[0] == first.partition("<RequestId>")[0] != fresh.partition("<RequestId>")[0]
    assert len({first, again, third, fresh}) == 4


def test_memory_keeps_the_newest_of_what_services_stand_by() -> None:
    from localcloud.stale import Answer

    class Standing(MovableClock):
        time = 0.0

        def monotonic(self) -> float:
            return self.time

        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    clock = Standing()
    memory = Memory(clock, capacity=2)
    good, broken = Answer("200 OK", (), b""), Answer("503 Service Unavailable", (), b"")
    for question, answer in (("a", good), ("b", good), ("c", broken), ("a", good), ("d", good)):
        memory.remember((question,), "rds", 30, answer)
    memory.note_write("rds")
    remembered = [question for question in "abcd" if memory.before_write((question,), "rds", 30)]
    assert remembered == ["a", "d"]
    clock.time = 30
    assert memory.before_write(("a",), "rds", 30) is None


def test_reads_that_are_too_large_to_be_compared_are_fresh() -> None:
    world = World(Rule("stale", seconds=30))
    huge = {"CONTENT_LENGTH": str(1 << 30)}
    request = {**environ("s3", path="/bucket"), **huge}
    answers = []
    for _ in range(2):
        answers.append(b"".join(world.middleware(dict(request), lambda *_: None)))
        world.call("Action=CreateX", "s3")
    assert answers[0].startswith(b"<Writes>0") and answers[1].startswith(b"<Writes>1")
