# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a distribution needs of other services: a certificate of ACM, a web ACL of WAF, a bucket for access logs."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from moto.acm.models import acm_backends
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.wafv2.models import wafv2_backends

from localcloud.cloudfront.distribution import Config
from localcloud.cloudfront.exceptions import CloudFrontError, invalid_argument

REGION = "us-east-1"
"""Where CloudFront looks for certificates and web ACLs."""

LOG_BUCKET = re.compile(r"(?P<name>[a-z0-9.-]{3,63})\.s3(?:\.[a-z0-9-]+)?\.amazonaws\.com")
ACLS_DISABLED = "BucketOwnerEnforced"


def check(account_id: str, config: Config) -> None:
    """Refuse a completed configuration whose certificate, web ACL or log bucket CloudFront would not take.

    :raises CloudFrontError: With the service's own code.
    """
    _check_certificate(account_id, config["ViewerCertificate"], config["Aliases"].get("Items") or [])
    if config["WebACLId"]:
        _check_web_acl(account_id, config["WebACLId"])
    if config["Logging"]["Enabled"]:
        log_bucket(account_id, config["Logging"])


def _check_certificate(account_id: str, wanted: Config, aliases: list[str]) -> None:
    arn = wanted.get("ACMCertificateArn")
    if not arn:
        return
    found: Any = acm_backends[account_id][REGION]._certificates.get(arn)
    if found is None or found.status != "ISSUED":
        raise CloudFrontError(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a "
            "valid certificate chain.",
        )
    names = {str(found.common_name), *found.sans}
    if not all(any(_covers(name, alias) for name in names) for alias in aliases):
        raise CloudFrontError(
            "InvalidViewerCertificate",
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "
            "that you're trying to add.",
        )


def _covers(name: str, alias: str) -> bool:
    """A wildcard stands for one label."""
    return fnmatch.fnmatchcase(alias.lower(), name.lower()) and alias.count(".") == name.count(".")


def _check_web_acl(account_id: str, arn: str) -> None:
    if arn not in wafv2_backends[account_id]["global"].wacls:
        raise CloudFrontError("InvalidWebACLId", f"The web ACL {arn} does not exist.")


def log_bucket(account_id: str, logging: Config) -> str:
    """The name of the bucket for access logs.

    :raises CloudFrontError: When it is none, or has its ACLs disabled, as new buckets have.
    """
    match = LOG_BUCKET.fullmatch(logging["Bucket"])
    try:
        bucket: Any = s3_backends[account_id]["aws"].get_bucket(match["name"]) if match else None
    except MissingBucket:
        bucket = None
    if match is None or bucket is None:
        raise invalid_argument("The parameter Logging Bucket does not refer to a valid S3 bucket.")
    if bucket.ownership_rule == ACLS_DISABLED:
        raise invalid_argument(
            f"The S3 bucket that you specified for CloudFront logs does not enable ACL access: {logging['Bucket']}"
        )
    return str(match["name"])
