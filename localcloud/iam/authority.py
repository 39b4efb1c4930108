# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM carried out: while it is switched on, a call is refused that its caller's own policies do not let, and a role is
handed out to those only whom it trusts.

Who has no user and no role, as the rehearsal's own keys have none, may do everything. Messages: IAM User Guide,
"Troubleshoot access denied error messages"; those of single services as seen in public reports, S3's with the resource
in quotes, `AuthorizationError` of SNS (php-enqueue/enqueue-dev#1022), `InsufficientPrivilegesException` where Elastic
Beanstalk misses a right of its caller at another service (codeship/documentation#338).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from localcloud.calls import Call, body_of, identify
from localcloud.errors import Protocol, Refusal, protocol_of, refuse
from localcloud.faults import refusal_of
from localcloud.iam import ec2, peculiar, s3
from localcloud.iam.needs import Asked, Known, Need, Needs
from localcloud.iam.services import SERVICES
from localcloud.policies import NotJudged, Verdict, judge

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.iam.holders import Policies

_NEEDS: dict[str, Needs] = {
    **{name: naming.needs for name, naming in SERVICES.items()},
    **peculiar.OTHERS,
    "ec2": ec2.needs,
    "s3": s3.needs,
}
KNOWN = tuple(sorted(_NEEDS))
"""The services of which it is known what their calls need, by name in signatures."""

_NEEDED = "localcloud.needs"


class Switch:
    """Whether IAM is carried out. Off, as long as nobody says otherwise."""

    def __init__(self, *, enforced: bool = False) -> None:
        self.enforced = enforced


def needs(asked: Asked) -> tuple[Need, ...]:
    """What the call needs. Of services that are not known here the action on everything."""
    of = _NEEDS.get(asked.service)
    if of is None or not asked.operation:
        return (Need(f"{asked.service}:{asked.operation or '?'}"),)
    return tuple(dict.fromkeys(of(asked)))


class Needing:
    """What each request needs, told once: before it is carried out, because afterwards things are otherwise."""

    def __init__(self, account: str, known: Known) -> None:
        self._account = account
        self._known = known

    def of(self, environ: dict[str, Any]) -> tuple[Need, ...]:
        if _NEEDED not in environ:
            environ[_NEEDED] = needs(self._asked(environ, identify(environ)))
        found: tuple[Need, ...] = environ[_NEEDED]
        return found

    def _asked(self, environ: dict[str, Any], call: Call) -> Asked:
        return Asked(
            service=call.service,
            operation=call.operation,
            region=call.region,
            account=self._account,
            parameters=call.parameters,
            known=self._known,
            query=dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)),
            headers={
                name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
                for name, value in environ.items()
                if name.startswith("HTTP_X_AMZ_")
            },
            body=(body_of(environ) or b"") if call.operation == "DeleteObjects" else b"",
        )


class Authority:
    """WSGI: refuses what the caller's policies do not let, while the switch is on."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        cloud: Cloud,
        needing: Needing,
        caller: Callable[[Call], str],
    ) -> None:
        self._application = application
        self._cloud = cloud
        self._needing = needing
        self._caller = caller

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._refusal(environ) if self._cloud.iam.enforced else None
        if refusal is None:
            return self._application(environ, start_response)
        return refuse(environ, start_response, identify(environ), refusal)

    def _refusal(self, environ: dict[str, Any]) -> Refusal | None:
        # With it comes moto, which must not be there before its settings are.
        from localcloud.iam import assuming

        call = identify(environ)
        try:
            return self._forbidden(environ, call) or assuming.refusal(call, self._cloud.clock.now())
        except NotJudged as error:
            return Refusal(501, "NotImplemented", f"The rehearsal cloud does not judge {error} in a policy")

    def _forbidden(self, environ: dict[str, Any], call: Call) -> Refusal | None:
        from localcloud.iam.holders import policies_of

        held = policies_of(call.access_key) if call.access_key else None
        if held is None:
            return None
        general = {"aws:principalaccount": self._cloud.account_id, "aws:requestedregion": call.region}
        for need in self._needing.of(environ):
            verdict = _verdict(held, replace(need, context={**general, **need.context}))
            if verdict is not Verdict.ALLOWED:
                return denial(call, need, verdict, self._caller(call), protocol_of(environ, call))
        return None


def _verdict(held: list[Policies], need: Need) -> Verdict:
    """That of the first set of policies that does not let it."""
    verdicts = (judge(policies, need.action, need.resource, need.context) for policies in held)
    return next((verdict for verdict in verdicts if verdict is not Verdict.ALLOWED), Verdict.ALLOWED)


def denial(call: Call, need: Need, verdict: Verdict, caller: str, protocol: Protocol) -> Refusal:
    """How the service refuses it."""
    if call.service == "elasticbeanstalk" and not need.action.startswith("elasticbeanstalk:"):
        return Refusal(403, "InsufficientPrivilegesException", _INSUFFICIENT.format(need.action))
    action = need.action.replace("sns:", "SNS:", 1)
    resource = f'"{need.resource}"' if protocol == "s3" else need.resource
    reason = _REASONS[verdict].format(action)
    message = f"User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}"
    if call.service == "sns":
        return Refusal(403, "AuthorizationError", message)
    return replace(refusal_of("denied", protocol), message=f"{_EC2}{message}" if protocol == "ec2" else message)


_REASONS = {
    Verdict.NOT_ALLOWED: "because no identity-based policy allows the {} action",
    Verdict.DENIED: "with an explicit deny in an identity-based policy",
}
_EC2 = "You are not authorized to perform this operation. "
_INSUFFICIENT = (
    "You do not have permission to perform the '{}' action. Verify that your S3 policies and your ACLs allow you to "
    "perform these actions."
)
