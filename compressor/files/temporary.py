"""What a file is until it is whole: without a name where the system has such files, else with one that tells its own.

    .catzip-KEY-HOST-PID-RANDOM.tmp

KEY stands for the name of the target. The process PID on HOST holds a lock on the file while it writes it. What a
process that was killed has left is removed when the same target is written again; see `remove_stale` for what is never
removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import sys
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from .ownership import copy_metadata, narrow
from .streams import Patient

if sys.platform != "win32":
    import fcntl

TOO_YOUNG = 60.0
"""Seconds in which a file may not be locked yet, or a clock be wrong."""

_CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOSED_ON_EXEC | getattr(os, "O_BINARY", 0)
_UNNAMED = getattr(os, "O_TMPFILE", 0)  # Linux
_BLOCK = 1 << 20  # bytes that are copied at a time
_NAME = re.compile(r"\.catzip-(?P<key>[0-9a-f]{8})-(?P<host>.+)-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")


class Temporary:
    """A new file in the folder of `target`, which takes its place or vanishes. `file` is open for writing and reading.

    A process that was forked while it is open leaves it to the one that made it.
    """

    def __init__(self, target: Path, mode: int) -> None:
        remove_stale(target)
        self._target = target
        self._pid = os.getpid()
        self._name: Path | None = None
        descriptor = _unnamed(target.parent, mode)
        if descriptor is None:
            name = _name_for(target)
            descriptor = os.open(name, _NEW, mode)
            self._name = name
        self.file = Patient(descriptor, "r+b")
        _locked(descriptor)

    def appear(self) -> None:
        """Take the name of the target. Raises FileExistsError if that exists."""
        if self._name is None:
            try:
                _link(self.file, self._target)
            except FileExistsError:
                raise
            except OSError:  # it may be that the system cannot do this
                self._named()
            else:
                self.file.close()
                return
        name = self._named()
        self.file.close()
        if _linked(name, self._target):
            name.unlink()
        else:
            os.replace(name, self._target)
        self._name = None

    def replace(self) -> None:
        """Take the place of the target, which is a regular file or not there."""
        name = self._named()
        self.file.close()
        os.replace(name, self._target)
        self._name = None

    def write_through(self) -> None:
        """Write all of this into the target, which keeps its other names.

        This alone can end in the middle of a file. What was to be written then stays; the error tells its name.
        """
        with Patient(self._target, "r+b") as target:
            kept = self._named()
            self._name = None
            try:
                self.file.seek(0)
                _copy(self.file, target)
                target.truncate()
                os.fsync(target.fileno())
            except OSError as error:
                raise OSError(error.errno, f"{error.strerror}; the whole file is {kept}") from error
        self.file.close()
        kept.unlink()

    def discard(self) -> None:
        """Close it, and remove it if it has a name."""
        with suppress(OSError):
            self.file.close()
        if self._name is not None and os.getpid() == self._pid:
            with suppress(OSError):
                self._name.unlink()

    def _named(self) -> Path:
        """Its name; it gets one now, if it had none."""
        if self._name is None:
            name = _name_for(self._target)
            try:
                _link(self.file, name)
            except OSError:
                self._move_to(name)
            self._name = name
        return self._name

    def _move_to(self, name: Path) -> None:
        """Go on as a copy of this name, where a file without one cannot get one."""
        found = os.fstat(self.file.fileno())
        copy = Patient(os.open(name, _NEW, narrow(found.st_mode)), "r+b")
        try:
            self.file.seek(0)
            _copy(self.file, copy)
            copy_metadata(copy.fileno(), found, times=True)
            os.fsync(copy.fileno())
        except BaseException:
            copy.close()
            name.unlink()
            raise
        self.file.close()
        self.file = copy


def remove_stale(target: Path) -> None:
    """Remove what processes of this host that are dead have left of the same target.

    Nothing that is locked, of a living process, of another host, or too young to judge.
    """
    key, host = _key(target), _host()
    for path in _left_behind(target.parent, int(time.monotonic() // TOO_YOUNG)):
        found = _NAME.fullmatch(path.name)
        if found and (found["key"], found["host"]) == (key, host) and _is_dead(int(found["pid"])):
            with suppress(OSError):
                _remove_unlocked(path)


@lru_cache(maxsize=16)
def _left_behind(folder: Path, minute: int) -> list[Path]:
    """Every temporary file in a folder; looked up once a minute, since folders can be large."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.name.startswith(".catzip-")]
    return []


def _is_dead(pid: int) -> bool:
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _remove_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        old = time.time() - found.st_ctime > TOO_YOUNG  # nobody can set this one back
        if stat.S_ISREG(found.st_mode) and old and _locked(descriptor):
            path.unlink()
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Whether the file could be locked: nobody else holds it, and the file system has locks."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unnamed(folder: Path, mode: int) -> int | None:
    """A file without a name that can get one; None where the system or the file system has none such."""
    if not _UNNAMED:
        return None
    try:
        descriptor = os.open(folder, _UNNAMED | os.O_RDWR | _CLOSED_ON_EXEC, mode)
    except OSError:  # whatever else is wrong, a file with a name will meet it, too
        return None
    if os.path.exists(f"/proc/self/fd/{descriptor}"):
        return descriptor
    os.close(descriptor)
    return None


def _link(file: Patient, name: Path) -> None:
    """Give an open file a name. (A link is followed only by a call that names a descriptor.)"""
    os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=file.fileno())


def _linked(name: Path, target: Path) -> bool:
    """Whether a hard link could be made, which never overwrites; FileExistsError if there is a target."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        return False
    return True


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    """Write what `source` still has to `target`."""
    while block := source.read(_BLOCK):
        target.write(block)


def _name_for(target: Path) -> Path:
    """A name beside the target that tells it, this host and this process."""
    return target.with_name(f".catzip-{_key(target)}-{_host()}-{os.getpid()}-{os.urandom(4).hex()}.tmp")


def _key(target: Path) -> str:
    return hashlib.blake2b(os.fsencode(target.name), digest_size=4).hexdigest()


def _host() -> str:
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:64] or "host"
