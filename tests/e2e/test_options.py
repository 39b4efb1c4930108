# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory production turns on, in a rehearsal of it; and what is done to a deployment now and then."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest

from tests.support.account import Account, made_and_not_removed
from tests.support.data import eventually
from tests.support.rehearsal import ACCOUNT, Page, Rehearsal, Run, inside, meanwhile

NAME = "antenna-prod"
HOST = "antenna-production.example.org"
# Beside the deployment of the other tests, in the same VPC.
SUBNETS = [
    {"cidr": "172.31.160.0/20", "availability_zone": "us-west-2a"},
    {"cidr": "172.31.176.0/20", "availability_zone": "us-west-2b"},
]
INVENTORY = ("-i", "inventories/production", "-i", "inventories/rehearsal")
RESTORED = f"{NAME}-postgres-2"
SILENCE = {f"{NAME}-beat-silence", f"{NAME}-no-worker"}
"""The alarms that go off when nothing is heard."""
QUIET = {f"{NAME}-worker-failures", f"{NAME}-broker-errors", f"{NAME}-server-errors"}
"""Those of what nobody says while all is well."""
UNMEASURED = {f"{NAME}-database-cpu"}
"""Those of what a rehearsal does not measure."""


class Production:
    """The deployment of inventories/production, in the rehearsal cloud."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.web_acl = self._web_acl()
        sqs = self.client("sqs")
        self.queue = str(sqs.create_queue(QueueName=NAME)["QueueUrl"])
        asked = sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        self.queue_arn = str(asked["Attributes"]["QueueArn"])
        self.messages: list[tuple[str, str]] = []

    def _web_acl(self) -> str:
        """The ARN of a web ACL that somebody made."""
        seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": NAME}
        made = self.client("wafv2", "us-east-1").create_web_acl(
            Name=NAME, Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=seen
        )
        return str(made["Summary"]["ARN"])

    def ansible(self, playbook: str, *options: str, **more: Any) -> Run:
        values = {
            "antenna_source": str(self.rehearsal.source),
            "antenna_name": NAME,
            "network_private_subnets": SUBNETS,
            "ui_distribution_access_logs": True,
            "ui_distribution_web_acl_arn": self.web_acl,
            "observability_subscriptions": [{"protocol": "sqs", "endpoint": self.queue_arn}],
            **more,
        }
        rights = self.rehearsal.rights.get(NAME, ())
        told = (*INVENTORY, *rights, "-e", json.dumps(values), *options)
        return self.rehearsal.ansible(f"playbooks/{playbook}.yml", *told)

    def client(self, service: str, region: str = "us-west-2") -> Any:
        return self.rehearsal.client(service, region)

    def options(self) -> dict[tuple[str, str], str]:
        answer = self.client("elasticbeanstalk").describe_configuration_settings(
            ApplicationName=NAME, EnvironmentName=NAME
        )
        settings = answer["ConfigurationSettings"][0]["OptionSettings"]
        return {(item["Namespace"], item["OptionName"]): item.get("Value", "") for item in settings}

    def images(self) -> list[str]:
        """The image of Django on each instance."""
        return [one["image"] for one in self.rehearsal.containers(NAME, "django")]

    def manage(self, code: str) -> list[str]:
        """What a piece of Python says with Antenna's settings, on each instance."""
        shell = ("/entrypoint", "python", "manage.py", "shell", "--command", code)
        return [inside(one["docker_id"], *shell) for one in self.rehearsal.containers(NAME, "django")]

    def versions(self) -> list[str]:
        """The version that each instance has."""
        beanstalk = self.client("elasticbeanstalk")
        found = beanstalk.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
        return [instance["Deployment"]["VersionLabel"] for instance in found]

    def instances(self) -> dict[str, str]:
        """The health of each instance."""
        beanstalk = self.client("elasticbeanstalk")
        found = beanstalk.describe_instances_health(EnvironmentName=NAME, AttributeNames=["All"])["InstanceHealthList"]
        return {instance["InstanceId"]: instance["HealthStatus"] for instance in found}

    def said(self, pattern: str) -> list[dict[str, Any]]:
        """What the containers have said that the pattern matches."""
        group = f"/aws/elasticbeanstalk/{NAME}/containers"
        return list(self.client("logs").filter_log_events(logGroupName=group, filterPattern=pattern)["events"])

    def beats(self) -> dict[str, str]:
        """The tasks in which beat has been started, and the instances of those that run."""
        ecs, said = self.client("ecs"), self.said('"alone: this instance runs it"')
        started = {event["logStreamName"].rpartition("/")[2] for event in said}
        (cluster,) = [arn for arn in ecs.list_clusters()["clusterArns"] if f"awseb-{NAME}-" in arn]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
        hosts = [task["containerInstanceArn"] for task in tasks]
        found = ecs.describe_container_instances(cluster=cluster, containerInstances=hosts)["containerInstances"]
        instances = {one["containerInstanceArn"]: one["ec2InstanceId"] for one in found}
        return {
            task: instances[one["containerInstanceArn"]]
            for one in tasks
            if (task := one["taskArn"].rpartition("/")[2]) in started
        }

    def database(self, name: str = f"{NAME}-postgres") -> dict[str, Any]:
        return dict(self.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    def redis(self) -> dict[str, Any]:
        elasticache = self.client("elasticache")
        (group,) = elasticache.describe_replication_groups(ReplicationGroupId=f"{NAME}-redis")["ReplicationGroups"]
        return dict(group)

    def secret(self) -> dict[str, str]:
        held = self.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/environment")["SecretString"]
        return dict(json.loads(held))

    def distribution(self) -> str:
        listed = self.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        (identifier,) = [one["Id"] for one in listed if HOST in one["Aliases"].get("Items", [])]
        return str(identifier)

    def alarms(self) -> dict[str, str]:
        """The state of each alarm."""
        found = self.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
        return {one["AlarmName"]: one["StateValue"] for one in found}

    def told(self, alarm: str) -> list[str]:
        """The states that whoever subscribed was told of this alarm so far."""
        sqs = self.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for item in found:
                message = json.loads(json.loads(item["Body"])["Message"])
                self.messages.append((message["AlarmName"], message["NewStateValue"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=item["ReceiptHandle"])
        return [state for name, state in self.messages if name == alarm]

    def heard(self) -> set[str]:
        """The alarms whose metric, of exactly their dimensions, has had values lately."""
        cloudwatch, now = self.client("cloudwatch"), self.rehearsal.now()
        span = {"StartTime": now - timedelta(hours=1), "EndTime": now, "Period": 3600, "Statistics": ["SampleCount"]}
        return {
            one["AlarmName"]
            for one in cloudwatch.describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
            if cloudwatch.get_metric_statistics(
                **{key: one[key] for key in ("Namespace", "MetricName", "Dimensions")}, **span
            )["Datapoints"]
        }

    def open(self, path: str) -> Page:
        return self.rehearsal.get(self.url + path, Host=HOST)

    @cached_property
    def url(self) -> str:
        """Where the distribution answers on this machine."""
        return str(self.rehearsal.status()["distributions"][self.distribution()]["url"])

    def answer(self) -> int | str:
        """The status with which the API answers through the distribution, or why it does not."""
        try:
            return self.open("/api/v2/projects/?format=json").status
        except OSError as error:
            return str(error)

    def projects(self) -> int:
        return int(json.loads(self.open("/api/v2/projects/?format=json").body)["count"])

    def recovers(self) -> None:
        """Wait until the API answers and a task that was due from now on has come by Redis to the database."""
        now = datetime.now(UTC).isoformat()

        def look() -> str:
            page = self.open("/api/v2/status/?format=json")
            return str(json.loads(page.body)["heartbeat"]) if page.status == 200 else ""

        eventually(look, lambda heartbeat: heartbeat > now, 120)
        assert self.answer() == 200


@pytest.fixture(scope="module")
def production(rehearsal: Rehearsal) -> Iterator[Production]:
    rehearsal.localcloud("certificate", HOST)
    subject = Production(rehearsal)
    rehearsal.take_role(NAME, *INVENTORY, "-e", json.dumps({"antenna_name": NAME}))
    run = subject.ansible("site")
    assert run.recap["failed"] == 0
    yield subject


def test_the_second_run_changes_nothing(production: Production) -> None:
    assert production.ansible("site").recap["changed"] == 0


# -- The database -------------------------------------------------------------


def test_database_outlives_a_zone(production: Production) -> None:
    projects = production.projects()
    # A backup may be under way.
    before = eventually(production.database, lambda it: it["DBInstanceStatus"] == "available")
    assert before["MultiAZ"] and before["SecondaryAvailabilityZone"] != before["AvailabilityZone"]
    rds = production.client("rds")
    rds.reboot_db_instance(DBInstanceIdentifier=before["DBInstanceIdentifier"], ForceFailover=True)
    moved = ("available", before["SecondaryAvailabilityZone"])
    eventually(production.database, lambda it: (it["DBInstanceStatus"], it["AvailabilityZone"]) == moved)
    production.recovers()
    assert production.projects() == projects


def test_database_is_backed_up_and_protected(production: Production) -> None:
    database = production.database()
    assert (database["BackupRetentionPeriod"], database["PreferredBackupWindow"]) == (30, "08:00-08:30")
    assert database["PreferredMaintenanceWindow"] == "sun:09:00-sun:10:00"
    assert database["DeletionProtection"] and database["CopyTagsToSnapshot"]


def test_database_grows_by_itself(production: Production) -> None:
    database = production.database()
    assert (database["StorageType"], database["MaxAllocatedStorage"]) == ("gp3", 200)


def test_database_demands_tls(production: Production) -> None:
    (group,) = production.database()["DBParameterGroups"]
    assert (group["DBParameterGroupName"], group["ParameterApplyStatus"]) == (f"{NAME}-postgres17", "in-sync")
    pages = (
        production.client("rds")
        .get_paginator("describe_db_parameters")
        .paginate(DBParameterGroupName=group["DBParameterGroupName"])
    )
    values = {item["ParameterName"]: item.get("ParameterValue") for page in pages for item in page["Parameters"]}
    assert values["rds.force_ssl"] == "1"


def is_monitored(database: dict[str, Any]) -> bool:
    role = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-rds-monitoring"
    insights = (database["PerformanceInsightsEnabled"], database["PerformanceInsightsRetentionPeriod"])
    return (database["MonitoringInterval"], database["MonitoringRoleArn"], *insights) == (60, role, True, 7)


def test_database_is_monitored(production: Production) -> None:
    assert is_monitored(production.database())


# -- Redis --------------------------------------------------------------------


def test_redis_outlives_a_node(production: Production) -> None:
    group = eventually(production.redis, lambda it: it["Status"] == "available")
    assert (group["AutomaticFailover"], group["MultiAZ"]) == ("enabled", "enabled")
    before = {one["CurrentRole"]: one for one in group["NodeGroups"][0]["NodeGroupMembers"]}
    assert before["primary"]["PreferredAvailabilityZone"] != before["replica"]["PreferredAvailabilityZone"]
    elasticache = production.client("elasticache")
    elasticache.test_failover(ReplicationGroupId=group["ReplicationGroupId"], NodeGroupId="0001")
    group = eventually(production.redis, lambda it: it["Status"] == "available")
    after = {one["CurrentRole"]: one for one in group["NodeGroups"][0]["NodeGroupMembers"]}
    assert after["primary"]["CacheClusterId"] == before["replica"]["CacheClusterId"]
    production.recovers()


def test_redis_is_backed_up_and_maintained_in_its_windows(production: Production) -> None:
    assert production.redis()["SnapshotRetentionLimit"] == 7
    node = production.client("elasticache").describe_cache_clusters(CacheClusterId=f"{NAME}-redis-001")
    assert node["CacheClusters"][0]["PreferredMaintenanceWindow"] == "sun:10:00-sun:11:00"


def test_certificate_of_redis_is_verified(production: Production) -> None:
    ecs = production.client("ecs")
    families = [arn for arn in ecs.list_task_definitions()["taskDefinitionArns"] if NAME in arn]
    definition = ecs.describe_task_definition(taskDefinition=families[-1])["taskDefinition"]
    worker = next(item for item in definition["containerDefinitions"] if item["name"] == "celeryworker")
    variables = {item["name"]: item["value"] for item in worker["environment"]}
    assert variables["REDIS_URL"].endswith("?ssl_cert_reqs=required")
    assert variables["SSL_CERT_FILE"] == "/bundle/authorities.pem"
    # The check of validate, which the run has passed, has seen the worker connected.


# -- Roles --------------------------------------------------------------------


def test_roles_are_the_deployments_own_and_reach_nothing_else(production: Production) -> None:
    iam = production.client("iam")
    roles = {f"{NAME}-{role}" for role in ("ec2-role", "service-role", "ecs-execution-role")}
    assert roles <= {role["RoleName"] for role in iam.list_roles()["Roles"]}
    for role in roles:
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
        assert policies and all(policy.startswith(f"{NAME}-") for policy in policies)
    borne = Account(production.rehearsal).tags(NAME)
    ours = {"Application": NAME, "Environment": NAME, "ManagedBy": "antenna.aws"}
    for item in (*(f"role {role}" for role in roles), f"profile {NAME}-ec2-role"):
        assert ours.items() <= borne[item].items()
    options = production.options()
    assert options["aws:autoscaling:launchconfiguration", "IamInstanceProfile"].endswith(f"{NAME}-ec2-role")
    assert options["aws:elasticbeanstalk:environment", "ServiceRole"].endswith(f"{NAME}-service-role")


def test_instances_may_open_sessions(production: Production) -> None:
    policy = production.client("iam").get_role_policy(RoleName=f"{NAME}-ec2-role", PolicyName=f"{NAME}-instance")
    (statement,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "OpenSessions"]
    assert {"ssm:UpdateInstanceInformation", "ssmmessages:OpenDataChannel"} <= set(statement["Action"])


def test_images_are_scanned_when_pushed(production: Production) -> None:
    repositories = production.client("ecr").describe_repositories()["repositories"]
    ours = [one["imageScanningConfiguration"] for one in repositories if one["repositoryName"].startswith(f"{NAME}-")]
    assert ours == [{"scanOnPush": True}] * 4


# -- The UI -------------------------------------------------------------------


def test_ui_has_a_domain_of_its_own_and_security_headers(production: Production) -> None:
    page = production.open("/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_ui_bucket_keeps_older_versions_for_a_while(production: Production) -> None:
    s3, bucket = production.client("s3"), f"{NAME}-ui-123456789012"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90


def test_each_request_is_logged_in_a_bucket_of_its_own(production: Production) -> None:
    s3, bucket = production.client("s3"), f"{NAME}-ui-logs-123456789012"
    production.open("/?logged")
    deadline = time.monotonic() + 30
    while not (lines := [line for line in access_log(s3, bucket) if line["cs-uri-query"] == "logged"]):
        assert time.monotonic() < deadline, "no log has come"
        time.sleep(0.5)
    assert (lines[0]["cs-uri-stem"], lines[0]["sc-status"], lines[0]["x-host-header"]) == ("/", "200", HOST)
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"]["Days"] == 90
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def access_log(s3: Any, bucket: str) -> Iterator[dict[str, str]]:
    """Each line of the log so far, by the names of its fields."""
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        text = gzip.decompress(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()).decode()
        _version, fields, *lines = text.splitlines()
        names = fields.removeprefix("#Fields: ").split()
        yield from (dict(zip(names, line.split("\t"), strict=True)) for line in lines)


def test_requests_pass_a_web_acl(production: Production) -> None:
    config = production.client("cloudfront").get_distribution_config(Id=production.distribution())
    assert config["DistributionConfig"]["WebACLId"] == production.web_acl


# -- Instances ----------------------------------------------------------------


def test_instances_are_behind_a_load_balancer(production: Production) -> None:
    assert list(production.instances().values()) == ["Ok", "Ok"]
    options = production.options()
    assert options["aws:elasticbeanstalk:environment", "LoadBalancerType"] == "application"
    assert options["aws:autoscaling:asg", "MinSize"] == "2" and options["aws:autoscaling:asg", "MaxSize"] == "4"
    assert options["aws:autoscaling:trigger", "MeasureName"] == "CPUUtilization"
    assert options["aws:elasticbeanstalk:command", "DeploymentPolicy"] == "RollingWithAdditionalBatch"
    assert options["aws:elbv2:listener:443", "Protocol"] == "HTTPS"
    assert options["aws:elbv2:listener:default", "ListenerEnabled"] == "false"


def test_a_release_takes_nothing_away(production: Production) -> None:
    """Two instances serve all the while, with a third one's help, and the new version is on both in the end."""
    versions, images = set(production.versions()), set(production.images())
    production.rehearsal.change("antenna/release.py", 'RELEASE = "1.0.0"', 'RELEASE = "1.0.1"')
    with meanwhile(production.answer) as answers, meanwhile(production.instances) as instances:
        assert production.ansible("site", "--tags", "backend").recap["changed"] > 0
    assert set(answers) == {200} and len(answers) > 20
    assert max(len(there) for there in instances) == 3
    assert list(production.instances().values()) == ["Ok", "Ok"]
    assert len(set(production.versions())) == 1 and not versions & set(production.versions())
    assert len(set(production.images())) == 1 and not images & set(production.images())
    assert "1.0.1" in production.open("/api/v2/release/?format=json").body


def test_beat_runs_on_one_instance_and_another_takes_over(production: Production) -> None:
    ((task, instance),) = eventually(production.beats, lambda beats: len(beats) == 1).items()
    production.rehearsal.localcloud("lose", instance)
    deadline = time.monotonic() + 120
    while not (after := {one: host for one, host in production.beats().items() if one != task}):
        assert time.monotonic() < deadline, "nobody took over"
        time.sleep(1)
    assert len(after) == 1
    assert instance not in after.values()
    # What a later test changes is not to reach an instance that is still being made in its place.
    while instance in (health := production.instances()) or list(health.values()) != ["Ok", "Ok"]:
        assert time.monotonic() < deadline + 120, "nobody came in its place"
        time.sleep(1)


# -- Alarms -------------------------------------------------------------------


def test_silence_is_no_alarm_as_beat_and_worker_are_heard(production: Production) -> None:
    """Without the monitor, a log line, a metric filter or the metric of the alarm there would be silence."""
    deadline = time.monotonic() + 120
    while {name: state for name, state in production.alarms().items() if name in SILENCE and state != "OK"}:
        assert time.monotonic() < deadline, production.rehearsal.status()["alarms"]
        time.sleep(1)
    assert set(production.alarms()) >= SILENCE


def test_each_alarm_has_figures_of_the_deployment(production: Production) -> None:
    heard = production.heard()
    assert set(production.alarms()) - heard <= QUIET | UNMEASURED
    assert {f"{NAME}-redis-memory-{NAME}-redis-{node}" for node in ("001", "002")} <= heard


def test_subscribers_are_told_of_tasks_that_fail_and_of_their_end(production: Production) -> None:
    alarm = f"{NAME}-worker-failures"
    production.manage(
        "from config.celery_app import app\n"
        "for _ in range(5): app.send_task('antenna.heartbeat', args=['more than it takes'])"
    )
    # Each instance sends five, and one that is late would keep the alarm on.
    eventually(lambda: production.said('"raised unexpected: TypeError"'), lambda said: len(said) == 10)
    eventually(lambda: production.told(alarm), lambda told: told[-1:] == ["ALARM"])
    production.rehearsal.advance(301)
    eventually(lambda: production.told(alarm), lambda told: told[-2:] == ["ALARM", "OK"])


# -- Now and then -------------------------------------------------------------


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "DJANGO_AWS_SECRET_ACCESS_KEY"])
def test_a_value_is_rotated_by_one_command(production: Production, name: str) -> None:
    before = production.secret()
    production.ansible("rotate", secrets_rotate=name)
    after = production.secret()
    assert after[name] != before[name]
    kept = set(before) - {name, "DJANGO_AWS_ACCESS_KEY_ID"}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert production.projects() > 0
    keys = production.client("iam").list_access_keys(UserName=f"{NAME}-storage")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [after["DJANGO_AWS_ACCESS_KEY_ID"]]
    kept = production.manage(
        "from django.core.files.base import ContentFile\n"
        "from django.core.files.storage import default_storage\n"
        f"print(default_storage.save('after-{name}', ContentFile(b'kept')))"
    )
    assert len(kept) == 2
    for place in kept:
        uploaded = {"Bucket": f"{NAME}-storage-{ACCOUNT}", "Key": f"uploads/{place.split()[-1]}"}
        assert production.client("s3").get_object(**uploaded)["Body"].read() == b"kept"


def test_the_database_is_restored_to_a_moment_beside_the_old_one(production: Production) -> None:
    projects = production.projects()
    moment = f"{production.rehearsal.now():%Y-%m-%dT%H:%M:%SZ}"
    source = {"data_tier_restore_instance": f"{NAME}-postgres", "data_tier_restore_time": moment}
    production.ansible("restore", data_tier_rds_identifier=RESTORED, **source)
    restored = production.database(RESTORED)
    assert restored["MultiAZ"] and restored["DeletionProtection"] and is_monitored(restored)
    assert [group["ParameterApplyStatus"] for group in restored["DBParameterGroups"]] == ["in-sync"]
    assert production.database()["DBInstanceStatus"] == "available"
    assert production.projects() == projects


def test_a_removal_told_twice_leaves_nothing(production: Production) -> None:
    account, told = Account(production.rehearsal), {"confirm": NAME, "delete_data": NAME}
    databases = {f"database {NAME}-postgres", f"database {RESTORED}", f"db parameters {NAME}-postgres17"}
    others = {f"redis {NAME}-redis", f"bucket {NAME}-ui-logs-{ACCOUNT}", f"role {NAME}-service-role"}
    assert databases | others <= account.of(NAME)
    # The inventory has the name of the restored database by now; the one from before is known by its tags.
    run = production.ansible("teardown", data_tier_rds_identifier=RESTORED, **told)
    assert run.recap["changed"] == 1
    assert account.of(NAME) == set()
    assert made_and_not_removed(production.rehearsal.writes()) == Counter()
    # What others made for it stays theirs.
    listed = production.client("wafv2", "us-east-1").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    assert production.web_acl in [one["ARN"] for one in listed]
