"""Which release this is."""

from __future__ import annotations

RELEASE = "1.0.0"
