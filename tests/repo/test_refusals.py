# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of docs/refusals.md: the values lead to the message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.task import Task
from ansible.template import Templar, trust_as_template
from ansible_collections.antenna.aws.plugins.action.role_variables import ActionModule

from tests.support.roles import LOADER, each_task, variables_of

ROOT = Path(__file__).resolve().parents[2]
ROLES = yaml.safe_load((ROOT / "roles/preflight/defaults/main.yml").read_text())["preflight_roles"]


SOUND: Mapping[str, Any] = {
    "antenna_name": "antenna",
    "antenna_account_id": "123456789012",
    "antenna_region": "us-west-2",
    "antenna_connection": {"region": "us-west-2"},
    "antenna_connection_remedy": "Check the credentials.",
    "antenna_application_name": "antenna",
    "antenna_environment_name": "antenna",
    "antenna_cname_prefix": "antenna-test",
    "antenna_environment_domain": "antenna-test.us-west-2.elasticbeanstalk.com",
    "antenna_domain_names": [],
    "antenna_environment_type": "SingleInstance",
    "antenna_instance_types": ["t3.large"],
    "antenna_secret_name": "antenna/environment",
    "antenna_storage_bucket": "antenna-storage-123456789012",
    "antenna_tags": {"Application": "antenna", "Environment": "antenna", "ManagedBy": "antenna.aws"},
    "antenna_source": "/source",
    "antenna_work_dir": "/work",
}


LINES = (ROOT / "docs/refusals.md").read_text().splitlines()


def rows() -> list[tuple[str, str]]:
    """What the inventory says, and the message."""
    cells = [re.fullmatch(r"\| `(\{.*\})` \| (.*) \|", line) for line in LINES]
    return [(cell[1], cell[2]) for cell in cells if cell]


def commands() -> list[tuple[str, str, str]]:
    """The file of the task, what it is told, and the message."""
    cells = [re.fullmatch(r"\| `([\w/.]+)` \| `(\{.*\})` \| (.*) \|", line) for line in LINES]
    return [(cell[1], cell[2], cell[3]) for cell in cells if cell]


def problems(variables: Mapping[str, Any]) -> list[str]:
    """What preflight says of these variables."""
    arguments = {"roles_path": str(ROOT / "roles"), "roles": ROLES, "prefixes": ["antenna_"]}
    action = ActionModule(Task(), None, None, LOADER, Templar(loader=LOADER, variables=dict(variables)), None)
    found: list[str] = action.problems(variables, arguments)
    return found


def refusal(file: str, told: Mapping[str, Any]) -> str:
    """The message of the first requirement in the file that does not hold."""
    (document,) = [LOADER.load_from_file(str(ROOT / file), trusted_as_template=True)]
    tasks = document[0]["tasks"] if "hosts" in document[0] else document
    variables: dict[str, Any] = {**SOUND, "inventory_hostname": "antenna-production", "ansible_check_mode": False}
    if file.startswith("roles/"):
        variables |= variables_of(file.split("/")[1])
    for task in (one for one in each_task(tasks) if "ansible.builtin.assert" in one):
        templar = Templar(loader=LOADER, variables={**variables, **task.get("vars", {}), **told})
        asked = task["ansible.builtin.assert"]
        if not templar.evaluate_conditional(asked["that"]):
            return " ".join(str(templar.template(asked["fail_msg"])).split())
    raise AssertionError(f"{file} refuses nothing")


def test_a_sound_inventory_is_accepted() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("window", "backups"),
    [
        ("sun:09:00-sun:10:00", "08:00-08:30"),
        ("sun:09:00-sun:10:00", "10:00-11:00"),
        ("sun:23:45-mon:00:15", "01:00-01:30"),
        ("sat:22:00-sat:22:30", "23:45-00:15"),
        ("wed:06:38-thu:05:38", ""),
    ],
)
def test_windows_that_aws_takes_are_accepted(window: str, backups: str) -> None:
    windows = {"data_tier_rds_maintenance_window": window, "data_tier_rds_backup_window": backups}
    assert problems({**SOUND, **windows}) == []


@pytest.mark.parametrize(("values", "message"), rows(), ids=[row[1][:60] for row in rows()])
def test_the_message_is_the_one_that_is_documented(values: str, message: str) -> None:
    said = problems({**SOUND, **yaml.safe_load(values)})
    assert any(one.startswith(message) for one in said), said


def test_every_problem_is_in_one_message() -> None:
    lacking = {name: value for name, value in SOUND.items() if name != "antenna_source"}
    wrong = {
        "network_vpc_idd": "vpc-1",
        "data_tier_rds_multi_az": "perhaps",
        "antenna_environment_type": "Many",
        "data_tier_redis_replicas": 6,
        "eb_bundle_batch_size": 0,
    }
    assert [one.split(":")[0] for one in problems({**lacking, **wrong})] == [
        "antenna_source is not set",
        "network_vpc_idd is not a variable of any role",
        "value of antenna_environment_type must be one of",
        "argument 'data_tier_rds_multi_az' is of type str and we were unable to convert to bool",
        "data_tier_redis_replicas is 6",
        "eb_bundle_batch_size is 0",
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"data_tier_rds_allocated_storage": "tape", "data_tier_rds_max_allocated_storage": 10},
        {"data_tier_redis_replica": 1, "data_tier_redis_automatic_failover": True},
        {"antenna_tags": "Application"},
        {"data_tier_redis_replica": 1, "data_tier_rds_backup_retention_days": "{{ data_tier_redis_replicas + 50 }}"},
    ],
    ids=["wrong type", "misspelt", "wrong type with a default", "what is made of it"],
)
def test_nothing_is_said_of_what_goes_with_a_wrong_variable(values: Mapping[str, Any]) -> None:
    templates = {name: trust_as_template(value) for name, value in values.items() if isinstance(value, str)}
    said = problems({**SOUND, **values, **templates})
    assert len(said) == 1, said
    assert next(iter(values)) in said[0]


def test_a_variable_that_others_are_made_of_is_all_that_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    lacking = {name: value for name, value in SOUND.items() if name != "antenna_region"}
    assert problems(lacking) == ["antenna_region is not set: The AWS region, such as us-west-2."]
    assert capfd.readouterr().err == ""


def test_what_cannot_be_judged_hides_nothing_else() -> None:
    made = trust_as_template("{{ customer }}-bucket")
    said = problems({**SOUND, "antenna_storage_bucket": made, "data_tier_redis_replicas": 6})
    assert [one for one in said if "antenna_storage_bucket is match" in one and "'customer' is undefined" in one]
    assert [one for one in said if one.startswith("data_tier_redis_replicas is 6")]


@pytest.mark.parametrize(("file", "told", "message"), commands(), ids=[row[2][:60] for row in commands()])
def test_what_a_command_is_told_is_refused(file: str, told: str, message: str) -> None:
    assert refusal(file, yaml.safe_load(told)).startswith(message)


@pytest.mark.parametrize("inventory", ["staging", "production"])
def test_each_option_that_an_inventory_turns_on_has_a_row(inventory: str) -> None:
    text = (ROOT / f"inventories/{inventory}/group_vars/all/roles.yml").read_text()
    turned_on = re.findall(r"^(?:# )?(\w+):", text, re.MULTILINE)
    told = {name for values, _message in rows() for name in yaml.safe_load(values)}
    assert [name for name in turned_on if name not in told | {"ui_distribution_name"}] == []


def test_each_relation_has_a_row() -> None:
    documented = " ".join(message for _values, message in rows())
    for file in (ROOT / "roles").glob("*/meta/relations.yml"):
        for relation in yaml.safe_load(file.read_text()):
            assert relation["message"].split()[0] in documented, relation["message"]
