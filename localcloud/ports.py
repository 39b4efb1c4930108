# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of this machine: which are free, and the one that a cloud gets."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence

from localcloud.names import LOOPBACK

BACKLOG = 128
STEP = 20
"""From a port that is taken to the next to try: there is room for the registry's, 11 further, in between."""


def bound(port: int) -> socket.socket | None:
    """A socket bound to the port of loopback (0: any), None when others have it.

    As with servers, a connection of a predecessor that still winds up does not count.
    """
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
    except OSError:
        made.close()
        return None
    return made


def is_free(port: int) -> bool:
    """Whether nobody has the port of loopback."""
    made = bound(port)
    if made is not None:
        made.close()
    return made is not None


def free_port(preferred: int) -> int:
    """The preferred port of loopback if it is free, else one that is.

    :raises OSError: When no port from the preferred one on is free.
    """
    for port in _candidates(preferred):
        if is_free(port):
            return port
    raise _none_free(preferred)


def listen(addresses: Sequence[str], preferred: int) -> list[socket.socket]:
    """Sockets that listen on one port of all addresses: the preferred one if it is free, else one that is.

    They are had before the cloud is made, which tells the port to others: of two that start at once only one has it.

    :raises OSError: When no port from the preferred one on is free.
    """
    for port in _candidates(preferred):
        with contextlib.ExitStack() as opened:
            try:
                sockets = [
                    opened.enter_context(socket.create_server((address, port), backlog=BACKLOG))
                    for address in addresses
                ]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                opened.pop_all()
                return sockets
    raise _none_free(preferred)


def _candidates(preferred: int) -> range:
    """Ports of our own choosing: one that the system chooses may be a connection's a moment later."""
    return range(preferred, 2**16, STEP)


def _none_free(preferred: int) -> OSError:
    return OSError(errno.EADDRINUSE, f"none of the ports {preferred}, {preferred + STEP}, … is free")
