"""File objects that are closed, or interrupted, while a thread is at work for them."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zlib

import bombs
import pytest
from helpers import MODELS
from png_files import SIGNATURE, chunk, ihdr, row_bytes, smooth_rows

import catzip
from catzip.compressor.compress import compress_stream
from catzip.compressor.decompress import decompress_stream
from catzip.models.registry import Registry

SOON = 25
"""Seconds: a second, and what a busy machine may add. What is interrupted would take minutes."""


@pytest.fixture(scope="module")
def sleeper(tmp_path_factory):
    """A file the first byte of which takes minutes to decode."""
    model, count = Registry("cpu", 1).by_name("ar-bytes"), 1 << 24
    path = tmp_path_factory.mktemp("sleeper") / "a.catz"
    path.write_bytes(bombs.member([(bombs.coded(model, count, (64, 1 << 11)), count)]))
    return path


def threads():
    return {thread for thread in threading.enumerate() if not thread.name.startswith("catzip")}


def test_closing_what_was_not_read_decodes_nothing(sleeper):
    """No thread begins."""
    before = threads()
    file = catzip.open(sleeper, max_size=1 << 24)
    assert threads() == before
    start = time.monotonic()
    file.close()
    assert time.monotonic() - start < SOON


def test_closing_does_not_wait_for_a_frame(sleeper):
    before = threads()
    file = catzip.open(sleeper, max_size=1 << 24)
    reader = threading.Thread(target=pytest.raises, args=(Exception, file.raw.read, 1))
    reader.start()
    time.sleep(4)  # the model is loaded, and at its first segment
    assert reader.is_alive()
    start = time.monotonic()
    file.raw.close()
    assert time.monotonic() - start < SOON
    reader.join(SOON)
    assert threads() == before


def test_seeking_back_decodes_nothing(tmp_path):
    path = tmp_path / "a.catz"
    path.write_bytes(catzip.compress(b"some text\n" * 2000, "ar-bytes-s"))
    with catzip.open(path) as file:
        file.seek(0, os.SEEK_END)
        before = threads()
        file.seek(0)
        assert len(threads()) < len(before) or threads() == before
        assert file.raw._running is None
        assert file.read(5) == b"some "


READ = """
import catzip, sys
file = catzip.open(sys.argv[1], max_size=1 << 24)
print("open", flush=True)
file.read(1)
"""
WRITE = """
import catzip, os, sys
file = catzip.open(sys.argv[1], "wb", "ar-bytes")
file.write(os.urandom(1 << 24))
print("open", flush=True)
try:
    file.close()
except KeyboardInterrupt:
    print(os.listdir(os.path.dirname(sys.argv[1])), flush=True)
    raise
"""


@pytest.mark.parametrize(("program", "pause"), [(READ, 4), (WRITE, 4)], ids=["reading", "closing a writer"])
def test_the_keyboard_interrupts(program, pause, sleeper, tmp_path):
    path = sleeper if program is READ else tmp_path / "b.catz"
    words = [sys.executable, "-P", "-c", program, str(path)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed)
    assert child.stdout.readline() == b"open\n"
    time.sleep(pause)
    assert child.poll() is None
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    left, error = child.communicate(timeout=60)
    assert time.monotonic() - start < SOON
    assert b"KeyboardInterrupt" in error
    assert left == (b"" if program is READ else b"[]\n") and os.listdir(tmp_path) == []


def heed():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_closing_a_pipe_that_gives_nothing(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    other = os.open(path, os.O_RDWR)
    file = catzip.open(path)
    reader = threading.Thread(target=pytest.raises, args=(Exception, file.raw.read, 1), daemon=True)
    reader.start()
    time.sleep(1)
    start = time.monotonic()
    file.raw.close()
    assert time.monotonic() - start < SOON
    os.close(other)


def test_limits_of_open(tmp_path):
    path = tmp_path / "a.catz"
    path.write_bytes(catzip.compress(b"twelve bytes" * 100))
    with catzip.open(path, max_size=1200) as file:
        assert len(file.read()) == 1200
    with catzip.open(path, max_size=1199) as file, pytest.raises(catzip.LimitError, match="max_size"):
        file.read()
    with catzip.open(path, "rt", memlimit=10_000) as file, pytest.raises(catzip.LimitError, match="memlimit"):
        file.read()
    with pytest.raises(ValueError, match="go with reading"):
        catzip.open(path, "wb", max_size=5)


def test_limits_of_decompress(sleeper):
    blob = catzip.compress(b"twelve bytes" * 100)
    assert len(catzip.decompress(blob, max_size=1200)) == 1200
    with pytest.raises(catzip.LimitError, match="larger than 1199 bytes"):
        catzip.decompress(blob, max_size=1199)
    with pytest.raises(catzip.LimitError, match="memlimit"):
        catzip.decompress(blob, memlimit=10_000)
    assert len(catzip.decompress(blob, memlimit=0)) == 1200
    with pytest.raises(catzip.LimitError, match="max_size in Python"):
        catzip.decompress(sleeper.read_bytes())
    with pytest.raises(ValueError, match="negative"):
        catzip.decompress(blob, max_size=-1)


class Enough(Exception):
    """Nobody waits any more."""


def a_picture() -> bytes:
    """A PNG of two strips."""
    width, height = 1 << 10, 1 << 11
    assert row_bytes(width, 8, 0) * height > 1 << 20
    rows = smooth_rows(width, 16, 8, 0) * (height // 16)
    stream = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return SIGNATURE + ihdr(width, height, 8, 0) + chunk(b"IDAT", stream) + chunk(b"IEND")


def test_a_picture_that_is_packed_is_left_off_when_nobody_waits():
    blob, out = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(a_picture()), blob, models=MODELS)
    content = decompress_stream(io.BytesIO(blob.getvalue()), io.BytesIO(), models=MODELS).content_size
    is_decoded = False

    def tell(done: int, total: int | None) -> None:
        nonlocal is_decoded
        is_decoded = done >= content

    def look_up() -> None:
        if is_decoded:
            raise Enough

    with pytest.raises(Enough):
        decompress_stream(io.BytesIO(blob.getvalue()), out, models=MODELS, progress=tell, check=look_up)
    assert out.getvalue() == b""


def test_a_picture_that_is_unpacked_is_left_off_when_nobody_waits():
    told = []

    def tell(done: int, total: int | None) -> None:
        told.append(done)
        if len(told) > 3:
            raise Enough

    with pytest.raises(Enough):
        compress_stream(io.BytesIO(a_picture()), io.BytesIO(), models=MODELS, progress=tell)
    assert not any(told)  # no frame was begun


def test_a_file_object_without_a_thread_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    target = tmp_path / "a.catz"
    target.write_bytes(b"before")
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(catzip.CatzipError, match="ulimit -u") as error:
        catzip.open(target, "wb")
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert (
        error and after == before and target.read_bytes() == b"before" and os.listdir(tmp_path) == ["a.catz"]
    )
