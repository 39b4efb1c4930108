# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common path of the modules: plan, sync, errors, waits, argument specs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec, module
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError, WaitError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError


@dataclass
class Number:
    """A manager whose resource is a number that must be wanted."""

    wanted: int
    value: int
    calls: list[str] = field(default_factory=list)

    def read(self) -> int:
        self.calls.append("read")
        return self.value

    def plan(self, observed: int) -> Plan:
        return Plan() if observed == self.wanted else Plan((Step("set", "number", f"is {observed}"),))

    def apply(self, plan: Plan, observed: int) -> None:
        self.calls.append("apply")
        self.value = self.wanted

    def project(self, observed: int, plan: Plan) -> int:
        return self.wanted

    def view(self, observed: int) -> dict[str, Any]:
        return {"number": observed}


@pytest.mark.parametrize(
    ("value", "check", "calls", "changed"),
    [
        (1, True, ["read"], True),
        (1, False, ["read", "apply", "read"], True),
        (2, True, ["read"], False),
        (2, False, ["read"], False),
    ],
)
def test_sync(value: int, check: bool, calls: list[str], changed: bool) -> None:
    manager = Number(wanted=2, value=value)
    outcome = module.sync(manager, check)
    assert manager.calls == calls
    assert module.result(manager, outcome) == {
        "changed": changed,
        "plan": [{"op": "set", "resource": "number", "reason": "is 1"}] if changed else [],
        "diff": {"before": {"number": value}, "after": {"number": 2}},
    }


@dataclass
class FakeModule:
    ended: dict[str, Any] = field(default_factory=dict)

    def exit_json(self, **result: Any) -> None:
        self.ended = result

    def fail_json(self, **result: Any) -> None:
        self.ended = {**result, "failed": True}


def client_error(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "AnOperation")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AntennaError("It cannot be.", evidence=1), "It cannot be."),
        (client_error("Throttling"), "Could not finish the task: AWS answered Throttling: no. Try again later"),
        (ParamValidationError(report="a\nb"), "Could not finish the task: Parameter validation failed: a b."),
        (EndpointConnectionError(endpoint_url="http://x"), "Could not finish the task: Could not connect to"),
    ],
)
def test_failures_are_told_in_one_message(error: Exception, message: str) -> None:
    def work() -> dict[str, Any]:
        raise error

    fake = FakeModule()
    module.run(fake, work)
    assert fake.ended["failed"]
    assert fake.ended["msg"].startswith(message)
    assert fake.ended.get("evidence") == getattr(error, "details", {}).get("evidence")


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    def work() -> dict[str, Any]:
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        module.run(FakeModule(), work)


@pytest.mark.parametrize("failing", [True, False])
def test_arguments_stand_for_the_parameters(failing: bool) -> None:
    def work() -> dict[str, Any]:
        if failing:
            raise AntennaError("no")
        return {"changed": False}

    fake = FakeModule()
    module.run(fake, work, {"password": "(hidden)"})
    assert fake.ended["invocation"] == {"module_args": {"password": "(hidden)"}}


def test_attempting_says_what_was_attempted_on_what() -> None:
    with pytest.raises(AwsError) as caught, module.attempting("create the repository 'web'"):
        raise client_error("AccessDenied", "not allowed")
    assert caught.value.message == (
        "Could not create the repository 'web': AWS answered AccessDenied: not allowed. "
        "Allow this action to the caller's IAM user or role."
    )
    assert caught.value.code == "AccessDenied"


@dataclass
class FakeClock:
    time: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds


def waiting(**changes: Any) -> Wait[str]:
    settings: dict[str, Any] = {
        "what": "the light",
        "done": lambda look: look == "green",
        "seen": str,
        "timeout": 100,
        "poll": 10,
        "longest_poll": 20,
        **changes,
    }
    return Wait(**settings)


def test_a_wait_ends_at_its_goal_and_its_pauses_grow() -> None:
    looks = iter(["red", "red", "red", "red", "green"])
    clock = FakeClock()
    assert waiting().until_done(lambda: next(looks), clock) == "green"
    assert clock.sleeps == [10, 15, 20, 20]


def test_a_wait_ends_in_a_failure_state() -> None:
    wait = waiting(failed=lambda look: "it broke" if look == "broken" else None, remedy="Mend it")
    with pytest.raises(WaitError, match=r"^Waited for the light, which failed: it broke\. Mend it\.$"):
        wait.until_done(lambda: "broken", FakeClock())


def test_a_wait_ends_at_its_deadline_after_a_last_look() -> None:
    clock = FakeClock()
    with pytest.raises(WaitError, match=r"^Waited 100 s for the light; last seen: red\.$"):
        waiting().until_done(lambda: "red", clock)
    assert clock.time == 100
    assert waiting().until_done(lambda: "green" if clock.time >= 200 else "red", clock) == "green"


def test_a_goal_must_be_steady() -> None:
    clock = FakeClock()
    looks = {0: "green", 10: "red", 25: "green", 45: "green", 65: "green"}
    assert waiting(steady=40).until_done(lambda: looks[int(clock.time)], clock) == "green"
    assert clock.time == 65


def test_the_machine_s_clock_grows() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)
    assert clock.now() - before >= 0.01


def test_argument_specs_merge() -> None:
    one = argspec.ArgumentSpec({"a": {"type": "str"}}, required_together=(("a", "b"),))
    merged = one.merge(argspec.STATE, argspec.wait(7))
    assert set(merged.argument_spec) == {"a", "state", "wait", "wait_timeout"}
    created = merged.create(dict)
    assert created["required_together"] == [["a", "b"]]
    assert created["supports_check_mode"] is True
    assert created["argument_spec"]["wait_timeout"]["default"] == 7
    with pytest.raises(ValueError, match="a"):
        one.merge(one)


def test_plans_add_up_and_are_shown() -> None:
    plan = Plan((Step("create", "a", "absent"),)) + Plan()
    assert plan
    assert len(plan) == 1
    assert [step.op for step in plan] == ["create"]
    assert not Plan()
