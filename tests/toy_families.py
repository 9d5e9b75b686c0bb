"""Two families of a few lines each: what a new one has to write, and that the laws hold for it."""

from __future__ import annotations

import hashlib
from collections.abc import Generator

import numpy as np

from catzip.compressor.coding.bitsback import BitsBack
from catzip.compressor.coding.codec import Categorical, Codec, Mapped, Serial
from catzip.compressor.coding.model import Plan
from catzip.compressor.coding.pmf import PMF, PRECISION, TOTAL
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.models.backends.base import NumpyArray
from catzip.models.families.base import Family, Segments, Slice
from catzip.models.families.identity import Identity


class Runs(Family):
    """Consecutive symbols, as many in a segment as the plan says. A family of this kind says how one is coded."""

    alphabet = 27
    symbol_bits = PRECISION
    sample_size = 30

    def __init__(self) -> None:
        name = type(self).__name__.lower()
        super().__init__(Identity(name, "text27", hashlib.sha256(name.encode()).digest()[:8]))

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        if steps is not None:
            raise ModelMismatchError(f"{self.name} has no steps to choose")
        return (min(100, max(1, count)),)

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        if len(plan) != 1 or not 1 <= plan[0] <= max(1, count) or count > plan[0] << 12:
            raise CorruptError(f"{self.name} cannot have the coding plan {plan}")
        return [min(plan[0], count - start) for start in range(0, count, plan[0])]

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        start, state = 0, self.start()
        for size in self.segment_sizes(count, plan):
            yield Slice(start, start + size), self.codec(size, state)
            start += size

    def start(self) -> NumpyArray:
        """What runs on through a frame."""
        return np.zeros(0)

    def codec(self, size: int, state: NumpyArray) -> Codec[NumpyArray]:
        raise NotImplementedError


class Counting(Runs):
    """Symbols in the proportions in which they came after the two before them; counts run on through the frame."""

    def start(self) -> NumpyArray:
        """Counts of a symbol after two others, and 3 numbers more: how many came, and the last two."""
        return np.concatenate([np.ones(27**3, np.int64), np.zeros(2, np.int64)])

    def codec(self, size: int, state: NumpyArray) -> Codec[NumpyArray]:
        counts, last = state[:-2].reshape(27, 27, 27), state[-2:]

        def steps() -> Generator[Categorical, NumpyArray, None]:
            for _ in range(size):
                row = counts[last[0], last[1]]
                freqs = row * (TOTAL - 27) // row.sum() + 1
                freqs[row.argmax()] += TOTAL - freqs.sum()
                (symbol,) = yield Categorical(PMF(freqs[None].astype(np.uint32)))
                row[symbol] += 20
                last[:] = last[1], symbol

        return Mapped(Serial(steps), lambda x: list(x.reshape(-1, 1)), lambda y: np.concatenate(y))


class Latent(Runs):
    """Symbols that are near a latent one, coded with bits back."""

    bound = True

    def codec(self, size: int, state: NumpyArray) -> Codec[NumpyArray]:
        apart = np.abs(np.arange(27) - np.arange(27)[:, None])
        near = (1 << 20 >> np.minimum(2 * apart, 20)).astype(np.int64)
        freqs = near * (TOTAL - 27) // near.sum(axis=1, keepdims=True) + 1
        freqs[np.arange(27), np.arange(27)] += TOTAL - freqs.sum(axis=1)
        flat = np.full((size, 27), TOTAL // 27, np.int64)
        flat[:, 0] += TOTAL - flat.sum(axis=1)

        def given(value: NumpyArray) -> Codec[NumpyArray]:
            return Categorical(PMF(freqs[value].astype(np.uint32)))

        return BitsBack(Categorical(PMF(flat.astype(np.uint32))), given, given)
