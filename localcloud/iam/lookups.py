# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running services know of resources that calls name by name or id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.rds.models import rds_backends
from moto.secretsmanager.models import secretsmanager_backends

from localcloud.cloudfront.models import cloudfront_backends

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


class Services:
    """`needs.Known`, as the cloud is at the moment."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        find = self._cloud.environment_arn
        return None if find is None else find(region, name_or_id)

    def secret_arn(self, region: str, name: str) -> str | None:
        secret = secretsmanager_backends[self._cloud.account_id][region].secrets.get(name)
        return None if secret is None else str(secret.arn)

    def roles_of(self, instance_profile: str) -> tuple[str, ...]:
        try:
            found = iam_backends[self._cloud.account_id]["aws"].get_instance_profile(instance_profile)
        except NotFoundException:
            return ()
        return tuple(str(role.arn) for role in found.roles)

    def route_table(self, region: str, association: str) -> str | None:
        tables = ec2_backends[self._cloud.account_id][region].route_tables.values()
        return next((str(table.id) for table in tables if association in table.all_associations_ids), None)

    def copies_tags(self, region: str, database: str) -> bool:
        found = rds_backends[self._cloud.account_id][region].databases.get(database)
        return found is not None and bool(found.copy_tags_to_snapshot)

    def tags(self, region: str, arn: str) -> Mapping[str, str]:
        parts, identifier = arn.split(":"), arn.rpartition("/")[2]
        service = parts[2] if len(parts) > 2 else ""
        if service == "ec2":
            found = ec2_backends[self._cloud.account_id][region].describe_tags(filters={"resource-id": [identifier]})
            return {str(tag["key"]): str(tag["value"]) for tag in found}
        if service == "cloudfront":
            tagger = cloudfront_backends[self._cloud.account_id]["aws"].tagger
            return {str(key): str(value) for key, value in tagger.get_tag_dict_for_resource(arn).items()}
        return {}
