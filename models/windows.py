"""What a masked text model sees around each position: hashed windows of symbols, some of which are still unknown.

A window is a tuple of offsets, such as (-2, -1) or (-1, 0, 1). The symbols there, masks and the ends of the chunk
among them, are hashed into the rows of an embedding table: the n-gram tables of ``contexts`` for a text whose known
symbols are anywhere. Integer arithmetic on the symbols alone, so exact everywhere by construction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import NumpyArray
from .contexts import HASH

Window = tuple[int, tuple[int, ...]]
"""log2 of the rows of its table, and the offsets. One offset alone is not hashed and has a row for each symbol."""

_BITS = 8  # of a symbol in the key of a window


def table_rows(window: Window, alphabet: int) -> int:
    """Rows of a window's table."""
    bits, offsets = window
    return alphabet + 2 if len(offsets) == 1 else 1 << bits


def window_rows(symbols: NumpyArray, alphabet: int, windows: Sequence[Window]) -> NumpyArray:
    """Rows of the tables, intp [windows, B, L], for symbols uint8 [B, L] in which ``alphabet`` is the mask.

    What lies beyond the ends of the chunk is one symbol more.
    """
    length = symbols.shape[1]
    reach = max(abs(offset) for _, offsets in windows for offset in offsets)
    padded = np.full((len(symbols), length + 2 * reach), alphabet + 1, np.uint64)
    padded[:, reach : reach + length] = symbols
    rows = np.empty((len(windows), *symbols.shape), np.intp)
    for row, (bits, offsets) in zip(rows, windows, strict=True):
        key = np.zeros(symbols.shape, np.uint64)
        for offset in offsets:
            key = (key << np.uint64(_BITS)) | padded[:, reach + offset : reach + offset + length]
        row[:] = key if len(offsets) == 1 else (key * HASH) >> np.uint64(64 - bits)
    return rows
