"""Zlib streams: inflated with care, and deflated again so that the same bytes come out."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from .asbytes import AsBytes, NotReproduced

VERSION = zlib.ZLIB_RUNTIME_VERSION
"""Of the zlib that deflates here."""

MOST = 1100
"""Bytes that a byte of deflate can stand for, and some: the limit is 1032."""

_STEP = 1 << 16  # bytes deflated between two looks at whether the result is still right
_HEAD = 2
_ADLER = 4


@dataclass(frozen=True)
class Settings:
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
        return known and 9 <= self.window <= 15 and len(self.head) == _HEAD

    def deflate(self, plain: bytes) -> bytes:
        """The stream, as the zlib here makes it."""
        return b"".join(self._pieces(plain))

    def makes(self, stream: bytes, plain: bytes) -> bool:
        """Whether `plain` becomes `stream`; False as soon as it does not."""
        at = 0
        for piece in self._pieces(plain):
            if not stream.startswith(piece, at):
                return False
            at += len(piece)
        return at == len(stream)

    def _pieces(self, plain: bytes) -> Iterator[bytes]:
        # The head says little that zlib goes by, and libpng changes it afterwards: it is kept beside.
        packer = zlib.compressobj(self.level, zlib.DEFLATED, -self.window, self.memory, self.strategy)
        yield self.head
        view = memoryview(plain)
        for at in range(0, len(plain), _STEP):
            yield packer.compress(view[at : at + _STEP])
        yield packer.flush() + zlib.adler32(plain).to_bytes(_ADLER)


def inflate(stream: bytes, size: int) -> bytes:
    """The `size` bytes in a zlib stream, making no more of them. Raises AsBytes if it holds fewer or more."""
    if size > MOST * len(stream):
        raise AsBytes(f"it states {size} bytes of pixels, which its {len(stream)} bytes cannot hold")
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(stream, size)
        surplus = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise AsBytes(f"it is broken: {error}") from error
    if surplus or len(plain) != size or not inflater.eof:
        raise AsBytes("it is broken: its pixels are fewer or more than its header says")
    if inflater.unused_data:
        raise AsBytes("there is something behind its pixels")
    return plain


def find(stream: bytes, plain: bytes) -> Settings:
    """The settings with which the zlib here makes `stream` of `plain`. Raises NotReproduced if there are none."""
    for settings in _candidates(stream):
        if settings.makes(stream, plain):
            return settings
    raise NotReproduced(f"zlib {VERSION} does not make its compressed pixels again, at any setting")


def _candidates(stream: bytes) -> Iterator[Settings]:
    """Settings to try, the likely ones first."""
    head = stream[:_HEAD]
    stated, level = 8 + (head[0] >> 4), head[1] >> 6
    likely = {0: (1, 0), 1: (2, 3, 4, 5), 2: (6,), 3: (9, 8, 7)}[level]
    others = tuple(each for each in range(10) if each not in likely)
    windows = dict.fromkeys(max(9, window) for window in (stated, 15))
    # Nearly everyone has zlib's own memory, or libpng's and Pillow's.
    for memories, levels in (((8, 9), likely), ((8, 9), others), (range(1, 8), likely)):
        for memory, window in product(memories, windows):
            base = Settings(head, 6, memory, zlib.Z_DEFAULT_STRATEGY, window)
            for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED):
                yield from (replace(base, level=each, strategy=strategy) for each in levels)
            if levels is likely:  # to these the level does not matter
                yield from (replace(base, strategy=each) for each in (zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY))
