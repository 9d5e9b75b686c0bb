"""Benchmark data: bytes to compress, and what is known of them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...compressor.errors import CatzipError
from ...compressor.media.array import ArrayHeader

DATA_VARIABLE = "CATZIP_DATA"

Pixels = NDArray[np.uint8]
"""[N, ...]: items one after another."""


class DatasetError(CatzipError):
    """Benchmark data is missing or is not what its name says."""


@dataclass(frozen=True)
class Dataset:
    """Bytes to compress and one sentence on where they come from.

    data   the content of a file; for items, a .npy file of uint8 [N, *item]
    item   the shape of an item, for example (32, 32, 3); () for anything but an array of items
    image  of an image file: height, width, channels; () for anything else
    found  the format and the bytes of the file that the image lay in, where it was a compressed one
    """

    name: str
    data: bytes
    description: str
    item: tuple[int, ...] = ()
    image: tuple[int, ...] = ()
    found: tuple[str, int] | None = None

    @staticmethod
    def of_items(name: str, items: Pixels, description: str) -> Dataset:
        """The data set of an array uint8 [N, *item]."""
        return Dataset(name, npy(items), description, items.shape[1:])

    @staticmethod
    def of_file(name: str, data: bytes, description: str) -> Dataset:
        """The data set of any file's content: items if it is a .npy file of several dimensions of unsigned bytes."""
        header = ArrayHeader.read(data)
        whole = header is not None and header.size + math.prod(header.shape) == len(data)
        if header is None or not whole or not header.is_plain or len(header.shape) < 2:
            return Dataset(name, data, description)
        return Dataset(name, data, description, header.shape[1:])

    @property
    def items(self) -> Pixels:
        """The items, uint8 [N, *item]."""
        array: Pixels = np.load(io.BytesIO(self.data), allow_pickle=False)
        return array

    @property
    def is_pictures(self) -> bool:
        """Whether the items are images, of three colours or grey."""
        return is_picture(self.item)

    @property
    def dimensions(self) -> int:
        """The values that are coded: of an image its samples; else bytes, less the header of an array."""
        if self.image:
            return math.prod(self.image)
        return self.items.size if self.item else len(self.data)

    def first(self, limit: int | None) -> Dataset:
        """The first `limit` items, or bytes of what has no items (all when None), said in the description.

        An image file stays whole.
        """
        if limit is None or self.image or limit >= (len(self.items) if self.item else len(self.data)):
            return self
        if self.item:
            what = f"{self.description}; first {limit:,} items of these"
            return Dataset.of_items(self.name, self.items[:limit], what)
        what = f"{self.description}; first {limit:,} bytes of these"
        return replace(self, data=self.data[:limit], description=what)


def is_picture(item: Sequence[int]) -> bool:
    """Whether items of this shape are images: [H, W, 3] or, grey, [H, W]."""
    return len(item) == 2 or (len(item) == 3 and item[2] == 3)


def npy(items: Pixels) -> bytes:
    """The .npy file of an array."""
    out = io.BytesIO()
    np.save(out, items, allow_pickle=False)
    return out.getvalue()
