# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for an environment, and that planning converges."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._eb import planner
from ansible_collections.antenna.aws.plugins.module_utils._eb.model import (
    Environment,
    ObservedEnvironment,
    Setting,
    WantedEnvironment,
    setting_value,
    settings_from_options,
)

BRANCH = "ECS running on 64bit Amazon Linux 2023"
ARN = f"arn:aws:elasticbeanstalk:eu-central-1::platform/{BRANCH}/4.2.0"
NEW_ARN = f"arn:aws:elasticbeanstalk:eu-central-1::platform/{BRANCH}/4.3.0"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
LAUNCH = "aws:autoscaling:launchconfiguration"
HEALTH = "aws:elasticbeanstalk:healthreporting:system"

WANTED = WantedEnvironment(
    name="antenna-test",
    application_name="antenna",
    cname_prefix="antenna-test",
    platform_branch=BRANCH,
    version_label="v2",
    settings=settings_from_options({PROPERTIES: {"A": "1"}, HEALTH: {"SystemType": "enhanced"}}),
    tags={"team": "antenna"},
)
NOTHING = ObservedEnvironment(recommended_platform_arn=ARN, new_cname="antenna-test.eu-central-1.elasticbeanstalk.com")
THERE = ObservedEnvironment(
    environment=Environment(
        "e-1", "antenna-test", "antenna", status="Ready", version_label="v2", platform_arn=ARN, tier="WebServer"
    ),
    settings=(*WANTED.settings, Setting("aws:autoscaling:asg", "MinSize", "1")),
    tags={"team": "antenna", "elasticbeanstalk:environment-id": "e-1", "Name": "antenna-test"},
    platform_branch=BRANCH,
)


def with_setting(namespace: str, name: str, value: str) -> ObservedEnvironment:
    return replace(THERE, settings=(*THERE.settings, Setting(namespace, name, value)))


def wanting(namespace: str, name: str, value: object) -> WantedEnvironment:
    return replace(WANTED, settings=(*WANTED.settings, *settings_from_options({namespace: {name: value}})))


def test_an_empty_account_gets_a_create_on_the_recommended_platform() -> None:
    plan = planner.plan_present(WANTED, NOTHING)
    assert [step.op for step in plan] == ["create"]
    assert plan.steps[0] == planner.CreateEnvironment(
        "create", "antenna-test", f"no environment of this name; platform {BRANCH}/4.2.0, version v2", platform_arn=ARN
    )


@pytest.mark.parametrize("status", ["Terminating", "Terminated"])
def test_an_environment_that_is_going_away_does_not_count(status: str) -> None:
    assert THERE.environment is not None
    observed = replace(NOTHING, environment=replace(THERE.environment, status=status))
    assert [step.op for step in planner.plan_present(WANTED, observed)] == ["create"]
    assert not planner.plan_absent(WANTED, observed)


def test_what_is_as_declared_is_left_alone() -> None:
    assert not planner.plan_present(WANTED, THERE)


def test_version_and_options_go_out_in_one_update_with_the_difference_only() -> None:
    wanted = replace(wanting(PROPERTIES, "B", 2), version_label="v3")
    (step,) = planner.plan_present(wanted, THERE)
    assert step == planner.UpdateEnvironment(
        "update",
        "antenna-test",
        f"version v2 -> v3; {PROPERTIES}:B (unset) -> 2",
        version_label="v3",
        settings=(Setting(PROPERTIES, "B", "2"),),
    )


@pytest.mark.parametrize(
    ("namespace", "name", "wanted", "current", "same"),
    [
        (LAUNCH, "SecurityGroups", "sg-b,sg-a", "sg-a,awseb-e-1-stack-AWSEBSecurityGroup-X,sg-b", True),
        (LAUNCH, "SecurityGroups", "sg-a", "sg-a,sg-0generated", True),
        (LAUNCH, "SecurityGroups", "sg-a", "sg-a,sg-other", False),
        (LAUNCH, "SecurityGroups", "sg-a,sg-b", "sg-a", False),
        ("aws:ec2:vpc", "Subnets", ["subnet-2", "subnet-1"], "subnet-1,subnet-2", True),
        ("aws:ec2:vpc", "Subnets", "subnet-1", "subnet-1,subnet-2", False),
        ("aws:ec2:vpc", "AssociatePublicIpAddress", True, "true", True),
        ("aws:ec2:vpc", "AssociatePublicIpAddress", "True", "true", True),
        ("aws:ec2:vpc", "AssociatePublicIpAddress", True, "false", False),
        (HEALTH, "ConfigDocument", {"Version": 1, "Rules": {}}, '{"Rules": {}, "Version": 1}', True),
        (HEALTH, "ConfigDocument", {"Version": 1}, '{"Version": 2}', False),
        (HEALTH, "ConfigDocument", {"Version": 1}, "not json", False),
        ("aws:ec2:instances", "InstanceTypes", ["t3.large", "t3.small"], "t3.large, t3.small", True),
        ("aws:ec2:instances", "InstanceTypes", ["t3.small", "t3.large"], "t3.large,t3.small", False),
        (LAUNCH, "IamInstanceProfile", "antenna", "arn:aws:iam::123456789012:instance-profile/antenna", True),
        (LAUNCH, "IamInstanceProfile", "antenna", "arn:aws:iam::123456789012:instance-profile/other", False),
        (PROPERTIES, "FLAG", "True", "true", False),
        (PROPERTIES, "EMPTY", "", None, True),
        (PROPERTIES, "NEW", "x", None, False),
    ],
)
def test_when_two_values_are_the_same(
    namespace: str, name: str, wanted: object, current: str | None, same: bool
) -> None:
    generated = frozenset({"sg-0generated"})
    assert planner.same_value((namespace, name), setting_value(wanted), current, generated) is same


def test_only_undeclared_groups_by_id_are_looked_up() -> None:
    observed = with_setting(LAUNCH, "SecurityGroups", "sg-a,sg-b,awseb-e-1")
    assert planner.security_groups_to_look_up(wanting(LAUNCH, "SecurityGroups", "sg-a"), observed.settings) == {"sg-b"}
    assert planner.security_groups_to_look_up(WANTED, observed.settings) == frozenset()


def test_an_undeclared_option_and_a_null_value_are_left_alone() -> None:
    assert not planner.plan_present(wanting(PROPERTIES, "A", None), with_setting(PROPERTIES, "OTHER", "x"))


def test_the_platform_changes_with_the_branch_and_never_within_it() -> None:
    assert not planner.plan_present(WANTED, replace(THERE, recommended_platform_arn=NEW_ARN))
    old = replace(THERE, platform_branch="ECS running on 64bit Amazon Linux 2", recommended_platform_arn=NEW_ARN)
    (step,) = planner.plan_present(WANTED, old)
    assert isinstance(step, planner.UpdateEnvironment)
    assert (step.platform_arn, step.settings, step.version_label) == (NEW_ARN, (), None)


def test_removing_touches_only_what_is_there_and_not_at_its_default() -> None:
    minimum = ("aws:autoscaling:asg", "MinSize")
    wanted = replace(WANTED, options_to_remove=(minimum, (PROPERTIES, "OLD"), (PROPERTIES, "GONE")))
    observed = replace(with_setting(PROPERTIES, "OLD", "x"), option_defaults={minimum: "1"})
    (step,) = planner.plan_present(wanted, observed)
    assert isinstance(step, planner.UpdateEnvironment)
    assert step.options_to_remove == ((PROPERTIES, "OLD"),)


def test_tags_are_changed_first_and_the_services_own_are_kept() -> None:
    wanted = replace(WANTED, tags={"cost": "1"}, version_label="v3")
    first, second = planner.plan_present(wanted, THERE)
    assert first == planner.UpdateTags(
        "update_tags", "antenna-test", "tag cost=1; tag team removed", add=(("cost", "1"),), remove=("team",)
    )
    assert isinstance(second, planner.UpdateEnvironment)
    kept = planner.plan_present(replace(wanted, purge_tags=False), THERE)
    assert isinstance(kept.steps[0], planner.UpdateTags)
    assert kept.steps[0].remove == ()
    assert not planner.plan_present(replace(WANTED, tags=None), replace(THERE, tags={"other": "x"}))


@pytest.mark.parametrize(
    ("wanted", "observed", "words"),
    [
        (replace(WANTED, platform_branch=None), NOTHING, "takes platform_branch"),
        (replace(WANTED, version_label=None), NOTHING, "sample application"),
        (WANTED, replace(NOTHING, recommended_platform_arn=""), "list-platform-branches"),
        (WANTED, replace(NOTHING, cname_available=False), "is taken"),
        (replace(WANTED, application_name="other"), THERE, "belongs to application 'antenna'"),
        (replace(WANTED, tier="Worker"), THERE, "cannot become 'Worker'"),
        (WANTED, replace(THERE, platform_branch="Old"), "no recommended platform version"),
    ],
)
def test_what_is_impossible_is_said_in_words(
    wanted: WantedEnvironment, observed: ObservedEnvironment, words: str
) -> None:
    with pytest.raises(AntennaError, match=words):
        planner.plan_present(wanted, observed)


def test_absent_terminates_what_is_there() -> None:
    assert [step.op for step in planner.plan_absent(WANTED, THERE)] == ["terminate"]
    assert not planner.plan_absent(WANTED, ObservedEnvironment())


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("POSTGRES_PASSWORD", "hunter22", True),
        ("DJANGO_SECRET_KEY", "x", True),
        ("REDIS_URL", "rediss://:pw@host/0", True),
        ("REDIS_URL", "rediss://host/0", False),
        ("DJANGO_DEBUG", "false", False),
        ("POSTGRES_PASSWORD", "", False),
    ],
)
def test_values_that_look_like_secrets_are_not_shown(name: str, value: str, hidden: bool) -> None:
    plan = planner.plan_present(wanting(PROPERTIES, name, value or None), with_setting(PROPERTIES, name, "old"))
    assert planner.is_secret(Setting(PROPERTIES, name, value)) is hidden
    assert all(not hidden or value not in step.reason.split() for step in plan)


STATES = [NOTHING, THERE, with_setting(PROPERTIES, "A", "9"), replace(THERE, tags={}, platform_branch="Old")]
WISHES = [
    WANTED,
    replace(WANTED, version_label="v9", description="new"),
    replace(WANTED, tags={}, options_to_remove=((PROPERTIES, "OLD"),)),
    wanting(LAUNCH, "SecurityGroups", ["sg-1", "sg-2"]),
]


@pytest.mark.parametrize(("observed", "wanted"), list(itertools.product(STATES, WISHES)))
def test_planning_again_after_applying_yields_nothing(observed: ObservedEnvironment, wanted: WantedEnvironment) -> None:
    observed = replace(observed, recommended_platform_arn=NEW_ARN)
    plan = planner.plan_present(wanted, observed)
    assert not planner.plan_present(wanted, planner.project(wanted, observed, plan))
    gone = planner.project(wanted, observed, planner.plan_absent(wanted, observed))
    assert not planner.plan_absent(wanted, gone)


ENVIRONMENT = "aws:elasticbeanstalk:environment"
TYPE = (ENVIRONMENT, "LoadBalancerType")


def test_the_type_of_the_load_balancer_counts_once_there_is_to_be_one() -> None:
    single = with_setting(ENVIRONMENT, "EnvironmentType", "SingleInstance")
    wanted = wanting(*TYPE, "application")
    assert not planner.plan_present(wanted, single)
    balanced = replace(wanted, settings=(*wanted.settings, Setting(ENVIRONMENT, "EnvironmentType", "LoadBalanced")))
    (step,) = planner.plan_present(balanced, single)
    assert isinstance(step, planner.UpdateEnvironment)
    assert {setting.name: setting.value for setting in step.settings} == {
        "EnvironmentType": "LoadBalanced",
        "LoadBalancerType": "application",
    }


def test_the_type_of_a_load_balancer_stays() -> None:
    with pytest.raises(AntennaError, match="has LoadBalancerType 'classic' and cannot get 'application'"):
        planner.plan_present(wanting(*TYPE, "application"), with_setting(*TYPE, "classic"))
    assert not planner.plan_present(wanting(*TYPE, "classic"), with_setting(*TYPE, "classic"))
