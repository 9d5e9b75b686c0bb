"""Where the symbols of a frame lie: items one after another, which are the batch of a masked network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ....compressor.errors import CorruptError
from ..lanes import MAX_SEGMENT, MAX_SEGMENTS


@dataclass(frozen=True)
class ItemLayout:
    """How a frame of ``count`` symbols is cut into items of ``size``, and these into segments of ``each``."""

    count: int
    size: int
    each: int

    @staticmethod
    def of(count: int, size: int, each: int) -> ItemLayout:
        """The cut of a plan. Raises CorruptError for one that no encoder makes."""
        items = -(-count // size)
        # A segment never runs past the frame: one way to write each cut, so that no damage goes unnoticed.
        possible = 1 <= each <= items <= each * MAX_SEGMENTS
        if not possible or (each > 1 and each * size > MAX_SEGMENT):
            raise CorruptError(f"the coding plan of a frame of {count} symbols has segments of {each} items")
        return ItemLayout(count, size, each)

    def segments(self) -> Iterator[slice]:
        """The symbols of each segment."""
        step = self.each * self.size
        return (slice(start, min(start + step, self.count)) for start in range(0, self.count, step))
