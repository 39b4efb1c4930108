# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Master passwords that RDS makes, keeps in Secrets Manager and rotates."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import moto.rds.models as moto_models

from localcloud.data.rds import requests

if TYPE_CHECKING:
    from localcloud.data.rds.instance import PostgresInstance


class MasterSecret(moto_models.MasterUserSecret):  # type: ignore[misc]
    """The secret of an instance; who changes the server's password says when it is `active`."""

    def activate(self) -> None:
        """The password in it is the server's."""
        self._status = "active"

    def renew(self) -> str:
        """Put a new password into it, and return it."""
        self._status = "rotating"
        value = self._generate_secret_string()
        self.secretsmanager.put_secret_value(self.secret.arn, value, None, None, ["AWSCURRENT"])
        return self.password

    @property
    def password(self) -> str:
        """The current one."""
        value = self.secretsmanager.get_secret_value(self.secret.arn, None, None)
        return str(json.loads(value["SecretString"])["password"])

    @property
    def secret_status(self) -> str:
        """One of `creating`, `rotating` and `active`."""
        return str(self._status)

    def _generate_secret_description(self) -> str:
        return f"The secret associated with the primary RDS DB instance: {self.resource.arn}"

    def _generate_secret_string(self) -> str:
        return json.dumps({"username": self.resource.master_username, "password": secrets.token_hex(14)})

    def _generate_secret_tags(self) -> list[dict[str, str]]:
        return [{"Key": "aws:rds:primaryDBInstanceArn", "Value": self.resource.arn}]


def new_password(instance: PostgresInstance, given: Mapping[str, Any]) -> str | None:
    """Begin or end the management of the password as a ModifyDBInstance asks, or renew it.

    :returns: The password that the server must have then; None when that does not change.
    :raises RDSClientError: For what contradicts itself.
    """
    secret = instance.master_user_secret
    if given.get("ManageMasterUserPassword") and secret is None:
        return begin(instance, given.get("MasterUserSecretKmsKeyId"))
    if given.get("ManageMasterUserPassword") is False:
        end(instance)
    if given.get("RotateMasterUserPassword") and secret is not None:
        return secret.renew()
    chosen = given.get("MasterUserPassword")
    return None if chosen is None else str(chosen)


def is_asked(given: Mapping[str, Any]) -> bool:
    """Whether a ModifyDBInstance is about the management of the password."""
    return given.get("ManageMasterUserPassword") is not None or bool(given.get("RotateMasterUserPassword"))


def check(instance: PostgresInstance, given: Mapping[str, Any]) -> None:
    """Refuse what contradicts itself or the instance.

    :raises RDSClientError: With the service's code; the words are ours.
    """
    managed = given.get("ManageMasterUserPassword")
    has_secret = instance.master_user_secret is not None
    if given.get("MasterUserPassword"):
        if managed or (has_secret and managed is None):
            raise requests.combination("You can't specify MasterUserPassword while RDS manages the password.")
    elif managed is False and has_secret:
        raise requests.combination("You must specify MasterUserPassword when RDS no longer manages the password.")
    if given.get("RotateMasterUserPassword"):
        if not given.get("ApplyImmediately"):
            raise requests.combination("You must specify apply immediately when rotating the master user password.")
        if not has_secret:
            raise requests.combination("You can't rotate a master user password that RDS does not manage.")


def begin(instance: PostgresInstance, kms_key: str | None) -> str:
    """Make the secret, and return the password in it."""
    instance.master_user_secret = MasterSecret(instance, kms_key)
    return instance.master_user_secret.password


def end(instance: PostgresInstance) -> None:
    """Delete the secret, if there is one."""
    if instance.master_user_secret is not None:
        instance.master_user_secret.delete_secret()
        instance.master_user_secret = None
