# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose key signed a call, and the policies that say what its holder may do."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends

from localcloud.policies import Document

Policies = tuple[Document, ...]


def policies_of(access_key: str) -> list[Policies] | None:
    """The policies of the user or assumed role that has this key; None when nobody has, who may do everything here.

    What a session was given as its own policy limits it further: each of the sets must let what is done.
    """
    account = get_account_id_from(access_key)
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    if session is not None:
        return _of_session(session)
    user = iam_backends[account]["aws"].get_user_from_access_key_id(access_key)
    if user is None:
        return None
    groups = iam_backends[account]["aws"].get_groups_for_user(user.name)
    return [tuple(document for holder in (user, *groups) for document in documents_of(holder))]


def _of_session(session: Any) -> list[Policies]:
    role = role_of(session.role_arn)
    if role is None:
        return [()]
    own = [(parsed(session.policy),)] if session.policy else []
    return [tuple(documents_of(role)), *own]


def role_of(arn: str) -> Any:
    """The role of moto's that has the ARN; None when none has."""
    roles = iam_backends[account_in(arn)]["aws"].get_roles()
    return next((role for role in roles if role.arn == arn), None)


def account_in(arn: str) -> str:
    """The account that an ARN names; empty when it names none."""
    return "".join(arn.split(":")[4:5])


def documents_of(holder: Any) -> list[Document]:
    """The policies in a role, user or group of moto's, and those attached to it."""
    attached = [_default_version(policy) for policy in holder.managed_policies.values()]
    return [parsed(document) for document in [*holder.policies.values(), *attached]]


def _default_version(policy: Any) -> str:
    return next(str(version.document) for version in policy.versions if version.is_default)


def parsed(document: str) -> Document:
    """A document as it came in a request, where it may be written for a URL."""
    return _parsed(str(document))


@lru_cache(maxsize=512)
def _parsed(text: str) -> Document:
    found: Document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return found
