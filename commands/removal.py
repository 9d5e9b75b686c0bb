"""What --rm removes: nothing but the very file that was read, as it was when it was read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from .messages import Refusal

_SPECIAL = ((stat.S_ISUID, "setuid"), (stat.S_ISGID, "setgid"), (stat.S_ISVTX, "sticky"))


def check_removable(name: str, force: bool) -> None:
    """Refuse, before the work, what --rm is not for. With `force` a file may have more names, or such bits."""
    found = os.stat(name)
    if not stat.S_ISREG(found.st_mode):
        what = "a pipe" if stat.S_ISFIFO(found.st_mode) else "not a file"
        raise Refusal(f"is {what}, ignored: --rm is for files. Leave out --rm")
    if force:
        return
    if found.st_nlink > 1:
        raise Refusal(
            f"has {found.st_nlink} hard links, ignored: --rm would remove one of them, and the content would stay "
            "where it is. Use -f to do that, or leave out --rm"
        )
    for bit, what in _SPECIAL:
        if found.st_mode & bit:
            raise Refusal(
                f"has its {what} bit set, which the result would not have, ignored. Use -f to remove it "
                "nevertheless, or leave out --rm"
            )


@contextmanager
def removing(name: str, source: BinaryIO, follow: bool) -> Iterator[None]:
    """Remove the file `name`, which `source` has just opened, behind the block.

    Raises Refusal if another file has taken the name meanwhile, or if this one was written to: both stay.
    """
    opened = os.fstat(source.fileno())
    yield
    try:
        there = os.stat(name) if follow else os.lstat(name)
    except FileNotFoundError as error:
        raise Refusal("has lost its name meanwhile, so nothing is removed. The result stays") from error
    if not os.path.samestat(opened, there):
        raise Refusal("another file has taken this name meanwhile. It stays, and so does the result")
    if not _as_it_was(opened, there) or not _as_it_was(opened, os.fstat(source.fileno())):
        raise Refusal("was written to meanwhile. It stays, and so does the result, without what was written")
    os.unlink(name)


def _as_it_was(opened: os.stat_result, now: os.stat_result) -> bool:
    return (opened.st_size, opened.st_mtime_ns) == (now.st_size, now.st_mtime_ns)
