# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private content: signed URLs and signed cookies, as the developer guide's "Serve private content" describes them.

The names that lead to the distribution count as one: who signs for its domain is let in by this machine's port as well.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from localcloud.cloudfront.replies import ViewerRequest

PARAMETERS = ("Expires", "Policy", "Signature", "Key-Pair-Id")
IN_COOKIES = "CloudFront-"
_FROM_URL = str.maketrans("-_~", "+=/")


class Denied(Exception):
    """The viewer may not have it; `code` and the message are CloudFront's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def admitted(viewer: ViewerRequest, keys: Mapping[str, str], hosts: Iterable[str], now: float) -> ViewerRequest:
    """The request of a viewer who may come, without what was signed in its URL.

    :param keys: The trusted public keys, in PEM, by their ids.
    :param hosts: The names of the distribution besides that in the request.
    :raises Denied: When he may not.
    """
    given, rest = _signature(viewer)
    if "Key-Pair-Id" not in given:
        raise Denied("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
    key = keys.get(given["Key-Pair-Id"])
    if key is None:
        raise Denied("InvalidKey", "Unknown Key")
    bare = replace(viewer, query=rest)
    urls = [_url(bare, host) for host in (viewer.headers.get("Host", ""), *hosts)]
    if not _is_allowed(given, key, urls, viewer.ip, now):
        raise Denied("AccessDenied", "Access denied")
    return bare


def _signature(viewer: ViewerRequest) -> tuple[dict[str, str], str]:
    """What was signed, from the URL or else from cookies, and the query without it."""
    parts = [part for part in viewer.query.split("&") if part]
    rest = "&".join(part for part in parts if part.partition("=")[0] not in PARAMETERS)
    in_url = {name: value for name, value in viewer.query_pairs if name in PARAMETERS}
    if in_url:
        return in_url, rest
    cookies = dict(viewer.cookie_pairs)
    return {name: cookies[IN_COOKIES + name] for name in PARAMETERS if IN_COOKIES + name in cookies}, rest


def _url(viewer: ViewerRequest, host: str) -> str:
    return f"{viewer.scheme}://{host}{viewer.path}" + (f"?{viewer.query}" if viewer.query else "")


def _is_allowed(given: Mapping[str, str], key: str, urls: Iterable[str], address: str, now: float) -> bool:
    signature = _decoded(given.get("Signature", ""))
    if "Policy" in given:
        policy = _decoded(given["Policy"])
        return _is_signed(key, signature, policy) and any(_covers(policy, url, address, now) for url in urls)
    expires = given.get("Expires", "")
    if not expires.isdecimal() or int(expires) <= now:
        return False
    return any(_is_signed(key, signature, _canned(url, int(expires))) for url in urls)


def _canned(url: str, expires: int) -> bytes:
    condition = {"DateLessThan": {"AWS:EpochTime": expires}}
    return json.dumps({"Statement": [{"Resource": url, "Condition": condition}]}, separators=(",", ":")).encode()


def _covers(policy: bytes, url: str, address: str, now: float) -> bool:
    """Whether a policy of one's own lets this viewer have this now."""
    try:
        (statement,) = json.loads(policy)["Statement"]
        return _matches(statement.get("Resource", "*"), url) and _holds(statement["Condition"], address, now)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _holds(condition: Mapping[str, Any], address: str, now: float) -> bool:
    from_then = condition.get("DateGreaterThan", {}).get("AWS:EpochTime", 0)
    network = ipaddress.ip_network(condition.get("IpAddress", {}).get("AWS:SourceIp", "0.0.0.0/0"), strict=False)
    return from_then < now < condition["DateLessThan"]["AWS:EpochTime"] and ipaddress.ip_address(address) in network


def _matches(resource: str, url: str) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in resource)
    return re.fullmatch(pattern, url) is not None


def _is_signed(key: str, signature: bytes, content: bytes) -> bool:
    """Of the kinds of keys RSA alone is known here."""
    try:
        public = load_pem_public_key(key.encode())
        if not isinstance(public, RSAPublicKey):
            return False
        public.verify(signature, content, PKCS1v15(), SHA1())  # noqa: S303 (CloudFront's own)
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.translate(_FROM_URL))
    except ValueError:
        return b""
