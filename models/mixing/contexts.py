"""What the byte models see of the past: hashed n-grams and the match model.

Both are integer arithmetic on the symbols alone, so they are exact everywhere by construction.

* n-grams: the last 1..8 symbols, hashed into the rows of an embedding table (after the byte n-gram embeddings of
  BLT, Pagnoni et al. 2024, arXiv 2412.09871). Capacity that costs memory but no multiplications.
* matches: every lane points at the symbol that followed the most recent occurrence of its last ``MIN_MATCH``
  symbols, anywhere in what all lanes of the frame have coded so far (after Mahoney's lpaq). The network is told
  that symbol and how long the match has held, and learns how much to believe it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MIN_MATCH = 5  # symbols that must agree before a match is proposed
MATCH_LENGTHS = 16  # match lengths the network can tell apart; 0 says that there is no match
HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio (Fibonacci hashing)
SALT = np.uint64(0xD6E8FEB86659FD93)  # without a pattern: times a number of its own, it sets a context apart


class Past(NamedTuple):
    """What is known before each of the next T symbols of L lanes, [T, L] each.

    recent    uint64, the last eight symbols packed, the newest in the low byte
    expected  intp, the symbol that the match model expects; 0 where it has no match
    lengths   intp, how long the match has held, 0..MATCH_LENGTHS - 1; 0 where there is none
    """

    recent: Array
    expected: Array
    lengths: Array

    def of(self, lanes: slice) -> Past:
        """That of some lanes."""
        return Past(self.recent[:, lanes], self.expected[:, lanes], self.lengths[:, lanes])


def ngram_rows(recent: Array, order: int, bits: int) -> Array:
    """Rows of an n-gram table, intp [...], of packed pasts uint64 [...].

    ``recent`` (uint64) packs the last eight symbols, the newest in the low byte; the ``order`` newest of them are
    hashed to ``bits`` bits. Order 1 is not hashed: its row is the symbol.
    """
    key = recent & np.uint64((1 << 8 * order) - 1)
    if order == 1:
        return key.astype(np.intp)
    return ((key * HASH) >> np.uint64(64 - bits)).astype(np.intp)


def match_rows(expected: Array, lengths: Array, whole: bool = False) -> Array:
    """Rows of the table of matches, intp [...], for expected symbols [...] and match lengths [...].

    whole  whether each symbol has rows of its own. Without it the product keeps 8 bits, so that of the symbol only the
           lower 4 are told, and 256 rows are in use whatever the alphabet: the first weights were trained so
    """
    first = expected.astype(np.intp) * MATCH_LENGTHS
    rows: Array = (first if whole else first & 255) + lengths
    return rows


def pack_history(symbols: Array, recent: Array) -> Array:
    """The packed past of every position: symbols [T, L] uint8 -> uint64 [T, L].

    ``recent`` [L] is the packed past before the first row, and row t packs all that precedes symbols[t].
    """
    steps, lanes = symbols.shape
    padded = np.empty((steps + 8, lanes), np.uint64)
    for age in range(8):
        padded[7 - age] = (recent >> np.uint64(8 * age)) & np.uint64(255)
    padded[8:] = symbols
    packed = np.zeros((steps, lanes), np.uint64)
    for age in range(8):
        packed |= padded[7 - age : 7 - age + steps] << np.uint64(8 * age)
    return packed


def push_symbol(recent: Array, symbols: Array) -> Array:
    """The packed past [L] after one more symbol in every lane."""
    return (recent << np.uint64(8)) | symbols.astype(np.uint64)


def match_bits(count: int) -> int:
    """log2 of the places that are remembered of so many symbols."""
    return min(22, max(12, (count - 1).bit_length()))


class MatchModel:
    """Where each of L lanes of ``length`` symbols has seen its recent past before.

    Call ``predict`` then ``update`` once for each step; lanes run side by side and share one memory of the frame.
    """

    @staticmethod
    def bytes_for(lanes: int, length: int) -> int:
        """What one takes."""
        return (16 << match_bits(lanes * length)) + lanes * length

    def __init__(self, lanes: int, length: int) -> None:
        bits = match_bits(lanes * length)
        size = 1 << bits
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(size, np.uint64)
        self._places = np.zeros(size, np.int64)
        self._text = np.zeros(lanes * length, np.uint8)
        self._starts = np.arange(lanes, dtype=np.int64) * length
        self._pointer = np.full(lanes, -1, np.int64)
        self._matched = np.zeros(lanes, np.int64)
        self._step = 0

    def predict(self) -> tuple[Array, Array]:
        """Expected symbol [L] (0 where there is none) and match length [L] in 0..MATCH_LENGTHS-1 (0: none)."""
        found = self._pointer >= 0
        expected = np.where(found, self._text[self._pointer], 0)
        lengths = np.where(found, np.minimum(self._matched - MIN_MATCH + 1, MATCH_LENGTHS - 1), 0)
        return expected, lengths

    def update(self, symbols: Array, recent: Array) -> None:
        """Learn this step's symbols [L]; ``recent`` [L] is the packed past that includes them."""
        places = self._starts + self._step
        self._step += 1
        hit = (self._pointer >= 0) & (self._text[self._pointer] == symbols)
        self._text[places] = symbols
        self._matched = np.where(hit, self._matched + 1, 0)
        self._pointer = np.where(hit, self._pointer + 1, -1)
        self._pointer[self._pointer >= len(self._text)] = -1
        if self._step < MIN_MATCH:
            return
        keys = recent & np.uint64((1 << 8 * MIN_MATCH) - 1)
        slots = (keys * HASH) >> self._shift
        fresh = (self._pointer < 0) & (self._keys[slots] == keys) & (self._places[slots] > 0)
        self._pointer = np.where(fresh, self._places[slots], self._pointer)
        self._matched = np.where(fresh, MIN_MATCH, self._matched)
        # Where lanes collide the last one stays (see trial.check_assignment).
        self._keys[slots] = keys
        self._places[slots] = np.minimum(places + 1, len(self._text) - 1)
