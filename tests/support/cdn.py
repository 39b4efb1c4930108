# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CloudFront of the rehearsal cloud in the test's own process, an API as origin, and a viewer; no Docker."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from localcloud import cloudfront
from localcloud.ca import CertificateAuthority
from localcloud.clock import MovableClock
from localcloud.cloud import Latency
from localcloud.cloudfront.policies import CACHE_POLICIES, ORIGIN_REQUEST_POLICIES
from localcloud.names import Names
from tests.support.clients import REGION, client

BUCKET = "site-of-the-contract-test"
API_DOMAIN = "antenna.us-west-2.elasticbeanstalk.com"
SPA = b"""function handler(event) {
  const request = event.request;
  if (request.uri === '/hello') {
    return {statusCode: 302, statusDescription: 'Found', headers: {location: {value: '/projects'}}};
  }
  if (request.uri === '/broken') { throw new Error('broken'); }
  if (!request.uri.split('/').pop().includes('.')) { request.uri = '/index.html'; }
  return request;
}"""


@dataclass
class PartOfCloud:
    """What CloudFront uses of the cloud. Things take as long as at AWS, by a clock that the tests move."""

    ca: CertificateAuthority
    names: Names = field(default_factory=Names)
    latency: Latency = field(default_factory=lambda: Latency("aws"))
    clock: MovableClock = field(default_factory=MovableClock)
    status_providers: dict[str, Any] = field(default_factory=dict)
    shutdown_hooks: list[Any] = field(default_factory=list)


class Api(BaseHTTPRequestHandler):
    """An origin that answers with what it was asked; a test may have it fail, or send more headers."""

    protocol_version = "HTTP/1.1"
    failing = False
    more_headers: ClassVar[dict[str, str]] = {}
    calls = 0

    def answer(self) -> None:
        Api.calls += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "slow" in self.path:
            time.sleep(1.5)
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers.items()),
            "length": len(body),
            "call": Api.calls,
        }
        answer = json.dumps(seen).encode()
        self.send_response(503 if Api.failing else 404 if "missing" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        for name, value in Api.more_headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = do_OPTIONS = answer

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@dataclass(frozen=True)
class Seen:
    """A viewer's answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cache(self) -> str:
        return self.headers["x-cache"].removesuffix(" from cloudfront")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """A deployed distribution and how to look at it."""

    id: str
    endpoint: str
    cloud: PartOfCloud
    client: Any
    s3: Any

    @property
    def status(self) -> dict[str, str]:
        found: dict[str, str] = cloudfront.distributions_status()[self.id]
        return found

    def look(
        self, path: str, method: str = "GET", url: str | None = None, body: bytes | None = None, **headers: str
    ) -> Seen:
        parts = urlsplit(url or self.status["url"])
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            tls = ssl.create_default_context(cafile=str(self.cloud.ca.path))
            connection = http.client.HTTPSConnection("localhost", parts.port, context=tls, timeout=10)
        else:
            connection = http.client.HTTPConnection("localhost", parts.port, timeout=10)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Seen(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def put(self, key: str, body: bytes, **arguments: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **{"ContentType": "text/html", **arguments})

    def invalidate(self, reference: str, *paths: str) -> dict[str, Any]:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
        made: dict[str, Any] = self.client.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)
        return made["Invalidation"]  # type: ignore[no-any-return]

    def advance(self, seconds: float) -> None:
        self.cloud.clock.advance(seconds)

    def completed(self, identifier: str) -> None:
        """Let the time of an invalidation pass."""
        self.advance(self.cloud.latency.of("cloudfront.invalidation"))
        found = self.client.get_invalidation(DistributionId=self.id, Id=identifier)["Invalidation"]
        assert found["Status"] == "Completed"

    def deployed(self, identifier: str | None = None) -> None:
        """Let the time of a deployment pass."""
        self.advance(self.cloud.latency.of("cloudfront.distribution"))
        waiter = self.client.get_waiter("distribution_deployed")
        waiter.wait(Id=identifier or self.id, WaiterConfig={"Delay": 0, "MaxAttempts": 1})

    @property
    def arn(self) -> str:
        return str(self.client.get_distribution(Id=self.id)["Distribution"]["ARN"])

    def another(self, reference: str, **changes: Any) -> Site:
        """One more distribution, made of this one's configuration with other members, and deployed."""
        read = self.client.get_distribution_config(Id=self.id)["DistributionConfig"]
        config = read | {"CallerReference": reference} | changes
        made = self.client.create_distribution(DistributionConfig=config)["Distribution"]
        self.deployed(made["Id"])
        self.allow(made["ARN"])
        return replace(self, id=made["Id"])

    def function(self, name: str, code: bytes) -> str:
        """The ARN of a new, published function."""
        config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
        made = self.client.create_function(Name=name, FunctionConfig=config, FunctionCode=code)
        self.client.publish_function(Name=name, IfMatch=made["ETag"])
        return str(made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])

    def bucket(self, name: str, ownership: str) -> None:
        location = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=location, ObjectOwnership=ownership)

    def service(self, name: str, region: str) -> Any:
        return client(name, self.endpoint, region)

    def objects(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    @staticmethod
    def eventually(goal: Callable[[], Any]) -> Any:
        """What `goal` returns once it is true: what the clock has set off runs in a thread of its own."""
        deadline = time.monotonic() + 10
        while not (found := goal()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def allow(self, arn: str) -> None:
        """Let one more distribution read the bucket."""
        policy = json.loads(self.s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
        allowed = policy["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"]
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bucket_policy(*allowed, arn)))


def policy_id(policies: Mapping[str, Any], name: str) -> str:
    return next(policy.id for policy in policies.values() if policy.name == f"Managed-{name}")


def behaviors(site: Site, origin: str, CachePolicy: str | None = None, **changes: Any) -> dict[str, Any]:
    """Members of a configuration in which all paths lead to one origin, changed so."""
    config = site.client.get_distribution_config(Id=site.id)["DistributionConfig"]
    (api, *_) = (item for item in config["CacheBehaviors"]["Items"] if item["TargetOriginId"] == "api")
    plain = {key: value for key, value in api.items() if key != "PathPattern"}
    default = config["DefaultCacheBehavior"] if origin == "ui" else plain
    if CachePolicy is not None:
        changes["CachePolicyId"] = policy_id(CACHE_POLICIES, CachePolicy)
    return {"DefaultCacheBehavior": default | changes, "CacheBehaviors": {"Quantity": 0}}


def configuration(reference: str, access_control: str, function_arn: str) -> dict[str, Any]:
    s3_origin = {
        "Id": "ui",
        "DomainName": f"{BUCKET}.s3.{REGION}.amazonaws.com",
        "OriginAccessControlId": access_control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    proto = {"HeaderName": "X-Forwarded-Proto", "HeaderValue": "https"}
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only", "OriginReadTimeout": 1}
    api_origin = {
        "Id": "api",
        "DomainName": API_DOMAIN,
        "CustomHeaders": {"Quantity": 1, "Items": [proto]},
        "CustomOriginConfig": custom,
    }
    nowhere = api_origin | {"Id": "nowhere", "DomainName": "nobody.us-west-2.elasticbeanstalk.com"}
    default = {
        "TargetOriginId": "ui",
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
        "CachePolicyId": policy_id(CACHE_POLICIES, "CachingOptimized"),
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [{"FunctionARN": function_arn, "EventType": "viewer-request"}],
        },
    }
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    api = {
        "PathPattern": "/api/*",
        "TargetOriginId": "api",
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {"Quantity": 7, "Items": methods},
        "CachePolicyId": policy_id(CACHE_POLICIES, "CachingDisabled"),
        "OriginRequestPolicyId": policy_id(ORIGIN_REQUEST_POLICIES, "AllViewer"),
    }
    other = api | {"PathPattern": "/nowhere/*", "TargetOriginId": "nowhere", "ViewerProtocolPolicy": "https-only"}
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {"Quantity": 3, "Items": [s3_origin, api_origin, nowhere]},
        "DefaultCacheBehavior": default,
        "CacheBehaviors": {"Quantity": 2, "Items": [api, other]},
    }


def bucket_policy(*arns: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": list(arns)}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def code_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])
