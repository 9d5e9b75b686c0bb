"""Owner, group, permissions and times of a file, given to another, which is never open to more people for it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress


def narrow(mode: int) -> int:
    """The permissions of a file while it is written: for its owner alone, and no more than he will have."""
    return stat.S_IMODE(mode) & 0o600


def copy_metadata(descriptor: int, like: os.stat_result, *, times: bool) -> None:
    """Owner and group where the system allows it, permissions, and `times`.

    Where the group is another one, group and others get no more than both had: the members of neither group gain
    anything, as with xz. Bits beside reading, writing and execution, such as setuid, are for programs and not copied.
    """
    mode = stat.S_IMODE(like.st_mode) & 0o777
    if hasattr(os, "fchown"):
        with suppress(OSError):  # only root gives a file away
            os.fchown(descriptor, like.st_uid, -1)
        with suppress(OSError):  # a group that this user is not in
            os.fchown(descriptor, -1, like.st_gid)
        if os.fstat(descriptor).st_gid != like.st_gid:
            both = (mode >> 3) & mode & 0o007
            mode = (mode & 0o700) | both << 3 | both
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
    if times and os.utime in os.supports_fd:
        os.utime(descriptor, ns=(like.st_atime_ns, like.st_mtime_ns))
