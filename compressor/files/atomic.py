"""Files that appear whole or not at all; and devices, pipes and standard streams, which are written to as they are."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .ownership import copy_metadata, narrow
from .streams import Patient, descriptor_of
from .temporary import Temporary


class ResultSink:
    """Where a result goes: `write`, and errors that name the target, never a temporary file.

    file  unbuffered, and one whose `write` writes all
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self._name = name

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        with _naming(self._name):
            return self.file.write(data)

    def finish(self) -> None:
        """Bring everything to the disk, if it goes to one, and close."""
        with _naming(self._name):
            if stat.S_ISREG(os.fstat(self.file.fileno()).st_mode):
                os.fsync(self.file.fileno())
            self.file.close()

    def abandon(self) -> None:
        """Close without a word about what could not be written."""
        with suppress(OSError):
            self.file.close()


def writing(target: Path, *, overwrite: bool) -> AbstractContextManager[ResultSink]:
    """A sink for `target`, whatever that is: see `as_it_is` and `replacing`."""
    file = as_it_is(target)
    return replacing(target, overwrite=overwrite) if file is None else in_place(ResultSink(file, str(target)))


def write_whole(target: Path, text: str) -> None:
    """Write a text, in UTF-8, over whatever `target` was: a reader never sees half of it."""
    with writing(target, overwrite=True) as sink:
        sink.write(text.encode())


def as_it_is(target: Path) -> Patient | None:
    """What nothing can replace, open for writing: a device, a pipe, or a name of an open descriptor; else None."""
    descriptor = descriptor_of(target)
    if descriptor is not None:
        return Patient(descriptor, "wb", closefd=False)
    if not target.exists() or target.is_file() or target.is_dir():
        return None
    return Patient(target, "wb", opener=_existing)


def _existing(path: str, flags: int) -> int:
    """Open what is there, making nothing."""
    return os.open(path, flags & ~(os.O_CREAT | os.O_TRUNC))


@contextmanager
def in_place(sink: ResultSink) -> Iterator[ResultSink]:
    """The sink, closed at the end; what was written before an exception stays written."""
    try:
        yield sink
        sink.finish()
    finally:
        sink.abandon()


@contextmanager
def replacing(target: Path, *, overwrite: bool, like: os.stat_result | None = None) -> Iterator[ResultSink]:
    """A new file that takes the place of `target` when the block ends, and vanishes if the block raises.

    It can be read back before that through `sink.file`. What a symbolic link leads to is replaced, not the link.

    like  whose owner, group, permissions and times it gets. Without it, it has those, but not the times, of what it
          replaces; and if that has several names, all of them have the new content.

    Raises FileExistsError at the end, if a target appeared meanwhile and `overwrite` is not set; other errors of the
    system, with its name, where the target is no file or cannot be written.
    """
    name, target = str(target), Path(os.path.realpath(target))
    there = _found(target)
    before = like or there
    with _naming(name):
        if overwrite:
            _check_file(there)
        temporary = Temporary(target, 0o666 if before is None else narrow(before.st_mode))
    try:
        yield ResultSink(temporary.file, name)
        with _naming(name):
            there = _found(target)
            kept = like or there or before
            if kept is not None:
                copy_metadata(temporary.file.fileno(), kept, times=like is not None)
            os.fsync(temporary.file.fileno())
            _move(temporary, there, overwrite, through=like is None)
            _flush_folder(target.parent)
    finally:
        temporary.discard()


def _move(temporary: Temporary, there: os.stat_result | None, overwrite: bool, through: bool) -> None:
    """Give the file its name, where `there` stands now."""
    if not overwrite:
        temporary.appear()
        return
    _check_file(there)
    if through and there is not None and there.st_nlink > 1:
        temporary.write_through()
    else:
        temporary.replace()


def _check_file(there: os.stat_result | None) -> None:
    """Raise an error where the target is no file, over which nothing is moved."""
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise OSError(errno.EINVAL, "is no regular file, and not replaced")


def _found(target: Path) -> os.stat_result | None:
    """What stands under a name, if anything does."""
    with suppress(OSError):
        return os.lstat(target)
    return None


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot flush a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Have OSErrors name the file that the user knows. A closed pipe passes as it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error
