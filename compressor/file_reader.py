"""Reading catzip files as file objects: what `catzip.open` returns for rb is a buffer over this.

Nothing is decoded, and no thread begins, before the first read. A child of a fork has no thread: one that reads starts
its own, where the file was.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, cast

from .files.channel import Channel, Worker
from .files.forked import tell_of_forks
from .pipeline import decompress_stream

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .coding.model import ModelSource
    from .format.limits import Limits

BLOCK = 1 << 20
"""Bytes passed over at a time when seeking."""

PATIENCE = 1.0
"""Seconds that closing waits for a thread, which only a pipe that gives nothing can hold up for as long."""


class CatzipReader(io.RawIOBase):
    """Decompresses as it is read. Seeking back starts again from the beginning, as in gzip."""

    def __init__(self, file: io.FileIO, models: ModelSource, repack: bool, limits: Limits | None) -> None:
        self.name = file.name
        self._file, self._models, self._repack, self._limits = file, models, repack, limits
        self._origin = file.tell() if file.seekable() else 0  # standard input may be in the middle of a file
        self._at = 0
        self._running: tuple[Channel, Worker] | None = None
        self._lost = False
        tell_of_forks(self)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: Buffer) -> int:
        """Bytes read, 0 at the end. Raises the errors of decompression where the damage is met, and ValueError for a
        pipe of which the process before a fork has read some."""
        if self._lost:
            raise ValueError(
                f"{self.name} was open before a fork, and a pipe cannot be read anew: open it in the child"
            )
        channel, worker = self._running or self._begin()
        count = channel.readinto(buffer)
        self._at += count
        if not count and len(memoryview(buffer)):
            worker.join()
            if worker.error is not None:
                raise worker.error
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the content; past its end is its end."""
        if whence == io.SEEK_END:
            self._pass_over(None)
        target = max(0, offset + (0 if whence == io.SEEK_SET else self._at))
        if target < self._at:
            self._halt(None)
            self._at = target
        self._pass_over(target - self._at)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._halt(PATIENCE)
            self._file.close()

    def before_fork(self) -> None:
        pass

    def after_fork(self) -> None:
        pass

    def in_child(self) -> None:
        """Go on without the thread and the locks of its channel, which are the parent's."""
        self._lost = self._lost or (self._running is not None and not self.seekable())
        self._running = None

    def _begin(self) -> tuple[Channel, Worker]:
        """Decompress in a thread of its own, and pass over what was read before."""

        channel, models, repack, limits = Channel(), self._models, self._repack, self._limits
        source = cast(
            BinaryIO, io.BufferedReader(_Own(self._file, self._origin)) if self.seekable() else self._file
        )

        def decompress() -> None:
            try:
                decompress_stream(
                    source, channel, models=models, repack=repack, limits=limits, check=channel.look_up
                )
            finally:
                channel.end()

        target, self._at = self._at, 0
        self._running = channel, Worker(decompress)
        self._pass_over(target)
        return self._running

    def _halt(self, seconds: float | None) -> None:
        """Stop the thread, and wait so long for it, or until it ends."""
        if self._running is not None:
            channel, worker = self._running
            channel.stop()
            worker.join(seconds)
            self._running = None

    def _pass_over(self, count: int | None) -> None:
        """Read and forget `count` bytes, or all."""
        while count is None or count > 0:
            block = self.read(BLOCK if count is None else min(BLOCK, count))
            if not block:
                return
            count = None if count is None else count - len(block)


class _Own(io.RawIOBase):
    """A file read from a place of its own, at first `at`: that of the descriptor is shared with other processes."""

    def __init__(self, file: io.FileIO, at: int) -> None:
        self._file = file
        self._at = at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Bytes read, 0 at the end."""
        view = memoryview(buffer).cast("B")
        if not hasattr(os, "pread"):  # nor are there forks
            self._file.seek(self._at)
            count = self._file.readinto(view)
        else:
            data = os.pread(self._file.fileno(), len(view), self._at)
            count = len(data)
            view[:count] = data
        self._at += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: os.fstat(self._file.fileno()).st_size}
        self._at = max(0, bases[whence] + offset)
        return self._at

    def tell(self) -> int:
        return self._at
