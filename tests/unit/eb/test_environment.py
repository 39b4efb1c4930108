# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a plan for an environment is carried out: what is called, in which order, and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError, WaitError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import sync
from ansible_collections.antenna.aws.plugins.module_utils._eb.environment import EnvironmentManager
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    ConfigurationSet,
    Environment,
    Event,
    Setting,
    WantedEnvironment,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.restart import RestartManager

BRANCH = "ECS running on 64bit Amazon Linux 2023"
ARN = f"arn:aws:elasticbeanstalk:eu-central-1::platform/{BRANCH}/4.2.0"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
NEWEST = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
READY = Environment(
    "e-1", "env-1", "antenna", arn="arn:env", status="Ready", version_label="v1", platform_arn=ARN, tier="WebServer"
)
WANTED = WantedEnvironment(
    "env-1", "antenna", cname_prefix="env-1", platform_branch=BRANCH, version_label="v2",
    settings=(Setting(PROPERTIES, "A", "1"),),
)  # fmt: skip
BUSY = AwsError(
    "update environment 'env-1'",
    "AWS answered InvalidParameterValue: Environment named x is in an invalid state for this operation. Must be Ready.",
    code="InvalidParameterValue",
)

PENDING = AwsError(
    "terminate environment 'env-1'",
    "AWS answered InvalidParameterValue: Cannot terminate environment named x. It is currently pending deployment.",
    code="InvalidParameterValue",
)


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class FakePlatforms:
    """The two platform calls of a boto3 client."""

    def list_platform_versions(self, **_arguments: Any) -> dict[str, Any]:
        return {
            "PlatformSummaryList": [
                {"PlatformArn": ARN, "PlatformBranchName": BRANCH, "PlatformLifecycleState": "Recommended"},
                {"PlatformArn": "newer", "PlatformBranchName": BRANCH, "PlatformLifecycleState": ""},
            ]
        }

    def describe_platform_version(self, **_arguments: Any) -> dict[str, Any]:
        return {"PlatformDescription": {"PlatformBranchName": BRANCH}}


@dataclass
class FakeApi:
    """An account with one environment or none. ``statuses`` are answered one after the other, then Ready."""

    there: Environment | None = None
    settings: tuple[Setting, ...] = ()
    statuses: list[str] = field(default_factory=list)
    refusals: list[AwsError] = field(default_factory=list)
    failed_events: tuple[Event, ...] = ()
    calls: list[Any] = field(default_factory=list)
    client: Any = field(default_factory=FakePlatforms)

    def environment(self, _name: str) -> Environment | None:
        if self.there is not None and self.statuses:
            self.there = replace(self.there, status=self.statuses.pop(0))
        return None if self.there is None or self.there.status == "Terminated" else self.there

    def environments(self, name: str) -> tuple[Environment, ...]:
        found = self.environment(name)
        return (found,) if found else ()

    def newest_event_date(self, _application: str, _environment: Environment | None) -> datetime:
        return NEWEST

    def cname(self, prefix: str) -> tuple[bool, str]:
        free = self.there is None or self.there.status == "Terminated"
        return free, f"{prefix}.eu-central-1.elasticbeanstalk.com"

    def configurations(self, _environment: Environment) -> tuple[ConfigurationSet, ...]:
        failed = ConfigurationSet("failed", (Setting(PROPERTIES, "A", "1"),))
        return (failed, ConfigurationSet("deployed", self.settings))

    def tags(self, _environment: Environment) -> Mapping[str, str]:
        return {"team": "antenna"}

    def events(self, _environment: Environment, since: Any) -> tuple[Event, ...]:
        return self.failed_events

    def create(self, wanted: WantedEnvironment, platform_arn: str) -> str:
        self.calls.append(("create", wanted.name, platform_arn))
        self.there = replace(READY, environment_id="e-2", status="Launching")
        return "request-create"

    def update(self, _environment: Environment, **arguments: Any) -> str:
        self._refuse()
        self.calls.append(("update", {name: value for name, value in arguments.items() if value}))
        return "request-update"

    def update_tags(self, _environment: Environment, add: Any, remove: Any) -> str:
        self.calls.append(("tags", add, remove))
        self.statuses = ["Updating", "Updating", "Ready"]
        return "request-tags"

    def terminate(self, _environment: Environment) -> str:
        self._refuse()
        self.calls.append(("terminate",))
        return "request-terminate"

    def restart(self, _environment: Environment) -> str:
        self._refuse()
        self.calls.append(("restart",))
        self.statuses = ["Updating", "Ready"]
        return "request-restart"

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


def manager(api: FakeApi, wanted: WantedEnvironment = WANTED, **options: Any) -> EnvironmentManager:
    present = options.pop("present", True)
    return EnvironmentManager(wanted, present, api, ec2=lambda: None, clock=FakeClock(), **options)  # type: ignore[arg-type]


def test_an_empty_account_gets_the_recommended_version_and_nothing_in_check_mode() -> None:
    api = FakeApi()
    assert [step.op for step in sync(manager(api), check_mode=True).plan] == ["create"]
    assert api.calls == []
    subject = manager(api)
    outcome = sync(subject, check_mode=False)
    assert api.calls == [("create", "env-1", ARN)]
    assert (subject.request_id, subject.since) == ("request-create", NEWEST)
    assert outcome.after.environment is not None
    assert outcome.after.environment.status == "Launching"


def test_version_and_option_go_out_together_and_a_failed_configuration_is_not_the_present_one() -> None:
    api = FakeApi(READY)
    subject = manager(api)
    sync(subject, check_mode=False)
    assert api.calls == [("update", {"version_label": "v2", "settings": WANTED.settings})]
    assert subject.request_id == "request-update"


def test_what_is_as_declared_is_not_called_about() -> None:
    api = FakeApi(replace(READY, version_label="v2"), WANTED.settings)
    subject = manager(api)
    assert not sync(subject, check_mode=False).plan
    assert (api.calls, subject.request_id, subject.since) == ([], None, NEWEST)


def test_after_a_change_of_tags_the_environment_is_awaited_before_the_update() -> None:
    api = FakeApi(READY)
    sync(manager(api, replace(WANTED, tags={})), check_mode=False)
    assert [call[0] for call in api.calls] == ["tags", "update"]
    assert api.statuses == []


def test_a_busy_environment_is_awaited_and_planned_again() -> None:
    api = FakeApi(READY, WANTED.settings, statuses=["Updating", "Updating", "Ready"])
    subject = manager(api)
    sync(subject, check_mode=False)
    assert api.calls == [("update", {"version_label": "v2"})]
    done = FakeApi(replace(READY, version_label="v2"), WANTED.settings, statuses=["Updating", "Ready"])
    subject = manager(done, replace(WANTED, description=""))
    assert not sync(subject, check_mode=False).plan


def test_an_update_refused_for_a_moment_is_repeated() -> None:
    api = FakeApi(READY, refusals=[BUSY, BUSY])
    sync(manager(api), check_mode=False)
    assert [call[0] for call in api.calls] == ["update"]


@pytest.mark.parametrize("refusals", [[BUSY] * 99, []])
def test_a_stuck_environment_is_refused_in_words(refusals: list[AwsError]) -> None:
    api = FakeApi(READY, statuses=[] if refusals else ["Updating"] * 99, refusals=refusals)
    with pytest.raises(WaitError, match=r"Waited 60 s for environment 'env-1'.*abort-environment-update"):
        sync(manager(api, wait_timeout=60), check_mode=False)


def test_without_waiting_a_busy_environment_is_an_error() -> None:
    with pytest.raises(AntennaError, match="is Updating, and only a Ready environment"):
        sync(manager(FakeApi(READY, statuses=["Updating"] * 9), wait=False), check_mode=False)
    with pytest.raises(WaitError, match="Must be Ready"):
        sync(manager(FakeApi(READY, refusals=[BUSY]), wait=False), check_mode=False)


def test_an_environment_of_the_name_that_is_terminating_is_awaited_before_the_creation() -> None:
    api = FakeApi(READY, statuses=["Terminating", "Terminating", "Terminated", "Terminated"])
    sync(manager(api), check_mode=False)
    assert api.calls == [("create", "env-1", ARN)]


def test_a_termination_refused_for_a_moment_is_repeated() -> None:
    api = FakeApi(READY, statuses=["Ready", "Terminating", "Terminated"], refusals=[PENDING, PENDING])
    sync(manager(api, present=False), check_mode=False)
    assert api.calls == [("terminate",)]


def test_termination_is_awaited_and_its_failure_told() -> None:
    api = FakeApi(READY, statuses=["Ready", "Terminating", "Terminating", "Terminated"])
    assert [step.op for step in sync(manager(api, present=False), check_mode=False).plan] == ["terminate"]
    assert api.calls == [("terminate",)]
    failed = Event(NEWEST, "ERROR", "Stack deletion failed", "request-terminate")
    with pytest.raises(WaitError, match="Stack deletion failed"):
        sync(manager(FakeApi(READY, failed_events=(failed,)), present=False), check_mode=False)
    assert not sync(manager(FakeApi(), present=False), check_mode=False).plan


def restart_manager(api: FakeApi, **options: Any) -> RestartManager:
    wanted = WantedEnvironment("env-1", "antenna")
    return RestartManager(wanted, True, api, ec2=lambda: None, clock=FakeClock(), **options)  # type: ignore[arg-type]


def test_a_restart_is_accepted_once_the_environment_is_ready_and_then_awaited() -> None:
    api = FakeApi(READY, statuses=["Updating", "Ready"], refusals=[BUSY])
    subject = restart_manager(api)
    assert [step.op for step in sync(subject, check_mode=False).plan] == ["restart"]
    assert api.calls == [("restart",)]
    assert (subject.request_id, subject.since, api.statuses) == ("request-restart", NEWEST, [])


def test_a_restart_in_check_mode_is_foretold_only() -> None:
    api = FakeApi(READY)
    assert [step.op for step in sync(restart_manager(api), check_mode=True).plan] == ["restart"]
    assert api.calls == []


def test_what_is_not_there_cannot_be_restarted() -> None:
    with pytest.raises(AntennaError, match="no environment 'env-1' to restart"):
        sync(restart_manager(FakeApi()), check_mode=False)


def test_the_diff_shows_declared_options_only_and_no_secrets() -> None:
    secret = Setting(PROPERTIES, "DB_PASSWORD", "hunter22")
    wanted = replace(WANTED, settings=(*WANTED.settings, secret))
    subject = manager(FakeApi(READY, (Setting(PROPERTIES, "OTHER", "x"), replace(secret, value="before"))), wanted)
    outcome = sync(subject, check_mode=True)
    before, after = subject.view(outcome.before), subject.view(outcome.after)
    assert before["option_settings"] == {PROPERTIES: {"DB_PASSWORD": "(hidden)"}}
    assert after["option_settings"] == {PROPERTIES: {"A": "1", "DB_PASSWORD": "(hidden)"}}
    assert before.keys() == after.keys()
    assert "hunter22" not in repr(outcome.plan.result())
