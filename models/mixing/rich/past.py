"""The contexts of the rich mixture: hashes of what each lane has seen, of words and lines, or of records.

Text has the orders 1 to 4, 6 and 8, the word so far, that with the word before it, two of the last three symbols and
two of the last four, the oldest ones, and what stands above in the line before; where there are no lines, the orders 5
and 7. In records of R symbols order 6, words and lines give way to what stands R, 2 R and 3 R symbols back, and to the
place in the record.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ..contexts import HASH, SALT, push_symbol
from ..words import Words
from .config import CONTEXTS

NEWLINE = 10
_SALTS = (np.arange(1, CONTEXTS + 1, dtype=np.uint64) * SALT)[:, None]


def newest(recent: NumpyArray, order: int) -> NumpyArray:
    """The newest symbols of a packed past, as many as ``order``: uint64 of its shape."""
    found: NumpyArray = recent if order == 8 else recent & np.uint64((1 << 8 * order) - 1)
    return found


class Memory:
    """What L lanes have seen, side by side in one text as long as all of them.

    record  symbols of a record, 2 or more; 0 for text
    """

    def __init__(self, alphabet: int, lanes: int, count: int, record: int) -> None:
        self.length, self.step, self.record = -(-count // lanes), 0, record
        self.text = np.zeros(lanes * self.length, np.uint8)
        self.recent = np.zeros(lanes, np.uint64)
        self.starts = np.arange(lanes, dtype=np.int64) * self.length
        longer = count - lanes * (self.length - 1)
        self._places = self.starts - np.maximum(
            0, np.arange(lanes) - longer
        )  # in the frame, of the first symbols
        self._words = Words(alphabet, lanes, True)
        self._has_lines = alphabet == 256
        self._line, self._before = np.zeros(
            (2, lanes), np.int64
        )  # steps where this line and that before it start

    def contexts(self, lanes: int) -> tuple[NumpyArray, NumpyArray]:
        """Hashes uint64 [CONTEXTS, A] for the first lanes, and the symbol above, uint64 [A]."""
        recent = self.recent[:lanes]
        known, above = self._records(recent) if self.record else self._text(recent)
        keys: NumpyArray = (np.stack(known) + _SALTS) * HASH
        return keys, above

    def _text(self, recent: NumpyArray) -> tuple[list[NumpyArray], NumpyArray]:
        lanes, last = len(recent), newest(recent, 1)
        above, beside, column = self._above(lanes)
        lines = [above | last << np.uint64(8)]
        lines.append(above | beside << np.uint64(8) | last << np.uint64(16) | column << np.uint64(24))
        if not self._has_lines:
            lines = [newest(recent, 5), newest(recent, 7)]
        orders = [newest(recent, order) for order in (1, 2, 3, 4, 6, 8)]
        return [*orders, *self._words.contexts(lanes), *_skipped(recent), *lines], above

    def _above(self, lanes: int) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """The symbols above the next one and right of that, or 0, and the column, 255 at most: uint64 [A] each."""
        column = self.step - self._line[:lanes]
        place = self._before[:lanes] + column
        return (
            self._before_line(place),
            self._before_line(place + 1),
            np.minimum(column, 255).astype(np.uint64),
        )

    def _before_line(self, place: NumpyArray) -> NumpyArray:
        """The symbols at these steps [A] of the first lanes, or 0 where this line has begun: uint64 [A]."""
        symbols = self.text.take(self.starts[: len(place)] + place, mode="clip")
        found: NumpyArray = np.where(place < self._line[: len(place)], symbols, 0).astype(np.uint64)
        return found

    def _records(self, recent: NumpyArray) -> tuple[list[NumpyArray], NumpyArray]:
        lanes, record = len(recent), self.record
        last, phase = newest(recent, 1), ((self._places[:lanes] + self.step) % record).astype(np.uint64)
        one, two, three, right, left = (
            self._back(lanes, distance)
            for distance in (record, 2 * record, 3 * record, record - 1, record + 1)
        )
        orders = [newest(recent, order) for order in (1, 2, 3, 4)]
        column = [_packed(one, last) | phase << np.uint64(16), _packed(one, right, left, last)]
        place = [phase | last << np.uint64(32)]
        place.append(_packed(one, two, three, last, recent >> np.uint64(8) & np.uint64(255), right))
        return [*orders, _packed(one, two), recent, *column, *_skipped(recent), *place], one

    def _back(self, lanes: int, distance: int) -> NumpyArray:
        """The symbols so far back in each lane, or 0: uint64 [A]."""
        if self.step < distance:
            return np.zeros(lanes, np.uint64)
        return self.text[self.starts[:lanes] + self.step - distance].astype(np.uint64)

    def advance(self, symbols: NumpyArray) -> None:
        """Move on by one symbol in every lane: uint8 [L]."""
        self.text[self.starts + self.step] = symbols
        self.recent = push_symbol(self.recent, symbols)
        self._words.advance(symbols)
        self.step += 1
        if self._has_lines:
            ended = symbols == NEWLINE
            self._before = np.where(ended, self._line, self._before)
            self._line = np.where(ended, self.step, self._line)


def _skipped(recent: NumpyArray) -> list[NumpyArray]:
    return [recent >> np.uint64(8) & np.uint64(0xFFFF), recent >> np.uint64(16) & np.uint64(0xFFFF)]


def _packed(*symbols: NumpyArray) -> NumpyArray:
    """Symbols uint64 [A], the first in the low byte."""
    found = symbols[0]
    for place, each in enumerate(symbols[1:], 1):
        found = found | each << np.uint64(8 * place)
    return found
