# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small parts of the cloud: authority, names, state, versions."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from localcloud.ca import CertificateAuthority
from localcloud.data.elasticache.group import full_version, region_code
from localcloud.names import Address, Names
from localcloud.state import Ready, State


def test_authority_survives_and_repeats_itself(tmp_path: Path) -> None:
    first = CertificateAuthority(tmp_path).issue(["a.example", "b.example"], ["127.0.0.1"])
    again = CertificateAuthority(tmp_path).issue(["b.example", "a.example"], ["127.0.0.1"])
    assert first == again
    context = ssl.create_default_context(cafile=str(first.authority))
    assert len(context.get_ca_certs()) == 1
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(first.certificate, first.key)
    for private in (first.key, tmp_path / "ca-key.pem"):
        assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="at least one name"):
        CertificateAuthority(tmp_path).issue([])


def test_names_ignore_case_and_dot() -> None:
    names = Names()
    names.set("Web.Example.", Address("127.0.0.1", 80))
    assert names.get("web.example") == Address("127.0.0.1", 80)
    names.remove("WEB.example")
    names.remove("WEB.example")
    assert names.get("web.example") is None and names.all() == {}


def test_state_knows_its_own_daemon_only(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert state.daemon_pid() is None
    state.pid_file.write_text(f"{os.getpid()}\n")
    assert state.daemon_pid() is None
    assert State(tmp_path).cloud_id != State(tmp_path / "other").cloud_id


def test_damaged_ready_file_counts_as_none(tmp_path: Path) -> None:
    state = State(tmp_path)
    ready = Ready("http://127.0.0.1:1", "http://172.17.0.1:1", "127.0.0.1:2", "/ca.pem", "123456789012", "us-west-2", 1)
    state.write_ready(ready)
    assert state.read_ready() == ready
    state.ready_file.write_text("{")
    assert state.read_ready() is None


@pytest.mark.parametrize(("version", "full"), [("7.1", "7.1.0"), ("7", "7.0.0"), ("6.2.6", "6.2.6"), (None, "7.1.0")])
def test_cache_version_is_reported_in_full(version: str | None, full: str) -> None:
    assert full_version("redis", version) == full


@pytest.mark.parametrize(
    ("region", "code"), [("us-west-2", "usw2"), ("eu-central-1", "euc1"), ("ap-southeast-2", "apse2")]
)
def test_region_code(region: str, code: str) -> None:
    assert region_code(region) == code
