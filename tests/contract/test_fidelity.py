# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What localcloud/FIDELITY.md calls absent, and what nobody implements, is refused in the service's own protocol."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from tests.support.fidelity import RESPONSES, answered_by, operations, tables

TABLES = tables()


def refused(service: str) -> list[str]:
    """The operations that the running cloud must refuse."""
    answered = {*answered_by(service, "localcloud"), *answered_by(service, "moto")}
    named = operations(TABLES[service], "absent")
    return sorted({*named, *(set(get_service_model(service).operation_names) - answered)})


def minimal(shape: Any) -> Any:
    """A value of that shape with what a call cannot do without."""
    least = int(shape.metadata.get("min", 0))
    if shape.type_name == "structure":
        # An empty one would not be sent at all.
        names = shape.required_members or list(shape.members)[:1]
        return {name: minimal(shape.members[name]) for name in names}
    if shape.type_name == "list":
        return [minimal(shape.member)] * least
    if shape.type_name == "map":
        return {}
    if shape.type_name == "timestamp":
        return "2026-01-01T00:00:00Z"
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "x" * max(least, 1)
    return {"boolean": False, "blob": b""}.get(shape.type_name, max(least, 1))


@pytest.mark.parametrize("service", RESPONSES)
def test_what_is_absent_answers_invalid_action(localcloud: Any, service: str) -> None:
    client = boto3.client(
        service,
        region_name="us-west-2",
        endpoint_url=localcloud.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )
    methods = {operation: name for name, operation in client.meta.method_to_api_mapping.items()}
    others = {}
    for operation in refused(service):
        shape = client.meta.service_model.operation_model(operation).input_shape
        try:
            given = {name: minimal(shape.members[name]) for name in shape.required_members} if shape is not None else {}
            getattr(client, methods[operation])(**given)
            others[operation] = "answered"
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidAction":
                others[operation] = str(error)
    assert others == {}


def test_there_is_something_to_refuse() -> None:
    assert "ListStreamingDistributions" in refused("cloudfront")
