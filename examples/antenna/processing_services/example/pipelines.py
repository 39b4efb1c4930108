"""The pipelines of the example service: what they find depends on the image, and only on it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

SPECIES = ("Actias luna", "Hyalophora cecropia", "Catocala relicta", "Deilephila elpenor", "Arctia caja")


def detect(image: str) -> dict[str, Any]:
    """A box within the image, corners as fractions of its size."""
    left, top, *_ = (byte / 512 for byte in sha256(image.encode()).digest())
    return {"source_image_id": image, "bbox": [left, top, left + 0.5, top + 0.5]}


def classify(image: str) -> dict[str, Any]:
    digest = sha256(f"species of {image}".encode()).digest()
    return {**detect(image), "classification": SPECIES[digest[0] % len(SPECIES)], "score": digest[1] / 255}


PIPELINES: dict[str, Callable[[str], dict[str, Any]]] = {"detect": detect, "detect-and-classify": classify}
INFO: dict[str, Any] = {
    "name": "Example processing service",
    "description": "Shows how a service offers several pipelines.",
    "pipelines": [
        {"slug": "detect", "name": "Detect", "version": 1},
        {"slug": "detect-and-classify", "name": "Detect and classify", "version": 1},
    ],
}
