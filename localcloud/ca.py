# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local certificate authority: signs for the CDN edge, Redis and PostgreSQL."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)
"""Below the 398 days that browsers accept."""


@dataclass(frozen=True)
class Issued:
    """Files in PEM: the certificate, its private key (mode 0600) and the authority's certificate."""

    certificate: Path
    key: Path
    authority: Path


class CertificateAuthority:
    """Keeps its key and what it issued under `state_dir`."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "ca.pem"
        self._key_path = state_dir / "ca-key.pem"
        self._issued_dir = state_dir / "certificates"
        self._lock = threading.Lock()
        self._key, self._certificate = self._load_or_create()

    def issue(self, names: Iterable[str], ips: Iterable[str] = ()) -> Issued:
        """A server certificate for these DNS names and addresses; the same request gets the same files.

        :raises ValueError: No name and no address, or an address that is none.
        """
        wanted = (*sorted(set(names)), *(str(ipaddress.ip_address(ip)) for ip in sorted(set(ips))))
        if not wanted:
            raise ValueError("a certificate needs at least one name or address")
        stem = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        issued = Issued(self._issued_dir / f"{stem}.pem", self._issued_dir / f"{stem}-key.pem", self.path)
        with self._lock:
            if not (issued.certificate.exists() and issued.key.exists()):
                self._issued_dir.mkdir(mode=0o700, exist_ok=True)
                self._sign(wanted, issued)
        return issued

    def _sign(self, wanted: tuple[str, ...], issued: Issued) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [_general_name(name) for name in wanted]
        certificate = (
            _builder(_subject(wanted[0][:64]), self._certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write_private(issued.key, _key_pem(key))
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _load_or_create(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        if self.path.exists() and self._key_path.exists():
            key = serialization.load_pem_private_key(self._key_path.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{self._key_path} is not a key of this authority: remove it and its ca.pem")
            return key, x509.load_pem_x509_certificate(self.path.read_bytes())
        return self._create()

    def _create(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject("localcloud rehearsal CA")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(self._key_path, _key_pem(key))
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return key, certificate


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # Clocks of containers and of this machine may differ by moments.
    start = datetime.now(UTC) - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
