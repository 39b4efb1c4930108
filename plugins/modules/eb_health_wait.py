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
    severity ERROR or FATAL and left no failed configuration; every instance has the version deployed; every container
    that should run does run; health is at or above the threshold and stays there for O(steady) seconds; an HTTP request
    of the module's own is answered.
  - Fails as soon as success has become impossible, with the containers to blame, their exit codes, reasons and last log
    lines, the causes of bad health, and the error events.
  - Containers are seen through the ECS cluster that the environment's instances joined, log lines through CloudWatch
    Logs. Failed reads and throttling are survived until the deadline; a refused permission is an error at once.
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
      - Seconds between looks. Throttling makes them longer for a while.
    type: float
    default: 5
  containers:
    description:
      - Names of the containers that must run on each instance. Without it, all containers of the task must run; with an
        empty list, containers are not looked at.
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
      description: On failure, the last lines by container or engine log.
      type: dict
      sample: {}
"""

import json
import typing as t
from dataclasses import asdict, replace
from datetime import UTC, datetime

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core import argspec
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._eb import verdict
from ansible_collections.antenna.aws.plugins.module_utils._eb.api import BeanstalkApi, connect
from ansible_collections.antenna.aws.plugins.module_utils._eb.containers import ContainersApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.evidence import diagnosis, evidence
from ansible_collections.antenna.aws.plugins.module_utils._eb.logs import LogsApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import HEALTH_ORDER, Environment, ProbeAnswer
from ansible_collections.antenna.aws.plugins.module_utils._eb.probe import Probe, probe
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, Goal, Success
from ansible_collections.antenna.aws.plugins.module_utils._eb.watch import Ending, Observer, Progress, Watch, blamed

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
        "containers": {"type": "list", "elements": "str"},
        "probe": {"type": "dict", "options": dict(PROBE_SPEC.argument_spec)},
        "log_lines": {"type": "int", "default": 30},
        "progress_path": {"type": "path"},
    }
)

_SHORTEST_POLL = 0.2
_READ_ATTEMPTS = 2


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
        containers=None if containers is None else tuple(containers),
        probe_statuses=None if wanted_probe is None else tuple(wanted_probe["status"]),
    )


def probe_from(params: t.Mapping[str, t.Any] | None) -> t.Callable[[Environment], ProbeAnswer] | None:
    """Return the probe that the parameters ask for, if any."""
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
    return lambda environment: probe(wanted, environment)


def teller(path: str | None) -> t.Callable[[Progress], None]:
    """Return what writes progress to the file, if one is wanted."""

    def tell(progress: Progress) -> None:
        if path is not None:
            with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
                file.write(json.dumps(asdict(progress)) + "\n")

    return tell


def work(module: t.Any) -> dict[str, t.Any]:
    """Wait for the verdict and return it. Raises AntennaError with the evidence when the deployment failed."""
    params = module.params
    goal = goal_from(params)
    observer = Observer(
        goal=goal,
        api=BeanstalkApi(connect(module, "elasticbeanstalk", attempts=_READ_ATTEMPTS)),
        containers=ContainersApi(connect(module, "ecs", attempts=_READ_ATTEMPTS)),
        probe=probe_from(params["probe"]),
    )
    if module.check_mode:
        return _look_once(observer, goal, params["timeout"])
    tell = teller(params["progress_path"])
    tell(Progress("+0s", "", f"Waiting up to {params['timeout']} s for {_what(goal)}."))
    watch = Watch(
        observer=observer,
        goal=goal,
        clock=SystemClock(),
        tell=tell,
        timeout=params["timeout"],
        poll=max(_SHORTEST_POLL, params["poll"]),
    )
    ending = watch.run()
    if isinstance(ending.verdict, Success):
        tell(Progress(f"+{ending.seconds:.0f}s", "", ending.verdict.summary))
        return _result(ending, goal, {})
    logs, trouble = _logs(LogsApi(connect(module, "logs", attempts=_READ_ATTEMPTS), params["log_lines"]), goal, ending)
    raise _failure(ending, goal, logs, trouble, tell)


def _look_once(observer: Observer, goal: Goal, timeout: float) -> dict[str, t.Any]:
    observation = observer.look()
    # One look cannot tell what is steady.
    decided = verdict.judge(observation, replace(goal, steady=0.0))
    answer = _result(Ending(decided, observation, 0.0), goal, {})
    return {**answer, "msg": f"Would wait up to {timeout:g} s for {_what(goal)}."}


def _what(goal: Goal) -> str:
    label = f" with version {goal.version_label}" if goal.version_label else ""
    return f"environment {goal.environment_name} to be healthy{label}"


def _failure(
    ending: Ending,
    goal: Goal,
    logs: t.Mapping[str, t.Sequence[str]],
    trouble: str,
    tell: t.Callable[[Progress], None],
) -> AntennaError:
    failure = ending.verdict if isinstance(ending.verdict, Failure) else Failure(("The verdict is not known.",))
    lines = [*diagnosis(failure, ending.observation, goal, logs), *([trouble] if trouble else [])]
    label = f" with version {goal.version_label}" if goal.version_label else ""
    head = f"Environment {goal.environment_name}{label} is not healthy ({ending.seconds:.0f} s)."
    tell(Progress(f"+{ending.seconds:.0f}s", "ERROR", head))
    for line in lines:
        tell(Progress("", "", line))
    return AntennaError("\n".join((head, *lines)), **_result(ending, goal, logs))


def _logs(api: LogsApi, goal: Goal, ending: Ending) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return the last lines that matter, and in words why there are none."""
    if ending.observation.environment is None:
        return {}, ""
    tasks = ending.observation.tasks or ()
    known = {container.name for task in tasks for container in task.containers} | set(goal.containers or ())
    # Without a request it is the present state that failed, and what tells why may be old.
    since = goal.since if goal.follows_a_request else None
    lives = verdict.last_lives(tasks)
    silent = verdict.never_ran(tasks)
    wrote = [name for name in blamed(ending) if name not in silent]
    try:
        return api.last_lines(goal.environment_name, wrote, known, since=since, lives=lives), ""
    except AwsError as error:
        return {}, error.message


def _result(ending: Ending, goal: Goal, logs: t.Mapping[str, t.Sequence[str]]) -> dict[str, t.Any]:
    return {
        "changed": False,
        "verdict": _name(ending.verdict),
        "reasons": _reasons(ending.verdict),
        "seconds": round(ending.seconds, 1),
        "evidence": evidence(ending.observation, goal, logs),
    }


def _name(decided: verdict.Verdict) -> str:
    if isinstance(decided, Success):
        return "healthy"
    return "failed" if isinstance(decided, Failure) else "waiting"


def _reasons(decided: verdict.Verdict) -> list[str]:
    if isinstance(decided, Success):
        return [decided.summary]
    return list(decided.reasons if isinstance(decided, Failure) else decided.unmet)


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
