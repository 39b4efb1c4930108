# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront of the rehearsal cloud, seen by botocore, the AWS CLI and a viewer."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import cloudfront
from localcloud.ca import CertificateAuthority
from localcloud.clock import SystemClock
from localcloud.cloudfront.policies import CACHE_POLICIES, ORIGIN_REQUEST_POLICIES, RESPONSE_HEADERS_POLICIES
from localcloud.latency import Latency
from localcloud.names import Names

REGION = "us-west-2"
BUCKET = "site-of-the-contract-test"
API_DOMAIN = "antenna.us-west-2.elasticbeanstalk.com"
SECONDS = 0.4
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
    """What CloudFront uses of the cloud; no Docker."""

    ca: CertificateAuthority
    names: Names = field(default_factory=Names)
    latency: Latency = field(default_factory=Latency)
    clock: SystemClock = field(default_factory=SystemClock)
    status_providers: dict[str, Any] = field(default_factory=dict)
    shutdown_hooks: list[Any] = field(default_factory=list)


class Api(BaseHTTPRequestHandler):
    """An origin that answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "slow" in self.path:
            time.sleep(1.5)
        seen = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "length": len(body)}
        answer = json.dumps(seen).encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = answer

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
    ca: Path
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
            tls = ssl.create_default_context(cafile=str(self.ca))
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

    def completed(self, identifier: str) -> None:
        waiter = self.client.get_waiter("invalidation_completed")
        waiter.wait(DistributionId=self.id, Id=identifier, WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})


def policy_id(policies: Any, name: str) -> str:
    return next(policy.id for policy in policies.values() if policy.name == f"Managed-{name}")


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


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, PartOfCloud]]:
    from moto.server import ThreadedMotoServer

    cloud = PartOfCloud(CertificateAuthority(tmp_path_factory.mktemp("ca")))
    cloud.latency.set(dict.fromkeys(("cloudfront.distribution", "cloudfront.invalidation"), SECONDS))
    cloudfront.install(cloud)  # type: ignore[arg-type]
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    cloud.names.set(API_DOMAIN, "127.0.0.1", api.server_port)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}", cloud
    finally:
        server.stop()
        api.shutdown()
        for hook in cloud.shutdown_hooks:
            hook()


def client(service: str, url: str) -> Any:
    return boto3.client(service, REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture(scope="module")
def site(endpoint: tuple[str, PartOfCloud]) -> Site:
    url, cloud = endpoint
    cdn, s3 = client("cloudfront", url), client("s3", url)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    control = cdn.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "site",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    function = cdn.create_function(
        Name="spa", FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"}, FunctionCode=SPA
    )
    cdn.publish_function(Name="spa", IfMatch=function["ETag"])
    arn = function["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    made = cdn.create_distribution(DistributionConfig=configuration("site", control, arn))["Distribution"]
    assert made["Status"] == "InProgress"
    found = Site(made["Id"], url, cloud.ca.path, cdn, s3)
    assert found.look("/").status == 503
    cdn.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
    found.put("index.html", b"<html>the app</html>", CacheControl="no-cache")
    assert found.look("/").status == 403, "the bucket does not let the distribution yet"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(_policy(made["ARN"])))
    return found


def _policy(*arns: str) -> dict[str, Any]:
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


def test_the_app_answers_at_its_root_and_at_its_deep_links(site: Site) -> None:
    assert site.look("/").body == b"<html>the app</html>"
    assert site.look("/projects/5?x=1").body == b"<html>the app</html>"


def test_an_object_that_is_not_there_is_refused_without_listbucket(site: Site) -> None:
    seen = site.look("/assets/none.js")
    assert (seen.status, seen.cache, seen.headers["server"]) == (403, "Error", "AmazonS3")


def test_functions_may_answer_themselves_and_their_failures_are_seen(site: Site) -> None:
    found, broken = site.look("/hello"), site.look("/broken")
    assert (found.status, found.headers["location"], found.cache) == (302, "/projects", "FunctionGeneratedResponse")
    assert (broken.status, broken.cache) == (503, "FunctionExecutionError")
    assert b"broken" in broken.body


def test_plain_http_is_redirected_or_refused(site: Site) -> None:
    seen = site.look("/projects?a=b", url=site.status["http_url"])
    assert (seen.status, seen.headers["location"]) == (301, site.status["url"] + "/projects?a=b")
    assert site.look("/api/x", "POST", site.status["http_url"], b"x").status == 307
    assert site.look("/nowhere/x", url=site.status["http_url"]).status == 403


def test_the_second_look_is_a_hit_until_an_invalidation_completes(site: Site) -> None:
    site.put("page.html", b"one")
    assert [site.look("/page.html").cache for _ in range(2)] == ["Miss", "Hit"]
    site.put("page.html", b"two")
    made = site.invalidate("page", "/page.html")
    assert made["Status"] == "InProgress"
    assert site.look("/page.html").body == b"one"
    site.completed(made["Id"])
    seen = site.look("/page.html")
    assert (seen.cache, seen.body) == ("Miss", b"two")


def test_the_same_invalidation_is_made_once(site: Site) -> None:
    made = site.invalidate("content", "/a", "/b")
    assert site.invalidate("content", "/b", "/a")["Id"] == made["Id"]
    with pytest.raises(ClientError, match="InvalidationBatchAlreadyExists"):
        site.invalidate("content", "/a")
    with pytest.raises(ClientError, match="InvalidArgument"):
        site.invalidate("other", "/a*b")
    listed = site.client.list_invalidations(DistributionId=site.id)["InvalidationList"]["Items"]
    assert [item["Id"] for item in listed].count(made["Id"]) == 1


def test_what_expired_is_asked_for_again_and_refreshed(site: Site) -> None:
    site.put("short.html", b"short", CacheControl="max-age=1")
    assert [site.look("/short.html").cache for _ in range(2)] == ["Miss", "Hit"]
    time.sleep(1.1)
    seen = site.look("/short.html")
    assert (seen.cache, seen.body) == ("RefreshHit", b"short")


def test_compression_conditional_and_partial_requests(site: Site) -> None:
    script = b"console.log('antenna');\n" * 200
    site.put("assets/app-1.js", script, ContentType="text/javascript", CacheControl="public,max-age=31536000,immutable")
    packed = site.look("/assets/app-1.js", Accept_Encoding="gzip, deflate, br")
    assert (packed.headers["content-encoding"], gzip.decompress(packed.body)) == ("gzip", script)
    assert "content-encoding" not in site.look("/assets/app-1.js").headers
    assert site.look("/assets/app-1.js", If_None_Match=packed.headers["etag"]).status == 304
    part = site.look("/assets/app-1.js", Range="bytes=8-10")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"log", f"bytes 8-10/{len(script)}")
    head = site.look("/assets/app-1.js", "HEAD")
    assert (head.headers["content-length"], head.body) == (str(len(script)), b"")


def test_the_api_gets_all_of_the_viewer_and_the_origins_own_headers(site: Site) -> None:
    seen = site.look("/api/v2/?q=1&q=2", Cookie="session=x", Authorization="Token t", X_Forwarded_Proto="http").json()
    headers = seen["headers"]
    assert (seen["method"], seen["path"]) == ("GET", "/api/v2/?q=1&q=2")
    assert headers["Host"] == urlsplit(site.status["url"]).netloc
    assert (headers["Cookie"], headers["Authorization"]) == ("session=x", "Token t")
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-For"]) == ("https", "127.0.0.1")
    assert "cloudfront" in headers["Via"].lower()


def test_bodies_of_any_size_reach_the_api(site: Site) -> None:
    seen = site.look("/api/v2/upload", "POST", body=b"x" * 3_000_000)
    assert (seen.status, seen.json()["length"], seen.cache) == (200, 3_000_000, "Miss")


def test_the_apis_own_errors_stay(site: Site) -> None:
    seen = site.look("/api/missing")
    assert (seen.status, seen.cache, seen.json()["path"]) == (404, "Error", "/api/missing")


def test_origins_that_are_slow_or_nowhere(site: Site) -> None:
    slow, nowhere = site.look("/api/slow"), site.look("/nowhere/")
    assert (slow.status, slow.cache) == (504, "Error")
    assert (nowhere.status, nowhere.cache) == (502, "Error")
    assert b"nobody.us-west-2.elasticbeanstalk.com" in nowhere.body


def test_methods_and_hosts_that_are_not_allowed(site: Site) -> None:
    assert site.look("/page.html", "POST", body=b"x").status == 403
    assert site.look("/", Host="other.example.org").status == 403


def test_stale_versions_are_refused_and_each_change_gives_a_new_one(site: Site) -> None:
    read = site.client.get_distribution_config(Id=site.id)
    config = read["DistributionConfig"] | {"Comment": "changed"}
    arguments = {"Id": site.id, "DistributionConfig": config}
    assert code_of(site.client.update_distribution, **arguments) == "InvalidIfMatchVersion"
    assert code_of(site.client.update_distribution, **arguments, IfMatch="E0") == "PreconditionFailed"
    changed = site.client.update_distribution(**arguments, IfMatch=read["ETag"])
    assert changed["ETag"] != read["ETag"]
    assert changed["Distribution"]["Status"] == "InProgress"
    assert site.client.get_distribution_config(Id=site.id)["DistributionConfig"] == config
    assert code_of(site.client.update_distribution, **arguments, IfMatch=read["ETag"]) == "PreconditionFailed"


def test_nothing_in_use_can_be_deleted(site: Site) -> None:
    config = site.client.get_distribution_config(Id=site.id)
    control = config["DistributionConfig"]["Origins"]["Items"][0]["OriginAccessControlId"]
    etags = (
        site.client.get_origin_access_control(Id=control)["ETag"],
        site.client.describe_function(Name="spa")["ETag"],
    )
    assert code_of(site.client.delete_origin_access_control, Id=control, IfMatch=etags[0]) == "OriginAccessControlInUse"
    assert code_of(site.client.delete_function, Name="spa", IfMatch=etags[1]) == "FunctionInUse"
    assert code_of(site.client.delete_distribution, Id=site.id, IfMatch=config["ETag"]) == "DistributionNotDisabled"


def test_a_disabled_distribution_refuses_and_can_be_deleted(site: Site) -> None:
    read = site.client.get_distribution_config(Id=site.id)["DistributionConfig"]
    assert code_of(site.client.create_distribution, DistributionConfig=read) == "DistributionAlreadyExists"
    config = read | {"CallerReference": "second", "Enabled": False}
    made = site.client.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": [{"Key": "Name", "Value": "x"}]}}
    )
    identifier, arn = made["Distribution"]["Id"], made["Distribution"]["ARN"]
    assert site.client.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == [{"Key": "Name", "Value": "x"}]
    url = cloudfront.distributions_status()[identifier]["url"]
    waiter = site.client.get_waiter("distribution_deployed")
    waiter.wait(Id=identifier, WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
    assert site.look("/", url=url).status == 403
    site.client.delete_distribution(Id=identifier, IfMatch=made["ETag"])
    assert code_of(site.client.get_distribution, Id=identifier) == "NoSuchDistribution"
    with pytest.raises(ConnectionRefusedError):
        site.look("/", url=url)


def test_error_pages_and_added_headers_belong_to_the_whole_distribution(site: Site) -> None:
    read = site.client.get_distribution_config(Id=site.id)["DistributionConfig"]
    page = {"ErrorCode": 404, "ResponsePagePath": "/sorry.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}
    default = read["DefaultCacheBehavior"] | {
        "ViewerProtocolPolicy": "allow-all",
        "ResponseHeadersPolicyId": policy_id(RESPONSE_HEADERS_POLICIES, "SecurityHeadersPolicy"),
    }
    config = read | {
        "CallerReference": "error pages",
        "DefaultCacheBehavior": default,
        "CustomErrorResponses": {"Quantity": 1, "Items": [page]},
    }
    made = site.client.create_distribution(DistributionConfig=config)["Distribution"]
    waiter = site.client.get_waiter("distribution_deployed")
    waiter.wait(Id=made["Id"], WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
    other = replace(site, id=made["Id"])
    assert other.look("/sorry.html").status == 403, "the bucket lets another distribution"
    assert other.look("/api/missing").status == 404, "there is no page, so the error stays"
    other.put("sorry.html", b"sorry")
    other.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(_policy(site_arn(site), made["ARN"])))
    seen = other.look("/api/missing")
    assert (seen.status, seen.body, seen.cache) == (200, b"sorry", "Error")
    plain = other.look("/sorry.html", url=other.status["http_url"])
    assert (plain.status, plain.headers["x-content-type-options"]) == (200, "nosniff")


def site_arn(site: Site) -> str:
    return str(site.client.get_distribution(Id=site.id)["Distribution"]["ARN"])


def test_functions_have_two_stages(site: Site) -> None:
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    code = b"function handler(event) { return event.request; }"
    made = site.client.create_function(Name="stages", FunctionConfig=config, FunctionCode=code)
    assert code_of(site.client.get_function, Name="stages", Stage="LIVE") == "NoSuchFunctionExists"
    site.client.publish_function(Name="stages", IfMatch=made["ETag"])
    changed = site.client.update_function(
        Name="stages", IfMatch=made["ETag"], FunctionConfig=config, FunctionCode=code + b"//"
    )
    assert site.client.get_function(Name="stages", Stage="LIVE")["FunctionCode"].read() == code
    assert site.client.get_function(Name="stages")["FunctionCode"].read() == code + b"//"
    assert code_of(site.client.publish_function, Name="stages", IfMatch=made["ETag"]) == "PreconditionFailed"
    site.client.delete_function(Name="stages", IfMatch=changed["ETag"])
    assert code_of(site.client.describe_function, Name="stages") == "NoSuchFunctionExists"


def test_what_is_not_implemented_says_so(site: Site) -> None:
    assert code_of(site.client.list_key_groups) == "InvalidAction"
    assert code_of(site.client.get_cache_policy, Id="unknown") == "NoSuchCachePolicy"
    names = {
        item["CachePolicy"]["CachePolicyConfig"]["Name"]
        for item in site.client.list_cache_policies(Type="managed")["CachePolicyList"]["Items"]
    }
    assert {"Managed-CachingOptimized", "Managed-CachingDisabled"} <= names


def test_the_aws_cli_waits_for_an_invalidation(site: Site) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": site.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    made = site.invalidate("cli", "/*")
    site.completed(made["Id"])
    program = str(Path(sys.executable).parent / "aws")
    command = [
        program,
        "cloudfront",
        "wait",
        "invalidation-completed",
        "--distribution-id",
        site.id,
        "--id",
        made["Id"],
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
