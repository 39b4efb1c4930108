# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of CloudFront, seen by botocore and the AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.cdn import BUCKET, Site, behaviors, code_of
from tests.support.clients import REGION


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
    delete = {"Id": identifier, "IfMatch": made["ETag"]}
    assert code_of(site.client.delete_distribution, **delete) == "DistributionNotDisabled", "it is still InProgress"
    site.deployed(identifier)
    assert code_of(site.client.delete_distribution, Id=identifier) == "InvalidIfMatchVersion"
    site.client.delete_distribution(**delete)
    assert code_of(site.client.get_distribution, Id=identifier) == "NoSuchDistribution"


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
    assert code_of(site.client.list_streaming_distributions) == "InvalidAction"
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


def test_every_change_and_deletion_wants_the_version_that_was_read(site: Site) -> None:
    cdn = site.client
    control = {
        "Name": "x",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "never",
        "OriginAccessControlOriginType": "s3",
    }
    made = cdn.create_origin_access_control(OriginAccessControlConfig=control)
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    code = b"function handler(event) { return event.request; }"
    function = cdn.create_function(Name="versions", FunctionConfig=config, FunctionCode=code)
    policy = {"Name": "versions", "ServerTimingHeadersConfig": {"Enabled": False}}
    headers = cdn.create_response_headers_policy(ResponseHeadersPolicyConfig=policy)
    one, other = {"Id": made["OriginAccessControl"]["Id"]}, {"Id": headers["ResponseHeadersPolicy"]["Id"]}
    named = {"Name": "versions"}
    for call, arguments, etag in (
        (cdn.update_origin_access_control, {**one, "OriginAccessControlConfig": control}, made["ETag"]),
        (cdn.update_function, {**named, "FunctionConfig": config, "FunctionCode": code}, function["ETag"]),
        (cdn.update_response_headers_policy, {**other, "ResponseHeadersPolicyConfig": policy}, headers["ETag"]),
    ):
        if call != cdn.update_function:
            assert code_of(call, **arguments) == "InvalidIfMatchVersion"
        assert code_of(call, **arguments, IfMatch="E0") == "PreconditionFailed"
        call(**arguments, IfMatch=etag)
        assert code_of(call, **arguments, IfMatch=etag) == "PreconditionFailed", "the version has changed"
    for call, arguments in (
        (cdn.delete_origin_access_control, one),
        (cdn.delete_function, named),
        (cdn.publish_function, named),
        (cdn.delete_response_headers_policy, other),
    ):
        assert code_of(call, **arguments, IfMatch="E0") == "PreconditionFailed"


def test_invalidations_have_their_limits(site: Site) -> None:
    made = site.invalidate("wildcards", *(f"/{number}/*" for number in range(15)))
    with pytest.raises(ClientError, match="TooManyInvalidationsInProgress"):
        site.invalidate("one more", "/x/*")
    site.completed(made["Id"])
    made = site.invalidate("many", *(f"/{number}" for number in range(3000)))
    with pytest.raises(ClientError, match="TooManyInvalidationsInProgress"):
        site.invalidate("one more", "/x")
    assert site.client.get_distribution(Id=site.id)["Distribution"]["InProgressInvalidationBatches"] == 1
    site.completed(made["Id"])
    for path in ("x", "/a*b", "/" + "x" * 4000):
        with pytest.raises(ClientError, match="InvalidArgument"):
            site.invalidate(f"not a path {path[:5]}", path)
    site.completed(site.invalidate("one more", "/" + "x" * 3999)["Id"])


def test_response_headers_policies_are_listed_and_kept(site: Site) -> None:
    cdn = site.client
    assert len(_policies(cdn, Type="managed")) == 5
    config = {"Name": "kept", "Comment": "", "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}}
    made = cdn.create_response_headers_policy(ResponseHeadersPolicyConfig=config)
    identifier = made["ResponseHeadersPolicy"]["Id"]
    assert cdn.get_response_headers_policy_config(Id=identifier)["ResponseHeadersPolicyConfig"] == config
    create = {"ResponseHeadersPolicyConfig": config}
    assert code_of(cdn.create_response_headers_policy, **create) == "ResponseHeadersPolicyAlreadyExists"
    user = site.another("user", **behaviors(site, "ui", ResponseHeadersPolicyId=identifier), Enabled=False)
    delete = {"Id": identifier, "IfMatch": made["ETag"]}
    assert code_of(cdn.delete_response_headers_policy, **delete) == "ResponseHeadersPolicyInUse"
    cdn.delete_distribution(Id=user.id, IfMatch=cdn.get_distribution(Id=user.id)["ETag"])
    cdn.delete_response_headers_policy(**delete)
    assert code_of(cdn.get_response_headers_policy, Id=identifier) == "NoSuchResponseHeadersPolicy"
    managed = _policies(cdn, Type="managed")[0]["Id"]
    assert code_of(cdn.delete_response_headers_policy, Id=managed, IfMatch="E0") == "IllegalDelete"
    many = [{"Header": f"x-{number}"} for number in range(11)]
    create = {"ResponseHeadersPolicyConfig": {"Name": "many", "RemoveHeadersConfig": {"Quantity": 11, "Items": many}}}
    assert code_of(cdn.create_response_headers_policy, **create) == "TooManyRemoveHeadersInResponseHeadersPolicy"


def _policies(cdn: Any, **arguments: str) -> list[dict[str, Any]]:
    listed = cdn.list_response_headers_policies(**arguments)["ResponseHeadersPolicyList"]["Items"]
    return [item["ResponseHeadersPolicy"] for item in listed]


def test_functions_can_be_tried_before_they_are_published(site: Site) -> None:
    code = b"function handler(event) { console.log('saw', event.request.uri); return event.request; }"
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = site.client.create_function(Name="tried", FunctionConfig=config, FunctionCode=code)
    request = {"method": "GET", "uri": "/x", "querystring": {}, "headers": {}, "cookies": {}}
    event = {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "::1"}, "request": request}
    trial = {"Name": "tried", "IfMatch": made["ETag"], "EventObject": json.dumps(event).encode()}
    result = site.client.test_function(**trial)["TestResult"]
    assert (result["FunctionExecutionLogs"], json.loads(result["FunctionOutput"])) == (["saw /x"], {"request": request})
    assert code_of(site.client.test_function, **{**trial, "EventObject": b"no event"}) == "InvalidArgument"
    assert code_of(site.client.test_function, **{**trial, "IfMatch": "E0"}) == "PreconditionFailed"


def test_certificates_web_acls_and_log_buckets_must_exist(site: Site) -> None:
    read = site.client.get_distribution_config(Id=site.id)["DistributionConfig"] | {"CallerReference": "prerequisites"}
    arn = f"arn:aws:acm:{REGION}:123456789012:certificate/x"
    certificate = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"}
    logging = {"Enabled": True, "IncludeCookies": False, "Bucket": f"{BUCKET}.s3.amazonaws.com", "Prefix": ""}
    site.bucket("closed-to-logs", "BucketOwnerEnforced")
    closed = logging | {"Bucket": "closed-to-logs.s3.amazonaws.com"}
    nowhere = logging | {"Bucket": "nobodys-bucket.s3.amazonaws.com"}
    acl = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/x/1"
    for changes, code in (
        ({"ViewerCertificate": certificate}, "InvalidViewerCertificate"),
        ({"WebACLId": acl}, "InvalidWebACLId"),
        ({"Logging": closed}, "InvalidArgument"),
        ({"Logging": nowhere}, "InvalidArgument"),
    ):
        assert code_of(site.client.create_distribution, DistributionConfig=read | changes) == code


def test_what_other_services_have_made_is_used_and_read_back(site: Site) -> None:
    acm, waf = site.service("acm", "us-east-1"), site.service("wafv2", "us-east-1")
    issued = site.cloud.ca.issue(["*.example.org"])
    pem = {"Certificate": issued.certificate.read_bytes(), "PrivateKey": issued.key.read_bytes()}
    arn = acm.import_certificate(**pem)["CertificateArn"]
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "x"}
    acl = waf.create_web_acl(Name="x", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=visible)
    changes = {
        "Aliases": {"Quantity": 1, "Items": ["ui.example.org"]},
        "ViewerCertificate": {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"},
        "WebACLId": acl["Summary"]["ARN"],
    }
    other = site.another("services", **changes)
    read = site.client.get_distribution_config(Id=other.id)["DistributionConfig"]
    assert (read["WebACLId"], read["ViewerCertificate"]["ACMCertificateArn"]) == (changes["WebACLId"], arn)
    assert other.look("/page.html", Host="ui.example.org").status in (200, 403)
    taken = {"Quantity": 1, "Items": ["ui.example.net"]}
    config = read | {"CallerReference": "not covered", "Aliases": taken}
    assert code_of(site.client.create_distribution, DistributionConfig=config) == "InvalidViewerCertificate"
