# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a role is handed out: its trust policy held against who asks, and the token that a web identity brings.

A token's signature is not proved, which would need the provider. Of its claims a policy sees `aud` and `sub` (IAM User
Guide, "Available keys for AWS OIDC federation"). Messages as seen in public reports: on tokens in
aws-actions/configure-aws-credentials#672, #721 and #775 and aws/aws-sdk-java-v2#5709, on durations in
kreuzwerker/awsu#27.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends

from localcloud.calls import Call, caller_of
from localcloud.errors import Refusal
from localcloud.iam.holders import account_in, parsed, role_of
from localcloud.policies import Asker, trusts

_TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
_NOT_A_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"


def refusal(call: Call, now: datetime) -> Refusal | None:
    """Why the role is not handed out; None where it is, or where the call is about something else.

    :raises NotJudged: When the role's trust policy says what nobody here knows.
    """
    if call.service != "sts":
        return None
    if call.operation == "AssumeRole":
        return _to_principal(call)
    if call.operation == "AssumeRoleWithWebIdentity":
        return _to_web_identity(call, now)
    return None


@dataclass(frozen=True)
class Token:
    """What a web identity says of itself. `issuer` is without its scheme, `expires` in seconds since 1970."""

    issuer: str
    audience: str
    subject: str
    expires: float


def read(token: str) -> Token | None:
    """What is in the token; None when it is none.

    Of several audiences the first counts.
    """
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        return Token(claims["iss"].removeprefix("https://"), audiences[0], claims["sub"], float(claims["exp"]))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None


def _to_principal(call: Call) -> Refusal | None:
    caller = caller_of(call)
    asker = Asker("AWS", _names(call.access_key, caller), _context(call, ExternalId="sts:externalid"))
    denied = Refusal(
        403, "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {_arn(call)}"
    )
    return _handed_out(call, asker, denied)


def _names(access_key: str, caller: str) -> frozenset[str]:
    """What a trust policy may call whoever has the key: itself, its account, everybody."""
    account = get_account_id_from(access_key)
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    role = {session.role_arn} if session is not None else set()
    return frozenset({"*", account, f"arn:aws:iam::{account}:root", caller} | role)


def _to_web_identity(call: Call, now: datetime) -> Refusal | None:
    token = read(str(call.parameters.get("WebIdentityToken", "")))
    if token is None:
        return Refusal(400, "InvalidIdentityToken", _NOT_A_JWT)
    account = account_in(_arn(call))
    arn = f"arn:aws:iam::{account}:oidc-provider/{token.issuer}"
    provider = iam_backends[account]["aws"].open_id_providers.get(arn)
    if provider is None:
        known = f"No OpenIDConnect provider found in your account for https://{token.issuer}"
        return Refusal(400, "InvalidIdentityToken", known)
    if token.audience not in provider.client_id_list:
        return Refusal(400, "InvalidIdentityToken", "Incorrect token audience")
    if now.timestamp() >= token.expires:
        times = f"current date/time {now.timestamp():.0f} must be before the expiration date/time {token.expires:.0f}"
        return Refusal(400, "ExpiredTokenException", f"Token expired: {times}")
    claims = {f"{token.issuer}:aud": token.audience, f"{token.issuer}:sub": token.subject}
    asker = Asker("Federated", frozenset({arn}), {**_context(call), **claims})
    denied = Refusal(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    return _handed_out(call, asker, denied)


def _context(call: Call, **keys: str) -> Mapping[str, str]:
    """The condition keys of the call's parameters."""
    named = {"RoleSessionName": "sts:rolesessionname", **keys}
    return {key: str(call.parameters[name]) for name, key in named.items() if name in call.parameters}


def _handed_out(call: Call, asker: Asker, denied: Refusal) -> Refusal | None:
    role = role_of(_arn(call))
    if role is None or not trusts(parsed(role.assume_role_policy_document), asker, f"sts:{call.operation}"):
        return denied
    if int(str(call.parameters.get("DurationSeconds", 0))) > int(role.max_session_duration or 3600):
        return Refusal(400, "ValidationError", _TOO_LONG)
    return None


def _arn(call: Call) -> str:
    return str(call.parameters.get("RoleArn", ""))
