# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories with their tags, on moto."""

from __future__ import annotations

from typing import Any

WANTED = {"names": ["web-backend", "web-awscli"], "tags": {"Environment": "web"}}


def test_repositories_are_made_with_their_tags(aws: Any) -> None:
    checked = aws.run_module("ecr_repositories", WANTED, check=True)
    assert [step["op"] for step in checked["plan"]] == ["create", "create"] and aws.writes() == []
    assert checked["repositories"]["web-backend"] == {
        "arn": "",
        "uri": "",
        "scan_on_push": False,
        "tags": {"Environment": "web"},
    }
    made = aws.run_module("ecr_repositories", WANTED)
    # No call after the one that makes it, before which a run might be killed.
    assert aws.writes() == ["ecr:CreateRepository"] * 2 and made["plan"] == checked["plan"]
    (found,) = aws.client("ecr").describe_repositories(repositoryNames=["web-backend"])["repositories"]
    assert made["repositories"]["web-backend"] == {
        "arn": found["repositoryArn"],
        "uri": found["repositoryUri"],
        "scan_on_push": False,
        "tags": {"Environment": "web"},
    }
    assert not aws.run_module("ecr_repositories", WANTED)["changed"] and aws.writes() == []


def test_what_lacks_tags_gets_them_and_other_tags_stay(aws: Any) -> None:
    tags = [{"Key": "Team", "Value": "web"}]
    aws.client("ecr").create_repository(repositoryName="web-backend", imageTagMutability="IMMUTABLE", tags=tags)
    aws.writes()
    assert aws.run_module("ecr_repositories", WANTED, check=True)["changed"] and aws.writes() == []
    done = aws.run_module("ecr_repositories", WANTED)
    assert [(step["op"], step["resource"]) for step in done["plan"]] == [
        ("tag", "web-backend"),
        ("create", "web-awscli"),
    ]
    assert done["repositories"]["web-backend"]["tags"] == {"Team": "web", "Environment": "web"}
    assert not aws.run_module("ecr_repositories", WANTED)["changed"]


def test_scans_are_switched_and_left_alone_where_nothing_is_said(aws: Any) -> None:
    scanned = {**WANTED, "scan_on_push": True}
    made = aws.run_module("ecr_repositories", scanned)
    assert made["repositories"]["web-awscli"]["scan_on_push"] and aws.writes() == ["ecr:CreateRepository"] * 2
    for same in (scanned, WANTED):
        assert not aws.run_module("ecr_repositories", same)["changed"]
    off = {**WANTED, "scan_on_push": False}
    checked = aws.run_module("ecr_repositories", off, check=True)
    assert [step["op"] for step in checked["plan"]] == ["scan", "scan"] and aws.writes() == []
    done = aws.run_module("ecr_repositories", off)
    assert aws.writes() == ["ecr:PutImageScanningConfiguration"] * 2
    assert done["repositories"] == checked["repositories"]
    assert not aws.run_module("ecr_repositories", off)["changed"]
