#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_tags
short_description: Tag AWS resources whose modules know no tags
version_added: 0.2.0
description:
  - Sets tags of databases that M(amazon.aws.rds_instance) restores to a moment, for which it cannot hand them over, and
    of ECR repositories and CloudWatch alarms, which M(community.aws.ecs_ecr) and
    M(amazon.aws.cloudwatch_metric_alarm) make without any.
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
      - ARNs of the resources. One that does not exist yet is passed over in check mode, and an error otherwise.
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
seealso:
  - module: antenna.aws.cloudwatch_alarms
  - module: antenna.aws.ecr_repositories
"""

EXAMPLES = r"""
- name: Tag the database that was restored
  antenna.aws.resource_tags:
    arns: [arn:aws:rds:us-west-2:123456789012:db:antenna-postgres-2]
    tags:
      Environment: antenna
"""

RETURN = r"""
resources:
  description: The tags of each resource, by ARN.
  returned: success
  type: dict
  sample:
    arn:aws:ecr:us-west-2:123456789012:repository/antenna-backend:
      Environment: antenna
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: tag
      resource: arn:aws:ecr:us-west-2:123456789012:repository/antenna-backend
      reason: Environment is lacking
"""

import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._deployment.find import Client, clients, tags_of

SPEC = ArgumentSpec(
    {
        "arns": {"type": "list", "elements": "str", "required": True},
        "tags": {"type": "dict", "required": True},
    }
)

Tags = dict[str, str]
Observed: t.TypeAlias = "dict[str, Tags | None]"


@dataclass(frozen=True)
class Dialect:
    """How a service spells its tagging."""

    arn: str
    answer: str
    tags: str
    key: str
    value: str
    operation: str = "tag_resource"


DIALECTS: t.Mapping[str, Dialect] = {
    "cloudwatch": Dialect("ResourceARN", "Tags", "Tags", "Key", "Value"),
    "ecr": Dialect("resourceArn", "tags", "tags", "Key", "Value"),
    "rds": Dialect("ResourceName", "TagList", "Tags", "Key", "Value", "add_tags_to_resource"),
}
_ABSENT = ("RepositoryNotFoundException", "ResourceNotFoundException", "ResourceNotFound")


@dataclass(frozen=True)
class TagsManager:
    """Sets tags of several resources. An absent resource has no tags, which is None."""

    client: Client
    arns: t.Sequence[str]
    tags: Tags
    check_mode: bool

    def read(self) -> Observed:
        """Return the tags of each resource."""
        return {arn: self._tags(arn) for arn in self.arns}

    def plan(self, observed: Observed) -> Plan:
        """Return a step for each resource that lacks a tag, or has it with another value."""
        return Plan(
            tuple(
                Step("tag", arn, f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} lacking or different")
                for arn in self.arns
                for lacking in (sorted(key for key in self.tags if (observed[arn] or {}).get(key) != self.tags[key]),)
                if lacking
            )
        )

    def apply(self, plan: Plan, observed: Observed) -> None:
        """Set the tags."""
        for step in plan.steps:
            dialect = _dialect(step.resource)
            items = [{dialect.key: key, dialect.value: value} for key, value in sorted(self.tags.items())]
            with attempting(f"tag {step.resource}"):
                getattr(self._service(step.resource), dialect.operation)(
                    **{dialect.arn: step.resource, dialect.tags: items}
                )

    def project(self, observed: Observed, plan: Plan) -> Observed:
        """Return the tags as they will be."""
        return {arn: {**(tags or {}), **self.tags} for arn, tags in observed.items()}

    def view(self, observed: Observed) -> dict[str, t.Any]:
        """Return the tags of each resource."""
        return {arn: dict(tags or {}) for arn, tags in observed.items()}

    def _service(self, arn: str) -> t.Any:
        return self.client(_service_of(arn))

    def _tags(self, arn: str) -> Tags | None:
        dialect = _dialect(arn)
        try:
            with attempting(f"read the tags of {arn}"):
                answer = self._service(arn).list_tags_for_resource(**{dialect.arn: arn})
        except AwsError as error:
            if error.code in _ABSENT and self.check_mode:
                return None
            raise
        return tags_of(answer[dialect.answer])


def _service_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 else ""


def _dialect(arn: str) -> Dialect:
    service = _service_of(arn)
    if service not in DIALECTS:
        raise AntennaError(f"{arn} is of no service whose tags are set here: {', '.join(sorted(DIALECTS))}.")
    return DIALECTS[service]


def work(module: t.Any) -> dict[str, t.Any]:
    """Set the tags and return the module's result."""
    tags = {str(key): str(value) for key, value in module.params["tags"].items()}
    manager = TagsManager(clients(module), module.params["arns"], tags, module.check_mode)
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "resources": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
