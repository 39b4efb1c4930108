# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known troubles are known by the lines that real programs write.

The lines of Python programs are of examples/antenna's backend image (Django 5.2, psycopg 3.3, redis 5.2, Celery 5.5)
against PostgreSQL 17 and Valkey that were stopped, locked or given other certificates; those of containers are
Docker's. The service's own are named where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import Container, Event, HealthReport, ProbeAnswer
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.remedies import REMEDIES, Found, find
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure

T0 = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOAL = Goal("env", "antenna", request_id="ours", probe_statuses=(200,))
START = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
SERVER = 'django.db.utils.OperationalError: connection failed: connection to server at "172.20.0.2", port 5432 failed: '
CONSUMER = "[2026-11-25 17:33:17,800: ERROR/MainProcess] consumer: Cannot connect to "

LOG_LINES: list[tuple[str, str]] = [
    ("/entrypoint: line 5: REDIS_URL: unbound variable", "variable-missing"),
    (
        "django.core.exceptions.ImproperlyConfigured: Set the DJANGO_SECRET_KEY environment variable",
        "variable-missing",
    ),
    ("KeyError: 'POSTGRES_HOST'", "variable-missing"),
    (f"{SERVER}Connection refused", "database-unreachable"),
    ("\tIs the server running on that host and accepting TCP/IP connections?", "database-unreachable"),
    (f"{SERVER}server closed the connection unexpectedly", "database-unreachable"),
    ("psycopg.errors.ConnectionTimeout: connection timeout expired", "database-unreachable"),
    (
        "PostgreSQL at nohost did not become available: failed to resolve host 'nohost': [Errno -2] Name or service "
        "not known",
        "database-unreachable",
    ),
    (
        "django.db.utils.OperationalError: failed to resolve host 'nohost.example': [Errno -2] Name or service not "
        "known",
        "database-unreachable",
    ),
    (f'{SERVER}FATAL:  password authentication failed for user "u"', "database-password"),
    (f'{SERVER}FATAL:  database "nodb" does not exist', "database-missing"),
    (
        f"{SERVER}FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "database-full",
    ),
    (
        f'{SERVER}FATAL:  no pg_hba.conf entry for host "172.20.0.5", user "u", database "d", no encryption',
        "database-tls",
    ),
    (f'{SERVER}root certificate file "/home/django/.postgresql/root.crt" does not exist', "database-tls"),
    (
        f"{CONSUMER}redis://127.0.0.1:6379/0: Error 111 connecting to 127.0.0.1:6379. Connection refused..",
        "redis-unreachable",
    ),
    (
        f"{CONSUMER}redis://nohost.example:6379/0: Error -2 connecting to nohost.example:6379. Name or service not "
        "known..",
        "redis-unreachable",
    ),
    ("redis.exceptions.TimeoutError: Timeout connecting to server", "redis-unreachable"),
    (
        "ERROR 2026-11-25 17:34:02,958 flower.events Failed to capture events: 'Error 111 connecting to "
        "127.0.0.1:6379. Connection refused.', trying again in 2 seconds.",
        "redis-unreachable",
    ),
    (
        f"{CONSUMER}redis://judge-rtls:6379/0: Error while reading from judge-rtls:6379 : (104, 'Connection reset by "
        "peer').",
        "redis-tls",
    ),
    (
        f"{CONSUMER}rediss://judge-rtls:6379/0: Error 1 connecting to judge-rtls:6379. [SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1029)..",
        "redis-certificate",
    ),
    ("redis.exceptions.RedisError: Invalid SSL Certificate Requirements Flag: CERT_NONE", "redis-tls-option"),
    (
        "A rediss:// URL must have parameter ssl_cert_reqs and this must be set to CERT_REQUIRED, CERT_OPTIONAL, or "
        "CERT_NONE",
        "redis-tls-option",
    ),
    (f"{CONSUMER}rediss://judge-rtls:6379/0: Authentication required..", "redis-password"),
    (
        f"{CONSUMER}rediss://:**@judge-rtls:6379/0: invalid username-password pair or user is disabled..",
        "redis-password",
    ),
    (
        "django.core.exceptions.DisallowedHost: Invalid HTTP_HOST header: 'bad.example'. You may need to add "
        "'bad.example' to ALLOWED_HOSTS.",
        "host-not-allowed",
    ),
    ('django.db.utils.ProgrammingError: relation "antenna_project" already exists', "migration-failed"),
    ("  Applying antenna.0001_initial...Traceback (most recent call last):", "migration-failed"),
    ("The migrations did not succeed within 420 seconds.", "migration-failed"),
    ("ModuleNotFoundError: No module named 'config.settings.nothing'", "module-missing"),
    (
        'botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "http://127.0.0.1:9/bucket/'
        'static/admin/img/icon-clock.svg"',
        "storage-unreachable",
    ),
    ("exec /entrypoint: exec format error", "wrong-architecture"),
]

# What ECS says of a container that did not run, as its reason.
REASONS: list[tuple[str, str]] = [
    # RafalWilinski/deploy-with-serverless#11
    (
        "CannotPullContainerError: API error (404): repository serverless-batch not found: does not exist or no pull "
        "access",
        "image-not-found",
    ),
    # aws/amazon-ecs-agent#337
    ("CannotPullContainerError: Error: image deathstar:9ce7d67b not found", "image-not-found"),
    # aws/amazon-ecs-agent#1837
    (
        "CannotPullContainerError: Error response from daemon: pull access denied for amazon/amazon-ecs-pause, "
        "repository does not exist or may require 'docker login'",
        "image-not-readable",
    ),
    # ActionIQ/terraform-aws-retool-ecs-fargate#20
    (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
        'docker.io/tryretool/backend:2.110.5: failed to do request: Head "https://registry-1.docker.io/v2/tryretool/'
        'backend/manifests/2.110.5": dial tcp 34.205.13.154:443: i/o timeout',
        "image-registry-unreachable",
    ),
    (
        'CannotPullContainerError: Error response from daemon: Get "https://nohost.example/v2/": dial tcp: lookup '
        "nohost.example on 127.0.0.53:53: no such host",
        "image-registry-unreachable",
    ),
    (
        f'CannotStartContainerError: Error response from daemon: {START}exec: "nothing-here": executable file not '
        "found in $PATH: unknown",
        "command-not-found",
    ),
    (
        f'CannotStartContainerError: Error response from daemon: {START}exec: "/nothing": stat /nothing: no such file '
        "or directory: unknown",
        "command-not-found",
    ),
    # ECS developer guide, "OutOfMemoryError errors"
    ("OutOfMemoryError: Container killed due to memory usage", "out-of-memory"),
    # newrelic/nri-ecs#10
    (
        "Fetching secret data from SSM Parameter Store in ap-northeast-1: AccessDeniedException: User: arn:aws:sts::"
        "123456789012:assumed-role/Execution/1 is not authorized to perform: ssm:GetParameters on resource: arn:aws:"
        "ssm:ap-northeast-1:123456789012:parameter/key status code: 400",
        "secret-not-readable",
    ),
]

# What Elastic Beanstalk says in events; their sources are with the rehearsal of each.
EVENTS: list[tuple[str, str]] = [
    # hashicorp/terraform-provider-aws#6503
    (
        "Service:AmazonECS, Code:ClientException, Message:When you are specifying container secrets, you must also "
        "specify a value for 'executionRoleArn'.",
        "secret-not-readable",
    ),
    ("ECS Application sourcebundle validation error: Unsupported AWSEBDockerrunVersion: 1", "bundle-not-valid"),
    # aws/aws-elastic-beanstalk-cli#7
    (
        "Service:AmazonECS, Code:InvalidParameterException, Message:Family can not be blank., "
        "Class:com.amazonaws.services.ecs.model.InvalidParameterException",
        "bundle-not-valid",
    ),
    (
        "Command execution completed on all instances. Summary: [Successful: 0, TimedOut: 1].",
        "command-timeout",
    ),
    # rennokki/laravel-aws-eb#71
    (
        "Instance id(s) 'i-1' did not pass health check after command execution. Aborting the operation.",
        "health-check-failing",
    ),
    (
        "The instance profile hello associated with the environment does not exist.",
        "instance-profile",
    ),
]


def found(
    *,
    logs: Mapping[str, tuple[str, ...]] | None = None,
    events: tuple[str, ...] = (),
    containers: tuple[Container, ...] = (),
    probe: ProbeAnswer | None = None,
    causes: tuple[str, ...] = (),
) -> tuple[Found, ...]:
    observation = Observation(
        found=True,
        events=tuple(Event(T0 + timedelta(seconds=n), "ERROR", text, "ours") for n, text in enumerate(events)),
        health=HealthReport("Severe", "Red", causes),
        probe=probe or ProbeAnswer("http://env/", "env", status=200),
    )
    return find(Failure(tuple(events), containers), observation, GOAL, logs or {})


# What psycopg 3, redis-py and Celery said when they were pointed at real servers that would not have them.
CONNECTION = 'psycopg.OperationalError: connection failed: connection to server at "198.18.0.2", port 5432 failed: '
NO_TLS = 'FATAL:  no pg_hba.conf entry for host "198.18.0.4", user "antenna", database "antenna", no encryption'
CONSUMER = "[2026-11-26 01:29:0%s,934: ERROR/MainProcess] consumer: Cannot connect to %s://redis:6379/0: %s."
RESET = "Error while reading from redis:6379 : (104, 'Connection reset by peer')"
UNTRUSTED = (
    "Error 1 connecting to redis:6379. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
    "certificate in certificate chain (_ssl.c:1029)."
)
SAID: dict[str, tuple[str, ...]] = {
    "database-unreachable": (
        f"{CONNECTION}Connection refused",
        "	Is the server running on that host and accepting TCP/IP connections?",
    ),
    "database-password": (
        f'{CONNECTION}FATAL:  password authentication failed for user "antenna"',
        f'connection to server at "198.18.0.2", port 5432 failed: {NO_TLS}',
    ),
    "database-tls": (f"{CONNECTION}{NO_TLS}",),
    "redis-unreachable": tuple(
        CONSUMER % (second, "rediss", "Error 111 connecting to redis:6379. Connection refused.") for second in (7, 9)
    ),
    "redis-tls": tuple(CONSUMER % (second, "redis", RESET) for second in (4, 6, 8)),
    "redis-certificate": tuple(CONSUMER % (second, "rediss", UNTRUSTED) for second in (4, 7, 9)),
}


@pytest.mark.parametrize("name", SAID)
def test_what_clients_say_again_and_again_gives_one_trouble_away(name: str) -> None:
    assert [remedy.name for remedy in found(logs={"celeryworker": SAID[name]})] == [name]


@pytest.mark.parametrize(("line", "name"), LOG_LINES)
def test_a_log_line_gives_the_trouble_away(line: str, name: str) -> None:
    (remedy, *_others) = found(logs={"django": ("starting", line, "exiting")})
    assert (remedy.name, remedy.where) == (name, "django")
    assert remedy.because == line.strip()


@pytest.mark.parametrize(("reason", "name"), REASONS)
def test_a_reason_of_ecs_gives_the_trouble_away(reason: str, name: str) -> None:
    stopped = Container("django", "i-1", last_status="STOPPED", reason=reason)
    (remedy,) = found(containers=(stopped,))
    assert (remedy.name, remedy.where) == (name, "containers")


@pytest.mark.parametrize(("text", "name"), EVENTS)
def test_an_event_gives_the_trouble_away(text: str, name: str) -> None:
    assert found(events=(text,))[0].name == name


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (ProbeAnswer("http://203.0.113.7/api/", "env", 301, "https://env/api/"), ["redirect-loop"]),
        (ProbeAnswer("http://203.0.113.7/", "env", 302, "https://env/accounts/login/"), []),
        (ProbeAnswer("http://203.0.113.7/", "env", 400), ["host-not-allowed"]),
        (ProbeAnswer("http://203.0.113.7/", "env", error="connection refused"), ["nobody-on-the-port"]),
        (ProbeAnswer("http://203.0.113.7/", "env", error="no answer in time"), ["nobody-on-the-port"]),
        (ProbeAnswer("https://env/", "env", error="the certificate is not trusted (self-signed certificate)"),
         ["certificate-not-trusted"]),
        (ProbeAnswer("http://203.0.113.7/", "env", 502), ["server-fails"]),
        (ProbeAnswer("http://203.0.113.7/", "env", 200), []),
    ],
)  # fmt: skip
def test_the_probes_answer_gives_the_trouble_away(answer: ProbeAnswer, names: list[str]) -> None:
    assert [remedy.name for remedy in found(probe=answer)] == names


def test_the_part_in_which_it_happened_is_named_only_where_nothing_says_why() -> None:
    # rennokki/laravel-aws-eb#57 for the frame, a public eb-engine.log for the hook.
    engine = (
        "[ERROR] An error occurred during execution of command [app-deploy] - [RunAppDeployPreBuildHooks]. Stop "
        "running the command. Error: Command .platform/hooks/prebuild/00_install.sh failed with error exit status 2."
    )
    assert [remedy.name for remedy in found(logs={"eb-engine.log": (engine,)})] == ["hook-failed"]
    hooks = ('django.db.utils.ProgrammingError: relation "a" does not exist', "The migrations did not succeed")
    both = found(logs={"eb-engine.log": (engine,), "eb-hooks.log": hooks})
    assert [(remedy.name, remedy.where) for remedy in both] == [("migration-failed", "eb-hooks.log")]


def test_the_advice_names_what_is_missing() -> None:
    (remedy,) = found(logs={"django": ("/entrypoint: line 5: REDIS_URL: unbound variable",)})
    assert remedy.advice.startswith("Give the containers REDIS_URL")


def test_ordinary_words_are_no_trouble() -> None:
    words = (
        'gunicorn: 127.0.0.1 - - "GET /api/v2/ HTTP/1.1" 200 143',
        "  Applying antenna.0001_initial... OK",
        "PostgreSQL is available",
        "worker: Warm shutdown (MainProcess)",
        "[2026-11-25 17:48:20 +0000] [8] [INFO] Worker (pid:10) was sent SIGTERM!",
        "KeyError: 'name'",
    )
    assert found(logs={"django": words}, events=("Failed to deploy application.",)) == ()


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.name)
def test_each_remedy_is_one_sentence_that_names_what_to_change(remedy: object) -> None:
    advice = getattr(remedy, "advice")  # noqa: B009
    assert advice.endswith(".") and advice.count(". ") == 0
    assert set(re.findall(r"\{(\w*)\}", advice)) <= {"name"}


def test_each_has_a_name_of_its_own() -> None:
    names = [remedy.name for remedy in REMEDIES]
    assert len(set(names)) == len(names)
    shown = {name for _line, name in (*LOG_LINES, *REASONS, *EVENTS)}
    probed = {"redirect-loop", "nobody-on-the-port", "certificate-not-trusted", "server-fails", "hook-failed"}
    assert set(names) - shown - probed == {"task-does-not-fit", "log-group-missing"}
