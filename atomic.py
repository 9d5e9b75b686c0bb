"""Files that appear whole or not at all: written beside the target, flushed, moved into place at once."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Not every system has O_CLOEXEC, or needs O_BINARY.
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Sink:
    """Where a result goes: `write`, and errors that name the target, never a temporary file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self._name = name

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        with _naming(self._name):
            return self.file.write(data)

    def finish(self, like: os.stat_result | None = None) -> None:
        """Bring everything to the disk, with the owner, permissions and times of `like`."""
        with _naming(self._name):
            self.file.flush()
            if like is not None:
                _copy_metadata(self.file.fileno(), like)
            if stat.S_ISREG(os.fstat(self.file.fileno()).st_mode):
                os.fsync(self.file.fileno())
            self.file.close()

    def abandon(self) -> None:
        """Close without a word about what could not be written."""
        with suppress(OSError):
            self.file.close()


def is_written_in_place(target: Path) -> bool:
    """Whether it is a device or a pipe, which nothing can replace."""
    return target.exists() and not target.is_file() and not target.is_dir()


@contextmanager
def in_place(sink: Sink) -> Iterator[Sink]:
    """The sink, closed at the end; what was written before an exception stays written."""
    try:
        yield sink
        sink.finish()
    finally:
        sink.abandon()


@contextmanager
def replacing(target: Path, *, overwrite: bool, like: os.stat_result | None = None) -> Iterator[Sink]:
    """A new file that takes the place of `target` when the block ends, and vanishes if the block raises.

    It can be read back before that through `sink.file`. `like`: whose permissions and times it gets. Raises
    FileExistsError at the end, if a target appeared meanwhile and `overwrite` is not set.
    """
    temporary = target.with_name(f".catzip-{os.urandom(6).hex()}.tmp")
    sink, owner = None, os.getpid()
    try:
        with _naming(str(target)):
            # What comes from a private file stays private while it is written.
            mode = 0o666 if like is None else 0o600
            descriptor = os.open(temporary, _NEW, mode)
        sink = Sink(open(descriptor, "w+b"), str(target))
        yield sink
        sink.finish(like)
        with _naming(str(target)):
            _move(temporary, target, overwrite)
    except BaseException:
        if os.getpid() != owner:  # the end of a child of a fork, which has copies of all that was open
            raise
        if sink is not None:
            sink.abandon()
        with suppress(OSError):  # it was not made, or is gone
            temporary.unlink()
        raise


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """OSErrors name the file that the user knows. A closed pipe passes as it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def _move(temporary: Path, target: Path, overwrite: bool) -> None:
    """Rename; without `overwrite` by a hard link, which never overwrites, where the file system has them."""
    if overwrite or not _linked(temporary, target):
        os.replace(temporary, target)
    else:
        temporary.unlink()
    with suppress(OSError):  # some file systems cannot flush a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _linked(temporary: Path, target: Path) -> bool:
    """Whether a hard link could be made; FileExistsError if there is a target."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        return False
    return True


def _copy_metadata(descriptor: int, like: os.stat_result) -> None:
    """Owner where allowed, permissions, times: what of these the system can set."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(descriptor, like.st_uid, like.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & 0o777)
    if os.utime in os.supports_fd:
        os.utime(descriptor, ns=(like.st_atime_ns, like.st_mtime_ns))
