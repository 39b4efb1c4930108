# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done to a site's bucket, and what the CDN has to hear of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._s3site.content_type import content_type
from ansible_collections.antenna.aws.plugins.module_utils._s3site.local import read_site
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import (
    SHA256,
    SUPERSEDED,
    CacheRule,
    Layout,
    Site,
    SiteObject,
    clean_origin_path,
    clean_prefix,
)
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import (
    SitePlan,
    cdn_paths,
    changed_paths,
    content_digest,
    plan_site,
    projected,
    release_digest,
    shown,
    stamp,
    superseded_at,
    unhashed_paths,
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
RULES = (CacheRule("assets/*", "immutable"), CacheRule("*.html", "no-cache"))
FILES = {
    "index.html": "<html>",
    "favicon.ico": "icon",
    "robots.txt": "",
    "about/index.html": "<html>about",
    "assets/index-a1.js": "one",
    "assets/index-a1.css": "",
}


def site(tmp_path: Path, files: dict[str, str], **layout: object) -> Site:
    source = tmp_path / "source"
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    return read_site(str(source), replace(Layout("bucket"), **layout), RULES, ())  # type: ignore[arg-type]


def there(wanted: Site, now: datetime = NOW) -> list[SiteObject]:
    return projected(wanted, [], plan_site(wanted, [], now), now)


def stages(plan: SitePlan) -> list[list[str]]:
    return [[upload.file.name for upload in stage] for stage in plan.stages]


class TestUpload:
    def test_pages_come_after_what_they_name(self, tmp_path: Path) -> None:
        assert stages(plan_site(site(tmp_path, FILES), [], NOW)) == [
            ["assets/index-a1.css", "assets/index-a1.js"],
            ["favicon.ico", "robots.txt"],
            ["about/index.html", "index.html"],
        ]

    @pytest.mark.parametrize("layout", [{}, {"prefix": "ui/"}, {"retain_days": 0}, {"purge": False}])
    def test_planning_again_after_applying_yields_nothing(self, tmp_path: Path, layout: dict[str, object]) -> None:
        wanted = site(tmp_path, FILES, **layout)
        stale = SiteObject("ui/assets/old-b2.js", 3, "e", NOW - timedelta(days=400), metadata={})
        other = SiteObject("ui/old.txt", 3, "e", NOW)
        before = [stale, other]
        after = projected(wanted, before, plan_site(wanted, before, NOW), NOW)
        assert plan_site(wanted, after, NOW + timedelta(minutes=5)) == SitePlan()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"size": 7}, "content differs"),
            ({"metadata": {SHA256: "other"}}, "content differs"),
            ({"metadata": {}, "etag": "other"}, "content differs"),
            ({"content_type": "binary/octet-stream"}, "content type binary/octet-stream, not text/html; charset=utf-8"),
            ({"content_type": ""}, "content type missing, not text/html; charset=utf-8"),
            ({"cache_control": "max-age=60"}, "cache control max-age=60, not no-cache"),
            ({"cache_control": ""}, "cache control missing, not no-cache"),
        ],
    )
    def test_only_what_differs_is_written(self, tmp_path: Path, change: dict[str, object], reason: str) -> None:
        wanted = site(tmp_path, FILES)
        before = [
            replace(item, **change) if item.key == "index.html" else item  # type: ignore[arg-type]
            for item in there(wanted)
        ]
        (upload,) = plan_site(wanted, before, NOW).uploads
        assert (upload.file.key, upload.reason) == ("index.html", reason)

    def test_what_another_tool_wrote_is_known_by_its_etag(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        assert plan_site(wanted, [replace(item, metadata={}) for item in there(wanted)], NOW) == SitePlan()

    def test_an_encrypted_object_is_known_by_its_sha256(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        assert plan_site(wanted, [replace(item, etag="not-an-md5") for item in there(wanted)], NOW) == SitePlan()


class TestRemoval:
    def test_a_prefix_is_not_the_start_of_another(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES, prefix=clean_prefix("cs"))
        neighbours = [SiteObject("cs2/index.html", 1, "e", NOW), SiteObject("cs", 1, "e", NOW)]
        plan = plan_site(wanted, [*there(wanted), *neighbours], NOW)
        assert plan == SitePlan()

    def test_what_has_no_hash_goes_at_once(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        plan = plan_site(wanted, [*there(wanted), SiteObject("old.txt", 1, "e", NOW)], NOW)
        assert [(item.object.key, item.reason) for item in plan.deleted] == [("old.txt", "not part of the site")]
        assert changed_paths(wanted.layout, plan) == ["/old.txt"]

    def test_what_has_a_hash_is_marked_then_kept_then_deleted(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES, retain_days=7)
        before = [*there(wanted), SiteObject("assets/old-b2.js", 1, "e", NOW - timedelta(days=90))]
        first = plan_site(wanted, before, NOW)
        assert [item.key for item in first.superseded] == ["assets/old-b2.js"]
        assert first.deleted == ()
        after = projected(wanted, before, first, NOW)
        assert plan_site(wanted, after, NOW + timedelta(days=6, hours=23)) == SitePlan()
        last = plan_site(wanted, after, NOW + timedelta(days=7))
        assert [item.object.key for item in last.deleted] == ["assets/old-b2.js"]
        assert "2025-03-01T12:00:00Z" in last.deleted[0].reason
        assert changed_paths(wanted.layout, last) == []

    def test_what_comes_back_loses_its_mark(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        marked = [
            replace(item, metadata={**item.metadata, SUPERSEDED: stamp(NOW)}) if item.key.endswith(".js") else item
            for item in there(wanted)
        ]
        plan = plan_site(wanted, marked, NOW)
        assert [upload.file.key for upload in plan.uploads] == ["assets/index-a1.js"]
        after = {item.key: item for item in projected(wanted, marked, plan, NOW)}
        assert superseded_at(after["assets/index-a1.js"]) is None

    def test_a_mark_that_cannot_be_read_is_written_anew(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        odd = SiteObject("assets/old-b2.js", 1, "e", NOW, metadata={SUPERSEDED: "yesterday"})
        assert plan_site(wanted, [*there(wanted), odd], NOW).superseded == (odd,)

    def test_without_purge_nothing_goes(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES, purge=False)
        others = [SiteObject("old.txt", 1, "e", NOW), SiteObject("assets/old-b2.js", 1, "e", NOW)]
        assert plan_site(wanted, [*there(wanted), *others], NOW) == SitePlan()

    def test_with_no_days_it_goes_at_once(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES, retain_days=0)
        plan = plan_site(wanted, [*there(wanted), SiteObject("assets/old-b2.js", 1, "e", NOW)], NOW)
        assert [step.op for step in plan.steps()] == ["delete"]


class TestPaths:
    def test_hashed_names_need_no_word(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        expected = ["/", "/about/", "/about/index.html", "/favicon.ico", "/index.html", "/robots.txt"]
        assert changed_paths(wanted.layout, plan_site(wanted, [], NOW)) == expected
        assert unhashed_paths(wanted) == expected

    def test_other_content_under_a_hashed_name_does(self, tmp_path: Path) -> None:
        wanted = site(tmp_path, FILES)
        before = [replace(item, size=9) if item.key.endswith(".js") else item for item in there(wanted)]
        assert changed_paths(wanted.layout, plan_site(wanted, before, NOW)) == ["/assets/index-a1.js"]

    @pytest.mark.parametrize(
        ("prefix", "origin_path", "expected"),
        [
            ("", "", ["/a", "/x/", "/x/index.html"]),
            ("ui/", "", ["/ui/a", "/ui/x/", "/ui/x/index.html"]),
            ("ui/", "/ui", ["/a", "/x/", "/x/index.html"]),
            ("ui/", "/other", []),
            ("", "/x", ["/", "/index.html"]),
        ],
    )
    def test_the_origin_path_is_taken_off(self, prefix: str, origin_path: str, expected: list[str]) -> None:
        layout = Layout("bucket", prefix=prefix, origin_path=origin_path)
        assert cdn_paths(layout, [prefix + "a", prefix + "x/index.html"]) == expected

    def test_paths_are_encoded(self) -> None:
        assert cdn_paths(Layout("bucket"), ["fav icon.ico", "ä.txt", "50%.txt", "a*b"]) == [
            "/%C3%A4.txt",
            "/50%25.txt",
            "/a%2Ab",
            "/fav%20icon.ico",
        ]


class TestIdentity:
    def test_content_depends_on_what_is_served_alone(self, tmp_path: Path) -> None:
        one = content_digest(site(tmp_path / "one", FILES))
        assert one == content_digest(site(tmp_path / "two", FILES))
        assert one == content_digest(site(tmp_path / "three", FILES, prefix="ui/"))
        assert one != content_digest(site(tmp_path / "four", {**FILES, "index.html": "new"}))
        assert one != content_digest(site(tmp_path / "five", {**FILES, "new.txt": ""}))

    def test_a_release_that_is_taken_back_is_another_one(self, tmp_path: Path) -> None:
        first, second = site(tmp_path / "1", FILES), site(tmp_path / "2", {**FILES, "index.html": "new"})
        released, later = there(first), NOW + timedelta(days=1)
        replaced = projected(second, released, plan_site(second, released, later), later)
        again = later + timedelta(days=1)
        returned = projected(first, replaced, plan_site(first, replaced, again), again)
        digests = [release_digest(first, released), release_digest(second, replaced), release_digest(first, returned)]
        assert len(set(digests)) == 3
        assert release_digest(first, list(reversed(returned))) == digests[2]


class TestLocal:
    def test_rules_and_types(self, tmp_path: Path) -> None:
        files = {file.name: file for file in site(tmp_path, FILES, prefix="ui/").files}
        page, script, icon = files["index.html"], files["assets/index-a1.js"], files["favicon.ico"]
        assert (page.key, page.cache_control, page.hashed) == ("ui/index.html", "no-cache", False)
        assert (script.cache_control, script.hashed) == ("immutable", True)
        assert (icon.cache_control, icon.content_type) == ("", "image/x-icon")
        assert files["robots.txt"].md5 == "d41d8cd98f00b204e9800998ecf8427e"

    def test_exclusion(self, tmp_path: Path) -> None:
        site(tmp_path, {**FILES, "assets/index-a1.js.map": "{}"})
        kept = read_site(str(tmp_path / "source"), Layout("bucket"), RULES, ("*.map", "about/*"))
        assert "assets/index-a1.js.map" not in [file.name for file in kept.files]
        assert "about/index.html" not in [file.name for file in kept.files]
        assert len(kept.files) == len(FILES) - 1

    def test_nothing_is_not_a_site(self, tmp_path: Path) -> None:
        with pytest.raises(AntennaError, match="has no files"):
            read_site(str(tmp_path), Layout("bucket"), RULES, ())
        with pytest.raises(AntennaError, match="is not a directory"):
            read_site(str(tmp_path / "missing"), Layout("bucket"), RULES, ())

    @pytest.mark.parametrize(
        ("given", "expected"), [("", ""), ("/", ""), ("cs", "cs/"), ("/cs/", "cs/"), ("a/b//", "a/b/")]
    )
    def test_prefixes(self, given: str, expected: str) -> None:
        assert clean_prefix(given) == expected

    @pytest.mark.parametrize(("given", "expected"), [("", ""), ("/", ""), ("cs/", "/cs"), ("/a/b", "/a/b")])
    def test_origin_paths(self, given: str, expected: str) -> None:
        assert clean_origin_path(given) == expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("index.html", "text/html; charset=utf-8"),
            ("assets/a.JS", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.woff2", "font/woff2"),
            ("a.webp", "image/webp"),
            ("a.js.map", "application/json"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("a.tar.gz", "application/gzip"),
            ("a.svgz", "application/octet-stream"),
            ("LICENSE", "application/octet-stream"),
            ("v1.2/LICENSE", "application/octet-stream"),
            (".well-known/thing", "application/octet-stream"),
        ],
    )
    def test_content_types(self, name: str, expected: str) -> None:
        assert content_type(name) == expected


def test_the_diff_shows_what_is_served_and_the_mark() -> None:
    items = [
        SiteObject("b", 1, "etag", NOW, "text/plain", "no-cache"),
        SiteObject("a", 1, "etag", NOW, "text/plain", "", {SHA256: "abc", SUPERSEDED: "2025-03-01T12:00:00Z"}),
    ]
    assert shown(items) == {
        "a": {
            "content": "abc",
            "content_type": "text/plain",
            "cache_control": "",
            "superseded_at": "2025-03-01T12:00:00Z",
        },
        "b": {"content": "etag", "content_type": "text/plain", "cache_control": "no-cache"},
    }
