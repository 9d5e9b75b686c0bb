"""An unpacked picture in a file: its rows are read where they are needed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import CorruptError
from ..format import varint
from . import filters
from .filters import Bytes
from .form import OPENING, Facts
from .kinds import MAGICS
from .passes import Pass, passes
from .span import Span

_STRIP = 1 << 20  # bytes of rows that are read at a time


@dataclass(frozen=True)
class PictureContent:
    """An unpacked picture, and where things are in it."""

    span: Span
    facts: Facts

    @classmethod
    def read(cls, span: Span) -> "PictureContent":
        """The picture in a file. Raises CorruptError."""
        facts = Facts.read(span.read(0, OPENING))
        if facts is None:
            raise CorruptError("the content of a packed picture is no picture")
        if facts.end > span.size:
            raise CorruptError("a packed picture lacks some of its rows")
        return cls(span, facts)

    def front(self) -> Iterator[bytes]:
        """What the file has before its pixels, a block at a time."""
        return self.span.blocks(self.facts.front, self.facts.start)

    def back(self) -> Iterator[bytes]:
        """What the file has behind its pixels, a block at a time."""
        return self.span.blocks(self.facts.end, self.span.size)

    @property
    def around(self) -> int:
        """Bytes of front and back."""
        return self.facts.start - self.facts.front + self.span.size - self.facts.end

    def pixels(self, each: Pass, start: int, stop: int) -> Bytes:
        """The rows from `start` to `stop` of a pass, uint8 [stop - start, W, bytes of a pixel]."""
        shape = self.facts.shape
        first, step = each.rows.start or 0, each.rows.step or 1
        low, high = first + start * step, first + (stop - 1) * step + 1
        data = self.span.read(self.facts.start + low * shape.row_size, (high - low) * shape.row_size)
        cells = np.frombuffer(data, np.uint8).reshape(high - low, -1, each.pixel)
        return np.ascontiguousarray(cells[::step, each.columns])

    def filtered(self, kinds: Bytes, one_in: int = 1) -> Iterator[bytes]:
        """The rows of all passes, filtered as `kinds` [rows of all passes] says, behind their filters.

        one_in  of so many strips only the first
        """
        at = 0
        for each in passes(self.facts.shape):
            for start, stop in self._strips(each)[::one_in]:
                above, rows = self._with_above(each, start, stop)
                here = kinds[at + start : at + stop]
                lines = filters.apply(rows, here, above).reshape(len(rows), -1)
                yield np.concatenate([here[:, None], lines], axis=1).tobytes()
            at += each.height

    def chosen(self, cost: filters.Cost = filters.magnitudes) -> Bytes:
        """The filter that suits each row of all passes (see `filters.choose`)."""
        found = [
            filters.choose(rows, above, cost)
            for each in passes(self.facts.shape)
            for above, rows in (self._with_above(each, *strip) for strip in self._strips(each))
        ]
        return np.concatenate(found)

    def _with_above(self, each: Pass, start: int, stop: int) -> tuple[Bytes | None, Bytes]:
        """The row before `start`, None if that is the first, and the rows from there to `stop`."""
        if not start:
            return None, self.pixels(each, start, stop)
        rows = self.pixels(each, start - 1, stop)
        return rows[0], rows[1:]

    def _strips(self, each: Pass) -> list[tuple[int, int]]:
        size = max(1, _STRIP // (self.facts.shape.row_size * (each.rows.step or 1)))
        return [(start, min(start + size, each.height)) for start in range(0, each.height, size)]


def opening(kind: str, front: int) -> bytes:
    """What stands before a front of so many bytes."""
    magic = next(magic for magic, name in MAGICS.items() if name == kind)
    return magic + varint.encode(front)
