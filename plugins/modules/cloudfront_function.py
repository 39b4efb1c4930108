#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_function
version_added: 0.1.0
short_description: Manage a CloudFront function up to what viewers get
description:
  - Makes, changes, publishes and deletes a CloudFront function.
  - CloudFront keeps two stages of a function. This module changes the stage C(DEVELOPMENT) and publishes it to the
    stage C(LIVE), which is the one that distributions run. It publishes also when only that was missing, for example
    because an earlier run was interrupted.
options:
  name:
    description:
      - The name, of 1 to 64 letters, digits, hyphens and underscores.
    type: str
    required: true
  code:
    description:
      - The code, at most 10240 bytes. Needed for a new function; left alone where not given.
    type: str
  runtime:
    description:
      - The runtime. V(cloudfront-js-2.0) for a new function; left alone where not given.
    type: str
    choices: [cloudfront-js-1.0, cloudfront-js-2.0]
  comment:
    description:
      - A comment. The name for a new function; left alone where not given.
    type: str
  state:
    description:
      - Whether there shall be one. One that a distribution uses cannot be deleted.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
author:
  - Contributors to the antenna.aws collection (@antenna)
seealso:
  - module: antenna.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Serve the application for paths of its own router
  antenna.aws.cloudfront_function:
    name: antenna-ui-router
    code: |
      function handler(event) {
        var request = event.request;
        if (!request.uri.split('/').pop().includes('.')) {
          request.uri = '/index.html';
        }
        return request;
      }
"""

RETURN = r"""
function:
  description: The function; empty when it is absent.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN, for the function associations of a distribution.
      type: str
      sample: arn:aws:cloudfront::123456789012:function/antenna-ui-router
    code:
      description: Its code in the stage C(DEVELOPMENT).
      type: str
    comment:
      description: Its comment.
      type: str
      sample: antenna-ui-router
    etag:
      description: The version of the stage C(DEVELOPMENT).
      type: str
      sample: ETVPDKIKX0DER
    live_code_sha256:
      description: The SHA-256 of the code that viewers get; empty where nothing was published.
      type: str
    name:
      description: Its name.
      type: str
      sample: antenna-ui-router
    runtime:
      description: Its runtime.
      type: str
      sample: cloudfront-js-2.0
    stage:
      description: V(LIVE) once it was published, else V(DEVELOPMENT).
      type: str
      sample: LIVE
plan:
  description: What was done, or would be in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: publish
      resource: antenna-ui-router
      reason: viewers get other code
"""

import re
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.function import (
    FunctionManager,
    future_function_arn,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import FunctionWanted
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, result, run, sync

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "code": {"type": "str"},
        "runtime": {"type": "str", "choices": ["cloudfront-js-1.0", "cloudfront-js-2.0"]},
        "comment": {"type": "str"},
    }
).merge(STATE)


def wanted_function(params: dict[str, Any]) -> FunctionWanted:
    """The wanted function from the module's parameters."""
    name = params["name"]
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise AntennaError(f"name {name!r} is not 1 to 64 letters, digits, hyphens and underscores.")
    return FunctionWanted(
        name=name,
        code=params["code"].encode("utf-8") if params["code"] is not None else None,
        runtime=params["runtime"],
        comment=params["comment"],
        present=params["state"] == "present",
    )


def work(module: Any) -> dict[str, Any]:
    """Bring the function to what is wanted."""
    wanted = wanted_function(module.params)
    manager = FunctionManager(
        client(module, "cloudfront"), wanted, lambda: future_function_arn(client(module, "sts"), wanted.name)
    )
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "function": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
