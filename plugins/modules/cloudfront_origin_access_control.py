#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_origin_access_control
version_added: 0.1.0
short_description: Manage a CloudFront origin access control
description:
  - Makes, changes and deletes an origin access control, with which CloudFront signs its requests to a private origin.
  - It is found by its name, which is unique in an account.
options:
  name:
    description:
      - The name.
    type: str
    required: true
  description:
    description:
      - A description. Empty for a new one; left alone where not given.
    type: str
  origin_type:
    description:
      - The type of origin. V(s3) for a new one; left alone where not given.
    type: str
    choices: [s3, mediastore, mediapackagev2, lambda]
  signing_behavior:
    description:
      - Which requests are signed. V(always) for a new one; left alone where not given.
    type: str
    choices: [always, never, no-override]
  signing_protocol:
    description:
      - How requests are signed. V(sigv4) for a new one; left alone where not given.
    type: str
    choices: [sigv4]
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
- name: Let CloudFront sign its requests to the UI's bucket
  antenna.aws.cloudfront_origin_access_control:
    name: antenna-ui
    description: UI bucket of Antenna
"""

RETURN = r"""
origin_access_control:
  description: The origin access control; empty when it is absent.
  returned: success
  type: dict
  contains:
    description:
      description: Its description.
      type: str
      sample: UI bucket of Antenna
    etag:
      description: Its present version.
      type: str
      sample: ETVPDKIKX0DER
    id:
      description: Its id. In check mode V((known after apply\)) where it would be made.
      type: str
      sample: E327GJI25M56DG
    name:
      description: Its name.
      type: str
      sample: antenna-ui
    origin_type:
      description: The type of origin.
      type: str
      sample: s3
    signing_behavior:
      description: Which requests are signed.
      type: str
      sample: always
    signing_protocol:
      description: How requests are signed.
      type: str
      sample: sigv4
plan:
  description: What was done, or would be in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: create
      resource: antenna-ui
      reason: there is no origin access control of this name
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.access_control import AccessControlManager
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import AccessControlWanted
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, result, run, sync

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "origin_type": {"type": "str", "choices": ["s3", "mediastore", "mediapackagev2", "lambda"]},
        "signing_behavior": {"type": "str", "choices": ["always", "never", "no-override"]},
        "signing_protocol": {"type": "str", "choices": ["sigv4"]},
    }
).merge(STATE)


def wanted_access_control(params: dict[str, Any]) -> AccessControlWanted:
    """The wanted access control from the module's parameters."""
    options = ("name", "description", "origin_type", "signing_behavior", "signing_protocol")
    return AccessControlWanted(present=params["state"] == "present", **{option: params[option] for option in options})


def work(module: Any) -> dict[str, Any]:
    """Bring the access control to what is wanted."""
    manager = AccessControlManager(client(module, "cloudfront"), wanted_access_control(module.params))
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), "origin_access_control": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
