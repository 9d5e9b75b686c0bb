"""A folder for what has to be a file, in memory where the system has such a place."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_MEMORY = Path("/dev/shm")


@cache
def _folder() -> TemporaryDirectory[str]:
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    return TemporaryDirectory(prefix="catzip-fuzz-", dir=place)


def folder(name: str) -> Path:
    """An own folder of this process, of this name."""
    path = Path(_folder().name) / name
    path.mkdir(exist_ok=True)
    return path


def written(name: str, data: bytes) -> Path:
    """A file with this name that holds `data`."""
    path = folder("files") / name
    path.write_bytes(data)
    return path
