"""The row filters of PNG (its specification, section 9): each byte less a prediction from bytes left and above.

    c b     0 none   0            3 average  floor((a + b) / 2)
    a x     1 sub    a            4 Paeth    whichever of a, b, c is nearest to a + b - c
            2 up     b

a, b and c are bytes of the pixel to the left, above, and above to the left; 0 outside of the picture.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

NONE, SUB, UP, AVERAGE, PAETH = range(5)
KINDS = 5

_BAND = 1 << 20  # bytes of rows that are filtered at a time


def undo(rows: Bytes, kinds: Bytes, above: Bytes | None = None) -> Bytes:
    """Rows uint8 [H, W, B] of W pixels of B bytes, filtered as `kinds` [H] says (0 .. 4), as they were before.

    above  the row [W, B] before them, as it was; None if they are the first
    """
    out = np.array(rows, order="C")
    undo_in_place(out, kinds, above)
    return out


def undo_in_place(rows: Bytes, kinds: Bytes, above: Bytes | None) -> None:
    """The same to contiguous rows that nobody needs as they are."""
    if not kinds.any():
        return
    if kinds.max() <= UP:
        _undo_by_row(rows, kinds, above)
    else:
        _undo_by_diagonal(rows, kinds, above)


def apply(rows: Bytes, kinds: Bytes, above: Bytes | None = None) -> Bytes:
    """Rows uint8 [H, W, B], filtered as `kinds` [H] says: the inverse of `undo`."""
    out = np.array(rows)
    for start, stop in _bands(rows):
        left, up, corner = _neighbours(rows, start, stop, above)
        for kind in np.unique(kinds[start:stop]).tolist():
            here = kinds[start:stop] == kind
            if kind != NONE:
                out[start:stop][here] -= _predicted(kind, left[here], up[here], corner[here])
    return out


def magnitudes(rows: Bytes) -> NDArray[np.int64]:
    """The sum of the magnitudes of each filtered row [H, bytes], int64 [H]: small where deflate makes little of it."""
    sums: NDArray[np.int64] = np.minimum(rows, -rows).sum(axis=1, dtype=np.int64)
    return sums


def pairs(rows: Bytes) -> NDArray[np.int64]:
    """How many different pairs of bytes each filtered row [H, bytes] has, int64 [H]: slower, at times better."""
    wide = rows.astype(np.uint16)
    both = (wide[:, :-1] << np.uint16(8)) | wide[:, 1:]
    return np.array([len(np.unique(row)) for row in both], np.int64)


Cost = Callable[[Bytes], NDArray[np.int64]]


def choose(rows: Bytes, above: Bytes | None = None, cost: Cost = magnitudes) -> Bytes:
    """For each of the rows uint8 [H, W, B] the filter that leaves the one of the least cost, uint8 [H]."""
    kinds = np.zeros(len(rows), np.uint8)
    for start, stop in _bands(rows):
        sides = _neighbours(rows, start, stop, above)
        costs = []
        for kind in range(KINDS):
            left = (rows[start:stop] - _predicted(kind, *sides)).reshape(stop - start, -1)
            costs.append(cost(left))
        kinds[start:stop] = np.argmin(costs, axis=0)
    return kinds


def _bands(rows: Bytes) -> list[tuple[int, int]]:
    size = max(1, _BAND // max(1, rows[0].size)) if len(rows) else 1
    return [(start, min(start + size, len(rows))) for start in range(0, len(rows), size)]


def _neighbours(rows: Bytes, start: int, stop: int, above: Bytes | None) -> tuple[Bytes, Bytes, Bytes]:
    """a, b and c of the rows from `start` to `stop`, each [stop - start, W, B]."""
    height, width, size = stop - start, *rows.shape[1:]
    framed = np.zeros((height + 1, width + 1, size), np.uint8)
    framed[1:, 1:] = rows[start:stop]
    if start or above is not None:
        framed[0, 1:] = rows[start - 1] if start else above
    return framed[1:, :-1], framed[:-1, 1:], framed[:-1, :-1]


def _predicted(kind: int, left: Bytes, up: Bytes, corner: Bytes) -> Bytes:
    """The prediction of one filter from a, b and c."""
    if kind == NONE:
        return np.zeros_like(left)
    if kind == SUB:
        return left
    if kind == UP:
        return up
    if kind == AVERAGE:
        return (left & up) + ((left ^ up) >> np.uint8(1))
    a, b, c = (side.astype(np.int16) for side in (left, up, corner))
    return _paeth(a, b, c).astype(np.uint8)


def _paeth(a: NDArray[np.int16], b: NDArray[np.int16], c: NDArray[np.int16]) -> NDArray[np.int16]:
    """Whichever of a, b, c is nearest to a + b - c; of equals the first."""
    from_b, from_a = a - c, b - c
    to_c = np.abs(from_a + from_b)
    to_b, to_a = np.abs(from_b), np.abs(from_a)
    nearest: NDArray[np.int16] = np.where(to_b <= to_c, b, c)
    np.copyto(nearest, a, where=to_a <= np.minimum(to_b, to_c))
    return nearest


def _undo_by_row(rows: Bytes, kinds: Bytes, above: Bytes | None) -> None:
    """In place, where no filter needs both the pixel to the left and the one above."""
    for y, kind in enumerate(kinds.tolist()):
        if kind == SUB:
            np.cumsum(rows[y], axis=0, dtype=np.uint8, out=rows[y])
        elif kind == UP and (y or above is not None):
            rows[y] += rows[y - 1] if y else above


def _undo_by_diagonal(rows: Bytes, kinds: Bytes, above: Bytes | None) -> None:
    """In place. What pixel (y, x) needs has y + x smaller by 1 or 2, so diagonals are done in turn, each at once.

    Three diagonals are held, by row, with the row above, or zeros, before them. The sides that a filter does not use
    are masked to 0: then none, sub and up are Paeth too, and average is what is added to a Paeth of nothing.
    """
    height, width, size = rows.shape
    pixels = rows.reshape(height * width, size)
    use = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0]], np.int16)
    masks = np.repeat(-use[kinds].T[:, :, None], size, axis=2)  # [4, H, B], 0 or -1
    averages = bool((kinds == AVERAGE).any())
    now, last, before = (np.zeros((height + 1, size), np.int16) for _ in range(3))
    edge = np.zeros((height + width, size), np.int16)  # of each diagonal the pixel in the row above
    if above is not None:
        edge[:width] = above
    last[0] = edge[0]
    for diagonal in range(height + width - 1):
        low, high = max(0, diagonal - width + 1), min(diagonal, height - 1)
        here, up = slice(low + 1, high + 2), slice(low, high + 1)
        # From a row to the next one, x goes down by 1.
        places = slice(diagonal + low * (width - 1), diagonal + high * (width - 1) + 1, max(1, width - 1))
        a, b, mask = last[here], last[up], masks[:, up]
        value = _paeth(a & mask[0], b & mask[1], before[up] & mask[2])
        if averages:
            value += ((a + b) >> 1) & mask[3]
        value += pixels[places]
        value &= 255
        now[here] = value
        now[0] = edge[diagonal + 1]
        pixels[places] = value
        now, last, before = before, now, last
