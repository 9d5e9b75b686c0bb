"""Repack methods with content that they may not fit. An input is a varint, a method of that size, and content."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from catzip.compressor.errors import CatzipError
from catzip.compressor.format import numbers, varint
from catzip.compressor.format.container import PACKING, STORED
from catzip.compressor.pipeline import decompress_stream, read_range
from catzip.compressor.recompression.kinds import MAGICS

from ..archive import Archive, Frame, parse
from ..draw import Draw
from ..oracle import expect, outcome
from .decoding import GOLDEN
from .unpacking import NONE

LARGEST = 1 << 16


def check(data: bytes) -> None:
    """Raise where packing does anything but give a picture, or refuse."""
    how, content = _parts(data)
    frames = [Frame(kind, 0, b"", len(of), of, b"") for kind, of in ((PACKING, how), (STORED, content))]
    for frame in frames:
        frame.correct(NONE)
    blob = Archive([frames if content else frames[:1]]).to_bytes()
    for repack in (False, True):
        out = io.BytesIO()
        report = outcome(decompress_stream, io.BytesIO(blob), out, models=NONE, repack=repack)
        if isinstance(report, CatzipError):
            continue
        packed = out.getvalue()
        expect(packed.startswith((b"\x89PNG", b"RIFF")), "what comes out is no picture")
        if how[0] == numbers.PNG_EXACT and not repack:
            promised = hashlib.blake2b(packed, digest_size=8).digest()
            expect(how.endswith(promised), "a picture comes back that is not the one that was promised")


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """Repack method and content."""
    try:
        size, at = varint.decode(data[:4], 0)
    except CatzipError:
        return b"", data
    return data[at : at + size], data[at + size :]


def _joined(how: bytes, content: bytes) -> bytes:
    return varint.encode(len(how)) + how + content


def seeds() -> dict[str, bytes]:
    """How the pictures of golden files are packed, and what they are unpacked to."""
    return {path.stem: _seed(path) for path in sorted((GOLDEN / "packing" / "good").glob("*.catz"))}


def _seed(path: Path) -> bytes:
    blob = path.read_bytes()
    content = read_range(io.BytesIO(blob), 0, 1 << 20, NONE)
    return _joined(parse(blob).frames[0].payload, content)


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another method, or other content."""
    how, content = _parts(data)
    way = draw.random()
    if way < 0.4:
        how = draw.changed(how, 1 << 10)
    elif way < 0.6 and how:
        at = draw.randrange(min(len(how), 8))
        how = how[:at] + bytes([draw.randrange(17)]) + how[at + 1 :]
    elif way < 0.65:
        how = bytes([draw.randrange(5)]) + how[1:]
    elif way < 0.75:
        content = draw.choice(list(MAGICS)) + content[8:]
    elif way < 0.85:
        content = content[:8] + draw.changed(content[8:50], 64) + content[50:]
    else:
        content = draw.changed(content)
    return _joined(how, content)
