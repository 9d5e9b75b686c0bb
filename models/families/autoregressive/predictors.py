"""What the symbols of a frame are coded by, given what the network says of them: one of two ways to predict."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

import numpy as np

from ....compressor.coding.codec import Categorical, Codec
from ....compressor.coding.pmf import PMF
from ...backends.base import NumpyArray
from ...layers.grid import Tensors
from ...mixing.choice import AnyMixer, mixer_of
from ...mixing.decisions import binary_pmf, coded, forced
from ...mixing.mixing import summed
from ..lanes import Layout
from .coding_config import CodingConfig

Codecs = Generator[Codec[NumpyArray], NumpyArray, NumpyArray]
"""Yields the codec of each digit of the symbols of A lanes and is sent it, [A]; returns the symbols uint8 [A]."""


class Predictor(Protocol):
    """The codecs of the symbols of one frame, step by step.

    said     what `prepared` made of the network's frequencies, of this step: [A, ...] of the lanes that have a symbol
    recent   uint64 [A], the packed past
    lengths  intp [A], how long the matches of these lanes are; 0 for none
    """

    def prepared(self, frequencies: NumpyArray) -> NumpyArray:
        """What the methods below take of the network's frequencies uint32 [T, L, K]: [T, L, ...].

        It knows nothing of the steps before, so that threads may call it ahead of time.
        """
        ...

    def codecs(self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray) -> Codecs:
        """The codecs of the digits of a symbol in each lane, in decode order."""
        ...

    def forced(
        self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray, symbols: NumpyArray
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """The same for known symbols uint8 [A]: for each digit, rows [A, ...] that `pmf` takes, and the digits [A]."""
        ...

    def pmf(self, rows: NumpyArray) -> PMF:
        """The PMFs of digits from rows [N, ...] of `forced`."""
        ...

    def advance(self, symbols: NumpyArray) -> None:
        """Learn the symbols uint8 [L] of a step that is done."""
        ...


class Mixed:
    """Binary decisions, whose probabilities are those of a mixture, in 16 bits: see ``mixing.mixing``."""

    def __init__(self, mixer: AnyMixer) -> None:
        self._mixer = mixer

    def prepared(self, frequencies: NumpyArray) -> NumpyArray:
        """Sums of the frequencies, int32 [T, L, 2**depth + 1]."""
        return summed(frequencies)

    def codecs(self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray) -> Codecs:
        """See `Predictor.codecs`."""
        return coded(self._mixer.symbols(said, recent, lengths))

    def forced(
        self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray, symbols: NumpyArray
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """See `Predictor.forced`: probabilities of a 1, and bits."""
        decisions = self._mixer.symbols(said, recent, lengths)
        return forced(decisions, symbols, self._mixer.decisions_per_symbol)

    def pmf(self, rows: NumpyArray) -> PMF:
        """PMFs of two from probabilities of a 1, [N]."""
        return binary_pmf(rows)

    def advance(self, symbols: NumpyArray) -> None:
        """See `Predictor.advance`."""
        self._mixer.advance(symbols)


class Plain:
    """Whole symbols, whose PMFs are those of the network, in 24 bits."""

    def prepared(self, frequencies: NumpyArray) -> NumpyArray:
        """The frequencies, uint32 [T, L, K]."""
        return frequencies

    def codecs(self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray) -> Codecs:
        """See `Predictor.codecs`: one."""
        symbols = yield Categorical(PMF(said))
        return symbols.astype(np.uint8)

    def forced(
        self, said: NumpyArray, recent: NumpyArray, lengths: NumpyArray, symbols: NumpyArray
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """See `Predictor.forced`: frequencies, and symbols."""
        yield said, symbols

    def pmf(self, rows: NumpyArray) -> PMF:
        """PMFs of K from frequencies [N, K]."""
        return PMF(rows)

    def advance(self, symbols: NumpyArray) -> None:
        """Nothing is learnt."""


def predictor(
    config: CodingConfig, tensors: Tensors, alphabet: int, layout: Layout, record: int = 0
) -> Predictor:
    """That of a frame before its first step, for an alphabet of K; ``tensors`` are those of the mixture.

    record  symbols of a record, where they lie in such; only the rich mixture takes that into account
    """
    if config.mixing is None:
        return Plain()
    return Mixed(mixer_of(config.mixing, tensors, alphabet, layout.lanes, layout.count, record))
