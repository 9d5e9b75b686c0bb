"""Zlib streams: inflated with care, and deflated again so that the same bytes come out."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .asbytes import AsBytes

VERSION = zlib.ZLIB_RUNTIME_VERSION
"""The version of the zlib that deflates here."""

MOST = 1100
"""Bytes that a byte of deflate can stand for, and some: the limit is 1032."""

STEP = 1 << 16
"""Bytes that zlib is given at a time: to streams of level 0 it matters."""

HEAD = 2
"""Bytes that begin a stream and say how it was made, roughly."""

_ADLER = 4


@dataclass(frozen=True)
class ZlibSettings:
    """How zlib deflated a stream.

    head      the 2 bytes that begin it
    level     0 .. 9
    memory    memLevel, 1 .. 9
    strategy  0 default, 1 filtered, 2 Huffman only, 3 run lengths, 4 fixed codes
    window    wbits, 9 .. 15
    """

    head: bytes
    level: int
    memory: int
    strategy: int
    window: int

    def is_valid(self) -> bool:
        """Whether zlib takes them."""
        known = 0 <= self.level <= 9 and 1 <= self.memory <= 9 and 0 <= self.strategy <= 4
        return known and 9 <= self.window <= 15 and len(self.head) == HEAD

    def deflate(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """The stream of `plain`, which comes in pieces, as the zlib here makes it."""
        # The head says little that zlib goes by, and libpng changes it afterwards: it is kept beside.
        packer = zlib.compressobj(self.level, zlib.DEFLATED, -self.window, self.memory, self.strategy)
        yield self.head
        adler = 1
        for piece in _in_steps(plain):
            adler = zlib.adler32(piece, adler)
            yield packer.compress(piece)
        yield packer.flush() + adler.to_bytes(_ADLER)


def _in_steps(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, `STEP` at a time."""
    held = b""
    for piece in pieces:
        held = held + piece if held else piece
        whole = len(held) // STEP * STEP
        yield from (held[at : at + STEP] for at in range(0, whole, STEP))
        held = held[whole:]
    if held:
        yield held


class Inflater:
    """The bytes in a zlib stream that comes in pieces, taken in turn. Raises AsBytes where they are not there."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._inflater = zlib.decompressobj()

    def take(self, count: int) -> bytearray:
        """The next `count` bytes."""
        taken, at = bytearray(count), 0
        while at < count:
            piece = self._next(min(count - at, STEP))
            if piece is None:
                raise AsBytes(_NOT_AS_MANY)
            taken[at : at + len(piece)] = piece
            at += len(piece)
        return taken

    def finish(self) -> None:
        """Nothing may be left."""
        while (piece := self._next(1)) is not None:
            if piece:
                raise AsBytes(_NOT_AS_MANY)
        if self._inflater.unused_data or any(self._pieces):
            raise AsBytes("there is something behind its pixels")

    def _next(self, count: int) -> bytes | None:
        """At most `count` more bytes, perhaps none yet; None at the end of the stream."""
        if self._inflater.eof:
            return None
        try:
            taken = self._inflater.decompress(self._inflater.unconsumed_tail, count)
            if taken or self._inflater.eof:
                return taken
            piece = next(self._pieces, None)
            if piece is None:
                raise AsBytes(_NOT_AS_MANY)
            return self._inflater.decompress(piece, count)
        except zlib.error as error:
            raise AsBytes(f"it is broken: {error}") from error


_NOT_AS_MANY = "it is broken: its pixels are fewer or more than its header says"
