# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What viewers of a distribution get."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from localcloud import cloudfront
from localcloud.cloudfront.accesslogs import FIELDS
from localcloud.cloudfront.headers import MANAGED
from tests.support.cdn import BUCKET, Api, Site, behaviors, bucket_policy, code_of, policy_id


@pytest.fixture(scope="module")
def cached(site: Site) -> Site:
    """A distribution that caches what the API answers as long as the API says."""
    return site.another("cached", **behaviors(site, "api", CachePolicy="UseOriginCacheControlHeaders-QueryStrings"))


@pytest.fixture
def api() -> Iterator[type[Api]]:
    """The origin; what a test makes of it ends with the test."""
    yield Api
    Api.failing, Api.more_headers = False, {}


def test_the_app_answers_at_its_root_and_at_its_deep_links(site: Site) -> None:
    assert site.look("/").body == b"<html>the app</html>"
    assert site.look("/projects/5?x=1").body == b"<html>the app</html>"


def test_an_object_that_is_not_there_is_refused_without_listbucket(site: Site) -> None:
    seen = site.look("/assets/none.js")
    assert (seen.status, seen.cache, seen.headers["server"]) == (403, "Error", "AmazonS3")


def test_another_bucket_is_read_as_far_as_its_policy_lets_and_whatever_its_acls_say(site: Site) -> None:
    name = "storage-of-the-contract-test"
    site.bucket(name, "BucketOwnerPreferred")
    block = {
        "BlockPublicAcls": False,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    site.s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    for key in ("uploads/moth.jpg", "uploads/moths", "backups/moth.jpg"):
        site.s3.put_object(Bucket=name, Key=key, Body=b"moth", ACL="public-read")
    config = site.client.get_distribution_config(Id=site.id)["DistributionConfig"]
    (ui,) = (origin for origin in config["Origins"]["Items"] if origin["Id"] == "ui")
    storage = ui | {"Id": "storage", "DomainName": f"{name}.s3.us-west-2.amazonaws.com"}
    plain = {key: value for key, value in config["DefaultCacheBehavior"].items() if key != "FunctionAssociations"}
    files = [plain | {"PathPattern": pattern, "TargetOriginId": "storage"} for pattern in ("/uploads/*", "/backups/*")]
    other = site.another(
        "storage",
        Origins={"Quantity": 2, "Items": [ui, storage]},
        CacheBehaviors={"Quantity": 2, "Items": files},
    )
    assert other.look("/uploads/moth.jpg").status == 403, "no policy lets the distribution yet"
    policy = bucket_policy(other.arn)
    policy["Statement"][0]["Resource"] = f"arn:aws:s3:::{name}/uploads/*"
    site.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    other.advance(11)
    seen = [other.look(path) for path in ("/uploads/moth.jpg", "/uploads/moths", "/backups/moth.jpg", "/uploads/none")]
    assert [one.status for one in seen] == [200, 200, 403, 403]
    assert seen[0].body == seen[1].body == b"moth", "no function takes it for a page of the app"
    assert other.look("/projects/5").body == b"<html>the app</html>"


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


def test_what_expired_is_asked_for_again_and_refreshed(site: Site) -> None:
    site.put("short.html", b"short", CacheControl="max-age=1")
    assert [site.look("/short.html").cache for _ in range(2)] == ["Miss", "Hit"]
    site.advance(1.1)
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


def test_error_pages_belong_to_the_whole_distribution(site: Site) -> None:
    page = {"ErrorCode": 404, "ResponsePagePath": "/sorry.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}
    other = site.another("error pages", CustomErrorResponses={"Quantity": 1, "Items": [page]})
    site.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bucket_policy(site.arn)))
    assert other.look("/sorry.html").status == 403, "the bucket lets another distribution"
    assert other.look("/api/missing").status == 404, "there is no page, so the error stays"
    site.allow(other.arn)
    other.put("sorry.html", b"sorry")
    seen = other.look("/api/missing")
    assert (seen.status, seen.body, seen.cache) == (200, b"sorry", "Error")


def test_errors_are_kept_for_their_minimum_time(site: Site) -> None:
    kept = site.another("errors", CustomErrorResponses=_kept(404, 60), **behaviors(site, "api"))
    first, second = kept.look("/missing").json(), kept.look("/missing").json()
    assert first["call"] == second["call"]
    kept.advance(61)
    assert kept.look("/missing").json()["call"] > first["call"]


def _kept(status: int, seconds: int) -> dict[str, object]:
    return {"Quantity": 1, "Items": [{"ErrorCode": status, "ErrorCachingMinTTL": seconds}]}


@pytest.mark.parametrize(
    ("header", "fresh", "expired"),
    [
        ({"Cache-Control": "max-age=60"}, 59, 61),
        ({"Cache-Control": "max-age=60, s-maxage=600"}, 599, 601),
        ({"Cache-Control": "no-store"}, None, 0),
        ({"Cache-Control": "private, max-age=60"}, None, 0),
        ({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, None, 0),
        ({}, None, 0),
    ],
    ids=str,
)
def test_the_origin_says_how_long_its_answers_are_kept(
    cached: Site, api: type[Api], header: dict[str, str], fresh: int | None, expired: int
) -> None:
    api.more_headers = header
    path = f"/{json.dumps(header).encode().hex()}"
    assert cached.look(path).cache == "Miss"
    if fresh is not None:
        cached.advance(fresh)
        assert (cached.look(path).cache, cached.look(path).headers["age"]) == ("Hit", str(fresh))
        expired -= fresh
    cached.advance(expired)
    assert cached.look(path).cache == "Miss"


def test_what_the_policy_names_tells_objects_apart(cached: Site, api: type[Api]) -> None:
    api.more_headers = {"Cache-Control": "max-age=60"}
    assert [cached.look(path).cache for path in ("/key?a=1", "/key?a=2", "/key?a=1")] == ["Miss", "Miss", "Hit"]
    assert cached.look("/key?a=1", Cookie="session=y").cache == "Miss"
    assert cached.look("/key?a=1", User_Agent="another").cache == "Hit"


def test_expired_answers_stand_in_for_an_origin_that_fails(cached: Site, api: type[Api]) -> None:
    api.more_headers = {"Cache-Control": "max-age=10"}
    first = cached.look("/stale").json()["call"]
    api.failing = True
    cached.advance(11)
    seen = cached.look("/stale")
    assert (seen.status, seen.json()["call"], seen.cache) == (200, first, "Hit")
    asked = Api.calls
    cached.look("/stale")
    assert Api.calls == asked, "not asked again within the error caching time"
    cached.advance(11)
    api.failing = False
    assert cached.look("/stale").json()["call"] > first


@pytest.mark.parametrize("word", ["must-revalidate", "stale-if-error=5"])
def test_an_origin_may_forbid_expired_answers(cached: Site, api: type[Api], word: str) -> None:
    api.more_headers = {"Cache-Control": f"max-age=10, {word}"}
    cached.look(f"/strict?{word}")
    api.failing = True
    cached.advance(16)
    assert cached.look(f"/strict?{word}").status == 503


def test_stale_while_revalidate_answers_at_once(cached: Site, api: type[Api]) -> None:
    api.more_headers = {"Cache-Control": "max-age=10, stale-while-revalidate=600"}
    first = cached.look("/behind").json()["call"]
    cached.advance(11)
    assert cached.look("/behind").json()["call"] == first
    seen = next(call for call in iter(lambda: cached.look("/behind").json()["call"], None) if call != first)
    assert seen > first


def test_a_bucket_that_wants_tls_refuses_what_came_without(site: Site) -> None:
    open_site = site.another("plain", **behaviors(site, "ui", ViewerProtocolPolicy="allow-all"))
    open_site.put("tls.html", b"tls", CacheControl="no-cache")
    plain = open_site.status["http_url"]
    assert open_site.look("/tls.html", url=plain).status == 200
    policy = json.loads(site.s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": insecure}
    policy["Statement"].append(deny)
    site.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    open_site.put("tls.html", b"changed", CacheControl="no-cache")
    open_site.advance(2)
    assert open_site.look("/tls.html", url=plain).status == 403
    open_site.advance(11)
    assert open_site.look("/tls.html").status == 200


def test_a_managed_policy_adds_security_headers(site: Site) -> None:
    other = site.another("secure", **behaviors(site, "ui", ResponseHeadersPolicyId=_managed("SecurityHeadersPolicy")))
    other.put("index.html", b"<html>the app</html>", CacheControl="no-cache")
    seen = other.look("/")
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert seen.headers["strict-transport-security"] == "max-age=31536000"
    assert seen.headers["x-frame-options"] == "SAMEORIGIN"


def _managed(name: str) -> str:
    return policy_id(MANAGED, name)


def test_preflight_requests_are_answered_for_the_origin(site: Site) -> None:
    policy = {"ResponseHeadersPolicyId": _managed("CORS-With-Preflight")}
    other = site.another("preflight", **behaviors(site, "api", **policy))
    asked = {"Origin": "https://a.example", "Access_Control_Request_Method": "PUT"}
    seen = other.look("/x", "OPTIONS", **asked)
    assert seen.headers["access-control-allow-origin"] == "*"
    assert "PUT" in seen.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in other.look("/x").headers


def test_a_policy_of_ones_own_reaches_viewers_after_a_while(site: Site) -> None:
    config = {
        "Name": "own",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"}
        },
        "CustomHeadersConfig": {
            "Quantity": 1,
            "Items": [{"Header": "Cache-Control", "Value": "no-store", "Override": True}],
        },
        "RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "Server"}]},
    }
    made = site.client.create_response_headers_policy(ResponseHeadersPolicyConfig=config)
    identifier = made["ResponseHeadersPolicy"]["Id"]
    other = site.another("own policy", **behaviors(site, "ui", ResponseHeadersPolicyId=identifier))
    other.put("index.html", b"<html>the app</html>", CacheControl="max-age=60")
    seen = other.look("/")
    assert seen.headers["content-security-policy"] == "default-src 'self'"
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["server"] == "CloudFront", "S3's was removed, and the edge names itself"
    assert other.look("/").cache == "Hit", "the policy's header is for viewers, not for the cache"
    config["SecurityHeadersConfig"] = {"FrameOptions": {"Override": True, "FrameOption": "DENY"}}
    site.client.update_response_headers_policy(Id=identifier, IfMatch=made["ETag"], ResponseHeadersPolicyConfig=config)
    assert "content-security-policy" in other.look("/").headers
    other.deployed()
    seen = other.look("/")
    assert (seen.headers["x-frame-options"], seen.headers.get("content-security-policy")) == ("DENY", None)


RESPONSE = b"""function handler(event) {
  const response = event.response;
  if (event.request.uri === '/forbidden') { response.headers['x-edge-own'] = {value: 'x'}; return response; }
  if (event.request.uri === '/body') { response.body = 'of the function'; }
  response.headers['x-seen'] = {value: event.request.uri + ' ' + response.statusCode};
  response.cookies['a'] = {value: 'b', attributes: 'Secure; Path=/'};
  return response;
}"""


def test_functions_change_responses_but_not_errors_of_the_origin(site: Site) -> None:
    function = site.function("responses", RESPONSE)
    associations = {"Quantity": 1, "Items": [{"FunctionARN": function, "EventType": "viewer-response"}]}
    other = site.another("responses", **behaviors(site, "api", FunctionAssociations=associations))
    seen = other.look("/x")
    assert (seen.headers["x-seen"], seen.headers["set-cookie"]) == ("/x 200", "a=b; Secure; Path=/")
    assert other.look("/body").body == b"of the function"
    assert "x-seen" not in other.look("/missing").headers
    refused = other.look("/forbidden")
    assert (refused.status, refused.cache) == (502, "FunctionValidationError")


def test_access_logs_come_into_their_bucket_after_a_while(site: Site) -> None:
    logging = {"Enabled": True, "IncludeCookies": False, "Bucket": "logs-of-the-test.s3.amazonaws.com", "Prefix": "ui"}
    site.bucket("logs-of-the-test", "BucketOwnerPreferred")
    other = site.another("logged", Logging=logging)
    assert other.look("/page?x=1", User_Agent="a b").status == 200

    def delivered() -> list[str]:
        # A line is written after its answer: the first delivery may come too early for it.
        other.advance(site.cloud.latency.of("cloudfront.logs"))
        return site.objects("logs-of-the-test")

    key = other.eventually(delivered)[0]
    assert key.startswith(f"ui/{other.id}.") and key.endswith(".gz")
    text = gzip.decompress(site.s3.get_object(Bucket="logs-of-the-test", Key=key)["Body"].read()).decode()
    version, fields, line = text.splitlines()
    assert (version, fields) == ("#Version: 1.0", f"#Fields: {FIELDS}")
    values = dict(zip(FIELDS.split(), line.split("\t"), strict=True))
    assert (values["cs-uri-stem"], values["cs-uri-query"], values["sc-status"]) == ("/page", "x=1", "200")
    assert (values["cs(User-Agent)"], values["cs-protocol"]) == ("a%20b", "https")


def test_nobody_answers_for_a_deleted_distribution(site: Site) -> None:
    gone = site.another("gone", Enabled=False)
    url = cloudfront.distributions_status()[gone.id]["url"]
    assert gone.look("/", url=url).status == 403
    etag = site.client.get_distribution(Id=gone.id)["ETag"]
    site.client.delete_distribution(Id=gone.id, IfMatch=etag)
    assert code_of(site.client.get_distribution, Id=gone.id) == "NoSuchDistribution"
    with pytest.raises(ConnectionRefusedError):
        site.look("/", url=url)
