# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports that a cloud gets."""

from __future__ import annotations

import contextlib
import socket

from localcloud.names import LOOPBACK
from localcloud.ports import listen


def port_of(sockets: list[socket.socket]) -> int:
    (port,) = {listening.getsockname()[1] for listening in sockets}
    return int(port)


def test_of_two_clouds_that_want_a_port_one_has_it() -> None:
    with contextlib.ExitStack() as opened:
        first = listen([LOOPBACK], 0)
        opened.enter_context(first[0])
        second = listen([LOOPBACK], port_of(first))
        opened.enter_context(second[0])
        assert port_of(second) != port_of(first)


def test_one_port_serves_all_addresses() -> None:
    with contextlib.ExitStack() as opened:
        with socket.create_server((LOOPBACK, 0)) as free:
            preferred = free.getsockname()[1]
        sockets = [opened.enter_context(one) for one in listen([LOOPBACK, "127.0.0.2"], preferred)]
        assert port_of(sockets) == preferred
        # Taken on one of the addresses only is taken.
        others = [opened.enter_context(one) for one in listen(["127.0.0.3", "127.0.0.2"], preferred)]
        assert port_of(others) != preferred
