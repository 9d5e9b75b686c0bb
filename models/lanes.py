"""Where the symbols of a frame lie: lanes side by side, which are the batch of a recurrent network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..compressor.errors import CorruptError
from ..compressor.model import Plan
from .arrays import NumpyArray

MAX_LANES = 1024
MAX_SEGMENT = 1 << 17  # symbols: what a decoder must be ready to hold
MAX_STEPS = (
    1 << 18
)  # of a lane: without a bound, a single lane of a frame would keep a decoder busy for a day
MAX_SEGMENTS = 1 << 16  # of a frame: a damaged plan must not make a list of millions of them


@dataclass(frozen=True)
class Layout:
    """Where the symbols of a frame lie: L lanes side by side, time-major, cut into segments of S steps.

    The first ``count - lanes * (steps - 1)`` lanes have ``steps`` symbols and the others one fewer, so that only the
    last step has inactive lanes.
    """

    count: int
    lanes: int
    segment: int

    @staticmethod
    def of(count: int, plan: Plan) -> Layout:
        """The layout of a plan. Raises CorruptError for one that no encoder makes."""
        if len(plan) != 2 or not 1 <= plan[0] <= min(MAX_LANES, count):
            raise CorruptError(f"a frame of {count} symbols cannot have the coding plan {plan}")
        layout = Layout(count, *plan)
        # A segment never runs past the frame: one way to write each layout, so that no damage goes unnoticed.
        possible = 1 <= layout.segment <= layout.steps <= min(layout.segment * MAX_SEGMENTS, MAX_STEPS)
        if not possible or layout.lanes * layout.segment > MAX_SEGMENT:
            raise CorruptError(
                f"a frame of {count} symbols cannot have segments as in the coding plan {plan}"
            )
        return layout

    @property
    def steps(self) -> int:
        return -(-self.count // self.lanes)

    def active(self, step: int) -> int:
        """Lanes that have a symbol at this step: the first ones."""
        return self.lanes if step < self.steps - 1 else self.count - self.lanes * (self.steps - 1)

    def segments(self) -> Iterator[tuple[int, int]]:
        """First and last step (exclusive) of each segment."""
        for start in range(0, self.steps, self.segment):
            yield start, min(start + self.segment, self.steps)

    def size(self, start: int, stop: int) -> int:
        """Symbols of steps start..stop."""
        return self.lanes * (stop - 1 - start) + self.active(stop - 1)

    def to_grid(self, symbols: NumpyArray) -> NumpyArray:
        """[count] -> [steps, lanes]; inactive places are 0."""
        full = self.active(self.steps - 1)
        grid = np.zeros((self.lanes, self.steps), np.uint8)
        grid[:full] = symbols[: full * self.steps].reshape(full, self.steps)
        grid[full:, :-1] = symbols[full * self.steps :].reshape(self.lanes - full, self.steps - 1)
        return grid.T

    def from_grid(self, grid: NumpyArray) -> NumpyArray:
        """[steps, lanes] -> [count]: the inverse."""
        full = self.active(self.steps - 1)
        lanes = grid.T
        return np.concatenate([lanes[:full].ravel(), lanes[full:, :-1].ravel()])
