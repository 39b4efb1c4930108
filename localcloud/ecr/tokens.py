# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what at the registry: ECR's passwords, and the bearer tokens that the registry asks us for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from localcloud.clock import Clock

PASSWORD_LIFETIME = timedelta(hours=12)
REMEMBERED = timedelta(days=7)
"""How long after its end a password is still known to have been one."""
BEARER_LIFETIME = timedelta(minutes=15)
USER = "AWS"
SERVICE = "localcloud-registry"
ISSUER = "localcloud"


@dataclass(frozen=True)
class Access:
    """Actions (pull, push, delete) on one repository."""

    repository: str
    actions: tuple[str, ...]


class Passwords:
    """What GetAuthorizationToken has given out; each is good for twelve hours. Only digests are kept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._expiry: dict[str, datetime] = {}

    def issue(self) -> tuple[str, datetime]:
        """A new password and when it expires."""
        password = secrets.token_urlsafe(96)
        expires = self._clock.now() + PASSWORD_LIFETIME
        with self._lock:
            oldest = self._clock.now() - REMEMBERED
            self._expiry = {digest: end for digest, end in self._expiry.items() if end > oldest}
            self._expiry[_digest(password)] = expires
        return password, expires

    def is_valid(self, user: str, password: str) -> bool:
        """Whether it is one of ours and has not expired."""
        return user == USER and self._is_ours(password) and not self.has_expired(password)

    def has_expired(self, password: str) -> bool:
        """Whether it was one of ours and is none any more."""
        with self._lock:
            expires = self._expiry.get(_digest(password))
        return expires is not None and self._clock.now() >= expires

    def _is_ours(self, password: str) -> bool:
        with self._lock:
            return _digest(password) in self._expiry


class Bearers:
    """Signs the registry's bearer tokens, in the format of its token authentication specification."""

    def __init__(self, certificate: Path, key: Path, clock: Clock) -> None:
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key} is not an elliptic curve key")
        self._key = loaded
        der = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
        self._header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        self._clock = clock

    def sign(self, access: Iterable[Access]) -> dict[str, Any]:
        """The registry's answer to a token request that grants this access."""
        now = self._clock.now()
        claims = {
            "iss": ISSUER,
            "sub": USER,
            "aud": SERVICE,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()) - 10,
            "exp": int((now + BEARER_LIFETIME).timestamp()),
            "jti": secrets.token_hex(8),
            "access": [{"type": "repository", "name": a.repository, "actions": list(a.actions)} for a in access],
        }
        signed = f"{_base64_json(self._header)}.{_base64_json(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        token = f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
        return {
            "token": token,
            "access_token": token,
            "expires_in": int(BEARER_LIFETIME.total_seconds()),
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def grant(scopes: Iterable[str], exists: Callable[[str], bool]) -> list[Access]:
    """What a client with a valid password gets of the scopes `repository:<name>:<actions>` that it asks for.

    As in ECR there is nothing at a repository that was not created, and images are deleted by its API alone.
    """
    granted = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, wanted = rest.rpartition(":")
        actions = tuple(action for action in wanted.split(",") if action in ("pull", "push"))
        if kind == "repository" and actions and exists(name):
            granted.append(Access(name, actions))
    return granted


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _base64_json(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())
