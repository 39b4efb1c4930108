#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_invalidate
version_added: 0.1.0
short_description: Invalidate paths of a CloudFront distribution once per content
description:
  - Tells CloudFront to forget what it has cached for some paths, once for each content that was put behind them.
  - An invalidation carries a caller reference, which this module derives from O(content) and O(paths).
    A second run with the same content finds the invalidation of the first and makes none.
options:
  distribution_id:
    description:
      - The id of the distribution.
    type: str
    required: true
  paths:
    description:
      - The paths to invalidate, URL-encoded and starting with C(/). A C(*) may stand at the end.
      - With an empty list nothing is called and nothing changes.
      - At most 3000 paths, 15 of them with a C(*). A path may have 4000 characters.
    type: list
    elements: str
    required: true
  content:
    description:
      - What identifies the content that is behind the paths now, for example the V(release) that
        M(antenna.aws.s3_site) returns.
      - Exactly one of O(content) and O(caller_reference) must be given.
    type: str
  caller_reference:
    description:
      - The caller reference itself. CloudFront refuses one that was used with other paths.
    type: str
  lookback:
    description:
      - How many of the newest invalidations of the distribution are read in search of the reference.
      - CloudFront lists invalidations by id alone, so each costs a call. A reference that is older than that is
        still not invalidated twice, because CloudFront itself recognizes it; only check mode cannot know it.
    type: int
    default: 20
  wait:
    description:
      - Whether to wait until the invalidation is complete.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most for completion, and before that for room when too many invalidations are
        in progress.
    type: int
    default: 900
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
author:
  - Contributors to the antenna.aws collection (@antenna)
seealso:
  - module: antenna.aws.s3_site
"""

EXAMPLES = r"""
- name: Upload the site
  antenna.aws.s3_site:
    bucket: antenna-ui
    source: build
  register: site

- name: Let the CDN serve it
  antenna.aws.cloudfront_invalidate:
    distribution_id: E2ABCDEFGHIJKL
    paths: "{{ site.unhashed_paths }}"
    content: "{{ site.release }}"

- name: Invalidate everything for a given release, without waiting
  antenna.aws.cloudfront_invalidate:
    distribution_id: E2ABCDEFGHIJKL
    paths:
      - /*
    content: "2025.1"
    wait: false
"""

RETURN = r"""
invalidation:
  description: The invalidation for this content; empty when O(paths) is empty.
  returned: success
  type: dict
  contains:
    caller_reference:
      description: What makes it unique.
      type: str
      sample: antenna.aws-8c1f6f0c8d6d9c0d6f0a4d5e1e2f3a4b5c6d7e8f
    id:
      description: Its id. In check mode V((known after apply\)) where it would be made.
      type: str
      sample: I2J0I21PCUYOIK
    paths:
      description: The paths that it invalidates.
      type: list
      elements: str
      sample: ["/", "/index.html"]
    status:
      description: V(InProgress) or V(Completed).
      type: str
      sample: Completed
plan:
  description: What was done, or would be in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: create
      resource: /, /index.html
      reason: no known invalidation of E2ABCDEFGHIJKL has the reference antenna.aws-8c1f6f0c
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.invalidation import InvalidationManager
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    InvalidationWanted,
    invalidation_reference,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import demand_paths
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec, wait
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.module import Outcome, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan

SPEC = ArgumentSpec(
    argument_spec={
        "distribution_id": {"type": "str", "required": True},
        "paths": {"type": "list", "elements": "str", "required": True},
        "content": {"type": "str"},
        "caller_reference": {"type": "str"},
        "lookback": {"type": "int", "default": 20},
    },
    mutually_exclusive=(("content", "caller_reference"),),
    required_one_of=(("content", "caller_reference"),),
).merge(wait(900))


def wanted_invalidation(params: dict[str, Any]) -> InvalidationWanted:
    """The wanted invalidation from the module's parameters."""
    paths = demand_paths(params["paths"])
    reference = params["caller_reference"] or invalidation_reference(params["content"], paths)
    return InvalidationWanted(params["distribution_id"], paths, reference)


def work(module: Any) -> dict[str, Any]:
    """Invalidate once, and wait where that was asked for."""
    params = module.params
    manager = InvalidationManager(
        client(module, "cloudfront"),
        wanted_invalidation(params),
        SystemClock(),
        params["wait_timeout"],
        params["lookback"],
    )
    outcome = sync(manager, module.check_mode)
    if manager.repeated:
        outcome = Outcome(outcome.after, outcome.after, Plan())
    if params["wait"] and not module.check_mode and outcome.after is not None:
        outcome = Outcome(outcome.before, manager.completed(outcome.after), outcome.plan)
    return {**result(manager, outcome), "invalidation": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
