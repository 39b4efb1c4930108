# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before an environment's instances: what options make of it, and how HAProxy is told and understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.elasticbeanstalk import balancer, haproxy, options
from localcloud.elasticbeanstalk.balancer import Check, Layout, Listener, Process, Target
from localcloud.elasticbeanstalk.front import Front
from localcloud.elasticbeanstalk.haproxy import Counts, Sight
from localcloud.elasticbeanstalk.options import Key
from localcloud.engine import ContainerSpec, EngineError

APPLICATION = {options.LOAD_BALANCER_TYPE: "application"}
PROCESS = "aws:elasticbeanstalk:environment:process:default"


def layout(settings: Mapping[Key, str]) -> Layout:
    def setting(namespace: str, name: str) -> str | None:
        return options.value(settings, Key(namespace, name))

    return balancer.load_balancer(setting, {key.namespace for key in settings})


# -- options ----------------------------------------------------------------------------------------------------------


def test_an_application_load_balancer_as_nobody_has_asked_otherwise() -> None:
    check = Check("/", "200", interval=15, timeout=5, healthy=3, unhealthy=5)
    assert layout(APPLICATION) == Layout(
        "application", (Listener(80, "default", "http"),), (Process("default", 80, check, delay=20),)
    )


def test_processes_and_listeners_are_what_their_options_say() -> None:
    found = layout(
        {
            **APPLICATION,
            Key(PROCESS, "HealthCheckPath"): "/api/v2/",
            Key(PROCESS, "MatcherHTTPCode"): "200-299",
            Key(PROCESS, "DeregistrationDelay"): "5",
            Key(PROCESS, "StickinessEnabled"): "true",
            Key("aws:elasticbeanstalk:environment:process:flower", "Port"): "5555",
            Key("aws:elbv2:listener:5555", "DefaultProcess"): "flower",
            Key("aws:elbv2:loadbalancer", "IdleTimeout"): "120",
        }
    )
    assert found.listeners == (Listener(80, "default", "http"), Listener(5555, "flower", "http"))
    assert found.process().check.path == "/api/v2/"
    assert (found.process().check.codes, found.process().delay, found.process().sticky) == ("200-299", 5, 86400)
    assert found.process("flower").port == 5555
    assert found.idle == 120


def test_a_listener_with_a_certificate_speaks_tls_and_says_so() -> None:
    found = layout(
        {
            **APPLICATION,
            Key("aws:elbv2:listener:default", "ListenerEnabled"): "false",
            Key("aws:elbv2:listener:443", "Protocol"): "HTTPS",
            Key("aws:elbv2:listener:443", "SSLCertificateArns"): "arn:aws:acm:us-west-2:123456789012:certificate/1",
        }
    )
    arn = "arn:aws:acm:us-west-2:123456789012:certificate/1"
    assert found.listeners == (Listener(443, "default", "http", arn),)
    written = haproxy.files(found, [], {443: 20443}, "g1", 1)["haproxy.cfg"]
    assert "bind 127.0.0.1:20443 ssl crt /front/443.pem" in written
    assert "set-header X-Forwarded-Proto https" in written


def test_a_target_whose_port_has_changed_is_a_new_one() -> None:
    kept = "4 80 1 i-1 127.0.0.1 2 0 1 1 65 1 0 4 0 0 0 0 - 23146 - 0 0 - - 0\n"
    moved = "5 5555 1 i-1 127.0.0.1 2 0 1 1 0 1 0 2 0 0 0 0 - 1 - 0 0 - - 0\n"
    said = f"1\n# be_id be_name\n{kept}{moved}"
    found = haproxy.still_true(said, balancer.address({80, 5555}), [Target("i-1", "", {80: 23146, 5555: 25511})])
    assert found == f"1\n# be_id be_name\n{kept}"


def test_a_classic_load_balancer_connects_unless_it_has_something_to_ask_for() -> None:
    found = layout({})
    assert (found.kind, found.process().check.path, found.process().delay) == ("classic", None, 0)
    asked = layout({Key(balancer.APPLICATION, "Application Healthcheck URL"): "HTTP:80/api/"})
    assert (asked.process().check.path, asked.process().check.interval) == ("/api/", 10)
    draining = layout({Key(balancer.CLASSIC_POLICIES, "ConnectionDrainingEnabled"): "true"})
    assert draining.process().delay == 20


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({options.LOAD_BALANCER_TYPE: "network"}, "network"),
        ({**APPLICATION, Key("aws:elbv2:listener:443", "Protocol"): "TLS"}, "speak HTTP and HTTPS"),
        ({**APPLICATION, Key("aws:elbv2:listener:default", "Rules"): "api"}, "Rules"),
        ({**APPLICATION, Key(PROCESS, "Protocol"): "HTTPS"}, "speak HTTP only"),
        ({Key("aws:elb:listener:443", "ListenerProtocol"): "SSL"}, "HTTP and TCP"),
        ({Key(options.COMMAND, "DeploymentPolicy"): "TrafficSplitting"}, "TrafficSplitting"),
    ],
)
def test_what_cannot_be_had_is_said(settings: Mapping[Key, str], words: str) -> None:
    assert words in str(balancer.unsupported(settings))


def test_a_single_instance_has_no_load_balancer_to_refuse() -> None:
    single = {options.ENVIRONMENT_TYPE: "SingleInstance", options.LOAD_BALANCER_TYPE: "network"}
    assert balancer.unsupported(single) is None


# -- HAProxy's words --------------------------------------------------------------------------------------------------

TARGETS = (Target("i-1", "172.31.0.1", {80: 21001}, admitted=True), Target("i-2", "172.31.0.2", {80: 21002}))


def section(text: str, name: str) -> list[str]:
    (found,) = [part for part in text.split("\n\n") if part.startswith(f"{name}\n")]
    return [line.strip() for line in found.splitlines()]


def test_a_target_gets_requests_once_it_has_passed_a_check() -> None:
    files = haproxy.files(layout(APPLICATION), TARGETS, {80: 20080}, "g7", pace=0.1)
    lines = section(files["haproxy.cfg"], "backend default")
    assert "server i-1 127.0.0.1:21001 check weight 100" in lines
    assert "server i-2 127.0.0.1:21002 check weight 0" in lines
    assert "default-server inter 1500ms fall 5 rise 3" in lines
    assert "timeout check 5s" in lines
    assert "node g7" in section(files["haproxy.cfg"], "global")
    assert "bind 127.0.0.1:20080" in section(files["haproxy.cfg"], "frontend listener-80")


def test_health_checks_call_instances_by_their_private_addresses() -> None:
    files = haproxy.files(layout(APPLICATION), TARGETS, {80: 20080}, "g1", pace=1)
    assert files[haproxy.HOSTS] == "i-1 172.31.0.1\ni-2 172.31.0.2\n"
    (line,) = [line for line in section(files["haproxy.cfg"], "backend default") if line.startswith("http-check send")]
    assert "uri / " in line
    assert "%[srv_name,map(/front/hosts)]" in line
    assert "ELB-HealthChecker/2.0" in line


def test_with_unhealthy_targets_only_all_of_them_get_requests() -> None:
    text = haproxy.files(layout(APPLICATION), TARGETS, {80: 20080}, "g1", pace=1)["haproxy.cfg"]
    assert "use_backend open-default if { nbsrv(default) eq 0 }" in section(text, "frontend listener-80")
    assert "server i-2 127.0.0.1:21002" in section(text, "backend open-default")
    classic = haproxy.files(layout({}), TARGETS, {80: 20080}, "g1", pace=1)["haproxy.cfg"]
    assert "open-default" not in classic


def test_an_elastic_ip_address_knows_nothing_of_http() -> None:
    text = haproxy.files(balancer.address([5555, 80]), TARGETS[:1], {80: 20080, 5555: 20081}, "g1", pace=1)
    assert section(text["haproxy.cfg"], "backend 80")[1:] == [
        "mode tcp",
        "balance roundrobin",
        "server i-1 127.0.0.1:21001",
    ]
    # The instance's containers publish no such port: nobody is there.
    assert "server i-1 127.0.0.1:1" in section(text["haproxy.cfg"], "backend 5555")
    assert "X-Forwarded" not in text["haproxy.cfg"]


# -- HAProxy's answers ------------------------------------------------------------------------------------------------

COLUMNS = (
    "pxname,svname,scur,status,weight,check_status,check_code,last_chk,req_tot,"
    "hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx"
)
STATISTICS = f"""# {COLUMNS}
listener-80,FRONTEND,1,OPEN,,,,,12,,,,,
default,i-1,1,UP,100,L7OK,200,,,0,8,0,1,0
default,i-2,0,DOWN,100,* L7STS,500,Internal Server Error,,0,0,0,0,3
default,i-3,0,DOWN,0,L4CON,,Connection refused,,0,0,0,0,0
default,i-4,0,UP,0,INI,,,,0,0,0,0,0
default,i-5,2,DRAIN,0,L7OK,200,,,0,0,0,0,0
default,BACKEND,3,UP,100,,,,,0,8,0,1,3
open-default,i-1,0,no check,1,,,,,0,0,0,0,0
open-default,BACKEND,0,UP,1,,,,,0,0,0,0,0
"""


def test_what_checks_say_about_targets() -> None:
    found = haproxy.sights(STATISTICS)
    assert set(found) == {"default"}
    assert found["default"]["i-1"] == Sight("healthy", None, "L7OK 200", 1)
    assert found["default"]["i-2"].reason == "Target.ResponseCodeMismatch"
    assert found["default"]["i-3"] == Sight("unhealthy", "Target.FailedHealthChecks", "L4CON Connection refused", 0)
    assert found["default"]["i-4"].state == "initial"
    assert haproxy.passed(STATISTICS) == {"i-1", "i-5"}


def test_what_is_counted() -> None:
    assert haproxy.counts(STATISTICS) == Counts(12, (0, 8, 0, 1, 3))
    assert haproxy.sessions(STATISTICS, "i-5") == 2


def test_ports_that_others_have_are_told() -> None:
    said = """Success=0
--
[NOTICE]   (1) : haproxy version is 3.0.11-1+deb13u5
[ALERT]    (1) : Binding [/front/haproxy.cfg:18] for frontend listener-81: protocol tcpv4: cannot bind socket (Address already in use) for [127.0.0.1:29872].
[ALERT]    (1) : [/usr/sbin/haproxy.main()] Some protocols failed to start their listeners! Exiting.
"""  # noqa: E501
    assert haproxy.taken(said) == {29872}
    assert haproxy.taken("Success=1\n--\n[NOTICE]   (1) : Loading success.\n") == set()


def test_the_configuration_in_force_names_itself() -> None:
    assert haproxy.generation("Name: HAProxy\nnode: g12\nPid: 7\n") == "g12"
    assert haproxy.generation("") is None


# -- the front --------------------------------------------------------------------------------------------------------


def test_what_did_not_come_into_force_is_told_again(tmp_path: Path) -> None:
    started: list[str] = []

    def run(spec: ContainerSpec) -> str:
        started.append(spec.name)
        raise EngineError("Docker is busy")

    engine = SimpleNamespace(inspect=lambda _: None, remove=lambda _: None, run=run)
    cloud: Any = SimpleNamespace(
        engine=engine,
        infra_image="image",
        state_dir=tmp_path,
        latency=SimpleNamespace(profile="instant", scale=1.0),
        docker_name=lambda kind, name: f"{kind}-{name}",
        labels=lambda kind, name: {},
    )
    front = Front(cloud, "e-one")
    for _ in range(2):
        with pytest.raises(EngineError, match="busy"):
            front.arrange(layout(APPLICATION), {80: 30080})
    assert started == ["front-e-one", "front-e-one"]
