# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the report of a deployment says that it answers, and where its domain names must lead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import ROLES, evaluated, variables_of

DISTRIBUTION = "d111111abcdef8.cloudfront.net"
ENVIRONMENT = "antenna-1.us-west-2.elasticbeanstalk.com"
FOUND: dict[str, Any] = {
    "antenna_name": "antenna",
    "antenna_account_id": "123456789012",
    "antenna_region": "us-west-2",
    "antenna_environment_name": "antenna",
    "status_drift": False,
    "__status_environments": {"environments": [{"cname": ENVIRONMENT, "status": "Ready"}]},
    "__status_site": {"content": "0a1b2c", "files": ["index.html"]},
    "__status_drift": {"skipped": True},
    "__deployment": {
        "resources": [
            {"kind": "distribution", "name": "antenna-ui", "owner": "ours", "exists": True, "status": "Deployed",
             "details": {"domain_name": DISTRIBUTION}},
        ]
    },
}  # fmt: skip
BALANCED = {"antenna_environment_type": "LoadBalanced", "antenna_domain_names": ["antenna.example.org"]}
SINGLE = {"antenna_environment_type": "SingleInstance", "antenna_domain_names": []}


def report(deployment: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = evaluated("{{ __status_report }}", {**variables_of("status"), **FOUND, **deployment})
    return told


@pytest.mark.parametrize(
    ("deployment", "ui", "environment"),
    [(BALANCED, "https://antenna.example.org/", "https"), (SINGLE, f"https://{DISTRIBUTION}/", "http")],
    ids=["LoadBalanced", "SingleInstance"],
)
def test_urls_answer(deployment: dict[str, Any], ui: str, environment: str) -> None:
    assert report(deployment)["urls"] == {
        "ui": ui,
        "api": f"{ui}api/v2/",
        "distribution": f"https://{DISTRIBUTION}/",
        "environment": f"{environment}://{ENVIRONMENT}/",
    }


def test_people_are_told_the_instances() -> None:
    instances = [{"instance_id": "i-0123456789abcdef0", "health": "Ok"}]
    environments = {"environments": [{"cname": ENVIRONMENT, "status": "Ready", "instances": instances}]}
    template = (ROLES / "status/templates/report.txt.j2").read_text()
    lines = evaluated(template, {"__status": report({**SINGLE, "__status_environments": environments})}).splitlines()
    assert [line.split() for line in lines if line.startswith("instance")] == [
        ["instance", "i-0123456789abcdef0,", "Ok"]
    ]


def test_people_are_told_where_domain_names_must_lead() -> None:
    template = (ROLES / "status/templates/report.txt.j2").read_text()
    lines = evaluated(template, {"__status": report(BALANCED)}).splitlines()
    assert [line.split() for line in lines if DISTRIBUTION in line] == [["distribution", f"https://{DISTRIBUTION}/"]]
