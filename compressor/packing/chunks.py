"""The chunks of a PNG: what stands before, in and behind its IDAT chunks, all CRCs checked."""

import zlib
from dataclasses import dataclass

from .asbytes import AsBytes
from .form import Shape

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_CHUNK = 12  # bytes of a chunk beside its data: length, type, CRC


@dataclass(frozen=True)
class Parts:
    """A PNG file, cut.

    shape  what its IHDR says
    front  up to the first IDAT chunk
    sizes  bytes of data of each IDAT chunk
    stream the data of all IDAT chunks
    back   from the end of the last IDAT chunk
    """

    shape: Shape
    front: bytes
    sizes: list[int]
    stream: bytes
    back: bytes


def cut(data: bytes) -> Parts:
    """The parts of a PNG file. Raises AsBytes for one that is broken, animated, or arranged in an unusual way."""
    shape = Shape.of_png(data)
    if shape is None:
        raise AsBytes("its header is broken")
    start = stop = 0
    pieces: list[bytes] = []
    for kind, at, end in _walk(data):
        if kind == b"acTL":
            raise AsBytes("it is animated")
        if kind != b"IDAT":
            continue
        if stop not in (0, at):
            raise AsBytes("its IDAT chunks do not follow each other")
        start, stop = start or at, end
        pieces.append(data[at + 8 : end - 4])
    if not pieces:
        raise AsBytes("it is broken: there is no IDAT chunk")
    return Parts(shape, data[:start], [len(piece) for piece in pieces], b"".join(pieces), data[stop:])


def idats(stream: bytes, sizes: list[int]) -> bytes:
    """`stream` in IDAT chunks of these sizes, which add up to its length."""
    out, at = [], 0
    for size in sizes:
        body = b"IDAT" + stream[at : at + size]
        out += [size.to_bytes(4), body, zlib.crc32(body).to_bytes(4)]
        at += size
    return b"".join(out)


def _walk(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start and end of every chunk up to IEND. Raises AsBytes if one is cut or its CRC is wrong."""
    chunks = []
    kind, at, view = b"", len(SIGNATURE), memoryview(data)
    while kind != b"IEND":
        end = at + _CHUNK + int.from_bytes(data[at : at + 4])
        if len(data) < at + _CHUNK or len(data) < end:
            raise AsBytes("it is broken: it ends early")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise AsBytes("it is broken: the CRC of a chunk is wrong")
        kind = data[at + 4 : at + 8]
        chunks.append((kind, at, end))
        at = end
    return chunks
