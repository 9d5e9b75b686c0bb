"""What a masked text model sees around each position: hashed windows of symbols, some of which are still unknown.

A window is a tuple of offsets, such as (-2, -1) or (-1, 0, 1). The symbols there, masks and the ends of the chunk
among them, are hashed into the rows of an embedding table: the n-gram tables of ``contexts`` for a text whose known
symbols are anywhere. Integer arithmetic on the symbols alone, so exact everywhere by construction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..backends.base import NumpyArray
from ..mixing.contexts import HASH

Window = tuple[int, tuple[int, ...]]
"""log2 of the rows of its table, and the offsets. One offset alone is not hashed and has a row for each symbol."""

_BITS = 8  # of a symbol in the key of a window


def table_rows(window: Window, alphabet: int) -> int:
    """Rows of a window's table."""
    bits, offsets = window
    return alphabet + 2 if len(offsets) == 1 else 1 << bits


def window_rows(
    symbols: NumpyArray, alphabet: int, windows: Sequence[Window], at: NumpyArray | None = None
) -> NumpyArray:
    """Rows of the tables, intp [windows, B, L], for symbols uint8 [B, L] in which ``alphabet`` is the mask.

    at  intp [n], positions to find them for: [windows, B, n]; None for all

    What lies beyond the ends of the chunk is one symbol more.
    """
    at = np.arange(symbols.shape[1]) if at is None else at
    reach = max(abs(offset) for offset in _offsets(windows))
    padded = np.full((len(symbols), symbols.shape[1] + 2 * reach), alphabet + 1, np.uint8)
    padded[:, reach : -reach or None] = symbols
    seen = {offset: padded[:, reach + offset + at].astype(np.uint64) for offset in _offsets(windows)}
    rows = np.empty((len(windows), len(symbols), len(at)), np.intp)
    for row, (bits, offsets) in zip(rows, windows, strict=True):
        key = seen[offsets[0]]
        for offset in offsets[1:]:
            key = key << np.uint64(_BITS) | seen[offset]
        row[:] = key if len(offsets) == 1 else key * HASH >> np.uint64(64 - bits)
    return rows


def seeing(changed: NumpyArray, windows: Sequence[Window]) -> NumpyArray:
    """The positions in whose windows lies any that is changed, bool [L]: intp [n], ascending."""
    at = np.flatnonzero(changed)
    seen = np.unique([at - offset for offset in _offsets(windows)])
    return seen[(seen >= 0) & (seen < len(changed))]


def _offsets(windows: Sequence[Window]) -> set[int]:
    """All that any window looks at."""
    return {offset for _, offsets in windows for offset in offsets}
