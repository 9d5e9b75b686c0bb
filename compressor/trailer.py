"""The end of a member: an index of its frames, which is read backwards.

Read from its last byte to its first, a trailer is

    varint body         bytes of the member before the trailer
    crc32, 4 bytes      of everything else here, low byte first
    entry * (n - 1)     varint size in the file, varint length of content: each frame but the last
    00                  which, read forwards, is the tag that ends the frames

The last frame has no entry: it is what the body has left.
"""

import zlib

from . import varint
from .errors import CorruptError

MAX_FRAMES = 1 << 20
"""Frames in a member; with frames of 16 MiB, 16 TiB."""

CRC_SIZE = 4

Entry = tuple[int, int]
"""Size in the file, length of the content."""


def pack(entries: list[Entry], body: int) -> bytes:
    """The trailer of a member with these frames, all of them, and `body` bytes before the trailer."""
    head = varint.encode(body)
    index = b"".join(varint.encode(size) + varint.encode(length) for size, length in entries[:-1]) + b"\0"
    return (head + _crc(head, index) + index)[::-1]


def unpack(tail: bytes) -> tuple[list[Entry], int, int]:
    """From the last bytes of a member: the entries of all frames but the last, body, size of the trailer.

    Raises TruncatedError if the trailer starts before `tail`, CorruptError if it is damaged.
    """
    text = tail[::-1]
    body, at = varint.decode(text, 0)
    crc, start = text[at : at + CRC_SIZE], at + CRC_SIZE
    entries: list[Entry] = []
    size, end = varint.decode(text, start)
    while size and len(entries) < MAX_FRAMES:
        length, end = varint.decode(text, end)
        entries.append((size, length))
        size, end = varint.decode(text, end)
    if crc != _crc(text[:at], text[start:end]):
        raise CorruptError("the index at the end of the file is damaged: its checksum is wrong")
    return entries, body, end


def _crc(head: bytes, index: bytes) -> bytes:
    return zlib.crc32(index, zlib.crc32(head)).to_bytes(CRC_SIZE, "little")
