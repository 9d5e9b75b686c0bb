"""Exact mixtures of discretised logistics over ordinal values (Salimans et al. 2017, arXiv 1701.05517, section 2.1).

    P(low <= v < high) = sum_m w_m (F((high - 1/2 - mean_m) / scale_m) - F((low - 1/2 - mean_m) / scale_m)) + 2**-FLOOR

F is the logistic function; the lowest and the highest value reach to infinity. In integers:

    weights   e = exp_table[max - logit], of the softmax, at most 2**20
    means     2**-4 levels             a guess and what the network adds to it
    1/scale   2**-INVERSE             from a table of ln(scale), in steps of 2**-SCALE
    F         2**-CDF                 from a table of steps of 2**-STEP, up to FAR, which stands for infinity
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from ...compressor.coding.pmf import TOTAL
from ..backends.base import Array, Arrays, NumpyArray
from ..schema import Declared, Tensor, ranged
from .grid import Softmax, Tensors, normalised

HALVES = 2  # steps of a guess in a level, so that what lies between two levels is an integer
MEAN, MEAN_MAX = 8, 1 << 12  # what the network adds to a guess: real units of 16 levels, steps of 1/16 level
SCALE = 4  # fractional bits of ln(scale), the scale in levels
SCALE_LEAST, SCALE_MOST = -24, 72  # ln(scale) from -1.5 to 4.5
FLOOR = 20  # every symbol has at least 2**-FLOOR of the mass

LEVEL = 4  # fractional bits of a mean, in levels
INVERSE = 12
STEP, FAR = 10, 14 << 10
CDF = 22
Components = Annotated[int, ranged(1, 1 << 9)]
"""How many logistics a mixture may have."""

_INFINITY = 1 << 15  # an edge, in steps of a mean, that is FAR from any mean on any scale


def declared() -> Declared:
    """What `Logistics` loads beside the table of the exponential function."""
    return {
        "logistic.inverse": Tensor("int32", (SCALE_MOST - SCALE_LEAST + 1,)),
        "logistic.cdf": Tensor("int32", (2 * FAR + 1,)),
    }


def logistic_tables() -> dict[str, NumpyArray]:
    """The arrays of a checkpoint, built once, at export, int32 both:

    logistic.inverse  round(2**INVERSE exp(-i / 2**SCALE)) for i in SCALE_LEAST..SCALE_MOST
    logistic.cdf      round(2**CDF sigmoid(i / 2**STEP)) for i in -FAR..+FAR; at the ends 0 and 2**CDF
    """
    inverse = 2.0**INVERSE * np.exp(-np.arange(SCALE_LEAST, SCALE_MOST + 1) / 2.0**SCALE)
    cdf = 2.0**CDF / (1 + np.exp(-np.arange(-FAR, FAR + 1) / 2.0**STEP))
    cdf[[0, -1]] = 0, 2**CDF
    names = ("logistic.inverse", "logistic.cdf")
    return {name: np.floor(x + 0.5).astype(np.int32) for name, x in zip(names, (inverse, cdf), strict=True)}


class Logistics:
    """Frequencies of the digits of values 0..``alphabet`` - 1 under a mixture of ``components`` logistics.

    Means and finite edges are less than 2**13 steps from 0, infinite ones 2**15, and 1/scale is at most exp(1.5)
    2**INVERSE < 2**14.2: the product of each with it stays below 2**29.3, and their difference, from the middle of the
    table, below 2**30, in int32. As 1/scale is at least 45, an infinite edge is more than FAR from any mean. The table
    never falls, so no mass is negative. All masses of a row are sums of products below 2**(20 + CDF), exact in float64
    for up to 2**9 components.
    """

    def __init__(self, arrays: Arrays, tensors: Tensors, alphabet: int, components: int) -> None:
        inverse, cdf = tensors["logistic.inverse"], tensors["logistic.cdf"]
        checked(inverse, cdf)
        if alphabet > 256 or components > 1 << 9:
            raise ValueError("mixtures of logistics are for up to 256 values and 512 components")
        self._arrays, self._alphabet, self._components = arrays, alphabet, components
        self._inverse, self._cdf = arrays.place(inverse), arrays.place(cdf.astype(np.float64))
        self._softmax = Softmax(arrays, tensors)

    def __call__(self, y: Array, guess: NumpyArray, edges: NumpyArray) -> NumpyArray:
        """uint32 [N, K], of the intervals between edges [N or 1, K + 1], given that the value lies in one of them.

        y      float32 [N, 3 * components]: logits, means, ln(scale), integers of step 2**-MEAN up to MEAN_MAX
        guess  int [N], in half levels, what the means are added to
        edges  ints 0..alphabet: the interval has the values from an edge to before the next
        """
        # Intervals are rows here and distributions are columns: long rows, which processors are good at.
        arrays, m = self._arrays, self._components
        weight = arrays.transposed(self._softmax.weights(y[:, :m]))
        mean = arrays.int32(arrays.transposed(y[:, m : 2 * m]))
        mean += arrays.place((guess * (2**LEVEL // HALVES)).astype(np.int32))
        scale = arrays.transposed(y[:, 2 * m :]) * 2.0 ** (SCALE - MEAN)
        scale += 0.5 - SCALE_LEAST
        inverse = arrays.lookup(self._inverse, arrays.clip_(scale, 0, SCALE_MOST - SCALE_LEAST))
        start = (FAR << LEVEL + INVERSE - STEP) - mean * inverse
        at = arrays.place(self._steps(edges))
        below: Array = 0.0
        for i in range(m):
            z = at * inverse[i]
            z += start[i]
            z >>= LEVEL + INVERSE - STEP
            mass = arrays.lookup(self._cdf, z)
            mass *= weight[i]
            below = mass + below
        mass = below[1:] - below[:-1]
        mass += weight.sum(0) * 2.0 ** (CDF - FLOOR)
        mass *= arrays.ratio(TOTAL - len(mass), mass.sum(0))
        return normalised(arrays.fetch(arrays.transposed(arrays.int32(mass))))

    def _steps(self, edges: NumpyArray) -> NumpyArray:
        """Edges [N or 1, K + 1] as steps of a mean, half a level below their value: int32 [K + 1, N or 1]."""
        rows = edges.T.astype(np.int32, order="C")
        steps = (rows << LEVEL) - (1 << LEVEL - 1)
        steps[rows == self._alphabet] = _INFINITY
        steps[rows == 0] = -_INFINITY
        return steps


def checked(inverse: NumpyArray, cdf: NumpyArray) -> None:
    """Raises ValueError for tables that the bounds were not proved for."""
    if len(inverse) != SCALE_MOST - SCALE_LEAST + 1 or inverse.min() < 45 or inverse.max() >= 18400:
        raise ValueError("logistic.inverse is no table of inverse scales")
    if len(cdf) != 2 * FAR + 1 or cdf[0] != 0 or cdf[-1] != 1 << CDF or np.diff(cdf).min() < 0:
        raise ValueError("logistic.cdf is no table of a distribution function")
