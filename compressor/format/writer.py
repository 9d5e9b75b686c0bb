"""Writes the frames of one member."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from ..coding.model import Plan
from ..errors import CatzipError
from . import trailer
from .container import CHECK_SIZE, HEADER, PACKING, STORED, Body, Frame, Head, checksum, frame_of, piece_head
from .numbers import repacking_of
from .report import Report, Sink

Piece = tuple[int, Iterable[bytes]]
"""Stored content: its length and the blocks that make it up."""


class Choice(NamedTuple):
    """A frame as it will be written: head, payload (empty if stored); `symbols`, `side` and `plan` of `Frame`; the
    work that it takes to decode, of a coded one."""

    head: Head
    payload: bytes = b""
    symbols: int = 0
    side: int = 0
    plan: Plan = ()
    work: int = 0


class Writer:
    """Writes one member to `dst`."""

    def __init__(self, dst: Sink) -> None:
        self._dst = dst
        self._frames: list[Frame] = []
        self._length = 0
        self._at = 0
        self._put(HEADER)

    def pack(self, method: bytes) -> None:
        """Write the frame that says how the content of this member, still to come, is packed."""
        offset, check, head = self._at, checksum(method), Head(PACKING, size=len(method))
        self._put(head.to_bytes() + method + check)
        self._note(head, Body(0, check, packing=repacking_of(method)), offset)

    def write(self, choice: Choice, data: bytes) -> None:
        """Write an xz or coded frame for `data`."""
        offset, check = self._at, checksum(data)
        self._put(choice.head.to_bytes())
        self._put(choice.payload)
        self._put(check)
        self._note(choice.head, Body(len(data), check, choice.symbols, choice.side, choice.plan), offset)

    def store(self, pieces: Iterable[Piece]) -> None:
        """Write a stored frame. `pieces` may read its source as it goes.

        Raises CatzipError if a piece has not the length it states.
        """
        offset, length = self._at, 0
        digest = hashlib.blake2b(digest_size=CHECK_SIZE)
        self._put(Head(STORED).to_bytes())
        for size, blocks in pieces:
            self._put(piece_head(size))
            start = self._at
            for block in blocks:
                self._put(block)
                digest.update(block)
            if self._at - start != size:
                raise CatzipError("the source changed its length while it was read")
            length += size
        self._put(b"\0")
        self._put(digest.digest())
        self._note(Head(STORED), Body(length, digest.digest()), offset)

    def finish(self) -> Report:
        """Write the trailer; what the member has become."""
        self._put(trailer.pack([(frame.size, frame.length) for frame in self._frames], self._at))
        return Report(self._length, self._at, tuple(self._frames))

    def _put(self, data: bytes) -> None:
        self._dst.write(data)
        self._at += len(data)

    def _note(self, head: Head, body: Body, offset: int) -> None:
        if len(self._frames) == trailer.MAX_FRAMES:
            raise CatzipError(f"more than {trailer.MAX_FRAMES} frames: compress with larger frames")
        self._frames.append(frame_of(head, body, offset, self._at - offset, self._length))
        self._length += body.length
