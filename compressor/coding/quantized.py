"""Distributions over wide grids, given by exact integer CDFs, without a row of frequencies as wide as the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from .codec import Categorical, Codec, Serial, Steps
from .ledger import SymbolStack
from .pmf import PMF

MAX_VALUES = 1 << 20
"""Values a grid may have."""

MAX_PRECISION = 32
"""Bits of a CDF."""

_DIGIT = 4  # bits of a digit, so a row has 16 frequencies
_MASS = 38  # bits of the mass of all values: times a frequency of 24 bits, below 2**63

Integers = NDArray[np.int64]

CDF = Callable[[Integers], Integers]
"""For N distributions and values k: int64 [N, M] -> int64 [N, M], in row n the mass that the n-th has below k.

0 for k = 0, 2**precision for k = the number of values, and never falling in between.
"""


class Quantized(Codec[Integers]):
    """N independent integers, each 0 .. V-1, each with a distribution of its own: int64 [N].

    A value is coded in digits of 4 bits, most significant first, as an interval of the grid that gets shorter: for
    2**20 values, 5 digits, each with a row of 16 frequencies, and the CDF is asked for 17 edges of each.

    Every value can be coded, also where the CDF does not rise: on its masses, scaled to sum to 2**38, each value has a
    share of 1 more, which costs the others 2**-18 bits or less. A digit costs at most 24 bits, those of its PMF.

    cdf        see `CDF`; asked for its N rows at once
    count      N
    values     V, from 1 (which takes no bits) to 2**20
    precision  bits of the CDF: 2**precision is the mass of all values; up to 32

    Raises ValueError for numbers that cannot be; push and pop do for a CDF that falls or has other ends.

    >>> from catzip.compressor.coding import Stack
    >>> def triangle(k):  # values of 0 .. 999, of which v has a probability in proportion to 2 v + 1
    ...     return (k * k << 24) // 1000**2
    >>> codec, stack, x = Quantized(triangle, 3, 1000), Stack(), np.array([999, 400, 0])
    >>> codec.push(stack, x)
    >>> codec.pop(stack)
    array([999, 400,   0])
    >>> round(codec.bits(x[:1].repeat(3)) / 3, 3)  # as is -log2(1999 / 1000**2)
    8.966
    """

    __slots__ = ("_cdf", "_count", "_precision", "_values")

    def __init__(self, cdf: CDF, count: int, values: int, precision: int = 24) -> None:
        if count < 0 or not 1 <= values <= MAX_VALUES or not 1 <= precision <= MAX_PRECISION:
            raise ValueError(
                f"{count} distributions over {values} values, with a CDF of {precision} bits; 0 or more over "
                f"1 to {MAX_VALUES}, with 1 to {MAX_PRECISION} are possible"
            )
        self._cdf, self._count, self._values, self._precision = cdf, count, values, precision

    def push(self, stack: SymbolStack, x: NDArray[np.integer], /) -> None:
        """Push integers [N]. Raises ValueError, the stack untouched, for others than N of 0 .. V-1."""
        if x.dtype.kind not in "iu" or x.shape != (self._count,):
            raise ValueError(f"values are {x.dtype} {x.shape}, expected integers ({self._count},)")
        if x.size and not (int(x.min()) >= 0 and int(x.max()) < self._values):
            raise ValueError(f"values span {x.min()}..{x.max()}, outside the grid 0..{self._values - 1}")
        value = x.astype(np.int64)
        Serial(lambda: self._steps(np.zeros_like(value))).push(stack, list(self._digits(value)))

    def pop(self, stack: SymbolStack, /) -> Integers:
        """Pop int64 [N]."""
        value: Integers = np.zeros(self._count, np.int64)
        Serial(lambda: self._steps(value)).pop(stack)
        return value

    def _strides(self) -> Iterator[tuple[int, int]]:
        """For each digit how many values its interval has, and each of the parts that the digit chooses among."""
        for shift in reversed(range(0, (self._values - 1).bit_length(), _DIGIT)):
            yield 1 << shift + _DIGIT, 1 << shift

    def _groups(self, low: Integers, whole: int, part: int) -> Iterator[tuple[Integers, int]]:
        """Which rows have intervals of as many parts, and how many: 16, but in the interval that ends the grid.

        low  int64 [N], where the intervals of `whole` values begin
        """
        last = (self._values - 1) // whole * whole  # where the last interval begins
        parts = -(-(self._values - last) // part)
        for rows, count in (
            (np.flatnonzero(low < last), whole // part),
            (np.flatnonzero(low == last), parts),
        ):
            if len(rows) and count > 1:
                yield rows, count

    def _digits(self, value: Integers) -> Iterator[Integers]:
        """What `_steps` is sent for these values."""
        for whole, part in self._strides():
            for rows, _ in self._groups(value // whole * whole, whole, part):
                yield value[rows] % whole // part

    def _steps(self, low: Integers) -> Steps:
        """The digits in decode order; `low`, int64 [N] and 0 at first, becomes the values."""
        for whole, part in self._strides():
            edges = np.minimum(low[:, None] + np.arange(0, whole + 1, part), self._values)  # [N, 17]
            masses = self._masses(edges)
            for rows, count in self._groups(low, whole, part):
                digits = yield Categorical(PMF.of_weights(masses[rows, :count]))
                low[rows] += digits * np.int64(part)

    def _masses(self, edges: Integers) -> Integers:
        """The masses of the intervals between edges [N, 17]: int64 [N, 16], 0 only for those without values."""
        below, most = self._cdf(edges), 1 << self._precision
        masses = np.diff(below)
        if masses.size and (
            int(masses.min()) < 0
            or (below[edges == 0] != 0).any()
            or (below[edges == self._values] != most).any()
        ):
            raise ValueError(f"a CDF falls, or does not go from 0 to {most}")
        return (masses << _MASS - self._precision) + np.diff(edges)
