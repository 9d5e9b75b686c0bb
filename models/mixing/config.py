"""What a mixture is made of, and the tables that it takes: see ``mixing``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from ..backends.base import NumpyArray
from ..schema import Declared, Order, Tensor, entries, ranged, typed
from .counters import COUNT
from .decisions import PROBABILITY
from .sse import FIRST_COUNT, STRETCH

STRETCH_MAX = (12 << STRETCH) - 1  # squash of it is within one step of certainty

Tensors = dict[str, NumpyArray]

_MOST_COUNTERS = 1 << 27


@dataclass(frozen=True)
class MixingConfig:
    """What the mixture is made of.

    orders   of the counters' contexts, in symbols; the word so far is one context more
    bits     log2 of the counters of each context, at most, and of the rows of the SSE stage, of which there are 2**16
             at most; a short frame has fewer
    limit    updates after which a counter's rate of change, 1 / (updates + 1.3), falls no more
    rate     of the weights: each moves by rate / max(lanes, 16) * 2**-24 of t * error, since all lanes move it at once
    start    weight of each counter at the start, in steps; the network's is 1
    phrases  word bigrams: whether the word so far together with the word before it is another context
    by_age   whether the set of weights is chosen by count, which is how often the counters were updated, and not by the
             length of the match; ``orders`` go from the shortest to the longest then
    refined  whether an SSE stage follows, see ``sse``
    """

    orders: Annotated[tuple[Order, ...], entries(8)]
    bits: Annotated[int, ranged(12, 26)]
    limit: Annotated[int, ranged(0, (1 << COUNT) - 1)]
    rate: Annotated[int, ranged(1, (1 << 20) - 1)]
    start: Annotated[int, ranged(-(1 << 20), 1 << 20)]
    phrases: bool = False
    by_age: bool = False
    refined: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for fields that do not go together."""
        if self.by_age and list(self.orders) != sorted(set(self.orders)):
            raise ValueError(
                f"contexts of {self.orders} symbols; by_age takes them from the shortest to the longest"
            )
        if self.refined and self.limit < FIRST_COUNT:
            raise ValueError(f"a limit of {self.limit}; counters of an SSE stage begin at {FIRST_COUNT}")
        if self.contexts << self.bits > _MOST_COUNTERS:
            raise ValueError(
                f"{self.contexts} contexts of 2**{self.bits} counters; {_MOST_COUNTERS} are possible"
            )

    @staticmethod
    def from_json(table: dict[str, Any]) -> MixingConfig:
        """The table ``coding`` of a recipe or a checkpoint; ``mixer``, ``match`` and ``lanes`` are not the mixture's.

        Raises ValueError for fields that are not as above.
        """
        own = {key: value for key, value in table.items() if key not in ("mixer", "match", "lanes")}
        return typed(MixingConfig, own, "coding")

    @property
    def contexts(self) -> int:
        """How many counters predict a decision."""
        return len(self.orders) + 1 + self.phrases

    def tables(self) -> Tensors:
        """See `mixing_tables`."""
        return mixing_tables(self)

    def check(self, tensors: Tensors) -> None:
        """Raises ValueError for tables by which a probability, or a counter, would leave its bits."""
        check_stretches(tensors)

    def tensors(self) -> Declared:
        """What the mixture loads."""
        return {
            "stretch": Tensor("int16", (1 << PROBABILITY,)),
            "squash": Tensor("uint16", (2 * STRETCH_MAX + 1,)),
            "adapt": Tensor("int32", (self.limit + 1,)),
        }


def mixing_tables(config: MixingConfig) -> Tensors:
    """The tables that a checkpoint stores. Built once, at export.

    stretch  round(2**8 ln(p / (1 - p))) for p = (i + 1/2) / 2**16, int16 [2**16]
    squash   round(2**16 / (1 + exp(-t / 2**8))) for t = -STRETCH_MAX..STRETCH_MAX, in 1..2**16 - 1, uint16
    adapt    round(2**16 / (count + 1.3)) for count = 0..limit, int32
    """
    return probability_tables(config.limit + 1)


def probability_tables(ages: int) -> Tensors:
    """Those of `mixing_tables`, with rates for so many ages."""
    p = (np.arange(1 << PROBABILITY) + 0.5) / (1 << PROBABILITY)
    t = np.arange(-STRETCH_MAX, STRETCH_MAX + 1) / 2**STRETCH
    squash = np.clip(np.floor(2.0**PROBABILITY / (1 + np.exp(-t)) + 0.5), 1, 2**PROBABILITY - 1)
    return {
        "stretch": np.floor(np.log(p / (1 - p)) * 2**STRETCH + 0.5).astype(np.int16),
        "squash": squash.astype(np.uint16),
        "adapt": np.floor(2.0**16 / (np.arange(ages) + 1.3) + 0.5).astype(np.int32),
    }


def check_stretches(tensors: Tensors) -> None:
    """Check the tables of `probability_tables`. Raises ValueError for those by which something would leave its bits."""
    if np.abs(tensors["stretch"].astype(np.int32)).max() > STRETCH_MAX:
        raise ValueError(f"stretch must be in -{STRETCH_MAX}..{STRETCH_MAX}")
    if tensors["squash"].min() < 1:
        raise ValueError("squash must be 1 or more")
    if tensors["adapt"].min() < 0 or tensors["adapt"].max() >= 1 << 16:
        raise ValueError(f"adapt must be in 0..{(1 << 16) - 1}")
