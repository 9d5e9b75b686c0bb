"""PNG files: unpacked to rows of pixels, packed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ..errors import CorruptError
from . import chunks, deflate, filters
from .asbytes import AsBytes
from .content import PictureContent, opening
from .deflate import Inflater, ZlibSettings
from .filters import Bytes
from .form import MAX_ROWS, Facts, Shape
from .kinds import MAX_CONTENT
from .passes import Pass, passes, pixel_size
from .span import Span, spool

MAX_LINES = 1 << 18
"""Rows of all passes, and pixels of a row, that a picture can have: undoing filters takes a step for each."""

_SETTINGS = ZlibSettings(
    b"\x78\xda", 8, 9, 0, 15
)  # level 9 takes twice as long on some pictures, for half a percent
_STRIP = 1 << 25  # bytes of rows whose filters are undone at a time
_FEWEST = 512  # bytes above each other in that, at least: undoing takes a step for each pixel of a row
_JUDGED = 1 << 24  # bytes of rows on which ways to filter are compared


@dataclass(frozen=True)
class Opened:
    """A PNG file that was unpacked.

    parts    of the file
    content  what it was unpacked to
    kinds    the filters, uint8 [rows of all passes]
    """

    parts: chunks.Parts
    content: PictureContent
    kinds: Bytes


def unpack(span: Span) -> Opened:
    """A PNG file, unpacked. Raises AsBytes for one that is broken, animated, too large, or unusual."""
    parts = chunks.cut(span)
    shape = parts.shape
    if shape.size > MAX_ROWS or shape.width > MAX_LINES or shape.height > MAX_LINES:
        raise AsBytes(f"it states {shape.width} x {shape.height} pixels, which are too many")
    if shape.interlaced and shape.bits < 8:
        raise AsBytes("it is interlaced, with several pixels to a byte")
    size = sum(each.size for each in passes(shape))
    if size > deflate.MOST * parts.stream_size:
        raise AsBytes(f"it states {size} bytes of pixels, which its {parts.stream_size} bytes cannot hold")
    start = opening("png", parts.start)
    total = len(start) + shape.size + parts.start + span.size - parts.stop
    if total > MAX_CONTENT:
        raise AsBytes(f"its pixels and chunks are {total} bytes, more than {MAX_CONTENT}")
    out = spool()
    out.write(start)
    _copy(span.blocks(0, parts.start), out)
    kinds = _unpack_rows(parts, out)
    _copy(span.blocks(parts.stop, span.size), out)
    facts = Facts("png", shape, len(start), len(start) + parts.start)
    return Opened(parts, PictureContent(Span.whole(out, span.look_up), facts), kinds)


def _copy(blocks: Iterator[bytes], out: BinaryIO) -> None:
    for block in blocks:
        out.write(block)


def _unpack_rows(parts: chunks.Parts, out: BinaryIO) -> Bytes:
    """Write the rows of a picture to `out`; the filters that they had, uint8 [rows of all passes]. Raises AsBytes."""
    shape, inflater, found = parts.shape, Inflater(parts.stream()), []
    pixel = pixel_size(shape)
    if shape.interlaced:  # its rows come a few pixels at a time, and only the last pass makes them whole
        cells = np.empty((shape.height, shape.row_size // pixel, pixel), np.uint8)
        for each in passes(shape):
            for start, kinds, rows in _strips(each, inflater):
                cells[each.rows, each.columns][start : start + len(rows)] = rows
                found.append(kinds)
        out.write(cells.data)
    else:
        for _, kinds, rows in _strips(passes(shape)[0], inflater):
            out.write(rows.data)
            found.append(kinds)
    inflater.finish()
    return np.concatenate(found)


def _strips(each: Pass, inflater: Inflater) -> Iterator[tuple[int, Bytes, Bytes]]:
    """The rows of a pass, some at a time: which is the first, their filters, and they. Raises AsBytes."""
    line = 1 + each.width * each.pixel
    most = max(_STRIP // line, _FEWEST // each.pixel)
    above = None
    for start in range(0, each.height, most):
        height = min(most, each.height - start)
        lines = np.frombuffer(inflater.take(height * line), np.uint8).reshape(height, line)
        kinds = np.ascontiguousarray(lines[:, 0])
        if kinds.max() >= filters.KINDS:
            raise AsBytes("it is broken: a row has an unknown filter")
        rows = np.ascontiguousarray(lines[:, 1:]).reshape(height, each.width, each.pixel)
        del lines
        filters.undo_in_place(rows, kinds, above)
        above = rows[-1].copy()
        yield start, kinds, rows


def deflated(content: PictureContent, kinds: Bytes, settings: ZlibSettings) -> Span:
    """The rows, filtered as `kinds` [rows of all passes] says, as a zlib stream."""
    out = spool()
    _copy(settings.deflate(content.filtered(kinds)), out)
    return Span.whole(out, content.span.look_up)


def anew(content: PictureContent) -> Span:
    """The rows as a zlib stream, with filters that suit them."""
    size = content.facts.shape.size
    one_in = -(-size // _JUDGED)
    fast = ZlibSettings(b"\x78\x01", 1, 8, 0, 15)

    def judged(kinds: Bytes) -> int:
        return sum(map(len, fast.deflate(content.filtered(kinds, one_in))))

    tries = ways(content)
    return deflated(content, min(tries, key=judged) if len(tries) > 1 else tries[0], _SETTINGS)


def assemble(content: PictureContent, stream: Span, runs: chunks.Runs) -> Iterator[bytes]:
    """The file, with `stream` in IDAT chunks of these sizes, a piece at a time."""
    yield from content.front()
    yield from chunks.idats(stream, runs)
    yield from content.back()


def lines(shape: Shape) -> int:
    """Rows of all passes. Raises CorruptError for a picture that `unpack` does not make."""
    if (shape.interlaced and shape.bits < 8) or max(shape.width, shape.height) > MAX_LINES:
        raise CorruptError("a packed picture is of a kind that is never unpacked")
    return sum(each.height for each in passes(shape))


def ways(content: PictureContent) -> list[Bytes]:
    """The ways to filter all rows that are worth a try: for few colours there is only one."""
    shape = content.facts.shape
    many = shape.bits >= 8 and shape.colour != 3
    fixed = (filters.NONE, filters.SUB, filters.PAETH) if many else (filters.NONE,)
    count = lines(shape)
    return [np.full(count, kind, np.uint8) for kind in fixed] + ([content.chosen()] if many else [])
