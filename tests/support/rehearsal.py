# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal as the end-to-end tests drive it: by playbook, by localcloud, and as a viewer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from localcloud.client import Client
from tests.support import clients
from tests.support.clients import REGION

ROOT = Path(__file__).resolve().parents[2]
LIFE = ROOT / ".cache" / "life"
"""What the rehearsals leave behind for tests/life: the policies of those who deployed, and what these called."""
WORK = ROOT / ".cache" / "e2e" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
"""What one worker of pytest-xdist makes: its cloud, its copy of the source, the output of its playbooks."""
ACCOUNT = "123456789012"

Seen = TypeVar("Seen")

_client = cache(clients.client)
"""Making one takes longer than what most are asked."""


@dataclass(frozen=True)
class Run:
    """One finished ansible-playbook: its output and the counts of the recap."""

    output: str
    recap: Mapping[str, int]


@dataclass(frozen=True)
class Page:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal cloud, and the source that is deployed to it."""

    source: Path
    environment: Mapping[str, str]
    rights: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By inventory host, the options with which its playbooks run with the rights of the role that deploys it."""

    def take_role(self, host: str, *options: str) -> None:
        """Make the role that deploys this host, as the account's administrator, and take it for what follows."""
        documents = WORK / "policies" / host
        given = {"deployer_principals": [f"arn:aws:iam::{ACCOUNT}:root"], "deployer_documents": str(documents)}
        self.ansible("playbooks/deployer.yml", *options, "-e", json.dumps(given))
        (trust,) = documents.glob("*-trust.json")
        arn = f"arn:aws:iam::{ACCOUNT}:role/{trust.stem.removesuffix('-trust')}"
        taken = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=host)["Credentials"]
        connection = {
            "region": REGION,
            "endpoint_url": self.endpoint(),
            "access_key": taken["AccessKeyId"],
            "secret_key": taken["SecretAccessKey"],
            "session_token": taken["SessionToken"],
        }
        file = WORK / f"rights-{host}.json"
        file.write_text(json.dumps({"antenna_connection": connection}))
        self.rights[host] = ("-e", f"@{file}")

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of the account's administrator."""
        return _client(service, self.endpoint(), region)

    def playbook(self, *options: str) -> Run:
        """Run site.yml as a maintainer does; a failed run fails the test with the run's own output."""
        source = f"antenna_source={self.source}"
        rights = self.rights.get("antenna-local", ())
        return self.ansible("playbooks/site.yml", "-i", "inventories/local", "-e", source, *rights, *options)

    def ansible(self, playbook: str, *options: str, fails: bool = False) -> Run:
        """Run a playbook, which must end as it is told to."""
        command = ["ansible-playbook", playbook, *options]
        done = subprocess.run(
            command, cwd=ROOT, env=dict(self.environment), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        (WORK / "playbook.log").open("a").write(f"\n$ {' '.join(command)}\n{output}")
        assert (done.returncode != 0) == fails, output[-6000:]
        return Run(output, recap(output))

    def interrupted(self, playbook: str, *options: str, at: str) -> None:
        """Run a playbook until it has called this operation, and kill it with all that it started."""
        before = len(self.writes())
        run = subprocess.Popen(
            ["ansible-playbook", playbook, *options],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while at not in [entry["operation"] for entry in self.writes()[before:]]:
                assert run.poll() is None, f"{playbook} has ended without {at}"
                time.sleep(0.2)
        finally:
            _kill(run.pid)
            run.wait()

    def localcloud(self, *words: str) -> str:
        command = [sys.executable, "-m", "localcloud", *words]
        done = subprocess.run(command, cwd=ROOT, env=dict(self.environment), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ready(self) -> dict[str, Any]:
        """Where everything is."""
        return dict(json.loads((Path(self.environment["LOCALCLOUD_STATE"]) / "ready.json").read_text()))

    def endpoint(self) -> str:
        return str(self.ready()["endpoint"])

    def status(self) -> dict[str, Any]:
        return dict(Client(self.endpoint()).get("status"))

    def only(self, kind: str) -> dict[str, Any]:
        (one,) = self.status()[kind].values()
        return dict(one)

    def writes(self) -> list[dict[str, Any]]:
        """Every call of the journal so far that changed something."""
        return self.calls(access="write")

    def calls(self, **wanted: object) -> list[dict[str, Any]]:
        """Every call of the journal so far that is wanted."""
        return [json.loads(line) for line in Client(self.endpoint()).journal(**wanted)]

    def now(self) -> datetime:
        """The time of the cloud."""
        return datetime.fromisoformat(Client(self.endpoint()).get("clock")["now"])

    def advance(self, seconds: float) -> None:
        """Put the cloud's clock forward; what was due by then happens."""
        Client(self.endpoint()).post("clock", {"advance": seconds})

    def leave_behind(self) -> None:
        """Tell tests/life what the roles that deploy called, by the IAM actions that it needed, and what they may."""
        calls = [call for call in self.calls() if "-deployer/" in call["caller"]]
        place = LIFE / str(os.getpid())
        place.mkdir(parents=True, exist_ok=True)
        if self.rights:
            shutil.copytree(WORK / "policies", place / "policies", dirs_exist_ok=True)
        called = sorted({action for call in calls for action, _ in call["needs"]})
        (place / "called.json").write_text(json.dumps(called))

    def get(self, url: str, **headers: str) -> Page:
        """GET as a browser would, trusting the cloud's own certificate authority; redirects are followed."""
        trust = ssl.create_default_context(cafile=self.ready()["ca"])
        request = urllib.request.Request(
            url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, context=trust, timeout=20) as answer:
                return Page(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as answer:
            return Page(answer.code, dict(answer.headers), answer.read().decode())

    def containers(self, environment: str, name: str) -> list[dict[str, Any]]:
        """The container of this name on each instance of an environment."""
        instances = self.status()["environments"][environment]["instances"].values()
        return [one["containers"][name] for one in instances]

    def change(self, path: str, old: str, new: str) -> None:
        """Change one line of the deployed source."""
        file = self.source / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} has {text.count(old)} places of {old!r}"
        file.write_text(text.replace(old, new))


def inside(container: str, *command: str) -> str:
    """What a command says in a container of Docker; a failed one fails the test."""
    done = subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def meanwhile(look: Callable[[], Seen]) -> Iterator[list[Seen]]:
    """What `look` sees, again and again, while something else is done."""
    seen: list[Seen] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            seen.append(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _kill(pid: int) -> None:
    """Kill a process, and below it those that are its children now: Ansible gives each worker a session of its own."""
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for child in listed:
        _kill(int(child))


def recap(output: str) -> dict[str, int]:
    last = output.rsplit("PLAY RECAP", 1)[-1]
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", last)}
