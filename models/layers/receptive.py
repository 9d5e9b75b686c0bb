"""Receptive fields: the rectangle of a grid that layers of 3x3 must see to tell of some positions.

What lies outside changes nothing, so it need not be computed. Where a call wants the dimensions of one pixel, as every
call does in a schedule of single steps, that is a small part of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..backends.base import Array, NumpyArray

Part = tuple[slice, slice]  # rows and columns
EVERYWHERE: Part = slice(None), slice(None)


def cut_out(array: Array, part: Part) -> Array:
    """A part of each of B grids: [B, H, W, ...] -> [B, h, w, ...]."""
    return array[:, part[0], part[1]]


@dataclass(frozen=True)
class Rectangle:
    """Rows top to bottom - 1 and columns left to right - 1 of a grid, not empty."""

    top: int
    bottom: int
    left: int
    right: int

    @staticmethod
    def around(places: NumpyArray, width: int) -> Rectangle:
        """The smallest with these places in it: y * width + x each, at least one."""
        y, x = places // width, places % width
        return Rectangle(int(y.min()), int(y.max()) + 1, int(x.min()), int(x.max()) + 1)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    def grown(self, reach: int, height: int, width: int) -> Rectangle:
        """With so many more rows and columns on every side, as far as a grid of height x width has them."""
        return Rectangle(
            max(0, self.top - reach),
            min(height, self.bottom + reach),
            max(0, self.left - reach),
            min(width, self.right + reach),
        )

    def times(self, factor: int) -> Rectangle:
        """The same of a grid that is finer by a whole factor."""
        return Rectangle(self.top * factor, self.bottom * factor, self.left * factor, self.right * factor)

    @property
    def cut(self) -> Part:
        """Where it lies in the grid."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: Rectangle) -> Part:
        """Where it lies in an array that holds ``outer``."""
        y, x = outer.top, outer.left
        return slice(self.top - y, self.bottom - y), slice(self.left - x, self.right - x)

    def indices(self, places: NumpyArray, width: int) -> NumpyArray:
        """Places, as `around` takes them, in a flat array that holds this rectangle."""
        indices: NumpyArray = (places // width - self.top) * self.size[1] + places % width - self.left
        return indices
