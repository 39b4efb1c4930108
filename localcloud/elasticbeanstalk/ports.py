# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports on loopback that stand for those of instances and environments."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable

from localcloud.elasticbeanstalk.ec2 import LaunchError
from localcloud.names import LOOPBACK
from localcloud.ports import is_free

# Below those that outgoing connections use.
PORTS = range(20000, 30000)


class NoPort(LaunchError):
    """All ports are taken, so nothing more can be launched here."""


class Ports:
    """Lends ports: none twice, and the same purpose gets the same again while it is free."""

    def __init__(self, cloud_id: str) -> None:
        """Lend them to one cloud: another begins to look elsewhere for the same purpose."""
        self._cloud_id = cloud_id
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def take(self, purpose: str) -> int:
        """A free port, the borrower's until it is given back.

        :raises NoPort: When there is none.
        """
        start = zlib.crc32(f"{self._cloud_id}:{purpose}".encode()) % len(PORTS)
        with self._lock:
            for offset in range(len(PORTS)):
                port = PORTS[(start + offset) % len(PORTS)]
                if port not in self._taken and is_free(port):
                    self._taken.add(port)
                    return port
        raise NoPort(f"no port between {PORTS[0]} and {PORTS[-1]} is free on {LOOPBACK}")

    def give_back(self, ports: Iterable[int]) -> None:
        """Let others have them."""
        with self._lock:
            self._taken -= set(ports)
