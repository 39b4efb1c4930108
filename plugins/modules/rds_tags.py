#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_tags
short_description: Tag databases of RDS
version_added: 0.2.0
description:
  - Sets tags of databases that M(amazon.aws.rds_instance) restores to a moment, for which it cannot hand them over, nor
    set them while the database has no endpoint.
  - Other tags stay.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  arns:
    description:
      - ARNs of the databases.
    type: list
    elements: str
    required: true
  tags:
    description:
      - The tags that each of them has.
    type: dict
    required: true
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
"""

EXAMPLES = r"""
- name: Tag the database that was restored
  antenna.aws.rds_tags:
    arns: [arn:aws:rds:us-west-2:123456789012:db:antenna-postgres-2]
    tags:
      Environment: antenna
"""

RETURN = r"""
databases:
  description: The tags of each database, by ARN.
  returned: success
  type: dict
  sample:
    arn:aws:rds:us-west-2:123456789012:db:antenna-postgres-2:
      Environment: antenna
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: tag
      resource: arn:aws:rds:us-west-2:123456789012:db:antenna-postgres-2
      reason: Environment is lacking
"""

import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

SPEC = ArgumentSpec(
    {
        "arns": {"type": "list", "elements": "str", "required": True},
        "tags": {"type": "dict", "required": True},
    }
)

Tags = dict[str, str]
Observed = t.Mapping[str, Tags]


@dataclass(frozen=True)
class TagsManager:
    """Sets tags of several databases. ``client`` is a boto3 client of rds."""

    client: t.Any
    arns: tuple[str, ...]
    tags: Tags

    def read(self) -> Observed:
        """Return the tags of each database."""
        return {arn: self._tags(arn) for arn in self.arns}

    def plan(self, observed: Observed) -> Plan:
        """Return a step for each database that lacks a tag, or has it with another value."""
        lacking = {arn: sorted(compare_aws_tags(observed[arn], self.tags, purge_tags=False)[0]) for arn in self.arns}
        return Plan(
            tuple(Step("tag", arn, f"its tags differ: {', '.join(keys)}") for arn, keys in lacking.items() if keys)
        )

    def apply(self, plan: Plan, observed: Observed) -> None:
        """Set the tags."""
        tags = ansible_dict_to_boto3_tag_list(self.tags)
        for step in plan:
            with attempting(f"tag {step.resource}"):
                self.client.add_tags_to_resource(ResourceName=step.resource, Tags=tags, aws_retry=True)

    def project(self, observed: Observed, plan: Plan) -> Observed:
        """Return the tags as they will be."""
        return {arn: {**tags, **self.tags} for arn, tags in observed.items()}

    def view(self, observed: Observed) -> dict[str, t.Any]:
        """Return the tags of each database."""
        return {arn: dict(tags) for arn, tags in observed.items()}

    def _tags(self, arn: str) -> Tags:
        with attempting(f"read the tags of {arn}"):
            answer = self.client.list_tags_for_resource(ResourceName=arn, aws_retry=True)
        tags: Tags = boto3_tag_list_to_ansible_dict(answer["TagList"])
        return tags


def work(module: t.Any) -> dict[str, t.Any]:
    """Set the tags and return the module's result."""
    manager = TagsManager(client(module, "rds"), tuple(module.params["arns"]), texts(module.params["tags"]))
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "databases": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
