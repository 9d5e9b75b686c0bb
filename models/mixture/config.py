"""What a mixture is made of, and the tables that it takes: see ``mixing``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import NumpyArray
from .counters import AGE
from .decisions import PROBABILITY
from .refining import BEGUN, STRETCH

STRETCH_MAX = (12 << STRETCH) - 1  # squash of it is within one step of certainty

Tensors = dict[str, NumpyArray]


@dataclass(frozen=True)
class MixingConfig:
    """What the mixture is made of.

    orders   of the counters' contexts, in symbols; the word so far is one context more
    bits     log2 of the counters of each context, at most, and of the rows of the last stage, of which there are 2**16
             at most; a short frame has fewer
    limit    updates after which a counter's rate of change, 1 / (updates + 1.3), falls no more
    rate     of the weights: each moves by rate / max(lanes, 16) * 2**-24 of t * error, since all lanes move it at once
    start    weight of each counter at the start, in steps; the network's is 1
    phrases  whether the word so far together with the word before it is another context
    by_age   whether weights are chosen by what the counters have seen, and not by the length of the match; ``orders``
             go from the shortest to the longest then
    refined  whether a last stage follows
    """

    orders: tuple[int, ...]
    bits: int
    limit: int
    rate: int
    start: int
    phrases: bool = False
    by_age: bool = False
    refined: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for what there is no room for, TypeError for what is not true or false."""
        if not all(isinstance(flag, bool) for flag in (self.phrases, self.by_age, self.refined)):
            raise TypeError(f"{self}: phrases, by_age and refined are true or false")
        if not all(1 <= order <= 8 for order in self.orders):
            raise ValueError(f"contexts of {self.orders} symbols; 1 to 8 are possible")
        if self.by_age and list(self.orders) != sorted(set(self.orders)):
            raise ValueError(
                f"contexts of {self.orders} symbols; by_age takes them from the shortest to the longest"
            )
        if self.refined and self.limit < BEGUN:
            raise ValueError(f"a limit of {self.limit}; counters of a last stage begin at {BEGUN}")
        if not (0 <= self.limit < 1 << AGE and 12 <= self.bits <= 26 and 1 <= self.rate < 1 << 20):
            raise ValueError(f"{self}: limit goes to {(1 << AGE) - 1}, bits from 12 to 26, rate below 2**20")

    @staticmethod
    def from_json(table: dict[str, Any]) -> MixingConfig:
        """The table ``coding`` of a recipe or a checkpoint, of which ``lanes`` is not the mixture's.

        Raises TypeError for fields that are not as above.
        """
        own = {key: value for key, value in table.items() if key != "lanes"}
        return MixingConfig(**own | {"orders": tuple(own["orders"])})


def mixing_tables(config: MixingConfig) -> Tensors:
    """The tables that a checkpoint stores. Built once, at export.

    stretch  round(2**8 ln(p / (1 - p))) for p = (i + 1/2) / 2**16, int16 [2**16]
    squash   round(2**16 / (1 + exp(-t / 2**8))) for t = -STRETCH_MAX..STRETCH_MAX, in 1..2**16 - 1, uint16
    adapt    round(2**16 / (age + 1.3)) for age = 0..limit, int32
    """
    p = (np.arange(1 << PROBABILITY) + 0.5) / (1 << PROBABILITY)
    t = np.arange(-STRETCH_MAX, STRETCH_MAX + 1) / 2**STRETCH
    squash = np.clip(np.floor(2.0**PROBABILITY / (1 + np.exp(-t)) + 0.5), 1, 2**PROBABILITY - 1)
    return {
        "stretch": np.floor(np.log(p / (1 - p)) * 2**STRETCH + 0.5).astype(np.int16),
        "squash": squash.astype(np.uint16),
        "adapt": np.floor(2.0**16 / (np.arange(config.limit + 1) + 1.3) + 0.5).astype(np.int32),
    }
