# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a rehearsal cloud keeps its files, and how others find it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

ENVIRONMENT_VARIABLE = "LOCALCLOUD_STATE"
DEFAULT_DIRECTORY = ".localcloud"


@dataclass(frozen=True)
class Ready:
    """What the ready file says: `ca` is an absolute path, `registry` is host:port."""

    endpoint: str
    container_endpoint: str
    registry: str
    ca: str
    account_id: str
    region: str
    pid: int


@dataclass(frozen=True)
class State:
    """A rehearsal cloud's directory."""

    directory: Path

    @classmethod
    def of(cls, directory: str | None) -> State:
        """The directory asked for, else LOCALCLOUD_STATE, else `.localcloud` here."""
        chosen = directory or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_DIRECTORY
        return cls(Path(chosen).absolute())

    @property
    def cloud_id(self) -> str:
        """Eight hex digits that tell this directory's cloud from others on the machine."""
        return hashlib.sha256(str(self.directory.resolve()).encode()).hexdigest()[:8]

    @property
    def ready_file(self) -> Path:
        return self.directory / "ready.json"

    @property
    def failure_file(self) -> Path:
        """The message of a start that failed."""
        return self.directory / "failure.txt"

    @property
    def log_file(self) -> Path:
        return self.directory / "localcloud.log"

    @property
    def pid_file(self) -> Path:
        return self.directory / "pid"

    def read_ready(self) -> Ready | None:
        """What the ready file says, or None when there is none or it is damaged."""
        try:
            return Ready(**json.loads(self.ready_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_ready(self, ready: Ready) -> None:
        """Write it whole or not at all: others wait for it to appear."""
        unfinished = self.ready_file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(ready), indent=2) + "\n")
        unfinished.replace(self.ready_file)

    def daemon_pid(self) -> int | None:
        """The process id of the daemon that runs for this directory, or None."""
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if _is_ours(pid, self.directory) else None


def _is_ours(pid: int, directory: Path) -> bool:
    """Process ids are reused: only one whose command line names our directory counts."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status != "Z" and b"localcloud" in words and str(directory).encode() in words
