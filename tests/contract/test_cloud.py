# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal cloud itself: its commands, its journal, its manners."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import docker
import pytest

from localcloud import images
from localcloud.clock import DeadlineExceeded, SystemClock, wait_until
from localcloud.names import LOOPBACK
from localcloud.state import State
from tests.contract.conftest import LocalCloud, Stage
from tests.support.clients import client
from tests.support.listening import addresses_in, addresses_of

ROOT = Path(__file__).resolve().parents[2]


def _localcloud(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localcloud", words[0], "--state-dir", str(state), *words[1:]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def _status_code(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def _journal(localcloud: Any, after: int = 0) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{localcloud.endpoint}/_localcloud/journal?after={after}", timeout=30) as reply:
        return [json.loads(line) for line in reply.read().decode().splitlines()]


def test_second_up_finds_the_first(localcloud: Any) -> None:
    again = _localcloud(localcloud.state_dir, "up")
    assert again.returncode == 0
    assert again.stdout == f"The rehearsal cloud is already up: {localcloud.endpoint}\n"


def test_status_is_json_in_both_places(localcloud: Any) -> None:
    printed = json.loads(_localcloud(localcloud.state_dir, "status", "--json").stdout)
    assert printed["endpoint"] == localcloud.endpoint
    assert printed["ca"] == str(localcloud.state_dir / "ca.pem")
    assert {"environments", "distributions", "databases", "caches"} <= printed.keys()
    assert localcloud.status().keys() == printed.keys()


def _distribution(cdn: Any, reference: str) -> str:
    """A distribution that is deployed nowhere special; returns its id."""
    origin = {
        "Id": "api",
        "DomainName": "api.example",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
    }
    behaviour = {
        "TargetOriginId": "api",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    }
    config = {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    return str(cdn.create_distribution(DistributionConfig=config)["Distribution"]["Id"])


def test_nobody_reaches_it_from_elsewhere(localcloud: Any, stage: Stage) -> None:
    ready = State(localcloud.state_dir).read_ready()
    assert ready is not None
    _distribution(localcloud.client("cloudfront"), "reached")
    web = stage.container("web", portMappings=[{"hostPort": 80, "containerPort": 8000}])
    stage.create("reached", stage.version([web]))
    stage.ready("reached")
    bridge = str(urlsplit(ready.container_endpoint).hostname)
    assert addresses_of(ready.pid) == {LOOPBACK, bridge}
    client = docker.from_env()
    label = f"localcloud={_cloud_id(localcloud.state_dir)}"
    ours = client.containers.list(filters={"label": label}, ignore_removed=True)
    kinds = {item.labels["localcloud.kind"] for item in ours}
    assert {"ecr", "front", "container"} <= kinds
    published = {binding["HostIp"] for item in ours for bindings in item.ports.values() for binding in bindings or ()}
    assert published == {LOOPBACK}
    on_the_machine = [item for item in ours if item.attrs["HostConfig"]["NetworkMode"] == "host"]
    assert {item.labels["localcloud.kind"] for item in on_the_machine} == {"front"}
    assert {address for item in on_the_machine for address in addresses_in(item.id)} == {LOOPBACK}
    stage.eb.terminate_environment(EnvironmentName="reached")


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C; who has been started where it is ignored is killed."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()


def test_status_is_watched(localcloud: Any) -> None:
    command = [sys.executable, "-m", "localcloud", "status", "--state-dir", str(localcloud.state_dir), "--watch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            assert watcher.stdout is not None
            lines = iter(watcher.stdout.readline, "")
            titles = [line.strip() for line in iter(lambda: next(lines), "Recent events\n") if line[:1].isalpha()]
            assert titles == ["Environments", "Distributions", "Databases", "Caches", "Cloud"]
            identifier = _distribution(localcloud.client("cloudfront"), "watched")
            change = next(line for line in lines if f"distributions {identifier} status" in line)
            assert re.fullmatch(r"\d\d:\d\d:\d\d distributions \S+ status: (InProgress|Deployed)\n", change)
        finally:
            _interrupt(watcher)
    assert watcher.returncode == 130


def test_cloud_lives_from_up_to_down_however_many_start_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert _localcloud(state, "status").returncode == 3
    with socket.socket() as taken, ThreadPoolExecutor() as pool:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        up = (state, "up", "--port", port, "--registry-port", port)
        started = list(pool.map(lambda _: _localcloud(*up), range(2)))
    ready = json.loads((state / "ready.json").read_text())
    try:
        assert [one.returncode for one in started] == [0, 0], [one.stderr for one in started]
        assert sum(f"The rehearsal cloud is already up: {ready['endpoint']}\n" == one.stdout for one in started) == 1
        assert not ready["endpoint"].endswith(f":{port}")
        assert _status_code(f"{ready['endpoint']}/_localcloud/status") == 200
        assert _status_code(f"{ready['container_endpoint']}/_localcloud/status") == 200
    finally:
        stopped = _localcloud(state, "down")
    assert stopped.returncode == 0, stopped.stderr
    assert not state.exists()
    assert _docker_objects(state) == set()
    assert _localcloud(state, "down").stdout == "There is no rehearsal cloud here\n"


def _docker_objects(state: Path) -> set[str]:
    """Containers, networks and volumes of the cloud in this directory."""
    client, ours = docker.from_env(), {"label": f"localcloud={_cloud_id(state)}"}
    return {
        *(f"container {item.name}" for item in client.containers.list(all=True, filters=ours, ignore_removed=True)),
        *(f"network {item.name}" for item in client.networks.list(filters=ours)),
        *(f"volume {item.name}" for item in client.volumes.list(filters=ours)),
    }


def _database(state: Path, name: str) -> None:
    """A database of that name in the cloud, without backups; its container and the registry's have been started."""
    rds = client("rds", _endpoint(state))
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="17",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        BackupRetentionPeriod=0,
        MasterUsername="antenna",
        MasterUserPassword="not-to-be-seen",
    )
    prefix = f"container localcloud-{_cloud_id(state)}-"
    started = {f"{prefix}rds-{name}", f"{prefix}ecr-registry"}
    try:
        wait_until(lambda: started <= _docker_objects(state), f"the start of {name}", 120, SystemClock(), poll=0.5)
    except DeadlineExceeded as late:
        raise AssertionError(State(state).log_file.read_text()) from late


def _environment(state: Path, name: str) -> None:
    """An environment in whose launch a command never ends: its front, its instance and the command are there."""
    ready = json.loads((state / "ready.json").read_text())
    stage = Stage(LocalCloud(state, ready["endpoint"], ready["registry"]), "never:pulled", "arn:aws:iam::1:role/none")
    stage.cloud.client("iam").create_instance_profile(InstanceProfileName="hello")
    endless = 'container_commands: {01_endless: {command: "sleep 600"}}'
    stage.create(name, stage.version([stage.container("web")], {".ebextensions/01.config": endless}))
    kinds = {"container front", "network instance", "container host"}

    def begun() -> bool:
        objects = (item.partition(f"localcloud-{_cloud_id(state)}-") for item in _docker_objects(state))
        return kinds <= {kind + rest.partition("-")[0] for kind, _, rest in objects}

    wait_until(begun, f"the launch of {name}", 60, SystemClock(), poll=0.5)


def _endpoint(state: Path) -> str:
    return str(json.loads((state / "ready.json").read_text())["endpoint"])


def test_nothing_is_left_of_a_cloud_that_was_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert _localcloud(state, "up").returncode == 0
    try:
        _database(state, "killed")
        _environment(state, "killed")
        image = f"{json.loads((state / 'ready.json').read_text())['registry']}/killed:1"
        assert docker.from_env().images.get(images.tag()).tag(image)
        os.kill(json.loads((state / "ready.json").read_text())["pid"], signal.SIGKILL)
        left = _docker_objects(state)
        assert _localcloud(state, "status").returncode == 3
        again = _localcloud(state, "up")
        assert again.returncode == 0, again.stderr
        assert set(again.stdout.splitlines()) >= {f"Removed a leftover: {name}" for name in (*left, f"image {image}")}
        assert not any("rds-killed" in name for name in _docker_objects(state))
        # The name is free: the account is a new one.
        _database(state, "killed")
        os.kill(json.loads((state / "ready.json").read_text())["pid"], signal.SIGKILL)
    finally:
        stopped = _localcloud(state, "down")
    assert stopped.returncode == 0, stopped.stderr
    assert _docker_objects(state) == set() and not state.exists()


def test_two_clouds_do_not_meet(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    try:
        for state in (one, other):
            assert _localcloud(state, "up").returncode == 0
            _database(state, "twin")
        assert _endpoint(one) != _endpoint(other)
        assert not _docker_objects(one) & _docker_objects(other)
        kept = _docker_objects(other)
        assert _localcloud(one, "down").returncode == 0
        assert _docker_objects(one) == set() and _docker_objects(other) >= kept
        found = json.loads(_localcloud(other, "status", "--json").stdout)
        assert list(found["databases"]) == ["twin"] and found["endpoint"] == _endpoint(other)
    finally:
        for state in (one, other):
            _localcloud(state, "down")
    assert _docker_objects(other) == set()


def _cloud_id(state: Path) -> str:
    return State(state).cloud_id


def test_absent_docker_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    refused = _localcloud(tmp_path / "state", "up")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"localcloud: no Docker at unix://{tmp_path}/none.sock: install Docker Engine")
    assert refused.stderr.count("\n") == 1


def test_clock_is_put_forward_and_never_back(localcloud: Any) -> None:
    before = datetime.fromisoformat(localcloud.admin("GET", "clock")["now"])
    assert localcloud.advance(3600) - before >= timedelta(hours=1)
    for body in ({"advance": -1}, {"advance": "1"}, {"now": 0}, [], None):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            localcloud.admin("POST", "clock", body)


def test_moto_lives_in_the_same_time(localcloud: Any) -> None:
    now = localcloud.advance(86400)
    created = localcloud.client("iam").create_user(UserName="tomorrow")["User"]["CreateDate"]
    localcloud.client("logs").create_log_group(logGroupName="tomorrow")
    (group,) = localcloud.client("logs").describe_log_groups(logGroupNamePrefix="tomorrow")["logGroups"]
    assert timedelta() <= created - now.replace(microsecond=0) < timedelta(minutes=10)
    assert timedelta() <= datetime.fromtimestamp(group["creationTime"] / 1000, UTC) - now < timedelta(minutes=10)


def test_latency_is_aws_s_scaled_and_addresses_are_those_asked_for(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert _localcloud(state, "up", "--latency", "aws", "--scale", "-1").returncode == 2
    assert _localcloud(state, "up", "--latency", "aws", "--scale", "0.01", "--listen", "127.0.0.2").returncode == 0
    try:
        ready = State(state).read_ready()
        assert ready is not None
        assert addresses_of(ready.pid) == {LOOPBACK, str(urlsplit(ready.container_endpoint).hostname), "127.0.0.2"}
        printed = json.loads(_localcloud(state, "status", "--json").stdout)
        assert printed["latency"] == "aws, times 0.01"
        with urllib.request.urlopen(f"{printed['endpoint']}/_localcloud/latency", timeout=30) as reply:
            assert json.load(reply)["rds.create"] == pytest.approx(2.46)
    finally:
        assert _localcloud(state, "down").returncode == 0


def test_single_latencies_are_set_and_reset(localcloud: Any) -> None:
    before = localcloud.admin("GET", "latency")
    assert localcloud.admin("POST", "latency", {"ec2.launch": 7})["ec2.launch"] == 7
    for body in ({"ec2.dance": 1}, {"ec2.launch": -1}, {"ec2.launch": "1"}, []):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            localcloud.admin("POST", "latency", body)
    assert localcloud.admin("DELETE", "latency") == before


def test_journal_names_calls_and_no_secret(localcloud: Any) -> None:
    before = len(_journal(localcloud))
    secrets = localcloud.client("secretsmanager")
    secrets.create_secret(Name="journal", SecretString="not-to-be-seen")
    secrets.get_secret_value(SecretId="journal")
    s3 = localcloud.client("s3")
    s3.create_bucket(Bucket="journal", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="journal", Key="a b", Body=b"not-to-be-seen")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="journal", Key="none")
    entries = _journal(localcloud, after=before)
    told = ("service", "operation", "access", "resource", "status", "error")
    assert [tuple(entry[name] for name in told) for entry in entries] == [
        ("secretsmanager", "CreateSecret", "write", "journal", 200, ""),
        ("secretsmanager", "GetSecretValue", "read", "journal", 200, ""),
        ("s3", "CreateBucket", "write", "journal", 200, ""),
        ("s3", "PutObject", "write", "journal/a b", 200, ""),
        ("s3", "GetObject", "read", "journal/none", 404, "NoSuchKey"),
    ]
    assert [entry["number"] for entry in entries] == list(range(before + 1, before + 6))
    assert "not-to-be-seen" not in json.dumps(_journal(localcloud))


def test_journal_knows_who_called(localcloud: Any) -> None:
    iam = localcloud.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    s3 = boto3.client(
        "s3",
        endpoint_url=localcloud.endpoint,
        region_name="us-west-2",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    before = len(_journal(localcloud))
    s3.list_buckets()
    _status_code(f"{localcloud.endpoint}/ana/none")
    callers = [entry["caller"] for entry in _journal(localcloud, after=before)]
    assert callers == ["arn:aws:iam::123456789012:user/ana", "anonymous"]
    secrets = (key["AccessKeyId"], key["SecretAccessKey"])
    assert not any(secret in json.dumps(_journal(localcloud)) for secret in secrets)


def test_journal_is_printed_for_people_and_as_json_lines(localcloud: Any) -> None:
    after = str(len(_journal(localcloud)))
    sns = localcloud.client("sns")
    topic = sns.create_topic(Name="printed")["TopicArn"]
    sns.get_topic_attributes(TopicArn=topic)
    printed = _localcloud(localcloud.state_dir, "journal", "--after", after, "--service", "sns").stdout.splitlines()
    assert [line.split()[3:6] for line in printed[1:]] == [
        ["write", "sns.CreateTopic", "printed"],
        ["read", "sns.GetTopicAttributes", topic],
    ]
    lines = _localcloud(localcloud.state_dir, "journal", "--json", "--writes", "--after", after).stdout.splitlines()
    assert [json.loads(line)["operation"] for line in lines] == ["CreateTopic"]
    assert _status_code(f"{localcloud.endpoint}/_localcloud/journal?after=x") == 400


def test_journal_is_followed(localcloud: Any) -> None:
    after = str(len(_journal(localcloud)))
    command = [sys.executable, "-m", "localcloud", "journal", "--state-dir", str(localcloud.state_dir), "--json", "-f"]
    with subprocess.Popen([*command, "--after", after], cwd=ROOT, stdout=subprocess.PIPE, text=True) as follower:
        try:
            assert follower.stdout is not None
            localcloud.client("sns").create_topic(Name="followed")
            assert json.loads(follower.stdout.readline())["resource"] == "followed"
            localcloud.client("sns").create_topic(Name="followed-too")
            assert json.loads(follower.stdout.readline())["resource"] == "followed-too"
        finally:
            _interrupt(follower)
    assert follower.returncode == 130


def test_nobody_s_instance_cannot_be_lost(localcloud: Any) -> None:
    refused = _localcloud(localcloud.state_dir, "lose", "i-none")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        localcloud.admin("POST", "instances/lose", {"instance": "i-none"})


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("elasticache", "describe_cache_parameter_groups", {}),
        ("ec2", "describe_capacity_reservations", {}),
        ("ecr", "describe_pull_through_cache_rules", {}),
    ],
)
def test_unknown_operation_is_refused_in_the_form_of_aws(
    localcloud: Any, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    client = localcloud.client(service)
    with pytest.raises(client.exceptions.ClientError) as refused:
        getattr(client, operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == "InvalidAction"


def test_bucket_refuses_strangers_even_with_a_policy_for_the_cdn(localcloud: Any) -> None:
    s3 = localcloud.client("s3")
    s3.create_bucket(Bucket="private", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="private", Key="index.html", Body=b"hello")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::private/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1"}},
    }
    s3.put_bucket_policy(Bucket="private", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for path in ("private/index.html", "private/none", "private", "private?list-type=2"):
        assert _status_code(f"{localcloud.endpoint}/{path}") == 403, path
    assert s3.get_object(Bucket="private", Key="index.html")["Body"].read() == b"hello"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "private", "Key": "index.html"})
    assert _status_code(url) == 200


def test_bridge_address_is_no_bucket(localcloud: Any) -> None:
    ready = json.loads((localcloud.state_dir / "ready.json").read_text())
    s3 = client("s3", ready["container_endpoint"])
    s3.create_bucket(Bucket="bridge", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="bridge", Key="a/b", Body=b"hello")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bridge")["Contents"]] == ["a/b"]


def test_managed_policies_exist(localcloud: Any) -> None:
    iam = localcloud.client("iam")
    arn = "arn:aws:iam::aws:policy/AWSElasticBeanstalkMulticontainerDocker"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
