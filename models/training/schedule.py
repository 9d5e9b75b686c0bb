"""The table ``schedule`` of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ..schema import above, ranged, shown
from .optimiser import OPTIMISERS

Number = Annotated[int, ranged(1, 1 << 40)]
Seed = Annotated[int, ranged(0, 1 << 40)]
Share = Annotated[float, ranged(0, 1)]
Weight = Annotated[float, ranged(0, 1000)]
Rate = Annotated[float, above(0, 10**9)]


@dataclass(frozen=True)
class Schedule:
    """How a model is trained. Times are shares of the run, so that a recipe fits any time budget.

    A family whose training is told of more has a subclass, see ``task.Task``.
    """

    minutes: Rate  # the time budget when the command line gives none
    lanes: Number  # of a batch: lanes cut from each stretch of text, or items of a model that codes items
    learning_rate: Rate
    groups: Number = 1  # stretches of text in a batch
    steps: Number = 1  # symbols of each lane in a batch; the recurrent state is carried on to the next
    warmup: Number = 100  # optimiser steps
    final_rate: Share = 0.02  # of the learning rate, at the end of the cosine
    weight_decay: Weight = 0.01
    clip: Rate = 1.0  # norm of the gradient
    ema: Share = 0.999  # decay of the averaged weights, the ones that are exported
    round_from: Share = 0.75  # share of the run after which rounding to the grid is on
    optimiser: str = "adamw"  # one of optimiser.OPTIMISERS
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Raises ValueError for an optimiser that there is not."""
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"no optimiser {shown(self.optimiser)}; there are {', '.join(OPTIMISERS)}")
