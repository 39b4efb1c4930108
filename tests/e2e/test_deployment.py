# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a deployment, in the order of this file: planned, made, released in parts, gone back, run once more."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import workflow
from tests.support.rehearsal import ROOT, WORK, Rehearsal

UI_RELEASE = ("ui/src/release.ts", "export const RELEASE = '1.0.0'", "export const RELEASE = '1.0.1'")
BACKEND_RELEASE = ("antenna/release.py", 'RELEASE = "1.0.0"', 'RELEASE = "1.0.1"')


def url(rehearsal: Rehearsal) -> str:
    return str(rehearsal.only("distributions")["url"])


def rendered(chromium: str, page: str, picture: Path) -> str:
    """The document as Chromium shows it, its picture saved."""
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,800",
        "--ignore-certificate-errors", f"--user-data-dir={WORK / 'chromium'}", "--virtual-time-budget=8000",
    ]  # fmt: skip
    run = [chromium, *options, f"--screenshot={picture}", "--dump-dom", page]
    return subprocess.run(run, capture_output=True, text=True, timeout=90, check=True).stdout


def ui_assets(rehearsal: Rehearsal) -> str:
    """The text of every script that index.html names, read through the CDN."""
    index = rehearsal.get(url(rehearsal) + "/").body
    scripts = re.findall(r'src="(/assets/[^"]+\.js)"', index)
    assert scripts, index
    return "".join(rehearsal.get(url(rehearsal) + script).body for script in scripts)


@pytest.fixture(scope="module", autouse=True)
def deployer(rehearsal: Rehearsal) -> None:
    """All that follows is done with the rights of the role that deploys, and no others."""
    rehearsal.take_role("antenna-local", "-i", "inventories/local")


def test_a_pull_request_is_told_what_an_empty_account_would_get(rehearsal: Rehearsal, tmp_path: Path) -> None:
    environment = {
        **rehearsal.environment,
        **{
            name: str(workflow.WORKFLOW["env"][name]) for name in ("ANSIBLE_CALLBACKS_ENABLED", "ANTENNA_CHANGES_LIMIT")
        },
        "ENVIRONMENT": "local",
        "ANTENNA_CHANGES_PATH": str(tmp_path / "changes.md"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "COMMIT": "0" * 40,
        "RUN": "https://github.com/example/deployment/actions/runs/1",
    }
    before = len(rehearsal.writes())
    planned = workflow.run("plan", "Plan", ROOT, environment)
    assert planned.returncode == 0, planned.stdout[-6000:] + planned.stderr
    assert rehearsal.writes()[before:] == []
    assert workflow.run("plan", "Name the plan", tmp_path, environment).returncode == 0
    for name in ("staging", "production"):
        shutil.copy(tmp_path / "plans/local.md", tmp_path / f"plans/{name}.md")
    assert workflow.run("comment", "Write the comment", tmp_path, environment).returncode == 0
    comment = (tmp_path / "comment.md").read_text()
    assert len(comment) <= 65_536
    assert "ended early" not in comment
    for task in (
        "Build the missing images side by side",
        "Start the database",
        "Deploy the version to the environment",
    ):
        assert f"\n- {task}" in comment


def test_one_command_takes_an_empty_account_to_serving(rehearsal: Rehearsal) -> None:
    run = rehearsal.playbook()
    assert run.recap["failed"] == 0 and run.recap["changed"] > 0
    environment = rehearsal.only("environments")
    assert (environment["status"], environment["health"]) == ("Ready", "Green")
    api = rehearsal.get(url(rehearsal) + "/api/v2/projects/")
    assert api.status == 200 and api.headers["Content-Type"].startswith("application/json")


def test_a_browser_opens_the_ui_and_sees_the_projects(rehearsal: Rehearsal, chromium: str) -> None:
    projects = rehearsal.get(url(rehearsal) + "/api/v2/projects/?format=json").body
    names = re.findall(r'"name":\s*"([^"]+)"', projects)
    assert names, projects
    picture = WORK / "ui.png"
    document = rendered(chromium, url(rehearsal) + "/", picture)
    assert all(name in document for name in names), document[-3000:]
    assert picture.stat().st_size > 10_000


def test_tag_ui_ships_only_the_ui(rehearsal: Rehearsal, chromium: str) -> None:
    label = rehearsal.only("environments")["version_label"]
    before = len(rehearsal.writes())
    rehearsal.change(*UI_RELEASE)
    assert rehearsal.playbook("--tags", "ui").recap["changed"] > 0
    assert {entry["service"] for entry in rehearsal.writes()[before:]} <= {"s3", "cloudfront"}
    assert rehearsal.only("environments")["version_label"] == label
    assert "1.0.1" in ui_assets(rehearsal)
    assert "1.0.1" in rendered(chromium, url(rehearsal) + "/", WORK / "ui-release.png")


def test_tag_backend_ships_only_the_backend(rehearsal: Rehearsal) -> None:
    label = rehearsal.only("environments")["version_label"]
    before = len(rehearsal.writes())
    rehearsal.change(*BACKEND_RELEASE)
    assert rehearsal.playbook("--tags", "backend").recap["changed"] > 0
    assert "cloudfront" not in {entry["service"] for entry in rehearsal.writes()[before:]}
    environment = rehearsal.only("environments")
    assert environment["version_label"] != label
    assert (environment["status"], environment["health"]) == ("Ready", "Green")
    assert "1.0.1" in rehearsal.get(url(rehearsal) + "/api/v2/?format=json").body


def test_a_release_goes_back(rehearsal: Rehearsal) -> None:
    path, old, new = BACKEND_RELEASE
    label = rehearsal.only("environments")["version_label"]
    versions = rehearsal.client("elasticbeanstalk").describe_application_versions(ApplicationName="antenna")
    rehearsal.change(path, new, old)
    rehearsal.playbook("--tags", "backend")
    environment = rehearsal.only("environments")
    assert environment["version_label"] != label
    assert environment["version_label"] in {item["VersionLabel"] for item in versions["ApplicationVersions"]}
    assert "1.0.0" in rehearsal.get(url(rehearsal) + "/api/v2/?format=json").body


def test_the_second_run_changes_nothing_after_all_these_releases(rehearsal: Rehearsal) -> None:
    before = len(rehearsal.writes())
    run = rehearsal.playbook("--diff")
    assert run.recap["changed"] == 0, run.output[-4000:]
    assert rehearsal.writes()[before:] == []


def test_tags_of_parts_run_alone(rehearsal: Rehearsal) -> None:
    before = len(rehearsal.writes())
    run = rehearsal.playbook("--tags", "bundle,data")
    assert run.recap["changed"] == 0, run.output[-4000:]
    assert rehearsal.writes()[before:] == []
    assert "Build the bundle" in run.output and "Start the database" in run.output


def test_validate_proves_it_again(rehearsal: Rehearsal) -> None:
    run = rehearsal.playbook("--tags", "validate")
    assert run.recap["failed"] == 0 and run.recap["changed"] == 0
    status = json.loads(rehearsal.get(url(rehearsal) + "/api/v2/status/").body)
    assert status["heartbeat"] and status["processing_service_online"], status


def test_a_removal_wants_the_name_and_the_account(rehearsal: Rehearsal) -> None:
    before, teardown = len(rehearsal.writes()), ("playbooks/teardown.yml", "-i", "inventories/local")
    for options, message in {
        (): "Confirm with `-e confirm=antenna`",
        ("-e", "confirm=antenna-staging"): "the given name is antenna-staging",
        ("-e", "confirm=antenna", "-e", "delete_data=antenna-staging"): "delete_data is antenna-staging",
        ("-e", "confirm=antenna", "-e", "antenna_account_id=999999999999"): "The credentials belong to the account",
    }.items():
        refused = rehearsal.ansible(*teardown, *rehearsal.rights["antenna-local"], *options, fails=True)
        assert message in " ".join(refused.output.split())
    assert rehearsal.writes()[before:] == []


def test_no_secret_is_in_the_output(rehearsal: Rehearsal) -> None:
    secrets = rehearsal.client("secretsmanager")
    held = secrets.get_secret_value(SecretId="antenna/environment")["SecretString"]
    values = [value for name, value in json.loads(held).items() if re.search("PASSWORD|SECRET|KEY|TOKEN|DSN", name)]
    assert len(values) > 5 and all(values)
    output = (WORK / "playbook.log").read_text()
    assert [value for value in values if value in output] == []
