#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_restart
version_added: 0.1.0
short_description: Restart what runs in an Elastic Beanstalk environment
description:
  - Starts the containers on every instance of an environment anew, with the version that they have. They read their
    secrets when they start, so this is how a secret that was rotated reaches them.
  - Restarts each time that it runs. M(antenna.aws.eb_health_wait) judges how it ends, by the returned RV(request_id)
    and RV(since).
author:
  - Contributors to the antenna.aws collection (@antenna)
options:
  name:
    description:
      - Name of the environment.
    type: str
    required: true
  application_name:
    description:
      - Name of the application that the environment belongs to.
    type: str
    required: true
  wait:
    description:
      - Whether to wait until an environment that is busy accepts the restart, and until it is Ready again.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for each, in seconds.
    type: int
    default: 1800
attributes:
  check_mode:
    support: full
    description:
      - Says in check mode that it would restart.
  diff_mode:
    support: none
    description:
      - A restart leaves everything as it is.
  idempotent:
    support: none
    description:
      - Each run restarts.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.aws
"""

EXAMPLES = r"""
- name: Let the containers read the secrets anew
  antenna.aws.eb_restart:
    name: antenna-production
    application_name: antenna
"""

RETURN = r"""
request_id:
  description: Id of the request, by which its events are found.
  returned: success
  type: str
since:
  description: Date of the newest event before it, by the clock of the service.
  returned: success
  type: str
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    op:
      description: What is done.
      type: str
      sample: restart
    resource:
      description: What it is done to.
      type: str
    reason:
      description: Why it is done.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run, sync
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, connect
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import WantedEnvironment
from ansible_collections.antenna.aws.plugins.module_utils._eb.restart import RestartManager

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "application_name": {"type": "str", "required": True},
    }
).merge(argspec.wait(1800))


def work(module: t.Any) -> dict[str, t.Any]:
    """Restart, and return the result."""
    manager = RestartManager(
        wanted=WantedEnvironment(name=module.params["name"], application_name=module.params["application_name"]),
        present=True,
        api=BeanstalkApi(connect(module, "elasticbeanstalk")),
        ec2=lambda: None,
        clock=SystemClock(),
        wait=module.params["wait"],
        wait_timeout=module.params["wait_timeout"],
    )
    outcome = sync(manager, module.check_mode)
    return {
        "changed": bool(outcome.plan),
        "plan": outcome.plan.result(),
        "request_id": manager.request_id,
        "since": manager.since.isoformat() if manager.since else None,
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
