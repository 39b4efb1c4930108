# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation of the API needs: moto's routing and serialization, parameters, pages."""

from __future__ import annotations

import threading
import uuid
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk.events import Subject
from localcloud.elasticbeanstalk.exceptions import (
    InvalidAction,
    InvalidParameterValue,
    MissingRequiredParameter,
    not_ready,
)
from localcloud.elasticbeanstalk.lifecycle import Lifecycle, Operation
from localcloud.elasticbeanstalk.models import Beanstalk, Environment, Status
from localcloud.elasticbeanstalk.options import Key

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

REQUEST_ID = "<RequestId>request-id</RequestId>"


class Services:
    """What the API works on: one Elastic Beanstalk per account and region."""

    def __init__(self, cloud: Cloud, lifecycle: Lifecycle) -> None:
        self.cloud = cloud
        self.lifecycle = lifecycle
        self._lock = threading.Lock()
        self._services: dict[tuple[str, str], Beanstalk] = {}
        self.information: dict[str, list[dict[str, Any]]] = {}

    def of(self, account: str, region: str) -> Beanstalk:
        with self._lock:
            if (account, region) not in self._services:
                self._services[account, region] = Beanstalk(account, region, self.cloud.clock)
                self.lifecycle.add(self._services[account, region])
            return self._services[account, region]


class Core(BaseResponse):  # type: ignore[misc]
    """Operations are methods of its subclasses, found by moto by their names."""

    services: Services

    def __init__(self) -> None:
        super().__init__(service_name="elasticbeanstalk")
        self.automated_parameter_parsing = True
        self.request_id = str(uuid.uuid4())

    # -- moto -----------------------------------------------------------------------------------------------------

    def parse_parameters(self, request: Any) -> None:
        try:
            super().parse_parameters(request)
        except OperationNotFoundError:
            self.params: dict[str, Any] = {}

    def call_action(self) -> TYPE_RESPONSE:
        """With the request id that events bear, and InvalidAction for what is not implemented."""
        with warnings.catch_warnings():
            # The service's codes are more than its model names.
            warnings.filterwarnings("ignore", category=UserWarning, module="moto")
            try:
                status, headers, body = super().call_action()
            except NotImplementedError:
                status, headers, body = self.serialized(ActionResult(InvalidAction(self._get_action())))
        headers["x-amzn-requestid"] = self.request_id
        if isinstance(body, str):
            body = body.replace(REQUEST_ID, f"<RequestId>{self.request_id}</RequestId>")
        return status, headers, body

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        # Moto's own replaces all text between the first and the last RequestId: events would be lost.
        if "status" in headers:
            headers["status"] = str(headers["status"])
        return headers, body

    @property
    def _service(self) -> Beanstalk:
        return self.services.of(self.current_account, self.region)

    @property
    def _cloud(self) -> Cloud:
        return self.services.cloud

    @property
    def _lifecycle(self) -> Lifecycle:
        return self.services.lifecycle

    def _needed(self, name: str) -> Any:
        value = self._get_param(name)
        if value is None:
            raise MissingRequiredParameter(f"Required parameter {name} is missing.")
        return value

    def _now(self) -> datetime:
        return self._cloud.clock.now()

    def _say(self, application: str, message: str, label: str | None = None) -> None:
        self._service.events.add(Subject(application, version_label=label, request_id=self.request_id), "INFO", message)

    def _operation(self, environment: Environment) -> Operation:
        return Operation(self._service, environment, self.request_id)

    def _environment(self) -> Environment:
        name, identifier = self._get_param("EnvironmentName"), self._get_param("EnvironmentId")
        if name is None and identifier is None:
            raise MissingRequiredParameter("Either EnvironmentId or EnvironmentName must be specified.")
        return self._service.environment(name, identifier)

    def _begin(self, environment: Environment, status: Status) -> None:
        """Only a Ready environment accepts a change."""
        with self._service.lock:
            if environment.status != "Ready":
                raise not_ready(environment.name)
            environment.status = status
            environment.abortable = status == "Updating"

    def _refuse_unsupported(self, *names: str) -> None:
        for name in names:
            if self._get_param(name) is not None:
                raise InvalidParameterValue(f"The rehearsal cloud does not implement {name}.")

    def _storage_location(self) -> str:
        backend, name = s3_backends[self.current_account]["aws"], self._service.bucket
        if name not in backend.buckets:
            backend.create_bucket(name, self.region)
        return name

    def _object(self, bucket: str, key: str) -> bytes:
        try:
            found = s3_backends[self.current_account]["aws"].get_object(bucket, key)
        except ServiceException:
            found = None
        if found is None:
            raise InvalidParameterValue(
                f"Unable to download from S3 location (Bucket: {bucket}  Key: {key}). Reason: Not Found"
            )
        return bytes(found.value)

    def _terminate(self, environment: Environment) -> None:
        if environment.status == "Terminating":
            raise not_ready(environment.name)
        if environment.status != "Ready" and not self._get_param("ForceTerminate"):
            raise not_ready(environment.name)
        environment.abort.set()
        environment.status = "Terminating"
        self._lifecycle.terminate(self._operation(environment), self._service)

    def _page(self, items: list[Any], largest: int) -> tuple[list[Any], dict[str, str]]:
        """The part that MaxRecords and NextToken ask for, and the token of the next; a token is a position."""
        token = self._get_param("NextToken") or "0"
        if not token.isdecimal():
            raise InvalidParameterValue("Invalid NextToken.")
        size = min(self._get_param("MaxRecords") or largest, largest)
        end = int(token) + size
        return items[int(token) : end], {"NextToken": str(end)} if end < len(items) else {}


def option_key(item: Mapping[str, str]) -> Key:
    return Key(item.get("Namespace", ""), item.get("OptionName", ""))


def tags_of(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {item["Key"]: item.get("Value", "") for item in items or []}


def listed(value: str | None) -> list[str]:
    return [] if value is None else [value]


def aware(moment: datetime | None) -> datetime | None:
    """Moto parses times without their zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
