# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""s3_site_info: what s3_site has uploaded is found again, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BUCKET = "antenna-ui"


@pytest.fixture
def s3(aws: Any) -> Any:
    """The account with the bucket."""
    location = {"LocationConstraint": "eu-central-1"}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    return aws


def upload(account: Any, source: Path, files: dict[str, str], **others: Any) -> dict[str, Any]:
    """Upload a site of exactly these files."""
    for old in source.rglob("*.*"):
        old.unlink()
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    done = dict(account.run_module("s3_site", {"bucket": BUCKET, "source": str(source), **others}))
    account.writes()
    return done


def look(account: Any, **others: Any) -> dict[str, Any]:
    found = dict(account.run_module("s3_site_info", {"bucket": BUCKET, **others}))
    assert not found.get("failed"), found
    assert not found["changed"] and account.writes() == []
    return found


@pytest.mark.parametrize("prefix", ["", "ui"])
def test_a_site_is_what_was_uploaded(s3: Any, tmp_path: Path, prefix: str) -> None:
    files = {"index.html": "<html>", "assets/index-a1.js": "one", "robots.txt": "", "index-old.html": ""}
    uploaded = upload(s3, tmp_path, files, prefix=prefix)
    found = look(s3, prefix=prefix)
    assert (found["content"], found["files"]) == (uploaded["content"], sorted(files))


def test_what_is_kept_for_open_pages_is_no_part_of_it(s3: Any, tmp_path: Path) -> None:
    upload(s3, tmp_path, {"index.html": "1", "assets/index-a1.js": "one"})
    uploaded = upload(s3, tmp_path, {"index.html": "2", "assets/index-b2.js": "two"})
    assert uploaded["superseded"] == ["assets/index-a1.js"]
    found = look(s3)
    assert (found["content"], found["files"]) == (uploaded["content"], ["assets/index-b2.js", "index.html"])


def test_what_somebody_else_wrote_is_another_content(s3: Any, tmp_path: Path) -> None:
    before = upload(s3, tmp_path, {"index.html": "1"})["content"]
    s3.client("s3").put_object(Bucket=BUCKET, Key="index.html", Body=b"another", ContentType="text/html; charset=utf-8")
    s3.writes()
    assert look(s3)["content"] != before


def test_an_absent_bucket_has_no_files(aws: Any) -> None:
    assert aws.run_module("s3_site_info", {"bucket": "absent"})["files"] == []
