"""What every target promises: errors of catzip and no others, in bounded time and memory."""

from __future__ import annotations

import hashlib
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

import catzip
from catzip.compressor.errors import CatzipError

T = TypeVar("T")

SECONDS = 20
"""Processor time that what is done to an input may take, and each `outcome` of it anew."""

MEMORY = 1 << 30
"""Bytes that the process may hold at most."""

_GUARD = (
    4 << 30
)  # bytes of addresses beyond those in use: what asks for more fails, and does not fill the machine
_ROOT = Path(catzip.__file__).parent


class BrokenPromise(AssertionError):
    """A target saw something that may not be."""


class TooLong(BaseException):
    """An input took more than `SECONDS`; not an Exception, so that nothing but this module catches it."""


class TooLarge(AssertionError):
    """An input took the process beyond `MEMORY`."""


def expect(holds: bool, otherwise: str) -> None:
    """Raise BrokenPromise unless it holds."""
    if not holds:
        raise BrokenPromise(otherwise)


def outcome(action: Callable[..., T], *given: object, **named: object) -> T | CatzipError:
    """What an action returns, or the error of catzip that it raises."""
    if signal.getitimer(signal.ITIMER_PROF)[0]:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        return action(*given, **named)
    except CatzipError as error:
        return error


def finding(check: Callable[[bytes], None], data: bytes) -> BaseException | None:
    """What is wrong with how catzip treats this input; None if nothing is."""
    try:
        with _limited():
            check(data)
    except (Exception, TooLong) as error:
        return error
    return None


def signature(error: BaseException) -> str:
    """One short name for all findings of one cause: the kind of error, and where in catzip it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT)]
    code = [frame for frame in inside if not Path(frame.filename).is_relative_to(_ROOT / "tests")]
    places = code[-1:] if isinstance(error, TooLong) else (code or inside)[-2:]
    where = " < ".join(
        f"{Path(frame.filename).relative_to(_ROOT).as_posix()}:{frame.name}" for frame in reversed(places)
    )
    what = str(error) if isinstance(error, BrokenPromise) else ""
    return f"{type(error).__name__} {what or where}".strip()


def label(error: BaseException) -> str:
    """The signature as part of the name of a file."""
    return f"{type(error).__name__}-{hashlib.sha256(signature(error).encode()).hexdigest()[:8]}"


def guard_memory() -> None:
    """Have this process, if it asks for far too much memory, meet a MemoryError rather than fill the machine."""
    with suppress(OSError, ValueError):
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + _GUARD, size + _GUARD))


@contextmanager
def _limited() -> Iterator[None]:
    """Raises TooLong in the block, which has the main thread, and TooLarge behind it."""
    _forget_peak()  # here, and not behind the last input, of which an error may still hold what it held
    earlier = peak_memory()  # where the system forgets no peak, only what goes beyond it is of this input
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    if (peak := peak_memory()) > max(MEMORY, earlier):
        raise TooLarge(f"{peak >> 20} MiB of memory")


def _stop(signum: int, frame: FrameType | None) -> None:
    raise TooLong(f"more than {SECONDS} s")


def peak_memory() -> int:
    """Bytes that the process held at most, since `_forget_peak` where the system has that."""
    with suppress(OSError, StopIteration):
        # Not of getrusage, which begins with what the parent of the process held.
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) << 10
    unit = 1 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _forget_peak() -> None:
    if peak_memory() > MEMORY:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
