"""Images for training, as tiles of one size; files in the .npy format, so that their shape travels with them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ...compressor.errors import MissingDependencyError
from ..arrays import NumpyArray

TILE = 32


def read_tiles(path: Path, side: int = TILE) -> bytes:
    """The tiles of a colour image, row by row: uint8 [N, side, side, 3] as a .npy file. Where they do not fit evenly
    they overlap; an image that is smaller gives none.

    Raises MissingDependencyError without Pillow.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError(
            f"{path.name}: reading images takes Pillow: pip install 'catzip[images]'"
        ) from error
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    rows, columns = (_starts(length, side) for length in pixels.shape[:2])
    cut = [pixels[y : y + side, x : x + side] for y in rows for x in columns]
    file = io.BytesIO()
    np.save(file, np.stack(cut) if cut else np.empty((0, side, side, 3), np.uint8))
    return file.getvalue()


def tiles(data: bytes, shape: tuple[int, ...]) -> NumpyArray:
    """The arrays of .npy files one after another, joined; or data of no such format, as items of ``shape``: uint8."""
    if not data.startswith(b"\x93NUMPY"):
        return np.frombuffer(data, np.uint8).reshape(-1, *shape)
    file, found = io.BytesIO(data), []
    while file.tell() < len(data):
        found.append(np.load(file))
    return np.concatenate(found)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles start, as few as cover the length."""
    count = -(-length // side) if length >= side else 0
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]
