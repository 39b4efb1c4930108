#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_environment
short_description: Create, update and terminate Elastic Beanstalk environments
version_added: 0.1.0
description:
  - Brings an AWS Elastic Beanstalk environment to the declared version, options, platform branch and tags.
  - Sends the smallest difference. The version and the options go out in one C(UpdateEnvironment) call, and nothing is
    called when nothing differs.
  - Starts the creation or the update and returns. M(antenna.aws.eb_health_wait) judges how it ends, by the returned
    RV(request_id) and RV(since).
author:
  - Contributors to the antenna.aws collection (@antenna)
options:
  name:
    description:
      - Name of the environment, unique in a region. 4 to 40 letters, digits and hyphens, no hyphen first or last.
    type: str
    required: true
  application_name:
    description:
      - Name of the application that the environment belongs to.
    type: str
    required: true
  state:
    description:
      - With V(present), the environment exists as declared. With V(absent), it is terminated together with its
        resources.
    type: str
    choices: [present, absent]
    default: present
  cname_prefix:
    description:
      - First label of the environment's domain name, unique in a region over all accounts.
      - Used when the environment is created, and left alone afterwards; only a swap changes it.
    type: str
  description:
    description:
      - Description of the environment, at most 200 characters.
    type: str
  platform_branch:
    description:
      - Name of a platform branch, for example V(ECS running on 64bit Amazon Linux 2023). Required to create an
        environment.
      - The version that the service recommends for the branch at that moment is taken. An existing environment keeps
        its version unless it is on another branch, because versions within a branch belong to managed updates.
    type: str
  tier:
    description:
      - Tier of the environment. It cannot change afterwards.
    type: str
    choices: [WebServer, Worker]
    default: WebServer
  version_label:
    description:
      - Label of the application version to run. Required to create an environment.
    type: str
  option_settings:
    description:
      - Options by namespace and name. Only declared options are compared and sent.
      - Booleans are sent as V(true) and V(false), lists joined with commas, dictionaries as JSON. An option with an
        empty (null) value is left alone.
      - Security groups and subnets are compared as sets, without the groups that the service adds itself, and
        C(ConfigDocument) as JSON.
      - Values of environment properties whose names or values look like secrets are hidden in all output.
    type: dict
    default: {}
  options_to_remove:
    description:
      - Options whose value at the environment is to be removed, so that the bundle's value or the default holds again.
    type: list
    elements: dict
    default: []
    suboptions:
      namespace:
        description: Namespace of the option.
        type: str
        required: true
      name:
        description: Name of the option.
        type: str
        required: true
  wait:
    description:
      - Whether to wait until an environment that is busy is Ready before it is changed, and with O(state=absent) until
        it is terminated. Without waiting, a busy environment is an error.
      - The end of the creation or of the update is never awaited here.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: int
    default: 1800
seealso:
  - module: antenna.aws.eb_version
  - module: antenna.aws.eb_health_wait
  - module: antenna.aws.eb_environment_info
extends_documentation_fragment:
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Run a version in a single-instance environment
  antenna.aws.eb_environment:
    name: antenna-staging
    application_name: antenna
    cname_prefix: antenna-staging
    platform_branch: ECS running on 64bit Amazon Linux 2023
    version_label: antenna-0123456789ab
    option_settings:
      aws:elasticbeanstalk:environment:
        EnvironmentType: SingleInstance
      aws:ec2:instances:
        InstanceTypes: [t3.large, t3.small]
      aws:elasticbeanstalk:healthreporting:system:
        SystemType: enhanced
  register: environment

- name: Judge how the deployment ends
  antenna.aws.eb_health_wait:
    environment_name: antenna-staging
    application_name: antenna
    version_label: antenna-0123456789ab
    request_id: "{{ environment.request_id }}"
    since: "{{ environment.since }}"

- name: Take an environment property back
  antenna.aws.eb_environment:
    name: antenna-staging
    application_name: antenna
    options_to_remove:
      - namespace: aws:elasticbeanstalk:application:environment
        name: OLD_FEATURE

- name: Terminate the environment and wait until it is gone
  antenna.aws.eb_environment:
    name: antenna-staging
    application_name: antenna
    state: absent
"""

RETURN = r"""
environment:
  description:
    - The environment, after the call; in check mode as it would be. Empty when there is none.
  returned: always
  type: dict
  sample:
    name: antenna-staging
    environment_id: e-abcdefghij
    application_name: antenna
    arn: arn:aws:elasticbeanstalk:eu-central-1:123456789012:environment/antenna/antenna-staging
    status: Updating
    health: Green
    health_status: Ok
    version_label: antenna-0123456789ab
    platform_arn: "arn:aws:elasticbeanstalk:eu-central-1::platform/ECS running on 64bit Amazon Linux 2023/4.2.0"
    cname: antenna-staging.eu-central-1.elasticbeanstalk.com
    endpoint_url: 203.0.113.7
    description: ""
    tier: WebServer
    date_created: "2026-11-23T13:00:00+00:00"
    date_updated: "2026-11-23T13:05:00+00:00"
    tags: {}
request_id:
  description:
    - Id of the request that creates, updates or terminates the environment; the events of that operation carry it.
    - Null when nothing was called.
  returned: always
  type: str
  sample: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
since:
  description:
    - Date, by the service's clock, of the newest event before the call. Later events belong to what was started.
    - Null when there was no event yet.
  returned: always
  type: str
  sample: "2026-11-23T13:05:00.123000+00:00"
plan:
  description: The steps taken, or in check mode those that would be taken, in order.
  returned: always
  type: list
  elements: dict
  sample:
    - op: update
      resource: antenna-staging
      reason: version antenna-ba9876543210 -> antenna-0123456789ab
"""

import re
import typing as t
from dataclasses import replace

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, connect
from ansible_collections.antenna.aws.plugins.module_utils._eb.environment import EnvironmentManager, describe
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import WantedEnvironment, settings_from_options
from ansible_collections.antenna.aws.plugins.module_utils._eb.planner import is_secret

ENVIRONMENT_SPEC = argspec.ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "application_name": {"type": "str", "required": True},
        "cname_prefix": {"type": "str"},
        "description": {"type": "str"},
        "platform_branch": {"type": "str"},
        "tier": {"type": "str", "choices": ["WebServer", "Worker"], "default": "WebServer"},
        "version_label": {"type": "str"},
        "option_settings": {"type": "dict", "default": {}},
        "options_to_remove": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
    }
)
SPEC = ENVIRONMENT_SPEC.merge(argspec.STATE, argspec.TAGS, argspec.wait(1800))

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]")
_CNAME_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")
_SHORTEST_HIDDEN = 6


def wanted_environment(params: t.Mapping[str, t.Any]) -> WantedEnvironment:
    """Return the environment that the parameters declare. Raises AntennaError when they contradict themselves."""
    if not _NAME.fullmatch(params["name"]):
        raise AntennaError(
            f"name: {params['name']!r} is no name for an environment. Take 4 to 40 letters, digits and hyphens, "
            "with no hyphen first or last."
        )
    if params["cname_prefix"] and not _CNAME_PREFIX.fullmatch(params["cname_prefix"]):
        raise AntennaError(
            f"cname_prefix: {params['cname_prefix']!r} cannot begin a domain name. Take 4 to 63 letters, digits and "
            "hyphens, with no hyphen first or last."
        )
    settings = settings_from_options(params["option_settings"])
    removed = tuple((option["namespace"], option["name"]) for option in params["options_to_remove"])
    twice = sorted({setting.key for setting in settings} & set(removed))
    if twice:
        namespace, name = twice[0]
        raise AntennaError(f"{namespace}:{name} is in option_settings and in options_to_remove. Keep one of them.")
    tags = params["tags"]
    return WantedEnvironment(
        name=params["name"],
        application_name=params["application_name"],
        cname_prefix=params["cname_prefix"] or None,
        description=params["description"],
        platform_branch=params["platform_branch"] or None,
        tier=params["tier"],
        version_label=params["version_label"] or None,
        settings=settings,
        options_to_remove=removed,
        tags=None if tags is None else argspec.texts(tags),
        purge_tags=params["purge_tags"],
    )


def work(module: t.Any) -> dict[str, t.Any]:
    """Bring the environment to what is wanted, and return the result."""
    wanted = wanted_environment(module.params)
    secrets = {setting.value for setting in wanted.settings if is_secret(setting)}
    module.no_log_values.update(value for value in secrets if len(value) >= _SHORTEST_HIDDEN)
    manager = EnvironmentManager(
        wanted=wanted,
        present=module.params["state"] == "present",
        api=BeanstalkApi(connect(module, "elasticbeanstalk")),
        ec2=lambda: connect(module, "ec2"),
        clock=SystemClock(),
        wait=module.params["wait"],
        wait_timeout=module.params["wait_timeout"],
    )
    outcome = sync(manager, module.check_mode)
    if manager.applied is not None:
        outcome = replace(outcome, plan=manager.applied)
    answer = result(manager, outcome)
    # An update is only started here: what it leads to is known from the plan, not from a look that comes too early.
    answer["diff"]["after"] = manager.view(manager.project(outcome.before, outcome.plan))
    return {
        **answer,
        "environment": describe(outcome.after.environment, outcome.after.tags),
        "request_id": manager.request_id,
        "since": manager.since.isoformat() if manager.since else None,
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
