"""SSE, the last stage of a mixture: what has come of such probabilities where the last symbols were the same.

Secondary symbol estimation by adaptive probability maps, APM (Mahoney's PAQ6 and lpaq). There are two, which know
the node of the decision tree and the last symbol, or the last two. For each context a map has 17 counters, one for each
t = stretch(p) = -8, -7, ..., 8, which starts as squash(t). What it says is interpolated between the two counters around
t, and the nearer one learns from the bit:

    p' = (2 p + 3 q_1 + 3 q_2) / 8, rounded down, but at least 1

The mixture itself learns from p, not from p'.
"""

from __future__ import annotations

import numpy as np

from ..backends.base import NumpyArray
from .contexts import HASH, SALT
from .counters import CHANCE, COUNT, Counters
from .decisions import PROBABILITY

STRETCH = 8  # fractional bits of t
FIRST_COUNT = 4  # the count of a fresh counter
REACH = 8 << STRETCH  # of t, either way
KNOTS = 2 * (REACH >> STRETCH) + 1
_ORDERS = (1, 2)
MAP_BITS = 16  # log2 of the rows of a map, at most


class SSE:
    """The adaptive probability maps (APM) of one frame.

    squash  of `mixing.mixing_tables`; adapt: the same; bits: log2 of the rows, of which there are 2**16 at most
    """

    def __init__(self, squash: NumpyArray, adapt: NumpyArray, bits: int) -> None:
        bits = min(bits, MAP_BITS)
        self._shift = np.uint64(64 - bits)
        self._first = (np.arange(len(_ORDERS), dtype=np.int64) << bits)[:, None]
        self._counters = Counters(fresh_maps(squash, bits), adapt)
        self._masks = np.array([(1 << 8 * order) - 1 for order in _ORDERS], np.uint64)[:, None]
        self._salts = (np.array(_ORDERS, np.uint64) * SALT)[:, None]
        self._read: tuple[NumpyArray, NumpyArray] = np.empty(0, np.int64), np.empty(0, np.int64)

    @staticmethod
    def bytes_for(bits: int) -> int:
        """What the maps of a frame take."""
        return 4 * KNOTS * (len(_ORDERS) << min(bits, MAP_BITS))

    def keys(self, recent: NumpyArray) -> NumpyArray:
        """Hashes of the contexts, uint64 [2, A], of the packed past [A]."""
        keys: NumpyArray = ((recent & self._masks) + self._salts) * HASH * HASH
        return keys

    def probability(self, t: NumpyArray, p: NumpyArray, keys: NumpyArray) -> NumpyArray:
        """The probability p' [A] of 16 bits, for p [A] of 16 bits and t [A] in steps of 2**-8.

        keys  those of the contexts, with the node of the decision tree: uint64 [2, A], of which the upper bits count
        """
        place = np.clip(t, -REACH, REACH - 1)
        place += REACH
        part = place & (1 << STRETCH) - 1
        rows = (keys >> self._shift).view(np.int64)
        rows += self._first
        rows *= KNOTS
        rows += place >> STRETCH
        below, above = self._counters.read(rows), self._counters.read(rows + 1)
        nearer = part >> STRETCH - 1
        self._read = np.where(nearer, above, below), rows + nearer
        # Within 31 bits: 22 of a probability, 8 of the part.
        below >>= COUNT
        above >>= COUNT
        above -= below
        above *= part.astype(np.int32)
        below <<= STRETCH
        above += below
        above >>= CHANCE - PROBABILITY + STRETCH
        found = np.add.reduce(above, axis=0, dtype=np.int64)
        found += len(_ORDERS) << PROBABILITY - 1
        found *= 3
        found += 2 * p
        found >>= 3
        adjusted: NumpyArray = np.maximum(found, 1)
        return adjusted

    def learn(self, bits: NumpyArray) -> None:
        """What came of the last `probability`: bits [A]."""
        counters, slots = self._read
        self._counters.learn(counters, slots, bits)


def fresh_maps(squash: NumpyArray, bits: int, maps: int = len(_ORDERS)) -> NumpyArray:
    """The counters of the maps before the first symbol, int32 [maps * 2**bits * 17]: one row of knots after another."""
    middle = len(squash) // 2
    knots = squash[middle - REACH : middle + REACH + 1 : 1 << STRETCH].astype(np.int32)
    row = ((knots << CHANCE - PROBABILITY) - (1 << CHANCE - 1) << COUNT) + np.int32(FIRST_COUNT)
    return np.tile(row, maps << min(bits, MAP_BITS))
