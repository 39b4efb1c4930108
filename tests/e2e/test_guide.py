# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deployment guide says, read back from a deployment with the defaults. docs/guide.md names these tests."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.rehearsal import Rehearsal, inside

ACCOUNT = "123456789012"
ENVIRONMENT = "antenna"
BACKEND = ("django", "celeryworker", "celerybeat", "flower")
CONTAINERS = (*BACKEND, "awscli", "ml-backend-minimal", "ml-backend-example")
GUIDES_VARIABLES = [
    "DJANGO_SETTINGS_MODULE", "DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "DJANGO_SECURE_SSL_REDIRECT",
    "DJANGO_ADMIN_URL", "DJANGO_DEBUG", "EB_HEALTHCHECK", "DJANGO_AWS_ACCESS_KEY_ID", "DJANGO_AWS_SECRET_ACCESS_KEY",
    "DJANGO_AWS_STORAGE_BUCKET_NAME", "DJANGO_AWS_S3_REGION_NAME", "POSTGRES_DB", "POSTGRES_USER",
    "POSTGRES_PASSWORD", "POSTGRES_HOST", "POSTGRES_PORT", "REDIS_URL", "CELERY_BROKER_URL",
    "DEFAULT_PROCESSING_SERVICE_ENDPOINT", "SENDGRID_API_KEY", "SENTRY_DSN",
]  # fmt: skip
ANTENNAS_VARIABLES = [
    "DJANGO_CSRF_TRUSTED_ORIGINS", "DJANGO_AWS_S3_CUSTOM_DOMAIN", "EXTERNAL_HOSTNAME", "EXTERNAL_BASE_URL",
    "CELERY_QUEUES",
    "CELERY_WORKER_CONCURRENCY", "WEB_CONCURRENCY", "CELERY_FLOWER_USER", "CELERY_FLOWER_PASSWORD",
    "DEFAULT_PROCESSING_SERVICE_NAME", "MINIO_ENDPOINT", "MINIO_REGION", "MINIO_TEST_BUCKET", "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
]  # fmt: skip


@pytest.fixture(scope="module")
def deployed(rehearsal: Rehearsal) -> Deployed:
    if not rehearsal.status()["environments"]:
        rehearsal.playbook()
    return Deployed(rehearsal)


class Deployed:
    """A deployment as the AWS APIs show it."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.client = rehearsal.client

    def environment(self) -> dict[str, Any]:
        beanstalk = self.client("elasticbeanstalk")
        (one,) = beanstalk.describe_environments(EnvironmentNames=[ENVIRONMENT], IncludeDeleted=False)["Environments"]
        return dict(one)

    def options(self, namespace: str) -> dict[str, str]:
        beanstalk = self.client("elasticbeanstalk")
        answer = beanstalk.describe_configuration_settings(ApplicationName="antenna", EnvironmentName=ENVIRONMENT)
        return {
            setting["OptionName"]: setting.get("Value", "")
            for setting in answer["ConfigurationSettings"][0]["OptionSettings"]
            if setting["Namespace"] == namespace
        }

    def task(self) -> dict[str, Any]:
        """The task that runs."""
        ecs = self.client("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        return dict(ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"][0])

    def containers(self) -> dict[str, dict[str, Any]]:
        """The container definitions of the task that runs."""
        arn = self.task()["taskDefinitionArn"]
        definition = self.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return {item["name"]: item for item in definition["containerDefinitions"]}

    def shell(self, code: str) -> str:
        """The last line that Django's shell writes."""
        (django,) = [item["runtimeId"] for item in self.task()["containers"] if item["name"] == "django"]
        return inside(django, "/entrypoint", "python", "manage.py", "shell", "-c", code).splitlines()[-1]

    def variables(self, container: str) -> dict[str, str]:
        return {item["name"]: item["value"] for item in self.containers()[container].get("environment", [])}

    def secrets(self, container: str) -> dict[str, str]:
        return {item["name"]: item["valueFrom"] for item in self.containers()[container].get("secrets", [])}

    def security_group(self, name: str) -> dict[str, Any]:
        filters = [{"Name": "group-name", "Values": [name]}]
        (one,) = self.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        return dict(one)

    def subnets(self, identifiers: list[str]) -> list[dict[str, Any]]:
        return list(self.client("ec2").describe_subnets(SubnetIds=identifiers)["Subnets"])

    def database(self) -> dict[str, Any]:
        found = self.client("rds").describe_db_instances(DBInstanceIdentifier="antenna-postgres")["DBInstances"]
        return dict(found[0])

    def redis(self) -> dict[str, Any]:
        answer = self.client("elasticache").describe_replication_groups(ReplicationGroupId="antenna-redis")
        return dict(answer["ReplicationGroups"][0])

    def redis_node(self) -> dict[str, Any]:
        node = self.redis()["MemberClusters"][0]
        return dict(self.client("elasticache").describe_cache_clusters(CacheClusterId=node)["CacheClusters"][0])

    def distribution(self) -> dict[str, Any]:
        identifier = next(iter(self.rehearsal.status()["distributions"]))
        config = self.client("cloudfront").get_distribution_config(Id=identifier)["DistributionConfig"]
        return dict(config)

    def policies(self, role: str) -> set[str]:
        attached = self.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {item["PolicyName"] for item in attached}


# -- 3.1 Elastic Beanstalk environment --------------------------------------------------------


def test_platform_is_ecs_on_amazon_linux(deployed: Deployed) -> None:
    assert re.fullmatch(r"64bit Amazon Linux 2023 v[\d.]+ running ECS", deployed.environment()["SolutionStackName"])


def test_environment_is_a_single_instance(deployed: Deployed) -> None:
    assert deployed.options("aws:elasticbeanstalk:environment")["EnvironmentType"] == "SingleInstance"
    health = deployed.client("elasticbeanstalk").describe_instances_health(
        EnvironmentName=ENVIRONMENT, AttributeNames=["All"]
    )
    assert len(health["InstanceHealthList"]) == 1


def test_instances_are_of_the_guides_types(deployed: Deployed) -> None:
    instances = deployed.options("aws:ec2:instances")
    assert instances["InstanceTypes"] == "t3.large,t3.small"
    assert instances["SupportedArchitectures"] == "x86_64"
    assert instances["EnableSpot"] == "false"


def test_instance_has_a_public_ip(deployed: Deployed) -> None:
    assert deployed.options("aws:ec2:vpc")["AssociatePublicIpAddress"] == "true"


def test_health_reporting_is_enhanced(deployed: Deployed) -> None:
    system = deployed.options("aws:elasticbeanstalk:healthreporting:system")
    assert (system["SystemType"], system["HealthCheckSuccessThreshold"]) == ("enhanced", "Ok")
    assert deployed.environment()["HealthStatus"] == "Ok"


def test_logs_are_streamed_and_kept_for_a_week(deployed: Deployed) -> None:
    logs = deployed.options("aws:elasticbeanstalk:cloudwatch:logs")
    assert (logs["StreamLogs"], logs["RetentionInDays"], logs["DeleteOnTerminate"]) == ("true", "7", "false")
    groups = deployed.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/elasticbeanstalk/{ENVIRONMENT}/")
    assert groups["logGroups"]
    assert {group["retentionInDays"] for group in groups["logGroups"]} == {7}


def test_health_events_are_streamed(deployed: Deployed) -> None:
    health = deployed.options("aws:elasticbeanstalk:cloudwatch:logs:health")
    assert health["HealthStreamingEnabled"] == "true"
    assert (health["RetentionInDays"], health["DeleteOnTerminate"]) == ("7", "false")
    group = f"/aws/elasticbeanstalk/{ENVIRONMENT}/environment-health.log"
    events = deployed.client("logs").filter_log_events(logGroupName=group)["events"]
    assert any("health has transitioned from Pending to Ok" in event["message"] for event in events)


def test_platform_is_updated_on_thursdays(deployed: Deployed) -> None:
    actions = deployed.options("aws:elasticbeanstalk:managedactions")
    assert (actions["ManagedActionsEnabled"], actions["PreferredStartTime"]) == ("true", "Thu:22:40")
    update = deployed.options("aws:elasticbeanstalk:managedactions:platformupdate")
    assert (update["UpdateLevel"], update["InstanceRefreshEnabled"]) == ("minor", "true")


def test_deployments_go_all_at_once(deployed: Deployed) -> None:
    command = deployed.options("aws:elasticbeanstalk:command")
    assert (command["DeploymentPolicy"], command["BatchSizeType"]) == ("AllAtOnce", "Percentage")
    assert (command["IgnoreHealthCheck"], command["Timeout"]) == ("false", "600")
    rolling = deployed.options("aws:autoscaling:updatepolicy:rollingupdate")
    assert rolling["RollingUpdateEnabled"] == "false"


# -- 3.2 and 3.3 Containers and repositories --------------------------------------------------------


def test_seven_containers_run(deployed: Deployed) -> None:
    containers = deployed.containers()
    assert sorted(containers) == sorted(CONTAINERS)
    assert {name for name, item in containers.items() if item["essential"]} == set(BACKEND)


def test_django_listens_on_5000_and_the_host_on_80(deployed: Deployed) -> None:
    (port,) = deployed.containers()["django"]["portMappings"]
    assert (port["containerPort"], port["hostPort"]) == (5000, 80)


def test_flower_listens_on_5555(deployed: Deployed) -> None:
    (port,) = deployed.containers()["flower"]["portMappings"]
    assert (port["containerPort"], port["hostPort"]) == (5555, 5555)


def test_containers_start_as_antenna_does(deployed: Deployed) -> None:
    containers = deployed.containers()
    starts = {name: containers[name]["command"][-1].rpartition(" ")[2] for name in BACKEND}
    assert starts == {
        "django": "/start",
        "celeryworker": "/start-celeryworker",
        "celerybeat": "/start-celerybeat",
        "flower": "/start-flower",
    }
    assert {tuple(containers[name]["entryPoint"]) for name in BACKEND} == {("/entrypoint",)}


def test_processing_services_are_linked(deployed: Deployed) -> None:
    for name in ("django", "celeryworker"):
        links = {link.partition(":")[0] for link in deployed.containers()[name]["links"]}
        assert links == {"ml-backend-minimal", "ml-backend-example"}


def test_memory_is_limited_and_fits(deployed: Deployed) -> None:
    limits = {name: item["memory"] for name, item in deployed.containers().items()}
    assert sum(limits.values()) == 3840
    assert min(limits.values()) > 0


def test_images_are_those_of_four_repositories(deployed: Deployed) -> None:
    repositories = deployed.client("ecr").describe_repositories()["repositories"]
    by_name = {item["repositoryName"]: item for item in repositories}
    assert set(by_name) == {"antenna-backend", "antenna-awscli", "antenna-ml-minimal", "antenna-ml-example"}
    assert {item["imageTagMutability"] for item in repositories} == {"MUTABLE"}
    assert {item["encryptionConfiguration"]["encryptionType"] for item in repositories} == {"AES256"}
    images = {name: item["image"] for name, item in deployed.containers().items()}
    assert len({images[name] for name in BACKEND}) == 1
    used = {image.rpartition("@")[0].rpartition("/")[2] for image in images.values()}
    assert used == set(by_name)
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", image) for image in images.values())


# -- 3.4 Environment variables --------------------------------------------------------


@pytest.mark.parametrize("container", BACKEND)
def test_variables_of_the_guide_are_set(deployed: Deployed, container: str) -> None:
    names = {*deployed.variables(container), *deployed.secrets(container)}
    assert sorted(set(GUIDES_VARIABLES) - names) == []


def test_variables_of_todays_antenna_are_set(deployed: Deployed) -> None:
    names = {*deployed.variables("django"), *deployed.secrets("django")}
    assert sorted(set(ANTENNAS_VARIABLES) - names) == []


def test_django_is_set_up_for_production(deployed: Deployed) -> None:
    variables = deployed.variables("django")
    assert variables["DJANGO_SETTINGS_MODULE"] == "config.settings.production"
    assert (variables["DJANGO_DEBUG"], variables["DJANGO_SECURE_SSL_REDIRECT"]) == ("False", "True")
    assert variables["DJANGO_ADMIN_URL"] == "api/admin/"
    hosts = variables["DJANGO_ALLOWED_HOSTS"].split(",")
    assert deployed.environment()["CNAME"] in hosts
    assert next(iter(deployed.rehearsal.status()["distributions"].values()))["domain"] in hosts


def test_storage_is_the_bucket(deployed: Deployed) -> None:
    variables = deployed.variables("django")
    assert variables["DJANGO_AWS_STORAGE_BUCKET_NAME"] == f"antenna-storage-{ACCOUNT}"
    assert variables["DJANGO_AWS_S3_REGION_NAME"] == "us-west-2"
    listed = deployed.client("s3").list_objects_v2(Bucket=f"antenna-storage-{ACCOUNT}", Prefix="static/")
    assert listed["KeyCount"] > 0


ENCRYPTED = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    print(cursor.fetchone())
"""
UPLOAD = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
print(default_storage.url(default_storage.save("moths/noctua.txt", ContentFile(b"Noctua pronuba"))))
"""


def test_an_upload_opens_where_antenna_says_and_not_at_the_bucket(deployed: Deployed) -> None:
    url = deployed.shell(UPLOAD)
    seen = [deployed.rehearsal.get(url) for _ in range(2)]
    assert [(page.status, page.body) for page in seen] == [(200, "Noctua pronuba")] * 2
    assert seen[1].headers["X-Cache"] == "Hit from cloudfront"
    at_bucket = f"{deployed.rehearsal.endpoint()}/antenna-storage-{ACCOUNT}{urlsplit(url).path}"
    assert deployed.rehearsal.get(at_bucket).status == 403


def test_storage_is_read_by_the_distribution_alone(deployed: Deployed) -> None:
    s3, bucket = deployed.client("s3"), f"antenna-storage-{ACCOUNT}"
    allowed, denied = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    (identifier,) = deployed.rehearsal.status()["distributions"]
    arn = f"arn:aws:cloudfront::{ACCOUNT}:distribution/{identifier}"
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"AWS:SourceArn": arn}}
    assert allowed["Resource"] == [f"arn:aws:s3:::{bucket}/{prefix}/*" for prefix in ("uploads", "static")]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert [setting for setting, closed in block.items() if not closed] == ["BlockPublicAcls"]


def test_database_is_the_instance(deployed: Deployed) -> None:
    variables = deployed.variables("django")
    endpoint = deployed.database()["Endpoint"]
    assert (variables["POSTGRES_HOST"], variables["POSTGRES_PORT"]) == (endpoint["Address"], str(endpoint["Port"]))
    assert (variables["POSTGRES_DB"], variables["POSTGRES_USER"]) == ("antenna", "antenna")


def test_database_is_reached_by_tls(deployed: Deployed) -> None:
    assert {deployed.variables(container)["PGSSLMODE"] for container in BACKEND} == {"require"}
    assert deployed.shell(ENCRYPTED) == "(True,)"


def test_redis_is_reached_by_tls(deployed: Deployed) -> None:
    variables = deployed.variables("celeryworker")
    endpoint = deployed.redis()["NodeGroups"][0]["PrimaryEndpoint"]
    url = f"rediss://{endpoint['Address']}:6379/0?ssl_cert_reqs=none"
    assert (variables["REDIS_URL"], variables["CELERY_BROKER_URL"]) == (url, url)


def test_secrets_are_in_secrets_manager(deployed: Deployed) -> None:
    secrets = deployed.secrets("django")
    assert {"DJANGO_SECRET_KEY", "POSTGRES_PASSWORD", "DJANGO_AWS_SECRET_ACCESS_KEY"} <= set(secrets)
    (arn,) = {value.rpartition(":secret:")[0] for value in secrets.values()}
    assert arn == f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}"
    held = deployed.client("secretsmanager").get_secret_value(SecretId="antenna/environment")["SecretString"]
    assert set(secrets) - {"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"} <= set(json.loads(held))
    assert not set(secrets) & set(deployed.variables("django"))


# -- 3.5, 3.6 and 3.7 Instance, identity, network --------------------------------------------------------


def test_instance_has_the_guides_profile_and_groups(deployed: Deployed) -> None:
    launch = deployed.options("aws:autoscaling:launchconfiguration")
    assert (launch["RootVolumeType"], launch["RootVolumeSize"]) == ("gp3", "30")
    assert launch["IamInstanceProfile"] == "aws-elasticbeanstalk-ec2-role"
    assert deployed.security_group("antenna-eb-sg")["GroupId"] in launch["SecurityGroups"].split(",")
    role = deployed.options("aws:elasticbeanstalk:environment")["ServiceRole"]
    assert role == "aws-elasticbeanstalk-service-role"


def test_roles_have_the_guides_policies(deployed: Deployed) -> None:
    assert deployed.policies("aws-elasticbeanstalk-ec2-role") == {
        "AWSElasticBeanstalkWebTier",
        "AWSElasticBeanstalkWorkerTier",
        "AmazonEC2ContainerRegistryReadOnly",
        "CloudWatchAgentServerPolicy",
        "AWSElasticBeanstalkMulticontainerDocker",
    }
    assert deployed.policies("aws-elasticbeanstalk-service-role") == {
        "AWSElasticBeanstalkEnhancedHealth",
        "AWSElasticBeanstalkService",
    }


def test_environment_is_in_public_subnets_of_the_default_vpc(deployed: Deployed) -> None:
    vpc = deployed.options("aws:ec2:vpc")
    (default,) = deployed.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["VPCId"] == default["VpcId"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in deployed.subnets(vpc["Subnets"].split(",")))


def test_group_of_the_instance_admits_what_it_was_told_to(deployed: Deployed) -> None:
    group = deployed.security_group("antenna-eb-sg")
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"]) == (5555, 5555)
    assert [range_["CidrIp"] for range_ in rule["IpRanges"]] == ["127.0.0.0/8"]
    assert [rule["IpProtocol"] for rule in group["IpPermissionsEgress"]] == ["-1"]


@pytest.mark.parametrize(("name", "port"), [("antenna-rds-sg", 5432), ("antenna-redis-sg", 6379)])
def test_data_is_open_to_the_instance_alone(deployed: Deployed, name: str, port: int) -> None:
    group = deployed.security_group(name)
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (port, port, [])
    sources = [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]
    assert sources == [deployed.security_group("antenna-eb-sg")["GroupId"]]
    assert [range_["CidrIp"] for range_ in group["IpPermissionsEgress"][0]["IpRanges"]] == ["0.0.0.0/0"]


# -- 5 Database and Redis --------------------------------------------------------


def test_database_is_the_guides(deployed: Deployed) -> None:
    database = deployed.database()
    assert (database["Engine"], database["EngineVersion"].partition(".")[0]) == ("postgres", "17")
    assert (database["DBInstanceClass"], database["AvailabilityZone"]) == ("db.t4g.small", "us-west-2b")
    assert not database["MultiAZ"] and not database["PubliclyAccessible"] and database["StorageEncrypted"]


def test_database_is_in_private_subnets(deployed: Deployed) -> None:
    group = deployed.database()["DBSubnetGroup"]
    assert group["DBSubnetGroupName"] == "antenna-private-db-subnet-group"
    subnets = deployed.subnets([item["SubnetIdentifier"] for item in group["Subnets"]])
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert group["VpcId"] == deployed.options("aws:ec2:vpc")["VPCId"]


def test_redis_is_the_guides(deployed: Deployed) -> None:
    redis, node = deployed.redis(), deployed.redis_node()
    assert (node["Engine"], node["EngineVersion"], node["CacheNodeType"]) == ("redis", "7.1.0", "cache.t4g.micro")
    assert len(redis["MemberClusters"]) == 1 and not redis.get("ClusterEnabled")
    assert (redis["AutomaticFailover"], redis["MultiAZ"]) == ("disabled", "disabled")


def test_redis_is_encrypted(deployed: Deployed) -> None:
    redis = deployed.redis()
    assert redis["TransitEncryptionEnabled"] and redis["AtRestEncryptionEnabled"]


def test_redis_is_in_private_subnets(deployed: Deployed) -> None:
    name = deployed.redis_node()["CacheSubnetGroupName"]
    answer = deployed.client("elasticache").describe_cache_subnet_groups(CacheSubnetGroupName=name)
    subnets = deployed.subnets([item["SubnetIdentifier"] for item in answer["CacheSubnetGroups"][0]["Subnets"]])
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


# -- 6 Frontend --------------------------------------------------------


def test_ui_is_in_the_bucket(deployed: Deployed) -> None:
    listed = deployed.client("s3").list_objects_v2(Bucket=f"antenna-ui-{ACCOUNT}")["Contents"]
    keys = {item["Key"] for item in listed}
    assert "index.html" in keys
    assert any(key.startswith("assets/") for key in keys)


def test_distribution_has_both_origins(deployed: Deployed) -> None:
    config = deployed.distribution()
    assert config["DefaultRootObject"] == "index.html"
    origins = {item["Id"]: item for item in config["Origins"]["Items"]}
    assert origins["ui"]["DomainName"] == f"antenna-ui-{ACCOUNT}.s3.us-west-2.amazonaws.com"
    assert origins["ui"]["OriginAccessControlId"]
    assert origins["api"]["DomainName"] == deployed.environment()["CNAME"]
    assert origins["api"]["CustomOriginConfig"]["OriginReadTimeout"] == 60
    assert origins["api"]["CustomHeaders"]["Items"] == [{"HeaderName": "X-Forwarded-Proto", "HeaderValue": "https"}]


def test_api_is_not_cached_and_the_ui_is(deployed: Deployed) -> None:
    config = deployed.distribution()
    api = config["CacheBehaviors"]["Items"][0]
    assert (api["PathPattern"], api["TargetOriginId"]) == ("/api/*", "api")
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    default = config["DefaultCacheBehavior"]
    assert (default["TargetOriginId"], default["CachePolicyId"]) == ("ui", "658327ea-f89d-4fab-a63d-7e88639e58f6")
    assert {api["ViewerProtocolPolicy"], default["ViewerProtocolPolicy"]} == {"redirect-to-https"}


def test_release_is_invalidated(deployed: Deployed) -> None:
    identifier = next(iter(deployed.rehearsal.status()["distributions"]))
    listed = deployed.client("cloudfront").list_invalidations(DistributionId=identifier)["InvalidationList"]
    assert listed["Items"]
    assert {item["Status"] for item in listed["Items"]} == {"Completed"}


def test_bucket_is_read_by_the_distribution_alone(deployed: Deployed) -> None:
    s3 = deployed.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=f"antenna-ui-{ACCOUNT}")["Policy"])
    allowed = [item["Principal"] for item in policy["Statement"] if item["Effect"] == "Allow"]
    assert allowed == [{"Service": "cloudfront.amazonaws.com"}]
    denied = [item["Condition"] for item in policy["Statement"] if item["Effect"] == "Deny"]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]
    block = s3.get_public_access_block(Bucket=f"antenna-ui-{ACCOUNT}")["PublicAccessBlockConfiguration"]
    assert all(block.values())


# -- 7 Common issues --------------------------------------------------------


def test_migrations_run_against_the_new_code(deployed: Deployed) -> None:
    events = deployed.client("logs").filter_log_events(
        logGroupName=f"/aws/elasticbeanstalk/{ENVIRONMENT}/var/log/eb-hooks.log"
    )["events"]
    assert any("01_migrate.sh" in event["message"] for event in events)
    assert any("Applying" in event["message"] or "No migrations" in event["message"] for event in events)
