# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's passwords expire, and the registry's tokens grant what ECR would."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from localcloud.ca import CertificateAuthority
from localcloud.ecr.tokens import Access, Bearers, Passwords, grant


class FakeClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def test_password_is_good_for_twelve_hours() -> None:
    clock = FakeClock()
    passwords = Passwords(clock)
    password, expires = passwords.issue()
    assert expires == clock.now() + timedelta(hours=12)
    clock.wait(12 * 3600 - 1)
    assert passwords.is_valid("AWS", password)
    second, _ = passwords.issue()
    clock.wait(1)
    assert not passwords.is_valid("AWS", password)
    assert passwords.is_valid("AWS", second)
    assert not passwords.is_valid("root", second)


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("repository:here:pull,push", [Access("here", ("pull", "push"))]),
        ("repository:here:pull,delete", [Access("here", ("pull",))]),
        ("repository:here:*", []),
        ("repository:absent:push", []),
        ("registry:catalog:*", []),
    ],
)
def test_grant(scope: str, granted: list[Access]) -> None:
    assert grant([scope], lambda name: name == "here") == granted


def test_token_is_signed_by_the_certificate_in_it(tmp_path: Path) -> None:
    issued = CertificateAuthority(tmp_path).issue(["registry.localcloud"])
    token = Bearers(issued.certificate, issued.key, FakeClock()).sign([Access("web", ("pull",))])["token"]
    header, claims, signature = token.split(".")
    der = base64.b64decode(json.loads(_decoded(header))["x5c"][0])
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    raw = _decoded(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.verify(encode_dss_signature(r, s), f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(_decoded(claims))["access"] == [{"type": "repository", "name": "web", "actions": ["pull"]}]


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
