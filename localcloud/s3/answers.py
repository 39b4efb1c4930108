# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What S3 answers, as a value."""

from __future__ import annotations

from dataclasses import dataclass
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
