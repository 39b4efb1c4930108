# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a deployment hold against: each fails by what it is about, and by nothing else."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.roles import evaluated, variables_of

NAMES = ["django", "celeryworker", "celerybeat"]
HEADERS = ("strict_transport_security", "x_content_type_options", "x_frame_options", "referrer_policy")
PAGE = '<script src="/assets/index-1a2b3c4d.js"></script>'


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


STARTED = ago(hours=1)


def container(name: str, instance: str, **more: Any) -> dict[str, Any]:
    task = {"task_arn": f"task-of-{instance}", "task_created_at": STARTED}
    return {"name": name, "instance_id": instance, "status": "RUNNING", **task, **more}


def environment(**more: Any) -> dict[str, Any]:
    containers = [container(name, instance) for instance in ("i-1", "i-2") for name in NAMES]
    instances = [{"instance_id": "i-1"}, {"instance_id": "i-2"}]
    seen = {"health_status": "Ok", "endpoint_url": "192.0.2.1", "instances": instances, "containers": containers}
    return {"environments": [{**seen, **more}]}


def line(message: str) -> dict[str, Any]:
    return {"lines": [{"message": message}]}


GOOD: dict[str, Any] = {
    "antenna_name": "antenna",
    "antenna_account_id": "123456789012",
    "antenna_region": "us-west-2",
    "antenna_domain_names": [],
    "antenna_environment_domain": "antenna.us-west-2.elasticbeanstalk.com",
    "antenna_environment_type": "LoadBalanced",
    "antenna_storage_bucket": "antenna-storage",
    "ui_distribution_bucket": "antenna-ui",
    "ui_distribution_response_headers_policy": "SecurityHeadersPolicy",
    "validate_containers": NAMES,
    "__ui_distribution": {"domain_name": "d111111abcdef8.cloudfront.net"},
    "__validate_before": environment(),
    "__validate_after": environment(),
    "__validate_api_environment": {"status": 200},
    "__validate_api_ui": {"status": 200},
    "__validate_worker": line("Connected to rediss://antenna"),
    "__validate_tasks": line("Task antenna.heartbeat[1] received"),
    "__validate_beat": line("Sending due task heartbeat"),
    "__validate_flower_without": {"status": 401},
    "__validate_flower_with": {"status": 200},
    "__validate_index": {
        "status": 200, "content_type": "text/html", "content": PAGE, **dict.fromkeys(HEADERS, "set"),
    },
    "__validate_loaded": {
        "results": [{"item": "/assets/index-1a2b3c4d.js", "status": 200, "content_encoding": "gzip"}]
    },
    "__validate_unknown_page": {"status": 200, "content": PAGE},
    "__validate_unknown_api": {"status": 404, "content": "{}"},
    "__validate_plain": {"status": 301, "location": "https://d111111abcdef8.cloudfront.net/"},
    "__validate_file": {"status": 200},
    "__validate_buckets": {"results": [{"item": "https://antenna-ui/", "status": 403}] * 2},
}  # fmt: skip


def broken(given: dict[str, Any]) -> dict[str, str]:
    """What was seen by each check that does not hold."""
    checks = evaluated("{{ __validate_checks }}", {**variables_of("validate"), **deepcopy(GOOD), **given})
    return {check["name"]: check["seen"] for check in checks if not check["holds"]}


def with_container(name: str, instance: str, **more: Any) -> dict[str, Any]:
    """The environment, of which one container is otherwise."""
    (seen,) = environment()["environments"]
    changed = [
        {**item, **more} if (item["name"], item["instance_id"]) == (name, instance) else item
        for item in seen["containers"]
    ]
    return environment(containers=changed)


def test_all_hold() -> None:
    assert broken({}) == {}


@pytest.mark.parametrize(
    ("given", "name", "seen"),
    [
        ({"__validate_api_environment": {"status": 502}}, "The API answers at the environment", "502"),
        ({"__validate_api_ui": {"status": -1}}, "The API answers through the distribution", "-1"),
        (
            {"__validate_before": with_container("celerybeat", "i-2", status="STOPPED")},
            "All containers run and do not restart",
            "celerybeat on i-2",
        ),
        (
            {"__validate_after": with_container("django", "i-1", task_arn="task-after-that")},
            "All containers run and do not restart",
            "django on i-1",
        ),
        (
            {"__validate_after": environment(health_status="Severe")},
            "All containers run and do not restart",
            "health is Severe",
        ),
        (
            {"__validate_after": environment(instances=[{"instance_id": f"i-{number}"} for number in (1, 2, 3)])},
            "All containers run and do not restart",
            "django on i-3",
        ),
        ({"__validate_worker": {"lines": []}}, "The worker is connected to Redis by TLS", "since it was started"),
        ({"__validate_tasks": {"msg": "denied"}}, "The worker takes tasks from Redis", "in the last 420 seconds"),
        ({"__validate_beat": {"lines": []}}, "Beat sends due tasks", "in the last 420 seconds"),
        ({"__validate_flower_without": {"status": 200}}, "Flower refuses without credentials", "200"),
        ({"__validate_flower_with": {"status": 401}}, "Flower answers with credentials", "401"),
        ({"__validate_file": {"status": 403}}, "A file of Antenna's storage opens through the distribution", "403"),
        (
            {"__validate_buckets": {"results": [{"item": "ui", "status": 403}, {"item": "storage", "status": 200}]}},
            "The buckets refuse anonymous reads",
            "ui: 403, storage: 200",
        ),
        (
            {"__validate_plain": {"status": 301, "location": "http://elsewhere/"}},
            "Plain HTTP is redirected",
            "http://elsewhere/",
        ),
        (
            {"__validate_unknown_api": {"status": 200, "content": PAGE}},
            "An unknown path of the API gives the API's 404",
            "200",
        ),
        (
            {"__validate_unknown_page": {"status": 200, "content": "<Error>"}},
            "An unknown path of the UI gives the app",
            "200",
        ),
        (
            {"__validate_loaded": {"results": [{"item": "/assets/index-1a2b3c4d.js", "status": 200}]}},
            "Scripts and styles of the UI are compressed",
            "not compressed: /assets/index-1a2b3c4d.js",
        ),
        (
            {"__validate_loaded": {"results": [{**GOOD["__validate_loaded"]["results"][0], "status": 403}]}},
            "Each asset that the UI names loads",
            "not loaded: /assets/index-1a2b3c4d.js",
        ),
        (
            {"__validate_index": {**GOOD["__validate_index"], "content_type": "application/xml"}},
            "The UI loads through the distribution",
            "application/xml",
        ),
        (
            {"__validate_index": {key: value for key, value in GOOD["__validate_index"].items() if key != HEADERS[0]}},
            "The UI carries security headers",
            f"lacking: {HEADERS[0]}",
        ),
    ],
)  # fmt: skip
def test_one_does_not(given: dict[str, Any], name: str, seen: str) -> None:
    found = broken(given)
    assert list(found) == [name] and seen in found[name]


def test_a_worker_that_is_older_than_its_logs_is_not_asked_for_its_connection() -> None:
    old = [container(name, "i-1", task_created_at=ago(days=8)) for name in NAMES]
    found = environment(instances=[{"instance_id": "i-1"}], containers=old)
    old_one = {"__validate_before": found, "__validate_after": found, "__validate_worker": {"lines": []}}
    assert broken(old_one) == {}
    assert broken({**old_one, "__validate_tasks": {"lines": []}}).keys() == {"The worker takes tasks from Redis"}
