# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is likely to cure a failed deployment, told from what was seen of it. Pure.

Each known trouble is a value: what gives it away, and one sentence that names the variable or the setting to change.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import ProbeAnswer
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation
from ansible_collections.antenna.aws.plugins.module_utils._eb.operation import event_failures, relevant_events
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import describe_container
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, describe_answer

Logs = t.Mapping[str, t.Sequence[str]]

_LONGEST = 300


@dataclass(frozen=True)
class Clue:
    """One line of what was seen, and where: the name of a log, ``events``, ``containers``, ``causes`` or ``probe``."""

    where: str
    text: str


@dataclass(frozen=True)
class Remedy:
    """A known trouble. ``advice`` may hold ``{name}``: the first group of ``pattern`` that matched.

    ``probe`` looks at the answer instead of a line. ``broad`` troubles are named only where no other is found: they say
    in which part it happened, not why.
    """

    name: str
    advice: str
    pattern: re.Pattern[str] | None = None
    probe: t.Callable[[ProbeAnswer], bool] | None = None
    broad: bool = False


@dataclass(frozen=True)
class Found:
    """A remedy for this failure, and the clue that speaks for it."""

    name: str
    advice: str
    where: str
    because: str


def find(failure: Failure, observation: Observation, goal: Goal, logs: Logs) -> tuple[Found, ...]:
    """Return the likely remedies, the most telling first; each trouble once."""
    # Where a container or the deployment failed, a probe without an answer is what follows from it.
    alone = not failure.containers and not event_failures(observation, goal)
    asked = observation.probe if alone else None
    wrong = asked if asked is not None and asked.status not in (goal.probe_statuses or ()) else None
    told: dict[Remedy, Found] = {}
    for remedy, found in (*_told_by_lines(_clues(failure, observation, goal, logs)), *_told_by_answer(wrong)):
        told.setdefault(remedy, found)
    several = sorted(told, key=REMEDIES.index)
    return tuple(told[remedy] for remedy in [one for one in several if not one.broad] or several)


def _told_by_lines(clues: t.Iterable[Clue]) -> t.Iterator[tuple[Remedy, Found]]:
    """Each line speaks for one trouble: the most telling."""
    for clue in clues:
        for remedy in REMEDIES:
            match = remedy.pattern.search(clue.text) if remedy.pattern is not None else None
            if match is not None:
                advice = remedy.advice.format(name=next(filter(None, match.groups()), ""))
                yield remedy, Found(remedy.name, advice, clue.where, clue.text.strip()[:_LONGEST])
                break


def _told_by_answer(answer: ProbeAnswer | None) -> t.Iterator[tuple[Remedy, Found]]:
    for remedy in REMEDIES:
        if answer is not None and remedy.probe is not None and remedy.probe(answer):
            yield remedy, Found(remedy.name, remedy.advice, "probe", f"{answer.url} {describe_answer(answer)}")


def _clues(failure: Failure, observation: Observation, goal: Goal, logs: Logs) -> t.Iterator[Clue]:
    several = len(observation.instance_ids) > 1
    for container in failure.containers:
        yield Clue("containers", describe_container(container, several))
    for task in observation.tasks or ():
        if task.stopped_reason and set(task.containers) & set(failure.containers):
            yield Clue("containers", task.stopped_reason)
    # The last lines tell most.
    for name, lines in sorted(logs.items(), key=lambda item: item[0].startswith("eb-")):
        for line in reversed(lines):
            yield Clue(name, line)
    for event in relevant_events(observation.events, goal):
        yield Clue("events", event.message)
    for reason in failure.reasons:
        yield Clue("events", reason)
    for cause in observation.health.causes if observation.health else ():
        yield Clue("causes", cause)


def _is_redirect_to_https(answer: ProbeAnswer) -> bool:
    if answer.status not in (301, 302, 307, 308):
        return False
    asked, sent = urlsplit(answer.url), urlsplit(answer.location)
    return sent.scheme == "https" and sent.path == asked.path


def _is_unheard(answer: ProbeAnswer) -> bool:
    return answer.status is None and bool(
        re.search(r"refused|closed without an answer|no answer in time", answer.error)
    )


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


REMEDIES: tuple[Remedy, ...] = (
    # -- images and starts --
    Remedy(
        "image-not-readable",
        "Let the instance profile read ECR (identity_instance_policies: AmazonEC2ContainerRegistryReadOnly), or name "
        "an image that exists: some registries say the same of both.",
        _lines(r"CannotPull.*(unauthorized|access denied|no basic auth|authorization token|403 Forbidden|denied:)"),
    ),
    Remedy(
        "image-registry-unreachable",
        "Give the instances a way to the registry: subnets with a route to the internet or to ECR's endpoints "
        "(aws:ec2:vpc Subnets), and the registry's right name in the image.",
        _lines(r"CannotPull.*(dial tcp|no such host|i/o timeout|connection refused|request canceled)"),
    ),
    Remedy(
        "image-not-found",
        "Push the image under exactly the reference that the version's Dockerrun.aws.json has (the role ecr_images "
        "does, from the ecr_images_* variables), then deploy again.",
        _lines(r"CannotPull.*(not found|manifest unknown|name unknown|does not exist)|CannotPullContainerError"),
    ),
    Remedy(
        "wrong-architecture",
        "Build the images for the architecture of the instances: ecr_images_platform must fit antenna_instance_types.",
        _lines(r"exec format error|no matching manifest for linux"),
    ),
    Remedy(
        "command-not-found",
        "Correct the container's entry point or command in the image or in Dockerrun.aws.json: {name} is not there, or "
        "may not be executed.",
        _lines(r"exec: \"?([^\":]+)\"?: (stat|executable file not found|permission denied|no such file)"),
    ),
    Remedy(
        "log-group-missing",
        "Create the log group that the container's awslogs driver names, or set awslogs-create-group to true.",
        _lines(r"failed to create Cloudwatch log stream"),
    ),
    # -- memory --
    Remedy(
        "out-of-memory",
        "Raise the container's limit (eb_bundle_memory), or let it use less (eb_bundle_web_concurrency, "
        "eb_bundle_celery_worker_concurrency).",
        _lines(r"OutOfMemory|used more than its memory limit|was killed for its memory use|Perhaps out of memory"),
    ),
    Remedy(
        "task-does-not-fit",
        "Lower eb_bundle_memory so that all containers together fit, or put a larger type first in "
        "antenna_instance_types.",
        _lines(r"RESOURCE:MEMORY|insufficient memory|was unable to place a task"),
    ),
    # -- secrets and variables --
    Remedy(
        "secret-not-readable",
        "See that the secret exists and has the key, that the execution role may read it (identity_execution_policies "
        "and the secret's own), that Dockerrun.aws.json names that role as executionRoleArn, and that the instance "
        "profile may pass it (iam:PassRole).",
        _lines(
            r"Fetching secret data from|unable to pull secrets|executionRoleArn|ECS was unable to assume the role|"
            r"did not contain json key|secretsmanager:GetSecretValue|ssm:GetParameters?\b|iam:PassRole"
        ),
    ),
    Remedy(
        "variable-missing",
        "Give the containers {name}: in clear with eb_bundle_environment, or as a secret with secrets_given.",
        _lines(
            r"Set the (\w+) environment variable|: (\w+): (?:unbound variable|parameter not set)|"
            r"KeyError: '(?-i:([A-Z][A-Z0-9_]+))'"
        ),
    ),
    # -- database --
    Remedy(
        "database-password",
        "Give the database and the containers the same user and password: POSTGRES_PASSWORD of the secret "
        "antenna_secret_name must be the one of data_tier_rds_user (run the roles secrets and data_tier).",
        _lines(r"password authentication failed for user|role \"[^\"]+\" does not exist"),
    ),
    Remedy(
        "database-missing",
        "Create the database {name}, or name one that exists: POSTGRES_DB is data_tier_rds_database.",
        _lines(r"FATAL: +database \"([^\"]+)\" does not exist"),
    ),
    Remedy(
        "database-full",
        "Use fewer connections (eb_bundle_web_concurrency, eb_bundle_celery_worker_concurrency, CONN_MAX_AGE in "
        "eb_bundle_environment), or take a larger data_tier_rds_instance_class.",
        _lines(r"remaining connection slots are reserved|too many (clients|connections for)"),
    ),
    Remedy(
        "database-tls",
        "Connect to PostgreSQL with TLS that both sides want: sslmode=require at least, since RDS refuses plain "
        "connections (rds.force_ssl), and RDS's certificates as sslrootcert where it is verify-ca or verify-full.",
        # A line that begins with the connection tells of libpq's second attempt, without TLS: the first met the reason.
        _lines(
            r"^(?!connection to server).*no pg_hba\.conf entry for host .* no encryption|"
            r"root certificate file .* does not exist|server does not support SSL|"
            r"connection to server .*(certificate verify failed|SSL error)"
        ),
    ),
    Remedy(
        "database-unreachable",
        "Let the instances' security group (network_eb_security_group) into the database's "
        "(network_rds_security_group) on its port, see that the instance data_tier_rds_identifier is available, and "
        "that POSTGRES_HOST is its endpoint.",
        _lines(
            r"connection to server (at|on socket) .* failed: (Connection refused|timeout expired|No route|Network)|"
            r"Is the server running on that host|"
            r"PostgreSQL at .* did not become available|Waiting for PostgreSQL|failed to resolve host|"
            r"could not translate host name|server closed the connection unexpectedly|connection timeout expired"
        ),
    ),
    # -- Redis --
    Remedy(
        "redis-tls-option",
        "Write ssl_cert_reqs in the Redis URL as none or required, the only spellings that all clients take "
        "(eb_bundle_redis_ssl_cert_reqs).",
        _lines(r"Invalid SSL Certificate Requirements Flag|rediss:// URL must have parameter ssl_cert_reqs"),
    ),
    Remedy(
        "redis-certificate",
        "Have the containers trust the certificate authority of the Redis endpoint, and connect by the endpoint's own "
        "name; or do without the check (eb_bundle_redis_ssl_cert_reqs: none).",
        _lines(r"(redis|Error 1 connecting to).*CERTIFICATE_VERIFY_FAILED"),
    ),
    Remedy(
        "redis-tls",
        "Let the URL's scheme fit the replication group: rediss:// where it has transit encryption, redis:// where not "
        "(REDIS_URL and CELERY_BROKER_URL).",
        _lines(
            r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|Error while reading from .*(Connection reset|closed by server)|"
            r"Connection closed by server"
        ),
    ),
    Remedy(
        "redis-password",
        "Give the Redis URL the replication group's user and auth token, or take the token from the group.",
        _lines(r"invalid username-password pair|WRONGPASS|NOAUTH|(redis|broker).*Authentication required"),
    ),
    Remedy(
        "redis-unreachable",
        "Let the instances' security group (network_eb_security_group) into that of Redis "
        "(network_redis_security_group) on its port, see that the group data_tier_redis_identifier is available, and "
        "that REDIS_URL names its primary endpoint.",
        _lines(
            r"Error (111|113|110|-2|-3|-5) connecting to|Timeout connecting to server|Cannot connect to rediss?://|"
            r"Timeout (reading from|writing to) socket"
        ),
    ),
    # -- the application --
    Remedy(
        "certificate-not-trusted",
        "Give the containers the certificate authority that signed the server's certificate, and use the name that is "
        "in it.",
        _lines(r"CERTIFICATE_VERIFY_FAILED|certificate is not trusted"),
        lambda answer: answer.status is None and "certificate" in answer.error,
    ),
    Remedy(
        "module-missing",
        "Add {name} to the requirements that the image installs, and build the images anew.",
        _lines(r"(?:ModuleNotFoundError: No module named|ImportError: cannot import name) '([^']+)'"),
    ),
    Remedy(
        "storage-unreachable",
        "See that the storage bucket (antenna_storage_bucket) exists, that its keys are those of "
        "identity_storage_user, and that the containers reach S3.",
        _lines(
            r"Could not connect to the endpoint URL|NoSuchBucket|InvalidAccessKeyId|SignatureDoesNotMatch|"
            r"\(AccessDenied\) when calling the (Put|Get|Head|List)Object"
        ),
    ),
    Remedy(
        "migration-failed",
        "Mend the migration, or bring the database to the state that it expects (manage.py showmigrations tells which "
        "are applied), then deploy again; migrations that need longer get it with eb_bundle_migration_deadline.",
        _lines(
            r"The migrations did not succeed|Applying \S+\.\.\.\s*Traceback|django\.db\.migrations\.exceptions|"
            r"django\.db\.utils\.(ProgrammingError|IntegrityError|DataError|InternalError)|InconsistentMigrationHistory|"
            r"Conflicting migrations detected"
        ),
    ),
    Remedy(
        "host-not-allowed",
        "Let Django answer to the host that is asked for: eb_bundle_extra_hosts or antenna_domain_names "
        "(DJANGO_ALLOWED_HOSTS).",
        _lines(r"Invalid HTTP_HOST header: '[^']*'|DisallowedHost"),
        lambda answer: answer.status == 400,
    ),
    Remedy(
        "redirect-loop",
        "Have the request say that it came by HTTPS (X-Forwarded-Proto: https as the origin's header at the CDN, and "
        "in probe.headers), and Django believe it (SECURE_PROXY_SSL_HEADER), or do not redirect "
        "(DJANGO_SECURE_SSL_REDIRECT: false in eb_bundle_environment).",
        probe=_is_redirect_to_https,
    ),
    Remedy(
        "nobody-on-the-port",
        "Let a container listen on 0.0.0.0, not on 127.0.0.1, at the containerPort that portMappings has for hostPort "
        "80.",
        _lines(r"No container is published at port"),
        _is_unheard,
    ),
    # -- Elastic Beanstalk --
    Remedy(
        "bundle-not-valid",
        "Mend the source bundle as the message says: Dockerrun.aws.json and .ebextensions are made by the role "
        "eb_bundle (module eb_bundle checks them).",
        _lines(
            r"sourcebundle validation error|Service:AmazonECS, Code:(Client|InvalidParameter)Exception|"
            r"contains invalid YAML or JSON|not a valid zip archive"
        ),
    ),
    Remedy(
        "instance-profile",
        "Create the instance profile (identity_instance_role; the role identity does) and name it in "
        "aws:autoscaling:launchconfiguration IamInstanceProfile.",
        _lines(r"instance profile .*(does not exist|associated with)"),
    ),
    Remedy(
        "health-check-failing",
        "Let the application answer the load balancer's check: path, codes and port are options of "
        "aws:elasticbeanstalk:environment:process:default (HealthCheckPath, MatcherHTTPCode, Port), and the check "
        "comes by plain HTTP under the instance's address as host.",
        _lines(
            r"did not pass health check|ELB (processes are|health is) (not healthy|failing)|target group.*unhealthy|"
            r"Target\.ResponseCodeMismatch|Target\.Timeout|Target\.FailedHealthChecks"
        ),
        broad=True,
    ),
    Remedy(
        "command-timeout",
        "Give the deployment more time (aws:elasticbeanstalk:command Timeout in eb_bundle_option_settings), or find "
        "what does not end: a hook, a container command, the pull of a large image.",
        _lines(r"have not responded in the allowed command timeout|TimedOut: [1-9]|with command timeouts"),
        broad=True,
    ),
    Remedy(
        "hook-failed",
        "Read what the hook or the container command said (eb-hooks.log, eb-engine.log), and let it end with 0.",
        _lines(r"\.platform/\w*hooks/.*(failed|exit)|container_command \S+ failed|Container commands build failed"),
        broad=True,
    ),
    Remedy(
        "server-fails",
        "Read the log of the container that serves the request: the application answers, and with an error of its own.",
        probe=lambda answer: answer.status is not None and answer.status >= 500,
        broad=True,
    ),
)
"""All known troubles, the more telling before the vaguer."""
