# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run in check mode says about each resource."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible_collections.antenna.aws.plugins.action import drift_info
from ansible_collections.antenna.aws.plugins.module_utils._deployment.drift import (
    KINDS,
    checks,
    drift,
    elsewhere,
    failure,
)


def task(name: str, action: str, **result: Any) -> dict[str, Any]:
    return {
        "task": {"name": name},
        "hosts": {"one": {"action": action, **result}, "two": {"action": action, "changed": True}},
    }


def arguments(**given: Any) -> dict[str, Any]:
    return {"module_args": given}


DOCUMENT = {
    "plays": [
        {
            "tasks": [
                task(
                    "antenna.aws.data_tier : Start the database",
                    "amazon.aws.rds_instance",
                    changed=True,
                    invocation=arguments(db_instance_identifier="pg"),
                ),
                task(
                    "antenna.aws.network : Make the private subnets",
                    "amazon.aws.ec2_vpc_subnet",
                    changed=True,
                    results=[
                        {"changed": False, "invocation": arguments(cidr="10.0.0.0/24")},
                        {"changed": True, "invocation": arguments(cidr="10.0.1.0/24")},
                    ],
                ),
                task(
                    "antenna.aws.network : Route the private subnets nowhere",
                    "amazon.aws.ec2_vpc_route_table",
                    changed=False,
                    invocation=arguments(tags={"Name": "web-private"}),
                ),
                task(
                    "antenna.aws.eb_environment : Deploy the version",
                    "antenna.aws.eb_environment",
                    changed=True,
                    plan=[{"op": "update", "resource": "web", "reason": "version a -> b"}],
                    invocation=arguments(name="web", application_name="app"),
                ),
                task(
                    "antenna.aws.observability : Keep the logs",
                    "antenna.aws.log_groups",
                    changed=True,
                    invocation=arguments(groups=[{"name": "/logs/web/containers"}]),
                ),
                task(
                    "antenna.aws.observability : Set the alarms",
                    "antenna.aws.cloudwatch_alarms",
                    changed=True,
                    plan=[{"op": "update", "resource": "web-silence", "reason": "its threshold differs"}],
                    invocation=arguments(alarms=[{"name": "web-silence"}, {"name": "web-queue"}]),
                ),
                task(
                    "antenna.aws.ecr_images : Make the repositories",
                    "antenna.aws.ecr_repositories",
                    changed=True,
                    plan=[{"op": "create", "resource": "web-backend", "reason": "there is none"}],
                    invocation=arguments(names=["web-backend", "web-awscli"]),
                ),
                task(
                    "antenna.aws.secrets : Keep the secret",
                    "community.aws.secretsmanager_secret",
                    censored="no_log",
                    changed=False,
                ),
                task("antenna.aws.ui_distribution : Start the build", "ansible.builtin.command", changed=True),
            ]
        }
    ]
}

DRIFTS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "changed": ("db_instance", "pg", "yes", ("Start the database",)),
    "another of the kind": ("db_instance", "pg-2", "unknown", ()),
    "unchanged turn of a loop": ("subnet", "10.0.0.0/24", "no", ()),
    "changed turn of a loop": ("subnet", "10.0.1.0/24", "yes", ("Make the private subnets",)),
    "known by its tag Name": ("route_table", "web-private", "no", ()),
    "with the module's reasons": ("environment", "web", "yes", ("update: version a -> b",)),
    "of another kind with that name": ("application", "app", "unknown", ()),
    "declared by how names begin": ("log_groups", "/logs/web/", "yes", ("Keep the logs",)),
    "one of those that a task keeps": ("alarm", "web-silence", "yes", ("update: its threshold differs",)),
    "another of those that it keeps": ("alarm", "web-queue", "no", ()),
    "one of the names that a task keeps": ("repository", "web-backend", "yes", ("create: there is none",)),
    "another of the names that it keeps": ("repository", "web-awscli", "no", ()),
    "a module that shows no parameters": ("secret", "web/environment", "no", ()),
}


@pytest.mark.parametrize(("kind", "name", "state", "reasons"), DRIFTS.values(), ids=DRIFTS)
def test_drift(kind: str, name: str, state: str, reasons: tuple[str, ...]) -> None:
    assert drift(kind, name, checks(DOCUMENT, "one"), complete=False) == (state, reasons)


def test_what_a_whole_run_says_nothing_of_stays_as_it_is() -> None:
    assert drift("bucket", "logs", checks(DOCUMENT, "one"), complete=True) == ("no", ())


@pytest.mark.parametrize("name", KINDS)
def test_each_module_says_in_check_mode_what_it_would_do(name: str) -> None:
    namespace, collection, module = name.split(".")
    found = importlib.util.find_spec(f"ansible_collections.{namespace}.{collection}.plugins.modules.{module}")
    assert found and found.origin
    text = Path(found.origin).read_text()
    assert "supports_check_mode=True" in text or "SPEC.create(" in text


def test_what_else_would_change_and_only_here() -> None:
    known = [("db_instance", "pg"), ("subnet", "10.0.1.0/24"), ("environment", "web"), ("log_groups", "/logs/web/")]
    known += [("alarm", "web-silence"), ("repository", "web-backend")]
    assert elsewhere(known, checks(DOCUMENT, "one")) == ("Start the build",)


def test_why_a_run_ended_early() -> None:
    assert failure(DOCUMENT, "one") == ""
    failed = {
        "plays": [{"tasks": [task("Require Docker", "ansible.builtin.assert", failed=True, msg="Docker is needed")]}]
    }
    assert failure(failed, "one") == "Require Docker: Docker is needed"
    turned = {
        "plays": [{"tasks": [task("Build", "x", failed=True, msg="all", results=[{}, {"failed": True, "msg": "one"}])]}]
    }
    assert failure(turned, "one") == "Build: one"


RESOURCES = [{"kind": "bucket", "name": "web-ui"}, {"kind": "alarm", "name": "web-silence"}]


def compared(monkeypatch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    """What the action returns of a playbook that there is not, started with these options."""
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(given))
    task = Task()
    task.args = {"playbook": "absent.yml", "resources": RESOURCES}
    here = connection_loader.get("local", PlayContext())
    told: dict[str, Any] = drift_info.ActionModule(task, here, None, None, None, None).run()
    assert {item["drift"] for item in told["drift"]} == {"unknown"} and len(told["drift"]) == len(RESOURCES)
    assert not told.get("failed") and "`-e drift=false`" in told["failure"]
    return told


@pytest.mark.parametrize(
    "given",
    [
        {"ask_vault_pass": True},
        {"vault_ids": ["production@prompt"]},
        {"vault_ids": ["file", "prompt"]},
    ],
    ids=str,
)
def test_with_a_password_that_is_asked_for_drift_is_unknown(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "give it in a file with `--vault-password-file`" in compared(monkeypatch, **given)["failure"]


def test_of_a_run_that_tells_nothing_drift_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "print('no JSON'); raise SystemExit('the vault stays closed')"
    monkeypatch.setattr(drift_info, "command", lambda *_given: [sys.executable, "-c", words])
    told = compared(monkeypatch, vault_ids=["production@password.txt"])
    assert "told nothing: the vault stays closed." in told["failure"]
