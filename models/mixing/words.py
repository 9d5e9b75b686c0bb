"""Words and word bigrams, the word so far with the word before it, of the lanes of a frame: contexts of counters."""

from __future__ import annotations

import numpy as np

from ..backends.base import NumpyArray
from .contexts import SALT

_WORD = np.uint64(0x2545F4914F6CDD1D)  # an odd number without a pattern


class Words:
    """The words of each of L lanes.

    bigrams  whether the word so far together with the word before it is a context too
    """

    def __init__(self, alphabet: int, lanes: int, bigrams: bool) -> None:
        self._word, self._before = np.zeros((2, lanes), np.uint64)
        self._letters, self._bigrams = letters(alphabet), bigrams

    def contexts(self, lanes: int) -> NumpyArray:
        """Those of the first lanes: uint64 [1 or, with bigrams, 2, lanes]."""
        word = self._word[:lanes]
        return np.stack([word, word + self._before[:lanes] * SALT] if self._bigrams else [word])

    def advance(self, symbols: NumpyArray) -> None:
        """Move on by one symbol in every lane: uint8 [L]."""
        letters = self._letters[symbols]
        if self._bigrams:
            ended = (letters == 0) & (self._word > 0)
            self._before = np.where(ended, self._word, self._before)
        self._word = np.where(letters > 0, (self._word + letters) * _WORD, np.uint64(0))


def letters(alphabet: int) -> NumpyArray:
    """What each symbol adds to a word, uint64 [256]: 0 for what ends it. Capitals count as small, UTF-8 as letters."""
    letters = np.arange(256, dtype=np.uint64)
    if alphabet < 256:
        return letters  # 0 is the space
    capitals = slice(ord("A"), ord("Z") + 1)
    letters[capitals] += np.uint64(32)
    keep = np.zeros(256, bool)
    keep[128:] = keep[capitals] = keep[ord("a") : ord("z") + 1] = True
    return np.where(keep, letters, np.uint64(0))
