"""PNG, lossless WebP and lossless JPEG XL on the images of a data set.

Of an array, each image is a file of its own, and all are on one sheet.

The first two are Pillow's (`pip install 'catzip[images]'`), the third is its plug-in's (`'catzip[bench]'`). A size is
that of whole files. Every file is decoded and compared.
"""

from __future__ import annotations

import importlib
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.dataset import Dataset, Pixels
from ..data.imagefile import opened, same_pixels
from ..results import Result

if TYPE_CHECKING:
    from PIL.Image import Image

EACH = ", one file each"
"""How a name ends where each image is a file."""

FOUND = ", the file as found"
"""How a name ends where nothing was packed anew."""

_MISSING = "pip install 'catzip[images]'"


@dataclass(frozen=True)
class Format:
    """A picture format and the options of Pillow that make its files smallest without loss.

    wire    what Pillow calls it
    modes   of images that its files hold as they are; others are made RGB or RGBA, which loses nothing
    module  what else has to be imported, and how it comes to be installed
    """

    name: str
    wire: str
    settings: str
    options: dict[str, Any] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    module: str = "PIL"
    remedy: str = _MISSING


FORMATS = (
    Format(
        "PNG", "PNG", "Pillow, optimize", {"optimize": True}, ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    ),
    Format(
        "WebP",
        "WEBP",
        "Pillow, lossless, method 6, quality 100",
        {"lossless": True, "method": 6, "quality": 100, "exact": True},
        ("RGB", "RGBA"),
    ),
    Format(
        "JPEG XL",
        "JXL",
        "pillow-jxl-plugin, lossless, effort 9, 1 thread",
        {"lossless": True, "effort": 9, "num_threads": 1},
        ("L", "LA", "RGB", "RGBA", "I;16"),
        "pillow_jxl",
        "pip install 'catzip[bench]'",
    ),
)
NAMES = tuple(form.name for form in FORMATS)

Job = tuple[str, Callable[[], Result]]


def picture_jobs(dataset: Dataset) -> Iterator[Job]:
    """The measurements of each format, by name: of an array two, of an image file one; none of other data.

    They raise RuntimeError if pixels differ.
    """
    if dataset.image:
        yield from _of_file(dataset)
    elif dataset.is_pictures:
        yield from _of_array(dataset)


def _of_file(dataset: Dataset) -> Iterator[Job]:
    if dataset.found is not None:
        name, size = dataset.found
        yield name + FOUND, partial(_as_found, dataset, name + FOUND, size)
    for form in FORMATS:
        yield form.name, partial(_result, form, dataset, None, form.name)


def _of_array(dataset: Dataset) -> Iterator[Job]:
    pixels = dataset.items
    sheet = on_sheet(pixels)
    rows, columns = sheet.shape[1] // pixels.shape[1], sheet.shape[2] // pixels.shape[2]
    ways = {EACH: pixels, f", one sheet of {columns} x {rows}": sheet}
    for form in FORMATS:
        for how, pictures in ways.items():
            yield form.name + how, partial(_result, form, dataset, pictures, form.name + how)


def on_sheet(pixels: Pixels) -> Pixels:
    """Images [N, H, W, ...] in rows on one: [1, H', W', ...], nearly a square, with few black tiles at its end."""
    count, height, width, *rest = pixels.shape
    root = math.isqrt(count - 1) + 1
    columns = min(range(root, 2 * root), key=lambda each: -count % each)
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width, *rest), np.uint8)
    tiles[:count] = pixels
    grid = tiles.reshape(rows, columns, height, width, *rest).swapaxes(1, 2)
    return np.ascontiguousarray(grid).reshape(1, rows * height, columns * width, *rest)


def _as_found(dataset: Dataset, name: str, size: int) -> Result:
    """The file that the image lay in, as somebody packed it."""
    known = dataset.dimensions
    settings = "not packed anew"
    return Result(dataset.name, name, settings, len(dataset.data), compressed_bytes=size, dimensions=known)


def _result(form: Format, dataset: Dataset, pictures: Pixels | None, name: str) -> Result:
    """What this format makes of these pictures, each a file; None for the image in the data."""
    size, known = len(dataset.data), dataset.dimensions
    if missing := _obstacle(form):
        return Result(dataset.name, name, form.settings, size, dimensions=known, missing=missing)
    images = [_prepared(form, image) for image in _images(dataset, pictures)]
    start = time.perf_counter()
    try:
        files = [_encode(form, image) for image in images]
    except (OSError, ValueError, NotImplementedError) as error:  # too large for the format, or of an odd mode
        failed = f"does not take it ({error})"
        return Result(dataset.name, name, form.settings, size, dimensions=known, missing=failed)
    middle = time.perf_counter()
    restored = [_decode(form, file) for file in files]
    end = time.perf_counter()
    if not all(map(same_pixels, images, restored)):
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


def _obstacle(form: Format) -> str | None:
    """What to install; None if nothing is missing."""
    try:
        importlib.import_module("PIL")
    except ImportError:
        return _MISSING
    try:
        importlib.import_module(form.module)
    except ImportError:
        return form.remedy
    features = importlib.import_module("PIL.features")
    return "a Pillow with WebP" if form.wire == "WEBP" and not features.check("webp") else None


def _images(dataset: Dataset, pictures: Pixels | None) -> Sequence[Image]:
    from PIL import Image

    if pictures is not None:
        return [Image.fromarray(pixels) for pixels in pictures]
    image = opened(dataset.data)
    assert image is not None  # `Dataset.image` says so
    return [image]


def _prepared(form: Format, image: Image) -> Image:
    """In a mode that the format holds, without what is no pixel: profiles, texts."""
    if image.mode not in form.modes and image.mode != "I;16":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    bare = image.copy()
    bare.info = {key: value for key, value in image.info.items() if key == "transparency"}
    return bare


def _encode(form: Format, image: Image) -> bytes:
    if image.mode not in form.modes:
        raise NotImplementedError(f"pixels of mode {image.mode}")
    out = io.BytesIO()
    image.save(out, form.wire, **form.options)
    return out.getvalue()


def _decode(form: Format, file: bytes) -> Image:
    from PIL import Image

    image = Image.open(io.BytesIO(file), formats=(form.wire,))
    image.load()
    return image
