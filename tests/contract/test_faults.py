# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble on demand, as botocore meets it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.contract.conftest import LocalCloud

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cloud(localcloud: LocalCloud) -> Iterator[LocalCloud]:
    """The cloud, which is well again afterwards."""
    yield localcloud
    localcloud.admin("DELETE", "faults")


def client(cloud: LocalCloud, service: str, attempts: int) -> Any:
    """A client that tries a call so often."""
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="us-west-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing-secret",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "elasticbeanstalk": ("describe_environments", {}),
    "rds": ("describe_db_instances", {}),
    "cloudfront": ("list_distributions", {}),
    "ec2": ("describe_vpcs", {}),
    "s3": ("list_buckets", {}),
    "ecr": ("describe_repositories", {}),
    "secretsmanager": ("list_secrets", {}),
}


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("throttling", {"Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"}),
        ("internal", {"InternalFailure", "InternalError"}),
        ("unavailable", {"ServiceUnavailable", "Unavailable"}),
    ],
)
@pytest.mark.parametrize("service", CALLS)
def test_passing_trouble_is_retried(cloud: LocalCloud, service: str, kind: str, codes: set[str]) -> None:
    operation, arguments = CALLS[service]
    cloud.admin("POST", "faults", {"kind": kind, "service": service, "count": 2})
    with pytest.raises(ClientError) as refused:
        getattr(client(cloud, service, 1), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] in codes
    answer = getattr(client(cloud, service, 3), operation)(**arguments)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize("service", CALLS)
def test_denial_is_final(cloud: LocalCloud, service: str) -> None:
    operation, arguments = CALLS[service]
    cloud.admin("POST", "faults", {"kind": "denied", "service": service})
    with pytest.raises(ClientError) as refused:
        getattr(client(cloud, service, 3), operation)(**arguments)
    code = refused.value.response["Error"]["Code"]
    assert code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_connection_is_dropped(cloud: LocalCloud) -> None:
    cloud.admin("POST", "faults", {"kind": "dropped", "service": "iam", "operation": "List*", "count": 2})
    with pytest.raises(ConnectionClosedError):
        client(cloud, "iam", 1).list_users()
    assert client(cloud, "iam", 2).list_users()["ResponseMetadata"]["RetryAttempts"] == 1
    assert client(cloud, "iam", 1).get_account_summary()["SummaryMap"]


def test_slow_answer_waits_for_the_cloud_s_clock(cloud: LocalCloud) -> None:
    cloud.admin("POST", "faults", {"kind": "slow", "service": "iam", "seconds": 600, "count": 1})
    answered = threading.Event()
    call = threading.Thread(target=lambda: (cloud.client("iam").list_users(), answered.set()), daemon=True)
    call.start()
    while not cloud.admin("GET", "faults")[0]["struck"]:
        assert call.is_alive()
    assert not answered.is_set()
    while not answered.wait(0.05):
        cloud.advance(600)
    call.join()


def test_reads_are_stale_after_a_write(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="stale", Attributes={"DisplayName": "old"})["TopicArn"]
    cloud.admin("POST", "faults", {"kind": "stale", "service": "sns", "operation": "Get*", "seconds": 60})

    def name() -> str:
        return str(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"])

    cloud.advance(60)
    assert name() == "old"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="new")
    assert name() == "old"
    cloud.advance(60)
    assert name() == "new"


def test_one_resource_of_many(cloud: LocalCloud) -> None:
    iam = client(cloud, "iam", 1)
    for name in ("well", "ill"):
        iam.create_user(UserName=name)
    cloud.admin("POST", "faults", {"kind": "internal", "resource": "ill"})
    assert iam.get_user(UserName="well")["User"]["UserName"] == "well"
    with pytest.raises(ClientError, match="InternalFailure"):
        iam.get_user(UserName="ill")


def test_nonsense_is_refused(cloud: LocalCloud) -> None:
    for body in ({"kind": "rain"}, {"kind": "slow"}, [], None):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            cloud.admin("POST", "faults", body)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        cloud.admin("DELETE", "faults?id=4711")


def test_struck_calls_are_in_the_journal(cloud: LocalCloud) -> None:
    for kind in ("throttling", "dropped"):
        cloud.admin("POST", "faults", {"kind": kind, "service": "sts", "count": 1})
    client(cloud, "sts", 5).get_caller_identity()
    command = [sys.executable, "-m", "localcloud", "journal", "--state-dir", str(cloud.state_dir), "--json"]
    printed = subprocess.run(
        [*command, "--service", "sts"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    entries = [json.loads(line) for line in printed.splitlines()][-3:]
    assert [(entry["status"], entry["error"]) for entry in entries] == [
        (400, "Throttling"),
        (0, "ConnectionDropped"),
        (200, ""),
    ]


def test_rules_from_the_command_line(cloud: LocalCloud) -> None:
    def faults(*words: str) -> list[list[str]]:
        command = [sys.executable, "-m", "localcloud", "faults", words[0], "--state-dir", str(cloud.state_dir)]
        done = subprocess.run([*command, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
        return [line.split() for line in done.stdout.splitlines()[1:]]

    (added,) = faults("add", "throttling", "--service", "elasticbeanstalk", "--operation", "Describe*", "--count", "3")
    assert added[1:5] == ["throttling", "elasticbeanstalk", "Describe*", "*"]
    assert faults("list") == [added]
    faults("add", "slow", "--seconds", "5", "--probability", "0.5", "--seed", "1")
    assert [rule[1] for rule in faults("clear", added[0])] == ["slow"]
    assert faults("clear") == []
