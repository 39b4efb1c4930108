# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the rehearsal cloud bears a full journal and many environments, each against an empty one in the same run.

python benchmarks/cloud.py
"""

from __future__ import annotations

import io
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CALLS = 10_000
ENVIRONMENTS = 200
SAMPLES = 100
APPLICATION = "many"


def main() -> None:
    """Measure, and print a row for each measure."""
    print("| measure | empty | full | ratio |\n|---|---|---|---|")  # noqa: T201
    with tempfile.TemporaryDirectory() as directory:
        measure_start_and_journal(Path(directory) / "state")
    measure_environments()


def measure_start_and_journal(state: Path) -> None:
    """A started cloud: until its first answer, and with 10,000 entries in its journal."""
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", "import moto.server, moto.ec2"], check=True))
    started = time.monotonic()
    localcloud(state, "up")
    try:
        endpoint = json.loads((state / "ready.json").read_text())["endpoint"]
        sts = client("sts", endpoint)
        sts.get_caller_identity()
        tell("`up` to the first answer, against `import moto.server, moto.ec2`", bare, time.monotonic() - started)
        empty = typical(sts.get_caller_identity), typical(lambda: fetch(f"{endpoint}/_localcloud/journal?after=1"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: sts.get_caller_identity(), range(CALLS)))
        last = f"{endpoint}/_localcloud/journal?after={CALLS + 1}"
        full = typical(sts.get_caller_identity), typical(lambda: fetch(last))
        tell(f"a call, with {CALLS:,} entries in the journal", empty[0], full[0])
        tell(f"the last entries of the journal, with {CALLS:,} before them", empty[1], full[1])
    finally:
        localcloud(state, "down")


def measure_environments() -> None:
    """Elastic Beanstalk's API with one environment and with 200, in this process and without containers."""
    with beanstalk() as (endpoint, status):
        eb = client("elasticbeanstalk", endpoint)
        release(eb, client("s3", endpoint))
        create(eb, "first")
        measures: dict[str, Callable[[], object]] = {
            "DescribeEnvironments, one by name": lambda: eb.describe_environments(EnvironmentNames=["first"]),
            "DescribeEvents, one environment's newest": lambda: eb.describe_events(
                EnvironmentName="first", MaxRecords=10
            ),
            "DescribeEnvironmentHealth": lambda: eb.describe_environment_health(
                EnvironmentName="first", AttributeNames=["All"]
            ),
            "ValidateConfigurationSettings": lambda: eb.validate_configuration_settings(
                ApplicationName=APPLICATION, EnvironmentName="first", OptionSettings=[]
            ),
        }
        alone = typical(status)
        empty = {name: typical(measure) for name, measure in measures.items()}
        for number in range(1, ENVIRONMENTS):
            create(eb, f"more-{number}")
        for name, measure in measures.items():
            tell(f"{name}, of {ENVIRONMENTS} environments", empty[name], typical(measure))
        tell(f"the status, for each of {ENVIRONMENTS} environments", alone, typical(status) / ENVIRONMENTS)


def release(eb: Any, s3: Any) -> None:
    """An application with a version of one container."""
    container = {"name": "web", "image": "nobody/runs:1", "memory": 128}
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr(
            "Dockerrun.aws.json", json.dumps({"AWSEBDockerrunVersion": 2, "containerDefinitions": [container]})
        )
    bucket = eb.create_storage_location()["S3Bucket"]
    s3.put_object(Bucket=bucket, Key="bundle.zip", Body=bundle.getvalue())
    eb.create_application_version(
        ApplicationName=APPLICATION,
        VersionLabel=APPLICATION,
        SourceBundle={"S3Bucket": bucket, "S3Key": "bundle.zip"},
        AutoCreateApplication=True,
    )


def create(eb: Any, name: str) -> None:
    """One more environment."""
    stack = next(stack for stack in eb.list_available_solution_stacks()["SolutionStacks"] if "ECS" in stack)
    enhanced = {
        "Namespace": "aws:elasticbeanstalk:healthreporting:system",
        "OptionName": "SystemType",
        "Value": "enhanced",
    }
    eb.create_environment(
        ApplicationName=APPLICATION,
        EnvironmentName=name,
        SolutionStackName=stack,
        VersionLabel=APPLICATION,
        OptionSettings=[enhanced],
    )


@contextmanager
def beanstalk() -> Iterator[tuple[str, Callable[[], object]]]:
    """The API, with environments that are Ready at once and have no instances; and what makes the status."""
    from moto.server import ThreadedMotoServer

    from localcloud.clock import MovableClock
    from localcloud.elasticbeanstalk import service
    from localcloud.elasticbeanstalk.lifecycle import Lifecycle
    from localcloud.elasticbeanstalk.responses import Services
    from localcloud.latency import Latency

    class Standing(Lifecycle):
        def create(self, operation: Any, service: Any) -> None:
            operation.environment.status = "Ready"
            for line in range(20):
                operation.say("INFO", f"line {line}")

    nothing: Any = None
    cloud: Any = SimpleNamespace(clock=MovableClock(), latency=Latency(), account_id="123456789012")
    lifecycle = Standing(cloud, nothing, nothing)
    service._hook(Services(cloud, lifecycle))
    lifecycle.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}", lambda: (service.status(lifecycle), service.recent_events(lifecycle))
    finally:
        lifecycle.stop()
        server.stop()


def localcloud(state: Path, command: str) -> None:
    """Run a command of the cloud in this directory."""
    words = [sys.executable, "-m", "localcloud", command, "--state-dir", str(state)]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def client(service: str, endpoint: str) -> Any:
    """A client of the cloud."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-west-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing-secret",  # noqa: S106
    )


def fetch(url: str) -> bytes:
    """The page."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        found: bytes = answer.read()
    return found


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def typical(work: Callable[[], object]) -> float:
    """The median of many."""
    return statistics.median(seconds(work) for _ in range(SAMPLES))


def tell(measure: str, empty: float, full: float) -> None:
    """Print a row."""
    print(f"| {measure} | {empty * 1000:.2f} ms | {full * 1000:.2f} ms | {full / empty:.2f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
