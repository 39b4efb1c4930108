#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket
short_description: Manage a bucket of S3 with its settings
version_added: 0.2.0
description:
  - Creates a bucket, and keeps its settings as declared. What is not declared is left alone.
  - Unlike M(amazon.aws.s3_bucket) it says in check mode what it would do.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - amazon.aws.tags
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  name:
    description:
      - Name of the bucket.
    type: str
    required: true
  object_ownership:
    description:
      - Who owns what others put into the bucket. V(BucketOwnerEnforced) allows no ACLs.
    type: str
    choices: [BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter]
  encryption:
    description:
      - How objects are encrypted that are put without a word about it.
    type: str
    choices: [AES256]
  versioning:
    description:
      - Whether what is replaced or deleted stays as an older version.
    type: bool
  public_access:
    description:
      - The public access block.
    type: dict
    suboptions:
      block_public_acls:
        description:
          - Whether public ACLs are refused.
        type: bool
        default: true
      ignore_public_acls:
        description:
          - Whether public ACLs have no effect.
        type: bool
        default: true
      block_public_policy:
        description:
          - Whether a public policy is refused.
        type: bool
        default: true
      restrict_public_buckets:
        description:
          - Whether a public policy has no effect for other accounts.
        type: bool
        default: true
  policy:
    description:
      - The bucket's policy; an empty one removes it.
    type: dict
  lifecycle_rules:
    description:
      - All rules of the bucket's lifecycle; an empty list removes them.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of the rule.
        type: str
        required: true
      expiration_days:
        description:
          - After how many days objects are deleted.
        type: int
      noncurrent_version_expiration_days:
        description:
          - After how many days older versions are deleted.
        type: int
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
"""

EXAMPLES = r"""
- name: Make a bucket that keeps its older versions for three months
  antenna.aws.s3_bucket:
    name: antenna-ui-123456789012
    object_ownership: BucketOwnerEnforced
    encryption: AES256
    versioning: true
    public_access: {}
    lifecycle_rules:
      - id: old-versions
        noncurrent_version_expiration_days: 90
    tags:
      Environment: antenna
"""

RETURN = r"""
bucket:
  description: The bucket's name, and the settings that were declared.
  returned: success
  type: dict
  sample:
    name: antenna-ui-123456789012
    versioning: true
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: set
      resource: antenna-ui-123456789012
      reason: its versioning differs
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import TAGS, ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.api import BucketManager
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.model import (
    PUBLIC_ACCESS,
    LifecycleRule,
    Settings,
    Wanted,
)

RULE = {
    "id": {"type": "str", "required": True},
    "expiration_days": {"type": "int"},
    "noncurrent_version_expiration_days": {"type": "int"},
}
BLOCK = {option: {"type": "bool", "default": True} for option in PUBLIC_ACCESS}
SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "object_ownership": {"type": "str", "choices": ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]},
        "encryption": {"type": "str", "choices": ["AES256"]},
        "versioning": {"type": "bool"},
        "public_access": {"type": "dict", "options": BLOCK},
        "policy": {"type": "dict"},
        "lifecycle_rules": {"type": "list", "elements": "dict", "options": RULE},
    }
).merge(TAGS)


def wanted_from(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return the bucket that the parameters declare."""
    rules, tags = params["lifecycle_rules"], params["tags"]
    settings = Settings(
        object_ownership=params["object_ownership"],
        encryption=params["encryption"],
        versioning=params["versioning"],
        public_access=params["public_access"],
        policy=params["policy"],
        lifecycle_rules=None if rules is None else tuple(sorted(map(rule_from, rules), key=lambda rule: rule.id)),
        tags=None if tags is None else texts(tags),
    )
    return Wanted(params["name"], settings, params["purge_tags"])


def rule_from(given: t.Mapping[str, t.Any]) -> LifecycleRule:
    """Return one rule of the parameters."""
    return LifecycleRule(given["id"], given["expiration_days"], given["noncurrent_version_expiration_days"])


def work(module: t.Any) -> dict[str, t.Any]:
    """Bring the bucket to what is declared and return the module's result."""
    manager = BucketManager(client(module, "s3"), wanted_from(module.params))
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "bucket": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
