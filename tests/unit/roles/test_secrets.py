# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values the containers get, and how they are replaced."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import RoleTask, evaluated, variables_of


def test_who_gives_no_value_takes_none_from_the_containers() -> None:
    """A workflow that was not given the values has the same bundle as whoever gave them."""
    role = variables_of("secrets")
    held = {"secrets_held": ["SENTRY_DSN"]}
    given = {"secrets_given": {"SENTRY_DSN": "https://key@sentry.example.org/1"}}
    names = evaluated("{{ __secrets_names }}", {**role, **held})
    assert "SENTRY_DSN" in names and "DJANGO_SECRET_KEY" in names
    assert names == evaluated("{{ __secrets_names }}", {**role, **held, **given})


HELD = {"POSTGRES_PASSWORD": "old", "SENTRY_DSN": "https://one@sentry.example.org/1"}


@pytest.mark.parametrize(
    ("given", "agrees"),
    [({}, True), ({"SENTRY_DSN": HELD["SENTRY_DSN"]}, True), ({"NEW": "1"}, True), ({"SENTRY_DSN": "2"}, False)],
)
def test_only_another_value_than_the_held_one_is_refused(given: dict[str, str], agrees: bool) -> None:
    known = {"secrets_given": given, "__secrets_values": HELD, "antenna_secret_name": "antenna/environment"}
    task = RoleTask("secrets/tasks/preflight.yml", "Require that what is given is what the secret holds", known)
    assert task.condition("that") == agrees
    assert ("secrets_rotate=SENTRY_DSN" in task.argument("fail_msg")) != agrees


@pytest.mark.parametrize("given", [{}, {"POSTGRES_PASSWORD": "known"}])
@pytest.mark.parametrize("databases", [[], ["antenna-postgres"]])
def test_a_lost_password_is_made_anew_only_without_a_database(given: dict[str, str], databases: list[str]) -> None:
    found = [{"kind": "db_instance", "name": name, "exists": True} for name in databases]
    found.append({"kind": "db_instance", "name": "to-come", "exists": False})
    known = {"secrets_given": given, "__secrets_values": {}, "__deployment": {"resources": found}}
    task = RoleTask("secrets/tasks/preflight.yml", "Require the password of the database that there is", known)
    assert task.condition("that") == bool(given or not databases)


def rotating(name: str, **given: Any) -> Any:
    """The values that the secret is to hold."""
    known = {"secrets_rotate": name, "__secrets_values": HELD, "__secrets_storage_key": {"skipped": True}, **given}
    return RoleTask("secrets/tasks/rotate.yml", "Put the values together", known).argument("__secrets_wanted")


MADE = {"changed": True, "access_key": {"access_key_id": "AKIANEW"}, "secret_access_key": "new"}


def test_one_value_is_replaced() -> None:
    fresh = {"POSTGRES_PASSWORD": "fresh"}
    assert rotating("POSTGRES_PASSWORD", __secrets_generated_value="fresh") == {**HELD, **fresh}
    assert rotating("SENTRY_DSN", secrets_given={"SENTRY_DSN": "2", "OTHER": "3"}) == {**HELD, "SENTRY_DSN": "2"}


@pytest.mark.parametrize(
    ("made", "given", "keys"),
    [
        (MADE, {}, ("AKIANEW", "new")),
        # A check makes none.
        ({"changed": True}, {}, ("(known after apply)", "(known after apply)")),
        ({"skipped": True}, {"DJANGO_AWS_ACCESS_KEY_ID": "A", "DJANGO_AWS_SECRET_ACCESS_KEY": "s"}, ("A", "s")),
    ],
)
def test_a_key_is_replaced_with_its_secret(made: Any, given: dict[str, str], keys: tuple[str, str]) -> None:
    wanted = rotating("DJANGO_AWS_ACCESS_KEY_ID", __secrets_storage_key=made, secrets_given=given)
    assert (wanted["DJANGO_AWS_ACCESS_KEY_ID"], wanted["DJANGO_AWS_SECRET_ACCESS_KEY"]) == keys


def retired(held: str, gone: list[str]) -> Any:
    keys = {"access_keys": [{"access_key_id": "AKIAOLD"}, {"access_key_id": "AKIALOST"}]}
    known = {
        "__secrets_keys": keys,
        "__secrets_values": {"DJANGO_AWS_ACCESS_KEY_ID": held},
        "__secrets_removed": {"results": [{"item": key} for key in gone]},
    }
    return RoleTask("secrets/tasks/retire.yml", "Remove the keys that the secret does not hold", known).keyword("loop")


def test_each_key_that_the_secret_does_not_hold_is_removed_once() -> None:
    assert retired("AKIAOLD", []) == ["AKIALOST"]
    assert retired("(known after apply)", ["AKIALOST"]) == ["AKIAOLD"]
