"""What the rich mixture is made of, and the tables that it takes: see ``mixing``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ...backends.base import NumpyArray
from ...schema import Declared, Tensor, ranged
from ..config import STRETCH_MAX, Tensors, check_stretches, probability_tables
from ..counters import CHANCE, COUNT
from ..decisions import PROBABILITY

CONTEXTS = 12  # of a decision; each has a counter and a bit history
ORDERS = 6  # the first contexts, by which one set of weights is chosen
MATCHES = (5, 8)  # symbols that must agree before each of the match models proposes a match
INPUTS = (
    2 * CONTEXTS + 2 * len(MATCHES) + 4
)  # the network, a counter of the node, a constant and one that is free
SELECTORS = 4  # first-layer mixers
SETS = 256  # of weights, in each of them
PROFILES = 2  # text, records
HISTORIES = 256
LENGTHS = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    12,
    16,
    32,
    64,
    1024,
)  # from which on a match is in another state, 1..15
STATES = len(LENGTHS) + 1
TRUSTED = (
    4 * STATES
)  # kinds of matches: by their state, and how many of the last four symbols differed, 3 at most
BEGUN = 4  # age of a fresh adaptive map
OLDEST = 255  # after so many updates a map's rate falls no more

_MOST_WEIGHT = 1 << 24


@dataclass(frozen=True)
class RichConfig:
    """What the rich mixture is made of.

    mixture  2: what tells such a table from that of a `MixingConfig`
    bits     log2 of the lines of each context, at most; a short frame has fewer
    limit    updates after which the rate of a context's counter falls no more
    rate     of the weights, as in `MixingConfig`, but for 14 lanes or more; twice as high at the start of a frame
    """

    mixture: Literal[2]
    bits: Annotated[int, ranged(8, 18)]
    limit: Annotated[int, ranged(0, 63)]
    rate: Annotated[int, ranged(1, (1 << 20) - 1)]

    def tensors(self) -> Declared:
        """What the mixture loads."""
        return {
            "stretch": Tensor("int16", (1 << PROBABILITY,)),
            "squash": Tensor("uint16", (2 * STRETCH_MAX + 1,)),
            "adapt": Tensor("int32", (1 << COUNT,)),
            "histories": Tensor("int32", (PROFILES, CONTEXTS, HISTORIES)),
            "trust": Tensor("int32", (PROFILES, len(MATCHES), TRUSTED)),
            "weights": Tensor("int32", (PROFILES, SELECTORS, INPUTS)),
        }

    def tables(self) -> Tensors:
        """The tables that a checkpoint stores, built once, at export.

        stretch, squash and adapt as in `mixing_tables`, with rates of all ages.
        histories  what a frame's adaptive maps start from, as counters: what a history of up to seven bits says
        trust      the same of the states of matches
        weights    of the inputs of each mixer, in steps of 2**-16

        These three are for text and for records, and may be fitted to what is to be coded afterwards.
        """
        return {
            **probability_tables(1 << COUNT),
            "histories": np.tile(fresh_histories(), (PROFILES, CONTEXTS, 1)),
            "trust": np.tile(fresh_trust(), (PROFILES, len(MATCHES), 1)),
            "weights": np.tile(start_weights(), (PROFILES, SELECTORS, 1)),
        }

    def check(self, tensors: Tensors) -> None:
        """Raises ValueError for tables by which a probability, a counter or a weight would leave its bits."""
        check_stretches(tensors)
        for name in ("histories", "trust"):
            if (tensors[name] & (1 << COUNT) - 1).max() > OLDEST:
                raise ValueError(f"{name} must have ages of {OLDEST} at most")
        if np.abs(tensors["weights"].astype(np.int64)).max() > _MOST_WEIGHT:
            raise ValueError(f"weights must be in -{_MOST_WEIGHT}..{_MOST_WEIGHT}")

    def line_bits(self, count: int) -> int:
        """log2 of the lines of a context, for a frame of ``count`` symbols."""
        return min(self.bits, max(8, count.bit_length()))


def start_weights() -> NumpyArray:
    """The weights of the inputs that a mixture starts from, where none were fitted: int32 [INPUTS]."""
    weights = np.zeros(INPUTS, np.int32)
    weights[0] = 40_000
    weights[1 : 1 + 2 * CONTEXTS] = 4_000
    weights[1 + 2 * CONTEXTS : 1 + 2 * CONTEXTS + 2 * len(MATCHES)] = 8_000
    return weights


def fresh_histories() -> NumpyArray:
    """Counters int32 [256] of age `BEGUN`: a history is the bits since a leading 1, the newest the lowest.

    Ones and zeros are counted from 0.4 on, each bit 0.85 times as much as the one after it.
    """
    found = np.zeros(HISTORIES, np.int64)
    for history in range(2, HISTORIES):
        length = history.bit_length() - 1
        seen = [0.4, 0.4]
        for age in range(length):
            seen[history >> age & 1] += 0.85**age
        found[history] = np.floor((seen[1] / sum(seen) - 0.5) * (1 << CHANCE) + 0.5)
    return ((found << COUNT) + BEGUN).astype(np.int32)


def fresh_trust() -> NumpyArray:
    """Counters int32 [TRUSTED]: the longer, the likelier; 1 - 1 / (2 (state + 2)), and one half for the first."""
    half = 1 << CHANCE - 1
    states = np.arange(STATES)
    chances = np.where(states > 0, half - half // (states + 2), 0)
    return np.tile((chances << COUNT) + BEGUN, TRUSTED // STATES).astype(np.int32)
