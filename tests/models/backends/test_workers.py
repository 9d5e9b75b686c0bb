"""Workers share lanes out and keep their order; the BLAS is held to one thread meanwhile."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from catzip.models.backends.workers import LEAST_LANES, Workers


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("lanes", [1, 15, 16, 31, 32, 100, 1024])
def test_groups_are_all_lanes_in_order(threads: int, lanes: int):
    groups = Workers(threads).groups(lanes)
    assert [lane for group in groups for lane in range(lanes)[group]] == list(range(lanes))
    assert len(groups) <= threads
    assert all(group.stop - group.start >= min(lanes, LEAST_LANES) for group in groups)


def test_as_many_threads_as_cores_by_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 3, 7})
    assert len(Workers(None).groups(1024)) == 3


def test_cores_where_the_system_does_not_say_which_may_be_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert Workers(None).threads == os.cpu_count()


FORK = """
import os, signal, sys
from catzip.models.backends.workers import Workers

workers, groups = Workers(2), [slice(0, 1), slice(1, 2)]
assert workers.map(lambda i: i, groups) == [0, 1]
child = os.fork()
if not child:
    signal.alarm(20)
    os._exit(workers.map(lambda i: i + 1, groups) != [1, 2])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_has_threads_of_its_own():
    options = ["-P", "-W", "ignore::DeprecationWarning"]  # of a fork with threads: it is what is tried
    subprocess.run([sys.executable, *options, "-c", FORK], check=True)


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(threads: int):
    with pytest.raises(ValueError, match=f"{threads} threads: 1 or more"):
        Workers(threads)


def test_map_runs_side_by_side_and_keeps_the_order():
    workers, meeting = Workers(3), threading.Barrier(3)

    def run(i: int) -> int:
        meeting.wait(timeout=20)  # only if all three are there at once
        return 10 * i

    assert workers.map(run, workers.groups(64)) == [0, 10, 20]


def test_one_blas_thread_while_workers_run():
    seen = []

    def run(i: int) -> None:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

    before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    workers = Workers(1)
    workers.map(run, workers.groups(4))
    assert seen and set(seen) == {1}
    assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == before


def test_one_blas_thread_is_held_between_calls():
    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, workers = threads(), Workers(1)
    with workers.one_blas_thread():
        workers.map(lambda i: i, workers.groups(4))
        assert set(threads()) == {1}
    assert threads() == before


def test_one_blas_thread_for_as_long_as_anybody_needs_it():
    """Two at once, as where a program reads two files: whoever is done first leaves the other in peace."""

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(limits=3, user_api="blas"):
        first, second = Workers(1).one_blas_thread(), Workers(1).one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {3}


def test_one_blas_thread_for_the_work_of_a_thread_while_another_leaves():
    """Two threads with the same workers: what one holds is not for the other to rely on."""

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    workers, inside, left = Workers(1), threading.Event(), threading.Event()
    seen: list[set[int]] = []

    def run(i: int) -> None:
        inside.set()
        left.wait(timeout=20)
        seen.append(threads())

    with threadpool_limits(limits=3, user_api="blas"):
        other = threading.Thread(target=workers.map, args=(run, [slice(0, 1)]))
        with workers.one_blas_thread():
            other.start()
            inside.wait(timeout=20)
        left.set()
        other.join()
    assert seen == [{1}]


@pytest.mark.parametrize("guilty", [0, 1])
def test_an_error_in_a_worker_is_raised(guilty: int):
    def run(i: int) -> None:
        if i == guilty:
            raise ArithmeticError("here")

    workers = Workers(2)
    with pytest.raises(ArithmeticError, match="here"):
        workers.map(run, workers.groups(32))


@pytest.mark.parametrize("threads", [1, 2])
def test_ahead_keeps_items_and_order(threads: int):
    assert list(Workers(threads).ahead(iter([3, 1, 2]))) == [3, 1, 2]
    assert list(Workers(threads).ahead(iter([]))) == []


def test_ahead_makes_the_next_item_meanwhile():
    begun = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    coming = Workers(2).ahead(items())
    assert next(coming) == 1
    assert begun.wait(timeout=20)  # though nobody asked for the second one yet
    assert list(coming) == [2]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_ahead_is_raised_in_its_place(threads: int):
    def items() -> Iterator[int]:
        yield 1
        raise ArithmeticError("here")

    coming = Workers(threads).ahead(items())
    assert next(coming) == 1
    with pytest.raises(ArithmeticError, match="here"):
        next(coming)


TEAMS = """
import os
import torch
from catzip.models.backends.workers import Workers

a, b = torch.ones(512, 512, dtype=torch.int8), torch.ones(512, 512, dtype=torch.int8)
workers, groups, before = Workers(2), [slice(0, 1), slice(1, 2)], torch.get_num_threads()
workers.map(lambda i: None, groups)  # the worker is there
threads = len(os.listdir("/proc/self/task"))
workers.map(lambda i: [torch._int_mm(a, b), a.float() @ b.float()], groups)
assert len(os.listdir("/proc/self/task")) == threads, "a team of threads for one worker"
assert torch.get_num_threads() == before
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts the threads that Linux shows")
def test_pytorch_brings_no_threads_of_its_own():
    """Its OpenMP is held to one thread in every worker, not only in the thread that asks for it; and no longer."""
    pytest.importorskip("torch")
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    subprocess.run([sys.executable, "-c", TEAMS], env=environment | {"PYTHONSAFEPATH": "1"}, check=True)
