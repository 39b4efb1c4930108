# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compression at the edge: the developer guide's "Serve compressed files"."""

from __future__ import annotations

from multidict import CIMultiDict

from localcloud.cloudfront.cache import normalized_accept_encoding
from localcloud.cloudfront.distribution import Behavior
from localcloud.cloudfront.origins import OriginAnswer
from localcloud.cloudfront.replies import ViewerRequest

COMPRESSIBLE_LENGTH = range(1_000, 10_000_001)
COMPRESSIBLE_TYPES = frozenset(
    {
        "application/dash+xml",
        "application/eot",
        "application/font",
        "application/font-sfnt",
        "application/javascript",
        "application/json",
        "application/opentype",
        "application/otf",
        "application/pdf",
        "application/pkcs7-mime",
        "application/protobuf",
        "application/rss+xml",
        "application/truetype",
        "application/ttf",
        "application/vnd.apple.mpegurl",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xhtml+xml",
        "application/xml",
        "application/x-font-opentype",
        "application/x-font-truetype",
        "application/x-font-ttf",
        "application/x-httpd-cgi",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-opentype",
        "application/x-otf",
        "application/x-perl",
        "application/x-ttf",
        "font/eot",
        "font/opentype",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/js",
        "text/plain",
        "text/richtext",
        "text/tab-separated-values",
        "text/xml",
        "text/x-component",
        "text/x-java-source",
        "text/x-script",
        "vnd.apple.mpegurl",
    }
)


def should_compress(viewer: ViewerRequest, behavior: Behavior, answer: OriginAnswer) -> bool:
    """The developer guide's conditions for compression at the edge; only gzip is done here."""
    policy = behavior.cache_policy
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    length = answer.headers.get("Content-Length", "")
    return (
        behavior.compress
        and policy.max_ttl > 0
        and viewer.method == "GET"
        and answer.status in (200, 403, 404)
        and "gzip" in normalized_accept_encoding(policy, viewer.headers.get("Accept-Encoding", "")).split(",")
        and "Content-Encoding" not in answer.headers
        and kind in COMPRESSIBLE_TYPES
        and length.isdigit()
        and int(length) in COMPRESSIBLE_LENGTH
    )


def compressed_headers(headers: CIMultiDict[str], length: int) -> CIMultiDict[str]:
    changed = CIMultiDict(headers)
    changed["Content-Encoding"] = "gzip"
    changed["Content-Length"] = str(length)
    changed["Vary"] = ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))
    changed.popall("Accept-Ranges", None)
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):
        changed["ETag"] = f"W/{etag}"
    return changed
