"""Adaptive counters: probabilities that follow the bits they have met, the first of them fast.

A counter is an int32: its probability less one half in the upper 22 bits; below them, in 10 bits, its count, which is
how often it was updated. It moves towards each bit by adapt[count] / 2**16 of its error, about 1 / (count + 1.3)
(Mahoney's lpaq). So a table of zeros is one of fresh counters, which the system hands out untouched.
"""

from __future__ import annotations

import numpy as np

from ..backends.base import NumpyArray
from .decisions import PROBABILITY

CHANCE = 22  # bits of the probability of a counter
COUNT = 10  # bits of its count


class Counters:
    """A table of counters, int32 [size]; all lanes read before any of them learns.

    adapt  table of rates for each count up to the limit, below 2**16. Raises ValueError for another
    """

    def __init__(self, table: NumpyArray, adapt: NumpyArray) -> None:
        self._table, self._adapt = table, adapt.astype(np.int64)
        if not (self._adapt.min() >= 0 and self._adapt.max() < 1 << 16):
            raise ValueError("a counter must move by a part of its error")  # so that it stays within 22 bits
        self._growing = (np.arange(len(adapt)) < len(adapt) - 1).astype(np.int64)

    def read(self, slots: NumpyArray) -> NumpyArray:
        """The counters at these places, int32 of the shape of ``slots``."""
        counters: NumpyArray = self._table.take(slots)
        return counters

    def learn(self, counters: NumpyArray, slots: NumpyArray, bits: NumpyArray) -> None:
        """Move counters int32 [rows, A], read from ``slots``, towards the bits int64 [A], and write them back."""
        counts = counts_of(counters)
        goals = bits << CHANCE
        goals -= 1 << CHANCE - 1
        moves = goals - (counters >> COUNT)  # int64
        moves *= self._adapt.take(counts)
        moves >>= 16
        moves <<= COUNT
        moves += counters
        moves += self._growing.take(counts)
        # Where lanes share a counter the last one stays (see trial.check_assignment).
        self._table[slots] = moves


def counts_of(counters: NumpyArray) -> NumpyArray:
    """How often each was updated, up to the limit."""
    counts: NumpyArray = counters & (1 << COUNT) - 1
    return counts


def chances_of(counters: NumpyArray, out: NumpyArray) -> None:
    """The probability of a 1 of each, 16 bits, into ``out``."""
    np.right_shift(counters, COUNT + CHANCE - PROBABILITY, out=out)
    out += 1 << PROBABILITY - 1
