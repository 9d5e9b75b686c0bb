"""Parts of the content: by the index, and by seeking in file objects. An input is 6 bytes for which, and a file."""

from __future__ import annotations

import io

import catzip
from catzip.compressor.errors import CatzipError
from catzip.compressor.pipeline import list_frames, read_range

from .. import archive_mutation
from ..draw import Draw
from ..networks import only, tiny
from ..oracle import expect, outcome
from ..scratch import written
from . import decoding

LARGEST = decoding.LARGEST
_HALF = 3  # bytes of each number


def check(data: bytes) -> None:
    """Raise where a part of the content is not that part of what decompressing gives."""
    numbers, blob = data[: 2 * _HALF], data[2 * _HALF :]
    start, length = (int.from_bytes(half, "little") for half in (numbers[:_HALF], numbers[_HALF:]))
    listing = outcome(list_frames, io.BytesIO(blob))
    if isinstance(listing, CatzipError):  # found by its index, if that is sound, all the same
        outcome(read_range, io.BytesIO(blob), start, 1 << 16, tiny())
        return
    if listing.content_size > decoding.MOST:
        return
    whole = outcome(read_range, io.BytesIO(blob), 0, 1 << 40, tiny())
    part = outcome(read_range, io.BytesIO(blob), start % (listing.content_size + 3), length, tiny())
    if isinstance(whole, CatzipError):
        if not _is_packed(blob):
            with only(tiny()):
                content = outcome(catzip.decompress, blob)
            expect(isinstance(content, CatzipError), "decompress takes a file that has no ranges")
        return
    start %= listing.content_size + 3
    expect(len(whole) == listing.content_size, "a range is not as long as what is listed")
    expect(part == whole[start : start + length], "a range is not the part of the content that it should be")
    _compare_with_file(blob, whole, start, length)


def _compare_with_file(blob: bytes, whole: bytes, start: int, length: int) -> None:
    """Seek in a file object, and read the same."""

    with only(tiny()), catzip.open(written("part.catz", blob)) as file:
        content = outcome(file.read)
        if isinstance(content, CatzipError):
            expect(_is_packed(blob), "a file object refuses what ranges are read of")
            return
        outcome(file.seek, start)
        part = outcome(file.read, length)
    expect(part == content[start : start + length], "seeking and reading give different bytes")
    expect(content == whole or _is_packed(blob), "a file object gives other bytes than a range")


def _is_packed(blob: bytes) -> bool:
    """Whether there is a picture in it, of which ranges see what it was unpacked to."""
    return any(frame.kind == "packing" for frame in list_frames(io.BytesIO(blob)).frames)


def seeds() -> dict[str, bytes]:
    """Files, each with some range."""
    found = decoding.seeds()
    return {
        name: (7 * i).to_bytes(_HALF, "little") + (40 * i).to_bytes(_HALF, "little") + blob
        for i, (name, blob) in enumerate(found.items())
    }


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another range, or another file."""
    numbers, blob = data[: 2 * _HALF].ljust(2 * _HALF, b"\0"), data[2 * _HALF :]
    if draw.chance(0.3):
        return (
            draw.choice(((draw.number(300) & 0xFFFFFF).to_bytes(_HALF, "little"), b"\0\0\0"))
            + draw.choice((numbers[_HALF:], (draw.number(300) & 0xFFFFFF).to_bytes(_HALF, "little")))
            + blob
        )
    return numbers + archive_mutation.mutate(blob, draw, tiny())
