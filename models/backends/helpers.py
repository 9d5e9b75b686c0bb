"""Threads that wait for work, and take a part of it as soon as the system lets them run.

A step of a frame is a millisecond of work, which `concurrent.futures` would take a tenth of to hand over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], None]


class Helpers:
    """So many threads besides the one that asks them, or as many as the system lets be started."""

    def __init__(self, count: int, begin: Work) -> None:
        """Each thread runs ``begin`` before its first work."""
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._count = 0
        for _ in range(count):
            work = self._work  # not this object, which ends them when nobody has it any more
            thread = threading.Thread(target=_serve, args=(work, begin), name="catzip", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # can't start new thread: a limit of the user (ulimit -u) or of a container
                return
            self._count += 1

    def __del__(self) -> None:
        for _ in range(self._count):
            self._work.put(None)

    def share(self, run: Callable[[int], T], count: int) -> list[T]:
        """run(i) for each i below ``count``. Whoever is free takes the next, this thread too.

        It waits for those alone that another thread is amid: where the machine is busy, and the others are not let run,
        it does all of them. What one raises is raised.
        """
        coming = iter(range(count))
        finished: SimpleQueue[BaseException | None] = SimpleQueue()
        results: dict[int, T] = {}

        def help_out() -> None:
            for i in coming:
                try:
                    results[i] = run(i)
                except BaseException as error:
                    finished.put(error)
                else:
                    finished.put(None)

        for _ in range(min(self._count, count - 1)):
            self._work.put(help_out)
        done = 0
        for i in coming:
            results[i] = run(i)
            done += 1
        for _ in range(count - done):
            error = finished.get()
            if error is not None:
                raise error
        return [results[i] for i in range(count)]


def _serve(work: SimpleQueue[Work | None], begin: Work) -> None:
    """What a thread does."""
    begin()
    while (each := work.get()) is not None:
        each()
