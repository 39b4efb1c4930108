# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which bundles are refused, which are warned about, and which bytes they become."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._eb import bundle as eb
from ansible_collections.antenna.aws.plugins.module_utils._eb.instances import memory_mib
from ansible_collections.antenna.aws.plugins.module_utils._eb.options import option_settings, unknown_option

DIGEST = "sha256:" + "0a" * 32
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:antenna-AbCdEf:KEY::"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
WEB = eb.Container("web", f"registry/web@{DIGEST}", memory=512)
CACHE = eb.Container("cache", "memcached:1.6", memory_reservation=64)
GOOD = eb.Bundle((WEB, CACHE))


def with_web(**changes: Any) -> eb.Bundle:
    return replace(GOOD, containers=(replace(WEB, **changes), CACHE))


def port(host_port: int, container_port: int = 80, protocol: str = "tcp") -> eb.PortMapping:
    return eb.PortMapping(host_port, container_port, protocol)


REFUSED = {
    "no container": (eb.Bundle(()), "it has no container"),
    "none essential": (
        eb.Bundle((replace(WEB, essential=False),)),
        "no container is essential, and a task needs one that is",
    ),
    "a name twice": (eb.Bundle((WEB, WEB, WEB)), "two containers are named 'web'"),
    "a name that is none": (with_web(name="we b"), "container name 'we b' must be"),
    "an image without tag": (with_web(image="registry:5000/web"), "'registry:5000/web', without tag or digest"),
    "an image with a broken digest": (with_web(image="web@sha256:12"), "whose digest is not sha256:"),
    "an image with an empty tag": (with_web(image="web:"), "whose tag '' is not a valid tag"),
    "an image that is none": (with_web(image=":v1"), "which is not an image reference"),
    "no memory": (with_web(memory=None), "container 'web' has neither memory nor memory_reservation"),
    "hardly any memory": (with_web(memory=2), "container 'web' has memory 2, and ECS takes no less than 4 MiB"),
    "more reserved than allowed": (
        with_web(memory_reservation=513),
        "container 'web' reserves 513 MiB, more than its limit of 512 MiB",
    ),
    "too much for the first type": (
        replace(with_web(memory=2000), instance_types=("t3.small", "t3.large")),
        "its containers reserve 2064 MiB, and instance type 't3.small' has at most 1984 MiB for containers",
    ),
    "a host port twice": (
        eb.Bundle((replace(WEB, port_mappings=(port(80),)), replace(CACHE, port_mappings=(port(80, 81),)))),
        "containers 'web' and 'cache' both map the host port 80",
    ),
    "a host port twice in one container": (
        with_web(port_mappings=(port(80), port(80, 81))),
        "containers 'web' and 'web' both map the host port 80",
    ),
    "a port that is none": (with_web(port_mappings=(port(80, 0),)), "maps the container port 0, not 1 to 65535"),
    "a host port that is none": (with_web(port_mappings=(port(65536),)), "maps the host port 65536, not 0 to 65535"),
    "a link to nothing": (with_web(links=("db:database",)), "links to 'db', which is not a container of the bundle"),
    "a dependency on nothing": (
        with_web(depends_on=(eb.Dependency("db"),)),
        "container 'web' depends on 'db', which is not a container of the bundle",
    ),
    "a dependency on the end of what must not end": (
        with_web(depends_on=(eb.Dependency("cache", "SUCCESS"),)),
        "container 'web' waits until 'cache' has ended, which is essential",
    ),
    "a circle": (
        eb.Bundle((replace(WEB, links=("cache",)), replace(CACHE, depends_on=(eb.Dependency("web"),)))),
        "in a circle by links or dependencies: web -> cache -> web",
    ),
    "a link to itself": (with_web(links=("web",)), "in a circle by links or dependencies: web -> web"),
    "a volume that is not there": (
        with_web(mount_points=(eb.MountPoint("data", "/data"),)),
        "container 'web' mounts the volume 'data', which is not declared",
    ),
    "a volume twice": (
        replace(GOOD, volumes=(eb.Volume("a", "/a"), eb.Volume("a", "/b"))),
        "two volumes are named 'a'",
    ),
    "secrets that nobody may read": (with_web(secrets=(("KEY", ARN),)), "only with an execution_role_arn"),
    "a secret that is no ARN": (
        replace(with_web(secrets=(("KEY", "hunter2"),)), execution_role_arn="arn:aws:iam::1:role/r"),
        "secret 'KEY' of container 'web' is not the ARN",
    ),
    "a name both as environment and as secret": (
        replace(
            with_web(environment=(("KEY", "v"),), secrets=(("KEY", ARN),)), execution_role_arn="arn:aws:iam::1:role/r"
        ),
        "container 'web' has 'KEY' both as environment and as secret",
    ),
    "an unknown option": (
        replace(
            GOOD, option_settings={"aws:elasticbeanstalk:environment:process:default": {"HealthCheckProtocol": "HTTP"}}
        ),
        "Elastic Beanstalk has no option 'HealthCheckProtocol' in aws:elasticbeanstalk:environment:process:default",
    ),
    "an environment secret that is no ARN": (
        replace(GOOD, option_settings={"aws:elasticbeanstalk:application:environmentsecrets": {"KEY": "hunter2"}}),
        "environment secret 'KEY' is not the ARN",
    ),
    "too many properties": (
        replace(GOOD, option_settings={PROPERTIES: {"A": "x" * 4095}}),
        "the environment properties take 4097 bytes, and the service allows 4096",
    ),
    "a property's name": (
        replace(GOOD, option_settings={PROPERTIES: {"A=B": "x"}}),
        "environment property 'A=B' may hold",
    ),
    "a file twice": (
        replace(
            GOOD,
            files=(eb.BundleFile("a", b""), eb.BundleFile("a", b"")),
        ),
        "two files have the path 'a'",
    ),
    "a file that is made": (
        replace(GOOD, files=(eb.BundleFile("Dockerrun.aws.json", b""),)),
        "file 'Dockerrun.aws.json' is made from containers, and cannot be given as well",
    ),
    "a file outside": (replace(GOOD, files=(eb.BundleFile("../a", b""),)), "file path '../a' must be relative"),
    "an absolute file": (replace(GOOD, files=(eb.BundleFile("/etc/a", b""),)), "file path '/etc/a' must be relative"),
    "a hook that cannot run": (
        replace(GOOD, files=(eb.BundleFile(".platform/hooks/postdeploy/a.sh", b"", 0o644),)),
        "hook '.platform/hooks/postdeploy/a.sh' has mode 0644",
    ),
    "a long label": (replace(GOOD, version_label_prefix="x" * 89), "is longer than 88 characters"),
    "a label with a slash": (replace(GOOD, version_label_prefix="a/"), "may hold only letters, digits and _ . -"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    bundle, reason = REFUSED[name]
    with pytest.raises(AntennaError) as caught:
        eb.refuse_what_cannot_work(bundle)
    assert len(caught.value.details["problems"]) == 1, caught.value.details
    assert reason in caught.value.message
    assert "hunter2" not in caught.value.message


ACCEPTED = {
    "plain": GOOD,
    "a tag and a digest": with_web(image=f"localhost:5000/a/web:v1@{DIGEST}"),
    "udp beside tcp": with_web(port_mappings=(port(53), port(53, 53, "udp"))),
    "ports that Docker chooses": with_web(port_mappings=(port(0), port(0, 81))),
    "a link with an alias": with_web(links=("cache:redis",)),
    "a wait for the end of what may end": eb.Bundle(
        (replace(WEB, depends_on=(eb.Dependency("cache", "COMPLETE"),)), replace(CACHE, essential=False))
    ),
    "the service's log volume": with_web(mount_points=(eb.MountPoint("awseb-logs-web", "/logs"),)),
    "exactly 4096 bytes": replace(GOOD, option_settings={PROPERTIES: {"A": "x" * 4094}}),
    "limits above what is reserved": replace(
        with_web(memory=4000, memory_reservation=100), instance_types=("t3.nano",)
    ),
    "an SSM parameter": replace(
        with_web(secrets=(("KEY", "arn:aws:ssm:eu-central-1:123456789012:parameter/antenna/key"),)),
        execution_role_arn="arn:aws:iam::1:role/r",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    assert eb.problems(ACCEPTED[name]) == []
    assert eb.warnings(ACCEPTED[name]) == []


WARNED = {
    "a later type": (replace(GOOD, instance_types=("t3.large", "t3.nano")), "'t3.nano' has at most 448 MiB"),
    "an unknown type": (replace(GOOD, instance_types=("x9.huge",)), "'x9.huge' is not known"),
    "a tight fit": (replace(with_web(memory=1900), instance_types=("t3.small",)), "1964 MiB of the 2048 MiB"),
    "a secret in clear": (
        replace(GOOD, option_settings={PROPERTIES: {"POSTGRES_PASSWORD": "x", "SENTRY_DSN": "y", "POSTGRES_DB": "z"}}),
        "the environment properties POSTGRES_PASSWORD, SENTRY_DSN look like secrets",
    ),
    "a tag that moves": (with_web(image="web:latest"), "'web:latest'"),
}


@pytest.mark.parametrize("name", WARNED)
def test_warned(name: str) -> None:
    bundle, text = WARNED[name]
    assert eb.problems(bundle) == []
    (warning,) = eb.warnings(bundle)
    assert text in warning


def test_all_reasons_are_given_at_once() -> None:
    bundle = eb.Bundle((replace(WEB, image="web", memory=None, links=("db",)),))
    assert len(eb.problems(bundle)) == 3


def test_the_guide_s_containers_fit_their_first_type_and_not_their_second() -> None:
    bundle = replace(with_web(memory=3840 - 64), instance_types=("t3.large", "t3.small"))
    assert eb.problems(bundle) == []
    assert len(eb.warnings(bundle)) == 1
    assert len(eb.problems(replace(bundle, instance_types=("t3.small", "t3.large")))) == 1


def test_bytes_are_the_same_everywhere() -> None:
    bundle = replace(
        GOOD,
        option_settings={"aws:elasticbeanstalk:command": {"Timeout": "600"}},
        files=(eb.BundleFile(".platform/hooks/postdeploy/01.sh", b"#!/bin/sh\n", 0o755),),
        ebignore=("*.log",),
    )
    content = eb.archive(eb.members(bundle))
    assert content == eb.archive(eb.members(bundle))
    # Known bytes: another machine, Python or zlib that gives others would deploy the same bundle again.
    assert hashlib.sha256(content).hexdigest() == "b96a9b862351fb5c4df9db531ff11083b817f7f6b446094bf10882ac0a84e665"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.create_system for info in archive.infolist()} == {3}
        assert archive.namelist() == [
            ".ebextensions/00_setup.config",
            ".ebignore",
            ".platform/hooks/postdeploy/01.sh",
            "Dockerrun.aws.json",
        ]


def test_the_order_of_options_does_not_matter() -> None:
    settings = {"b": {"y": 1, "x": True}, "a": {"z": None}, "c": None}
    assert json.dumps(option_settings(settings)) == '{"b": {"x": "true", "y": "1"}}'


@pytest.mark.parametrize(
    ("instance_type", "mib"),
    [
        ("t3.nano", 512),
        ("t3.small", 2048),
        ("t3.large", 8192),
        ("t4g.2xlarge", 32768),
        ("m5.large", 8192),
        ("m6i.4xlarge", 65536),
        ("c5.large", 4096),
        ("c5.9xlarge", 73728),
        ("c5n.large", 5376),
        ("r5.large", 16384),
        ("r6g.medium", 8192),
        ("r4.xlarge", 31232),
        ("m7i-flex.large", 8192),
        ("m5.metal", None),
        ("m5.2large", None),
        ("t3.3xlarge", None),
        ("m5", None),
        ("", None),
    ],
)
def test_memory_of_instance_types(instance_type: str, mib: int | None) -> None:
    assert memory_mib(instance_type) == mib


@pytest.mark.parametrize(
    ("namespace", "name", "reason"),
    [
        (PROPERTIES, "ANYTHING", None),
        ("aws:elasticbeanstalk:application:environmentsecrets", "ANYTHING", None),
        ("aws:elasticbeanstalk:environment:process:web", "Port", None),
        ("aws:elasticbeanstalk:environment:process:default", "HealthCheckPath", None),
        ("aws:elbv2:listener:443", "SSLPolicy", None),
        ("aws:elb:listener:443", "SSLCertificateId", None),
        ("aws:ec2:instances", "SpotAllocationStrategy", None),
        ("aws:autoscaling:launchconfiguration", "DisableDefaultEC2SecurityGroup", None),
        ("aws:ec2:instances", "instancetypes", "did you mean 'InstanceTypes'?"),
        ("aws:elasticbeanstalk:command", "HealthCheckSuccessThreshold", "healthreporting:system"),
        ("aws:elasticbeanstalk:comand", "Timeout", "did you mean 'aws:elasticbeanstalk:command'?"),
        ("nonsense", "Timeout", "has no option namespace 'nonsense'"),
    ],
)
def test_options_that_the_service_knows(namespace: str, name: str, reason: str | None) -> None:
    answer = unknown_option(namespace, name)
    assert (answer is None) if reason is None else (answer is not None and reason in answer)
