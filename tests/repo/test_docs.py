# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written for people names what there is: files, headings, playbooks, tags and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md"), *ROOT.glob("localcloud/*.md")]
)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The headings as links spell them."""
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in HEADING.findall(page.read_text())}


def dead(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not link.startswith("http") and (not target.exists() or (anchor and anchor not in anchors(target))):
            yield link


@cache
def tags() -> set[str]:
    files = [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")]
    return {
        tag for file in files for line in re.findall(r"tags: \[(.*)\]", file.read_text()) for tag in line.split(", ")
    }


@cache
def variables() -> set[str]:
    """The variables of the roles, and the short words of the command line of which their defaults are made."""
    specs = [
        yaml.safe_load(file.read_text())["argument_specs"] for file in ROOT.glob("roles/*/meta/argument_specs.yml")
    ]
    options = {option for spec in specs for entry in spec.values() for option in entry.get("options") or {}}
    defaults = [file.read_text() for file in ROOT.glob("roles/*/defaults/main.yml")]
    return options | {word for text in defaults for word in re.findall(r"\b(\w+) \| default\(", text)}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    assert list(dead(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_playbooks_exist(page: Path) -> None:
    named = set(re.findall(r"playbooks/\w+\.yml", page.read_text()))
    assert [file for file in sorted(named) if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_tags_are_those_of_a_playbook(page: Path) -> None:
    assert [tag for tag in re.findall(r"--(?:skip-)?tags (\w+)", page.read_text()) if tag not in tags()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_variables_of_commands_are_known(page: Path) -> None:
    told = re.findall(r"-e '?\{?\"?(\w+)\"?[=:]", page.read_text())
    assert [variable for variable in told if variable not in variables()] == []
