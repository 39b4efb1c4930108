"""The pipelines of the minimal service: one, which finds the same thing in every image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def constant(image: str) -> dict[str, Any]:
    return {"source_image_id": image, "bbox": [0.0, 0.0, 1.0, 1.0], "classification": "Moth", "score": 0.9}


PIPELINES: dict[str, Callable[[str], dict[str, Any]]] = {"constant": constant}
INFO: dict[str, Any] = {
    "name": "Minimal processing service",
    "description": "One pipeline that finds the same moth in every image.",
    "pipelines": [{"slug": "constant", "name": "Constant", "version": 1}],
}
