"""Where the symbols of a frame lie: lanes side by side, which are the batch of a recurrent network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from ...compressor.coding.model import Plan
from ...compressor.errors import CorruptError
from ..backends.base import NumpyArray

Part = TypeVar("Part", bound=tuple[NumpyArray, *tuple[object, ...]])

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

    def columns(self, start: int, stop: int) -> Columns:
        """Where the symbols of steps start..stop lie."""
        return Columns(self, start, stop)

    def parts(self, symbols: NumpyArray, steps: int) -> Iterator[NumpyArray]:
        """The symbols [count] in runs of up to so many steps that lie in one segment: [T, L]."""
        for start, stop in self.segments():
            grid = self.columns(start, stop).cut(symbols)
            yield from (grid[i : i + steps] for i in range(0, len(grid), steps))


class Columns(NamedTuple):
    """Steps start..stop of every lane: [T, L]; places without a symbol, in the last step of a frame, are 0."""

    layout: Layout
    start: int
    stop: int

    def cut(self, symbols: NumpyArray) -> NumpyArray:
        """[count] -> [T, L]."""
        lanes: NumpyArray = np.zeros((self.layout.lanes, self.stop - self.start), symbols.dtype)
        for part, view in self._views(symbols):
            lanes[part, : view.shape[1]] = view
        return lanes.T

    def put(self, symbols: NumpyArray, grid: NumpyArray) -> None:
        """Write [T, L] into the symbols [count]."""
        for part, view in self._views(symbols):
            view[...] = grid.T[part, : view.shape[1]]

    def _views(self, symbols: NumpyArray) -> Iterator[tuple[slice, NumpyArray]]:
        """The lanes that have a symbol at every step of the frame, and those that end one earlier: views [l, T]."""
        lanes, steps = self.layout.lanes, self.layout.steps
        full = self.layout.active(steps - 1)
        yield slice(full), symbols[: full * steps].reshape(full, steps)[:, self.start : self.stop]
        rest = symbols[full * steps :].reshape(lanes - full, steps - 1)
        yield slice(full, lanes), rest[:, self.start : self.stop]


def parts_of(symbols: NumpyArray, evaluated: Iterator[Part]) -> Iterator[Part]:
    """The next of what was evaluated, each the symbols of some steps and more: those that make up these symbols [T, L].

    Raises ValueError if it was on other symbols.
    """
    done = 0
    while done < len(symbols):
        part = next(evaluated, None)
        if part is None or not np.array_equal(part[0], symbols[done : done + len(part[0])]):
            raise ValueError("these are not the symbols that are known of the frame")
        yield part
        done += len(part[0])
