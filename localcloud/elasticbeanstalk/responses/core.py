# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation of the API needs: moto's routing and serialization, parameters, pages."""

from __future__ import annotations

import re
import threading
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import OperationNotFoundError
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk import constraints
from localcloud.elasticbeanstalk.events import Subject
from localcloud.elasticbeanstalk.exceptions import (
    ElasticBeanstalkError,
    InvalidAction,
    InvalidParameterValue,
    MalformedInput,
    MissingRequiredParameter,
    ValidationError,
    not_ready,
    not_to_be_terminated,
)
from localcloud.elasticbeanstalk.lifecycle import Lifecycle
from localcloud.elasticbeanstalk.models import Beanstalk, Environment
from localcloud.elasticbeanstalk.operation import Operation
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.responses.pages import Item, page
from localcloud.elasticbeanstalk.retention import Quotas

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.responses.logs import Sample

REQUEST_ID = "<RequestId>request-id</RequestId>"
# The service writes times with milliseconds, moto with what Python has.
TIME = re.compile(r"(>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z<)")


class Services:
    """What the API works on: one Elastic Beanstalk per account and region."""

    def __init__(self, cloud: Cloud, lifecycle: Lifecycle) -> None:
        self.cloud = cloud
        self.lifecycle = lifecycle
        self._lock = threading.Lock()
        self._services: dict[tuple[str, str], Beanstalk] = {}
        self.samples: dict[str, list[Sample]] = {}
        self.quotas = Quotas()

    def of(self, account: str, region: str) -> Beanstalk:
        with self._lock:
            if (account, region) not in self._services:
                self._services[account, region] = Beanstalk(account, region, self.cloud.clock)
                self.lifecycle.add(self._services[account, region])
            return self._services[account, region]

    def environment_arn(self, region: str, name_or_id: str) -> str | None:
        """The ARN of the cloud's own account's living environment of this name or id."""
        for environment in self.of(self.cloud.account_id, region).environments(include_terminated=False):
            if name_or_id in (environment.name, environment.id):
                return environment.arn
        return None

    def forget(self) -> None:
        """Have no application, version or environment any more."""
        with self._lock:
            self._services.clear()
            self.samples.clear()
        self.lifecycle.forget()


class Core(BaseResponse):  # type: ignore[misc]
    """Operations are methods of its subclasses, found by moto by their names."""

    services: Services

    def __init__(self) -> None:
        super().__init__(service_name="elasticbeanstalk")
        self.automated_parameter_parsing = True
        self.request_id = str(uuid.uuid4())

    # -- moto -----------------------------------------------------------------------------------------------------

    def parse_parameters(self, request: Any) -> None:
        self.params: dict[str, Any] = {}
        self._refusal: ElasticBeanstalkError | None = None
        try:
            super().parse_parameters(request)
        except OperationNotFoundError:
            return
        except (ValueError, TypeError) as error:
            self._refusal = MalformedInput(f"The request is malformed: {error}.")
            return
        model = get_service_model(self.boto3_service_name).operation_model(self._get_action())
        words = constraints.violation(model.input_shape, self.params) if model.input_shape is not None else None
        self._refusal = ValidationError(words) if words is not None else None

    def call_action(self) -> TYPE_RESPONSE:
        """With the request id that events bear, and InvalidAction for what is not implemented."""
        with warnings.catch_warnings():
            # The service's codes are more than its model names.
            warnings.filterwarnings("ignore", category=UserWarning, module="moto")
            status, headers, body = self._answer()
        headers["x-amzn-requestid"] = self.request_id
        if isinstance(body, str):
            body = body.replace(REQUEST_ID, f"<RequestId>{self.request_id}</RequestId>")
            body = TIME.sub(lambda found: f"{found[1]}{(found[2] or '.')[:4]:0<4}{found[3]}", body)
        return status, headers, body

    def _answer(self) -> TYPE_RESPONSE:
        try:
            return super().call_action() if self._refusal is None else self._refuse(self._refusal)
        except NotImplementedError:
            return self._refuse(InvalidAction(self._get_action()))

    def _refuse(self, error: ElasticBeanstalkError) -> TYPE_RESPONSE:
        return self.serialized(ActionResult(error))

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

    def _begin(self, environment: Environment, abortable: bool) -> None:
        """Only a Ready environment accepts a change."""
        with self._service.lock:
            if environment.status != "Ready":
                raise not_ready(environment.name)
            environment.status, environment.abortable = "Updating", abortable

    def _refuse_unsupported(self, *names: str) -> None:
        for name in names:
            if self._get_param(name) is not None:
                raise InvalidParameterValue(f"The rehearsal cloud does not implement {name}.")

    def _storage_location(self) -> str:
        backend, name = s3_backends[self.current_account]["aws"], self._service.bucket
        if name not in backend.buckets:
            backend.create_bucket(name, self.region)
        return name

    def _terminate(self, environment: Environment, busy_too: bool = False) -> None:
        """:param busy_too: Whatever it is doing."""
        with self._service.lock:
            if environment.status == "Terminating" or (environment.status != "Ready" and not busy_too):
                raise not_to_be_terminated(environment.name)
            environment.abort.set()
            environment.status = "Terminating"
        self._lifecycle.terminate(self._operation(environment), self._service)

    def _page(
        self, items: Sequence[Item], key: Callable[[Item], str], largest: int | None
    ) -> tuple[Sequence[Item], dict[str, str]]:
        """The part that MaxRecords and NextToken ask for, with the token of the next.

        :param key: Names an item for good.
        :param largest: The page's size when none is asked for; None for all.
        """
        # What a token is good for: this list, with these filters.
        asked = {name: value for name, value in self.params.items() if name not in ("MaxRecords", "NextToken")}
        query = f"{self._get_action()} {sorted(asked.items(), key=str)}"
        found, token = page(items, key, query, self._get_param("NextToken"), self._get_param("MaxRecords") or largest)
        return found, {"NextToken": token} if token is not None else {}

    def _visible(self, created: datetime) -> bool:
        """Whether lists show by now what was created then: AWS's are consistent only after a while."""
        return (self._now() - created).total_seconds() >= self._cloud.latency.of("elasticbeanstalk.consistency")


def option_key(item: Mapping[str, str]) -> Key:
    return Key(item.get("Namespace", ""), item.get("OptionName", ""))


def listed(value: str | None) -> list[str]:
    return [] if value is None else [value]


def aware(moment: datetime | None) -> datetime | None:
    """Moto parses times without their zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
