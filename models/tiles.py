"""How the images of a frame are cut into tiles: the batch of a flow.

A large image is cut into as few rows and columns of tiles as keep within the size asked for, each as even as can be, so
that no tile is a sliver. Tiles of one size after another make runs, which are coded at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from ..compressor.errors import CorruptError
from .arrays import NumpyArray
from .lanes import MAX_SEGMENT, MAX_SEGMENTS

MAX_SIDE = 1 << 9  # of a tile

Tile = tuple[int, slice, slice]
"""Which image, its rows and columns."""


@dataclass(frozen=True)
class Run:
    """Tiles of one size: shape (B, h, w, C)."""

    tiles: list[Tile]
    shape: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        """Symbols."""
        return int(np.prod(self.shape))

    def cut(self, images: NumpyArray) -> NumpyArray:
        """The tiles of [N, H, W, C]."""
        return np.stack([images[tile] for tile in self.tiles])

    def put(self, images: NumpyArray, tiles: NumpyArray) -> None:
        """Write the tiles into [N, H, W, C]."""
        for place, tile in zip(self.tiles, tiles, strict=True):
            images[place] = tile


@dataclass(frozen=True)
class Tiling:
    """Images of ``shape`` (N, H, W, C) at symbol ``start`` of a frame, in tiles of at most ``side`` pixels square, of
    which a run has ``each``."""

    start: int
    shape: tuple[int, int, int, int]
    side: int
    each: int

    def check(self) -> None:
        """Raises CorruptError for a cut that no encoder makes, or one of more runs than a frame can have."""
        count, height, width, channels = self.shape
        possible = 1 <= self.side <= MAX_SIDE and self.each >= 1 and channels in (1, 3)
        if possible:
            down, across = -(-height // self.side), -(-width // self.side)
            tile = -(-height // down) * -(-width // across) * channels
            possible = self.each == 1 or self.each * tile <= MAX_SEGMENT
            possible = possible and count * down * across <= MAX_SEGMENTS * self.each
        if not possible:
            raise CorruptError(
                f"the coding plan cuts images of {list(self.shape)} into runs of {self.each} tiles of {self.side}"
            )

    def images(self, symbols: NumpyArray) -> NumpyArray:
        """The part of a frame's symbols that they are: a view [N, H, W, C]."""
        return symbols[self.start : self.start + int(np.prod(self.shape))].reshape(self.shape)

    def runs(self) -> Iterator[Run]:
        """In the order in which they are coded."""
        count, height, width, channels = self.shape
        tiles = [
            (index, rows, columns)
            for index in range(count)
            for rows in _cut(height, self.side)
            for columns in _cut(width, self.side)
        ]
        for size, same in groupby(sorted(tiles, key=_size), _size):
            run = list(same)
            for at in range(0, len(run), self.each):
                part = run[at : at + self.each]
                yield Run(part, (len(part), *size, channels))


def _cut(length: int, side: int) -> list[slice]:
    """0..length - 1 in as few parts as keep within ``side``, as even as can be."""
    count = -(-length // side)
    return [slice(*edges) for edges in pairwise(length * i // count for i in range(count + 1))]


def _size(tile: Tile) -> tuple[int, int]:
    _, rows, columns = tile
    return rows.stop - rows.start, columns.stop - columns.start
