"""Binary decisions that make up symbols: how a generator of their probabilities is coded, step by step or at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from ...compressor.coding.codec import Categorical, Codec, replayed
from ...compressor.coding.pmf import PMF, PRECISION
from ..backends.base import NumpyArray

PROBABILITY = 16  # bits of a probability

Decisions = Generator[NumpyArray, NumpyArray, NumpyArray]
"""Yields the probability of a 1, int64 [A] of 16 bits, and is sent the bits [A]; returns the symbols uint8 [A]."""


def binary_pmf(p: NumpyArray) -> PMF:
    """The PMF of decisions with these probabilities of a 1, 1..2**16 - 1 of 2**16: [N] -> rows of two."""
    return PMF.of_bits(p << PRECISION - PROBABILITY)


def coded(decisions: Decisions) -> Generator[Codec[NumpyArray], NumpyArray, NumpyArray]:
    """The decisions as steps of a `Serial`: yields their codecs, is sent bits [A], returns the symbols uint8 [A]."""
    p = next(decisions)
    while True:
        bits = yield Categorical(binary_pmf(p))
        try:
            p = decisions.send(bits)
        except StopIteration as end:
            symbols: NumpyArray = end.value
            return symbols


def forced(decisions: Decisions, symbols: NumpyArray, count: int) -> Iterator[tuple[NumpyArray, NumpyArray]]:
    """Probabilities and bits of known symbols [A], of ``count`` decisions for each: [A], [A] of every decision."""
    places = reversed(range(count))
    return replayed(decisions, ((symbols >> np.uint8(place)) & np.uint8(1) for place in places))
