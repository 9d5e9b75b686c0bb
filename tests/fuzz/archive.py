"""Catzip files taken apart, as far as they can be read, and put together again with right sizes, checks and indexes."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from unittest.mock import patch

from catzip.compressor import decompress as decoder
from catzip.compressor.coding.model import ModelSource
from catzip.compressor.errors import CatzipError
from catzip.compressor.format import container, payload, trailer, varint
from catzip.compressor.format.container import CODED, END, HEADER, PACKING, STORED, Head
from catzip.compressor.format.reader import Reader
from catzip.compressor.pipeline import decompress_stream

_DECODED = 1 << 11  # bytes of content of a frame that is decoded to find its check


@dataclass
class Frame:
    """A frame. What `stated` has (length or size of the payload) is written in place of what is true."""

    kind: int
    wire: int
    fingerprint: bytes
    length: int
    payload: bytes
    check: bytes
    stated: dict[str, int] = field(default_factory=dict)

    def head(self) -> bytes:
        """The bytes before the payload, or before the first piece."""
        tag = bytes([self.wire << 4 | self.kind]) + (self.fingerprint if self.kind == CODED else b"")
        length = varint.encode(self.stated.get("length", self.length))
        size = varint.encode(self.stated.get("size", len(self.payload)))
        return tag if self.kind == STORED else tag + (b"" if self.kind == PACKING else length) + size

    def to_bytes(self) -> bytes:
        """The frame as it stands in a file."""
        content = self.payload
        if self.kind == STORED:
            content = container.piece_head(len(content)) + content + b"\0" if content else b"\0"
        return self.head() + content + self.check

    def correct(self, models: ModelSource) -> None:
        """Give it the check that a decoder compares with, if there is such a thing."""
        if self.kind in (STORED, PACKING):
            self.check = container.checksum(self.payload)
        elif self.length <= _DECODED:
            self.check = _check_of(Archive([[self]]).to_bytes(), models) or self.check


def _check_of(alone: bytes, models: ModelSource) -> bytes | None:
    """The check of the frame of this file, by decoding it; None if it does not decode."""
    found = []

    def checksum(data: bytes) -> bytes:
        found.append(container.checksum(data))
        return found[-1]

    with (
        patch.object(decoder, "checksum", checksum),
        suppress(Exception),
    ):  # errors are for the target to find
        decompress_stream(io.BytesIO(alone), io.BytesIO(), models=models)
    return found[-1] if found else None


@dataclass
class Archive:
    """Members, each a list of frames, and what stands behind them that could not be read."""

    members: list[list[Frame]]
    rest: bytes = b""

    @property
    def frames(self) -> list[Frame]:
        """All frames."""
        return [frame for member in self.members for frame in member]

    def to_bytes(self) -> bytes:
        """The file, with a right index behind each member."""
        return b"".join(map(_member, self.members)) + self.rest


def _member(frames: list[Frame]) -> bytes:
    parts = [frame.to_bytes() for frame in frames]
    lengths = [
        0 if frame.kind == PACKING else len(frame.payload) if frame.kind == STORED else frame.length
        for frame in frames
    ]
    body = HEADER + b"".join(parts)
    return body + trailer.pack(list(zip(map(len, parts), lengths, strict=True)), len(body))


def parse(blob: bytes) -> Archive:
    """What can be read of a file; nothing is checked."""
    members, at = [], 0
    while blob.startswith(HEADER, at):
        origin, frames, entries = at, [], []
        at += len(HEADER)
        while (found := _frame(blob[at:])) is not None:
            frame, size = found
            frames.append(frame)
            entries.append((size, 0 if frame.kind in (PACKING, END) else frame.length))
            at += size
        if at == len(blob) or blob[at] != END:
            return Archive([*members, frames], blob[at:])
        members.append(frames)
        at += len(trailer.pack(entries, at - origin))
    return Archive(members, blob[at:])


def _frame(data: bytes) -> tuple[Frame, int] | None:
    """The frame that `data` begins with, and its bytes; None at an end, and where it cannot be read."""
    reader = Reader(io.BytesIO(data))
    try:
        head = container.read_head(reader)
        if head is None:
            return None
        content = _content(reader, head)
        check = reader.exactly(container.CHECK_SIZE)
    except CatzipError:
        return None
    length = len(content) if head.kind == STORED else head.length
    return Frame(head.kind, data[0] >> 4, head.fingerprint or b"", length, content, check), reader.at


def _content(reader: Reader, head: Head) -> bytes:
    """The payload of a frame, or the content of a stored one."""
    if head.kind != STORED:
        return reader.exactly(head.size)
    return b"".join(reader.exactly(size) for size in container.stored_pieces(reader))


@dataclass
class Coded:
    """The payload of a coded frame in its parts. `side_length` is what is stated."""

    plan: list[int]
    lost: int
    side_length: int
    side: bytes
    segments: list[bytes]

    @classmethod
    def of(cls, data: bytes, length: int, models: ModelSource, fingerprint: bytes) -> Coded | None:
        """The parts; None where there are no such."""
        try:
            front = payload.unpack_front(data, length)
            model = models.by_fingerprint(fingerprint)
            count = len(model.segment_sizes(front.symbols, front.plan)) if length <= _DECODED else 1
        except Exception:  # a plan that is no good, or worse: the target is to see it
            return None
        side = data[front.side_start : front.end]
        segments = _segments(data[front.end :], count)
        return cls(list(front.plan), length - front.symbols, front.side_length, side, segments)

    def to_bytes(self) -> bytes:
        """The payload."""
        numbers = (len(self.plan), *self.plan, self.lost, self.side_length)
        front = b"".join(map(varint.encode, numbers))
        front += varint.encode(len(self.side)) + self.side if self.side_length else b""
        return front + (payload.pack_stacks(self.segments) if self.segments else b"")


def _segments(data: bytes, count: int) -> list[bytes]:
    """Its segments, as many as can be read."""
    found, at = [], 0
    for _ in range(count - 1):
        try:
            size, at = varint.decode(data, at)
        except CatzipError:
            break
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]]
