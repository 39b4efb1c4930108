# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the cloud's own servers: PostgreSQL, Valkey, HAProxy and the registry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from localcloud import baseimages
from localcloud.engine import Engine

CONTEXT = Path(__file__).parent
REPOSITORY = "localcloud/infra"
BASE = "debian:trixie-slim"


def tag() -> str:
    """The image's name: its tag is the content of what it is built from."""
    digest = hashlib.sha256()
    for path in sorted(CONTEXT.iterdir()):
        if path.is_file() and path.suffix != ".py":
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


def ensure(engine: Engine, tell: Callable[[str], None]) -> None:
    """Build the image unless this machine has it.

    :raises EngineError: With the end of the build's output.
    :raises baseimages.BaseImageError: When its base can neither be pulled nor built.
    """
    if engine.image_exists(tag()):
        return
    for refused in baseimages.provide(engine, [BASE], tell):
        raise refused
    tell(f"Building {tag()} (PostgreSQL, Valkey, HAProxy, registry)")
    engine.build(CONTEXT, "Dockerfile", tag())
