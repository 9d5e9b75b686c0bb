"""The chunks of a PNG: what stands before, in and behind its IDAT chunks, all CRCs checked."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .asbytes import AsBytes
from .form import OPENING, Shape
from .span import Span

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 1 << 20
"""Chunks that a file can have to be unpacked."""

MAX_EMPTY = 1 << 16
"""IDAT chunks that there may be more than bytes in all of them."""

_CHUNK = 12  # bytes of a chunk beside its data: length, type, CRC
_SAFE = 0x20  # in the last letter of a type: the chunk stays right however the pixels are packed
_OF_PIXELS = frozenset(
    b"IHDR PLTE IDAT IEND bKGD cHRM cICP cLLI eXIf gAMA hIST iCCP mDCV pCAL sBIT sCAL sPLT sRGB sTER tIME tRNS".split()
)
"""Types that the specification of PNG and its extensions have, and that speak of pixels at most, not of bytes."""

Runs = list[tuple[int, int]]
"""(Bytes of an IDAT chunk, how many of it follow each other), in turn."""


@dataclass
class Parts:
    """A PNG file, cut.

    span   the file
    shape  what its IHDR says
    start  offset of the first IDAT chunk
    stop   offset behind the last IDAT chunk
    runs   the IDAT chunks
    broken_by_packing  why it would not be whole with its pixels packed otherwise; empty if it would
    """

    span: Span
    shape: Shape
    start: int = 0
    stop: int = 0
    runs: Runs = field(default_factory=list)
    broken_by_packing: str = ""

    @property
    def stream_size(self) -> int:
        """Bytes of data of all IDAT chunks."""
        return sum(size * often for size, often in self.runs)

    def stream(self) -> Iterator[bytes]:
        """The data of all IDAT chunks, a block at a time."""
        at = self.start
        for size, often in self.runs:
            for _ in range(often):
                yield from self.span.blocks(at + 8, at + 8 + size)
                at += size + _CHUNK


def cut(span: Span) -> Parts:
    """The parts of a PNG file. Raises AsBytes for one that is broken, animated, or arranged in an unusual way."""
    shape = Shape.of_png(span.read(0, OPENING))
    if shape is None:
        raise AsBytes("its header is broken")
    parts, end = Parts(span, shape), len(SIGNATURE)
    for kind, at, end in _walk(span):
        if kind == b"acTL":
            raise AsBytes("it is animated")
        if kind not in _OF_PIXELS and not kind[3] & _SAFE and not parts.broken_by_packing:
            parts.broken_by_packing = (
                f"its chunk {kind.decode('latin-1')!r} may speak of the bytes of the file"
            )
        if kind == b"IDAT":
            _note(parts, at, end)
    if not parts.runs:
        raise AsBytes("it is broken: there is no IDAT chunk")
    if end < span.size:
        parts.broken_by_packing = f"behind its end there are {span.size - end} bytes more, as of an archive"
    return parts


def _note(parts: Parts, at: int, end: int) -> None:
    """Another IDAT chunk. Raises AsBytes if it does not follow the last one."""
    if parts.runs and parts.stop != at:
        raise AsBytes("its IDAT chunks do not follow each other")
    if not parts.runs:
        parts.start = at
    size = end - at - _CHUNK
    last, often = parts.runs[-1] if parts.runs else (None, 0)
    if size == last:
        parts.runs[-1] = size, often + 1
    else:
        parts.runs.append((size, 1))
    parts.stop = end


def idats(stream: Span, runs: Runs) -> Iterator[bytes]:
    """`stream` in IDAT chunks of these sizes, which add up to its length."""
    at = 0
    for size, often in runs:
        for _ in range(often):
            yield size.to_bytes(4) + b"IDAT"
            crc = zlib.crc32(b"IDAT")
            for block in stream.blocks(at, at + size):
                crc = zlib.crc32(block, crc)
                yield block
            yield crc.to_bytes(4)
            at += size


def _walk(span: Span) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of every chunk up to IEND. Raises AsBytes if one is cut or its CRC is wrong."""
    kind, at = b"", len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        head = span.read(at, 8)
        end = at + _CHUNK + int.from_bytes(head[:4])
        if span.size < end or len(head) < 8:
            raise AsBytes("it is broken: it ends early")
        kind = head[4:]
        if _crc(span.blocks(at + 8, end - 4), kind) != int.from_bytes(span.read(end - 4, 4)):
            raise AsBytes("it is broken: the CRC of a chunk is wrong")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise AsBytes(f"it has more than {MAX_CHUNKS} chunks")


def _crc(blocks: Iterable[bytes], kind: bytes) -> int:
    crc = zlib.crc32(kind)
    for block in blocks:
        crc = zlib.crc32(block, crc)
    return crc
