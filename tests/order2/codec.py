"""Counts of a symbol after two others, which begin as the weights say and grow with the frame."""

from __future__ import annotations

from collections.abc import Collection, Generator
from typing import Any

import numpy as np

from catzip.compressor.coding.codec import Categorical, Codec, Mapped, Serial
from catzip.compressor.coding.model import Needs, Plan
from catzip.compressor.coding.pmf import PMF, PRECISION, TOTAL
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.models.backends.base import Arrays, NumpyArray
from catzip.models.backends.workers import Workers
from catzip.models.families.base import Family, Segments, Slice
from catzip.models.families.identity import Identity
from catzip.models.schema import Declared, Tensor

K = 27
MOST = 1 << 16  # of a count in the weights
SEGMENT = 1 << 12


def normalised(rows: NumpyArray) -> NumpyArray:
    """Frequencies uint32 [N, K], each row summing to 2**24, in proportion to counts int64 [N, K]."""
    freqs = rows * (TOTAL - K) // rows.sum(1, keepdims=True) + 1
    freqs[np.arange(len(rows)), rows.argmax(1)] += TOTAL - freqs.sum(1)
    return freqs.astype(np.uint32)


class Order2(Family):
    """The plan is (symbols of a segment,)."""

    alphabet, symbol_bits, sample_size = K, PRECISION, 40

    def __init__(self, identity: Identity, counts: NumpyArray) -> None:
        super().__init__(identity)
        self._counts = counts.astype(np.int64) + 1

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        if steps is not None:
            raise ModelMismatchError(f"{self.name} has no steps to choose")
        return (min(SEGMENT, max(1, count)),)

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        if len(plan) != 1 or not 1 <= plan[0] <= min(SEGMENT, max(1, count)) or count > plan[0] << 16:
            raise CorruptError(f"{self.name} cannot have the coding plan {plan}")
        return [min(plan[0], count - start) for start in range(0, count, plan[0])]

    def needs(self, count: int, plan: Plan) -> Needs:
        sizes = self.segment_sizes(count, plan)
        return Needs(count // 20, self._counts.nbytes + count + 400 * max(sizes, default=0))

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        start, counts, last = 0, self._counts.copy(), [0, 0]
        for size in self.segment_sizes(count, plan):
            yield Slice(start, start + size), self._codec(size, counts, last)
            start += size

    @staticmethod
    def _codec(size: int, counts: NumpyArray, last: list[int]) -> Codec[NumpyArray]:
        def steps() -> Generator[Categorical, NumpyArray, None]:
            for _ in range(size):
                row = counts[K * last[0] + last[1]]
                (symbol,) = yield Categorical(PMF(normalised(row[None])))
                row[symbol] += 20
                last[:] = last[1], int(symbol)

        return Mapped(Serial(steps), lambda x: list(x.reshape(-1, 1)), lambda y: np.concatenate(y))


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    if config["model"] != {"alphabet": K}:
        raise ValueError(f"model has the field alphabet, of {K}, and no other")
    return {"counts": Tensor("int32", (K * K, K))}


def load(
    identity: Identity, config: dict[str, Any], tensors: dict[str, Any], arrays: Arrays, workers: Workers
) -> Order2:
    counts = tensors["counts"]
    if counts.min() < 0 or counts.max() > MOST:
        raise ValueError(f"counts are 0 to {MOST}")
    return Order2(identity, counts)
