"""How a PNG is packed again where nobody asks for the same bytes, but the way that always is taken makes it larger.

level | memLevel | strategy | wbits | filters, as in exact.py
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ..errors import CorruptError
from . import filters, png
from .content import PictureContent
from .deflate import ZlibSettings
from .exact import kinds_to_bytes, read_kinds
from .filters import Bytes
from .span import Span

_HEAD = b"\x78\xda"
_NUMBERS = 4


@dataclass(frozen=True)
class Tuned:
    """What it takes: settings of zlib, and the filter of each row of each pass."""

    settings: ZlibSettings
    kinds: bytes

    @classmethod
    def tries(cls, content: PictureContent, kinds: Bytes) -> "Iterator[Tuned]":
        """What is worth a try for a picture that was packed with the filters `kinds`."""
        base = ZlibSettings(_HEAD, 9, 9, zlib.Z_DEFAULT_STRATEGY, 15)
        for way in chain((kinds,), reversed(png.ways(content)), _slow_ways(content)):
            for strategy in (zlib.Z_FILTERED, zlib.Z_DEFAULT_STRATEGY):
                yield cls(replace(base, strategy=strategy), way.tobytes())

    def to_bytes(self) -> bytes:
        """As it stands in a repack method."""
        settings = self.settings
        numbers = bytes((settings.level, settings.memory, settings.strategy, settings.window))
        return numbers + kinds_to_bytes(self.kinds)

    @classmethod
    def from_bytes(cls, data: bytes, lines: int) -> "Tuned":
        """From a repack method for a picture with so many rows in all passes. Raises CorruptError."""
        settings = ZlibSettings(_HEAD, *data[:_NUMBERS]) if len(data) >= _NUMBERS else None
        if settings is None or not settings.is_valid():
            raise CorruptError("a repack method states settings that zlib does not have")
        kinds, at = read_kinds(data, _NUMBERS, lines)
        if at != len(data):
            raise CorruptError("a repack method is longer than it should be")
        return cls(settings, kinds)

    def stream(self, content: PictureContent) -> Span:
        """The rows, packed like that."""
        return png.deflated(content, np.frombuffer(self.kinds, np.uint8), self.settings)


def _slow_ways(content: PictureContent) -> Iterator[Bytes]:
    """A way to filter all rows that takes longer to find than it is always worth."""
    yield content.chosen(filters.pairs)
