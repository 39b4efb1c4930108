# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command, and passes its output on without the values of the environment variables that MASKED_VARIABLES names.

The output of a hook is streamed to CloudWatch Logs, and what Antenna says when it has made its demo project has the
superuser's password in it.

    python masked.py COMMAND [ARGUMENT...]
"""

from __future__ import annotations

import os
import subprocess
import sys

MASK = "********"


def main(*command: str) -> int:
    names = os.environ["MASKED_VARIABLES"].split(",")
    # Of two values of which one begins with the other, the longer one goes first.
    values = sorted(filter(None, map(os.environ.get, names)), key=len, reverse=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as run:
        for line in run.stdout:
            for value in values:
                line = line.replace(value, MASK)
            sys.stdout.write(line)
            sys.stdout.flush()
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
