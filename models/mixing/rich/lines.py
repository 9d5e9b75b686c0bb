"""Counters and bit histories of contexts, in lines of 16: one line for each four decisions of a symbol.

A slot is a uint32: a probability of 18 bits, 6 bits of age and a history of 8: the last bits behind a leading 1, seven
at most. The first slot of a line is its tag, a part of the context's hash, so that contexts do not take each other's
counters for their own. A context is looked for in two lines; if it is in neither, the one whose first counter is
younger is emptied for it (after the buckets of Mahoney's PAQ6 and lpaq). A processor's cache fetches a line at once.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ..contexts import HASH

LINE = 16
FRESH = 1 << 31 | 1  # one half, of age 0, with no history
_CHANCE, _AGES = 18, 63


class Lines:
    """The lines of all contexts of a frame: [contexts, 2**bits] of them.

    adapt  rates by age, below 2**16; limit: the age at which it falls no more
    """

    def __init__(self, contexts: int, bits: int, adapt: NumpyArray, limit: int) -> None:
        self._table = np.zeros((contexts << bits, LINE), np.uint32)
        self._first = (np.arange(contexts, dtype=np.int64) << bits)[:, None]
        self._shift = np.uint64(64 - bits)
        self._adapt, self._limit = adapt[: _AGES + 1].astype(np.int64), limit

    def find(self, keys: NumpyArray) -> NumpyArray:
        """The lines of these hashes uint64 [contexts, A], which are emptied where they were others': int64."""
        hashes = keys * HASH
        tags = hashes.astype(np.uint32) | np.uint32(1)
        rows = (hashes >> self._shift).view(np.int64) + self._first
        others = rows ^ 1
        first, second = self._table[rows, 0] == tags, self._table[others, 0] == tags
        younger = self._age(self._table[others, 1]) < self._age(self._table[rows, 1])
        lines: NumpyArray = np.where(first | ~second & ~younger, rows, others)
        strange = ~(first | second)
        fresh = np.full((np.count_nonzero(strange), LINE), FRESH, np.uint32)
        fresh[:, 0] = tags[strange]
        # Where lanes empty the same line the tag of the last one stays (see trial.check_assignment).
        self._table[lines[strange]] = fresh
        return lines

    def read(self, lines: NumpyArray, places: NumpyArray) -> NumpyArray:
        """Slots int64 [contexts, A]: those at ``places`` [A], 1..15, of lines."""
        found: NumpyArray = self._table[lines, places].astype(np.int64)
        return found

    def learn(self, lines: NumpyArray, places: NumpyArray, slots: NumpyArray, bits: NumpyArray) -> None:
        """Move slots [contexts, A], as they were read, on by the bits int64 [A]."""
        chances, ages, histories = slots >> 32 - _CHANCE, self._age(slots), history_of(slots)
        goals = bits * ((1 << _CHANCE) - 1)
        chances = chances + ((goals - chances) * self._adapt.take(ages) >> 16)
        histories = 2 * histories + bits
        histories = np.where(histories > 255, histories & 127 | 128, histories)
        moved = chances << 14 | np.minimum(ages + 1, self._limit) << 8 | histories
        # Where lanes share a slot the last one stays (see trial.check_assignment).
        self._table[lines, places] = moved.astype(np.uint32)

    @staticmethod
    def _age(slots: NumpyArray) -> NumpyArray:
        ages: NumpyArray = slots >> slots.dtype.type(8) & slots.dtype.type(_AGES)
        return ages


def history_of(slots: NumpyArray) -> NumpyArray:
    """The last bits, behind a leading 1."""
    histories: NumpyArray = slots & 255
    return histories


def is_seen(slots: NumpyArray) -> NumpyArray:
    """Whether each has met a bit."""
    seen: NumpyArray = history_of(slots) > 1
    return seen
