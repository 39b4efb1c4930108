#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_health_wait
short_description: Judge an Elastic Beanstalk deployment until it has settled, failed or run out of time
version_added: 0.1.0
description:
  - Watches an AWS Elastic Beanstalk environment until a verdict is known, and shows each event as it happens.
  - Success needs all of these. The environment is Ready with the declared version; the request raised no event of
    severity ERROR or FATAL and left no failed configuration; every instance has the version deployed, and by this
    request where it deploys; every container that should run does run on every instance; health is at or above the
    threshold and stays there for O(steady) seconds; an HTTP request of the module's own is answered.
  - Fails as soon as success has become impossible, with the containers to blame and their instances, their exit codes,
    reasons and last log lines, the causes of bad health, the error events, and what is likely to cure it.
  - A task that ends after the deployment was reported complete is started anew by the platform. When the next one ends
    as well, or when none comes for O(patience) seconds, the deployment has failed. Nothing starts a single container of
    a running task again, so the first end of a non-essential container is a failure.
  - Containers are seen through the ECS cluster that the environment's instances joined, log lines through CloudWatch
    Logs. Failed, stale and throttled reads are survived until the deadline; a refused permission is an error at once,
    save that of C(ecs:DescribeTaskDefinition), without which essential and other containers are not told apart.
  - Without O(request_id) the present state is judged; an environment that is healthy already returns at once.
  - Changes nothing. In check mode it looks once, says what it would wait for, and does not fail.
author:
  - Contributors to the antenna.aws collection (@antenna)
options:
  environment_name:
    description:
      - Name of the environment.
    type: str
    required: true
  application_name:
    description:
      - Name of the application that the environment must belong to.
    type: str
    required: true
  version_label:
    description:
      - Label of the version that must be deployed. Without it, any version will do.
    type: str
  request_id:
    description:
      - Id of the request that started the deployment, as M(antenna.aws.eb_environment) returns it.
      - Only this request's events decide, so that an older deployment's failure is never taken for this one's.
    type: str
  since:
    description:
      - Date of the newest event before the deployment, as M(antenna.aws.eb_environment) returns it, in ISO 8601.
      - Without O(request_id), every later event decides.
    type: str
  health_threshold:
    description:
      - The worst health that is good enough.
    type: str
    choices: [Ok, Info, Warning, Degraded, Severe]
    default: Ok
  steady:
    description:
      - For how many seconds everything must hold. Does not apply where O(request_id) is not given and the first look
        finds nothing wanting.
    type: int
    default: 15
  timeout:
    description:
      - Seconds until the verdict must be known. Allow the environment's command timeout plus six minutes.
    type: int
    default: 1200
  poll:
    description:
      - Seconds from look to look. Throttling makes them longer for a while.
    type: float
    default: 5
  patience:
    description:
      - For how many seconds, while nothing else is wanting, O(probe) may be left without an answer or be answered with
        a status of 500 or more, 404, 408, 425 or 429, and a task that ended may be without a successor. Any other wrong
        answer is the application's word, and final when it has stood for O(steady) seconds.
    type: int
    default: 120
  containers:
    description:
      - Names of the containers that must run on each instance. Without it, all containers of the task must run, save
        those whose end others wait for (C(dependsOn) with C(COMPLETE) or C(SUCCESS)); with an empty list, containers
        are not looked at.
    type: list
    elements: str
  probe:
    description:
      - An HTTP request that must be answered, once the environment is Ready. Without it, none is sent.
    type: dict
    suboptions:
      url:
        description:
          - URL to request. The default is made of O(probe.scheme), the environment's endpoint and O(probe.path).
        type: str
      path:
        description:
          - Path to request at the environment's endpoint.
        type: str
        default: /
      host:
        description:
          - Host header to send. The default is the environment's domain name, or the host of O(probe.url).
        type: str
      status:
        description:
          - Status codes that are good. Redirects are not followed.
        type: list
        elements: int
        default: [200]
      headers:
        description:
          - More headers to send. An application that sends HTTP on to HTTPS wants to be asked with
            C(X-Forwarded-Proto), as a CDN asks it.
        type: dict
        default: {}
      scheme:
        description:
          - Scheme of the default URL.
        type: str
        choices: [http, https]
        default: http
      validate_certs:
        description:
          - Whether the server's certificate is verified.
        type: bool
        default: true
      timeout:
        description:
          - Seconds until an unanswered request counts as failed.
        type: float
        default: 10
  log_lines:
    description:
      - How many of the last lines of each log are returned on failure.
    type: int
    default: 30
  progress_path:
    description:
      - File on the host that runs the module, to which one JSON object per line is appended as things happen, with the
        keys C(when), C(severity) and C(text). Ansible's own output shows the same lines.
    type: path
seealso:
  - module: antenna.aws.eb_environment
  - module: antenna.aws.eb_environment_info
extends_documentation_fragment:
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Judge the deployment that was just started
  antenna.aws.eb_health_wait:
    environment_name: antenna-staging
    application_name: antenna
    version_label: antenna-0123456789ab
    request_id: "{{ environment.request_id }}"
    since: "{{ environment.since }}"
    containers: [django, celeryworker, celerybeat, flower]
    probe:
      path: /api/v2/

- name: Require that an environment is healthy now
  antenna.aws.eb_health_wait:
    environment_name: antenna-staging
    application_name: antenna
    health_threshold: Warning
    timeout: 60
"""

RETURN = r"""
verdict:
  description:
    - V(healthy), V(failed), or in check mode also V(waiting).
  returned: always
  type: str
  sample: healthy
reasons:
  description: Why the verdict is what it is.
  returned: always
  type: list
  elements: str
  sample: ["Container django stopped with exit code 1."]
remedies:
  description:
    - On failure, the likely remedies of troubles that are known, the most telling first; empty when none is known.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the trouble.
      type: str
      sample: variable-missing
    remedy:
      description: What is likely to help, with the variable of the collection or the setting of AWS to change.
      type: str
      sample: >-
        Give the containers DJANGO_SECRET_KEY: in clear with eb_bundle_environment, or as a secret with secrets_given.
    where:
      description: Where it was seen, the name of a log, V(events), V(containers), V(causes) or V(probe).
      type: str
      sample: django
    because:
      description: What gave it away.
      type: str
      sample: "django.core.exceptions.ImproperlyConfigured: Set the DJANGO_SECRET_KEY environment variable"
  sample: []
seconds:
  description: How long it took until the verdict was known.
  returned: always
  type: float
  sample: 94.2
evidence:
  description: What was seen at the last look.
  returned: always
  type: dict
  contains:
    status:
      description: Status of the environment.
      type: str
      sample: Ready
    version_label:
      description: Version of the environment.
      type: str
      sample: antenna-0123456789ab
    health:
      description: Health of the environment.
      type: str
      sample: Ok
    causes:
      description: Causes of the health, in the service's words.
      type: list
      elements: str
      sample: []
    events:
      description: Events of the deployment, oldest first; without a deployment the newest of the environment.
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
      sample:
        - instance_id: i-0123456789abcdef0
          health: Ok
          causes: []
          version_label: antenna-0123456789ab
          deployment_id: 7
          deployment_status: Deployed
          deployment_time: "2026-11-23T13:04:40+00:00"
    containers:
      description: Each container of the current tasks.
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
    probe:
      description: Answer to the last HTTP request; null when none was sent.
      type: dict
      sample:
        url: http://203.0.113.7/api/v2/
        host: antenna-staging.eu-central-1.elasticbeanstalk.com
        status: 200
        location: null
        error: null
        body: "{}"
        seconds: 0.021
    logs:
      description:
        - On failure, the last lines by container or engine log; where there are several instances, with the instance
          in parentheses.
      type: dict
      sample: {}
"""

import contextlib
import json
import typing as t
from dataclasses import asdict, replace
from datetime import UTC, datetime

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._eb import report, verdict
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, connect
from ansible_collections.antenna.aws.plugins.module_utils._eb.containers import ContainersApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.logs import LogsApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import HEALTH_ORDER, Environment, ProbeAnswer
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal
from ansible_collections.antenna.aws.plugins.module_utils._eb.probe import Probe, probe
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Success
from ansible_collections.antenna.aws.plugins.module_utils._eb.watch import Ending, Observer, Progress, Watch

PROBE_SPEC = argspec.ArgumentSpec(
    {
        "url": {"type": "str"},
        "path": {"type": "str", "default": "/"},
        "host": {"type": "str"},
        "status": {"type": "list", "elements": "int", "default": [200]},
        "headers": {"type": "dict", "default": {}},
        "scheme": {"type": "str", "choices": ["http", "https"], "default": "http"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 10},
    }
)
SPEC = argspec.ArgumentSpec(
    {
        "environment_name": {"type": "str", "required": True},
        "application_name": {"type": "str", "required": True},
        "version_label": {"type": "str"},
        "request_id": {"type": "str"},
        "since": {"type": "str"},
        "health_threshold": {"type": "str", "choices": list(HEALTH_ORDER), "default": "Ok"},
        "steady": {"type": "int", "default": 15},
        "timeout": {"type": "int", "default": 1200},
        "poll": {"type": "float", "default": 5},
        "patience": {"type": "int", "default": 120},
        "containers": {"type": "list", "elements": "str"},
        "probe": {"type": "dict", "options": dict(PROBE_SPEC.argument_spec)},
        "log_lines": {"type": "int", "default": 30},
        "progress_path": {"type": "path"},
    }
)

_SHORTEST_POLL = 0.2
# The watch itself looks again: no single read may hold it for long.
_READ = {"attempts": 2, "timeout": 10}
_PORTS = {"http": 80, "https": 443}


def goal_from(params: t.Mapping[str, t.Any]) -> Goal:
    """Return what success is, as the parameters say. Raises AntennaError."""
    containers = params["containers"]
    wanted_probe = params["probe"]
    return Goal(
        environment_name=params["environment_name"],
        application_name=params["application_name"],
        version_label=params["version_label"] or None,
        request_id=params["request_id"] or None,
        since=_date(params["since"]),
        threshold=params["health_threshold"],
        steady=float(params["steady"]),
        patience=float(params["patience"]),
        containers=None if containers is None else tuple(containers),
        probe_statuses=None if wanted_probe is None else tuple(wanted_probe["status"]),
        probe_port=None if wanted_probe is None or wanted_probe["url"] else _PORTS[wanted_probe["scheme"]],
    )


def probe_from(params: t.Mapping[str, t.Any] | None) -> t.Callable[[Environment], ProbeAnswer] | None:
    """Return the probe that the parameters ask for, if any. Raises AntennaError."""
    if params is None:
        return None
    wanted = Probe(
        url=params["url"] or None,
        path=params["path"],
        host=params["host"] or None,
        scheme=params["scheme"],
        headers={str(name): str(value) for name, value in params["headers"].items()},
        validate_certs=params["validate_certs"],
        timeout=params["timeout"],
    )
    wanted.check()
    return lambda environment: probe(wanted, environment)


def teller(path: str | None) -> t.Callable[[Progress], None]:
    """Return what writes progress to the file, if one is wanted. Raises AntennaError where that is impossible."""
    if path is None:
        return lambda progress: None

    def tell(progress: Progress) -> None:
        # A disk that is full later is no reason to lose the verdict.
        with contextlib.suppress(OSError):
            write(json.dumps(asdict(progress)) + "\n")

    def write(line: str) -> None:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(line)

    try:
        write("")
    except OSError as error:
        raise AntennaError(f"progress_path: {path!r} cannot be written: {error.strerror}.") from error
    return tell


def work(module: t.Any) -> dict[str, t.Any]:
    """Wait for the verdict and return it. Raises AntennaError with the evidence when the deployment failed."""
    params = module.params
    goal, clock = goal_from(params), SystemClock()
    observer = Observer(
        goal=goal,
        api=BeanstalkApi(connect(module, "elasticbeanstalk", **_READ)),
        containers=ContainersApi(connect(module, "ecs", **_READ)),
        probe=probe_from(params["probe"]),
        clock=clock,
    )
    if module.check_mode:
        return _look_once(observer, goal, params["timeout"])
    tell = teller(params["progress_path"])
    tell(Progress("+0s", "", f"Waiting up to {params['timeout']} s for {_what(goal)}."))
    watch = Watch(
        observer=observer,
        goal=goal,
        clock=clock,
        tell=tell,
        timeout=params["timeout"],
        poll=max(_SHORTEST_POLL, params["poll"]),
    )
    ending = watch.run()
    if isinstance(ending.verdict, Success):
        tell(Progress(f"+{ending.seconds:.0f}s", "", ending.verdict.summary))
        return report.result(ending, goal)
    logs, trouble = report.last_words(
        LogsApi(connect(module, "logs", **_READ), params["log_lines"]), goal, ending, clock
    )
    raise report.failure(ending, goal, logs, trouble, tell)


def _look_once(observer: Observer, goal: Goal, timeout: float) -> dict[str, t.Any]:
    observation = observer.look()
    # One look cannot tell what is steady.
    decided = verdict.judge(observation, replace(goal, steady=0.0))
    answer = report.result(Ending(decided, observation, 0.0), goal)
    return {**answer, "msg": f"Would wait up to {timeout:g} s for {_what(goal)}."}


def _what(goal: Goal) -> str:
    label = f" with version {goal.version_label}" if goal.version_label else ""
    return f"environment {goal.environment_name} to be healthy{label}"


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise AntennaError(f"since: {text!r} is no ISO 8601 date such as 2026-11-23T13:05:00.123+00:00.") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
