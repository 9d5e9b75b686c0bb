"""PNG and lossless WebP on the images of a data set: each image as a file of its own, and all on one sheet.

Both are Pillow's (`pip install 'catzip[images]'`). A size is that of whole files. Every file is decoded and compared.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from .dataset import Dataset, Pixels
from .results import Result

EACH = ", one file each"
"""How a name ends where each image is a file."""

_MISSING = "pip install 'catzip[images]'"


@dataclass(frozen=True)
class Format:
    """A picture format and the options of Pillow that make its files smallest without loss."""

    name: str
    settings: str
    options: dict[str, Any] = field(default_factory=dict)


FORMATS = (
    Format("PNG", "Pillow, optimize", {"optimize": True}),
    Format(
        "WebP",
        "Pillow, lossless, method 6, quality 100",
        {"lossless": True, "method": 6, "quality": 100, "exact": True},
    ),
)


def picture_jobs(dataset: Dataset) -> Iterator[tuple[str, Callable[[], Result]]]:
    """Two measurements for each format, by name; none where the items are no colour images.

    They raise RuntimeError if pixels differ.
    """
    if not dataset.is_pictures:
        return
    pixels = dataset.items
    sheet = on_sheet(pixels)
    rows, columns = sheet.shape[1] // pixels.shape[1], sheet.shape[2] // pixels.shape[2]
    ways = {EACH: pixels, f", one sheet of {columns} x {rows}": sheet}
    for each in FORMATS:
        for how, pictures in ways.items():
            yield each.name + how, partial(_result, each, dataset, pictures, each.name + how)


def on_sheet(pixels: Pixels) -> Pixels:
    """Images [N, H, W, 3] in rows on one: [1, H', W', 3], nearly a square, with few black tiles at its end."""
    count, height, width, _ = pixels.shape
    root = math.isqrt(count - 1) + 1
    columns = min(range(root, 2 * root), key=lambda each: -count % each)
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width, 3), np.uint8)
    tiles[:count] = pixels
    grid = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid).reshape(1, rows * height, columns * width, 3)


def _result(form: Format, dataset: Dataset, pictures: Pixels, name: str) -> Result:
    """Of these pictures, each a file."""
    size, known = len(dataset.data), dataset.dimensions
    try:
        from PIL import features
    except ImportError:
        return Result(dataset.name, name, form.settings, size, dimensions=known, missing=_MISSING)
    if form.name == "WebP" and not features.check("webp"):
        missing = "a Pillow with WebP"
        return Result(dataset.name, name, form.settings, size, dimensions=known, missing=missing)
    start = time.perf_counter()
    files = [_encode(form, each) for each in pictures]
    middle = time.perf_counter()
    restored = [_decode(file) for file in files]
    end = time.perf_counter()
    if not all(np.array_equal(a, b) for a, b in zip(restored, pictures, strict=True)):
        raise RuntimeError(f"{name} did not restore the images of {dataset.name}")
    return Result(
        dataset.name,
        name,
        form.settings,
        size,
        compressed_bytes=sum(map(len, files)),
        compress_s=middle - start,
        decompress_s=end - middle,
        dimensions=known,
    )


def _encode(form: Format, pixels: Pixels) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form.name, **form.options)
    return out.getvalue()


def _decode(file: bytes) -> Pixels:
    from PIL import Image

    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))
