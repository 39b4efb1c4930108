# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that ACM has issued: of the local authority, as if somebody had confirmed the names in DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from localcloud.admin import add_handler, as_json

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

CLOUDFRONT_REGION = "us-east-1"
"""Where CloudFront looks for certificates."""


def install(cloud: Cloud) -> None:
    """Answer `POST /_localcloud/certificates`.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    from moto.acm.models import AWSCertificateManagerBackend

    if not hasattr(AWSCertificateManagerBackend, "import_certificate"):
        raise RuntimeError("moto's ACM has another shape than expected: not the moto that requirements.txt pins")
    add_handler("POST", "certificates", _issue)


def _issue(cloud: Cloud, request: Request) -> Response:
    """Have a certificate for a name in the cloud's region and in CloudFront's, and tell the ARNs by region."""
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict) or set(wanted) != {"name"} or not isinstance(wanted["name"], str):
        return Response('expected JSON such as {"name": "antenna.example.org"}\n', 400)
    regions = sorted({cloud.region, CLOUDFRONT_REGION})
    return as_json({region: issued(cloud, region, wanted["name"]) for region in regions})


def issued(cloud: Cloud, region: str, name: str) -> str:
    """The ARN of ACM's certificate for the name in the region; the first time, it is made."""
    from moto.acm.models import acm_backends

    backend: Any = acm_backends[cloud.account_id][region]
    present = [bundle.arn for bundle in backend._certificates.values() if bundle.common_name == name]
    if present:
        return str(present[0])
    files = cloud.ca.issue([name])
    parts = (files.certificate.read_bytes(), files.key.read_bytes(), files.authority.read_bytes())
    return str(backend.import_certificate(*parts, arn=None, tags=[]))


def exists(cloud: Cloud, arn: str) -> bool:
    """Whether ACM has the certificate, in the region of its ARN."""
    return arn in _backend(cloud, arn)._certificates


def pem(cloud: Cloud, arn: str) -> bytes:
    """The certificate, its chain and its key, as servers read them."""
    bundle = _backend(cloud, arn)._certificates[arn]
    return b"\n".join([bundle.cert, bundle.chain or b"", bundle.key])


def _backend(cloud: Cloud, arn: str) -> Any:
    from moto.acm.models import acm_backends

    return acm_backends[cloud.account_id][arn.split(":")[3]]
