"""Threads that share the lanes of a frame.

The matrix products of one step are too small to be worth splitting inside the BLAS, whose threads wait for each other
by spinning: on a busy machine that costs many times the work itself. So each worker has lanes of its own, runs the
whole network on them, and the BLAS, and OpenMP where PyTorch brings it, is held to one thread meanwhile. NumPy lets go
of the interpreter lock while it computes.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import lru_cache, partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ...compressor.coding.aside import Aside
from ...compressor.coding.rounding import rounded_to_nearest
from .helpers import Helpers

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")

_KEPT = 31 << 20  # bytes; from 32 MiB on there is no learning

LEAST_LANES = 16  # of a worker: with fewer, handing over costs more than it saves


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache
def _pool(threads: int, torch: bool) -> Helpers:
    """So many threads, or as many as the system allows."""
    return Helpers(threads, partial(_alone, torch))


def _alone(torch: bool) -> None:
    """Hold OpenMP to one thread from now on in this one: its setting, other than that of the BLAS, is each thread's."""
    _libraries(torch).select(user_api="openmp").limit(limits=1)


@lru_cache
def _libraries(torch: bool) -> ThreadpoolController:
    """What computes in several threads. More of it is there once PyTorch is, so there is one for before and after."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class _OneBlasThread:
    """The BLAS held to one thread, which is a setting of the process, until the last of those who asked is done."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nobody has asked yet."""
        self._lock = threading.Lock()
        self._holders = ExitStack()
        self._count = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                self._holders.enter_context(_libraries(_torch()).select(user_api="blas").limit(limits=1))
            self._count += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._holders.close()


_one_blas_thread = _OneBlasThread()

if hasattr(os, "register_at_fork"):  # a fork has the pools and the lock, but not the threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
    os.register_at_fork(after_in_child=_one_blas_thread.begin)


def _torch() -> bool:
    """Whether PyTorch is loaded, by whomever."""
    return "torch" in sys.modules


class Workers:
    """Runs one function on several groups of lanes at once, in up to ``threads`` threads (None: one for each core)."""

    def __init__(self, threads: int | None) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"{threads} threads: 1 or more are possible, or None for one a core")
        self._threads = threads if threads is not None else usable_cores()
        self._holding = threading.local()  # for what a thread does; whatever others do beside it
        # The C library of Linux learns from a large block that is freed to keep such blocks for the next one. Until
        # then it returns them to the system, which clears each page anew when it hands them out again.
        np.empty(_KEPT, np.uint8)

    @property
    def threads(self) -> int:
        """How many there may be."""
        return self._threads

    def groups(self, lanes: int, least: int = LEAST_LANES, each: int = 1) -> list[slice]:
        """The lanes in groups, ``each`` for a worker, of at least ``least`` where there are as many.

        Any split gives the same results.
        """
        count = max(1, min(self._threads * each, lanes // least))
        edges = [lanes * i // count for i in range(count + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    @contextmanager
    def one_blas_thread(self) -> Iterator[None]:
        """Hold the BLAS, and OpenMP here, to one thread meanwhile, which `map` else does anew each time."""
        with _one_blas_thread, _libraries(_torch()).select(user_api="openmp").limit(limits=1):
            before, self._holding.here = self._is_held, True
            try:
                yield
            finally:
                self._holding.here = before

    @property
    def _is_held(self) -> bool:
        """Whether this thread is in `one_blas_thread`."""
        return getattr(self._holding, "here", False)

    def map(self, run: Callable[[int], T], groups: Sequence[slice]) -> list[T]:
        """run(i) for each group i, with the BLAS held to one thread."""
        with nullcontext() if self._is_held else self.one_blas_thread():
            return self.share(run, groups)

    def share(self, run: Callable[[int], T], groups: Sequence[slice]) -> list[T]:
        """run(i) for each group i, of what makes no use of the BLAS, or holds it for longer.

        Each thread takes the next group when it is done with one: see `Helpers.share`.
        """
        run = rounded_to_nearest(run)  # in each thread, for the setting is each one's
        if len(groups) == 1:
            return [run(0)]
        count = min(self._threads, len(groups)) - 1
        return _pool(count, _torch()).share(run, len(groups))

    def ahead(self, items: Iterator[T]) -> Iterator[T]:
        """The items, each of which another thread makes while the one before it is used, if there may be another."""
        if self._threads == 1:
            yield from items
            return
        coming = Aside(lambda: list(islice(items, 1)))
        try:
            while item := coming.result():
                coming = Aside(lambda: list(islice(items, 1)))
                yield from item
        finally:
            coming.wait()
