# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What S3 answers, as a value, and the body of a request that is looked at before moto gets it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from multidict import CIMultiDict


@dataclass(frozen=True)
class S3Answer:
    """What S3 answered; the body is complete."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


def error_answer(status: int, code: str, message: str, resource: str = "") -> S3Answer:
    detail = f"<Resource>{escape(resource)}</Resource>" if resource else ""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message>{detail}</Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    headers = CIMultiDict({"Server": "AmazonS3", "Content-Type": "application/xml"})
    return S3Answer(status, headers, body.encode())


def body_of(environ: dict[str, Any]) -> bytes:
    """The request's body, which stays readable."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
