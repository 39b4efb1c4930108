# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that look at environments: events, health, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk import views
from localcloud.elasticbeanstalk.events import Query
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue, InvalidRequest
from localcloud.elasticbeanstalk.models import Environment
from localcloud.elasticbeanstalk.responses.core import Core, aware

if TYPE_CHECKING:
    from localcloud.elasticbeanstalk.instance import Instance

TAIL_LINES = 100
BUNDLE_LINES = 100_000
LINK_SECONDS = 900


class Observation(Core):
    """Events, health, and logs on demand."""

    def describe_events(self) -> ActionResult:
        self._refuse_unsupported("TemplateName")
        query = Query(
            application=self._get_param("ApplicationName"),
            environment=self._get_param("EnvironmentName"),
            environment_id=self._get_param("EnvironmentId"),
            version_label=self._get_param("VersionLabel"),
            request_id=self._get_param("RequestId"),
            severity=self._get_param("Severity"),
            start=aware(self._get_param("StartTime")),
            end=aware(self._get_param("EndTime")),
        )
        page, token = self._page(self._service.events.find(query), 1000)
        return ActionResult({"Events": [views.event(item) for item in page], **token})

    def describe_environment_health(self) -> ActionResult:
        environment = self._enhanced("DescribeEnvironmentHealth")
        return ActionResult(views.environment_health(environment, set(self._get_param("AttributeNames") or [])))

    def describe_instances_health(self) -> ActionResult:
        environment = self._enhanced("DescribeInstancesHealth")
        found = views.instances_health(environment, set(self._get_param("AttributeNames") or []))
        return ActionResult({"InstanceHealthList": found, "RefreshedAt": environment.health_time})

    def _enhanced(self, operation: str) -> Environment:
        environment = self._environment()
        if not environment.enhanced:
            raise InvalidRequest(f"{operation} is not supported.")
        return environment

    # -- logs on demand -------------------------------------------------------------------------------------------

    def request_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        if kind not in ("tail", "bundle"):
            raise InvalidParameterValue(f"The rehearsal cloud does not implement InfoType {kind}.")
        operation = self._operation(environment)
        operation.say("INFO", "requestEnvironmentInfo is starting.")
        if not environment.instances:
            operation.say("ERROR", "Failed to pull logs for environment instances.")
            return EmptyResult()
        for instance in list(environment.instances):
            text = instance.tail(TAIL_LINES if kind == "tail" else BUNDLE_LINES)
            self._keep_information(environment, instance, kind, text)
            count = len(instance.containers())
            word = "tailing" if kind == "tail" else "bundling"
            operation.say("INFO", f"[Instance: {instance.id}] Successfully finished {word} {count} log(s)")
        operation.say("INFO", "Pulled logs for environment instances.")
        return EmptyResult()

    def _keep_information(self, environment: Environment, instance: Instance, kind: str, text: str) -> None:
        now = self._now()
        key = f"resources/environments/logs/{kind}/{environment.id}/{instance.id}/TailLogs-{int(now.timestamp())}.txt"
        bucket = self._storage_location()
        s3_backends[self.current_account]["aws"].put_object(bucket, key, text.encode())
        entry = {
            "InfoType": kind,
            "Ec2InstanceId": instance.id,
            "SampleTimestamp": now,
            "Message": self._link(bucket, key),
        }
        self.services.information.setdefault(environment.id, []).insert(0, entry)

    def _link(self, bucket: str, key: str) -> str:
        client: Any = boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self._cloud.endpoint,
            aws_access_key_id="instance",
            aws_secret_access_key="instance",  # noqa: S106 - the rehearsal cloud does not check signatures
            config=Config(s3={"addressing_style": "path"}),
        )
        return str(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, LINK_SECONDS))

    def retrieve_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        entries = [item for item in self.services.information.get(environment.id, []) if item["InfoType"] == kind]
        newest = {item["Ec2InstanceId"]: item for item in reversed(entries)}
        return ActionResult({"EnvironmentInfo": list(newest.values())})
