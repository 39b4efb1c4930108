#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repositories
short_description: Make repositories of ECR, with their tags and scans
version_added: 0.2.0
description:
  - Creates repositories, and keeps their tags and whether ECR scans what is pushed, all that are named at once. What is
    not declared is left alone.
  - Unlike M(community.aws.ecs_ecr) it makes repositories with their tags, so that a run that is interrupted leaves none
    behind of which nobody knows whose it is.
  - They are encrypted with AES256, which is what ECR does when nothing else is asked.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  names:
    description:
      - Names of the repositories.
    type: list
    elements: str
    required: true
  tags:
    description:
      - Tags that each repository has; other tags stay.
    type: dict
    default: {}
  scan_on_push:
    description:
      - Whether ECR looks for known vulnerabilities in each image that is pushed.
    type: bool
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
seealso:
  - module: antenna.aws.ecr_image_info
"""

EXAMPLES = r"""
- name: Make the repositories of two images
  antenna.aws.ecr_repositories:
    names: [antenna-backend, antenna-awscli]
    tags:
      Environment: antenna
"""

RETURN = r"""
repositories:
  description: The repositories, by name. In check mode one that is still to be made has an empty ARN and URI.
  returned: success
  type: dict
  sample:
    antenna-backend:
      arn: arn:aws:ecr:us-west-2:123456789012:repository/antenna-backend
      uri: 123456789012.dkr.ecr.us-west-2.amazonaws.com/antenna-backend
      scan_on_push: true
      tags:
        Environment: antenna
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - op: create
      resource: antenna-backend
      reason: there is no repository of this name
"""

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

SPEC = ArgumentSpec(
    {
        "names": {"type": "list", "elements": "str", "required": True},
        "tags": {"type": "dict", "default": {}},
        "scan_on_push": {"type": "bool"},
    }
)


@dataclass(frozen=True)
class Repository:
    """A repository as it is; one that is still to be made has neither ARN nor URI."""

    tags: t.Mapping[str, str] = field(default_factory=dict)
    arn: str = ""
    uri: str = ""
    scan_on_push: bool = False


Repositories = t.Mapping[str, Repository]


@dataclass(frozen=True)
class RepositoriesManager:
    """Keeps repositories with their tags and scans. ``client`` is a boto3 client of ecr; ``None`` leaves alone."""

    client: t.Any
    names: tuple[str, ...]
    tags: t.Mapping[str, str]
    scan_on_push: bool | None = None

    def read(self) -> Repositories:
        """Return those of the repositories that exist, by name."""
        found = {name: self._repository(name) for name in self.names}
        return {name: repository for name, repository in found.items() if repository is not None}

    def plan(self, observed: Repositories) -> Plan:
        """Return the steps for each repository that is not there, lacks a tag, or is scanned otherwise."""
        return Plan(tuple(step for name in self.names for step in self._steps(name, observed.get(name))))

    def apply(self, plan: Plan, observed: Repositories) -> None:
        """Carry out the steps."""
        tags = ansible_dict_to_boto3_tag_list(self.tags)
        scan = {} if self.scan_on_push is None else {"imageScanningConfiguration": {"scanOnPush": self.scan_on_push}}
        for step in plan:
            with attempting(f"{step.op} the repository {step.resource}"):
                if step.op == "create":
                    self.client.create_repository(repositoryName=step.resource, tags=tags, **scan, aws_retry=True)
                elif step.op == "scan":
                    self.client.put_image_scanning_configuration(repositoryName=step.resource, **scan, aws_retry=True)
                else:
                    self.client.tag_resource(resourceArn=observed[step.resource].arn, tags=tags, aws_retry=True)

    def project(self, observed: Repositories, plan: Plan) -> Repositories:
        """Return the repositories as they will be."""
        before = {name: observed.get(name, Repository()) for name in self.names}
        return {
            name: replace(
                item,
                tags={**item.tags, **self.tags},
                scan_on_push=item.scan_on_push if self.scan_on_push is None else self.scan_on_push,
            )
            for name, item in before.items()
        }

    def view(self, observed: Repositories) -> dict[str, t.Any]:
        """Return the repositories in plain values."""
        return {
            name: {"arn": item.arn, "uri": item.uri, "scan_on_push": item.scan_on_push, "tags": dict(item.tags)}
            for name, item in observed.items()
        }

    def _repository(self, name: str) -> Repository | None:
        try:
            with attempting(f"read the repository {name}"):
                answer = self.client.describe_repositories(repositoryNames=[name], aws_retry=True)
                (raw,) = answer["repositories"]
                arn = raw["repositoryArn"]
                tags = self.client.list_tags_for_resource(resourceArn=arn, aws_retry=True)["tags"]
        except AwsError as error:
            if error.code == "RepositoryNotFoundException":
                return None
            raise
        scanned = bool(raw.get("imageScanningConfiguration", {}).get("scanOnPush"))
        return Repository(boto3_tag_list_to_ansible_dict(tags), arn, raw["repositoryUri"], scanned)

    def _steps(self, name: str, found: Repository | None) -> t.Iterator[Step]:
        if found is None:
            yield Step("create", name, "there is no repository of this name")
            return
        lacking = sorted(compare_aws_tags(found.tags, self.tags, purge_tags=False)[0])
        if lacking:
            yield Step("tag", name, f"its tags differ: {', '.join(lacking)}")
        if self.scan_on_push not in (None, found.scan_on_push):
            yield Step("scan", name, f"scan_on_push is {found.scan_on_push}, wanted is {self.scan_on_push}")


def work(module: t.Any) -> dict[str, t.Any]:
    """Have the repositories and return the module's result."""
    tags = texts(module.params["tags"])
    scan = module.params["scan_on_push"]
    manager = RepositoriesManager(client(module, "ecr"), tuple(module.params["names"]), tags, scan)
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "repositories": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
