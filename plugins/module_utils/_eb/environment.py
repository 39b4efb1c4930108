# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring an Elastic Beanstalk environment to what is wanted: reading, applying, and showing it."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._eb import planner
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import (
    BeanstalkApi,
    generated_security_groups,
    is_busy,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    READY,
    TERMINATED,
    TERMINATING,
    Environment,
    Event,
    ObservedEnvironment,
    WantedEnvironment,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.platform import platform_branch, recommended_platform

_POLL = 2.0
_VISIBLE_WITHIN = 60.0
_GONE = (TERMINATING, TERMINATED)


@dataclass(frozen=True)
class Attempt:
    """One try of a call that the service refuses while the environment is busy."""

    request_id: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Ending:
    """One look at an environment that is being terminated."""

    environment: Environment | None
    errors: tuple[Event, ...] = ()


@dataclass
class EnvironmentManager:
    """The environment's side of ``_core.module.sync``.

    ``applied`` is the plan that was really carried out: an environment that was busy is read and planned again once
    it is Ready. ``request_id`` is the id of the last request that changed something, ``since`` the date of the newest
    event before it, by the service's clock.
    """

    wanted: WantedEnvironment
    present: bool
    api: BeanstalkApi
    ec2: t.Callable[[], t.Any]
    clock: Clock
    wait: bool = True
    wait_timeout: float = 1800.0
    applied: Plan | None = None
    request_id: str | None = None
    since: datetime | None = None
    _read_before: bool = field(default=False)

    def read(self) -> ObservedEnvironment:
        """Return what is there now, as far as planning needs it."""
        environment = self.api.environment(self.wanted.name)
        if not self._read_before:
            self.since = self.api.newest_event_date(self.wanted.application_name, environment)
            self._read_before = True
        if not self.present:
            return ObservedEnvironment(environment=environment)
        if environment is None or environment.status in _GONE:
            return self._read_absent(environment)
        return self._read_present(environment)

    def plan(self, observed: ObservedEnvironment) -> Plan:
        """Return the steps from what is observed to what is wanted."""
        decide = planner.plan_present if self.present else planner.plan_absent
        return decide(self.wanted, observed)

    def apply(self, plan: Plan, observed: ObservedEnvironment) -> None:
        """Carry out the plan; start the update or the creation without waiting for its end."""
        if self.present and observed.environment is not None and observed.environment.status != READY:
            plan, observed = self._plan_when_settled(observed.environment)
        self.applied = plan
        for number, step in enumerate(plan, start=1):
            self._apply_step(step, observed, last=number == len(plan))

    def project(self, observed: ObservedEnvironment, plan: Plan) -> ObservedEnvironment:
        """Return what will be there once the plan has been applied and the environment has settled."""
        return planner.project(self.wanted, observed, plan)

    def view(self, observed: ObservedEnvironment) -> dict[str, t.Any]:
        """Return the declared side of the environment for a diff; {} when it is not there."""
        environment = observed.environment
        if environment is None or environment.status in _GONE:
            return {}
        declared = {setting.key for setting in self.wanted.settings} | set(self.wanted.options_to_remove)
        settings: dict[str, dict[str, str]] = {}
        for setting in observed.settings:
            if setting.key in declared:
                settings.setdefault(setting.namespace, {})[setting.name] = planner.shown_value(setting)
        return {
            "name": environment.name,
            "application_name": environment.application_name,
            "version_label": environment.version_label,
            "platform_arn": environment.platform_arn,
            "tier": environment.tier,
            "description": environment.description,
            "option_settings": settings,
            "tags": planner.user_tags(observed.tags),
        }

    def _read_absent(self, environment: Environment | None) -> ObservedEnvironment:
        branch = self.wanted.platform_branch
        available, cname = True, ""
        if self.wanted.cname_prefix:
            available, cname = self.api.cname(self.wanted.cname_prefix)
        return ObservedEnvironment(
            environment=environment,
            recommended_platform_arn=recommended_platform(self.api.client, branch) if branch else "",
            # An environment that is terminating still holds the prefix that it is about to give back.
            cname_available=available or environment is not None,
            new_cname=cname,
        )

    def _read_present(self, environment: Environment) -> ObservedEnvironment:
        deployed = [
            item for item in self.api.configurations(environment) if item.deployment_status.lower() == "deployed"
        ]
        settings = deployed[0].settings if deployed else ()
        groups = planner.security_groups_to_look_up(self.wanted, settings)
        branch = recommended = ""
        if self.wanted.platform_branch:
            branch = platform_branch(self.api.client, environment.platform_arn)
            if branch != self.wanted.platform_branch:
                recommended = recommended_platform(self.api.client, self.wanted.platform_branch)
        removable = self.wanted.options_to_remove
        return ObservedEnvironment(
            environment=environment,
            settings=settings,
            tags=self.api.tags(environment),
            platform_branch=branch,
            recommended_platform_arn=recommended,
            generated_security_groups=generated_security_groups(self.ec2(), groups) if groups else frozenset(),
            option_defaults=self.api.option_defaults(environment, removable) if removable else {},
        )

    def _plan_when_settled(self, environment: Environment) -> tuple[Plan, ObservedEnvironment]:
        if not self.wait:
            raise AntennaError(
                f"Environment {environment.name!r} is {environment.status}, and only a Ready environment accepts "
                "changes. Try again later, or let the module wait with 'wait: true'."
            )
        if environment.status in _GONE:
            self._until_gone(environment, "")
        else:
            self._until_ready(environment)
        # What was awaited is not ours: events count from here on.
        self._read_before = False
        observed = self.read()
        return self.plan(observed), observed

    def _apply_step(self, step: Step, observed: ObservedEnvironment, last: bool) -> None:
        if isinstance(step, planner.CreateEnvironment):
            self.request_id = self.api.create(self.wanted, step.platform_arn)
            self._until_visible()
            return
        environment = observed.environment
        if environment is None:
            raise AntennaError(f"Environment {self.wanted.name!r} is gone: it cannot be changed any more. Run again.")
        if isinstance(step, planner.TerminateEnvironment):
            self.request_id = self._accepted(environment, "its termination", lambda: self.api.terminate(environment))
            if self.wait:
                self._until_gone(environment, self.request_id)
        elif isinstance(step, planner.UpdateTags):
            add, remove = step.add, step.remove
            self.request_id = self._accepted(
                environment, "new tags", lambda: self.api.update_tags(environment, add, remove)
            )
            if self.wait or not last:
                self._until_ready(environment)
        elif isinstance(step, planner.UpdateEnvironment):
            update = step
            self.request_id = self._accepted(environment, "an update", lambda: self._update(environment, update))

    def _update(self, environment: Environment, step: planner.UpdateEnvironment) -> str:
        return self.api.update(
            environment,
            version_label=step.version_label,
            description=step.description,
            platform_arn=step.platform_arn,
            settings=step.settings,
            options_to_remove=step.options_to_remove,
        )

    def _accepted(self, environment: Environment, what: str, operation: t.Callable[[], str]) -> str:
        """Call until the service accepts it: something else may have made the environment busy since it was read."""

        def attempt() -> Attempt:
            try:
                return Attempt(request_id=operation())
            except AwsError as error:
                if is_busy(error):
                    return Attempt(refusal=error.answer)
                raise

        def failed(look: Attempt) -> str | None:
            return look.refusal if look.refusal and not self.wait else None

        accepted: Wait[Attempt] = Wait(
            what=f"environment {environment.name!r} to accept {what}",
            done=lambda look: not look.refusal,
            failed=failed,
            seen=lambda look: look.refusal,
            timeout=self.wait_timeout,
            poll=_POLL,
            remedy=_stuck(environment.name),
        )
        return accepted.until_done(attempt, self.clock).request_id

    def _until_ready(self, environment: Environment) -> None:
        ready: Wait[Environment | None] = Wait(
            what=f"environment {environment.name!r} to be Ready",
            done=lambda look: look is not None and look.status == READY,
            failed=lambda look: "it is gone" if look is None or look.status in _GONE else None,
            seen=lambda look: look.status if look else "nothing",
            timeout=self.wait_timeout,
            poll=_POLL,
            remedy=_stuck(environment.name),
        )
        ready.until_done(lambda: self.api.environment(environment.name), self.clock)

    def _until_visible(self) -> None:
        visible: Wait[Environment | None] = Wait(
            what=f"environment {self.wanted.name!r} to be listed",
            done=lambda look: look is not None,
            seen=lambda look: "nothing" if look is None else look.status,
            timeout=_VISIBLE_WITHIN,
            poll=_POLL,
        )
        visible.until_done(lambda: self.api.environment(self.wanted.name), self.clock)

    def _until_gone(self, environment: Environment, request_id: str) -> None:
        def look() -> Ending:
            found = [
                item
                for item in self.api.environments(name=environment.name)
                if item.environment_id == environment.environment_id
            ]
            if not found or not request_id or found[0].status != READY:
                return Ending(found[0] if found else None)
            events = self.api.events(environment, since=self.since)
            return Ending(found[0], tuple(item for item in events if item.request_id == request_id and item.is_error))

        gone: Wait[Ending] = Wait(
            what=f"environment {environment.name!r} to be terminated",
            done=lambda ending: ending.environment is None,
            failed=lambda ending: "; ".join(event.message for event in ending.errors) or None,
            seen=lambda ending: ending.environment.status if ending.environment else "nothing",
            timeout=self.wait_timeout,
            poll=_POLL,
            remedy=_stuck(environment.name),
        )
        gone.until_done(look, self.clock)


def describe(environment: Environment | None, tags: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return the environment for a module's result; {} when there is none."""
    if environment is None or environment.status == TERMINATED:
        return {}
    described = asdict(environment)
    for name in ("date_created", "date_updated"):
        described[name] = described[name].isoformat() if described[name] else None
    return {**described, "tags": planner.user_tags(tags)}


def _stuck(name: str) -> str:
    return (
        f"See why with 'aws elasticbeanstalk describe-events --environment-name {name}'. An update that hangs can be "
        f"ended with 'aws elasticbeanstalk abort-environment-update --environment-name {name}'; where a failed "
        "rollback left the environment stuck, its CloudFormation stack must be repaired, or the environment replaced"
    )
