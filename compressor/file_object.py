"""File objects over catzip files: what `catzip.open` returns.

The pipeline pulls from a source and pushes to a sink, and so does the program that uses a file object; the
pipeline therefore runs in a thread of its own, with a channel between the two.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import sys
import threading
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast
from weakref import WeakSet

from .escaping import printable
from .file_reader import CatzipReader
from .files.atomic import ResultSink, writing
from .files.channel import Channel, Stopped, Worker
from .files.forked import tell_of_forks
from .files.streams import reading
from .pipeline import compress_stream

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .coding.model import ModelSource
    from .format.limits import Limits

_open: WeakSet[CatzipReader | CatzipWriter] = WeakSet()


def open_file(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    mode: str,
    model: str | None,
    models: ModelSource,
    steps: int | None = None,
    byte_exact: bool = True,
    repack: bool = False,
    limits: Limits | None = None,
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
        reader = CatzipReader(reading(place), models, repack, limits)
        _open.add(reader)
        return io.BufferedReader(reader)
    if mode not in ("wb", "xb"):
        raise ValueError(f"mode {mode!r}: rb, wb, xb and, for text, rt, wt, xt are possible")
    if repack:
        raise ValueError("pictures are packed anew when reading")
    if limits is not None:
        raise ValueError("max_size and memlimit go with reading")
    if steps is not None and model is None:
        raise ValueError("a number of steps goes with the name of a model")
    if model is not None:
        models.by_name(model).plan(1, steps)
    if mode == "xb" and os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    target = ExitStack()
    sink = target.enter_context(writing(place, overwrite=mode == "wb"))
    try:
        return CatzipWriter(str(place), target, sink, models, model, steps, byte_exact)
    except BaseException:  # there may be no thread for it
        target.__exit__(*sys.exc_info())
        raise


class CatzipWriter(io.BufferedIOBase):
    """Compresses as it is written to. What goes wrong is raised by a later `write` or by `close`.

    In the child of a fork nothing can be written to it, and its end there changes nothing.
    """

    def __init__(
        self,
        name: str,
        target: ExitStack,
        sink: ResultSink,
        models: ModelSource,
        model: str | None,
        steps: int | None,
        byte_exact: bool,
    ) -> None:
        self.name = name
        self._written = 0
        self._target, self._sink = target, sink
        self._owned = True  # by this process: not in a child of a fork
        self._writing = threading.Lock()
        self._channel = channel = Channel()
        guarded = _Guarded(sink, self._writing)

        def compress() -> None:
            try:
                source = cast(BinaryIO, channel)
                compress_stream(
                    source,
                    guarded,
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
        tell_of_forks(self)

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        """Write all of `data`; its length in bytes."""
        if self.closed:
            raise ValueError("write to a closed file")
        if not self._owned:
            raise ValueError(
                f"{self.name} was open before a fork: it is for the process that opened it. Write to another file"
            )
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
        if self._owned:
            self._channel.end()
        self._end(None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not self._owned:
            self.close()
        else:
            self._channel.stop()
            self._end(error)

    def before_fork(self) -> None:
        """Wait until no thread is amid a write to the file; one that a pipe keeps waiting is not waited for."""
        self._held = self._writing.acquire(timeout=1)

    def after_fork(self) -> None:
        if self._held:
            self._writing.release()

    def in_child(self) -> None:
        """Leave the file to the parent: what its buffer holds must not be written twice, nor the file removed."""
        if self.closed or not self._owned:
            return
        self._owned = False
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self._sink.file.fileno(), inheritable=False)
        os.close(nowhere)

    def give_up(self) -> None:
        """End a file that the program has not closed when it ends: what was there stays there, with a warning."""
        if self.closed or not self._owned:
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
        if not self._owned:
            return
        try:
            self._worker.join()
        except BaseException as interruption:  # of the wait, by a signal
            self._channel.stop()
            error = interruption
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


class _Guarded:
    """A sink that is written to under a lock."""

    def __init__(self, sink: ResultSink, lock: threading.Lock) -> None:
        self._sink, self._lock = sink, lock

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        with self._lock:
            return self._sink.write(data)


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
