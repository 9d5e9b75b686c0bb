"""A masked network that is none: its distributions are hashes of exactly what it may see. Fast, and honest."""

import numpy as np
from numpy.typing import NDArray

from catzip.compressor.coding.pmf import TOTAL
from catzip.models.networks.pixels import Digits

_ODD = np.uint64(0x9E3779B97F4A7C15)


class HashedNet:
    """A `models.networks.masked.MaskedNet` of any size: every digit that is known changes every distribution."""

    least = 1

    def __init__(self, size: int, base: int, stages: int = 1) -> None:
        self.size, self.base, self.stages = size, base, stages
        self.alphabet = base**stages
        self._digits = Digits(base, stages)

    def new_cache(self) -> None:
        """Nothing."""

    def frequencies(
        self,
        values: NDArray[np.uint8],
        known: NDArray[np.bool_],
        stage: int,
        wanted: NDArray[np.intp],
        cache: None = None,
    ) -> NDArray[np.uint32]:
        shift = self._digits.shift(stage)
        seen = np.where(known, values >> shift, values.astype(int) >> shift + self._digits.bits) + 256 * known
        place = np.arange(self.size, dtype=np.uint64)
        context = _mixed(seen.astype(np.uint64) + (place << np.uint64(16))).sum(axis=1, dtype=np.uint64)
        rows = _mixed(context[:, None] + _mixed(place[wanted] + np.uint64(1000 * stage)))
        symbols = _mixed(rows[..., None] + np.arange(self.base, dtype=np.uint64))
        return _frequencies((symbols >> np.uint64(44)).astype(np.int64) ** 2 >> np.int64(20))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result hangs on every bit of x."""
    for _ in range(2):
        x = (x ^ x >> np.uint64(31)) * _ODD
    return x ^ x >> np.uint64(29)


def _frequencies(weights: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Weights [..., K] of up to 20 bits -> frequencies in about these proportions."""
    symbols = weights.shape[-1]
    freqs = 1 + (weights + 1) * (TOTAL - symbols) // (weights + 1).sum(axis=-1, keepdims=True)
    freqs[..., 0] += TOTAL - freqs.sum(axis=-1)
    return freqs.astype(np.uint32)
