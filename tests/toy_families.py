"""Families of a few lines each: what a new one has to write, and that the laws hold for it."""

from __future__ import annotations

import hashlib
from collections.abc import Generator

import numpy as np

from catzip.compressor.coding.bitsback import BitsBack
from catzip.compressor.coding.codec import Categorical, Codec, Mapped, Serial
from catzip.compressor.coding.model import Needs, Plan
from catzip.compressor.coding.pmf import PMF, PRECISION, TOTAL
from catzip.compressor.coding.quantized import Quantized
from catzip.compressor.coding.vocabulary import Vocabulary
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.models.backends.base import NumpyArray
from catzip.models.families.base import Family, Segments, Slice
from catzip.models.families.identity import Identity


class Runs(Family):
    """Consecutive symbols, as many in a segment as the plan says. A family of this kind says how one is coded."""

    alphabet = 27
    symbol_bits = PRECISION
    sample_size = 30

    def __init__(self, medium: str = "text27", vocabulary: Vocabulary | None = None) -> None:
        name = type(self).__name__.lower()
        fingerprint = hashlib.sha256(name.encode()).digest()[:8]
        super().__init__(Identity(name, medium, fingerprint, vocabulary))

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        if steps is not None:
            raise ModelMismatchError(f"{self.name} has no steps to choose")
        return (min(100, max(1, count)),)

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        if len(plan) != 1 or not 1 <= plan[0] <= max(1, count) or count > plan[0] << 12:
            raise CorruptError(f"{self.name} cannot have the coding plan {plan}")
        return [min(plan[0], count - start) for start in range(0, count, plan[0])]

    def needs(self, count: int, plan: Plan) -> Needs:
        """A unit of work for 100 symbols."""
        return Needs(count // 100, (1 << 16) + 1024 * max(self.segment_sizes(count, plan), default=0))

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


LIKELY = 30
"""The first pieces of a vocabulary, nearly all of what the model of words expects."""


class Words(Runs):
    """Pieces of a vocabulary, of which the first are the likeliest, each whatever was before it.

    As in all families with wide alphabets, a symbol is coded in digits, four of 4 bits for one of 65,536: a row of as
    many frequencies takes the coder 100 microseconds.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__("tokens", vocabulary)
        self.alphabet = len(vocabulary)
        self.symbol_bits = 4 * PRECISION
        masses = np.ones(self.alphabet, np.int64)
        masses[:LIKELY] = 1 << 24
        below = np.append(0, np.cumsum(masses))
        self._below = (below << PRECISION) // below[-1]

    def codec(self, size: int, state: NumpyArray) -> Codec[NumpyArray]:
        return Quantized(self._below.__getitem__, size, self.alphabet)
