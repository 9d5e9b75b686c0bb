"""Planes of bytes beside the colours of an image, such as alpha, filtered so that LZMA does well on them.

A plane [H, W] is one byte for its filter, then its bytes, row by row, each less what the filter predicts, modulo 256:

    0 none  nothing
    1 left  the byte to the left, or 0
    2 up    the byte above, or 0
    3 high  the high byte of the same sample (of low bytes only)

Where these are all alike, 4 is added to the filter, and only one of them stands there.
"""

import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptError
from ..format import lzma2

Plane = NDArray[np.uint8]
"""uint8 [H, W]"""

NONE, LEFT, UP, HIGH = range(4)
ALIKE = 4
"""What is added to the filter where one byte stands for all."""

_LOOK = 1 << 17  # bytes of a plane that decide about its filter: as much, or bands of so much in all
_BANDS = 4


def pack(plane: Plane, high: Plane | None = None) -> bytes:
    """The plane, not empty, with the filter that seems best. `high` has the high bytes where these are low bytes."""
    kinds = range(HIGH + (high is not None))
    best = min(kinds, key=lambda kind: _cost(_filtered(plane, high, kind)))
    filtered = _filtered(plane, high, best)
    if (filtered == filtered[0, 0]).all():
        return bytes([ALIKE + best]) + filtered[:1, :1].tobytes()
    return bytes([best]) + filtered.tobytes()


def unpack(data: bytes, at: int, shape: tuple[int, int], high: Plane | None = None) -> tuple[Plane, int]:
    """The plane of this shape that starts at offset `at` of `data`, and where it ends. Raises CorruptError."""
    head = data[at] if at < len(data) else NONE
    kind = head % ALIKE
    if head >= 2 * ALIKE or (kind == HIGH and high is None):
        raise CorruptError(f"a plane of an image frame has a filter {head}, which does not exist there")
    size = 1 if head >= ALIKE else shape[0] * shape[1]
    if len(data) - at - 1 < size:
        raise CorruptError("the side stream of an image frame ends early")
    filtered = np.frombuffer(data, np.uint8, size, at + 1)
    if head < ALIKE and (filtered == filtered[0]).all():
        raise CorruptError("a plane of an image frame has all of its bytes, which are alike")
    filtered = np.broadcast_to(filtered, shape) if head >= ALIKE else filtered.reshape(shape)
    plane = _restored(filtered, high, kind)
    if any(_means_the_same(filtered, plane, high, other) for other in range(kind)):
        raise CorruptError(f"a plane of an image frame has a filter {head} where another means the same")
    return plane, at + 1 + size


def _filtered(plane: Plane, high: Plane | None, kind: int) -> Plane:
    """The plane less what the filter predicts."""
    if kind in (LEFT, UP):
        return np.diff(plane, axis=2 - kind, prepend=np.uint8(0))
    return plane - high if kind == HIGH and high is not None else plane


def _restored(plane: Plane, high: Plane | None, kind: int) -> Plane:
    """The plane that is `plane` when filtered."""
    if kind in (LEFT, UP):
        return np.cumsum(plane, axis=2 - kind, dtype=np.uint8)
    return plane + high if kind == HIGH and high is not None else plane


def _means_the_same(filtered: Plane, plane: Plane, high: Plane | None, kind: int) -> bool:
    """Whether a filter would have made the same bytes of the plane: then `pack` chooses the first that does."""
    corner = slice(0, 2), slice(0, 2)  # nearly always tells
    if not np.array_equal(
        _filtered(plane[corner], None if high is None else high[corner], kind), filtered[corner]
    ):
        return False
    return np.array_equal(_filtered(plane, high, kind), filtered)


def _cost(plane: Plane) -> int:
    """What a quick compressor makes of the plane, or of bands of its rows."""
    rows = max(1, _LOOK // (_BANDS * plane.shape[1]))
    starts = np.linspace(0, max(0, len(plane) - rows), _BANDS).astype(int).tolist()
    parts = [plane] if plane.size <= _LOOK else [plane[start : start + rows] for start in starts]
    return lzma2.rough_size(b"".join(part.tobytes() for part in parts))
