# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms of the role observability: each goes off by what it is there for, tells its topic, and recovers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import ROOT, LocalCloud, Stage

NAME = "life-one"
GROUP = f"/aws/elasticbeanstalk/{NAME}/containers"
PLAY = """\
- hosts: life-one
  gather_facts: false
  module_defaults:
    group/antenna.aws.aws: "{{ antenna_connection }}"
  tasks:
    - ansible.builtin.import_role:
        name: antenna.aws.observability
"""
GIB = 2**30


@dataclass
class Watched:
    """A deployment's alarms, of which nothing else exists, and what its topic was told."""

    cloud: LocalCloud
    queue: str
    told: dict[str, list[str]] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.cloud.advance(0)

    def say(self, *messages: str) -> None:
        """Write lines as a container would."""
        now = int(self.now().timestamp() * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        self.cloud.client("logs").put_log_events(logGroupName=GROUP, logStreamName="task/any/1", logEvents=events)

    def measure(self, namespace: str, metric: str, value: float, **dimensions: str) -> None:
        """Tell a value as the service of this namespace would."""
        datum = {
            "MetricName": metric,
            "Value": value,
            "Timestamp": self.now(),
            "Dimensions": [{"Name": name, "Value": of} for name, of in dimensions.items()],
        }
        self.cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])

    def state(self, alarm: str) -> str:
        found = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}-{alarm}"])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def becomes(self, alarm: str, state: str) -> None:
        Stage.wait_for(lambda: self.state(alarm) == state, f"{alarm} {state}", 30)

    def messages(self, alarm: str) -> list[str]:
        """The states that the topic was told of this alarm so far."""
        sqs = self.cloud.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for item in found:
                message = json.loads(json.loads(item["Body"])["Message"])
                self.told.setdefault(message["AlarmName"], []).append(message["NewStateValue"])
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=item["ReceiptHandle"])
        return self.told.get(f"{NAME}-{alarm}", [])


def observability(cloud: LocalCloud, tmp_path: Path, *options: str) -> str:
    """Run the role; returns the recap."""
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    inventories = ["-i", str(ROOT / "inventories/local"), "-i", str(ROOT / "extensions/molecule/inventory")]
    environment = {**os.environ, "LOCALCLOUD_STATE": str(cloud.state_dir), "ANSIBLE_NOCOLOR": "1"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(play), *inventories, *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout.rsplit("PLAY RECAP", 1)[1].splitlines()[1]


@pytest.fixture(scope="module")
def watched(localcloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    observability(localcloud, tmp_path_factory.mktemp("alarms"))
    sqs, sns = localcloud.client("sqs"), localcloud.client("sns")
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = f"arn:aws:sns:us-west-2:123456789012:{NAME}-alarms"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    localcloud.client("logs").create_log_stream(logGroupName=GROUP, logStreamName="task/any/1")
    yield Watched(localcloud, queue)
    for alarm in localcloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=NAME)["MetricAlarms"]:
        localcloud.client("cloudwatch").delete_alarms(AlarmNames=[alarm["AlarmName"]])


def monitor(**figures: Any) -> str:
    return json.dumps({"monitor": "celery", **figures})


FAILED_TASK = (
    "[2026-11-25 12:00:00,000: ERROR/ForkPoolWorker-1] Task antenna.tasks.one[1] raised unexpected: KeyError()"
)
LOST = "[2026-11-25 12:00:00,000: WARNING/MainProcess] consumer: Connection to broker lost. Trying to re-establish"
SERVER_ERROR = "ERROR 2026-11-25 12:00:00,000 django.request Internal Server Error: /api/v2/projects/"
DUE = "[2026-11-25 12:00:00,000: INFO/MainProcess] Scheduler: Sending due task heartbeat (antenna.tasks.heartbeat)"

SPOKEN: dict[str, list[str]] = {
    "worker-failures": [FAILED_TASK] * 5,
    "broker-errors": [LOST] * 3,
    "broker-unreachable": [monitor(broker=0, error="OperationalError")],
    "server-errors": [SERVER_ERROR] * 5,
}


@pytest.mark.parametrize(("alarm", "lines"), SPOKEN.items(), ids=SPOKEN)
def test_what_the_containers_say_sets_it_off_until_they_say_it_no_more(
    watched: Watched, alarm: str, lines: list[str]
) -> None:
    watched.becomes(alarm, "OK")
    watched.say(*lines)
    watched.becomes(alarm, "ALARM")
    watched.cloud.advance(301)
    watched.becomes(alarm, "OK")
    assert watched.messages(alarm)[-2:] == ["ALARM", "OK"]


SILENT = {"beat-silence": (DUE, 901), "no-worker": (monitor(broker=1, queue_length=0, workers=1), 301)}


@pytest.mark.parametrize(("alarm", "line", "seconds"), [(name, *of) for name, of in SILENT.items()], ids=SILENT)
def test_silence_sets_it_off_until_it_is_broken(watched: Watched, alarm: str, line: str, seconds: int) -> None:
    watched.say(line)
    watched.becomes(alarm, "OK")
    watched.cloud.advance(seconds)
    watched.becomes(alarm, "ALARM")
    watched.say(line)
    watched.becomes(alarm, "OK")
    assert watched.messages(alarm)[-3:] == ["OK", "ALARM", "OK"]


def test_a_queue_that_stays_long_sets_it_off(watched: Watched) -> None:
    # Whatever was said of the queue before is past.
    watched.cloud.advance(901)
    watched.becomes("queue-length", "OK")
    for minutes in (0, 5, 5):
        assert watched.state("queue-length") == "OK"
        watched.cloud.advance(minutes * 60 + 1)
        watched.say(monitor(broker=1, queue_length=5000, workers=1))
    watched.becomes("queue-length", "ALARM")
    watched.say(monitor(broker=1, queue_length=3, workers=1))
    watched.becomes("queue-length", "OK")
    assert watched.messages("queue-length")[-2:] == ["ALARM", "OK"]


MEASURED: dict[str, tuple[str, str, float, dict[str, str]]] = {
    "environment-health": ("AWS/ElasticBeanstalk", "EnvironmentHealth", 25, {"EnvironmentName": NAME}),
    "database-storage": ("AWS/RDS", "FreeStorageSpace", GIB, {"DBInstanceIdentifier": f"{NAME}-postgres"}),
    "database-connections": ("AWS/RDS", "DatabaseConnections", 150, {"DBInstanceIdentifier": f"{NAME}-postgres"}),
    f"redis-memory-{NAME}-redis-001": (
        "AWS/ElastiCache",
        "DatabaseMemoryUsagePercentage",
        81,
        {"CacheClusterId": f"{NAME}-redis-001"},
    ),
    f"redis-evictions-{NAME}-redis-001": ("AWS/ElastiCache", "Evictions", 1, {"CacheClusterId": f"{NAME}-redis-001"}),
}


@pytest.mark.parametrize(("alarm", "measured"), MEASURED.items(), ids=MEASURED)
def test_what_a_service_measures_sets_it_off(
    watched: Watched, alarm: str, measured: tuple[str, str, float, dict[str, str]]
) -> None:
    namespace, metric, value, dimensions = measured
    watched.becomes(alarm, "OK")
    watched.measure(namespace, metric, value, **dimensions)
    watched.becomes(alarm, "ALARM")
    watched.cloud.advance(301)
    watched.becomes(alarm, "OK")
    assert watched.messages(alarm)[-2:] == ["ALARM", "OK"]


def test_a_busy_database_sets_it_off_after_a_quarter_of_an_hour(watched: Watched) -> None:
    watched.becomes("database-cpu", "OK")
    for minutes in (0, 5, 5):
        watched.cloud.advance(minutes * 60 + 1)
        watched.measure("AWS/RDS", "CPUUtilization", 95, DBInstanceIdentifier=f"{NAME}-postgres")
    watched.becomes("database-cpu", "ALARM")
    watched.cloud.advance(601)
    watched.becomes("database-cpu", "OK")


def test_every_alarm_is_tried_here(watched: Watched) -> None:
    found = watched.cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
    tried = {*SPOKEN, *SILENT, *MEASURED, "queue-length", "database-cpu"}
    assert {alarm["AlarmName"].removeprefix(f"{NAME}-") for alarm in found} == tried
    tags = watched.cloud.client("cloudwatch").list_tags_for_resource(ResourceARN=found[0]["AlarmArn"])["Tags"]
    assert {"Key": "Environment", "Value": NAME} in tags


def test_a_second_run_changes_nothing_and_the_dashboard_shows_all(watched: Watched, tmp_path: Path) -> None:
    assert "changed=0 " in observability(watched.cloud, tmp_path)
    assert "changed=0 " in observability(watched.cloud, tmp_path, "--check")
    body = json.loads(watched.cloud.client("cloudwatch").get_dashboard(DashboardName=NAME)["DashboardBody"])
    shown = {widget["properties"]["metrics"][0][1] for widget in body["widgets"] if widget["type"] == "metric"}
    assert {"QueueLength", "BeatSent", "EnvironmentHealth", "FreeStorageSpace", "Evictions"} <= shown


def test_a_check_of_an_empty_account_tells_what_would_be_made(localcloud: LocalCloud, tmp_path: Path) -> None:
    before = localcloud.admin("GET", "status")["alarms"]
    recap = observability(
        localcloud, tmp_path, "--check", "-e", "antenna_name=nobody", "-e", "antenna_environment_name=nobody"
    )
    assert "failed=0" in recap and "changed=0" not in recap
    assert localcloud.admin("GET", "status")["alarms"] == before
