"""Pictures for people to look at, as PNG. Writing that takes Pillow, which not every installation has."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from ..compressor.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GAP = 2
"""Pixels between two tiles of a sheet."""


def sheet(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tiles uint8 [N, H, W, C] in about as many rows as columns, on white: uint8 [H', W', C]."""
    import numpy as np

    count, height, width, channels = tiles.shape
    columns = math.isqrt(count - 1) + 1
    rows = -(-count // columns)
    whole = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 255, tiles.dtype)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        whole[top : top + height, left : left + width] = tile
    return whole


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of uint8 [H, W, C], grey (C = 1) or red, green and blue. Raises MissingDependencyError."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "pictures need Pillow. Install it: pip install 'catzip[images]'"
        ) from error
    out = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return out.getvalue()
