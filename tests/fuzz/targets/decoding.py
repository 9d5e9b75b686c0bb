"""Decompression with tiny models: of a whole file, in all the ways there are, which have to agree."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import catzip
from catzip.compressor.errors import CatzipError
from catzip.compressor.pipeline import decompress_stream, list_frames, verify_stream

from .. import archive_mutation, coded
from ..draw import Draw
from ..networks import only, tiny
from ..oracle import expect, outcome

LARGEST = 1 << 16
GOLDEN = Path(__file__).parents[2] / "golden"
MOST = 16 << 20  # bytes of content that are compared; decoding stops there


class Enough(Exception):
    """A sink has as much as it takes."""


class Sink(io.BytesIO):
    """Takes up to `MOST` bytes."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Keep them. Raises Enough."""
        if self.tell() + len(data) > MOST:
            raise Enough
        return super().write(data)


def check(data: bytes) -> None:
    """Raise where decompressing, testing and listing `data` do not agree, or end in something else than an error.

    Each input is decoded twice, in the second of two ways: half of them are tested, half go through `decompress`.
    """
    sink = Sink()
    listing = outcome(list_frames, io.BytesIO(data))
    try:
        report = outcome(decompress_stream, io.BytesIO(data), sink, models=tiny())
    except Enough:
        return
    if zlib.crc32(data) % 2:
        again, same = outcome(verify_stream, io.BytesIO(data), models=tiny()), report
    else:
        with only(tiny()):
            again, same = outcome(catzip.decompress, data), sink.getvalue()
    if isinstance(report, CatzipError):
        expect(type(again) is type(report), "one way refuses what another takes, or for another reason")
        return
    expect(again == same, "two ways to decompress give different results")
    expect(not isinstance(listing, CatzipError), "list refuses what decompress takes")
    assert not isinstance(listing, CatzipError)
    expect(listing.frames == report.frames, "list and decompress see other frames")
    expect(report.content_size == sum(frame.length for frame in report.frames), "lengths do not add up")
    expect(report.outer_size == len(sink.getvalue()), "the reported size is not what came out")


def seeds() -> dict[str, bytes]:
    """Files that are coded with each tiny model, and the golden files that hold no more than a second's work."""
    folders = ("good", "bad", "packing/good", "packing/bad")
    return coded.files() | {
        f"{folder.replace('/', '-')}-{path.stem}": path.read_bytes()
        for folder in folders
        for path in sorted((GOLDEN / folder).glob("*.catz"))
    }


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another file."""
    return archive_mutation.mutate(data, draw, tiny())
