#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_environment_info
short_description: Look at Elastic Beanstalk environments with their health, instances, containers and events
version_added: 0.1.0
description:
  - Returns what AWS Elastic Beanstalk, and ECS for the containers, say about environments at this moment.
  - Terminated environments are left out. Where there is nothing, the list is empty and it is no error.
author:
  - Contributors to the antenna.aws collection (@antenna)
options:
  name:
    description:
      - Name of the one environment to look at. Without it, all environments are returned.
    type: str
  application_name:
    description:
      - Name of the application whose environments are looked at. Without it, those of all applications.
    type: str
  events:
    description:
      - How many of the newest events of each environment are returned.
    type: int
    default: 20
  containers:
    description:
      - Whether the containers are looked up. It takes the right to read ECS clusters and tasks.
    type: bool
    default: true
seealso:
  - module: antenna.aws.eb_environment
  - module: antenna.aws.eb_health_wait
extends_documentation_fragment:
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Look at one environment
  antenna.aws.eb_environment_info:
    application_name: antenna
    name: antenna-staging
  register: snapshot

- name: Show its health and the causes
  ansible.builtin.debug:
    msg: "{{ snapshot.environments[0].health_status }}: {{ snapshot.environments[0].causes | join(', ') }}"
"""

RETURN = r"""
environments:
  description: The environments that are there, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the environment.
      type: str
      sample: antenna-staging
    environment_id:
      description: Id of the environment.
      type: str
      sample: e-abcdefghij
    application_name:
      description: Application that it belongs to.
      type: str
      sample: antenna
    arn:
      description: ARN of the environment.
      type: str
      sample: arn:aws:elasticbeanstalk:eu-central-1:123456789012:environment/antenna/antenna-staging
    status:
      description: Status, such as V(Ready) or V(Updating).
      type: str
      sample: Ready
    health:
      description: Colour of the health.
      type: str
      sample: Green
    health_status:
      description: Enhanced health, empty where the environment has basic health only.
      type: str
      sample: Ok
    causes:
      description: Causes of the health, in the service's words.
      type: list
      elements: str
      sample: []
    version_label:
      description: Version of the environment.
      type: str
      sample: antenna-0123456789ab
    platform_arn:
      description: ARN of the platform version.
      type: str
      sample: "arn:aws:elasticbeanstalk:eu-central-1::platform/ECS running on 64bit Amazon Linux 2023/4.2.0"
    cname:
      description: Domain name of the environment.
      type: str
      sample: antenna-staging.eu-central-1.elasticbeanstalk.com
    endpoint_url:
      description: Address of the single instance, or domain name of the load balancer.
      type: str
      sample: 203.0.113.7
    description:
      description: Description of the environment.
      type: str
      sample: ""
    tier:
      description: Tier of the environment.
      type: str
      sample: WebServer
    tags:
      description: Tags of the environment without those that the service sets.
      type: dict
      sample: {}
    date_created:
      description: When it was created.
      type: str
      sample: "2026-11-23T13:00:00+00:00"
    date_updated:
      description: When it was last changed.
      type: str
      sample: "2026-11-23T13:05:00+00:00"
    events:
      description: The newest events, oldest first.
      type: list
      elements: dict
      sample:
        - date: "2026-11-23T13:05:00.123000+00:00"
          severity: INFO
          message: Environment update completed successfully.
          request_id: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
    instances:
      description: Each instance with its health and deployment.
      type: list
      elements: dict
      sample: []
    containers:
      description: Each container of the current task of each instance, and when that task was made.
      type: list
      elements: dict
      sample:
        - name: django
          instance_id: i-0123456789abcdef0
          image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/antenna-backend
          status: RUNNING
          health: null
          exit_code: null
          reason: null
          essential: true
          task_arn: arn:aws:ecs:eu-central-1:123456789012:task/awseb-antenna-abcdefghij/0123456789abcdef
          task_created_at: "2026-11-23T13:04:00+00:00"
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, connect
from ansible_collections.antenna.aws.plugins.module_utils._eb.containers import ContainersApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.environment import describe
from ansible_collections.antenna.aws.plugins.module_utils._eb.evidence import (
    containers_result,
    event_result,
    instance_result,
)
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Environment

SPEC = argspec.ArgumentSpec(
    {
        "name": {"type": "str"},
        "application_name": {"type": "str"},
        "events": {"type": "int", "default": 20},
        "containers": {"type": "bool", "default": True},
    }
)


def snapshot(
    environment: Environment, api: BeanstalkApi, containers: ContainersApi | None, events: int
) -> dict[str, t.Any]:
    """Return one environment with all that is seen of it."""
    health = api.health(environment)
    instances = api.instances(environment)
    return {
        **describe(environment, api.tags(environment)),
        "causes": list(health.causes) if health else [],
        "events": [event_result(event) for event in api.events(environment, newest=events)] if events > 0 else [],
        "instances": [instance_result(instance) for instance in instances or ()],
        "containers": _containers(environment, api, containers),
    }


def _containers(
    environment: Environment, api: BeanstalkApi, containers: ContainersApi | None
) -> list[dict[str, t.Any]]:
    if containers is None:
        return []
    ids = api.instance_ids(environment)
    tasks = containers.tasks(environment.name, ids) if ids else None
    return containers_result(tasks or ())


def work(module: t.Any) -> dict[str, t.Any]:
    """Read the environments and return them."""
    params = module.params
    api = BeanstalkApi(connect(module, "elasticbeanstalk"))
    containers = ContainersApi(connect(module, "ecs")) if params["containers"] else None
    found = api.environments(params["application_name"] or None, params["name"] or None)
    return {
        "changed": False,
        "environments": [snapshot(environment, api, containers, params["events"]) for environment in found],
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
