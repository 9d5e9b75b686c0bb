"""A match model of the rich mixture: it goes on after a symbol that differs, for what repeats with changes.

Each lane points into the text of all lanes, behind the last place where the same symbols stood. It lets go after eight
differing symbols of the last eight. A lane that has no pointer, or one that has failed of late, looks for another. What
such a match predicts is trusted as far as others like it were right, by an adaptive map of how long it has held and how
many of its last four symbols differed.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ..contexts import HASH, match_bits
from ..counters import CHANCE, COUNT, Counters
from .config import LENGTHS, STATES
from .past import Memory, newest

_LENGTHS = np.array(LENGTHS)
_SHORT = 8  # a match that has failed and is shorter may be given up
_MISSES = np.array([bin(misses).count("1") for misses in range(256)])


class Match:
    """The matches of L lanes of which ``least`` symbols, 8 at most, had to agree.

    trust  counters int32 [TRUSTED] that the map starts from; adapt: its rates, by age
    """

    @staticmethod
    def bytes_for(count: int) -> int:
        """What one takes."""
        return 4 << match_bits(count)

    def __init__(self, memory: Memory, least: int, trust: NumpyArray, adapt: NumpyArray) -> None:
        self._memory, self._least = memory, least
        bits, lanes = match_bits(len(memory.text)), len(memory.starts)
        self._shift = np.uint64(64 - bits)
        self._known = np.zeros(1 << bits, np.int32)  # places, 0 for none
        self._pointer = np.full(lanes, -1, np.int64)
        self._length, self._misses = np.zeros((2, lanes), np.int64)
        self._trust = Counters(trust.copy(), adapt)
        self._read = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)

    def begin(self, lanes: int, size: int) -> None:
        """The next symbols of the first lanes are to be predicted, of an alphabet that fills ``size``."""
        pointer = self._pointer[:lanes]
        symbols = self._memory.text.take(pointer, mode="clip").astype(np.int64)
        self._expected = np.where(pointer < 0, 0, symbols + size)
        self.state = 1 + np.searchsorted(_LENGTHS, self._length[:lanes], side="right")
        self._rows = self.state - 1 + STATES * np.minimum(_MISSES.take(self._misses[:lanes] & 15), 3)

    def predict(self, nodes: NumpyArray, left: int) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """Which lanes [A] have a match that fits their node, its bit, and its chance, -2**15..2**15 - 1.

        left  decisions of the symbol that are left, with this one
        """
        fits = self._expected >> left == nodes
        bits = self._expected >> left - 1 & 1
        trust = self._trust.read(self._rows)
        self._read = trust[fits], self._rows[fits], bits[fits]
        self._fits = fits
        return fits, bits, (trust >> COUNT + CHANCE - 16).astype(np.int64)

    def learn(self, bits: NumpyArray) -> None:
        """What came of the last `predict`: bits [A]."""
        trust, rows, expected = self._read
        self._trust.learn(trust, rows, (expected == bits[self._fits]).astype(np.int64))

    def advance(self, symbols: NumpyArray) -> None:
        """Move on by one symbol in every lane, uint8 [L], that the memory has taken in."""
        text, held = self._memory.text, self._pointer >= 0
        hit = text.take(self._pointer, mode="clip") == symbols
        self._length = np.where(hit, self._length + 1, 0)
        self._misses = 2 * self._misses + ~hit & 255
        self._pointer += 1
        self._drop(~held | (self._pointer >= len(text)) | (self._misses == 255))
        if self._memory.step >= self._least:
            self._look_up()

    def _drop(self, lost: NumpyArray) -> None:
        self._pointer[lost], self._length[lost], self._misses[lost] = -1, 0, 0

    def _look_up(self) -> None:
        """New matches for lanes that want one, and the places of what has just been."""
        memory, least = self._memory, self._least
        slots = newest(memory.recent, least) * HASH >> self._shift
        places = self._known.take(slots.view(np.int64)).astype(np.int64)
        wants = (self._pointer < 0) | ((self._length < min(_SHORT, least)) & (self._misses > 0))
        found = wants & (places > 0)
        for age in range(least):
            symbols = (memory.recent >> np.uint64(8 * age) & np.uint64(255)).astype(np.uint8)
            found &= memory.text.take(places - 1 - age, mode="clip") == symbols
        self._pointer[found], self._length[found], self._misses[found] = places[found], least, 0
        nexts = memory.starts + memory.step
        nexts[nexts >= len(memory.text)] = 0
        # Where lanes collide the last one stays (see trial.check_assignment).
        self._known[slots.view(np.int64)] = nexts
