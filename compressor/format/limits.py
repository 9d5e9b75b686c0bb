"""What decoding may take: output, memory and work. FORMAT.md has the reckoning of work.

A few bytes can say a lot: a stack gives symbols for ever once it is empty. So what a frame asks for is reckoned from
its head and its plan, and compared with what it may take, before anything is allocated or computed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import LimitError
from .report import Sink

Check = Callable[[], None]
"""Called again and again while a frame is decoded; what it raises ends that."""

UNLIMITED = sys.maxsize
"""Bytes of output that are as many as anyone may want."""

CREDIT = 13_000
"""Work that the frames of a file may take, in all, beyond what their payloads allow."""

_CGROUPS = (
    "/sys/fs/cgroup/memory.max",  # of a container, and of version 1
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
_REMEDY = "If you trust the file, --max-output SIZE (max_size in Python) lifts this limit"


def machine_memory() -> int | None:
    """Bytes that decoding may take by default: three quarters of what this process could have; None if unknown."""
    found = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in _CGROUPS:
        with suppress(OSError, ValueError):  # "max", where there is no limit
            found.append(int(Path(name).read_text(encoding="ascii")))
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        found += [soft] if soft != resource.RLIM_INFINITY else []
    return min(found) * 3 // 4 if found else None


@dataclass(frozen=True)
class Limits:
    """What decoding may take.

    output  bytes that it may write; None for as many as there are. One that is set, be it `UNLIMITED`, says that the
            caller answers for the size, and lifts the limit of work
    memory  bytes that a frame may take; None for as many as there are

    Raises ValueError for negative numbers.
    """

    output: int | None = None
    memory: int | None = field(default_factory=machine_memory)

    def __post_init__(self) -> None:
        if (self.output or 0) < 0 or (self.memory or 0) < 0:
            raise ValueError("a limit cannot be negative")

    @staticmethod
    def asked(output: int | None, memory: int | None) -> Limits:
        """Limits as users give them: None for those that hold by default, and 0 for any amount of memory."""
        return Limits(output) if memory is None else Limits(output, memory or None)

    @staticmethod
    def none() -> Limits:
        """No limits at all: for what was written here."""
        return Limits(UNLIMITED, None)


def allowance(size: int) -> int:
    """The work that a payload of `size` bytes allows by itself."""
    return size + size * size // 8192


def frame_work(work: int, length: int) -> int:
    """The work of a coded frame: what its model takes, and what is done to its `length` bytes of content."""
    return work + (length >> 16)


class Meter:
    """Adds up by how much the coded frames of a file exceed what their payloads allow."""

    def __init__(self) -> None:
        self._excess = 0

    def admits(self, work: int, size: int) -> bool:
        """Whether a frame that asks for so much work, with a payload of `size` bytes, is within the limit."""
        return self._excess + max(0, work - allowance(size)) <= CREDIT

    def charge(self, work: int, size: int) -> None:
        """Add a frame that is decoded, whose payload of `size` bytes asks for so much work."""
        self._excess += max(0, work - allowance(size))


class Guard:
    """Holds the frames of one stream to limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._meter = Meter()

    def take(self, size: int) -> None:
        """Admit `size` bytes of memory for a frame. Raises LimitError if they are more than the limit."""
        limit = self._limits.memory
        if limit is not None and size > limit:
            raise LimitError(
                f"a frame takes about {_mib(size)} of memory to decode, and the limit is {_mib(limit)}. Raise it with "
                "--memlimit SIZE (memlimit in Python), or use a machine with more memory"
            )

    def work(self, work: int, size: int) -> None:
        """Admit and add the work of a frame with a payload of `size` bytes. Raises LimitError if it is too much."""
        if self._limits.output is not None:
            return
        if not self._meter.admits(work, size):
            raise LimitError(
                f"a frame of {size} bytes would take about {work // 1000} s to decode, which is more than {size} bytes "
                f"may take by default: it may have been made to waste time. {_REMEDY}"
            )
        self._meter.charge(work, size)


class Bounded:
    """A sink that takes up to `most` bytes (None: any number) for `dst`."""

    def __init__(self, dst: Sink, most: int | None) -> None:
        self._dst = dst
        self._most = most
        self._left = UNLIMITED if most is None else most

    def expect(self, size: int) -> None:
        """Raise LimitError unless `size` bytes more may be written."""
        if self._most is not None and size > self._left:
            raise LimitError(
                f"the output is larger than {self._most} bytes, which is the limit. Raise it with --max-output SIZE "
                "(max_size in Python)"
            )

    def write(self, data: bytes, /) -> None:
        """Write all of `data`, or nothing. Raises LimitError if that is too much."""
        self.expect(len(data))
        self._dst.write(data)
        self._left -= len(data)


def _mib(size: int) -> str:
    return f"{-(-size >> 20)} MiB"
