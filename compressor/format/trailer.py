"""The end of a member: an index of its frames, which is read backwards.

Read from its last byte to its first, a trailer is

    varint body         bytes of the member before the trailer
    crc32, 4 bytes      of everything else here and the length of all content, low byte first
    entry * (n - 1)     varint size in the file, varint length of content: each frame but the last
    00                  which, read forwards, is the tag that ends the frames

The last frame has no entry: it is what the body has left.
"""

import zlib

from . import varint

MAX_FRAMES = 1 << 20
"""Frames in a member; with frames of 16 MiB, 16 TiB."""

CRC_SIZE = 4

Entry = tuple[int, int]
"""Size in the file, length of the content."""


def pack(entries: list[Entry], body: int) -> bytes:
    """The trailer of a member with these frames, all of them, and `body` bytes before the trailer."""
    head = varint.encode(body)
    index = b"".join(varint.encode(size) + varint.encode(length) for size, length in entries[:-1]) + b"\0"
    content = varint.encode(sum(length for _, length in entries))
    crc = zlib.crc32(head + index + content).to_bytes(CRC_SIZE, "little")
    return (head + crc + index)[::-1]


def unpack(tail: bytes) -> tuple[list[Entry], int, int]:
    """What the last bytes of a member tell: the entries of all frames but the last, body, size of the trailer.

    Nothing is checked yet: find the last frame and compare with `pack`. Raises TruncatedError if the trailer
    starts before `tail`, CorruptError if this is none.
    """
    text = tail[::-1]
    body, at = varint.decode(text, 0)
    entries: list[Entry] = []
    size, at = varint.decode(text, at + CRC_SIZE)
    while size and len(entries) < MAX_FRAMES:
        length, at = varint.decode(text, at)
        entries.append((size, length))
        size, at = varint.decode(text, at)
    return entries, body, at
