# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: the status, its changes, the journal, the faults."""

from __future__ import annotations

import copy
from typing import Any

from localcloud import display
from localcloud.faults import Faults, Rule

ENTRY: dict[str, Any] = {
    "number": 7,
    "time": "2026-01-02T03:04:05.678+00:00",
    "caller": "arn:aws:iam::123456789012:user/ana",
    "service": "elasticbeanstalk",
    "region": "us-west-2",
    "operation": "UpdateEnvironment",
    "access": "write",
    "resource": "web",
    "status": 400,
    "error": "InvalidParameterValue",
    "duration": 0.0123,
}


def found() -> dict[str, Any]:
    containers = {
        "django": {"status": "RUNNING", "exit_code": None, "reason": None, "restarts": 0, "docker_id": "d1"},
        "celery": {"status": "STOPPED", "exit_code": 137, "reason": "OutOfMemoryError", "restarts": 2, "docker_id": ""},
    }
    instance = {
        "health_status": "Severe",
        "causes": ["Following services are not running: celery."],
        "version_label": "v2",
        "deployment_status": "Deployed",
        "containers": containers,
    }
    web = {
        "url": "http://127.0.0.1:1",
        "status": "Ready",
        "health": "Red",
        "health_status": "Severe",
        "causes": ["None of the instances are well."],
        "version_label": "v2",
        "ports": {"80": 1},
        "instances": {"i-1": instance},
    }
    event = {"time": "2026-01-02T03:04:05.678+00:00", "severity": "WARN", "environment": "web", "message": "Careful."}
    return {
        "endpoint": "http://127.0.0.1:5566",
        "container_endpoint": "http://172.17.0.1:5566",
        "registry": "127.0.0.1:5577",
        "ca": "/x/ca.pem",
        "account_id": "123456789012",
        "region": "us-west-2",
        "latency": "instant",
        "environments": {"web": web},
        "distributions": {"E1": {"status": "Deployed", "url": "https://127.0.0.1:2", "domain": "d1.cloudfront.net"}},
        "databases": {"antenna": {"status": "available", "engine": "postgres 17.2", "endpoint": "a.rds:5432"}},
        "caches": {},
        "events": [event],
    }


def test_status_in_sections() -> None:
    assert display.status(found()) == [
        "Environments",
        "  web         Ready     Red (Severe)  v2  http://127.0.0.1:1",
        "      None of the instances are well.",
        "    i-1       Deployed  Severe        v2",
        "        Following services are not running: celery.",
        "      django  RUNNING",
        "      celery  STOPPED   exit code 137, OutOfMemoryError, restarted 2 times",
        "",
        "Distributions",
        "  E1  Deployed  https://127.0.0.1:2  d1.cloudfront.net",
        "",
        "Databases",
        "  antenna  available  postgres 17.2  a.rds:5432",
        "",
        "Caches",
        "  none",
        "",
        "Cloud",
        "  endpoint        http://127.0.0.1:5566",
        "  for containers  http://172.17.0.1:5566",
        "  registry        127.0.0.1:5577",
        "  authority       /x/ca.pem",
        "  account         123456789012",
        "  region          us-west-2",
        "  latency         instant",
        "",
        "Recent events",
        "  03:04:05  WARN  web  Careful.",
    ]


def test_caches_are_shown_with_their_members() -> None:
    member = {"status": "available", "role": "replica", "availability_zone": "us-west-2b", "container": "c"}
    cache = {"status": "available", "engine": "valkey 8.1.0", "endpoint": "c:6379", "members": {"ants-002": member}}
    shown = display.status({**found(), "caches": {"ants": cache}})
    row = shown.index("Caches") + 1
    assert [line.split() for line in shown[row : row + 2]] == [
        ["ants", "available", "valkey", "8.1.0", "c:6379"],
        ["ants-002", "available", "replica", "us-west-2b"],
    ]


def test_colours_change_no_word() -> None:
    coloured = display.status(found(), colours=True)
    assert "\033[31mRed (Severe)\033[0m" in coloured[1]
    plain = "\n".join(coloured).replace("\033[0m", "")
    for code in ("31", "32", "33", "90", "1"):
        plain = plain.replace(f"\033[{code}m", "")
    assert [line.rstrip() for line in plain.splitlines()] == display.status(found())


def test_changes_name_what_became_of_what() -> None:
    before, now = found(), copy.deepcopy(found())
    now["environments"]["web"]["status"] = "Updating"
    now["environments"]["web"]["instances"]["i-1"]["containers"]["django"] |= {"docker_id": "d2", "exit_code": 1}
    del now["databases"]["antenna"]
    now["caches"]["redis"] = {"status": "creating"}
    now["events"].append(
        {"time": "2026-01-02T03:04:06+00:00", "severity": "INFO", "environment": None, "message": "Hi."}
    )
    assert display.changes(before, now) == [
        "environments web status: Ready -> Updating",
        "environments web instances i-1 containers django exit_code: none -> 1",
        "caches redis status: creating",
        "databases antenna status: gone",
        "databases antenna engine: gone",
        "databases antenna endpoint: gone",
        "03:04:06 INFO  Hi.",
    ]
    assert display.changes(now, now) == []


def test_journal_is_aligned() -> None:
    long = {
        **ENTRY,
        "resource": "arn:aws:secretsmanager:us-west-2:123456789012:secret:antenna/production/django-AbCdEf",
    }
    read = {**ENTRY, "caller": "anonymous", "operation": "", "access": "read", "status": 200, "error": ""}
    dropped = {**ENTRY, "status": 0, "error": "ConnectionDropped"}
    header, *lines = display.journal_header(), *map(display.journal_line, (ENTRY, long, read, dropped))
    assert lines[0].split() == [
        *("7", "03:04:05.678", "ana", "write", "elasticbeanstalk.UpdateEnvironment", "web", "0.012", "400"),
        "InvalidParameterValue",
    ]
    assert "…7890" not in lines[1] and "secret:antenna/production/django-AbCdEf" in lines[1]
    assert {line.index(outcome) for line, outcome in zip(lines, ("400", "400", "200", "- Conn"), strict=True)} == {
        header.index("outcome")
    }


def test_faults_are_a_table() -> None:
    faults = Faults()
    faults.add(Rule("throttling", service="elasticbeanstalk", count=3))
    faults.add(Rule("slow", seconds=5))
    assert display.faults(faults.all()) == [
        "id  kind        service           operation  resource  probability  seconds  count  struck",
        "1   throttling  elasticbeanstalk  *          *         1.0          0.0      3      0",
        "2   slow        *                 *          *         1.0          5        -      0",
    ]
