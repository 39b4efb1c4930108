# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values of the secret the containers get."""

from __future__ import annotations

from tests.support.roles import evaluated, variables_of


def test_who_gives_no_value_takes_none_from_the_containers() -> None:
    """A workflow that was not given the values has the same bundle as whoever gave them."""
    role = variables_of("secrets")
    held = {"secrets_held": ["SENTRY_DSN"]}
    given = {"secrets_given": {"SENTRY_DSN": "https://key@sentry.example.org/1"}}
    names = evaluated("{{ __secrets_names }}", {**role, **held})
    assert "SENTRY_DSN" in names and "DJANGO_SECRET_KEY" in names
    assert names == evaluated("{{ __secrets_names }}", {**role, **held, **given})
