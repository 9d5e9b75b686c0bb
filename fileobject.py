"""File objects over catzip files: what `catzip.open` returns.

The pipeline pulls from a source and pushes to a sink, and so does the program that uses a file object; the
pipeline therefore runs in a thread of its own, with a channel between the two.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast
from weakref import WeakSet

from .atomic import Sink, writing
from .channel import Channel, Stopped, Worker
from .escaping import printable
from .streams import reading

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .compressor.model import ModelSource

_open: WeakSet[CatzipReader | CatzipWriter] = WeakSet()

BLOCK = 1 << 20
"""Bytes passed over at a time when seeking."""


def open_file(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    mode: str,
    model: str | None,
    models: ModelSource,
    steps: int | None = None,
    byte_exact: bool = True,
    repack: bool = False,
) -> io.BufferedReader | CatzipWriter:
    """A file object for rb, wb or xb, which r, w and x mean too (see `catzip.open`).

    What a symbolic link leads to is replaced, not the link; a device, a pipe, or a standard stream by a name such as
    /dev/stdout, is written to, and read, as it is. What replaces a file has its owner, group and permissions, as far
    as the system allows; a file with several hard links is written to once all is there, and so keeps them.
    Raises ValueError, OSError, ModelNotFoundError, ModelMismatchError.
    """
    place = Path(os.fsdecode(path))
    mode = f"{mode}b" if mode in ("r", "w", "x") else mode
    if mode == "rb":
        if model is not None or steps is not None:
            raise ValueError("a model is chosen when writing; a file that is read names its own")
        return io.BufferedReader(CatzipReader(reading(place), models, repack))
    if mode not in ("wb", "xb"):
        raise ValueError(f"mode {mode!r}: rb, wb, xb and, for text, rt, wt, xt are possible")
    if repack:
        raise ValueError("pictures are packed anew when reading")
    if steps is not None and model is None:
        raise ValueError("a number of steps goes with the name of a model")
    if model is not None:
        models.by_name(model).plan(1, steps)
    if mode == "xb" and os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    target = ExitStack()
    sink = target.enter_context(writing(place, overwrite=mode == "wb"))
    return CatzipWriter(str(place), target, sink, models, model, steps, byte_exact)


class CatzipReader(io.RawIOBase):
    """Decompresses as it is read. Seeking back starts again from the beginning, as in gzip."""

    def __init__(self, file: BinaryIO, models: ModelSource, repack: bool) -> None:
        self.name = file.name
        self._file = file
        self._models = models
        self._repack = repack
        self._origin = file.tell() if file.seekable() else 0  # standard input may be in the middle of a file
        self._begin()
        _open.add(self)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: Buffer) -> int:
        """Bytes read, 0 at the end. Raises the errors of decompression where the damage is met."""
        count = self._channel.readinto(buffer)
        self._at += count
        if not count and len(memoryview(buffer)):
            self._worker.join()
            if self._worker.error is not None:
                raise self._worker.error
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the content; past its end is its end."""
        if whence == io.SEEK_END:
            self._pass_over(None)
        target = max(0, offset + (0 if whence == io.SEEK_SET else self._at))
        if target < self._at:
            self._halt()
            self._begin()
        self._pass_over(target - self._at)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._halt()
            self._file.close()

    def _begin(self) -> None:
        if self.seekable():
            self._file.seek(self._origin)
        self._at = 0
        self._channel = Channel()
        self._worker = Worker(self._decompress)

    def _halt(self) -> None:
        self._channel.stop()
        self._worker.join()

    def _pass_over(self, count: int | None) -> None:
        """Read and forget `count` bytes, or all."""
        while count is None or count > 0:
            block = self.read(BLOCK if count is None else min(BLOCK, count))
            if not block:
                return
            count = None if count is None else count - len(block)

    def _decompress(self) -> None:
        from .compressor.pipeline import decompress_stream

        channel = self._channel
        try:
            decompress_stream(
                self._file, channel, models=self._models, progress=channel.check, repack=self._repack
            )
        finally:
            channel.end()


class CatzipWriter(io.BufferedIOBase):
    """Compresses as it is written to. What goes wrong is raised by a later `write` or by `close`."""

    def __init__(
        self,
        name: str,
        target: ExitStack,
        sink: Sink,
        models: ModelSource,
        model: str | None,
        steps: int | None,
        byte_exact: bool,
    ) -> None:
        self.name = name
        self._written = 0
        self._target = target
        self._channel = channel = Channel()

        def compress() -> None:
            from .compressor.pipeline import compress_stream

            try:
                source = cast(BinaryIO, channel)
                compress_stream(
                    source,
                    sink,
                    models=models,
                    model=model,
                    steps=steps,
                    progress=channel.check,
                    byte_exact=byte_exact,
                )
            finally:
                channel.stop()

        self._worker = Worker(compress)
        _open.add(self)

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        """Write all of `data`; its length in bytes."""
        if self.closed:
            raise ValueError("write to a closed file")
        try:
            count = self._channel.write(data)
        except Stopped:
            self.close()  # raises why
            raise
        self._written += count
        return count

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def close(self) -> None:
        """Finish the file and give it its name."""
        self._channel.end()
        self._end(None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._channel.stop()
            self._end(error)

    def give_up(self) -> None:
        """Where the program ends and has not closed the file: what was there stays there, with a warning."""
        if self.closed:
            return
        self._channel.stop()
        with suppress(Stopped):
            self._end(Stopped())
        name = printable(self.name)
        warnings.warn(f"{name} was never closed, so nothing was written", RuntimeWarning, stacklevel=1)

    def _end(self, error: BaseException | None) -> None:
        """Wait for the thread; keep the file if neither it nor the caller met an error."""
        if self.closed:
            return
        super().close()
        self._worker.join()
        failure = error or self._worker.error
        if failure is None and not self._worker.finished:  # as where the interpreter has ended its thread
            failure = Stopped()
        if failure is not None:
            self._discard(failure)
        self._target.close()

    def _discard(self, failure: BaseException) -> None:
        """Unwind the target as if `failure` had been raised while it was open, and raise it."""
        with self._target:
            raise failure


@atexit.register
def _leave() -> None:
    """End what was never closed while there are threads to end: Python stops them anywhere, and then closes files."""
    for file in list(_open):
        if isinstance(file, CatzipWriter):
            file.give_up()
        else:
            file.close()


class TextFile(io.TextIOWrapper):
    """Text over a catzip file. An exception in the `with` block discards what is written, as in binary modes."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and isinstance(self.buffer, CatzipWriter):
            self.buffer.__exit__(kind, error, trace)
        else:
            self.close()
