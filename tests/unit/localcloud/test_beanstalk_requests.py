# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Elastic Beanstalk's model demands of requests, and its lists in pages."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core.utils import get_service_model

from localcloud.elasticbeanstalk import constraints
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue
from localcloud.elasticbeanstalk.responses.pages import page

MODEL = get_service_model("elasticbeanstalk")
LONG = "this-is-an-incredibly-long-environment-name"


@pytest.mark.parametrize(
    ("operation", "parameters", "words"),
    [
        ("CreateEnvironment", {"ApplicationName": "app", "EnvironmentName": "good-name"}, None),
        (
            "CreateEnvironment",
            {"ApplicationName": "app", "EnvironmentName": "dev"},
            "1 validation error detected: Value 'dev' at 'environmentName' failed to satisfy constraint: "
            "Member must have length greater than or equal to 4",
        ),
        (
            "CreateEnvironment",
            {"ApplicationName": "app", "EnvironmentName": LONG},
            f"1 validation error detected: Value '{LONG}' at 'environmentName' failed to satisfy constraint: "
            "Member must have length less than or equal to 40",
        ),
        (
            "CreateApplicationVersion",
            {"VersionLabel": "", "Description": "x" * 201},
            "3 validation errors detected: Value null at 'applicationName' failed to satisfy constraint: "
            "Member must not be null; Value '' at 'versionLabel' failed to satisfy constraint: Member must have length "
            f"greater than or equal to 1; Value '{'x' * 201}' at 'description' failed to satisfy constraint: "
            "Member must have length less than or equal to 200",
        ),
        (
            "DescribeEvents",
            {"Severity": "LOUD", "MaxRecords": 1001},
            "2 validation errors detected: Value 'LOUD' at 'severity' failed to satisfy constraint: Member must "
            "satisfy enum value set: [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]; Value '1001' at 'maxRecords' failed to "
            "satisfy constraint: Member must have value less than or equal to 1000",
        ),
        (
            "DescribeEnvironments",
            {"EnvironmentNames": ["", "fine"]},
            "1 validation error detected: Value '[, fine]' at 'environmentNames' failed to satisfy constraint: Member "
            "must satisfy constraint: [Member must have length greater than or equal to 4]",
        ),
        (
            "CreateEnvironment",
            {"ApplicationName": "app", "Tags": [{"Key": "fine", "Value": "1"}, {"Key": "k" * 129, "Value": "1"}]},
            f"1 validation error detected: Value '{'k' * 129}' at 'tags.2.member.key' failed to satisfy constraint: "
            "Member must have length less than or equal to 128",
        ),
        (
            "UpdateApplicationResourceLifecycle",
            {"ApplicationName": "a", "ResourceLifecycleConfig": {"VersionLifecycleConfig": {"MaxCountRule": {}}}},
            "1 validation error detected: Value null at "
            "'resourceLifecycleConfig.versionLifecycleConfig.maxCountRule.enabled' failed to satisfy constraint: "
            "Member must not be null",
        ),
    ],
)
def test_words_of_the_service_about_a_request(operation: str, parameters: dict[str, Any], words: str | None) -> None:
    assert constraints.violation(MODEL.operation_model(operation).input_shape, parameters) == words


# -- pages ------------------------------------------------------------------------------------------------------------


def name(item: str) -> str:
    return item


def test_pages_are_whole_together() -> None:
    items, found, token = [f"item-{number}" for number in range(7)], [], None
    while True:
        part, token = page(items, name, "List", token, 3)
        found += part
        if token is None:
            break
        assert len(token) <= 100
    assert found == items


def test_a_page_begins_after_the_last_item_wherever_it_is_by_now() -> None:
    first, token = page(["c", "b", "a"], name, "List", None, 2)
    assert first == ["c", "b"]
    assert page(["e", "d", "c", "b", "a"], name, "List", token, 2)[0] == ["a"]
    assert page(["e", "c", "a"], name, "List", token, 2)[0] == ["a"]


def test_everything_at_once_when_no_size_is_asked_for() -> None:
    assert page(["b", "a"], name, "List", None, None) == (["b", "a"], None)


@pytest.mark.parametrize("token", ["1", "AAAA", "é", ""])
def test_tokens_that_were_not_given_out_are_refused(token: str) -> None:
    with pytest.raises(InvalidParameterValue):
        page(["a"], name, "List", token, 1)


def test_a_token_serves_only_what_it_was_given_out_for() -> None:
    _, token = page(["a", "b"], name, "List of one", None, 1)
    with pytest.raises(InvalidParameterValue):
        page(["a", "b"], name, "List of another", token, 1)
