"""The passes of a PNG: all its rows in one, or the seven of Adam7, each a picture of every so many pixels."""

from collections.abc import Iterator
from dataclasses import dataclass

from .form import Shape, row_size

_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # first column, first row, columns apart, rows apart


@dataclass(frozen=True)
class Pass:
    """One pass: which pixels of the picture it has, and how many bytes its rows are.

    rows, columns  of the picture
    height         rows of the pass
    width          pixels of a row of it; bytes, where pixels are smaller than that
    pixel          bytes of a pixel, at least 1: what filters call the one to the left
    """

    rows: slice
    columns: slice
    height: int
    width: int
    pixel: int

    @property
    def size(self) -> int:
        """Bytes of the pass in the stream, with a byte before each row for its filter."""
        return self.height * (1 + self.width * self.pixel)


def passes(shape: Shape) -> list[Pass]:
    """The passes of a picture that have pixels. Raises ValueError for one of small samples that is interlaced."""
    if not shape.interlaced:
        pixel = pixel_size(shape)
        return [Pass(slice(None), slice(None), shape.height, shape.row_size // pixel, pixel)]
    if shape.bits < 8:
        raise ValueError("a picture with several pixels to a byte has no passes of whole bytes")
    return [each for each in _interlaced(shape) if each.height and each.width]


def pixel_size(shape: Shape) -> int:
    """Bytes of a pixel, at least 1."""
    return row_size(1, shape.channels * shape.bits)


def _interlaced(shape: Shape) -> Iterator[Pass]:
    for left, top, across, down in _ADAM7:
        rows, columns = slice(top, None, down), slice(left, None, across)
        height, width = (shape.height - top + down - 1) // down, (shape.width - left + across - 1) // across
        yield Pass(rows, columns, max(0, height), max(0, width), pixel_size(shape))
