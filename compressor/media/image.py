"""Uncompressed images: the colours are the symbols, whatever stands around and beside them is the side stream.

The symbols are samples [H, W, C] of the rows in the order of the file: C = 1 for grey, 3 for R, G, B; of samples of
16 bits, the high bytes. The side stream is

    descriptor      see `raster`: which bytes are pixels, and how these lie
    before, after   the bytes before the first row and behind the last, verbatim
    planes          see `planes`: the padding of the rows [H, padding], alpha (its high bytes) [H, W], and the low
                    bytes of each sample in turn [H, W]: what there is of them

A frame without whole rows of an image has no symbols, and is its own side stream. Nothing but the descriptor says
what is what: what a file's header looks like is for the encoder alone (`formats`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..coding.symbols import Symbols
from ..errors import CorruptError
from . import formats, planes
from .raster import Raster


def split(data: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """The colours of the image that `data` begins with, uint8 [n], and the side stream."""
    raster = formats.find(lambda at, size: data[at : at + size])
    return split_part(data, None if raster is None else raster.part(0, len(data)))


def split_part(data: bytes, part: Raster | None) -> tuple[NDArray[np.uint8], bytes]:
    """The colours that are in `data`, uint8 [n], and the side stream. `part` says where rows are, if they are."""
    if part is None:
        return np.zeros(0, np.uint8), data
    rows = np.frombuffer(data, np.uint8)[part.start : part.end].reshape(part.height, part.stride)
    high, low = _samples(rows, part)
    side = [part.to_bytes(), data[: part.start], data[part.end :]]
    if part.padding:
        side.append(planes.pack(rows[:, part.used :]))
    if part.samples > part.channels:
        side.append(planes.pack(high[:, :, -1]))
    if low is not None:
        side += (planes.pack(low[:, :, i], high[:, :, i]) for i in range(part.samples))
    return np.ascontiguousarray(_colours(high, part)).ravel(), b"".join(side)


def join(symbols: Symbols, side: bytes, length: int) -> bytes:
    """The bytes again, of `length`. Raises CorruptError if no image of that length has such symbols and side stream."""
    if not len(symbols):
        if len(side) != length:
            raise CorruptError("an image frame without symbols is not as long as its side stream")
        return side
    part, at = Raster.from_bytes(side)
    behind = length - part.end
    if behind < 0 or math.prod(part.shape) != len(symbols):
        raise CorruptError("the descriptor of an image frame does not match its length, or its symbols")
    if len(side) - at < part.start + behind:
        raise CorruptError("the side stream of an image frame ends early")
    out = np.empty(length, np.uint8)
    out[: part.start] = np.frombuffer(side, np.uint8, part.start, at)
    out[part.end :] = np.frombuffer(side, np.uint8, behind, at + part.start)
    rows = out[part.start : part.end].reshape(part.height, part.stride)
    _colours(_samples(rows, part)[0], part)[:] = symbols.reshape(part.shape)
    if _fill(rows, part, side, at + part.start + behind) != len(side):
        raise CorruptError("the side stream of an image frame is longer than its image")
    return out.tobytes()


def _fill(rows: NDArray[np.uint8], part: Raster, side: bytes, at: int) -> int:
    """Write the planes in `side` from offset `at` on into the rows; the offset behind them. Raises CorruptError."""
    high, low = _samples(rows, part)
    if part.padding:
        rows[:, part.used :], at = planes.unpack(side, at, (part.height, part.padding))
    if part.samples > part.channels:
        high[:, :, -1], at = planes.unpack(side, at, (part.height, part.width))
    if low is not None:
        for i in range(part.samples):
            low[:, :, i], at = planes.unpack(side, at, (part.height, part.width), high[:, :, i])
    return at


def _samples(rows: NDArray[np.uint8], part: Raster) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Views of the high and of the low bytes in the rows [H, stride]: uint8 [H, W, samples], None if there are none."""
    pixels = rows[:, : part.used].reshape(part.height, part.width, part.samples, -1)
    if not part.wide:
        return pixels[..., 0], None
    return (pixels[..., 1], pixels[..., 0]) if part.little else (pixels[..., 0], pixels[..., 1])


def _colours(samples: NDArray[np.uint8], part: Raster) -> NDArray[np.uint8]:
    """A view of grey or of R, G, B in that order: uint8 [H, W, C]."""
    colours = samples[:, :, : part.channels]
    return colours[:, :, ::-1] if part.swapped else colours
