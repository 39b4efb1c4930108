# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where AWS-like DNS names lead on this machine."""

from __future__ import annotations

import threading
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
"""Where this machine listens to itself alone."""


@dataclass(frozen=True)
class Address:
    """A host and port on this machine."""

    host: str
    port: int
    secure_port: int | None = None


class Names:
    """A small DNS: names are compared without case and trailing dot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: dict[str, Address] = {}

    def set(self, domain: str, address: Address) -> None:
        """Let `domain` lead there from now on."""
        with self._lock:
            self._addresses[_normal(domain)] = address

    def get(self, domain: str) -> Address | None:
        """The address behind `domain`, or None when the name does not exist."""
        with self._lock:
            return self._addresses.get(_normal(domain))

    def remove(self, domain: str) -> None:
        """Forget `domain`; a name that does not exist is no error."""
        with self._lock:
            self._addresses.pop(_normal(domain), None)

    def all(self) -> dict[str, Address]:
        """A copy of every name."""
        with self._lock:
            return dict(self._addresses)


def _normal(domain: str) -> str:
    return domain.rstrip(".").lower()
