# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CloudFront function, from what is wanted to what viewers get."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._cloudfront import api
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    UNKNOWN,
    FunctionObserved,
    FunctionWanted,
)
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.planner import (
    function_code,
    function_config,
    plan_function,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step


@dataclass
class FunctionManager:
    """Reads, plans and changes one function. ``future_arn`` foretells the ARN of a function that does not exist."""

    client: Any
    wanted: FunctionWanted
    future_arn: Callable[[], str]
    _etag: str = field(default="", init=False)

    def read(self) -> FunctionObserved | None:
        """The function as it is, in both stages."""
        with attempting(f"read the CloudFront function {self.wanted.name}"):
            return api.find_function(self.client, self.wanted.name)

    def plan(self, observed: FunctionObserved | None) -> Plan:
        """The steps to what is wanted."""
        return plan_function(self.wanted, observed)

    def apply(self, plan: Plan, observed: FunctionObserved | None) -> None:
        """Carry out the steps."""
        self._etag = observed.etag if observed else ""
        for step in plan:
            with attempting(f"{step.op} the CloudFront function {self.wanted.name}"):
                self._apply(step, observed)

    def _apply(self, step: Step, observed: FunctionObserved | None) -> None:
        config, code = function_config(self.wanted, observed), function_code(self.wanted, observed)
        if step.op == "create":
            self._etag = api.create_function(self.client, self.wanted.name, config, code)
        elif step.op == "update":
            self._etag = api.update_function(self.client, self.wanted.name, self._etag, config, code)
        elif step.op == "publish":
            api.publish_function(self.client, self.wanted.name, self._etag)
        elif step.op == "delete":
            api.delete_function(self.client, self.wanted.name, self._etag)

    def project(self, observed: FunctionObserved | None, plan: Plan) -> FunctionObserved | None:
        """The function as it would be."""
        if not self.wanted.present:
            return None
        config, code = function_config(self.wanted, observed), function_code(self.wanted, observed)
        arn = observed.arn if observed else self.future_arn()
        return FunctionObserved(self.wanted.name, arn, UNKNOWN, code, config, code, config)

    def view(self, observed: FunctionObserved | None) -> dict[str, Any]:
        """The function as result and diff show it; empty where there is none."""
        if observed is None:
            return {}
        live = observed.live_code
        return {
            "arn": observed.arn,
            "code": observed.code.decode("utf-8", "replace"),
            "comment": observed.config.get("Comment", ""),
            "etag": observed.etag,
            "live_code_sha256": hashlib.sha256(live).hexdigest() if live is not None else "",
            "name": observed.name,
            "runtime": observed.config.get("Runtime", ""),
            "stage": "LIVE" if live is not None else "DEVELOPMENT",
        }


def future_function_arn(sts: Any, name: str) -> str:
    """The ARN that a function of this name gets in the caller's account."""
    with attempting("ask which AWS account this is"):
        identity = sts.get_caller_identity(aws_retry=True)
    partition = identity["Arn"].split(":")[1]
    return f"arn:{partition}:cloudfront::{identity['Account']}:function/{name}"
