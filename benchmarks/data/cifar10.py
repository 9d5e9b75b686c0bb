"""The test images of CIFAR-10 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).

    cifar10/test_000000_000500.webp           the first 500, as a lossless mosaic of 25 x 20 tiles
    cifar-10-batches-bin/test_batch.bin       all 10,000, from cifar-10-binary.tar.gz of the public set

The Python version of the public set is a pickle, which can run code when it is read: it is never opened.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from .dataset import DATA_VARIABLE, DatasetError, Pixels

SIDE = 32
IMAGES = 10_000  # of the public test set
RECORD = 1 + 3 * SIDE * SIDE  # a label, then red, green and blue

SLICE = "test_000000_000500.webp"
SLICE_IMAGES = 500
SLICE_DIGEST = "8f2427926825821b6e0de483aa537ca1419ff2a5b82cc5e436d5dfc50e85cc7a"
"""sha256 of the pixels of the first 500 images, uint8 [500, 32, 32, 3]."""

_BINARY = "cifar-10-batches-bin/test_batch.bin"
_PICKLE = "cifar-10-batches-py/test_batch"


def cifar10(root: Path) -> tuple[Pixels, str]:
    """The images uint8 [N, 32, 32, 3] below this folder, and what they are. Raises DatasetError."""
    for folder in (root, root / "cifar10"):
        if (folder / _BINARY).is_file():
            return _full(folder / _BINARY)
    if (root / "cifar10" / SLICE).is_file():
        return _slice(root / "cifar10" / SLICE)
    if any((folder / _PICKLE).exists() for folder in (root, root / "cifar10")):
        raise DatasetError(
            f"{_PICKLE} is a pickle, which is not opened as it can run code: "
            f"put the binary version (cifar-10-binary.tar.gz) there as {_BINARY}"
        )
    raise DatasetError(
        f"cifar10 is not in {DATA_VARIABLE}={root}: put the binary version of the public set "
        f"(cifar-10-binary.tar.gz) there, unpacked, as {_BINARY}"
    )


def _full(path: Path) -> tuple[Pixels, str]:
    size = path.stat().st_size
    if size != IMAGES * RECORD:
        raise DatasetError(
            f"{path} has {size:,} bytes, but the public file has {IMAGES * RECORD:,}: fetch it again"
        )
    records = np.fromfile(path, np.uint8).reshape(IMAGES, RECORD)
    planes = records[:, 1:].reshape(IMAGES, 3, SIDE, SIDE)
    pixels = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    _check(pixels, path)
    found = f"CIFAR-10 test, all {IMAGES:,} images, the full public file"
    return pixels, f"{found} (sha256 of the first {SLICE_IMAGES} verified)"


def _slice(path: Path) -> tuple[Pixels, str]:
    pixels = read_tiles(path)
    if len(pixels) != SLICE_IMAGES:
        raise DatasetError(f"{path} has {len(pixels):,} tiles, not {SLICE_IMAGES}: fetch it again")
    _check(pixels, path)
    return pixels, f"CIFAR-10 test, images 0 to {SLICE_IMAGES - 1} of {IMAGES:,} (sha256 verified)"


def read_tiles(path: Path) -> Pixels:
    """The tiles of a mosaic, row by row: uint8 [N, 32, 32, 3]. Raises DatasetError, also where Pillow is missing."""
    try:
        from PIL import Image
    except ImportError as error:
        raise DatasetError(f"{path.name}: images need Pillow: pip install 'catzip[images]'") from error
    try:
        with Image.open(path) as image:
            mosaic = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error}): fetch it again") from error
    rows, columns = mosaic.shape[0] // SIDE, mosaic.shape[1] // SIDE
    cut = mosaic[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, 3)
    return np.ascontiguousarray(cut.swapaxes(1, 2)).reshape(rows * columns, SIDE, SIDE, 3)


def _check(pixels: Pixels, path: Path) -> None:
    if hashlib.sha256(pixels[:SLICE_IMAGES].tobytes()).hexdigest() != SLICE_DIGEST:
        raise DatasetError(
            f"{path} is not the public test set: the sha256 of its first {SLICE_IMAGES} images, as pixels, "
            f"is not {SLICE_DIGEST}; fetch it again"
        )
