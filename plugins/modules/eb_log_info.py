#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_log_info
short_description: Find lines in the log of a container of an Elastic Beanstalk environment
version_added: 0.1.0
description:
  - Searches what a container of an environment wrote, in the log groups that the environment streams to CloudWatch
    Logs.
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  environment_name:
    description:
      - Name of the environment.
    type: str
    required: true
  container:
    description:
      - Name of the container.
    type: str
    required: true
  containers:
    description:
      - Names of all containers of the environment, so that one whose name is part of another's is told from it.
    type: list
    elements: str
    default: []
  text:
    description:
      - What a line must contain.
    type: str
    required: true
  since:
    description:
      - Only lines written from this moment on, ISO 8601 with the offset from UTC.
      - Without it, all that the log groups still keep.
    type: str
    version_added: 0.2.0
  limit:
    description:
      - How many lines to return, the newest ones.
    type: int
    default: 10
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
"""

EXAMPLES = r"""
- name: See whether the worker reached Redis
  antenna.aws.eb_log_info:
    environment_name: antenna
    container: celeryworker
    text: Connected to rediss://
    since: "2026-11-23T13:00:00+00:00"
  register: connected
"""

RETURN = r"""
lines:
  description: The lines, oldest first; empty when there are none, or no log at all.
  returned: success
  type: list
  elements: dict
  contains:
    log_group:
      description: Log group.
      type: str
    log_stream:
      description: Log stream.
      type: str
    message:
      description: The line.
      type: str
    timestamp:
      description: When it was written, in milliseconds since 1970.
      type: int
searched:
  description: The log groups that were searched.
  returned: success
  type: list
  elements: str
"""

from datetime import datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import connect, pages
from ansible_collections.antenna.aws.plugins.module_utils._eb.logs import log_owner

SPEC = ArgumentSpec(
    {
        "environment_name": {"type": "str", "required": True},
        "container": {"type": "str", "required": True},
        "containers": {"type": "list", "elements": "str", "default": []},
        "text": {"type": "str", "required": True},
        "since": {"type": "str"},
        "limit": {"type": "int", "default": 10},
    }
)


def work(module: Any) -> dict[str, Any]:
    """Search the log groups of the environment."""
    params = module.params
    since = {"startTime": _milliseconds(params["since"])} if params["since"] else {}
    logs = connect(module, "logs")
    prefix = f"/aws/elasticbeanstalk/{params['environment_name']}/"
    raw = pages(
        f"read the log groups below {prefix}",
        logs.describe_log_groups,
        "logGroups",
        next_key="nextToken",
        logGroupNamePrefix=prefix,
    )
    groups = sorted(group["logGroupName"] for group in raw if group["logGroupName"].startswith(prefix))
    names = [*params["containers"], params["container"]]
    lines = [
        line
        for group in groups
        for line in _lines(logs, group, params["text"], **since)
        if log_owner(group, line["log_stream"], names, len(prefix)) == params["container"]
    ]
    newest = sorted(lines, key=lambda line: line["timestamp"])[-params["limit"] :]
    return {"changed": False, "lines": newest, "searched": groups}


def _milliseconds(moment: str) -> int:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise AntennaError(f"since is {moment!r}: give ISO 8601 with an offset, such as 2026-11-23T13:00:00+00:00.")
    return int(parsed.timestamp() * 1000)


def _lines(logs: Any, group: str, text: str, **since: int) -> list[dict[str, Any]]:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    events = pages(
        f"search the log group {group!r}",
        logs.filter_log_events,
        "events",
        next_key="nextToken",
        logGroupName=group,
        filterPattern=f'"{quoted}"',
        **since,
    )
    return [
        {
            "log_group": group,
            "log_stream": event.get("logStreamName", ""),
            "message": str(event.get("message", "")).rstrip(),
            "timestamp": event.get("timestamp", 0),
        }
        for event in events
        # Said again here: not every implementation filters.
        if text in str(event.get("message", ""))
    ]


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
