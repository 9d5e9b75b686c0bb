"""What several tests need: random PMFs, a reference coder."""

import numpy as np
from numpy.typing import NDArray

from catzip.compressor.pmf import PRECISION, TOTAL


def random_freqs(
    rng: np.random.RandomState, rows: int, symbols: int, shape: float = 0.3
) -> NDArray[np.uint32]:
    """Frequencies uint32 [rows, symbols] from a Dirichlet-like draw; a small `shape` makes peaked rows."""
    weights = rng.gamma(shape, size=(rows, symbols)) + 1e-12
    share = weights / weights.sum(axis=1, keepdims=True)
    freqs = np.floor(share * (TOTAL - symbols)).astype(np.uint32) + np.uint32(1)
    freqs[np.arange(rows), freqs.argmax(axis=1)] += (TOTAL - freqs.sum(axis=1)).astype(np.uint32)
    return freqs


def draw(rng: np.random.RandomState, freqs: NDArray[np.uint32]) -> NDArray[np.int64]:
    """One symbol from each row of frequencies: int64 [rows]."""
    points = rng.randint(0, TOTAL, size=(len(freqs), 1))
    return (freqs.cumsum(axis=1) <= points).sum(axis=1)


def reference_push(state: int, symbols: NDArray[np.integer], freqs: NDArray[np.uint32]) -> int:
    """rANS as in the paper, on Python integers: the words of the coder, as one integer.

    The coder keeps a 64-bit head and moves 32 bits out of it when the next symbol would overflow it.
    """
    head, bulk = state, []
    for symbol, row in zip(reversed(symbols.tolist()), reversed(freqs.tolist()), strict=True):
        freq, before = row[symbol], sum(row[:symbol])
        if head >> (64 - PRECISION) >= freq:
            bulk.append(head & 0xFFFFFFFF)
            head >>= 32
        head = (head // freq << PRECISION) + before + head % freq
    for word in reversed(bulk):
        head = head << 32 | word
    return head
