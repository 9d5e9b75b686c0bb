"""Files that pictures are read from and made in, so that none of them has to be held in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from ..format.reader import Reader

if TYPE_CHECKING:
    from typing_extensions import Buffer

SPOOL = 1 << 25
"""Bytes that a spool holds in memory, 32 MiB: what is longer goes to a temporary file."""

BLOCK = 1 << 20
"""Bytes that are read, and written, at a time."""


@dataclass(frozen=True)
class Span:
    """`size` bytes of a file that can seek, from its offset `start` on. Places in it count from there.

    look_up  called at every read; what it raises ends what the span is read for
    """

    file: BinaryIO
    start: int
    size: int
    look_up: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, data: bytes) -> Span:
        """These bytes."""
        return cls(io.BytesIO(data), 0, len(data))

    @classmethod
    def whole(cls, file: BinaryIO, look_up: Callable[[], None] = lambda: None) -> Span:
        """All of a file."""
        return cls(file, 0, file.seek(0, io.SEEK_END), look_up)

    def read(self, at: int, count: int) -> bytes:
        """The `count` bytes from `at` on, fewer at the end."""
        self.look_up()
        count = max(0, min(count, self.size - at))
        self.file.seek(self.start + at)
        return Reader(self.file).up_to(count)

    def blocks(self, at: int, stop: int) -> Iterator[bytes]:
        """The bytes from `at` up to `stop`, a block at a time."""
        for place in range(at, stop, BLOCK):
            yield self.read(place, min(BLOCK, stop - place))

    def rewound(self) -> BinaryIO:
        """The file, standing where the span starts."""
        self.file.seek(self.start)
        return self.file

    def same_as(self, other: Span) -> bool:
        """Whether both hold the same bytes."""
        pairs = zip(self.blocks(0, self.size), other.blocks(0, other.size), strict=False)
        return self.size == other.size and all(one == two for one, two in pairs)


class _Spool(SpooledTemporaryFile[bytes]):
    """It is closed, and gone, when nobody has it any more."""

    def __del__(self) -> None:
        self.close()

    def write(
        self, data: Buffer
    ) -> int:  # in blocks: nothing large is in memory twice when it goes to a file
        whole = memoryview(data).cast("B")
        return sum(super(_Spool, self).write(whole[at : at + BLOCK]) for at in range(0, len(whole), BLOCK))


def spool() -> BinaryIO:
    """A file for what is made, that nobody else sees: in memory while it is short."""
    return cast(BinaryIO, _Spool(max_size=SPOOL))
