"""Changes to catzip files that leave most of them readable up to the place of the change."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from typing import Any

from catzip.compressor.errors import CatzipError
from catzip.compressor.format import lzma2, numbers
from catzip.compressor.format.container import CODED, MAX_FRAME, PACKING, STORED, XZ
from catzip.compressor.pipeline import compress_stream, decompress_stream

from .archive import Archive, Coded, Frame, parse
from .draw import Draw

_CONTENT = 1 << 12  # bytes that are coded anew


def mutate(blob: bytes, draw: Draw, models: Any, coding: bool = True) -> bytes:
    """Another file like this one.

    coding  whether frames may be decoded here, for their checks, and content be coded anew
    """
    if draw.chance(0.1):
        return draw.changed(blob)
    if coding and draw.chance(0.06):
        return _anew(blob, draw, models)
    archive = parse(blob)
    if not archive.members:
        return draw.changed(blob)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        _change(archive, draw, models, coding)
    return archive.to_bytes()


def _change(archive: Archive, draw: Draw, models: Any, coding: bool) -> None:
    """One change, to a frame or to how frames lie."""
    if not archive.frames or draw.chance(0.15):
        _shuffle(archive, draw)
        return
    frame = draw.choice(archive.frames)
    if draw.chance(0.1):
        frame.check = draw.randbytes(8)
        return
    _change_frame(frame, draw, models)
    if (coding and draw.chance(0.9)) or frame.kind in (STORED, PACKING):
        frame.correct(models)


def _shuffle(archive: Archive, draw: Draw) -> None:
    """Put in, take out, repeat or move frames and members; change what is behind them."""
    member = draw.choice(archive.members)
    way = draw.randrange(6)
    if way == 0 and member:
        member.insert(draw.randrange(len(member) + 1), draw.choice(archive.frames))
    elif way == 1 and member:
        member.pop(draw.randrange(len(member)))
    elif way == 2:
        member.insert(draw.randrange(len(member) + 1), _new_frame(draw))
    elif way == 3 and len(archive.members) < 8:
        archive.members.insert(draw.randrange(len(archive.members) + 1), list(member))
    elif way == 4:
        draw.shuffle(member)
    else:
        archive.rest = draw.choice((b"", b"\0", b"\0" * 512, b"\x89CZ\r\n\1", draw.randbytes(9)))


def _new_frame(draw: Draw) -> Frame:
    """A small frame that is sound by itself."""
    content = bytes(draw.choices(b"ab\0", k=draw.choice((1, 40, 300))))
    kind = draw.choice((STORED, XZ, PACKING))
    if kind == PACKING:
        content = bytes([draw.randrange(4)]) + draw.choice((b"", content))
    packed = lzma2.compress(content) if kind == XZ else content
    frame = Frame(kind, 0, b"", len(content), packed, bytes(8))
    frame.correct(None)  # type: ignore[arg-type]
    return frame


def _change_frame(frame: Frame, draw: Draw, models: Any) -> None:
    """Change what one frame holds or states."""
    way = draw.random()
    if way < 0.08:
        frame.kind, frame.wire = (
            draw.choice((STORED, XZ, CODED, PACKING)),
            draw.choice((0, 0, 1, 2, 3, 4, 15)),
        )
        frame.fingerprint = frame.fingerprint or draw.choice(models.models).fingerprint
    elif way < 0.1:
        _claim_more(frame, draw, models)
    elif way < 0.2:
        frame.length = draw.number(frame.length)
    elif way < 0.25:
        what, true = draw.choice((("length", frame.length), ("size", len(frame.payload))))
        frame.stated[what] = draw.number(true)
    elif way < 0.3 and frame.kind == CODED:
        model = draw.choice(models.models)
        frame.fingerprint, frame.wire = model.fingerprint, numbers.MEDIA[model.medium]
    elif frame.kind == CODED and way < 0.95:
        parts = Coded.of(frame.payload, frame.length, models, frame.fingerprint)
        frame.payload = draw.changed(frame.payload) if parts is None else _changed_parts(parts, draw)
    else:
        frame.payload = draw.changed(frame.payload)


def _claim_more(frame: Frame, draw: Draw, models: Any) -> None:
    """Have the payload stand for many times as much content, cut as the model likes, most segments being empty."""
    parts = Coded.of(frame.payload, frame.length, models, frame.fingerprint)
    frame.length = min(frame.length << draw.randrange(1, 21), MAX_FRAME)
    if parts is None:
        return
    model, count = models.by_fingerprint(frame.fingerprint), frame.length - parts.lost
    shape: tuple[int, ...] = ()
    if model.medium == "image":
        width, channels = (parts.plan[0], 3) if len(parts.plan) > 1 else (1, 1)
        shape = (count // max(1, width * channels), width, channels)
        frame.length, count = parts.lost + math.prod(shape), math.prod(shape)
    with suppress(Exception):  # where a model cannot plan so much
        parts.plan = list(model.plan(count, shape=shape))
        wanted = len(model.segment_sizes(count, tuple(parts.plan)))
        parts.segments = [*parts.segments[:-1], *[b""] * (wanted - len(parts.segments)), parts.segments[-1]]
        frame.payload = parts.to_bytes()


def _changed_parts(parts: Coded, draw: Draw) -> bytes:
    """The payload of a coded frame with one part changed."""
    way = draw.random()
    if way < 0.3 and parts.plan:
        at = draw.randrange(len(parts.plan))
        parts.plan[at] = draw.number(parts.plan[at])
    elif way < 0.35:
        parts.plan = draw.choice(([], parts.plan[:-1], [*parts.plan, draw.number(1)], parts.plan * 2))
    elif way < 0.45:
        parts.lost = draw.number(parts.lost)
    elif way < 0.65 and parts.side_length:
        whole = len(parts.side) == parts.side_length
        parts.side = draw.changed(parts.side)
        parts.side_length = len(parts.side) if whole and draw.chance(0.9) else parts.side_length
    elif way < 0.7:
        parts.side_length = draw.number(parts.side_length)
    elif way < 0.75 and parts.segments:
        parts.segments.insert(0, draw.choice(parts.segments))
    elif parts.segments:
        at = draw.randrange(len(parts.segments))
        parts.segments[at] = draw.changed(parts.segments[at])
    return parts.to_bytes()


def _anew(blob: bytes, draw: Draw, models: Any) -> bytes:
    """The content, changed, as any of the models codes it."""
    content = io.BytesIO()
    try:
        decompress_stream(io.BytesIO(blob), content, models=models, repack=True)
    except Exception:
        return draw.changed(blob)
    changed, out = draw.changed(content.getvalue()[:_CONTENT], _CONTENT), io.BytesIO()
    name, frame_size = draw.choice(models.names()), draw.choice((100, 700, 1 << 24))
    try:
        compress_stream(io.BytesIO(changed), out, models=models, model=name, frame_size=frame_size)
    except CatzipError:  # content that this model does not code
        out = io.BytesIO()
        compress_stream(io.BytesIO(changed), out, models=models, frame_size=frame_size, byte_exact=False)
    return out.getvalue()
