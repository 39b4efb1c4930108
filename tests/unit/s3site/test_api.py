# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How S3 is called: page by page, stage by stage, side by side."""

from __future__ import annotations

import errno
import io
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._s3site.api import (
    WORKERS,
    apply_plan,
    delete_objects,
    list_objects,
    side_by_side,
)
from ansible_collections.antenna.aws.plugins.module_utils._s3site.local import read_site
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import Layout, SiteObject
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import plan_site

NOW = datetime(2025, 3, 1, tzinfo=UTC)


class Client:
    """Remembers calls; lists three objects on two pages."""

    def __init__(self, errors: list[dict[str, str]] | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.errors = errors or []

    def list_objects_v2(self, **params: Any) -> dict[str, Any]:
        self.calls.append(("list", params))
        names = {None: ["a", "b"], "more": ["c"]}[params.get("ContinuationToken")]
        items = [{"Key": params["Prefix"] + name, "Size": 1, "ETag": '"e"', "LastModified": NOW} for name in names]
        token = {} if "ContinuationToken" in params else {"NextContinuationToken": "more"}
        return {"Contents": items, "IsTruncated": bool(token), **token}

    def put_object(self, **params: Any) -> None:
        self.calls.append(("put", params["Key"]))

    def copy_object(self, **params: Any) -> None:
        self.calls.append(("mark", params["Key"]))

    def delete_objects(self, **params: Any) -> dict[str, Any]:
        self.calls.append(("delete", [item["Key"] for item in params["Delete"]["Objects"]]))
        return {"Errors": self.errors}


def test_all_pages_are_read() -> None:
    client = Client()
    found = list_objects(client, Layout("bucket", prefix="ui/"))
    assert [(item.key, item.etag) for item in found] == [("ui/a", "e"), ("ui/b", "e"), ("ui/c", "e")]
    assert [params["Prefix"] for _name, params in client.calls] == ["ui/", "ui/"]


def test_no_more_than_a_thousand_are_deleted_at_once() -> None:
    client = Client()
    delete_objects(client, "bucket", [str(number) for number in range(2001)])
    assert [len(names) for _name, names in client.calls] == [1000, 1000, 1]


def test_what_could_not_be_deleted_is_named() -> None:
    client = Client([{"Key": "a", "Code": "AccessDenied", "Message": "no"}])
    with pytest.raises(AntennaError, match="a in bucket could not be deleted: AccessDenied no"):
        delete_objects(client, "bucket", ["a"])


def test_pages_come_last_and_deletions_after_them(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "favicon.ico", "assets/a.js", "assets/b.js"):
        (tmp_path / name).write_text(name)
    site = read_site(str(tmp_path), Layout("bucket"), (), ())
    there = [SiteObject("old.txt", 1, "e", NOW), SiteObject("assets/old.js", 1, "e", NOW)]
    client = Client()
    apply_plan(client, site.layout, plan_site(site, there, NOW), NOW)
    assert sorted(client.calls[:2]) == [("put", "assets/a.js"), ("put", "assets/b.js")]
    assert client.calls[2:] == [
        ("put", "favicon.ico"),
        ("put", "index.html"),
        ("mark", "assets/old.js"),
        ("delete", ["old.txt"]),
    ]


def test_a_failure_stops_the_stages_after_it(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "assets/a.js"):
        (tmp_path / name).write_text(name)
    site = read_site(str(tmp_path), Layout("bucket"), (), ())

    class Full(Client):
        def put_object(self, **params: Any) -> None:
            super().put_object(**params)
            raise OSError("no space")

    client = Full()
    with pytest.raises(OSError, match="no space"):
        apply_plan(client, site.layout, plan_site(site, [], NOW), NOW)
    assert client.calls == [("put", "assets/a.js")]


def test_work_is_done_side_by_side_and_answers_keep_their_order() -> None:
    together = threading.Barrier(WORKERS, timeout=10)

    def work(number: int) -> int:
        together.wait()
        return number * 2

    assert side_by_side(work, range(WORKERS)) == [number * 2 for number in range(WORKERS)]


@pytest.mark.parametrize("name", ["assets", "assets/index-a1.js"])
def test_what_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/index-a1.js").write_text("one")
    (tmp_path / "index.html").write_text("<html>")
    scandir, opened = os.scandir, io.open

    def refuse(path: Any) -> None:
        if Path(os.fspath(path)) == tmp_path / name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "scandir", lambda path: (refuse(path), scandir(path))[1])
    monkeypatch.setattr(io, "open", lambda path, *more, **others: (refuse(path), opened(path, *more, **others))[1])
    with pytest.raises(AntennaError, match=rf"{name} of the site: Permission denied\. Let this user read it"):
        read_site(str(tmp_path), Layout("bucket"), (), ())
