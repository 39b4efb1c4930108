# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of viewers and the replies that the edge itself makes of them."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from multidict import CIMultiDict

POP = "LOC50-P1"
"""The name of this edge location."""


@dataclass(frozen=True)
class ViewerRequest:
    """A request as it came in; `path` and `query` are percent-encoded."""

    method: str
    scheme: str
    path: str
    query: str
    headers: CIMultiDict[str]
    ip: str
    body: AsyncIterator[bytes] | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(40))

    @property
    def query_pairs(self) -> tuple[tuple[str, str], ...]:
        parts = (part.partition("=") for part in self.query.split("&") if part)
        return tuple((name, value) for name, _, value in parts)

    @property
    def cookie_pairs(self) -> tuple[tuple[str, str], ...]:
        parts = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";") if part.strip())
        return tuple((name, value) for name, _, value in parts)

    @property
    def host(self) -> str:
        return urlsplit("//" + self.headers.get("Host", "")).hostname or ""


@dataclass(frozen=True)
class Reply:
    """What the viewer gets; `result` is the first word of X-Cache (Hit, Miss, Error, …)."""

    status: int
    headers: CIMultiDict[str]
    body: bytes | AsyncIterator[bytes]
    result: str
    close: Callable[[], Any] | None = None


def via(viewer: ViewerRequest) -> str:
    return f"1.1 {viewer.id[:32].lower().replace('_', '0').replace('-', '0')}.cloudfront.net (CloudFront)"


def for_viewer(viewer: ViewerRequest, reply: Reply) -> Reply:
    """Conditional and partial requests, as far as the edge answers them itself."""
    if reply.status != 200 or viewer.method not in ("GET", "HEAD"):
        return reply
    if is_not_modified(viewer.headers, reply.headers):
        headers = CIMultiDict(reply.headers)
        for name in ("Content-Length", "Content-Type", "Content-Encoding"):
            headers.popall(name, None)
        return replace(reply, status=304, headers=headers)
    if isinstance(reply.body, bytes) and viewer.method == "GET" and "Range" in viewer.headers:
        return partial(reply, reply.body, viewer.headers["Range"])
    return reply


def is_not_modified(asked: CIMultiDict[str], headers: CIMultiDict[str]) -> bool:
    if "If-None-Match" in asked:
        etag = headers.get("ETag", "").removeprefix("W/")
        known = [part.strip().removeprefix("W/") for part in asked["If-None-Match"].split(",")]
        return bool(etag) and (etag in known or "*" in known)
    if "If-Modified-Since" in asked and "Last-Modified" in headers:
        try:
            return parsedate_to_datetime(headers["Last-Modified"]) <= parsedate_to_datetime(asked["If-Modified-Since"])
        except (TypeError, ValueError):
            return False
    return False


def partial(reply: Reply, body: bytes, asked: str) -> Reply:
    """One byte range of a complete body; several ranges or another unit give the whole, as HTTP allows."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.strip())
    size = len(body)
    if match is None or match.groups() == ("", ""):
        return reply
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    headers = CIMultiDict(reply.headers)
    if start >= size or start > end:
        headers["Content-Range"] = f"bytes */{size}"
        headers["Content-Length"] = "0"
        return replace(reply, status=416, headers=headers, body=b"", result="Error")
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    headers["Content-Length"] = str(end - start + 1)
    return replace(reply, status=206, headers=headers, body=body[start : end + 1])


def redirect_to_https(viewer: ViewerRequest, https_port: int) -> Reply:
    query = f"?{viewer.query}" if viewer.query else ""
    location = f"https://{viewer.host}:{https_port}{viewer.path}{query}"
    status = 301 if viewer.method in ("GET", "HEAD") else 307
    body = f"<html><head><title>{status}</title></head><body>{escape(location)}</body></html>\n".encode()
    headers = CIMultiDict(
        {
            "Server": "CloudFront",
            "Content-Type": "text/html",
            "Content-Length": str(len(body)),
            "Location": location,
        }
    )
    return Reply(status, headers, body, "Redirect")


def error_page(viewer: ViewerRequest, status: int, message: str, result: str = "Error") -> Reply:
    """An error that CloudFront itself gives, with its reason for people."""
    body = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>ERROR: The request could not be satisfied</title></head><body>"
        f"<h1>{status} {HTTPStatus(status).phrase}</h1><h2>The request could not be satisfied.</h2>"
        f"<p>{escape(message)}</p><hr><p>Generated by cloudfront (CloudFront)<br>Request ID: {viewer.id}</p>"
        "</body></html>\n"
    ).encode()
    headers = CIMultiDict(
        {"Server": "CloudFront", "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    )
    return Reply(status, headers, body, result)


def denial(code: str, message: str) -> Reply:
    """To a viewer of private content who has not signed, or not well."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    headers = CIMultiDict({"Server": "CloudFront", "Content-Type": "text/xml", "Content-Length": str(len(body))})
    return Reply(403, headers, body.encode(), "Error")
