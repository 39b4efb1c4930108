# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of every tier may use.

``run_module(name, args, check=False)`` runs a module of this collection in the test's own process, and returns its
result; a failed one has ``failed``. ``moto_endpoint`` is the URL of a moto server, started once. ``aws`` is that
server, emptied for the test::

    def test_it(aws):
        first = aws.run_module("ecr_image_info", {"repository_name": "web"})
        aws.client("ecr").create_repository(repositoryName="web")
        aws.writes()      # calls since the last look that are not reads, e.g. ["ecr:CreateRepository"]
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_collections
import boto3
import pytest

from tests.support.serving import serving

ROOT = Path(__file__).resolve().parents[1]

# The collections of the Ansible package hide those of other folders, unless these are added.
ansible_collections.__path__.append(str(ROOT / ".venv" / "collections" / "ansible_collections"))

RunModule = Callable[..., dict[str, Any]]
READS = ("Describe", "List", "Get", "Head", "Check", "Batch")
CREDENTIALS = {"access_key": "testing", "secret_key": "testing-secret", "region": "eu-central-1"}


def execute_module(name: str, args: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
    """Run the module with these parameters and return its result."""
    from ansible.module_utils.testing import patch_module_args

    module = importlib.import_module(f"ansible_collections.antenna.aws.plugins.modules.{name}")
    stdout = io.StringIO()
    internal = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/tmp"}
    with patch_module_args({**args, **internal}), contextlib.redirect_stdout(stdout), pytest.raises(SystemExit):
        module.main()
    result: dict[str, Any] = json.loads(stdout.getvalue())
    return result


@pytest.fixture(scope="session")
def run_module() -> RunModule:
    return execute_module


@dataclass(frozen=True)
class Aws:
    """An account of a moto server that nobody else uses meanwhile."""

    endpoint: str

    @property
    def connection(self) -> dict[str, str]:
        return {**CREDENTIALS, "endpoint_url": self.endpoint}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=CREDENTIALS["region"],
            aws_access_key_id=CREDENTIALS["access_key"],
            aws_secret_access_key=CREDENTIALS["secret_key"],
        )

    def run_module(self, name: str, args: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
        return execute_module(name, {**self.connection, **args}, check)

    def calls(self) -> list[str]:
        """Return the calls since the last look, as service:Operation."""
        with urllib.request.urlopen(f"{self.endpoint}/_journal", timeout=10) as reply:
            calls: list[str] = json.load(reply)
        return calls

    def writes(self) -> list[str]:
        """Return those of the calls since the last look that are not reads."""
        return [call for call in self.calls() if not call.split(":", 1)[1].startswith(READS)]


def emptied(endpoint: str) -> Aws:
    """Return the account of the moto server with this URL, with nothing in it."""
    account = Aws(endpoint)
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
    account.calls()
    return account


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with serving("moto_server.py") as endpoint:
        yield endpoint


@pytest.fixture
def aws(moto_endpoint: str) -> Aws:
    return emptied(moto_endpoint)


@pytest.fixture(scope="session")
def beanstalk_endpoint() -> Iterator[str]:
    with serving("moto_server.py", "beanstalk") as endpoint:
        yield endpoint


@pytest.fixture
def beanstalk(beanstalk_endpoint: str) -> Aws:
    """As ``aws``, with Elastic Beanstalk's applications and versions, which outlive the test."""
    return emptied(beanstalk_endpoint)
