"""Reads exact counts from a stream, and knows how far it has come."""

from collections.abc import Iterator
from typing import BinaryIO

from ..errors import TruncatedError
from ..files.waiting import read_some
from . import varint

BLOCK = 1 << 20
"""Bytes asked of a stream at a time, so that a damaged length never allocates more than the file delivers."""


class Reader:
    """A stream, read forwards; one that is set not to block is waited for.

    at       the offset of the next byte, counted from where the reader began
    padding  how many zero bytes were found behind the end of the file
    """

    def __init__(self, src: BinaryIO) -> None:
        self._src = src
        self._seekable = src.seekable()
        self._size: int | None = None
        self.at = self.padding = 0

    def up_to(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end of the stream."""
        return b"".join(self._blocks(count))

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises TruncatedError at the end of the stream."""
        return b"".join(self.blocks(count))

    def blocks(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes, a block at a time. Raises TruncatedError at the end of the stream."""
        end = self.at + count
        yield from self._blocks(count)
        if self.at < end:
            raise _truncated(end - self.at, self.at)

    def varint(self) -> int:
        """The next number. Raises TruncatedError or CorruptError."""
        data = b""
        while len(data) < varint.MAX_BYTES and (not data or data[-1] >= 0x80):
            data += self.exactly(1)
        return varint.decode(data, 0)[0]

    def skip(self, count: int) -> None:
        """Pass over `count` bytes, by seeking where the stream can. Raises TruncatedError."""
        if not self._seekable or count <= BLOCK:
            for _ in self.blocks(count):
                pass
            return
        here = self._src.tell()
        missing = here + count - self._end()
        if missing > 0:  # and no file system seeks as far as a damaged length may reach
            raise _truncated(missing, self.at + count - missing)
        self._src.seek(here + count)
        self.at += count

    def _end(self) -> int:
        """The size of the stream, found once."""
        if self._size is None:
            here = self._src.tell()
            self._size = self._src.seek(0, 2)
            self._src.seek(here)
        return self._size

    def _blocks(self, count: int) -> Iterator[bytes]:
        while count:
            block = read_some(self._src, min(count, BLOCK))
            if not block:
                return
            self.at += len(block)
            count -= len(block)
            yield block


class Ahead:
    """A pipe, of which `held` was read already."""

    def __init__(self, held: bytes, src: BinaryIO) -> None:
        self._held = held
        self._src = src

    def seekable(self) -> bool:
        return False

    def read(self, size: int) -> bytes:
        """At most `size` bytes."""
        if not self._held:
            return read_some(self._src, size)
        data, self._held = self._held[:size], self._held[size:]
        return data


def _truncated(missing: int, at: int) -> TruncatedError:
    return TruncatedError(f"the file ends early: {missing} bytes are missing at offset {at}")
