# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a running cloud through its own pages."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

TIMEOUT = 30.0


class Refused(Exception):
    """The cloud says no, or nothing at all; the message says what."""


class Client:
    """`/_localcloud/…` of an endpoint. Every method raises Refused when the cloud says no, or nothing at all."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def get(self, path: str) -> Any:
        """The JSON of a page."""
        return json.loads(self._ask("GET", path))

    def post(self, path: str, body: object) -> Any:
        """The JSON of the answer to a body in JSON."""
        return json.loads(self._ask("POST", path, body))

    def delete(self, path: str) -> Any:
        """The JSON of the answer to a deletion."""
        return json.loads(self._ask("DELETE", path))

    def journal(self, **wanted: object) -> Iterator[str]:
        """The lines of the journal that are wanted: `after`, `service`, `operation`, `access`."""
        yield from self._ask("GET", f"journal?{urlencode(wanted)}").splitlines()

    def _ask(self, method: str, path: str, body: object = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._endpoint}/_localcloud/{path}"
        request = urllib.request.Request(url, data=data, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise Refused(error.read().decode(errors="replace").strip()) from error
        except OSError as error:
            raise Refused(f"nobody answers at {self._endpoint}: {error}") from error
