"""Images for training: mosaics of 32 x 32 tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...compressor.errors import MissingDependencyError

TILE = 32


def read_tiles(path: Path) -> bytes:
    """The tiles of a colour image, row by row: uint8 [N, 32, 32, 3] as bytes. Edges that make no tile are left out.

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
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    cut = pixels[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, 3)
    return cut.transpose(0, 2, 1, 3, 4).tobytes()
