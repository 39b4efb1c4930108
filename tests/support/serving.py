# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of this folder, run for tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@contextlib.contextmanager
def serving(script: str, *options: str) -> Iterator[str]:
    """Run a server of this folder meanwhile; the value is its URL, which it writes once it listens."""
    # It has a line for each request; of a server that does not start, the words are wanted.
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, str(HERE / script), *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        endpoint = server.stdout.readline().strip()
        errors.seek(0)
        assert endpoint, errors.read().decode()
        try:
            yield endpoint
        finally:
            server.terminate()
