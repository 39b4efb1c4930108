# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buckets with their settings, on moto."""

from __future__ import annotations

import json
from typing import Any

NAME = "web-ui"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{NAME}"}],
}
WANTED = {
    "name": NAME,
    "object_ownership": "BucketOwnerEnforced",
    "encryption": "AES256",
    "versioning": True,
    "public_access": {},
    "policy": POLICY,
    "lifecycle_rules": [{"id": "old", "noncurrent_version_expiration_days": 90}],
    "tags": {"Environment": "web"},
}


def settings(aws: Any) -> dict[str, Any]:
    """The bucket as S3 tells it."""
    s3 = aws.client("s3")
    return {
        "ownership": s3.get_bucket_ownership_controls(Bucket=NAME)["OwnershipControls"]["Rules"],
        "versioning": s3.get_bucket_versioning(Bucket=NAME).get("Status"),
        "block": set(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values()),
        "policy": json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"]),
        "days": s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"][0]["NoncurrentVersionExpiration"],
        "tags": s3.get_bucket_tagging(Bucket=NAME)["TagSet"],
    }


def reasons(result: dict[str, Any]) -> list[str]:
    return [step["reason"] for step in result["plan"]]


def test_a_bucket_with_its_settings_converges(aws: Any) -> None:
    checked = aws.run_module("s3_bucket", WANTED, check=True)
    assert reasons(checked)[:2] == ["there is no bucket of this name", "its tags differ"] and aws.writes() == []
    made = aws.run_module("s3_bucket", WANTED)
    assert made["diff"] == checked["diff"] and made["plan"] == checked["plan"]
    assert settings(aws) == {
        "ownership": [{"ObjectOwnership": "BucketOwnerEnforced"}],
        "versioning": "Enabled",
        "block": {True},
        "policy": POLICY,
        "days": {"NoncurrentDays": 90},
        "tags": [{"Key": "Environment", "Value": "web"}],
    }
    aws.writes()
    assert not aws.run_module("s3_bucket", WANTED)["changed"] and aws.writes() == []


def test_what_somebody_changed_is_seen_and_mended(aws: Any) -> None:
    aws.run_module("s3_bucket", WANTED)
    s3 = aws.client("s3")
    s3.delete_public_access_block(Bucket=NAME)
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "Team", "Value": "one"}]})
    rule = {"ID": "old", "Filter": {"Prefix": "a/"}, "Status": "Enabled", "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": [rule]})
    aws.writes()
    found = ["its tags differ", "its public access block differs", "its lifecycle differs"]
    assert reasons(aws.run_module("s3_bucket", WANTED, check=True)) == found and aws.writes() == []
    assert reasons(aws.run_module("s3_bucket", WANTED)) == found
    assert not aws.run_module("s3_bucket", WANTED)["changed"]


def test_what_is_not_declared_is_neither_read_nor_changed(aws: Any) -> None:
    aws.run_module("s3_bucket", WANTED)
    aws.calls()
    changed = aws.run_module("s3_bucket", {"name": NAME, "policy": {}, "lifecycle_rules": []})
    assert reasons(changed) == ["its policy differs", "its lifecycle differs"]
    # Is it there, both settings before, both changed, and the same again afterwards.
    calls = [call.partition(":")[2].partition(" ")[0] for call in aws.calls()]
    assert calls == ["Head", "Get", "Get", "Delete", "Delete", "Head", "Get", "Get"]
    assert aws.client("s3").get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
