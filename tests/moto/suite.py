# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's own tests against plain moto and against the rehearsal cloud: README.md has the how and the why.

`python tests/moto/suite.py SOURCE [--services s3,iam] [--again]`; the exit status is 1 where the two differ in another
way than differences.yml says.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DIFFERENCES = Path(__file__).with_name("differences.yml")
WORK = ROOT / ".cache" / "moto-suite"
SERVICES = (
    "elasticbeanstalk",
    "ecs",
    "ecr",
    "rds",
    "elasticache",
    "s3",
    "s3bucket_path",
    "iam",
    "sts",
    "ec2",
    "secretsmanager",
    "cloudwatch",
    "logs",
    "sns",
    "cloudfront",
)
PARTS: Mapping[str, tuple[str, ...]] = {
    "ec2": (
        "test_instances.py",
        "test_internet_gateways.py",
        "test_key_pairs.py",
        "test_route_tables.py",
        "test_security_groups.py",
        "test_subnets.py",
        "test_vpcs.py",
    ),
}
"""Of services with a thousand tests the files about what the collection touches."""

TEST_PACKAGES = ("pytest", "pytest-timeout", "freezegun", "parameterized", "requests")
SECONDS_PER_TEST = 240
"""Longer than any of moto's tests takes, with waiters that look every half minute; what hangs fails in the end."""

Outcomes = Mapping[str, str]
"""Test to `passed`, `skipped`, or the first line of what went wrong."""


@dataclass(frozen=True)
class Difference:
    """What may fail here alone, and why: tests of a service by pattern (`*`, `?`), or all that fail with such words."""

    service: str
    reason: str
    evidence: str
    tests: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def covers(self, test: str, problem: str) -> bool:
        return any(self._is_named(pattern, test) for pattern in self.tests) or any(
            self._is_of_the_service(test) and words in problem for words in self.problems
        )

    def idle(self, worse: Outcomes) -> list[str]:
        """The patterns and words to which nothing of what fails here alone answers."""
        unused = [pattern for pattern in self.tests if not any(self._is_named(pattern, test) for test in worse)]
        return unused + [words for words in self.problems if not any(words in problem for problem in worse.values())]

    def _is_of_the_service(self, test: str) -> bool:
        return test.startswith(f"test_{self.service}/")

    def _is_named(self, pattern: str, test: str) -> bool:
        # Names of parametrized tests are in brackets, which fnmatch would take for a set of characters.
        return self._is_of_the_service(test) and fnmatchcase(test.partition("/")[2], pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class Verdict:
    """What the comparison says: tests that fail here alone without being listed, and what is listed for nothing."""

    unexplained: Mapping[str, str]
    explained: int
    idle: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.unexplained and not self.idle


def compare(plain: Outcomes, ours: Outcomes, differences: tuple[Difference, ...], services: tuple[str, ...]) -> Verdict:
    """Judge the outcomes of the same tests, run against plain moto and against the rehearsal cloud."""
    worse = {
        test: ours.get(test, "did not run")
        for test, outcome in plain.items()
        if outcome == "passed" and ours.get(test) != "passed"
    }
    listed = {test for test, problem in worse.items() if any(item.covers(test, problem) for item in differences)}
    idle = tuple(
        f"{item.service}: {unused}" for item in differences if item.service in services for unused in item.idle(worse)
    )
    return Verdict({test: worse[test] for test in worse if test not in listed}, len(listed), idle)


def read_differences(path: Path = DIFFERENCES) -> tuple[Difference, ...]:
    """The committed list."""
    entries = yaml.safe_load(path.read_text()) or []
    return tuple(
        Difference(
            service=entry["service"],
            reason=entry["reason"],
            evidence=entry["evidence"],
            tests=tuple(entry.get("tests", ())),
            problems=tuple(entry.get("problems", ())),
        )
        for entry in entries
    )


def outcomes_in(report: Path) -> dict[str, str]:
    """The outcomes in a JUnit report, by `test_s3/test_s3.py::test_name`."""
    found: dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 (pytest has just written it)
        found[_test_id(case.attrib["classname"], case.attrib["name"])] = _outcome(case)
    return found


def _test_id(classname: str, name: str) -> str:
    modules = classname.removeprefix("tests.").split(".")
    classes = [modules.pop()] if modules[-1][:1].isupper() else []
    return "::".join(["/".join(modules) + ".py", *classes, name])


def _outcome(case: ET.Element) -> str:
    for kind in ("failure", "error"):
        problem = case.find(kind)
        if problem is not None:
            return (problem.attrib.get("message") or kind).splitlines()[0][:300]
    return "passed" if case.find("skipped") is None else "skipped"


def check_source(source: Path) -> str:
    """The version of moto's source at that path.

    :raises SystemExit: When it is not the version that the rehearsal cloud is built on.
    """
    from localcloud.install import MOTO_VERSION

    file = source / "moto" / "__init__.py"
    found = re.search(r'__version__ = "([^"]+)"', file.read_text() if file.is_file() else "")
    if found is None or found[1] != MOTO_VERSION or not (source / "tests").is_dir():
        raise SystemExit(f"{source} must be the source of moto {MOTO_VERSION} with its tests")
    return found[1]


def make_environment(version: str) -> Path:
    """A Python environment for moto's tests, with the very botocore of ours; returns its interpreter."""
    python = WORK / "venv" / "bin" / "python"
    mark = WORK / "venv" / f"moto-{version}"
    if not mark.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(WORK / "venv")], check=True)
        wanted = [f"moto[all,server]=={version}", *(f"{name}=={_installed(name)}" for name in ("boto3", "botocore"))]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted, *TEST_PACKAGES], check=True)
        mark.touch()
    return python


def _installed(name: str) -> str:
    from importlib.metadata import version

    return version(name)


@contextlib.contextmanager
def plain_moto(python: Path) -> Iterator[str]:
    """A moto server of its own; yields its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(python.with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with (WORK / "moto.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as it:
        try:
            _await_answer(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            it.terminate()


def _await_answer(endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def rehearsal_cloud() -> Iterator[str]:
    """A cloud of its own; yields its endpoint."""
    state = WORK / "cloud"
    _localcloud("up", state)
    try:
        yield str(json.loads((state / "ready.json").read_text())["endpoint"])
    finally:
        _localcloud("down", state)


def _localcloud(command: str, state: Path) -> None:
    words = [sys.executable, "-m", "localcloud", command, "--state-dir", str(state)]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def run(python: Path, source: Path, service: str, endpoint: str, name: str) -> dict[str, str]:
    """The outcomes of one service's tests against that endpoint."""
    report = WORK / f"{name}-{service}.xml"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_", "PYTHON"))},
        "PYTHONPATH": str(Path(__file__).parent),
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "server_key",
        "AWS_SECRET_ACCESS_KEY": "server_secret",
    }
    # Those marked so want the world, Docker from within moto's own process, or AWS.
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "isolation",
        "--timeout",
        str(SECONDS_PER_TEST),
    ]
    command += ["-m", "not network and not requires_docker", f"--junitxml={report}"]
    command += [f"tests/test_{service}/{part}" for part in PARTS.get(service, ("",))]
    with (WORK / f"{name}-{service}.log").open("w") as log:
        subprocess.run(command, cwd=source, env=environment, stdout=log, stderr=log, check=False)
    return outcomes_in(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("source", type=Path, help="moto's source, of the version that is installed here")
    parser.add_argument("--services", default=",".join(SERVICES), help="which tests (default: all)")
    parser.add_argument("--again", action="store_true", help="run plain moto anew")
    return parser.parse_args()


def _plain_outcomes(python: Path, source: Path, services: tuple[str, ...], again: bool) -> dict[str, str]:
    """Plain moto's outcomes are those of its version: each service runs once."""
    known = {service: WORK / f"plain-{service}.xml" for service in services}
    missing = [service for service, report in known.items() if again or not report.exists()]
    if missing:
        with plain_moto(python) as endpoint:
            for service in missing:
                _show(f"plain moto: {service}", run(python, source, service, endpoint, "plain"))
    return {test: outcome for report in known.values() for test, outcome in outcomes_in(report).items()}


def _show(title: str, outcomes: Outcomes) -> None:
    passed, skipped = (sum(outcome == kind for outcome in outcomes.values()) for kind in ("passed", "skipped"))
    print(f"{title}: {passed} passed, {skipped} skipped, {len(outcomes) - passed - skipped} failed", flush=True)  # noqa: T201


def main() -> int:
    """Run both, print how they differ."""
    arguments: Any = _arguments()
    services = tuple(arguments.services.split(","))
    source = arguments.source.resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    python = make_environment(check_source(source))
    plain = _plain_outcomes(python, source, services, arguments.again)
    ours: dict[str, str] = {}
    with rehearsal_cloud() as endpoint:
        for service in services:
            found = run(python, source, service, endpoint, "ours")
            _show(f"rehearsal cloud: {service}", found)
            ours |= found
    verdict = compare(plain, ours, read_differences(), services)
    for test, problem in verdict.unexplained.items():
        print(f"fails here alone: {test}\n    {problem}")  # noqa: T201
    for pattern in verdict.idle:
        print(f"listed, but nothing fails so here alone: {pattern}")  # noqa: T201
    print(  # noqa: T201
        f"{sum(outcome == 'passed' for outcome in plain.values())} pass against plain moto; {len(verdict.unexplained)} "
        f"of them fail here, and {verdict.explained} more that differences.yml explains"
    )
    return 0 if verdict.agrees else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
