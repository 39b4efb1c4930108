# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""s3_site: check, run, check, run, and the life of a site over several releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BUCKET = "antenna-ui"
FILES = {
    "index.html": "<script src=/assets/index-a1.js>",
    "favicon.ico": "icon",
    "robots.txt": "",
    "assets/index-a1.js": "one",
    "assets/index-a1.css": "",
}


def build(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder)


@pytest.fixture
def s3(aws: Any) -> Any:
    """The account with the bucket."""
    location = {"LocationConstraint": "eu-central-1"}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    aws.calls()
    return aws


def keys(account: Any) -> list[str]:
    return [item["Key"] for item in account.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def run(account: Any, source: str, check: bool = False, **others: Any) -> dict[str, Any]:
    result = account.run_module("s3_site", {"bucket": BUCKET, "source": source, **others}, check=check)
    assert not result.get("failed"), result
    return dict(result)


def age(account: Any, key: str) -> None:
    """Date an object's mark back by years."""
    account.client("s3").copy_object(
        Bucket=BUCKET,
        Key=key,
        CopySource={"Bucket": BUCKET, "Key": key},
        MetadataDirective="REPLACE",
        Metadata={"superseded-at": "2020-01-01T00:00:00Z"},
    )


def test_check_run_check_run(s3: Any, tmp_path: Path) -> None:
    source = build(tmp_path, FILES)
    foretold = run(s3, source, check=True)
    assert s3.writes() == []
    done = run(s3, source)
    order = ["assets/index-a1.css", "assets/index-a1.js", "favicon.ico", "robots.txt", "index.html"]
    assert foretold["uploaded"] == done["uploaded"] == order
    assert foretold["diff"] == done["diff"]
    assert foretold["release"] == "(known after apply)"
    assert {**foretold, "release": ""} == {**done, "release": ""}
    s3.calls()
    for check in (True, False):
        again = run(s3, source, check=check)
        assert (again["changed"], again["uploaded"], again["changed_paths"]) == (False, [], [])
        assert (again["release"], again["content"]) == (done["release"], done["content"])
        assert again["unhashed_paths"] == done["changed_paths"]
    assert s3.writes() == []


def test_what_visitors_get(s3: Any, tmp_path: Path) -> None:
    run(s3, build(tmp_path, FILES))
    script = s3.client("s3").get_object(Bucket=BUCKET, Key="assets/index-a1.js")
    page = s3.client("s3").get_object(Bucket=BUCKET, Key="index.html")
    assert script["Body"].read() == b"one"
    assert script["CacheControl"] == "public, max-age=31536000, immutable"
    assert script["ContentType"] == "text/javascript; charset=utf-8"
    assert page["CacheControl"] == "no-cache"
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_a_bucket_that_will_be_made(aws: Any, tmp_path: Path) -> None:
    args = {"bucket": BUCKET, "source": build(tmp_path, FILES)}
    assert len(aws.run_module("s3_site", args, check=True)["uploaded"]) == len(FILES)
    failed = aws.run_module("s3_site", args)
    assert "upload the site to the bucket antenna-ui" in failed["msg"]
    assert "Make the bucket first" in failed["msg"]


def test_a_release_and_its_return(s3: Any, tmp_path: Path) -> None:
    first = build(tmp_path / "1", FILES)
    changed = {name: text for name, text in FILES.items() if name not in ("assets/index-a1.js", "robots.txt")}
    second = build(tmp_path / "2", {**changed, "index.html": "<b2>", "assets/index-b2.js": "two"})
    released = run(s3, first)
    replaced = run(s3, second)
    assert replaced["uploaded"] == ["assets/index-b2.js", "index.html"]
    assert (replaced["superseded"], replaced["deleted"]) == (["assets/index-a1.js"], ["robots.txt"])
    assert replaced["changed_paths"] == ["/", "/index.html", "/robots.txt"]
    assert "assets/index-a1.js" in keys(s3)
    old = s3.client("s3").get_object(Bucket=BUCKET, Key="assets/index-a1.js")
    assert old["Body"].read() == b"one"
    assert (old["CacheControl"], old["ContentType"]) == (
        "public, max-age=31536000, immutable",
        "text/javascript; charset=utf-8",
    )
    assert not run(s3, second)["changed"]
    returned = run(s3, first)
    assert returned["uploaded"] == ["assets/index-a1.js", "robots.txt", "index.html"]
    assert returned["superseded"] == ["assets/index-b2.js"]
    assert returned["content"] == released["content"]
    assert not run(s3, first)["changed"]


def test_what_was_superseded_long_ago_is_deleted(s3: Any, tmp_path: Path) -> None:
    source = build(tmp_path, FILES)
    run(s3, source)
    (tmp_path / "assets/index-a1.css").unlink()
    assert run(s3, source)["superseded"] == ["assets/index-a1.css"]
    age(s3, "assets/index-a1.css")
    assert run(s3, source, retain_days=100000)["deleted"] == []
    assert run(s3, source)["deleted"] == ["assets/index-a1.css"]
    assert "assets/index-a1.css" not in keys(s3)


def test_a_neighbour_is_never_touched(s3: Any, tmp_path: Path) -> None:
    client = s3.client("s3")
    for key in ("cs2/index.html", "cs.txt", "other"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"mine")
    client.put_object(Bucket=BUCKET, Key="cs/old.txt", Body=b"old")
    source = build(tmp_path, FILES)
    done = run(s3, source, prefix="cs", origin_path="/cs")
    assert done["deleted"] == ["cs/old.txt"]
    assert done["changed_paths"] == ["/", "/favicon.ico", "/index.html", "/old.txt", "/robots.txt"]
    assert keys(s3) == sorted(["cs.txt", "cs2/index.html", "other", *(f"cs/{name}" for name in FILES)])
    assert not run(s3, source, prefix="/cs/", origin_path="cs")["changed"]


def test_headers_alone_are_a_change(s3: Any, tmp_path: Path) -> None:
    source = build(tmp_path, FILES)
    run(s3, source)
    rules = [
        {"pattern": "*.ico", "value": "max-age=60"},
        {"pattern": "assets/*", "value": "public, max-age=31536000, immutable"},
    ]
    rules.append({"pattern": "*", "value": "no-cache"})
    changed = run(s3, source, cache_control=rules)
    assert changed["uploaded"] == ["favicon.ico"]
    assert changed["plan"][0]["reason"] == "cache control no-cache, not max-age=60"
    assert changed["diff"]["after"]["favicon.ico"]["cache_control"] == "max-age=60"
    assert not run(s3, source, cache_control=rules)["changed"]


@pytest.mark.parametrize(("folder", "message"), [("missing", "is not a directory"), (".", "has no files")])
def test_nothing_is_not_a_site(s3: Any, tmp_path: Path, folder: str, message: str) -> None:
    failed = s3.run_module("s3_site", {"bucket": BUCKET, "source": str(tmp_path / folder)})
    assert message in failed["msg"]
    assert s3.calls() == []
