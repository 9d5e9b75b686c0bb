"""The test images of MNIST (LeCun et al., Gradient-based learning applied to document recognition, 1998).

mnist/t10k-images-idx3-ubyte      the official file of 10,000 images, plain, .gz or .xz
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .dataset import DATA_VARIABLE, DatasetError, Pixels

FILE = "t10k-images-idx3-ubyte"
DIGEST = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
"""sha256 of the file, uncompressed."""

_MAGIC = 0x803  # unsigned bytes in three dimensions
_HEADER = struct.Struct(">4I")
_READERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}


def mnist(root: Path) -> tuple[Pixels, str]:
    """The images uint8 [10000, 28, 28] below this folder, and what they are. Raises DatasetError."""
    for folder in (root / "mnist", root):
        for suffix, read in _READERS.items():
            path = folder / (FILE + suffix)
            if path.is_file():
                try:
                    return _images(read(path.read_bytes()), path)
                except (OSError, lzma.LZMAError, EOFError) as error:
                    raise DatasetError(f"{path} cannot be read ({error}): fetch it again") from error
    raise DatasetError(
        f"mnist is not in {DATA_VARIABLE}={root}: put the official test images there as mnist/{FILE} "
        "(plain, .gz or .xz)"
    )


def _images(data: bytes, path: Path) -> tuple[Pixels, str]:
    if hashlib.sha256(data).hexdigest() != DIGEST:
        raise DatasetError(f"{path} is not the official file: its sha256 is not {DIGEST}; fetch it again")
    magic, count, height, width = _HEADER.unpack_from(data)
    assert magic == _MAGIC
    pixels = np.frombuffer(data, np.uint8, offset=_HEADER.size).reshape(count, height, width)
    return pixels, f"MNIST test, all {count:,} images (sha256 verified)"
