"""Binary decisions that make up symbols: how a generator of their probabilities is coded, step by step or at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np

from ...compressor.codec import Categorical, Codec
from ...compressor.pmf import PMF, PRECISION
from ..arrays import NumpyArray

PROBABILITY = 16  # bits of a probability

Decisions = Generator[NumpyArray, NumpyArray, NumpyArray]
"""Yields the probability of a 1, int64 [A] of 16 bits, and is sent the bits [A]; returns the symbols uint8 [A]."""


def binary_pmf(p: NumpyArray) -> PMF:
    """The PMF of decisions with these probabilities of a 1, 1..2**16 - 1 of 2**16: [N] -> rows of two."""
    return PMF.of_bits(p << PRECISION - PROBABILITY)


def coded(decisions: Decisions) -> Generator[Codec[NumpyArray], NumpyArray, NumpyArray]:
    """The decisions as steps of a `Serial`: yields their codecs, is sent bits, returns the symbols."""
    p = next(decisions)
    while True:
        bits = yield Categorical(binary_pmf(p))
        try:
            p = decisions.send(bits)
        except StopIteration as end:
            symbols: NumpyArray = end.value
            return symbols


def forced(decisions: Decisions, symbols: NumpyArray, count: int) -> Iterator[tuple[NumpyArray, NumpyArray]]:
    """The bits of known symbols [A], ``count`` for each, with their probabilities: [A], [A] for each decision."""
    p = next(decisions)
    for place in reversed(range(count)):
        bits = (symbols >> np.uint8(place)) & np.uint8(1)
        yield bits, p
        if place:
            p = decisions.send(bits)
        else:
            _finish(decisions, bits)


def _finish(decisions: Decisions, bits: NumpyArray) -> None:
    """Send the last bits, from which the mixture still learns."""
    try:
        decisions.send(bits)
    except StopIteration:
        return
    raise AssertionError("a symbol has more decisions than its alphabet asks for")


def assembled(bits: Sequence[NumpyArray], count: int) -> Iterator[NumpyArray]:
    """The symbols uint8 [A] of each step, from the bits of its ``count`` decisions."""
    for step in range(0, len(bits), count):
        symbols = np.zeros(len(bits[step]), np.uint8)
        for bit in bits[step : step + count]:
            symbols = (symbols << np.uint8(1)) | bit.astype(np.uint8)
        yield symbols
