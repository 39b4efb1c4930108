# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place where a bucket's settings meet S3."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict, snake_dict_to_camel_dict
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket import planner
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.model import (
    NEW,
    PUBLIC_ACCESS,
    Create,
    LifecycleRule,
    Put,
    Settings,
    Wanted,
)

_NOT_SET = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_ABSENT = ("404", "NoSuchBucket", "NotFound")
_OUTSIDE_A_REGION = "us-east-1"


@dataclass(frozen=True)
class BucketManager:
    """Reads, plans and changes one bucket."""

    client: t.Any
    wanted: Wanted

    def read(self) -> Settings | None:
        """Return the declared settings as they are, those of a new bucket for others; None where there is none."""
        if not self._exists():
            return None
        declared = {name: getattr(self.wanted.settings, name) is not None for name in planner.SETTINGS}
        return Settings(**{name: self._get(name) if declared[name] else getattr(NEW, name) for name in declared})

    def plan(self, observed: Settings | None) -> Plan:
        """Return the steps to what is wanted."""
        return planner.plan(self.wanted, observed)

    def apply(self, plan: Plan, observed: Settings | None) -> None:
        """Carry out the steps in order."""
        for step in plan:
            if isinstance(step, Create):
                self._create(step)
            elif isinstance(step, Put):
                with attempting(f"set the {step.setting} of the bucket {self.wanted.name}"):
                    _PUT[step.setting](self.client, self.wanted.name, step.value)

    def project(self, observed: Settings | None, plan: Plan) -> Settings | None:
        """Return the settings as they will be."""
        return planner.project(self.wanted, observed)

    def view(self, observed: Settings | None) -> dict[str, t.Any]:
        """Return the settings that are declared, in plain values."""
        if observed is None:
            return {}
        shown = {
            name: getattr(observed, name)
            for name in planner.SETTINGS
            if getattr(self.wanted.settings, name) is not None
        }
        if "lifecycle_rules" in shown:
            shown["lifecycle_rules"] = [_rule_view(rule) for rule in shown["lifecycle_rules"]]
        return {"name": self.wanted.name, **shown}

    def _exists(self) -> bool:
        name = self.wanted.name
        try:
            with attempting(f"look for the bucket {name}", "Its name may be another account's: take one of your own"):
                self.client.head_bucket(Bucket=name, aws_retry=True)
        except AwsError as error:
            if error.code in _ABSENT:
                return False
            raise
        return True

    def _get(self, setting: str) -> t.Any:
        try:
            with attempting(f"read the {setting} of the bucket {self.wanted.name}"):
                return _GET[setting](self.client, self.wanted.name)
        except AwsError as error:
            if error.code in _NOT_SET:
                return _UNSET[setting]
            raise

    def _create(self, step: Create) -> None:
        region = self.client.meta.region_name
        place = {} if region == _OUTSIDE_A_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        ownership = {"ObjectOwnership": step.object_ownership} if step.object_ownership else {}
        with attempting(f"create the bucket {self.wanted.name}"):
            self.client.create_bucket(Bucket=self.wanted.name, aws_retry=True, **place, **ownership)
            self.client.get_waiter("bucket_exists").wait(Bucket=self.wanted.name)


_UNSET: t.Mapping[str, t.Any] = {
    # Buckets from before there were settings of their ownership.
    "object_ownership": "ObjectWriter",
    "encryption": "",
    "public_access": dict.fromkeys(PUBLIC_ACCESS, False),
    "policy": {},
    "lifecycle_rules": (),
    "tags": {},
}


def _get_ownership(client: t.Any, name: str) -> str:
    (rule,) = client.get_bucket_ownership_controls(Bucket=name, aws_retry=True)["OwnershipControls"]["Rules"]
    return str(rule["ObjectOwnership"])


def _get_encryption(client: t.Any, name: str) -> str:
    answer = client.get_bucket_encryption(Bucket=name, aws_retry=True)
    (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])


def _get_versioning(client: t.Any, name: str) -> bool:
    return bool(client.get_bucket_versioning(Bucket=name, aws_retry=True).get("Status") == "Enabled")


def _get_public_access(client: t.Any, name: str) -> dict[str, bool]:
    block = client.get_public_access_block(Bucket=name, aws_retry=True)["PublicAccessBlockConfiguration"]
    found = camel_dict_to_snake_dict(block)
    return {option: bool(found.get(option)) for option in PUBLIC_ACCESS}


def _get_policy(client: t.Any, name: str) -> dict[str, t.Any]:
    policy: dict[str, t.Any] = json.loads(client.get_bucket_policy(Bucket=name, aws_retry=True)["Policy"])
    return policy


def _get_lifecycle(client: t.Any, name: str) -> tuple[LifecycleRule, ...]:
    rules = client.get_bucket_lifecycle_configuration(Bucket=name, aws_retry=True)["Rules"]
    return tuple(sorted((_rule(rule) for rule in rules), key=lambda rule: rule.id))


def _get_tags(client: t.Any, name: str) -> dict[str, str]:
    tags = client.get_bucket_tagging(Bucket=name, aws_retry=True)["TagSet"]
    return dict(boto3_tag_list_to_ansible_dict(tags))


def _put_ownership(client: t.Any, name: str, value: str) -> None:
    controls = {"Rules": [{"ObjectOwnership": value}]}
    client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls, aws_retry=True)


def _put_encryption(client: t.Any, name: str, value: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": value}}
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]}, aws_retry=True)


def _put_versioning(client: t.Any, name: str, value: bool) -> None:
    status = {"Status": "Enabled" if value else "Suspended"}
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration=status, aws_retry=True)


def _put_public_access(client: t.Any, name: str, value: t.Mapping[str, bool]) -> None:
    block = snake_dict_to_camel_dict(dict(value), capitalize_first=True)
    client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block, aws_retry=True)


def _put_policy(client: t.Any, name: str, value: t.Mapping[str, t.Any]) -> None:
    if value:
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(value, sort_keys=True), aws_retry=True)
    else:
        client.delete_bucket_policy(Bucket=name, aws_retry=True)


def _put_lifecycle(client: t.Any, name: str, value: t.Sequence[LifecycleRule]) -> None:
    if not value:
        client.delete_bucket_lifecycle(Bucket=name, aws_retry=True)
        return
    configuration = {"Rules": [_raw(rule) for rule in value]}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=configuration, aws_retry=True)


def _put_tags(client: t.Any, name: str, value: t.Mapping[str, str]) -> None:
    if value:
        tags = ansible_dict_to_boto3_tag_list(value)
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags}, aws_retry=True)
    else:
        client.delete_bucket_tagging(Bucket=name, aws_retry=True)


_GET: t.Mapping[str, t.Callable[[t.Any, str], t.Any]] = {
    "object_ownership": _get_ownership,
    "encryption": _get_encryption,
    "versioning": _get_versioning,
    "public_access": _get_public_access,
    "policy": _get_policy,
    "lifecycle_rules": _get_lifecycle,
    "tags": _get_tags,
}
_PUT: t.Mapping[str, t.Callable[[t.Any, str, t.Any], None]] = {
    "object_ownership": _put_ownership,
    "encryption": _put_encryption,
    "versioning": _put_versioning,
    "public_access": _put_public_access,
    "policy": _put_policy,
    "lifecycle_rules": _put_lifecycle,
    "tags": _put_tags,
}


def _rule(raw: t.Mapping[str, t.Any]) -> LifecycleRule:
    """A rule as S3 tells it. What it says beyond ours makes it another rule."""
    days = (raw.get("Expiration") or {}).get("Days")
    noncurrent = (raw.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays")
    bare = LifecycleRule(raw.get("ID", ""), days, noncurrent)
    plain = {key: value for key, value in raw.items() if value not in ("", {}, {"Prefix": ""})}
    expected = {key: value for key, value in _raw(bare).items() if key != "Filter"}
    other = "" if plain == expected else json.dumps(plain, default=str, sort_keys=True)
    return LifecycleRule(bare.id, days, noncurrent, other)


def _raw(rule: LifecycleRule) -> dict[str, t.Any]:
    raw: dict[str, t.Any] = {"ID": rule.id, "Filter": {"Prefix": ""}, "Status": "Enabled"}
    if rule.expiration_days is not None:
        raw["Expiration"] = {"Days": rule.expiration_days}
    if rule.noncurrent_days is not None:
        raw["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.noncurrent_days}
    return raw


def _rule_view(rule: LifecycleRule) -> dict[str, t.Any]:
    return {
        "id": rule.id,
        "expiration_days": rule.expiration_days,
        "noncurrent_version_expiration_days": rule.noncurrent_days,
    }
