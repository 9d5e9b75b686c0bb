"""The frequencies after every pair, at once and one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from catzip.compressor.coding.model import Model, Plan
from catzip.models import checkpoint
from catzip.models.backends.base import Arrays, NumpyArray

from .codec import normalised


def digests(path: Path, arrays: Arrays) -> dict[str, str]:
    counts = checkpoint.load(path).arrays["counts"].astype("i8") + 1
    ways = {"all pairs at once": len(counts), "pair by pair": 1}
    return {
        name: hashlib.sha256(
            b"".join(normalised(counts[i : i + each]).tobytes() for i in range(0, len(counts), each))
        ).hexdigest()
        for name, each in ways.items()
    }


def frames(model: Model) -> Iterator[tuple[str, NumpyArray, Plan]]:
    return iter(())
