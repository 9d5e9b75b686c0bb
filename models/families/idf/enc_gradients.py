"""How the probability of a value changes with its mixture of logistics, for fits that are the same on every machine.

In float64 from the integer tables of ``logistics``: every step is one correctly rounded operation, in a fixed order.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ...layers.grid import LOGIT, Tensors
from ...layers.logistics import (
    CDF,
    FAR,
    FLOOR,
    HALVES,
    INVERSE,
    LEVEL,
    MEAN,
    SCALE,
    SCALE_LEAST,
    SCALE_MOST,
    STEP,
)

assert LOGIT == MEAN  # logits are in the steps of the rest of a mixture


class MixtureGradients:
    """Probabilities of values 0..255 and the gradients of ln p, under mixtures of ``components`` logistics."""

    def __init__(self, tensors: Tensors, components: int) -> None:
        self._components = components
        self._exp = tensors["exp"].astype(np.float64)
        self._inverse = tensors["logistic.inverse"].astype(np.int64)
        self._cdf = tensors["logistic.cdf"] / 2.0**CDF

    def __call__(
        self, y: NumpyArray, guess: NumpyArray, values: NumpyArray
    ) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """p, d ln p / d means (for each level), d ln p / d ln(scale): float64 [N] each.

        y       integers [N, 3 components] of step 2**-MEAN: logits, means less the guess, ln(scale)
        guess   int [N], in half levels       values  int [N]
        """
        m = self._components
        logits, means, scales = (
            np.ascontiguousarray(y[:, i * m : (i + 1) * m].T).astype(np.int64) for i in range(3)
        )
        weights = self._exp.take(logits.max(0) - logits, mode="clip")
        total, p, by_mean, by_scale = np.zeros((4, len(y)))
        for weight, mean, scale in zip(weights, means + guess * (2**LEVEL // HALVES), scales, strict=True):
            index = (scale + (1 << MEAN - SCALE - 1) >> MEAN - SCALE) - SCALE_LEAST
            inverse = self._inverse.take(index.clip(0, SCALE_MOST - SCALE_LEAST))
            (below, low, at_low), (above, high, at_high) = (
                self._edge((values << LEVEL) + side - mean, inverse, values == end, float(end > 0))
                for side, end in ((-(1 << LEVEL - 1), 0), (1 << LEVEL - 1, 255))
            )
            total += weight
            p += weight * (above - below)
            by_mean += weight * (inverse * (low - high))
            by_scale += weight * (at_low * low - at_high * high)
        p += total * 2.0**-FLOOR
        return p / total, by_mean * 2.0**-INVERSE / p, by_scale / p

    def _edge(
        self, distance: NumpyArray, inverse: NumpyArray, is_end: NumpyArray, end: float
    ) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """The distribution function F of a logistic at steps from its mean, its slope F (1 - F), and z."""
        z = (distance * inverse >> LEVEL + INVERSE - STEP).clip(-FAR, FAR)
        below = np.where(is_end, end, self._cdf.take(z + FAR))
        return below, below * (1 - below), z * 2.0**-STEP
