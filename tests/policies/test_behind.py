# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no journal shows, because AWS does it with the rights of a role: the role's policies let it.

Each call is judged as the rehearsal cloud judges calls. That Elastic Beanstalk and the agent of ECS make them is known
from what AWS's own policies for them let: `AWSElasticBeanstalkRoleECS`, `AWSElasticBeanstalkRoleCore`,
`AWSElasticBeanstalkMulticontainerDocker` and `AdministratorAccess-AWSElasticBeanstalk`. The last two name the actions
during whose calls ECS tags what it makes. That containers log with the execution role: aws/amazon-ecs-agent#2413.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies.calls import REGION, Calling
from tests.policies.conftest import ACCOUNT

Documents = dict[str, dict[str, Any]]

ENVIRONMENT = "antenna"
STAGING = "antenna-staging"
CLUSTER = f"awseb-{ENVIRONMENT}-f7yq6jhmpm"
THEIRS = f"awseb-{STAGING}-3jehispapr"
GROUP, VPC, TEMPLATE, ADDRESS = (f"{kind}-0123456789abcdef0" for kind in ("sg", "vpc", "lt", "eipalloc"))
TAG = "elasticbeanstalk:environment-name"


def tags(environment: str) -> dict[str, str]:
    """A tag in EC2's query, while something is made."""
    return {"TagSpecification.1.Tag.1.Key": TAG, "TagSpecification.1.Tag.1.Value": environment}


def of(environment: str) -> dict[str, str]:
    return {TAG: environment}


def ecs(operation: str, environment: str = "", **parameters: Any) -> Calling:
    given = {"tags": [{"key": TAG, "value": environment}]} if environment else {}
    return Calling("ecs", operation, {**parameters, **given}, of(environment) if environment else {})


def ec2(operation: str, tagged: str = "", **parameters: Any) -> Calling:
    return Calling("ec2", operation, parameters, of(tagged) if tagged else {})


EXECUTION = f"arn:aws:iam::{ACCOUNT}:role/antenna-ecs-execution-role"
# With whose rights Elastic Load Balancing looks around ("Elastic Load Balancing API permissions" of its user guide).
LOOKS = tuple(f"Describe{what}" for what in ("AccountAttributes", "Addresses", "InternetGateways", "Subnets", "Vpcs"))
# apache/grails-core#16258 and #16260 met them one by one.
ON_FILES = ("DeleteObject", "GetObject", "GetObjectAcl", "PutObject", "PutObjectAcl")
FILE = {
    "Bucket": f"elasticbeanstalk-{REGION}-{ACCOUNT}",
    "Key": "resources/_runtime/_embedded_extensions/antenna/a.zip",
}


BY_ELASTIC_BEANSTALK = [
    ecs("CreateCluster", ENVIRONMENT, clusterName=CLUSTER),
    ecs("DescribeClusters", clusters=[CLUSTER]),
    ecs("DeleteCluster", cluster=CLUSTER),
    ecs("RegisterTaskDefinition", ENVIRONMENT, family=CLUSTER, executionRoleArn=EXECUTION),
    ecs("DeregisterTaskDefinition", taskDefinition=f"{CLUSTER}:1"),
    ec2("CreateSecurityGroup", VpcId=VPC, **tags(ENVIRONMENT)),
    ec2("CreateTags", ENVIRONMENT, **{"ResourceId.1": GROUP}),
    ec2("DeleteTags", ENVIRONMENT, **{"ResourceId.1": GROUP}),
    ec2("AuthorizeSecurityGroupIngress", ENVIRONMENT, GroupId=GROUP),
    ec2("DeleteSecurityGroup", ENVIRONMENT, GroupId=GROUP),
    ec2("AllocateAddress", **tags(ENVIRONMENT)),
    ec2("ReleaseAddress", ENVIRONMENT, AllocationId=ADDRESS),
    ec2("CreateLaunchTemplate"),
    ec2("CreateLaunchTemplate", **tags(ENVIRONMENT)),
    ec2("CreateLaunchTemplateVersion", LaunchTemplateId=TEMPLATE),
    ec2("CreateLaunchTemplateVersion", ENVIRONMENT, LaunchTemplateId=TEMPLATE),
    ec2("DeleteLaunchTemplate", LaunchTemplateId=TEMPLATE),
    *(ec2(look) for look in LOOKS),
    *(Calling("s3", operation, FILE) for operation in ON_FILES),
]
BY_INSTANCES = [
    ecs("RegisterContainerInstance", ENVIRONMENT, cluster=CLUSTER),
    ecs("StartTask", ENVIRONMENT, cluster=CLUSTER, taskDefinition=f"{CLUSTER}:1", containerInstances=["1"]),
    ecs("StopTask", cluster=CLUSTER, task="1"),
    ecs("DescribeTasks", cluster=CLUSTER, tasks=["1"]),
    ecs("DescribeContainerInstances", cluster=CLUSTER, containerInstances=["1"]),
    ecs("DeregisterContainerInstance", cluster=CLUSTER, containerInstance="1"),
    ecs("SubmitTaskStateChange", cluster=CLUSTER, task="1"),
]
STREAM = {"logGroupName": f"/aws/elasticbeanstalk/{ENVIRONMENT}/containers", "logStreamName": "task/django/1"}
BY_CONTAINERS = [Calling("logs", operation, STREAM) for operation in ("CreateLogStream", "PutLogEvents")]
OF_ANOTHER = [
    ecs("CreateCluster", STAGING, clusterName=THEIRS),
    ecs("DeleteCluster", cluster=THEIRS),
    ecs("RegisterTaskDefinition", STAGING, family=THEIRS),
    ecs("RegisterContainerInstance", STAGING, cluster=THEIRS),
    ecs("StopTask", cluster=THEIRS, task="1"),
    ec2("CreateSecurityGroup", VpcId=VPC),
    ec2("CreateSecurityGroup", VpcId=VPC, **tags(STAGING)),
    ec2("CreateTags", **{"ResourceId.1": GROUP}, **tags(ENVIRONMENT)),
    ec2("DeleteSecurityGroup", STAGING, GroupId=GROUP),
    ec2("DeleteSecurityGroup", GroupId=GROUP),
    ec2("CreateLaunchTemplateVersion", STAGING, LaunchTemplateId=TEMPLATE),
]
BY_WHO_PROMOTES = [
    ecs("ListClusters"),
    ecs("ListContainerInstances", cluster=THEIRS),
    ecs("DescribeContainerInstances", cluster=THEIRS, containerInstances=["1"]),
    ecs("ListTasks", cluster=THEIRS),
    ecs("DescribeTasks", cluster=THEIRS, tasks=["1"]),
]


@pytest.mark.parametrize("call", BY_ELASTIC_BEANSTALK, ids=str)
def test_elastic_beanstalk_may_make_an_environment_with_its_own_role(documents: Documents, call: Calling) -> None:
    assert call.refusals([documents["service"]]) == []


@pytest.mark.parametrize("call", BY_ELASTIC_BEANSTALK, ids=str)
def test_elastic_beanstalk_may_make_an_environment_with_the_role_that_deploys(
    policies: Documents, call: Calling
) -> None:
    assert call.refusals([policies["environment"], policies["stack"]]) == []


@pytest.mark.parametrize("call", BY_INSTANCES, ids=str)
def test_the_agent_of_ecs_may_work_with_the_role_of_the_instances(documents: Documents, call: Calling) -> None:
    assert call.refusals([documents["instance"]]) == []


@pytest.mark.parametrize("call", BY_CONTAINERS, ids=str)
def test_containers_may_log_with_the_execution_role(documents: Documents, call: Calling) -> None:
    assert call.refusals([documents["execution"]]) == []


@pytest.mark.parametrize("call", OF_ANOTHER, ids=str)
def test_what_is_another_environments_stays_closed(documents: Documents, call: Calling) -> None:
    assert call.refusals([documents["service"], documents["instance"]]) != []


def test_who_deploys_may_remove_a_database_and_keep_its_last_snapshot(policies: Documents) -> None:
    names = {
        "DBInstanceIdentifier": "antenna-postgres",
        "FinalDBSnapshotIdentifier": "antenna-postgres-final-abcdefghijkl",
    }
    assert Calling("rds", "DeleteDBInstance", names).refusals([policies["data"]]) == []


@pytest.mark.parametrize("call", BY_WHO_PROMOTES, ids=str)
def test_what_runs_where_a_release_comes_from_may_be_looked_at(policies: Documents, call: Calling) -> None:
    assert call.refusals([policies["release"], policies["promotion"]]) == []


def test_it_is_the_promotion_that_lets_one_look_there(policies: Documents) -> None:
    assert all(call.refusals([policies["release"]]) for call in BY_WHO_PROMOTES[1:])
