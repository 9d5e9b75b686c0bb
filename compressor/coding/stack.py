"""The rANS stack (Duda, arXiv:1311.2540): symbols go in and come out, last in first out, with the same PMF.

It is one of the stacks of `ledger.SymbolStack`, and so is the stack of random bits here, from which pops sample.

The only module that imports constriction. Facts about constriction 0.5.0 that shape it, each pinned by a
test:

- `Categorical(perfect=False)` given `frequencies - 1` as float64 codes with exactly those frequencies: it
  adds 1 to every symbol for leakiness, and its scale, (2**24 - K) / sum, becomes exactly 1. `frequencies /
  2**24` and float32 are re-quantised.
- `decode` reads an array that is not C-contiguous as if it were, silently: arrays are made contiguous here.
- Decoding damaged words never raises, and popping an empty stack gives symbols too. So what follows a
  decode must check that the stack is empty and that a checksum is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import constriction
import numpy as np
from numpy.typing import NDArray

from ..errors import CorruptError
from .pmf import PMF, PRECISION

_WORD = np.dtype("<u4")  # the words of constriction's coder, in the byte order of the file
_HEAD = 64  # bits of the coder's state, below which nothing is left to sample from
_CHUNK = 1 << 20  # frequencies converted to float64 at a time: 8 MiB, however large the PMF


class Stack:
    """A last-in-first-out store of symbols, which is also one large natural number.

    `push` followed by `pop` with the same PMF gives the symbols back and leaves the stack as it was; so
    does `pop` followed by `push`, also on an empty stack, which is what bits-back coding needs.

    >>> stack, dice = Stack(), PMF.of_weights(np.ones((5, 6), np.int64))
    >>> stack.push(np.array([3, 0, 5, 5, 1]), dice)
    >>> data = stack.to_bytes()
    >>> Stack.from_bytes(data).pop(dice)
    array([3, 0, 5, 5, 1], dtype=int32)
    """

    __slots__ = ("_coder",)

    # The family of models that a row of weights completes; it has no state.
    _family = constriction.stream.model.Categorical(perfect=False)

    def __init__(self) -> None:
        self._coder = constriction.stream.stack.AnsCoder()

    def push(self, symbols: NDArray[np.integer], pmf: PMF) -> None:
        """Push `symbols` [N] with the rows of `pmf` [N, K], so that `pop` gives them back in this order.

        Raises ValueError, the stack untouched, when there is not one symbol in 0 .. K-1 for each row.
        """
        pmf.check(symbols)
        narrow = np.ascontiguousarray(symbols, dtype=np.int32)
        for rows in reversed(list(_chunks(pmf))):
            self._coder.encode_reverse(narrow[rows], self._family, _weights(pmf, rows))

    def pop(self, pmf: PMF) -> NDArray[np.int32]:
        """Pop one symbol for each row of `pmf` [N, K], in the order they were pushed: int32 [N]."""
        if pmf.freqs.size <= _CHUNK:  # as in every step of a recurrent network, which are many
            symbols: NDArray[np.int32] = self._coder.decode(self._family, _weights(pmf, slice(None)))
            return symbols
        parts = [self._coder.decode(self._family, _weights(pmf, rows)) for rows in _chunks(pmf)]
        return np.concatenate([np.zeros(0, np.int32), *parts])

    def is_empty(self) -> bool:
        """Whether everything that was pushed has been popped."""
        return bool(self._coder.is_empty())

    def to_bytes(self) -> bytes:
        """The number the stack holds, little-endian, without leading zeros: the last byte is never 0."""
        words: NDArray[np.uint32] = self._coder.get_compressed()
        return words.astype(_WORD, copy=False).tobytes().rstrip(b"\0")

    def lends(self) -> bool:
        """Whether another decoder may pop from what it has `drained`, and `refill` it with what is left.

        Not where pushes and pops are more than they are here.
        """
        return type(self) is Stack

    def look_up(self) -> None:
        """Called by such a decoder every few milliseconds, for stacks that watch something meanwhile."""

    def drained(self) -> bytes:
        """As `to_bytes`, but the stack is empty then."""
        data = self.to_bytes()
        self._coder.clear()
        return data

    def refill(self, data: bytes) -> None:
        """What `drained` gave, or what is left of it, instead of what it holds."""
        self._coder = Stack.from_bytes(data)._coder

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The stack that `to_bytes` wrote. Raises CorruptError if no stack is written like this."""
        if data.endswith(b"\0"):
            raise CorruptError("a coded segment ends in a zero byte, which no encoder writes")
        words = np.frombuffer(data + b"\0" * (-len(data) % 4), dtype=_WORD).astype(np.uint32)
        stack = cls()
        stack._coder = constriction.stream.stack.AnsCoder(words)
        return stack


class RandomBits(Stack):
    """A stack that never runs out of random bits: what a codec pops off it is a sample of that codec.

    A codec that pushes too, as bits-back does, puts bits back that are as random as what it popped.

    random  whose bytes these are
    size    bytes that are on the stack at first. The sample depends on it, so what must stay the same for a seed
            needs the same size; and as more bytes are put under the others when few are left, any will do, of which
            8 are the least

    >>> RandomBits(np.random.RandomState(1)).pop(PMF.of_weights(np.ones((5, 6), np.int64)))
    array([1, 2, 5, 0, 1], dtype=int32)
    """

    __slots__ = ("_more", "_random")

    def __init__(self, random: np.random.RandomState, size: int = 1 << 12) -> None:
        super().__init__()
        self._random, self._more = (
            random,
            max(size // 4 * 4, 1 << 12),
        )  # whole words: what lies above does not move
        self._put_under(max(size, _HEAD // 8))

    def pop(self, pmf: PMF) -> NDArray[np.int32]:
        """Sample one symbol from each row of `pmf` [N, K]: int32 [N]."""
        while self._coder.num_bits() < len(pmf) * PRECISION + _HEAD:
            self._put_under(self._more)
            self._more *= 2
        return super().pop(pmf)

    def _put_under(self, size: int) -> None:
        """Put so many random bytes under those that are on the stack."""
        words = self._random.bytes(size) + (self.to_bytes() or b"\1")
        self._coder = Stack.from_bytes(words)._coder


def _chunks(pmf: PMF) -> Iterator[slice]:
    """Slices that cut the rows of `pmf` into runs of at most about `_CHUNK` frequencies."""
    step = max(1, _CHUNK // pmf.symbols)
    return (slice(start, start + step) for start in range(0, len(pmf), step))


def _weights(pmf: PMF, rows: slice) -> NDArray[np.float64]:
    """`frequencies - 1`, in the one form that constriction codes unchanged: float64, C-contiguous."""
    weights: NDArray[np.float64] = np.subtract(pmf.freqs[rows], 1.0, order="C")
    return weights
