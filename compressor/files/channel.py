"""Bytes from one thread to another: what joins code that pulls to code that pushes."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import CatzipError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Stopped(Exception):
    """The other end of a channel is gone."""


class Channel(io.RawIOBase):
    """Passes bytes from one thread to another, one block at a time. `stop` from either side ends it."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._block = memoryview(b"")
        self._ended = self._stopped = False

    def readable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        """Wait until the other side has taken the last block, and offer this one."""
        block = memoryview(bytes(memoryview(data)))  # bytes(5) would be five zeros
        with self._change:
            self._change.wait_for(lambda: self._stopped or not self._block)
            if self._stopped:
                raise Stopped
            self._block = block
            self._change.notify_all()
        return len(block)

    def readinto(self, buffer: Buffer) -> int:
        """Wait for bytes and take some; 0 at the end."""
        with self._change:
            self._change.wait_for(lambda: self._stopped or self._ended or self._block)
            if self._stopped:
                raise Stopped
            room = memoryview(buffer).cast("B")
            count = min(len(room), len(self._block))
            room[:count] = self._block[:count]
            self._block = self._block[count:]
            self._change.notify_all()
        return count

    def end(self) -> None:
        """Say that nothing more will be written."""
        with self._change:
            self._ended = True
            self._change.notify_all()

    def stop(self) -> None:
        """Say that nobody wants more, which an exception tells the other side."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def check(self, done: int, total: int | None) -> None:
        """A progress callback that stops a pipeline nobody waits for."""
        self.look_up()

    def look_up(self) -> None:
        """Raise Stopped if nobody waits any more."""
        if self._stopped:
            raise Stopped


class Worker(threading.Thread):
    """Runs a job and keeps what it raises, and whether it came to its end."""

    def __init__(self, job: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._job = job
        self.error: BaseException | None = None
        self.finished = False
        try:
            self.start()
        except RuntimeError as error:
            raise CatzipError(
                "a file object takes a thread of its own, and the system lets none be started (ulimit -u); raise the "
                "limit, or use catzip.compress and catzip.decompress"
            ) from error

    def run(self) -> None:
        try:
            self._job()
            self.finished = True
        except Stopped:
            pass
        except BaseException as error:
            self.error = error
