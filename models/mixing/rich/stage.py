"""The last stage of the rich mixture: as ``mixing/sse.py``, with four maps.

They know the node and the last symbol, or the last two, or the state of the longest match with its bit, or the symbol
above with the last one. With the four they say q_1 to q_4, and p' = (4 p + 3 (q_1 + ... + q_4)) / 16, but at least 1.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ..contexts import HASH, SALT
from ..counters import CHANCE, COUNT, Counters
from ..decisions import PROBABILITY
from ..sse import KNOTS, MAP_BITS, REACH, STRETCH, fresh_maps

STAGES = 4
_SALTS = (np.arange(1, STAGES + 1, dtype=np.uint64) * SALT)[:, None]


def stage_bits(count: int) -> int:
    """log2 of the rows of each map."""
    return min(MAP_BITS, max(8, count.bit_length() + 2))


class Stage:
    """The maps of one frame; squash, adapt: see `SSE`."""

    @staticmethod
    def bytes_for(count: int) -> int:
        """What they take."""
        return 4 * KNOTS * STAGES << stage_bits(count)

    def __init__(self, squash: NumpyArray, adapt: NumpyArray, count: int) -> None:
        bits = stage_bits(count)
        self._shift = np.uint64(64 - bits)
        self._first = (np.arange(STAGES, dtype=np.int64) << bits)[:, None]
        self._counters = Counters(fresh_maps(squash, bits, STAGES), adapt)

    def refined(self, t: NumpyArray, p: NumpyArray, known: NumpyArray) -> NumpyArray:
        """p' [A] for t and p [A] of the mixture; ``known`` uint64 [STAGES, A] are the contexts with their node."""
        place = np.clip(t, -REACH, REACH - 1) + REACH
        part = place & (1 << STRETCH) - 1
        rows = ((known * HASH) >> self._shift).view(np.int64) + self._first
        rows = rows * KNOTS + (place >> STRETCH)
        below, above = self._counters.read(rows), self._counters.read(rows + 1)
        nearer = part >> STRETCH - 1
        self._read = np.where(nearer, above, below), rows + nearer
        below, above = below.astype(np.int64) >> COUNT, above.astype(np.int64) >> COUNT
        found = (above - below) * part + (below << STRETCH) >> CHANCE - PROBABILITY + STRETCH
        total = found.sum(0) + (STAGES << PROBABILITY - 1)
        refined: NumpyArray = np.maximum(4 * p + 3 * total >> 4, 1)
        return refined

    def learn(self, bits: NumpyArray) -> None:
        """What came of the last `refined`: bits [A]."""
        counters, rows = self._read
        self._counters.learn(counters, rows, bits)


def stage_keys(recent: NumpyArray, state: NumpyArray, above: NumpyArray) -> NumpyArray:
    """Contexts uint64 [STAGES, A]; ``state`` is 0 where no match fits, else twice its state and its bit."""
    last = recent & np.uint64(255)
    known = [last, recent & np.uint64(0xFFFF), state.astype(np.uint64), above | last << np.uint64(8)]
    keys: NumpyArray = (np.stack(known) + _SALTS) * HASH
    return keys
