"""Streams that are set not to block: what they have not got yet is waited for, and never taken for their end."""

from __future__ import annotations

import select
import time
from typing import Any, BinaryIO

_MOMENT = 0.01
"""Seconds between two tries, where nothing tells when a stream is ready."""


def read_some(src: BinaryIO, size: int) -> bytes:
    """The next bytes of a stream, at most `size`; empty only at its end."""
    while True:
        try:
            block: bytes | None = src.read(size)
        except BlockingIOError:
            block = None
        if block is not None:
            return block
        until_ready(src)


def until_ready(file: Any, writing: bool = False) -> None:
    """Wait until there is something to read, or room to write; a moment, where the system cannot tell."""
    try:
        descriptor = file.fileno()
    except (AttributeError, OSError):  # a stream of the caller's own
        descriptor = None
    if descriptor is None or not hasattr(select, "poll"):
        time.sleep(_MOMENT)
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    poll.poll()
