"""Training: the loop that fits the exact models, by quantisation-aware training (QAT). Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .loop import holds_run, train
from .recipe import load, names

__all__ = ["holds_run", "load", "names", "run", "train"]


def run(
    recipe: str | Path,
    data: Path,
    minutes: float | None,
    out: Path,
    resume: bool,
    start: str | None,
    device: str,
    report: Callable[[dict[str, Any]], None],
) -> Path:
    """Train the recipe of this name or file: what ``catzip train`` calls. Returns the exported weights."""
    return train(
        load(recipe), data, out, minutes=minutes, resume=resume, start=start, device=device, report=report
    )
