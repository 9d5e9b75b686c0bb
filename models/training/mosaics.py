"""Images for training, as tiles of one size; files in the .npy format, so that their shape travels with them."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np

from ...compressor.errors import CatzipError, MissingDependencyError
from ..backends.base import NumpyArray

TILE = 32

_NPY = b"\x93NUMPY"


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
    """The arrays of .npy files one after another, joined; or data of no such format as items: uint8 [N, *shape].

    shape  of an item; () where any is possible, which only .npy files and images say
    Raises CatzipError for data that is no such thing.
    """
    items = _arrays(data) if data.startswith(_NPY) else _raw(data, shape)
    if items.dtype != np.uint8 or (shape and items.shape[1:] != shape) or not 3 <= items.ndim <= 4:
        wanted = " x ".join(map(str, ("N", *shape))) if shape else "N x height x width x channels"
        raise CatzipError(f"a corpus is {items.dtype} {list(items.shape)}; the model takes uint8, {wanted}")
    if not len(items):
        raise CatzipError("a corpus has no items: its images are smaller than a tile, or it is empty")
    return items


def _arrays(data: bytes) -> NumpyArray:
    file, found = io.BytesIO(data), list[NumpyArray]()
    try:
        while file.tell() < len(data):
            found.append(np.lib.format.read_array(file, allow_pickle=False))
    except (EOFError, ValueError) as error:
        raise CatzipError(f"a corpus begins as .npy and does not go on so: {error}") from error
    kinds = {(array.dtype.str, array.shape[1:]) for array in found}
    if len(kinds) > 1:
        raise CatzipError(f"the arrays of a corpus are not alike: items of {sorted(map(str, kinds))}")
    return np.concatenate(found)


def _raw(data: bytes, shape: tuple[int, ...]) -> NumpyArray:
    if not shape or len(data) % math.prod(shape):
        what = f"whole items of {math.prod(shape)}" if shape else "images of a known size"
        raise CatzipError(f"a corpus has {len(data)} bytes, which are not {what}; give .npy files")
    return np.frombuffer(data, np.uint8).reshape(-1, *shape)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles start, as few as cover the length."""
    count = -(-length // side) if length >= side else 0
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]
