# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudFront API: one method per operation, here or of moto; what has none is refused with InvalidAction."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

import moto.cloudfront.responses as moto_responses
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse, EmptyResult
from moto.core.utils import camelcase_to_underscores, get_service_model

from localcloud.cloudfront.exceptions import CloudFrontError, invalid_argument
from localcloud.cloudfront.headers import ResponseHeadersPolicy
from localcloud.cloudfront.models import CloudFrontBackend, cloudfront_backends
from localcloud.cloudfront.policies import CACHE_POLICIES, ORIGIN_REQUEST_POLICIES, CachePolicy, OriginRequestPolicy
from localcloud.cloudfront.resources import API_ROOT, Function, runtime

NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
Policy = CachePolicy | OriginRequestPolicy


class Route(NamedTuple):
    """How one operation is called."""

    method: str
    path: re.Pattern[str]
    flags: frozenset[tuple[str, str]]
    operation: str


@lru_cache(maxsize=1)
def routes() -> tuple[Route, ...]:
    """All operations of botocore's model, those with query flags (`WithTags`, `Operation=Tag`) first."""
    model = get_service_model("cloudfront")
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)\\?\+?\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        flags = frozenset((key, value) for key, _, value in (part.partition("=") for part in query.split("&") if part))
        found.append(Route(http["method"], re.compile(pattern + "/?$"), flags, name))
    return tuple(sorted(found, key=lambda route: -len(route.flags)))


class CloudFrontResponse(moto_responses.CloudFrontResponse):  # type: ignore[misc]
    """Answers one request."""

    @property
    def backend(self) -> CloudFrontBackend:
        backend: CloudFrontBackend = cloudfront_backends[self.current_account]["aws"]
        return backend

    def _get_action(self) -> str:
        query = parse_qs(self.parsed_url.query, keep_blank_values=True)
        given = {(key, value) for key, values in query.items() for value in values}
        for route in routes():
            match = route.path.match(self.parsed_url.path)
            if match and route.method == self.method and route.flags <= given:
                self.uri_match = {key: unquote(value) for key, value in match.groupdict().items()}
                return route.operation
        return ""

    def call_action(self) -> TYPE_RESPONSE:
        operation = self._get_action()
        try:
            method = getattr(self, camelcase_to_underscores(operation), None) if operation else None
            if method is None:
                name = operation or f"{self.method} {self.parsed_url.path}"
                raise CloudFrontError("InvalidAction", f"The rehearsal cloud's CloudFront does not implement {name}.")
            return super().call_action()
        except CloudFrontError as error:
            return _error_response(error)

    # Distributions

    def create_distribution(self) -> ActionResult:
        return self._created(self._get_param("DistributionConfig", {}), [])

    def create_distribution_with_tags(self) -> ActionResult:
        config = self._get_param("DistributionConfigWithTags.DistributionConfig", {})
        return self._created(config, self._get_param("DistributionConfigWithTags.Tags.Items", []) or [])

    def _created(self, config: dict[str, Any], tags: list[dict[str, str]]) -> ActionResult:
        distribution = self.backend.create_distribution(config, tags)
        return self._distribution_result(distribution.id, with_location=True)

    def _distribution_result(self, identifier: str, with_location: bool = False) -> ActionResult:
        distribution = self.backend.distribution(identifier)
        result = {"Distribution": distribution.to_api(runtime().clock()), "ETag": distribution.etag}
        if with_location:
            result["Location"] = distribution.location
        return ActionResult(result)

    def get_distribution(self) -> ActionResult:
        return self._distribution_result(self._get_param("Id"))

    def get_distribution_config(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("Id"))
        return ActionResult({"DistributionConfig": distribution.config, "ETag": distribution.etag})

    def update_distribution(self) -> ActionResult:
        distribution = self.backend.update_distribution(
            self._get_param("Id"), self._get_param("DistributionConfig", {}), self._get_param("IfMatch")
        )
        return self._distribution_result(distribution.id)

    def delete_distribution(self) -> ActionResult:
        self.backend.delete_distribution(self._get_param("Id"), self._get_param("IfMatch"))
        return EmptyResult()

    def list_distributions(self) -> ActionResult:
        now = runtime().clock()
        items = {item.id: item.summary(now) for item in self.backend.distributions.values()}
        return ActionResult({"DistributionList": self._page(items)})

    # Invalidations

    def create_invalidation(self) -> ActionResult:
        identifier = self._get_param("DistributionId")
        paths = self._get_param("InvalidationBatch.Paths", {}) or {}
        items = paths.get("Items") or []
        if paths.get("Quantity") != len(items):
            raise CloudFrontError(
                "InconsistentQuantities", "The value of Quantity and the size of Items do not match in Paths."
            )
        reference = self._get_param("InvalidationBatch.CallerReference")
        invalidation = self.backend.create_invalidation(identifier, items, reference)
        location = f"{self.backend.distribution(identifier).location}/invalidation/{invalidation.id}"
        return ActionResult({"Invalidation": invalidation.to_api(runtime().clock()), "Location": location})

    def get_invalidation(self) -> ActionResult:
        invalidation = self.backend.invalidation(self._get_param("DistributionId"), self._get_param("Id"))
        return ActionResult({"Invalidation": invalidation.to_api(runtime().clock())})

    def list_invalidations(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("DistributionId"))
        now = runtime().clock()
        items = {item.id: item.summary(now) for item in reversed(distribution.invalidations)}
        return ActionResult({"InvalidationList": self._page(items)})

    # Origin access controls

    def create_origin_access_control(self) -> ActionResult:
        control = self.backend.create_access_control(self._get_param("OriginAccessControlConfig", {}))
        location = f"{API_ROOT}/origin-access-control/{control.id}"
        return ActionResult({"OriginAccessControl": control.to_api(), "ETag": control.etag, "Location": location})

    def get_origin_access_control(self) -> ActionResult:
        control = self.backend.access_control(self._get_param("Id"))
        return ActionResult({"OriginAccessControl": control.to_api(), "ETag": control.etag})

    def get_origin_access_control_config(self) -> ActionResult:
        control = self.backend.access_control(self._get_param("Id"))
        return ActionResult({"OriginAccessControlConfig": control.config, "ETag": control.etag})

    def update_origin_access_control(self) -> ActionResult:
        control = self.backend.update_access_control(
            self._get_param("Id"), self._get_param("OriginAccessControlConfig", {}), self._get_param("IfMatch")
        )
        return ActionResult({"OriginAccessControl": control.to_api(), "ETag": control.etag})

    def delete_origin_access_control(self) -> ActionResult:
        self.backend.delete_access_control(self._get_param("Id"), self._get_param("IfMatch"))
        return EmptyResult()

    def list_origin_access_controls(self) -> ActionResult:
        items = {control.id: control.summary() for control in self.backend.access_controls.values()}
        return ActionResult({"OriginAccessControlList": self._page(items)})

    # Functions

    def create_function(self) -> ActionResult:
        function = self.backend.create_function(
            self._get_param("Name"),
            self._get_param("FunctionConfig", {}),
            self._get_param("FunctionCode"),
            self._get_param("Tags.Items", []) or [],
        )
        location = f"{API_ROOT}/function/{function.name}"
        return ActionResult(self._function_result(function, "DEVELOPMENT") | {"Location": location})

    def _function_result(self, function: Function, stage: str) -> dict[str, Any]:
        summary = function.summary(stage, self.backend.is_associated(function.arn))
        return {"FunctionSummary": summary, "ETag": function.version(stage).etag}

    def describe_function(self) -> ActionResult:
        function = self.backend.function(self._get_param("Name"))
        return ActionResult(self._function_result(function, self._get_param("Stage") or "DEVELOPMENT"))

    def get_function(self) -> TYPE_RESPONSE:
        version = self.backend.function(self._get_param("Name")).version(self._get_param("Stage") or "DEVELOPMENT")
        return 200, {"ETag": version.etag, "Content-Type": "application/octet-stream"}, version.code

    def update_function(self) -> ActionResult:
        function = self.backend.update_function(
            self._get_param("Name"),
            self._get_param("FunctionConfig", {}),
            self._get_param("FunctionCode"),
            self._get_param("IfMatch"),
        )
        return ActionResult(self._function_result(function, "DEVELOPMENT"))

    def publish_function(self) -> ActionResult:
        function = self.backend.publish_function(self._get_param("Name"), self._get_param("IfMatch"))
        return ActionResult({"FunctionSummary": self._function_result(function, "LIVE")["FunctionSummary"]})

    def test_function(self) -> ActionResult:
        name, stage = self._get_param("Name"), self._get_param("Stage") or "DEVELOPMENT"
        trial = self.backend.try_function(name, stage, self._get_param("EventObject"), self._get_param("IfMatch"))
        function = self.backend.function(name)
        summary = self._function_result(function, stage)["FunctionSummary"]
        return ActionResult({"TestResult": {"FunctionSummary": summary, **trial}})

    def delete_function(self) -> ActionResult:
        self.backend.delete_function(self._get_param("Name"), self._get_param("IfMatch"))
        return EmptyResult()

    def list_functions(self) -> ActionResult:
        wanted = self._get_param("Stage")
        items = {
            f"{function.name}/{stage}": function.summary(stage, self.backend.is_associated(function.arn))
            for function in self.backend.functions.values()
            for stage in ("DEVELOPMENT", "LIVE")
            if wanted in (None, stage) and (stage == "DEVELOPMENT" or function.live is not None)
        }
        return ActionResult({"FunctionList": self._page(items)})

    # Policies

    def list_cache_policies(self) -> ActionResult:
        return ActionResult({"CachePolicyList": self._policies(CACHE_POLICIES, "CachePolicy")})

    def get_cache_policy(self) -> ActionResult:
        policy = self._policy(CACHE_POLICIES, "NoSuchCachePolicy")
        return ActionResult({"CachePolicy": policy.to_api(), "ETag": policy.etag})

    def get_cache_policy_config(self) -> ActionResult:
        policy = self._policy(CACHE_POLICIES, "NoSuchCachePolicy")
        return ActionResult({"CachePolicyConfig": policy.config(), "ETag": policy.etag})

    def list_origin_request_policies(self) -> ActionResult:
        return ActionResult({"OriginRequestPolicyList": self._policies(ORIGIN_REQUEST_POLICIES, "OriginRequestPolicy")})

    def get_origin_request_policy(self) -> ActionResult:
        policy = self._policy(ORIGIN_REQUEST_POLICIES, "NoSuchOriginRequestPolicy")
        return ActionResult({"OriginRequestPolicy": policy.to_api(), "ETag": policy.etag})

    def get_origin_request_policy_config(self) -> ActionResult:
        policy = self._policy(ORIGIN_REQUEST_POLICIES, "NoSuchOriginRequestPolicy")
        return ActionResult({"OriginRequestPolicyConfig": policy.config(), "ETag": policy.etag})

    def _policies(self, known: dict[str, Any], key: str) -> dict[str, Any]:
        kept = {} if self._get_param("Type") == "custom" else known
        return self._page({policy.id: {"Type": "managed", key: policy.to_api()} for policy in kept.values()})

    def _policy(self, known: dict[str, Any], code: str) -> Policy:
        wanted = self._get_param("Id")
        if wanted not in known:
            raise CloudFrontError(code, f"The policy {wanted} does not exist.", 404)
        policy: Policy = known[wanted]
        return policy

    def create_response_headers_policy(self) -> ActionResult:
        policy = self.backend.response_headers_policies.create(self._get_param("ResponseHeadersPolicyConfig", {}))
        location = f"{API_ROOT}/response-headers-policy/{policy.id}"
        return _headers_policy(policy, Location=location)

    def get_response_headers_policy(self) -> ActionResult:
        return _headers_policy(self.backend.response_headers_policies.get(self._get_param("Id")))

    def get_response_headers_policy_config(self) -> ActionResult:
        policy = self.backend.response_headers_policies.get(self._get_param("Id"))
        return ActionResult({"ResponseHeadersPolicyConfig": policy.config, "ETag": policy.etag})

    def update_response_headers_policy(self) -> ActionResult:
        policy = self.backend.response_headers_policies.update(
            self._get_param("Id"), self._get_param("ResponseHeadersPolicyConfig", {}), self._get_param("IfMatch")
        )
        return _headers_policy(policy)

    def delete_response_headers_policy(self) -> ActionResult:
        self.backend.response_headers_policies.delete(self._get_param("Id"), self._get_param("IfMatch"))
        return EmptyResult()

    def list_response_headers_policies(self) -> ActionResult:
        known = self.backend.response_headers_policies.all(self._get_param("Type"))
        items = {
            policy.id: {"Type": "managed" if policy.managed else "custom", "ResponseHeadersPolicy": policy.to_api()}
            for policy in known.values()
        }
        return ActionResult({"ResponseHeadersPolicyList": self._page(items)})

    # Tags

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"Tags": {"Items": self.backend.tags_of(self._get_param("Resource"))}})

    def tag_resource(self) -> ActionResult:
        tags = self._get_param("Tags.Items", []) or []
        self.backend.tag_resource(self._get_param("Resource"), {tag["Key"]: tag.get("Value", "") for tag in tags})
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        self.backend.untag_resource(self._get_param("Resource"), self._get_param("TagKeys.Items", []) or [])
        return EmptyResult()

    def _page(self, items: dict[str, Any]) -> dict[str, Any]:
        """The page of a list after Marker; its own NextMarker is the last name on it."""
        marker = self._get_param("Marker") or ""
        wanted = str(self._get_param("MaxItems") or 100)
        if not wanted.isdecimal():
            raise invalid_argument(f"MaxItems is no number: {wanted}")
        limit = int(wanted)
        names = list(items)
        start = names.index(marker) + 1 if marker in items else 0
        shown = names[start : start + limit]
        truncated = start + limit < len(names)
        page: dict[str, Any] = {
            "Marker": marker,
            "MaxItems": limit,
            "IsTruncated": truncated,
            "Quantity": len(shown),
        }
        if shown:
            page["Items"] = [items[name] for name in shown]
        if truncated:
            page["NextMarker"] = shown[-1]
        return page


def _headers_policy(policy: ResponseHeadersPolicy, **more: str) -> ActionResult:
    return ActionResult({"ResponseHeadersPolicy": policy.to_api(), "ETag": policy.etag, **more})


def _error_response(error: CloudFrontError) -> TYPE_RESPONSE:
    request_id = "00000000-0000-0000-0000-000000000000"
    body = (
        f'<?xml version="1.0"?>\n<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers, text = BaseResponse._enrich_response({"Content-Type": "text/xml", "status": str(error.status)}, body)
    return error.status, headers, text
