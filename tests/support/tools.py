# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools in environments of their own: their pins fit no other, and nothing else needs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def installed(name: str, pins: Sequence[str]) -> Path:
    """The directory of the commands of these packages; they are installed anew when the pins have changed."""
    place = ROOT / ".cache" / name
    made = place / ".made-from"
    if not made.exists() or made.read_text() != " ".join(pins):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        install = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *pins]
        subprocess.run(install, check=True, timeout=600)
        made.write_text(" ".join(pins))
    return place / "bin"
