"""Tiny random networks, saved like trained ones: the matrix needs no trained weights to be a test."""

from __future__ import annotations

from pathlib import Path

from ...models import checkpoint
from ...models.families import table


def save_random(folder: Path) -> list[Path]:
    """Writes those of every family into this folder; where they are."""
    paths = []
    for family in map(table.examples_of, table.FAMILIES):
        for name, config in family.EXAMPLES.items():
            paths.append(folder / f"{name}.safetensors")
            checkpoint.save(paths[-1], family.random_checkpoint(config, name))
    return paths
