"""Work aside has its result, or its error, wherever it was done."""

import threading

import pytest

from catzip.compressor.coding.aside import Aside, Known


def test_another_thread_does_it():
    gate = threading.Event()
    aside = Aside(lambda: gate.wait(20) and threading.current_thread())
    assert not aside.done()
    gate.set()
    assert aside.result() is not threading.main_thread()
    assert aside.done()


def test_an_error_is_raised_where_the_result_is_asked_for():
    def fail():
        raise ArithmeticError("here")

    aside = Aside(fail)
    aside.wait()
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="here"):
            aside.result()


def test_where_no_thread_starts_it_is_done_at_once(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    aside = Aside(threading.current_thread)
    assert aside.done() and aside.result() is threading.main_thread()


def test_what_is_known_is_done():
    assert Known(3).done() and Known(3).result() == 3
