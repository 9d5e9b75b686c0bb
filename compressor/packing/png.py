"""PNG files: unpacked to rows of pixels, packed again."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptError
from . import chunks, deflate, filters
from .asbytes import AsBytes
from .form import MAX_ROWS, Shape, Unpacked
from .passes import passes, pixel_size

MAX_LINES = 1 << 18
"""Rows of all passes, and pixels of a row, that a picture can have: undoing filters takes a step for each."""

_LEVEL = 8  # 9 takes twice as long on some pictures, for half a percent
_MEMORY = 9


@dataclass(frozen=True)
class Stream:
    """How a PNG held its rows.

    stream  the zlib stream in its IDAT chunks
    plain   what that inflates to: the rows of each pass, filtered, behind their filters
    kinds   the filters, uint8 [rows of all passes]
    sizes   bytes of each IDAT chunk
    """

    stream: bytes
    plain: bytes
    kinds: filters.Bytes
    sizes: list[int]


def unpack(data: bytes) -> tuple[Unpacked, Stream]:
    """A PNG file, unpacked. Raises AsBytes for one that is broken, animated, too large, or unusual."""
    parts = chunks.cut(data)
    shape = parts.shape
    if shape.size > MAX_ROWS or shape.width > MAX_LINES or shape.height > MAX_LINES:
        raise AsBytes(f"it states {shape.width} x {shape.height} pixels, which are too many")
    if shape.interlaced and shape.bits < 8:
        raise AsBytes("it is interlaced, with several pixels to a byte")
    size = sum(each.size for each in passes(shape))
    plain = deflate.inflate(parts.stream, size)
    pixel = pixel_size(shape)
    cells = np.empty((shape.height, shape.row_size // pixel, pixel), np.uint8)
    found = []
    for each, rows in zip(passes(shape), _lines(shape, plain), strict=True):
        kinds = np.ascontiguousarray(rows[:, 0])
        if kinds.max() >= filters.KINDS:
            raise AsBytes("it is broken: a row has an unknown filter")
        pixels = rows[:, 1:].reshape(each.height, each.width, each.pixel)
        cells[each.rows, each.columns] = filters.undo(pixels, kinds)
        found.append(kinds)
    unpacked = Unpacked("png", shape, parts.front, cells.tobytes(), parts.back)
    stream = Stream(parts.stream, plain, np.concatenate(found), parts.sizes)
    if refilter(unpacked, stream.kinds) != plain:
        raise AsBytes("its filters cannot be applied again")
    return unpacked, stream


def pack(unpacked: Unpacked) -> bytes:
    """A PNG file of these pixels and chunks, packed with filters that suit them."""
    rows = _pixels(unpacked)
    packer = zlib.compressobj(_LEVEL, memLevel=_MEMORY)
    best = min(_ways(rows, unpacked.shape), key=lambda plain: len(zlib.compress(plain, 1)))
    stream = packer.compress(best) + packer.flush()
    return assemble(unpacked, stream, [len(stream)])


def refilter(unpacked: Unpacked, kinds: filters.Bytes) -> bytes:
    """The rows of all passes, filtered as `kinds` [rows of all passes] says, behind their filters."""
    rows = _pixels(unpacked)
    return _filtered(rows, np.split(kinds, np.cumsum([len(each) for each in rows])[:-1]))


def lines(shape: Shape) -> int:
    """Rows of all passes. Raises CorruptError for a picture that `unpack` does not make."""
    if (shape.interlaced and shape.bits < 8) or max(shape.width, shape.height) > MAX_LINES:
        raise CorruptError("a packed picture is of a kind that is never unpacked")
    return sum(each.height for each in passes(shape))


def assemble(unpacked: Unpacked, stream: bytes, sizes: list[int]) -> bytes:
    """The file, with `stream` in IDAT chunks of these sizes."""
    return unpacked.front + chunks.idats(stream, sizes) + unpacked.back


def _ways(rows: list[filters.Bytes], shape: Shape) -> Iterator[bytes]:
    """The rows of each pass, filtered in the ways that are worth a try: for few colours there is only one."""
    fixed = (
        (filters.NONE, filters.SUB, filters.PAETH)
        if shape.bits >= 8 and shape.colour != 3
        else (filters.NONE,)
    )
    for kind in fixed:
        yield _filtered(rows, [np.full(len(each), kind, np.uint8) for each in rows])
    if len(fixed) > 1:
        yield _filtered(rows, [filters.choose(each) for each in rows])


def _lines(shape: Shape, plain: bytes) -> Iterator[NDArray[np.uint8]]:
    """Of each pass its rows as they are in the stream, uint8 [height, 1 + bytes of a row]."""
    at = 0
    for each in passes(shape):
        yield np.frombuffer(plain, np.uint8, each.size, at).reshape(each.height, -1)
        at += each.size


def _pixels(unpacked: Unpacked) -> list[filters.Bytes]:
    """Of each pass its pixels, uint8 [height, width, bytes of a pixel]."""
    height, pixel = unpacked.shape.height, pixel_size(unpacked.shape)
    cells = np.frombuffer(unpacked.rows, np.uint8).reshape(height, -1, pixel)
    return [np.ascontiguousarray(cells[each.rows, each.columns]) for each in passes(unpacked.shape)]


def _filtered(rows: list[filters.Bytes], kinds: list[filters.Bytes]) -> bytes:
    """Rows [height, width, bytes of a pixel] of each pass, filtered, behind their filters [height]."""
    parts = []
    for pixels, of_rows in zip(rows, kinds, strict=True):
        filtered = filters.apply(pixels, of_rows).reshape(len(pixels), -1)
        parts.append(np.concatenate([of_rows[:, None], filtered], axis=1).tobytes())
    return b"".join(parts)
