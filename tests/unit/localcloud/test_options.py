# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's options: what the rehearsal cloud refuses, how it reads them back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._eb.options import unknown_option

from localcloud.elasticbeanstalk import optionrules, options, optionviews
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.optionviews import Made

PROPERTIES = options.ENVIRONMENT_PROPERTIES
PROCESS = "aws:elasticbeanstalk:environment:process:default"
MANAGED = "aws:elasticbeanstalk:managedactions"
LISTENER = "aws:elbv2:listener:443"
TYPES = {"t3.micro": ("i386", "x86_64"), "m5.large": ("x86_64",), "t4g.micro": ("arm64",), "m6g.large": ("arm64",)}

Settings = dict[Key, str]


def given(**namespaces: Mapping[str, str]) -> Settings:
    """Settings by the constants of `options` in lower case; `single=` and `application=` shape the environment."""
    names = {
        "environment": options.ENVIRONMENT,
        "launch": options.LAUNCH,
        "instances": options.INSTANCES,
        "vpc": options.VPC,
        "asg": options.ASG,
        "command": options.COMMAND,
        "health": options.HEALTH_SYSTEM,
        "logs": options.LOGS,
        "properties": PROPERTIES,
        "process": PROCESS,
        "managed": MANAGED,
        "listener": LISTENER,
        "classic_listener": "aws:elb:listener",
        "trigger": "aws:autoscaling:trigger",
    }
    return {Key(names[short], name): value for short, values in namespaces.items() for name, value in values.items()}


SINGLE = given(environment={"EnvironmentType": "SingleInstance"})
CLASSIC: Settings = {}
APPLICATION = given(environment={"LoadBalancerType": "application"})
NETWORK = given(environment={"LoadBalancerType": "network"})


def messages(settings: Settings) -> list[str]:
    return [problem.message for problem in optionrules.problems(settings, TYPES)]


@pytest.mark.parametrize(
    ("namespace", "name", "value", "message"),
    [
        (PROCESS, "HealthCheckPath", "/api/v2/", None),
        (PROCESS, "HealthCheckPath", "api", "Value does not satisfy regex"),
        (PROCESS, "HealthCheckProtocol", "HTTP", "Unknown configuration setting."),
        (PROCESS, "healthcheckpath", "/", "Unknown configuration setting."),
        (PROCESS, "MatcherHTTPCode", "200-299", None),
        (PROCESS, "MatcherHTTPCode", "", "or a range of codes (e.g 200-210).]"),
        ("aws:nothing", "Any", "1", "Unknown configuration setting."),
        ("aws:elasticbeanstalk:environment:process:admin", "Port", "81", None),
        (PROPERTIES, "ANY_NAME", "any value", None),
        (options.COMMAND, "Timeout", "3600", None),
        (options.COMMAND, "Timeout", "3601", "Value is greater than maximum allowed value: 3600"),
        (options.COMMAND, "Timeout", "0", "Value is less than minimum allowed value: 1"),
        (options.COMMAND, "Timeout", "soon", "Value is not a valid number."),
        (options.COMMAND, "DeploymentPolicy", "rolling", "Value is not one of the allowed values: [AllAtOnce, Rolling"),
        (options.LOGS, "StreamLogs", "yes", "Value is not one of the allowed values: [true, false]"),
        (options.LOGS, "RetentionInDays", "8", "Value is not one of the allowed values: [1, 3, 5"),
        (MANAGED, "PreferredStartTime", "Thu:22:40", None),
        (MANAGED, "PreferredStartTime", "FRI:14:03", None),
        (MANAGED, "PreferredStartTime", "Thursday:22:40", "Value does not satisfy regex"),
        (MANAGED, "PreferredStartTime", "Thu:24:00", "Value does not satisfy regex"),
        ("aws:autoscaling:updatepolicy:rollingupdate", "Timeout", "PT1H30M", None),
        ("aws:autoscaling:updatepolicy:rollingupdate", "Timeout", "30", "Value does not satisfy regex"),
        (options.HEALTH_SYSTEM, "ConfigDocument", '{"Version": 1}', None),
        (options.HEALTH_SYSTEM, "ConfigDocument", "{", "Value is not a valid JSON document."),
        (options.HEALTH_SYSTEM, "ConfigDocument", '{"Version": 2}', "it is a JSON object with"),
        (options.LAUNCH, "InstanceType", "r5a.xlarge", "[m5.large, m6g.large, t3.micro, t4g.micro]"),
        (options.INSTANCES, "InstanceTypes", "t3.micro, m5.large", None),
        (options.INSTANCES, "InstanceTypes", "t3.micro,x9.huge", "Value is not one of the allowed values: [m5.large,"),
        (options.INSTANCES, "InstanceTypes", "", "Specify from 1 to 40 instance types."),
        (options.INSTANCES, "InstanceTypes", "t3.micro,t4g.micro", "All instance types must be of one architecture."),
        (options.INSTANCES, "SupportedArchitectures", "arm64", None),
        (options.INSTANCES, "SupportedArchitectures", "ppc", "Value is not one of the allowed values"),
    ],
)
def test_values(namespace: str, name: str, value: str, message: str | None) -> None:
    found = messages({Key(namespace, name): value})
    if message is None:
        assert found == []
    else:
        (only,) = found
        assert f"(Namespace: '{namespace}', OptionName: '{name}')" in only
        assert message in only


def test_booleans_may_be_capitalised_and_become_lower_case() -> None:
    streams = Key(options.LOGS, "StreamLogs")
    assert options.effective({streams: "True"}) == {streams: "true"}
    assert options.effective(given(properties={"FLAG": "True"})) == given(properties={"FLAG": "True"})


def test_managed_updates_need_their_companions() -> None:
    enabled = given(managed={"ManagedActionsEnabled": "true"})
    assert len(messages(enabled)) == 4
    complete = {
        **enabled,
        **given(
            managed={"PreferredStartTime": "Thu:22:40"},
            health={"SystemType": "enhanced"},
            environment={"ServiceRole": "arn:aws:iam::1:role/aws-elasticbeanstalk-service-role"},
        ),
        Key(f"{MANAGED}:platformupdate", "UpdateLevel"): "minor",
    }
    assert messages(complete) == []
    linked = {**complete, **given(environment={"ServiceRole": "AWSServiceRoleForElasticBeanstalk"})}
    (message,) = messages(linked)
    assert "your environment uses the service-linked role 'AWSServiceRoleForElasticBeanstalk'." in message
    own_role = given(managed={"ServiceRoleForManagedUpdates": "AWSServiceRoleForElasticBeanstalkManagedUpdates"})
    assert messages({**linked, **own_role}) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {**APPLICATION, **given(listener={"Protocol": "HTTPS"})},
            "You must specify an SSL certificate",
        ),
        ({**SINGLE, **given(listener={"Protocol": "HTTPS"})}, None),
        (
            {**APPLICATION, **given(listener={"Protocol": "HTTPS", "SSLCertificateArns": "arn:aws:acm:r:1:c/1"})},
            None,
        ),
        (given(asg={"MinSize": "3", "MaxSize": "2"}), "Value is greater than MaxSize: 2"),
        ({**SINGLE, **given(asg={"MinSize": "3", "MaxSize": "2"})}, None),
        (given(command={"BatchSize": "150"}), "Value is greater than maximum allowed value: 100"),
        (given(command={"BatchSize": "150", "BatchSizeType": "Fixed"}), None),
        (given(command={"DeploymentPolicy": "TrafficSplitting"}), "requires an Application Load Balancer"),
        ({**APPLICATION, **given(command={"DeploymentPolicy": "TrafficSplitting"})}, None),
        (given(vpc={"Subnets": "subnet-1"}), "Specify the VPC of the Subnets."),
        (
            given(instances={"InstanceTypes": "t3.micro", "SupportedArchitectures": "arm64"}),
            "All instance types must be of the architecture arm64.",
        ),
    ],
)
def test_relations(settings: Settings, message: str | None) -> None:
    found = messages(settings)
    assert found == [] if message is None else [message in item for item in found] == [True]


def test_the_kind_of_load_balancer_stays() -> None:
    (problem,) = optionrules.unchangeable(APPLICATION, CLASSIC)
    assert problem.message == "LoadBalancer type option cannot be changed."
    assert optionrules.unchangeable(APPLICATION, {**APPLICATION, **given(properties={"A": "1"})}) == []
    # Though a single instance has none: its type too is the classic one, unless it was created with another.
    assert len(optionrules.unchangeable(SINGLE, APPLICATION)) == 1
    assert optionrules.unchangeable({**APPLICATION, **SINGLE}, APPLICATION) == []
    assert optionrules.unchangeable(SINGLE, CLASSIC) == []


def test_external_extensions_come_through_the_api_only() -> None:
    external = given(environment={"ExternalExtensionsS3Bucket": "bucket"})
    (problem,) = optionrules.extension_problems(external)
    assert problem.message.endswith("External extensions can only be applied from the API")
    assert messages(external) == []


def test_stronger_layers_win_and_show_what_they_hid_when_they_go() -> None:
    key = Key(PROPERTIES, "A")
    assert options.effective({key: "bundle"}, {key: "api"}) == {key: "api"}
    assert options.effective({key: "bundle"}, {}) == {key: "bundle"}


def test_properties_count_as_name_and_value_in_bytes() -> None:
    assert options.properties_size({Key(PROPERTIES, "AB"): "ü", Key(PROCESS, "Port"): "80"}) == 5


def test_every_default_is_a_value_that_the_service_takes() -> None:
    for known in options.catalogue().values():
        for option in known.values():
            for shape in ("single", "classic", "application", "network"):
                default = option.default_in(shape)
                assert not default or option.refusal(default) is None, option.key


# -- reading back -----------------------------------------------------------------------------------------------------


def read_back(settings: Settings, **made: str) -> dict[tuple[str, str], dict[str, str]]:
    found = optionviews.read_back(settings, Made(**made), TYPES)
    return {(item["Namespace"], item["OptionName"]): item for item in found}


def test_the_own_groups_are_among_the_declared_ones() -> None:
    declared = {**SINGLE, **given(launch={"SecurityGroups": "sg-1, sg-2"})}
    assert read_back(declared, security_group="sg-own")[options.LAUNCH, "SecurityGroups"] == {
        "Namespace": options.LAUNCH,
        "OptionName": "SecurityGroups",
        "ResourceName": "AWSEBEC2LaunchTemplate",
        "Value": "sg-1,sg-2,sg-own",
    }
    balanced = read_back(APPLICATION, security_group="sg-own", balancer_security_group="sg-balancer")
    assert balanced["aws:elbv2:loadbalancer", "SecurityGroups"]["Value"] == "sg-balancer"


def test_options_without_a_value_have_no_value() -> None:
    found = read_back(APPLICATION)
    assert "Value" not in found[options.VPC, "VPCId"]
    assert "Value" not in found[PROCESS, "MatcherHTTPCode"]
    assert found["aws:elasticbeanstalk:application", "Application Healthcheck URL"]["Value"] == ""
    assert found[options.ASG, "MinSize"]["ResourceName"] == "AWSEBAutoScalingGroup"
    assert "ResourceName" not in found[options.LAUNCH, "InstanceType"]


def test_what_means_nothing_in_this_kind_of_environment_is_not_read_back() -> None:
    everything = given(
        process={"HealthCheckPath": "/x"}, listener={"Protocol": "HTTP"}, classic_listener={"InstancePort": "8080"}
    )
    namespaces = {
        name: {namespace for namespace, _ in read_back({**shape, **everything})}
        for name, shape in (("single", SINGLE), ("classic", CLASSIC), ("application", APPLICATION))
    }
    assert not [
        name for name in namespaces["single"] if name.startswith(("aws:elb", "aws:elasticbeanstalk:environment:"))
    ]
    assert "aws:autoscaling:trigger" not in namespaces["single"]
    assert {"aws:elb:listener:80", "aws:elb:healthcheck"} <= namespaces["classic"]
    assert not namespaces["classic"] & {PROCESS, LISTENER, "aws:elb:listener"}
    assert {PROCESS, LISTENER, "aws:elbv2:listener:default", "aws:elbv2:loadbalancer"} <= namespaces["application"]
    assert not [name for name in namespaces["application"] if name.startswith("aws:elb:")]


def test_the_standard_classic_listener_is_that_of_port_80() -> None:
    found = read_back(given(classic_listener={"InstancePort": "8080"}))
    assert found["aws:elb:listener:80", "InstancePort"]["Value"] == "8080"
    assert found["aws:elb:listener:80", "ListenerProtocol"]["Value"] == "HTTP"


@pytest.mark.parametrize(
    ("settings", "types", "first", "architecture"),
    [
        ({}, "t3.micro, t3.small", "t3.micro", "x86_64"),
        (given(instances={"SupportedArchitectures": "arm64"}), "t4g.micro, t4g.small", "t4g.micro", "arm64"),
        (given(instances={"InstanceTypes": "m6g.large,t4g.micro"}), "m6g.large,t4g.micro", "m6g.large", "arm64"),
        (given(launch={"InstanceType": "m5.large"}), "m5.large", "m5.large", "x86_64"),
    ],
)
def test_instance_types_follow_from_each_other(settings: Settings, types: str, first: str, architecture: str) -> None:
    found = read_back(settings)
    assert found[options.INSTANCES, "InstanceTypes"]["Value"] == types
    assert found[options.LAUNCH, "InstanceType"]["Value"] == first
    assert found[options.INSTANCES, "SupportedArchitectures"]["Value"] == architecture
    assert found[options.TEMPLATE_PARAMETER, "InstanceTypeFamily"]["Value"] == first.partition(".")[0]


def test_subnets_come_back_in_another_order() -> None:
    found = read_back(given(vpc={"VPCId": "vpc-1", "Subnets": "subnet-b,subnet-a"}))
    assert found[options.VPC, "Subnets"]["Value"] == "subnet-a,subnet-b"


def test_properties_show_in_the_templates_parameters_too() -> None:
    found = read_back(given(properties={"A": "1", "B": "2"}), app_source="https://bucket/key")
    assert found[options.TEMPLATE_PARAMETER, "EnvironmentVariables"]["Value"] == "A=1,B=2"
    assert found[options.TEMPLATE_PARAMETER, "AppSource"]["Value"] == "https://bucket/key"
    assert "Value" not in read_back({})[options.TEMPLATE_PARAMETER, "EnvironmentVariables"]


def test_defaults_follow_the_load_balancer() -> None:
    percentage = (options.INSTANCES, "SpotFleetOnDemandAboveBasePercentage")
    assert read_back(SINGLE)[percentage]["Value"] == "0"
    assert read_back(CLASSIC)[percentage]["Value"] == "70"
    assert read_back(NETWORK)[PROCESS, "Protocol"]["Value"] == "TCP"
    assert read_back(APPLICATION)[PROCESS, "Protocol"]["Value"] == "HTTP"


# -- descriptions -----------------------------------------------------------------------------------------------------


def test_descriptions_say_what_a_change_costs() -> None:
    timeout, own = optionviews.describe([Key(options.COMMAND, "Timeout"), Key(PROPERTIES, "MINE")], SINGLE)
    assert (timeout["MinValue"], timeout["MaxValue"], timeout["DefaultValue"]) == (1, 3600, "600")
    assert (timeout["ChangeSeverity"], timeout["UserDefined"]) == ("NoInterruption", False)
    assert own["ChangeSeverity"] == "RestartApplicationServer"
    (matcher,) = optionviews.describe([Key(PROCESS, "MatcherHTTPCode")], APPLICATION)
    assert matcher["Regex"]["Pattern"].startswith("^")


def test_all_options_are_those_of_the_environments_kind() -> None:
    settings = {**SINGLE, **given(properties={"MINE": "1"})}
    described = {(item["Namespace"], item["Name"]): item for item in optionviews.describe(None, settings)}
    assert not [namespace for namespace, _ in described if namespace.startswith("aws:elb")]
    assert described[PROPERTIES, "MINE"]["UserDefined"] is True
    assert described[options.ENVIRONMENT, "EnvironmentType"]["ValueOptions"] == ["SingleInstance", "LoadBalanced"]


def test_the_collection_takes_the_options_that_users_set() -> None:
    """All but what the service keeps for itself, the console and templates."""
    inner = {options.TEMPLATE_PARAMETER, "aws:elasticbeanstalk:control"}
    refused = {
        name
        for namespace, known in options.catalogue().items()
        for name in known
        if namespace not in inner and unknown_option(namespace, name) is not None
    }
    assert refused == {"ExternalExtensionsS3Bucket", "ExternalExtensionsS3Key"}
