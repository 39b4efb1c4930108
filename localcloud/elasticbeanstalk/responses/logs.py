# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs on demand: collected into the storage location, and gone from there after a quarter of an hour."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue
from localcloud.elasticbeanstalk.models import Environment
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.responses.core import Core

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.instance import Instance

TAIL_LINES = 100
KEPT_SECONDS = 900
# What it is called in events, and in the storage location.
KINDS = {"tail": ("tailing", "TailLogs-{}.txt"), "bundle": ("bundling", "BundleLogs-{}.zip")}


@dataclass(frozen=True)
class Sample:
    """One instance's logs in the storage location; `link` opens without credentials."""

    kind: str
    instance_id: str
    time: datetime
    key: str
    link: str


class Logs(Core):
    """Tails and bundles of the instances' logs."""

    def request_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        if kind not in KINDS:
            raise InvalidParameterValue(f"The rehearsal cloud does not implement InfoType {kind}.")
        operation = self._operation(environment)
        operation.say("INFO", "requestEnvironmentInfo is starting.")
        threading.Thread(target=self._pull, args=(operation, kind, self._storage_location()), daemon=True).start()
        return EmptyResult()

    def _pull(self, operation: Operation, kind: str, bucket: str) -> None:
        self._cloud.clock.wait(self._cloud.latency.of("elasticbeanstalk.logs"))
        environment = operation.environment
        if not environment.instances:
            operation.say("ERROR", "Failed to pull logs for environment instances.")
            return
        for instance in list(environment.instances):
            files = instance.log_files()
            self._keep(environment, instance, kind, bucket, _tail(files) if kind == "tail" else _bundle(files))
            operation.say(
                "INFO", f"[Instance: {instance.id}] Successfully finished {KINDS[kind][0]} {len(files)} log(s)"
            )
        operation.say("INFO", "Pulled logs for environment instances.")
        self._cloud.clock.wait(KEPT_SECONDS)
        self._forget(environment, bucket)

    def _keep(self, environment: Environment, instance: Instance, kind: str, bucket: str, content: bytes) -> None:
        now = self._now()
        name = KINDS[kind][1].format(int(now.timestamp()))
        key = f"resources/environments/logs/{kind}/{environment.id}/{instance.id}/{name}"
        s3_backends[self.current_account]["aws"].put_object(bucket, key, content)
        sample = Sample(kind, instance.id, now, key, self._link(bucket, key))
        with self._service.lock:
            self.services.samples.setdefault(environment.id, []).append(sample)

    def _link(self, bucket: str, key: str) -> str:
        client: Any = boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self._cloud.endpoint,
            aws_access_key_id="instance",
            aws_secret_access_key="instance",  # noqa: S106 - the rehearsal cloud does not check signatures
            config=Config(s3={"addressing_style": "path"}),
        )
        return str(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, KEPT_SECONDS))

    def _forget(self, environment: Environment, bucket: str) -> None:
        """Delete what has been there long enough."""
        now = self._now()
        with self._service.lock:
            samples = self.services.samples.get(environment.id, [])
            old = [sample for sample in samples if (now - sample.time).total_seconds() >= KEPT_SECONDS]
            self.services.samples[environment.id] = [sample for sample in samples if sample not in old]
        for sample in old:
            s3_backends[self.current_account]["aws"].delete_object(bucket, sample.key)

    def retrieve_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        samples = [sample for sample in self.services.samples.get(environment.id, []) if sample.kind == kind]
        newest = {sample.instance_id: sample for sample in samples}
        return ActionResult({"EnvironmentInfo": [_described(sample) for sample in newest.values()]})


def _described(sample: Sample) -> dict[str, Any]:
    return {
        "InfoType": sample.kind,
        "Ec2InstanceId": sample.instance_id,
        "SampleTimestamp": sample.time,
        "Message": sample.link,
    }


def _tail(files: Mapping[str, Sequence[str]]) -> bytes:
    """The ends of all files, each under its name."""
    rule = "-" * 40
    parts = ["\n".join([rule, f"/var/log/{name}", rule, *files[name][-TAIL_LINES:], ""]) for name in sorted(files)]
    return "\n".join(parts).encode()


def _bundle(files: Mapping[str, Sequence[str]]) -> bytes:
    """All files whole, in a zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in sorted(files):
            opened.writestr(f"var/log/{name}", "".join(f"{line}\n" for line in files[name]))
    return archive.getvalue()
