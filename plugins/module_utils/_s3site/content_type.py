# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content type of a file of a web site, by its name alone: the same on any machine.

The table of Python's ``mimetypes`` differs between machines, because it reads files of the system, and between
versions. So what web sites are made of is listed here, and only the rest is asked of Python's built-in table.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping

_TEXT = "; charset=utf-8"

CONTENT_TYPES: Mapping[str, str] = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".br": "application/octet-stream",
    ".css": "text/css" + _TEXT,
    ".csv": "text/csv" + _TEXT,
    ".eot": "application/vnd.ms-fontobject",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html" + _TEXT,
    ".html": "text/html" + _TEXT,
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _TEXT,
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown" + _TEXT,
    ".mjs": "text/javascript" + _TEXT,
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _TEXT,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}

_UNKNOWN = "application/octet-stream"
# An instance of its own reads none of the system's files.
_BUILT_IN = mimetypes.MimeTypes(filenames=())


def content_type(name: str) -> str:
    """The content type for a file's name, for example ``text/html; charset=utf-8``."""
    dot = name.rfind(".")
    suffix = name[dot:].lower() if dot > name.rfind("/") else ""
    if suffix in CONTENT_TYPES:
        return CONTENT_TYPES[suffix]
    guessed, encoding = _BUILT_IN.guess_type(name, strict=True)
    return guessed if guessed and not encoding else _UNKNOWN
