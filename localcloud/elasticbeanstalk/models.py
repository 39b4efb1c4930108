# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Elastic Beanstalk remembers: applications, versions, environments. Mutable, guarded by one lock per region."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from localcloud.elasticbeanstalk import options
from localcloud.elasticbeanstalk.events import EventLog, Severity, Subject
from localcloud.elasticbeanstalk.exceptions import no_application, no_environment, no_version
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.elasticbeanstalk.bundle import Bundle
    from localcloud.elasticbeanstalk.instance import Instance

Status = Literal["Launching", "Updating", "Ready", "Terminating", "Terminated", "Aborting"]
TERMINATED_VISIBLE = timedelta(hours=1)
TERMINATED_KEPT = timedelta(weeks=10)
WEB_TIER = {"Name": "WebServer", "Type": "Standard", "Version": "1.0"}
_ALPHABET = string.ascii_lowercase + string.digits


def random_name(length: int) -> str:
    """Lower-case letters and digits, as in the service's own names."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True)
class Health:
    """An environment's or an instance's health: the service's status and causes in words."""

    status: str
    causes: tuple[str, ...] = ()

    @property
    def colour(self) -> str:
        colours = {"Ok": "Green", "Info": "Green", "Warning": "Yellow", "Degraded": "Red", "Severe": "Red"}
        return colours.get(self.status, "Grey")


PENDING = Health("Pending")


@dataclass(frozen=True)
class Deployment:
    """What an instance's agent reports about the last deployment. `status` is "In Progress", "Deployed" or "Failed"."""

    id: int
    version_label: str
    status: str
    time: datetime


@dataclass
class Resources:
    """The names of what the service made for an environment; a load balancer's ARN, where it has one."""

    scaling_group: str | None = None
    launch_template: str | None = None
    load_balancer: str | None = None
    target_groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """Settings that are being deployed (`pending`) or could not be (`failed`), and those that are `deployed`."""

    status: Literal["pending", "failed"]
    settings: dict[Key, str]
    deployed: dict[Key, str]


@dataclass
class Version:
    """An application version."""

    application: str
    label: str
    description: str | None
    bucket: str
    key: str
    status: str
    created: datetime
    updated: datetime
    tags: dict[str, str]


@dataclass
class Application:
    """An application with its versions by label."""

    name: str
    description: str | None
    created: datetime
    updated: datetime
    lifecycle: dict[str, Any]
    tags: dict[str, str]
    versions: dict[str, Version] = field(default_factory=dict)

    def version(self, label: str) -> Version:
        """:raises InvalidParameterValue: When there is none of that label."""
        try:
            return self.versions[label]
        except KeyError:
            raise no_version(label) from None


@dataclass
class Environment:
    """An environment. `direct` settings came through the API, `extension` settings from the deployed bundle.

    `ports` maps a port of the environment to the one on loopback that stands for it, and stays for its life.
    `deployments` counts, and `expected` is the last that succeeded. `working` is held by the operation under way.
    """

    id: str
    name: str
    application: str
    region: str
    account: str
    platform: Platform
    description: str | None
    cname: str
    version_label: str
    status: Status
    direct: dict[Key, str]
    extension: dict[Key, str]
    tags: dict[str, str]
    created: datetime
    updated: datetime
    bundle: Bundle | None = None
    tier: dict[str, str] = field(default_factory=lambda: dict(WEB_TIER))
    ports: dict[int, int] = field(default_factory=dict)
    endpoint_url: str | None = None
    instances: list[Instance] = field(default_factory=list)
    own_security_group: str | None = None
    cluster: str = ""
    resources: Resources = field(default_factory=Resources)
    deployments: int = 0
    expected: Deployment | None = None
    draft: Draft | None = None
    health: Health = PENDING
    health_time: datetime | None = None
    failed_command: str | None = None
    operation_started: datetime | None = None
    abortable: bool = False
    abort: threading.Event = field(default_factory=threading.Event)
    terminated: datetime | None = None
    working: threading.Lock = field(default_factory=threading.Lock)

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticbeanstalk:{self.region}:{self.account}:environment/{self.application}/{self.name}"

    @property
    def settings(self) -> dict[Key, str]:
        """Without defaults."""
        return options.effective(self.extension, self.direct)

    def setting(self, namespace: str, name: str) -> str | None:
        """The effective value, default included."""
        return options.value(self.settings, Key(namespace, name))

    @property
    def load_balanced(self) -> bool:
        return options.shape_of(self.settings) != "single"

    @property
    def enhanced(self) -> bool:
        return self.setting(options.HEALTH_SYSTEM, "SystemType") == "enhanced"

    @property
    def properties(self) -> dict[str, str]:
        """Environment properties."""
        return self._section(options.ENVIRONMENT_PROPERTIES)

    @property
    def secrets(self) -> dict[str, str]:
        """Environment variable to the ARN of its secret."""
        return self._section(options.ENVIRONMENT_SECRETS)

    def _section(self, namespace: str) -> dict[str, str]:
        return {key.name: value for key, value in self.settings.items() if key.namespace == namespace}


class Beanstalk:
    """Elastic Beanstalk of one account in one region."""

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.lock = threading.RLock()
        self.events = EventLog(clock)
        self.applications: dict[str, Application] = {}
        self._environments: list[Environment] = []

    @property
    def bucket(self) -> str:
        """The storage location's name."""
        return f"elasticbeanstalk-{self.region}-{self.account}"

    def application(self, name: str) -> Application:
        """:raises InvalidParameterValue: When there is none of that name."""
        try:
            return self.applications[name]
        except KeyError:
            raise no_application(name) from None

    def application_arn(self, name: str) -> str:
        return f"arn:aws:elasticbeanstalk:{self.region}:{self.account}:application/{name}"

    def version_arn(self, version: Version) -> str:
        name = f"{version.application}/{version.label}"
        return f"arn:aws:elasticbeanstalk:{self.region}:{self.account}:applicationversion/{name}"

    def add(self, environment: Environment) -> None:
        self._environments.append(environment)

    def environments(self, include_terminated: bool = True, since: datetime | None = None) -> list[Environment]:
        """Terminated ones stay visible for an hour, or are those that ended `since`; none are kept for ever."""
        now = self.clock.now()
        with self.lock:
            kept = [e for e in self._environments if e.terminated is None or now - e.terminated < TERMINATED_KEPT]
            self._environments = kept
            back_to = since or now - TERMINATED_VISIBLE
            return [e for e in kept if e.terminated is None or (include_terminated and e.terminated > back_to)]

    def all_environments(self) -> list[Environment]:
        """With those that ended long ago, as far as anybody may still ask for them."""
        return self.environments(since=self.clock.now() - TERMINATED_KEPT)

    def environment(self, name: str | None, identifier: str | None) -> Environment:
        """The living environment of this name or id.

        :raises InvalidParameterValue: When there is none.
        """
        for item in self.environments(include_terminated=False):
            if (identifier is not None and item.id == identifier) or (identifier is None and item.name == name):
                return item
        raise no_environment(name, identifier)

    def cname_taken(self, cname: str) -> bool:
        return any(item.cname.lower() == cname.lower() for item in self.environments(include_terminated=False))

    def say(
        self,
        environment: Environment,
        severity: Severity,
        message: str,
        request_id: str | None,
        label: str | None = None,
    ) -> None:
        """Write an event about an environment; `request_id` None for what no call caused."""
        subject = Subject(
            environment.application,
            environment=environment.name,
            version_label=label,
            request_id=request_id,
            environment_id=environment.id,
            platform_arn=environment.platform.arn(environment.region),
        )
        self.events.add(subject, severity, message)
