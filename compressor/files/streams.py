"""Files of the system: their reads and writes are whole, also where they do not block; and names of descriptors."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .waiting import until_ready

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MOST_LINKS = 40  # as many as Linux follows


class Patient(io.FileIO):
    """An unbuffered file. A read gives something, or is at the end; a write writes all."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        while (data := super().read(size)) is None:
            until_ready(self)
        return data

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(1 << 20), b""))

    def readinto(self, buffer: Buffer) -> int:
        while (count := super().readinto(buffer)) is None:
            until_ready(self)
        return count

    def write(self, data: Buffer) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            count = super().write(rest)
            if count is None:
                until_ready(self, writing=True)
            else:
                rest = rest[count:]
        return size


def descriptor_of(name: str | os.PathLike[str]) -> int | None:
    """The descriptor that a name such as /dev/stdout or /proc/self/fd/3 means; None for the name of a file.

    What such a name leads to is not looked at: /dev/stdout is standard output, whatever that goes to.
    """
    path = os.path.join(os.getcwd(), name)
    pattern = rf"(?:/dev/fd|/proc/{os.getpid()}(?:/task/\d+)?/fd)/(\d+)"
    for _ in range(_MOST_LINKS):
        folder, last = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), last)
        if found := re.fullmatch(pattern, path):
            return int(found[1])
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))
        except (OSError, ValueError):  # no link, or no name at all
            return None
    return None


def reading(place: Path) -> Patient:
    """The file, or a copy of the descriptor that its name means, for reading; unbuffered."""
    descriptor = descriptor_of(place)
    if descriptor is None:
        return Patient(place, "rb")
    file = Patient(os.dup(descriptor), "rb")
    file.name = str(place)
    return file
