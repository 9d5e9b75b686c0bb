"""LZMA2 streams: what liblzma makes in one go, made in steps between which the work can be left off."""

import io
import lzma
import threading

import numpy as np
import pytest
from helpers import Models, TableModel

from catzip.compressor.compress import compress_stream
from catzip.compressor.format import lzma2

TEXT = b"The cat sat on the mat, and the mat lay on the floor. "


@pytest.mark.parametrize(
    "data",
    [b"", b"a", TEXT * 3000, np.random.RandomState(0).bytes(200_001), bytes(1 << 21)],
    ids=["empty", "short", "text", "random", "zeros"],
)
def test_steps_are_nothing_to_the_encoder(data: bytes):
    stream = lzma2.compress(data)
    dictionary = 1 << 20 if len(data) <= 1 << 20 else 1 << 26
    kind = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}
    assert stream == lzma.compress(data, lzma.FORMAT_RAW, filters=[kind])
    assert lzma2.decompress(stream, len(data)) == data


def test_the_encoder_is_left_off_where_it_looks_up():
    asked = []

    def look_up() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        lzma2.compress(TEXT * 10_000, look_up)
    assert len(asked) == 3


class Broken(TableModel):
    """A model that meets an error as soon as it is to code."""

    def encode(self, symbols, plan, new_stack=None):
        raise InterruptedError


def test_the_other_thread_ends_when_nobody_waits_for_xz(monkeypatch: pytest.MonkeyPatch):
    """As after Ctrl-C, when the interpreter waits for that thread."""
    begun, looked = threading.Event(), []

    def slow(data: bytes, look_up=lambda: None) -> bytes:
        begun.set()
        for _ in range(1000):
            looked.append(1)
            threading.Event().wait(0.02)
            look_up()
        return data

    monkeypatch.setattr(lzma2, "compress", slow)
    models = Models(Broken("broken"))
    models.threads = 2
    before = set(threading.enumerate())
    with pytest.raises(InterruptedError):
        compress_stream(io.BytesIO(TEXT * 50), io.BytesIO(), models=models, model="broken")
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert len(looked) < 900 or not begun.is_set()
