"""Where codecs put symbols: what every stack can do, and the stack that keeps accounts instead of bits.

There are three stacks, and a codec runs on each of them unchanged:

    Stack       rANS: what is pushed becomes bytes                        (`stack.py`)
    RandomBits  rANS over random bytes: what is popped is a sample        (`stack.py`)
    Ledger      no bits at all: what is pushed and popped is counted      (here)

So a codec written once as `push` and `pop` compresses, samples, and tells its negative log-likelihood.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .pmf import PMF, TOTAL

_CHUNK = 1 << 18  # frequencies that are summed at a time: 2 MiB, however large the PMF


class SymbolStack(Protocol):
    """A last-in-first-out store of symbols, each of which goes in and comes out with a row of a PMF."""

    def push(self, symbols: NDArray[np.integer], pmf: PMF, /) -> None:
        """Push integers [N] with the rows of `pmf` [N, K]. Raises ValueError for what no row has."""
        ...

    def pop(self, pmf: PMF, /) -> NDArray[np.int32]:
        """Pop one symbol for each row of `pmf` [N, K], in the order they were pushed: int32 [N]."""
        ...


class Account(NamedTuple):
    """What a push cost, in bits, as a stack long enough would have seen it.

    bits       in all: how much longer the stack is in the end; the sum of the next two, the first taken away
    borrowed   how much shorter than in the beginning it was at the worst: what it must hold beforehand
    paid_back  how much longer it is in the end than at the worst
    popped     taken off by all pops together; 0 where the cost is exact and no sample
    """

    bits: float
    borrowed: float
    paid_back: float
    popped: float


class Ledger:
    """The stack that counts: a push adds -log2 p, a pop draws a symbol from its PMF and takes -log2 p away.

    Without pops the balance is the negative log-likelihood of what was pushed, in bits, exact but for the
    rounding of its float64 sum. With them, as in bits-back coding, it is one sample of the negative evidence
    bound: the latents are drawn from the posterior, as from a stack of random bits.

    seed  of the `numpy.random.RandomState` that pops draw from, whose stream is the same for ever

    >>> ledger, dice = Ledger(), PMF.of_weights(np.ones((5, 6), np.int64))
    >>> ledger.push(np.array([3, 0, 5, 5, 1]), dice)
    >>> round(ledger.balance, 3)  # bits: 5 log2(6)
    12.925
    >>> ledger.pop(dice).dtype  # a sample, for which its bits are taken away again
    dtype('int32')
    >>> round(ledger.account.bits, 3) + 0.0
    0.0
    """

    __slots__ = ("_lowest", "_popped", "_pushed", "_random")

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.RandomState(seed)
        self._pushed = self._popped = self._lowest = 0.0

    @property
    def balance(self) -> float:
        """Bits pushed less bits popped."""
        return self._pushed - self._popped

    @property
    def account(self) -> Account:
        """What all pushes and pops until now cost together."""
        return Account(self.balance, -self._lowest, self.balance - self._lowest, self._popped)

    def push(self, symbols: NDArray[np.integer], pmf: PMF) -> None:
        """Add the ideal length of `symbols` [N]. Raises ValueError, nothing counted, as `Stack.push` does."""
        self._pushed += float(pmf.bits(symbols).sum())

    def pop(self, pmf: PMF) -> NDArray[np.int32]:
        """Draw a symbol from each row of `pmf` [N, K], and take their ideal length away: int32 [N]."""
        points = self._random.randint(0, TOTAL, len(pmf))
        step = max(1, _CHUNK // pmf.symbols)
        symbols: NDArray[np.int32] = np.empty(len(pmf), np.int32)
        for part in (slice(start, start + step) for start in range(0, len(pmf), step)):
            below = pmf.freqs[part].cumsum(axis=1, dtype=np.uint32)  # [n, K]: the mass up to each symbol
            symbols[part] = (below <= points[part, None]).sum(axis=1)
        self._popped += float(pmf.bits(symbols).sum())
        self._lowest = min(self._lowest, self.balance)
        return symbols
