"""Whoever is free takes the next part of the work; nobody waits for who is not let run."""

import threading
from collections.abc import Iterator

import pytest

from catzip.models.backends.helpers import Helpers


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    yield Helpers(2, lambda: None)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_all_is_done_once_and_in_order(helpers: Helpers, count: int):
    ran: list[int] = []
    assert helpers.share(lambda i: ran.append(i) or i * i, count) == [i * i for i in range(count)]
    assert sorted(ran) == list(range(count))


def test_helpers_help(helpers: Helpers):
    meeting = threading.Barrier(3)

    def run(i: int) -> int:
        meeting.wait(timeout=20)  # only if all three are there at once
        return threading.get_ident()

    assert len(set(helpers.share(run, 3))) == 3


def test_one_that_is_kept_busy_elsewhere_is_not_waited_for(helpers: Helpers):
    """Two are at the work of another thread: this one does all of its own."""
    gate, begun = threading.Event(), threading.Barrier(4)

    def keep(i: int) -> int:
        begun.wait(timeout=20)
        gate.wait(timeout=20)
        return threading.get_ident()

    other = threading.Thread(target=helpers.share, args=(keep, 3))
    other.start()
    begun.wait(timeout=20)
    assert set(helpers.share(lambda i: threading.get_ident(), 8)) == {threading.get_ident()}
    gate.set()
    other.join()


@pytest.mark.parametrize("guilty", [0, 1, 2])
def test_what_one_raises_is_raised_and_the_next_work_is_done(helpers: Helpers, guilty: int):
    meeting = threading.Barrier(3)

    def run(i: int) -> int:
        meeting.wait(timeout=20)
        if i == guilty:
            raise ArithmeticError("here")
        return i

    with pytest.raises(ArithmeticError, match="here"):
        helpers.share(run, 3)
    assert helpers.share(lambda i: i, 3) == [0, 1, 2]


def test_each_begins_as_it_is_told_to():
    begun = []
    helpers = Helpers(3, lambda: begun.append(threading.get_ident()))
    meeting = threading.Barrier(4)
    helpers.share(lambda i: meeting.wait(timeout=20), 4)
    assert len(set(begun)) == 3


def test_threads_end_with_the_object():
    before = set(threading.enumerate())
    helpers = Helpers(2, lambda: None)
    threads = set(threading.enumerate()) - before
    assert len(threads) == 2
    del helpers
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
