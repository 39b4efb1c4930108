# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A distribution of a bucket and an API, deployed, for all of these tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from localcloud import cloudfront, s3
from localcloud.ca import CertificateAuthority
from localcloud.names import Address
from tests.support.cdn import (
    API_DOMAIN,
    BUCKET,
    SPA,
    Api,
    PartOfCloud,
    Site,
    bucket_policy,
    configuration,
)
from tests.support.clients import REGION, client


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, PartOfCloud]]:
    from moto.server import ThreadedMotoServer

    cloud = PartOfCloud(CertificateAuthority(tmp_path_factory.mktemp("ca")))
    s3.install(cloud)  # type: ignore[arg-type]
    cloudfront.install(cloud)  # type: ignore[arg-type]
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    cloud.names.set(API_DOMAIN, Address("127.0.0.1", api.server_port))
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


@pytest.fixture(scope="session")
def site(endpoint: tuple[str, PartOfCloud]) -> Site:
    url, cloud = endpoint
    cdn, buckets = client("cloudfront", url), client("s3", url)
    buckets.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
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
    found = Site(made["Id"], url, cloud, cdn, buckets)
    assert found.look("/").status == 503
    found.deployed()
    found.put("index.html", b"<html>the app</html>", CacheControl="no-cache")
    assert found.look("/").status == 403, "the bucket does not let the distribution yet"
    buckets.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(bucket_policy(made["ARN"])))
    return found
