# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log groups with their metric filters, and dashboards, on moto."""

from __future__ import annotations

from typing import Any

GROUP = "/aws/elasticbeanstalk/web/containers"
FILTER = {"name": "due", "pattern": '"Sending due task"', "metric_namespace": "Web", "metric_name": "Due"}
WANTED = {
    "groups": [{"name": GROUP, "retention_in_days": 7, "metric_filters": [FILTER]}],
    "tags": {"Environment": "web"},
}


def ops(result: dict[str, Any]) -> list[str]:
    return [step["op"] for step in result["plan"]]


def test_a_group_with_its_filters_converges(aws: Any) -> None:
    checked = aws.run_module("log_groups", WANTED, check=True)
    assert ops(checked) == ["create", "retain", "put filter"] and aws.writes() == []
    made = aws.run_module("log_groups", WANTED)
    assert made["diff"] == checked["diff"] and made["groups"][GROUP]["tags"] == {"Environment": "web"}
    aws.writes()
    assert not aws.run_module("log_groups", WANTED)["changed"] and aws.writes() == []


def test_only_what_differs_is_changed(aws: Any) -> None:
    aws.client("logs").create_log_group(logGroupName=GROUP, tags={"Team": "web"})
    aws.client("logs").create_log_group(logGroupName=f"{GROUP}-2")
    theirs = {"metricNamespace": "Theirs", "metricName": "X", "metricValue": "1"}
    for name, namespace in (("old", "Web"), ("theirs", "Theirs")):
        aws.client("logs").put_metric_filter(
            logGroupName=GROUP,
            filterName=name,
            filterPattern="x",
            metricTransformations=[{**theirs, "metricNamespace": namespace}],
        )
    result = aws.run_module("log_groups", WANTED)
    assert ops(result) == ["retain", "tag", "put filter", "delete filter"]
    assert result["groups"][GROUP]["metric_filters"] == {"due": '"Sending due task"', "theirs": "x"}
    assert result["groups"][GROUP]["tags"] == {"Team": "web", "Environment": "web"}
    assert list(result["groups"]) == [GROUP]


def test_a_dashboard_is_compared_as_json(aws: Any) -> None:
    wanted = {"name": "web", "body": {"widgets": [{"type": "text", "properties": {"markdown": "# web"}}]}}
    assert ops(aws.run_module("cloudwatch_dashboard", wanted, check=True)) == ["create"] and aws.writes() == []
    assert aws.run_module("cloudwatch_dashboard", wanted)["dashboard"] == wanted["body"]
    aws.writes()
    assert not aws.run_module("cloudwatch_dashboard", wanted)["changed"] and aws.writes() == []
    assert ops(aws.run_module("cloudwatch_dashboard", {**wanted, "body": {"widgets": []}})) == ["update"]
    assert ops(aws.run_module("cloudwatch_dashboard", {"name": "web", "state": "absent"})) == ["delete"]
    assert not aws.run_module("cloudwatch_dashboard", {"name": "web", "state": "absent"})["changed"]
