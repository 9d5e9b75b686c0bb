"""Corrections of the mixtures of the finest level: linear in what the heads see, other ones for each image.

A network has learnt what photographs in general are like; a scan or a camera has its own grain and its own blur. So an
encoder may fit a little of the network to what it codes (``fitting``) and send that along, as lossless coders that
optimise their predictor for each image do (Wu, Barthel, Zhang 1998, "Piecewise 2D autoregression for predictive image
coding"). For each channel of each phase: all means of a pixel's mixture are moved by one linear function of the codes
that its head sees, and all ln(scale) by another. Their weights are integers of -63..63, so the product is exact.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

import numpy as np

from ....compressor.coding.codec import Categorical, Codec, Serial
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.pmf import PMF, TOTAL
from ....compressor.errors import CorruptError
from ...backends.base import WEIGHT_MAX, Array, Arrays, NumpyArray
from ...layers.grid import ACT, Linear, normalised
from ...layers.logistics import MEAN, MEAN_MAX
from .costs import rough_bits
from .side_information import side_digits
from .squeeze import Head

EXPONENTS = (9, 7)  # fractional bits of the weights for means, in 16 levels, and for ln(scale)
BIAS = 64  # the code that the last weight of each is for: a bias
SPREADS = 16
WEIGHTS = 2 * WEIGHT_MAX + 1  # how many a weight may be

_BIASES = np.ldexp(float(BIAS), MEAN - ACT - np.array(EXPONENTS))

Weights = Mapping[Head, NumpyArray]
"""int [2, inputs + 1] of each head, -63..63: of its means and of its ln(scale), the bias last."""


class Corrections:
    """As `flow.Adjust`.

    weights  of the heads whose weights are not all 0
    """

    def __init__(self, arrays: Arrays, weights: Weights, components: int) -> None:
        self._arrays, self._components = arrays, components
        self.weights = {head: each for head, each in weights.items() if each.any()}
        self._layers = {head: _layer(arrays, each) for head, each in self.weights.items()}

    def __call__(self, phase: int, channel: int, head_inputs: Array, y: Array, guess: NumpyArray) -> Array:
        """The mixtures y float32 [N, 3 components], corrected, by codes ``head_inputs`` [N, inputs]."""
        if layer := self._layers.get((phase, channel)):
            m, change = self._components, layer(head_inputs)
            y[:, m : 2 * m] += change[:, :1]
            y[:, 2 * m :] += change[:, 1:]
            self._arrays.clip_(y, -MEAN_MAX, MEAN_MAX)
        return y


def _layer(arrays: Arrays, weights: NumpyArray) -> Linear:
    return Linear(arrays, weights[:, :-1].astype(np.int8), np.array(EXPONENTS), biases(weights), MEAN)


def biases(weights: NumpyArray) -> NumpyArray:
    """What the last weight of each row adds, float64 [2], in steps of a mixture."""
    found: NumpyArray = weights[:, -1] * _BIASES
    return found


class CorrectionsCodec(Codec[Weights]):
    """The weights of a frame, of every head or of none; nothing where there are no heads.

    inputs  how many codes each head sees
    """

    def __init__(self, inputs: Mapping[Head, int]) -> None:
        self._inputs = inputs
        self._lengths = [count + 1 for count in inputs.values() for _ in range(2)]

    def push(self, stack: SymbolStack, x: Weights, /) -> None:
        """Push them. Raises ValueError for some of another head, which none would get."""
        Serial(self._steps).push(stack, self._digits(x))

    def pop(self, stack: SymbolStack, /) -> Weights:
        """Pop them."""
        return self._weights(Serial(self._steps).pop(stack))

    def _steps(self) -> Generator[Categorical, NumpyArray, None]:
        """In decode order: two spreads for each head, one digit each, then all weights whose spread is not 0."""
        if self._inputs:
            spreads = yield Categorical(side_digits(len(self._lengths)))
            each = np.repeat(spreads, self._lengths)
            if each.any():
                yield Categorical(weight_pmf(each[each > 0]))

    def _digits(self, weights: Weights) -> list[NumpyArray]:
        """What `_steps` is sent for these weights."""
        if more := weights.keys() - self._inputs.keys():
            raise ValueError(f"corrections of {sorted(more)}, of which none are sent")
        rows = [row for head in self._inputs for row in weights[head]]
        if not rows:
            return []
        spreads = np.array([best_spread(row) for row in rows], np.int32)
        kept = [row for row in rows if row.any()]
        return [spreads, *([(np.concatenate(kept) + WEIGHT_MAX).astype(np.int32)] if kept else [])]

    def _weights(self, digits: list[NumpyArray]) -> Weights:
        """The inverse of `_digits`. Raises CorruptError for spreads that it does not send for these weights."""
        if not digits:
            return {}
        each = np.repeat(digits[0], self._lengths)
        flat = np.zeros(len(each), np.int64)
        if len(digits) > 1:
            flat[each > 0] = digits[1] - WEIGHT_MAX
        rows = np.split(flat, np.cumsum(self._lengths)[:-1])
        if [best_spread(row) for row in rows] != digits[0].tolist():
            raise CorruptError(
                "the spreads of corrections are not those of their weights; the file is damaged"
            )
        parts = np.split(flat, np.cumsum(self._lengths)[1:-1:2])
        return {head: part.reshape(2, -1) for head, part in zip(self._inputs, parts, strict=True)}


def weight_pmf(spreads: NumpyArray) -> PMF:
    """PMFs of weights from -63 up, for spreads 1..15, int [N]: that of k is 1 / (4 k**2 + 2**spread)**2, scaled."""
    k = np.arange(-WEIGHT_MAX, WEIGHT_MAX + 1)
    mass = (1 << 36) // (4 * k * k + (1 << np.arange(1, SPREADS))[:, None]) ** 2
    rows = normalised((mass * (TOTAL - WEIGHTS) // mass.sum(-1, keepdims=True)).astype(np.int32))
    return PMF(rows[spreads - 1])


def best_spread(weights: NumpyArray) -> int:
    """The spread that codes int [K] in the fewest bits; 0 if all are 0, which then are not sent."""
    if not weights.any():
        return 0
    every = np.arange(1, SPREADS)
    rows = weight_pmf(every).freqs[:, weights + WEIGHT_MAX]
    return int(rough_bits(rows).sum(-1).argmin()) + 1
