#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secretsmanager_secret_info
short_description: Look up a secret of AWS Secrets Manager without its value
version_added: 0.1.0
description:
  - Returns where a secret lies, and never what it holds. The ARN ends with characters that Secrets Manager chose, and
    is what ECS and Elastic Beanstalk want to be given.
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  name:
    description:
      - Name of the secret.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
seealso:
  - module: community.aws.secretsmanager_secret
"""

EXAMPLES = r"""
- name: Look the secret up
  antenna.aws.secretsmanager_secret_info:
    name: antenna/environment
  register: secret
"""

RETURN = r"""
secrets:
  description: The secret; empty when there is none, or when it is to be deleted.
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:secretsmanager:us-west-2:123456789012:secret:antenna/environment-a1b2c3
    name:
      description: Its name.
      type: str
      sample: antenna/environment
    description:
      description: Its description.
      type: str
    tags:
      description: Its tags.
      type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, run

SPEC = ArgumentSpec({"name": {"type": "str", "required": True}})


def work(module: Any) -> dict[str, Any]:
    """Read the secret's description."""
    name = module.params["name"]
    try:
        with attempting(f"look up the secret {name!r}"):
            answer = client(module, "secretsmanager").describe_secret(SecretId=name, aws_retry=True)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return {"changed": False, "secrets": []}
    if answer.get("DeletedDate"):
        return {"changed": False, "secrets": []}
    return {
        "changed": False,
        "secrets": [
            {
                "arn": answer["ARN"],
                "name": answer["Name"],
                "description": answer.get("Description", ""),
                "tags": {tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags", [])},
            }
        ],
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
