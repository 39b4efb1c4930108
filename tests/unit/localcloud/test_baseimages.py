# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which base images are wanted, how they are built, and where the machine's mirror is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from localcloud import baseimages
from localcloud.baseimages import (
    BaseImageError,
    Recipe,
    from_lines,
    mirror_of,
    pip_index,
    recipe_for,
    security_mirror_of,
    wanted_by,
)
from localcloud.engine import Engine, EngineError


@pytest.mark.parametrize(
    ("reference", "recipe"),
    [
        ("debian:trixie-slim", Recipe("trixie")),
        ("debian:bookworm-20260101-slim", Recipe("bookworm")),
        ("docker.io/library/debian:bookworm-slim", Recipe("bookworm")),
        ("python:3.11-slim", Recipe("bookworm", "3.11")),
        ("python:3.11.9-slim-bookworm", Recipe("bookworm", "3.11")),
        ("python:3.11.11-slim-bullseye", Recipe("bookworm", "3.11")),
        ("python:3.13-slim", Recipe("trixie", "3.13")),
    ],
)
def test_recipe_is_found(reference: str, recipe: Recipe) -> None:
    assert recipe_for(reference) == recipe


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("python:3.9-slim", "only these can be built: python:3.11-slim (bookworm), python:3.13-slim (trixie)"),
        ("python:3.11", "only debian:<suite>-slim and python:3.<minor>-slim"),
        ("amazon/aws-cli:2", "amazon/aws-cli:2 cannot be pulled"),
    ],
)
def test_image_without_recipe_is_named(reference: str, reason: str) -> None:
    with pytest.raises(BaseImageError) as refused:
        recipe_for(reference)
    assert reason in str(refused.value)


def test_from_lines_leave_out_stages() -> None:
    dockerfile = """\
ARG PYTHON=3.11-slim
FROM --platform=linux/amd64 python:${PYTHON} AS build
FROM build AS run
FROM scratch
from Debian:trixie-slim
FROM \\
  node:${NODE:-22}
COPY --from=build /a /a
"""
    assert from_lines(dockerfile) == {"python:3.11-slim", "Debian:trixie-slim", "node:22"}


def test_dockerfiles_are_searched(tmp_path: Path) -> None:
    for directory in ("a", "b/c", "node_modules/x"):
        (tmp_path / directory).mkdir(parents=True)
        (tmp_path / directory / "Dockerfile").write_text(f"FROM image/{directory.replace('/', '-')}\n")
    assert wanted_by([tmp_path]) == ["image/a", "image/b-c"]
    assert wanted_by([tmp_path / "a" / "Dockerfile"]) == ["image/a"]
    with pytest.raises(BaseImageError, match="no Dockerfile"):
        wanted_by([tmp_path / "none"])


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        ("Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\n", "http://mirror.test/debian"),
        ("deb [signed-by=/k] http://mirror.test/debian/ bookworm main\n", "http://mirror.test/debian/"),
        ("# deb http://mirror.test/debian bookworm main\n", None),
        ("URIs: http://mirror.test/debian-security\nURIs: http://mirror.test/debian\n", "http://mirror.test/debian"),
        ("deb https://other.test/apt stable main\n", None),
    ],
)
def test_mirror_is_the_machines_own(sources: str, mirror: str | None) -> None:
    assert mirror_of(sources) == mirror


def test_security_mirror_is_not_read_from_comments() -> None:
    sources = (
        "URIs: http://mirror.test/debian\n# http://archive.test/debian-security\nURIs: http://s.test/debian-security\n"
    )
    assert security_mirror_of(sources) == "http://s.test/debian-security"


def test_another_suite_is_said() -> None:
    engine = FakeEngine({"localcloud/base:python3.11-bookworm"}, reachable=False)
    said = _provide(engine, "python:3.11.11-slim-bullseye")
    assert said == ["Provided python:3.11.11-slim-bullseye (Python 3.11 on bookworm, not bullseye)"]


@pytest.mark.parametrize(
    ("environment", "index"),
    [
        ({"PIP_INDEX_URL": "https://index.test/simple"}, "https://index.test/simple"),
        ({"PIP_INDEX_URL": "http://127.0.0.1:3141/simple"}, None),
        ({"PIP_INDEX_URL": "file:///opt/simple"}, None),
        ({}, None),
    ],
)
def test_index_is_passed_on_when_containers_reach_it(environment: Mapping[str, str], index: str | None) -> None:
    assert pip_index(environment) == index


class FakeEngine:
    """Has some images, and a registry that is out of reach or has everything."""

    def __init__(self, images: set[str], reachable: bool) -> None:
        self.images = images
        self.reachable = reachable
        self.pulls: list[str] = []

    def image_exists(self, reference: str) -> bool:
        return reference in self.images

    def pull(self, reference: str) -> None:
        self.pulls.append(reference)
        if not self.reachable:
            raise EngineError("no route")
        self.images.add(reference)

    def tag(self, reference: str, new: str) -> None:
        self.images.add(new)


def _provide(engine: FakeEngine, *references: str) -> list[str]:
    said: list[str] = []
    baseimages.provide(cast("Engine", engine), references, said.append)
    return said


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseimages, "_answers", lambda registry: True)


def test_present_image_costs_nothing() -> None:
    engine = FakeEngine({"debian:trixie-slim"}, reachable=False)
    assert _provide(engine, "debian:trixie-slim") == []
    assert engine.pulls == []


def test_image_is_pulled_where_a_registry_answers() -> None:
    engine = FakeEngine(set(), reachable=True)
    assert _provide(engine, "debian:trixie-slim") == ["Pulled debian:trixie-slim"]


def test_names_of_one_recipe_share_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(set(), reachable=False)
    built: list[Recipe] = []

    def build(engine: Any, recipe: Recipe, tell: Any) -> None:
        built.append(recipe)
        engine.images.add(recipe.tag)

    monkeypatch.setattr(baseimages, "_build", build)
    _provide(engine, "python:3.11-slim", "python:3.11.9-slim-bookworm")
    assert built == [Recipe("bookworm", "3.11")]
    assert engine.pulls == ["python:3.11-slim"]
    assert {"python:3.11-slim", "python:3.11.9-slim-bookworm"} <= engine.images
