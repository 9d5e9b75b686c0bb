"""How the images of a frame are cut into tiles: the batch of a flow.

A large image is cut into as few rows and columns of tiles as keep within the size asked for, each as even as can be, so
that no tile is a sliver. Tiles of one size after another make runs, which are coded at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, product

import numpy as np

from ....compressor.errors import CorruptError
from ...backends.base import NumpyArray
from ..lanes import MAX_SEGMENT, MAX_SEGMENTS

MAX_SIDE = 1 << 9  # of a tile

Tile = tuple[int, slice, slice]
"""Which image, its rows and columns."""


@dataclass(frozen=True)
class TileRun:
    """Tiles of one size: shape (B, h, w, C)."""

    tiles: list[Tile]
    shape: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        """Symbols."""
        return math.prod(self.shape)

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
        if possible and self.size:
            down, across = -(-height // self.side), -(-width // self.side)
            tile = -(-height // down) * -(-width // across) * channels
            possible = self.each == 1 or self.each * tile <= MAX_SEGMENT
            possible = possible and count * down * across <= MAX_SEGMENTS * self.each
        if not possible:
            raise CorruptError(
                f"the coding plan cuts images of {list(self.shape)} into runs of {self.each} tiles of {self.side}"
            )

    @property
    def size(self) -> int:
        """Symbols."""
        return math.prod(self.shape)

    def images(self, symbols: NumpyArray) -> NumpyArray:
        """The part of a frame's symbols that they are: a view [N, H, W, C]."""
        return symbols[self.start : self.start + self.size].reshape(self.shape)

    def run_sizes(self) -> list[int]:
        """Symbols of each of the `runs`, without a look at every tile."""
        count, height, width, channels = self.shape
        sizes = []
        for (h, down), (w, across) in product(lengths(height, self.side), lengths(width, self.side)):
            whole, rest = divmod(count * down * across, self.each)
            sizes += [each * h * w * channels for each in [self.each] * whole + [rest] * (rest > 0)]
        return sizes

    def runs(self) -> Iterator[TileRun]:
        """In the order in which they are coded: tiles by their height, then width, then place."""
        count, height, width, channels = self.shape
        for (h, _), (w, _) in product(lengths(height, self.side), lengths(width, self.side)):
            tiles = (
                (index, rows, columns)
                for index in range(count)
                for rows in _cut(height, self.side, h)
                for columns in _cut(width, self.side, w)
            )
            while part := list(islice(tiles, self.each)):
                yield TileRun(part, (len(part), h, w, channels))


@dataclass(frozen=True)
class Tiles:
    """Where the symbols of a run lie in a frame: uint8 [B, h, w, C]."""

    tiling: Tiling
    run: TileRun

    def cut(self, symbols: NumpyArray) -> NumpyArray:
        """[count] -> [B, h, w, C]."""
        return self.run.cut(self.tiling.images(symbols))

    def put(self, symbols: NumpyArray, tiles: NumpyArray) -> None:
        """Write [B, h, w, C] into the symbols [count]."""
        self.run.put(self.tiling.images(symbols), tiles)


def lengths(length: int, side: int) -> list[tuple[int, int]]:
    """How long the parts of 0..length - 1 are, and how many are: one length or two, the shorter first."""
    count = max(1, -(-length // side))
    least, longer = divmod(length, count)
    return [each for each in ((least, count - longer), (least + 1, longer)) if each[1]]


def _cut(length: int, side: int, wanted: int) -> Iterator[slice]:
    """The parts of one length, where 0..length - 1 is cut into as few as keep within ``side``, as even as can be."""
    count = -(-length // side)
    for start, stop in pairwise(length * i // count for i in range(count + 1)):
        if stop - start == wanted:
            yield slice(start, stop)
