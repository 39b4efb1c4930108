# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where processes listen, from what Linux tells in /proc."""

from __future__ import annotations

import ipaddress
import re
import subprocess
import sys
from collections.abc import Sequence

LISTENING = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def addresses_of(pid: int) -> set[str]:
    """The addresses on whose TCP ports a process listens."""
    return _addresses(["sh", "-c"], f"/proc/{pid}")


def addresses_in(container: str) -> set[str]:
    """The addresses on whose TCP ports a container's processes listen."""
    return _addresses(["docker", "exec", container, "sh", "-c"], "/proc/[0-9]*")


def _addresses(shell: Sequence[str], process: str) -> set[str]:
    tables, descriptors = (
        # A process may be gone before it is looked at.
        subprocess.run([*shell, f"{look} 2>/dev/null || true"], capture_output=True, text=True, timeout=30, check=True)
        for look in (f"cat {process}/net/tcp {process}/net/tcp6", f"ls -l {process}/fd")
    )
    own = set(_SOCKET.findall(descriptors.stdout))
    rows = (line.split() for line in tables.stdout.splitlines())
    return {_address(row[1]) for row in rows if row[3] == LISTENING and row[9] in own}


def _address(text: str) -> str:
    """Four bytes a word, each word as this machine has it: `0100007F:1388` is port 5000 of 127.0.0.1."""
    digits = text.partition(":")[0]
    words = (bytes.fromhex(digits[start : start + 8]) for start in range(0, len(digits), 8))
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
