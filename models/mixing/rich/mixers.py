"""Two layers of logistic mixing: four mixers, each with weights that a state of its own chooses, and one of them.

p = squash(sum_k v_k z_k), z_k = sum_i w_k[set_k, i] t_i (Mattern 2012; two layers: Mahoney's PAQ8). Each mixer descends
the gradient of its own cost. Weights are int32 in steps of 2**-16 and wrap around where they overflow.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ..config import STRETCH_MAX
from ..decisions import PROBABILITY
from .config import INPUTS, SELECTORS, SETS

WEIGHT = 16  # fractional bits of a weight
_RATE = 24  # fractional bits of a rate
_FEW_LANES = 14
_FIRST = 256  # symbols after which a rate has fallen half of its way
_FINAL = 7  # the first layer learns so many times as fast as the second


def rates(rate: int, done: int, lanes: int) -> tuple[int, int]:
    """The rates of both layers, when ``done`` symbols of the frame are coded."""
    few = max(lanes, _FEW_LANES)
    return (rate + rate * _FIRST // (_FIRST + done)) // few, rate // _FINAL // few


class Mixers:
    """The mixers of one frame, for symbols of ``depth`` decisions.

    start   weights int32 [SELECTORS, INPUTS] that it starts from
    squash  of `mixing_tables`, int64
    """

    def __init__(self, start: NumpyArray, squash: NumpyArray, depth: int) -> None:
        self._weights, self._final = fresh_weights(start), fresh_final(depth)
        self._squash = squash
        self._first = np.arange(SELECTORS)[:, None] * SETS

    def mix(self, inputs: NumpyArray, sets: NumpyArray, level: int) -> tuple[NumpyArray, NumpyArray]:
        """t [A] in steps of 2**-8 and its probability of 16 bits, for inputs int64 [INPUTS, A], sets [SELECTORS, A]."""
        self._rows, self._inputs, self._level = sets + self._first, np.ascontiguousarray(inputs.T), level
        sums = np.einsum("sai,ai->sa", self._weights[self._rows], self._inputs, dtype=np.int64)
        self._single = _bounded(sums)
        self._ps = self._squash[self._single + STRETCH_MAX]
        mixed = _bounded((self._final[level].astype(np.int64)[:, None] * self._single).sum(0))
        self._p = self._squash[mixed + STRETCH_MAX]
        return mixed, self._p

    def learn(self, bits: NumpyArray, rates: tuple[int, int]) -> None:
        """What came of the last `mix`: bits int64 [A]."""
        errors = ((bits << PROBABILITY) - self._ps) * rates[0]
        moves = _rounded(self._inputs * errors[..., None])
        np.add.at(self._weights, self._rows.ravel(), moves.reshape(-1, INPUTS).astype(np.int32))
        error = ((bits << PROBABILITY) - self._p) * rates[1]
        self._final[self._level] += _rounded(self._single * error).sum(1).astype(np.int32)


def fresh_weights(start: NumpyArray) -> NumpyArray:
    """Those of the first layer: int32 [SELECTORS * SETS, INPUTS], every set of a mixer as ``start`` has it."""
    return np.repeat(start.astype(np.int32), SETS, axis=0)


def fresh_final(depth: int) -> NumpyArray:
    """Those of the second layer: int32 [depth, SELECTORS]."""
    return np.full((depth, SELECTORS), (1 << WEIGHT) // SELECTORS, np.int32)


def _bounded(sums: NumpyArray) -> NumpyArray:
    found: NumpyArray = np.clip(sums >> WEIGHT, -STRETCH_MAX, STRETCH_MAX)
    return found


def _rounded(moves: NumpyArray) -> NumpyArray:
    found: NumpyArray = moves + (1 << _RATE - 1) >> _RATE
    return found
