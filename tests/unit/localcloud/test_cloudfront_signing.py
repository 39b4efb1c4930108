# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed URLs and cookies, as botocore's own signer makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from multidict import CIMultiDict

from localcloud.cloudfront.replies import ViewerRequest
from localcloud.cloudfront.signing import Denied, admitted

KEY = generate_private_key(65537, 2048)
KEYS = {"K1": KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()}
DOMAIN = "d1.cloudfront.net"
URL = f"https://{DOMAIN}/ants/queen.jpg?size=2"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNER = CloudFrontSigner("K1", lambda message: KEY.sign(message, PKCS1v15(), SHA1()))  # noqa: S303


def request(url: str, **headers: str) -> ViewerRequest:
    parts = urlsplit(url)
    return ViewerRequest(
        "GET", parts.scheme, parts.path, parts.query, CIMultiDict({"Host": parts.netloc, **headers}), "127.0.0.1"
    )


def enter(url: str, at: datetime = NOW, keys: dict[str, str] = KEYS, **headers: str) -> ViewerRequest:
    return admitted(request(url, **headers), keys, (DOMAIN,), at.timestamp())


def signed(url: str = URL, **policy: Any) -> str:
    until = NOW + timedelta(hours=1)
    if not policy:
        return str(SIGNER.generate_presigned_url(url, date_less_than=until))
    own = SIGNER.build_policy(policy.pop("resource", url), until, **policy)
    return str(SIGNER.generate_presigned_url(url, policy=own))


def test_what_was_signed_does_not_go_on() -> None:
    assert enter(signed()).query == "size=2"


def test_the_names_of_a_distribution_are_one() -> None:
    assert enter(signed().replace(DOMAIN, "localhost:4711")).query == "size=2"


def test_policies_of_ones_own() -> None:
    enter(signed(resource=f"https://{DOMAIN}/ants/*"))
    enter(signed(ip_address="127.0.0.0/8", date_greater_than=NOW - timedelta(hours=1)))


def test_cookies_are_as_good() -> None:
    names = dict(part.split("=", 1) for part in urlsplit(signed()).query.split("&")[1:])
    cookies = "; ".join(f"CloudFront-{name}={value}" for name, value in names.items())
    assert enter(URL, Cookie=cookies).query == "size=2"


@pytest.mark.parametrize(
    ("url", "at", "keys", "code"),
    [
        (URL, NOW, KEYS, "MissingKey"),
        (signed(), NOW, {}, "InvalidKey"),
        (signed(), NOW + timedelta(hours=2), KEYS, "AccessDenied"),
        (signed().replace("queen", "worker"), NOW, KEYS, "AccessDenied"),
        (signed().replace("Signature=", "Signature=AA"), NOW, KEYS, "AccessDenied"),
        (signed(resource=f"https://{DOMAIN}/bees/*"), NOW, KEYS, "AccessDenied"),
        (signed(ip_address="10.0.0.0/8"), NOW, KEYS, "AccessDenied"),
        (signed(date_greater_than=NOW + timedelta(minutes=1)), NOW, KEYS, "AccessDenied"),
    ],
)
def test_who_has_not_signed_well_stays_out(url: str, at: datetime, keys: dict[str, str], code: str) -> None:
    with pytest.raises(Denied) as denied:
        enter(url, at, keys)
    assert denied.value.code == code
