# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one path of every module: read, plan, apply unless in check mode, result. And the one place that fails."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan

try:
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

    AWS_EXCEPTIONS: tuple[type[Exception], ...] = (ClientError, BotoCoreError)
except ImportError:  # AnsibleAWSModule reports the missing library to people
    AWS_EXCEPTIONS = ()

Observed = t.TypeVar("Observed")

_REMEDIES = {
    "AccessDenied": "Allow this action to the caller's IAM user or role",
    "AccessDeniedException": "Allow this action to the caller's IAM user or role",
    "InsufficientPrivilegesException": "Allow this action to the caller's IAM user or role",
    "UnauthorizedOperation": "Allow this action to the caller's IAM user or role",
    "AuthFailure": "Check the access key, the secret key and this machine's clock",
    "ExpiredToken": "Sign in again: the session's credentials have expired",
    "ExpiredTokenException": "Sign in again: the session's credentials have expired",
    "InvalidReplicationGroupState": "Wait until the group is available (wait: true does), then try again",
    "InvalidClientTokenId": "Check the access key: AWS does not know it",
    "UnrecognizedClientException": "Check the access key: AWS does not know it",
    "SignatureDoesNotMatch": "Check the secret key and this machine's clock",
    "Throttling": "Try again later: AWS limits how often this may be asked",
}


class Manager(t.Protocol[Observed]):
    """What a module must know of its resource. ``plan``, ``project`` and ``view`` are pure."""

    def read(self) -> Observed:
        """Return what is there now."""

    def plan(self, observed: Observed) -> Plan:
        """Return the steps from what is observed to what is wanted."""

    def apply(self, plan: Plan, observed: Observed) -> None:
        """Carry out the steps in order, and wait where that was asked for."""

    def project(self, observed: Observed, plan: Plan) -> Observed:
        """Return what would be observed after the plan: check mode's answer."""

    def view(self, observed: Observed) -> dict[str, t.Any]:
        """Return what result and diff show, without secrets: the same keys whether read or projected."""


@dataclass(frozen=True)
class Outcome(t.Generic[Observed]):
    """What a run saw, decided and left behind."""

    before: Observed
    after: Observed
    plan: Plan


def sync(manager: Manager[Observed], check_mode: bool) -> Outcome[Observed]:
    """Bring the resource to what is wanted. This is the only place that knows of check mode."""
    before = manager.read()
    plan = manager.plan(before)
    if not plan:
        return Outcome(before, before, plan)
    if check_mode:
        return Outcome(before, manager.project(before, plan), plan)
    manager.apply(plan, before)
    return Outcome(before, manager.read(), plan)


def result(manager: Manager[Observed], outcome: Outcome[Observed]) -> dict[str, t.Any]:
    """Return the keys that every result has: changed, plan, diff."""
    return {
        "changed": bool(outcome.plan),
        "plan": outcome.plan.result(),
        "diff": {"before": manager.view(outcome.before), "after": manager.view(outcome.after)},
    }


def run(
    module: t.Any,
    work: t.Callable[[], t.Mapping[str, t.Any]],
    arguments: t.Mapping[str, t.Any] | None = None,
) -> None:
    """Do the module's work and end the module with its result, or with a message for people. Used in main() alone.

    ``arguments`` stand in the result's ``invocation`` instead of the parameters, where those hold values that must not
    be shown. (``no_log`` would blot out such values wherever they occur, and a value such as "0" occurs everywhere.)
    Such a module is created with ``no_log=True``, or its parameters reach the system's log.
    """
    shown = {} if arguments is None else {"invocation": {"module_args": dict(arguments)}}
    try:
        answer = work()
    except AntennaError as error:
        module.fail_json(msg=error.message, **error.details, **shown)
    except AWS_EXCEPTIONS as error:
        told = _told("finish the task", error, "")
        module.fail_json(msg=told.message, **told.details, **shown)
    else:
        module.exit_json(**answer, **shown)


@contextlib.contextmanager
def attempting(attempted: str, remedy: str = "") -> t.Iterator[None]:
    """Turn what botocore raises inside into an AwsError that says what was attempted.

    ``attempted`` completes "Could not ..." and names the thing: ``create the repository 'antenna-backend'``.
    """
    try:
        yield
    except AWS_EXCEPTIONS as error:
        raise _told(attempted, error, remedy) from error


def error_code(error: Exception) -> str:
    """Return the error's code on the wire, or its class's name when no service answered."""
    if isinstance(error, AwsError):
        return error.code
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def client(module: t.Any, service: str, attempts: int = 3) -> t.Any:
    """Return a client of the service; its calls take ``aws_retry=True`` to be repeated when AWS throttles.

    ``attempts`` is how often botocore itself tries each call.
    """
    # Imported here: the collection's import chain asks for boto3, and pure users of this file do not need it.
    from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

    # Without these a service that accepts connections and never answers holds a task for many minutes.
    bounded = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "max_attempts": attempts}}
    return module.client(service, retry_decorator=AWSRetry.jittered_backoff(retries=8, max_delay=20), config=bounded)


def _told(attempted: str, error: Exception, remedy: str) -> AwsError:
    code = error_code(error)
    if isinstance(error, EndpointConnectionError):
        return AwsError(attempted, str(error), remedy or "Check endpoint_url, region and the network", code=code)
    if isinstance(error, NoCredentialsError):
        return AwsError(attempted, str(error), remedy or "Give a profile or an access key and a secret key", code=code)
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        # botocore puts each wrong parameter on a line of its own.
        return AwsError(attempted, " ".join(str(error).split()), remedy, code=code)
    message = str(response.get("Error", {}).get("Message", "")) or str(error)
    return AwsError(attempted, f"AWS answered {code}: {message}", remedy or _REMEDIES.get(code, ""), code=code)
