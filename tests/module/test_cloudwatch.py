# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log groups with their metric filters, alarms and dashboards, on moto."""

from __future__ import annotations

from typing import Any

GROUP = "/aws/elasticbeanstalk/web/containers"
FILTER = {"name": "due", "pattern": '"Sending due task"', "metric_namespace": "Web", "metric_name": "Due"}
WANTED = {
    "groups": [{"name": GROUP, "retention_in_days": 7, "metric_filters": [FILTER]}],
    "tags": {"Environment": "web"},
}
QUEUE = {
    "name": "web-queue-length",
    "description": "Tasks wait.",
    "namespace": "Web",
    "metric_name": "QueueLength",
    "dimensions": {"Queue": "jobs"},
    "statistic": "Minimum",
    "comparison_operator": "GreaterThanOrEqualToThreshold",
    "threshold": 1000,
    "period": 300,
    "evaluation_periods": 3,
}
SILENCE = {**QUEUE, "name": "web-silence", "dimensions": {}, "treat_missing_data": "breaching"}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:web-alarms"
ALARMS = {
    "alarms": [QUEUE, SILENCE, {"name": "web-redis-memory-002", "state": "absent"}],
    "alarm_actions": [TOPIC],
    "ok_actions": [TOPIC],
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


def test_alarms_are_made_with_their_tags(aws: Any) -> None:
    checked = aws.run_module("cloudwatch_alarms", ALARMS, check=True)
    assert ops(checked) == ["create", "create"] and aws.writes() == []
    made = aws.run_module("cloudwatch_alarms", ALARMS)
    # No call after the one that makes it, before which a run might be killed.
    assert aws.writes() == ["monitoring:PutMetricAlarm"] * 2
    assert made["diff"] == checked["diff"]
    assert {alarm["tags"]["Environment"] for alarm in made["alarms"].values()} == {"web"}
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=["web-queue-length"])["MetricAlarms"]
    assert (found["Threshold"], found["Dimensions"]) == (1000.0, [{"Name": "Queue", "Value": "jobs"}])
    aws.calls()
    assert not aws.run_module("cloudwatch_alarms", ALARMS)["changed"]
    assert aws.calls() == ["monitoring:DescribeAlarms", *["monitoring:ListTagsForResource"] * 2]


def test_what_differs_of_alarms_is_put_right_and_what_is_unwanted_goes(aws: Any) -> None:
    cloudwatch = aws.client("cloudwatch")
    aws.run_module("cloudwatch_alarms", {**ALARMS, "tags": {"Team": "web"}})
    old = {"Namespace": "Web", "MetricName": "Memory", "Statistic": "Maximum", "Threshold": 80.0}
    for name in ("web-redis-memory-002", "theirs"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, Period=60, EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", **old
        )
    aws.writes()
    changed = {**ALARMS, "alarms": [{**QUEUE, "threshold": 5, "period": 60}, *ALARMS["alarms"][1:]]}
    checked = aws.run_module("cloudwatch_alarms", changed, check=True)
    assert [(step["op"], step["resource"], step["reason"]) for step in checked["plan"]] == [
        ("update", "web-queue-length", "its threshold, period differ"),
        ("tag", "web-queue-length", "its tags differ: Environment"),
        ("tag", "web-silence", "its tags differ: Environment"),
        ("delete", "web-redis-memory-002", "the alarm is not wanted"),
    ]
    assert aws.writes() == []
    done = aws.run_module("cloudwatch_alarms", changed)
    assert (done["plan"], done["diff"]) == (checked["plan"], checked["diff"])
    assert done["alarms"]["web-queue-length"]["tags"] == {"Team": "web", "Environment": "web"}
    left = [alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]]
    assert sorted(left) == ["theirs", "web-queue-length", "web-silence"]
    assert not aws.run_module("cloudwatch_alarms", changed)["changed"]


def test_an_alarm_needs_a_metric(aws: Any) -> None:
    refused = aws.run_module("cloudwatch_alarms", {"alarms": [{"name": "web-queue-length"}]})
    assert "state is present but all of the following are missing: namespace, metric_name" in refused["msg"]


def test_a_dashboard_is_compared_as_json(aws: Any) -> None:
    wanted = {"name": "web", "body": {"widgets": [{"type": "text", "properties": {"markdown": "# web"}}]}}
    assert ops(aws.run_module("cloudwatch_dashboard", wanted, check=True)) == ["create"] and aws.writes() == []
    assert aws.run_module("cloudwatch_dashboard", wanted)["dashboard"] == wanted["body"]
    aws.writes()
    assert not aws.run_module("cloudwatch_dashboard", wanted)["changed"] and aws.writes() == []
    assert ops(aws.run_module("cloudwatch_dashboard", {**wanted, "body": {"widgets": []}})) == ["update"]
    assert ops(aws.run_module("cloudwatch_dashboard", {"name": "web", "state": "absent"})) == ["delete"]
    assert not aws.run_module("cloudwatch_dashboard", {"name": "web", "state": "absent"})["changed"]
