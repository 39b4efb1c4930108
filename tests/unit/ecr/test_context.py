# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._ecr.context import (
    ignore_rules,
    is_ignored,
    read_context,
)
from docker.utils.build import exclude_paths

FILES = (
    "a.txt",
    "a[1].txt",
    "b/c.pyc",
    "b/__pycache__/x.pyc",
    "ui/src/index.ts",
    "ui/package.json",
    "build/x",
    "lib/build/y",
    "docs/_build/z",
    ".env",
    ".envs/a",
    "keep/me/x.log",
    "x.log",
    "docker-compose.ci.yml",
    "b/Dockerfile",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["# a comment", "", "*.log"],
        ["*.pyc"],
        ["**/*.pyc", "ui"],
        ["build/", "!build/x"],
        ["*", "!ui/src"],
        ["/docs/_build/", ".env", ".envs/*"],
        ["**/build"],
        ["*.log", "**/x.log", "!keep/**/x.log"],
        ["**", "!a.txt"],
        ["?.txt", "docker-compose*.yml"],
        ["b/**/*.pyc", "lib/*/y"],
        ["ui/     # not a comment"],
        ["a[[]1].txt", "[x-z].log"],
        ["!a.txt", "*.txt"],
        ["./ui/../b"],
    ],
)
def test_what_is_ignored_is_what_docker_ignores(tree: Path, lines: list[str]) -> None:
    rules = ignore_rules(lines)
    patterns = [line for line in lines if line and not line.startswith("#")]
    sent = exclude_paths(str(tree), patterns, dockerfile="none")
    assert {name for name in FILES if not is_ignored(name, rules)} == {name for name in sent if name in FILES}


def digest(tree: Path, **more: object) -> str:
    return read_context(tree, **more).sha256  # type: ignore[arg-type]


def test_content_is_named_by_what_matters(tree: Path) -> None:
    before = digest(tree)
    os.utime(tree / "a.txt", (1, 1))
    (tree / "empty").mkdir()
    assert digest(tree) == before
    moved = tree.rename(tree.with_name("elsewhere"))
    assert digest(moved) == before
    assert len({before, digest(moved, platform="linux/amd64"), digest(moved, build_args={"A": "1"})}) == 3
    (moved / "a.txt").chmod(0o755)
    executable = digest(moved)
    (moved / "a.txt").unlink()
    (moved / "a.txt").symlink_to("nowhere")
    assert len({before, executable, digest(moved)}) == 3


def test_what_is_ignored_does_not_matter(tree: Path) -> None:
    (tree / ".dockerignore").write_text("ui\n")
    before = read_context(tree, ignore=["*.log"])
    (tree / "ui/package.json").write_text("changed")
    (tree / "x.log").write_text("changed")
    assert read_context(tree, ignore=["*.log"]) == before
    assert before.tag == f"sha-{before.sha256[:12]}"


def test_a_dockerfile_matters_wherever_it_lies_and_has_an_ignore_file_of_its_own(tree: Path) -> None:
    dockerfile = tree / "b" / "Dockerfile"
    (tree / ".dockerignore").write_text("b\n")
    before = digest(tree, dockerfile=dockerfile)
    dockerfile.write_text("FROM scratch\n")
    after = digest(tree, dockerfile=dockerfile)
    (tree / "b" / "Dockerfile.dockerignore").write_text("ui\n")
    assert len({before, after, digest(tree, dockerfile=dockerfile)}) == 3


def test_names_and_contents_do_not_run_together(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for tree, name in ((one, "ab"), (other, "a")):
        tree.mkdir()
        (tree / name).write_text("")
    (other / "b").write_text("")
    assert digest(one) != digest(other)


@pytest.mark.parametrize(("context", "dockerfile", "named"), [("absent", None, "absent"), (".", "Nofile", "Nofile")])
def test_what_is_not_there_is_named(tmp_path: Path, context: str, dockerfile: str | None, named: str) -> None:
    with pytest.raises(AntennaError, match=named):
        read_context(tmp_path / context, dockerfile=tmp_path / dockerfile if dockerfile else None)


def deny(monkeypatch: pytest.MonkeyPatch, denied: Path) -> None:
    """Let nobody read the file or directory; whoever runs the tests may be somebody who reads everything."""
    scandir, opened = os.scandir, io.open

    def refuse(path: Any) -> None:
        if Path(os.fspath(path)) == denied:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "scandir", lambda path: (refuse(path), scandir(path))[1])
    monkeypatch.setattr(io, "open", lambda path, *more, **others: (refuse(path), opened(path, *more, **others))[1])


@pytest.mark.parametrize("name", ["b", "a.txt", "b/Dockerfile", ".dockerignore"])
def test_what_cannot_be_read_is_named_with_a_remedy(tree: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tree / ".dockerignore").write_text("b/Dockerfile\n")
    deny(monkeypatch, tree / name)
    with pytest.raises(AntennaError, match=rf"{name}' of the build context: Permission denied\..* in \.dockerignore"):
        read_context(tree, dockerfile=tree / "b/Dockerfile")


@pytest.mark.parametrize("lines", ["b\n", "b\n!a.txt\n"])
def test_what_is_ignored_need_not_be_read(tree: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    (tree / ".dockerignore").write_text(lines)
    before = digest(tree)
    deny(monkeypatch, tree / "b")
    assert digest(tree) == before


@pytest.mark.parametrize("line", ["[z-a]", "!docs/[b-a]*", "[^]"])
def test_a_pattern_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(AntennaError, match=re.escape(f"{line!r} is no pattern of a .dockerignore: ")):
        ignore_rules([line])


def test_an_ignore_file_may_be_in_another_encoding(tree: Path) -> None:
    before = digest(tree, ignore=[".dockerignore"])
    name = os.fsdecode("größe".encode("latin-1"))
    (tree / name).write_text("")
    (tree / ".dockerignore").write_bytes("# Größe\n*größe\n".encode("latin-1"))
    assert digest(tree, ignore=[".dockerignore"]) == before


def test_what_differs_from_clone_to_clone_is_warned_of(
    tree: Path, run_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _, warning: said.append(warning))
    (tree / ".git").mkdir()
    (tree / ".git/index").write_text("of this clone")
    for lines in ("", ".git\n"):
        (tree / ".dockerignore").write_text(lines)
        run_module("build_context_info", {"context": str(tree)})
    (warning,) = said
    assert "add .git to its .dockerignore" in warning
