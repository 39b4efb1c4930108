# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small deployments in one account: promoted, looked at, told apart from what others made, and removed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account, made_and_not_removed
from tests.support.rehearsal import ACCOUNT, ROOT, WORK, Rehearsal, Run, inside
from tests.support.webidentity import AUDIENCE, token

INVENTORIES = ("-i", "inventories/local", "-i", "extensions/molecule/inventory")
NAME = "life-one"
BESIDE = "life-two"
REPOSITORY = "example/deployment"
PRINCIPALS = ("-e", '{"deployer_principals": ["arn:aws:iam::123456789012:root"]}')
ONCE = {
    "CreateApplicationVersion",
    "CreateCacheSubnetGroup",
    "CreateDBInstance",
    "CreateDistributionWithTags",
    "CreateEnvironment",
    "CreateFunction",
    "CreateReplicationGroup",
    "CreateRepository",
    "CreateSecret",
    "CreateUser",
}
"""What a deployment calls once for each thing that it makes."""
UPLOAD = {"Bucket": f"{NAME}-storage-{ACCOUNT}", "Key": "uploads/moth.jpg"}
SHARED = ("aws-elasticbeanstalk-ec2-role", "aws-elasticbeanstalk-service-role")


@pytest.fixture(scope="module")
def life(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsal, and the role that makes the first deployment."""
    rehearsal.localcloud("base-images", str(ROOT / "extensions/molecule/source"))
    rehearsal.take_role(NAME, *INVENTORIES, "--limit", NAME)
    yield rehearsal


@pytest.fixture(scope="module")
def account(life: Rehearsal) -> Account:
    return Account(life)


def play(life: Rehearsal, playbook: str, *options: str, fails: bool = False, host: str = NAME) -> Run:
    rights = life.rights.get(host, ())
    return life.ansible(f"playbooks/{playbook}.yml", *INVENTORIES, "--limit", host, *rights, *options, fails=fails)


def messages(run: Run) -> str:
    """The output with its wrapped lines joined."""
    return " ".join(run.output.split())


def users(account: Account, role: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in account.client("iam").list_role_tags(RoleName=role)["Tags"]}


def query(life: Rehearsal, account: Account, sql: str) -> str:
    """What the first deployment's database answers to whoever has the password of its secret."""
    held = account.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/environment")["SecretString"]
    url = f"postgresql://antenna:{quote(json.loads(held)['POSTGRES_PASSWORD'])}@127.0.0.1/antenna?sslmode=require"
    database = life.status()["databases"][f"{NAME}-postgres"]["container"]
    return inside(database, "psql", url, "-Atc", sql)


def images(life: Rehearsal, environment: str) -> dict[str, str]:
    """The digest of what each container of the environment runs."""
    instances = life.status()["environments"][environment]["instances"].values()
    return {name: item["image"].split("@")[1] for one in instances for name, item in one["containers"].items()}


def test_what_others_made_is_not_taken_over_in_silence(life: Rehearsal, account: Account) -> None:
    bucket = f"{NAME}-ui-123456789012"
    place = {"LocationConstraint": "us-west-2"}
    account.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    before = len(life.writes())
    refused = messages(play(life, "site", "--tags", "network", fails=True))
    assert f"did not make what bears these of its names: bucket {bucket}" in refused and "-e adopt=true" in refused
    assert life.writes()[before:] == []
    assert play(life, "site", "--tags", "network", "-e", "adopt=true").recap["changed"] > 0
    account.client("s3").delete_bucket(Bucket=bucket)


def test_a_deployment_that_was_interrupted_goes_on(life: Rehearsal) -> None:
    before = len(life.writes())
    told = ("--limit", NAME, *life.rights[NAME], "--skip-tags", "validate")
    life.interrupted("playbooks/site.yml", *INVENTORIES, *told, at="CreateEnvironment")
    assert play(life, "site", "--skip-tags", "validate").recap["failed"] == 0
    writes = [entry for entry in life.writes()[before:] if entry["status"] < 400]
    made = Counter((entry["operation"], entry["resource"]) for entry in writes if entry["operation"] in ONCE)
    assert set(made.values()) == {1} and {operation for operation, _resource in made} == ONCE


def test_a_release_is_promoted_without_a_build_and_lives_beside_the_first(life: Rehearsal, account: Account) -> None:
    given = {"deployer_promote_from": [NAME], "deployer_github_repository": REPOSITORY}
    life.take_role(BESIDE, *INVENTORIES, "--limit", BESIDE, "-e", json.dumps(given))
    refused = messages(play(life, "promote", host=BESIDE, fails=True))
    assert f"name the environment whose release {BESIDE} is to get" in refused
    promoted, ui = ("-e", f"promote_from={NAME}"), ("--tags", "ui")
    before = len(life.writes())
    refused = messages(play(life, "promote", *promoted, "-e", "promote_release=approved", *ui, host=BESIDE, fails=True))
    assert f"the environment {NAME} runs {NAME}-" in refused and "by now, not approved" in refused
    refused = messages(play(life, "promote", *promoted, "-e", "promote_ui=approved", *ui, host=BESIDE, fails=True))
    content = re.search(rf"{NAME}-ui-{ACCOUNT} has the UI (\w+) by now, not approved", refused)
    assert content and life.writes()[before:] == []
    first = account.of(NAME)
    approved = ("-e", f"promote_ui={content[1]}", "--skip-tags", "validate")
    run = play(life, "promote", *promoted, *approved, host=BESIDE)
    assert not re.search(
        r"TASK \[[^\]*(Build the missing images|Start the build)[^\]]*\] \*+\n(changed|ok)", run.output
    )
    assert account.of(NAME) == first
    digests = [images(life, of) for of in (NAME, BESIDE)]
    assert digests[0] == digests[1] and len(digests[0]) == 7
    s3 = account.client("s3")
    pages = [s3.get_object(Bucket=f"{of}-ui-123456789012", Key="index.html")["Body"].read() for of in (NAME, BESIDE)]
    assert pages[0] == pages[1]
    for role in SHARED:
        assert users(account, role) == {
            "antenna.aws": "made",
            f"antenna.aws/{BESIDE}": "used",
            f"antenna.aws/{NAME}": "used",
        }


def test_secrets_are_in_clear_where_the_guide_has_them_so_but_nowhere_else(life: Rehearsal, account: Account) -> None:
    secret = account.client("secretsmanager").get_secret_value(SecretId=f"{BESIDE}/environment")
    held = json.loads(secret["SecretString"])
    settings = account.client("elasticbeanstalk").describe_configuration_settings(
        ApplicationName=BESIDE, EnvironmentName=BESIDE
    )["ConfigurationSettings"][0]["OptionSettings"]
    namespace = "aws:elasticbeanstalk:application:environment"
    properties = {item["OptionName"]: item.get("Value") for item in settings if item["Namespace"] == namespace}
    assert {name: properties[name] for name in held} == held
    (django,) = life.containers(BESIDE, "django")
    variables = inside(django["docker_id"], "env").splitlines()
    assert {f"{name}={value}" for name, value in held.items()} <= set(variables)
    told = (WORK / "playbook.log").read_text()
    assert "POSTGRES_PASSWORD look like secrets: whoever reads the bundle in S3" in " ".join(told.split())
    assert [name for name, value in held.items() if value in told] == []


def test_what_was_not_tried_is_not_promoted(life: Rehearsal) -> None:
    before = len(life.writes())
    other = ("-e", "eb_bundle_migration_deadline=60", "--tags", "bundle")
    refused = messages(play(life, "promote", "-e", f"promote_from={NAME}", *other, host=BESIDE, fails=True))
    assert "differs from what would be made here in .platform/hooks/postdeploy/01_migrate.sh." in refused
    assert life.writes()[before:] == []


def test_what_is_promoted_once_more_changes_nothing(life: Rehearsal) -> None:
    before = len(life.writes())
    again = play(life, "promote", "-e", f"promote_from={NAME}", "--skip-tags", "validate", host=BESIDE)
    assert again.recap["changed"] == 0 and life.writes()[before:] == []


def test_what_was_promoted_is_not_built_from_the_same_sources(life: Rehearsal) -> None:
    assert play(life, "site", "--tags", "images", host=BESIDE).recap["changed"] == 0


def test_the_role_that_deploys_is_handed_to_the_jobs_of_its_environment_alone(account: Account) -> None:
    github, sts = "token.actions.githubusercontent.com", account.client("sts")
    account.client("iam").create_open_id_connect_provider(Url=f"https://{github}", ClientIDList=[AUDIENCE])

    def take(subject: str) -> Any:
        arn, job = f"arn:aws:iam::{ACCOUNT}:role/{BESIDE}-deployer", token(github, sub=subject)
        return sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName="job", DurationSeconds=7200, WebIdentityToken=job
        )

    assert take(f"repo:{REPOSITORY}:environment:inventory")["Credentials"]
    for other in (f"repo:{REPOSITORY}:pull_request", "repo:example/another:environment:inventory"):
        with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
            take(other)


def test_all_that_bears_tags_tells_whose_it_is(account: Account) -> None:
    tags, ours = account.tags(NAME), {"Application": NAME, "Environment": NAME, "ManagedBy": "antenna.aws"}
    kinds = {item.split()[0] for item in tags}
    assert {"alarm", "bucket", "database", "environment", "redis", "secret", "subnet", "table", "version"} <= kinds
    released = {item: borne["Release"] for item, borne in tags.items() if "Release" in borne}
    assert released == {item: item.removeprefix("version ") for item in tags if item.startswith("version ")}
    untold = {item for item, borne in tags.items() if not ours.items() <= borne.items()}
    assert [item for item in untold if not item.startswith(f"logs /aws/elasticbeanstalk/{NAME}/")] == []
    # Elastic Beanstalk makes these itself, and gives them none.
    assert f"logs /aws/elasticbeanstalk/{NAME}/containers" not in untold


def test_status_finds_what_somebody_changed_and_writes_nothing(
    life: Rehearsal, account: Account, tmp_path: Path
) -> None:
    ec2 = account.client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{NAME}-redis-sg"]}])
    group_id = group["SecurityGroups"][0]["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    account.client("s3").delete_public_access_block(Bucket=f"{NAME}-ui-123456789012")
    before = len(life.writes())
    file = tmp_path / "status.json"
    run = play(life, "status", "-e", f"status_file={file}")
    assert life.writes()[before:] == [] and run.recap["changed"] == 0
    status = json.loads(file.read_text())
    assert status["environment"]["health_status"] == "Ok" and len(status["environment"]["containers"]) == 7
    assert status["release"]["version_label"].startswith(f"{NAME}-") and status["release"]["since"]
    assert re.fullmatch("[0-9a-f]{64}", status["release"]["ui"])
    assert {item["owner"] for item in status["resources"] if item["exists"]} == {"ours"}
    assert len(status["alarms"]) == 13 and {alarm["drift"] for alarm in status["alarms"]} == {"no"}
    drifted = {f"{NAME}-redis-sg", f"{NAME}-ui-123456789012"}
    assert (status["drift"]["failure"], set(status["drift"]["resources"])) == ("", drifted)
    assert {item["drift"] for item in status["resources"] if item["name"] not in drifted} == {"no"}
    said = messages(run)
    assert "Make the security groups of the data tier, open to the instance only" in said
    assert "set: its public access block differs" in said


def test_an_update_puts_right_what_was_changed(life: Rehearsal, account: Account) -> None:
    tags = {"Application": NAME, "Environment": NAME, "ManagedBy": "antenna.aws", "Purpose": "update"}
    parts = "network,identity,secrets,data_tier,ecr_images,ui_distribution,observability"
    run = play(life, "site", "--tags", parts, "-e", json.dumps({"antenna_tags": tags}))
    assert run.recap["failed"] == 0 and run.recap["changed"] > 0
    (group,) = account.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{NAME}-redis-sg"]}]
    )["SecurityGroups"]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [6379]
    assert {"Key": "Purpose", "Value": "update"} in group["Tags"]


def redis_from_before_a_restore(account: Account) -> None:
    """Another one of the first deployment, whose name its inventory no longer has."""
    elasticache = account.client("elasticache")
    (group,) = elasticache.describe_replication_groups(ReplicationGroupId=f"{NAME}-redis")["ReplicationGroups"]
    elasticache.create_replication_group(
        ReplicationGroupId=f"{NAME}-redis-0",
        ReplicationGroupDescription=group["Description"],
        CacheNodeType="cache.t4g.micro",
        Engine="redis",
        CacheSubnetGroupName=f"{NAME}-private-redis-subnet-group",
        Tags=elasticache.list_tags_for_resource(ResourceName=group["ARN"])["TagList"],
    )


def test_a_removal_takes_what_is_ours_and_keeps_data(life: Rehearsal, account: Account) -> None:
    redis_from_before_a_restore(account)
    query(life, account, "CREATE TABLE project (name text); INSERT INTO project VALUES ('Moths of Vermont')")
    account.client("s3").put_object(**UPLOAD, Body=b"moth")
    logs = {item for item in account.of(NAME) if item.startswith("logs ")}
    assert f"logs /aws/elasticbeanstalk/{NAME}/containers" in logs
    beside, before, confirmed = account.of(BESIDE), len(life.writes()), ("-e", f"confirm={NAME}")
    checked = play(life, "teardown", *confirmed, "--check")
    assert life.writes()[before:] == [] and checked.recap["changed"] == 1
    # Interrupted among what takes minutes, it goes on where it stopped.
    told = ("--limit", NAME, *life.rights[NAME], *confirmed)
    life.interrupted("playbooks/teardown.yml", *INVENTORIES, *told, at="DeleteDBInstance")
    assert f"bucket {NAME}-ui-123456789012" in account.of(NAME)
    assert play(life, "teardown", *confirmed).recap["changed"] == 1
    left = account.of(NAME)
    (snapshot,) = [item for item in left if item.startswith("snapshot ")]
    assert snapshot.startswith(f"snapshot {NAME}-postgres-final-")
    assert left - logs == {
        snapshot,
        f"bucket {NAME}-storage-123456789012",
        f"secret {NAME}/environment",
        f"user {NAME}-storage",
    }
    assert logs <= left
    # A backup by itself may have come meanwhile.
    assert account.of(BESIDE) >= beside
    assert life.status()["environments"][BESIDE]["health_status"] == "Ok"
    for role in SHARED:
        assert users(account, role) == {"antenna.aws": "made", f"antenna.aws/{BESIDE}": "used"}


def test_what_was_removed_comes_back_with_its_data(life: Rehearsal, account: Account) -> None:
    (snapshot,) = [item.removeprefix("snapshot ") for item in account.of(NAME) if item.startswith("snapshot ")]
    play(life, "site", "-e", f"data_tier_restore_snapshot={snapshot}", "--skip-tags", "validate")
    assert query(life, account, "SELECT name FROM project") == "Moths of Vermont\n"
    assert account.client("s3").get_object(**UPLOAD)["Body"].read() == b"moth"
    assert life.status()["environments"][NAME]["health_status"] == "Ok" and len(images(life, NAME)) == 7
    assert play(life, "site", "--tags", "data").recap["changed"] == 0


def test_told_twice_nothing_is_left(life: Rehearsal, account: Account) -> None:
    play(life, "teardown", "-e", f"confirm={NAME}", "-e", f"delete_data={NAME}")
    assert account.of(NAME) == set()
    play(life, "teardown", "-e", f"confirm={BESIDE}", "-e", f"delete_data={BESIDE}", host=BESIDE)
    assert account.of(BESIDE) == set()
    assert [role for role in SHARED if f"role {role}" in account.everything()] == []
    bundles = account.client("s3").list_objects_v2(Bucket="elasticbeanstalk-us-west-2-123456789012").get("Contents", [])
    assert [item["Key"] for item in bundles if item["Key"].startswith((f"{NAME}/", f"{BESIDE}/"))] == []
    assert made_and_not_removed(life.writes()) == Counter()
    status = WORK / "life-status.json"
    play(life, "status", "-e", "drift=false", "-e", f"status_file={status}")
    assert [item for item in json.loads(status.read_text())["resources"] if item["exists"]] == []


def test_the_role_that_deploys_is_removed_by_whom_it_was_made_by(life: Rehearsal, account: Account) -> None:
    run = life.ansible("playbooks/deployer.yml", *INVENTORIES, "--limit", NAME, *PRINCIPALS)
    assert run.recap["changed"] == 0
    for host in (NAME, BESIDE):
        life.ansible("playbooks/deployer.yml", *INVENTORIES, "--limit", host, "-e", "deployer_state=absent")
    policies = account.names("iam", "list_policies", "Policies", "PolicyName", Scope="Local")
    assert [name for name in policies if "-deployer-" in name] == []
    assert [item for item in account.everything() if item.endswith("-deployer")] == []
