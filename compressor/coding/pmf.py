"""Integer probability mass functions: the only form in which probabilities reach the coder.

The four invariants every PMF here has, checked when it is built:

    support   symbols are 0 .. K-1, 2 <= K <= 2**16
    leaky     every frequency is at least 1, so every symbol can be coded
    exact     every row sums to 2**24, in integers; nothing is normalised later
    frozen    the frequencies are read-only from here on
"""

import numpy as np
from numpy.typing import NDArray

PRECISION = 24
"""Bits of a PMF: probabilities are multiples of 2**-24."""

TOTAL = 1 << PRECISION
"""What each row of frequencies sums to."""

MAX_SYMBOLS = 1 << 16
"""Largest alphabet; the coder is tested against a big-integer reference up to here."""

_MOST_WEIGHT = 1 << 39  # times a frequency of 24 bits, the sum of a row stays below 2**63


class PMF:
    """N independent categorical distributions over the symbols 0 .. K-1.

    freqs   uint32 [N, K], each >= 1, each row summing to `TOTAL`. Not copied; do not write to it afterwards.

    Raises ValueError when a row breaks an invariant, naming the row.

    >>> half = PMF(np.full((3, 2), TOTAL // 2, np.uint32))
    >>> len(half), half.symbols
    (3, 2)
    >>> half.bits(np.array([0, 1, 1]))
    array([1., 1., 1.])
    >>> PMF(np.array([[TOTAL, 1]], np.uint32))
    Traceback (most recent call last):
    ValueError: row 0 sums to 16777217, expected 2**24 = 16777216
    """

    __slots__ = ("freqs",)

    freqs: NDArray[np.uint32]

    def __init__(self, freqs: NDArray[np.uint32]) -> None:
        if freqs.dtype != np.uint32:
            raise ValueError(
                f"frequencies are {freqs.dtype}, expected uint32; convert with .astype(numpy.uint32)"
            )
        if freqs.ndim != 2 or not 2 <= freqs.shape[1] <= MAX_SYMBOLS:
            raise ValueError(
                f"frequencies have shape {freqs.shape}, expected [N, K] with 2 <= K <= {MAX_SYMBOLS}"
            )
        # Two passes over integers, no temporary of the size of `freqs`: this runs once per decoding step.
        if len(freqs) and int(freqs.min()) == 0:
            row = int(np.argmin(freqs.min(axis=1)))
            raise ValueError(f"row {row} has a frequency of 0; every frequency must be at least 1")
        sums = freqs.sum(axis=1, dtype=np.uint64)  # [N]; uint64, because uint32 could wrap round to TOTAL
        if (sums != TOTAL).any():
            row = int(np.argmax(sums != TOTAL))
            raise ValueError(f"row {row} sums to {sums[row]}, expected 2**{PRECISION} = {TOTAL}")
        self.freqs = freqs.view()
        self.freqs.flags.writeable = False

    @classmethod
    def of_weights(cls, weights: NDArray[np.integer]) -> "PMF":
        """Distributions in proportion to `weights`, int [N, K], each from 0 up, by integers alone.

        Every symbol has a frequency of at least 1, also where its weight is 0. What rounding leaves goes to the first
        of the largest of a row. Raises ValueError for other weights, and where a row sums to 0, or to 2**39 or more.

        >>> PMF.of_weights(np.array([[3, 1, 0]])).freqs
        array([[12582911,  4194304,        1]], dtype=uint32)
        """
        if weights.dtype.kind not in "iu" or weights.ndim != 2 or not 2 <= weights.shape[1] <= MAX_SYMBOLS:
            raise ValueError(
                f"weights are {weights.dtype} {weights.shape}, expected integers [N, K] with 2 <= K <= {MAX_SYMBOLS}"
            )
        if weights.size and not 0 <= int(weights.min()) <= int(weights.max()) < _MOST_WEIGHT:
            raise ValueError(f"weights span {weights.min()}..{weights.max()}; 0 to 2**39 - 1 are possible")
        wide = weights.astype(np.int64)
        sums = wide.sum(axis=1, keepdims=True)  # [N, 1], below 2**55
        if sums.size and not 0 < int(sums.min()) <= int(sums.max()) < _MOST_WEIGHT:
            raise ValueError(
                f"rows of weights sum to {sums.min()}..{sums.max()}; 1 to 2**39 - 1 are possible"
            )
        freqs = wide * (TOTAL - wide.shape[1]) // sums + 1
        freqs[np.arange(len(freqs)), wide.argmax(axis=1)] += TOTAL - freqs.sum(axis=1)
        return cls(freqs.astype(np.uint32))

    @classmethod
    def of_bits(cls, ones: NDArray[np.integer]) -> "PMF":
        """Distributions over 0 and 1, from the frequencies [N] of 1. Raises ValueError for one that is no PMF's.

        The rows sum to `TOTAL` by how they are made, so this takes a part of the time of the constructor.
        """
        both = np.empty((len(ones), 2), np.int64)
        both[:, 1] = ones
        np.subtract(TOTAL, both[:, 1], out=both[:, 0])
        if len(ones) and both.min() < 1:
            raise ValueError(
                f"frequencies of 1 span {ones.min()}..{ones.max()}; 1 to {TOTAL - 1} are possible"
            )
        pmf = cls.__new__(cls)
        pmf.freqs = both.astype(np.uint32)
        pmf.freqs.flags.writeable = False
        return pmf

    def __len__(self) -> int:
        """The number of rows, N."""
        return int(self.freqs.shape[0])

    @property
    def symbols(self) -> int:
        """The size of the alphabet, K."""
        return int(self.freqs.shape[1])

    def check(self, symbols: NDArray[np.integer]) -> None:
        """Raise ValueError unless `symbols` [N] has one integer in 0 .. K-1 for each row."""
        if symbols.dtype.kind not in "iu":
            raise ValueError(f"symbols are {symbols.dtype}, expected an integer type")
        if symbols.shape != (len(self),):
            raise ValueError(f"symbols have shape {symbols.shape}, expected ({len(self)},): one for each row")
        if len(symbols) and not (int(symbols.min()) >= 0 and int(symbols.max()) < self.symbols):
            raise ValueError(
                f"symbols span {symbols.min()}..{symbols.max()}, outside the alphabet 0..{self.symbols - 1}"
            )

    def bits(self, symbols: NDArray[np.integer]) -> NDArray[np.float64]:
        """Ideal code length, in bits, of each of `symbols` [N]: float64 [N]."""
        self.check(symbols)
        chosen = self.freqs[np.arange(len(self)), symbols]  # [N]
        bits: NDArray[np.float64] = PRECISION - np.log2(chosen.astype(np.float64))
        return bits
