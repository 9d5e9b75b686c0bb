"""Planes of bytes beside the colours of an image, such as alpha, filtered so that LZMA does well on them.

A plane [H, W] is one byte for its filter, then its bytes, row by row, each less what the filter predicts, modulo 256:

    0 none      nothing
    1 left      the byte to the left, or 0
    2 up        the byte above, or 0
    3 high      the high byte of the same sample (of low bytes only)
    4 constant  all bytes are alike: there is only one
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptError

Plane = NDArray[np.uint8]
"""uint8 [H, W]"""

NONE, LEFT, UP, HIGH, CONSTANT = range(5)

_LOOK = 1 << 16  # bytes of a plane that decide about its filter


def pack(plane: Plane, high: Plane | None = None) -> bytes:
    """The plane, not empty, with the filter that seems best. `high` has the high bytes where these are low bytes."""
    first = plane[:1, :1]
    if (plane == first).all():
        return bytes([CONSTANT]) + first.tobytes()
    best = min(range(HIGH + (high is not None)), key=lambda kind: _cost(_filtered(plane, high, kind)))
    return bytes([best]) + _filtered(plane, high, best).tobytes()


def unpack(data: bytes, at: int, shape: tuple[int, int], high: Plane | None = None) -> tuple[Plane, int]:
    """The plane of this shape that starts at offset `at` of `data`, and where it ends. Raises CorruptError.

    A constant one is a view of one byte.
    """
    kind = data[at] if at < len(data) else NONE
    if kind > CONSTANT or (kind == HIGH and high is None):
        raise CorruptError(f"a plane of an image frame has a filter {kind}, which does not exist there")
    size = 1 if kind == CONSTANT else shape[0] * shape[1]
    if len(data) - at - 1 < size:
        raise CorruptError("the side stream of an image frame ends early")
    plane = np.frombuffer(data, np.uint8, size, at + 1)
    return _restored(plane, shape, kind, high), at + 1 + size


def _filtered(plane: Plane, high: Plane | None, kind: int) -> Plane:
    """The plane less what the filter predicts."""
    if kind in (LEFT, UP):
        return np.diff(plane, axis=2 - kind, prepend=np.uint8(0))
    return plane - high if kind == HIGH and high is not None else plane


def _restored(data: NDArray[np.uint8], shape: tuple[int, int], kind: int, high: Plane | None) -> Plane:
    """The plane that is `data` [H * W], or [1] if it is constant, when filtered."""
    if kind == CONSTANT:
        return np.broadcast_to(data, shape)
    plane = data.reshape(shape)
    if kind in (LEFT, UP):
        return np.cumsum(plane, axis=2 - kind, dtype=np.uint8)
    return plane + high if kind == HIGH and high is not None else plane


def _cost(plane: Plane) -> int:
    """What a quick compressor makes of some of the rows."""
    few = max(1, plane.size // _LOOK)
    return len(zlib.compress(plane[len(plane) // 2 % few :: few].tobytes(), 1))
