"""The Python face: compress, decompress, open, the errors, and what is public."""

import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import catzip

TEXT = "Ein bißchen Text, ☃ und wieder Text.\n" * 3000
DATA = TEXT.encode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.catz"


@pytest.mark.parametrize("data", [b"", b"x", DATA, os.urandom(5000)], ids=["empty", "one", "text", "random"])
def test_there_and_back(data):
    blob = catzip.compress(data)
    assert len(blob) <= len(data) + 64
    assert catzip.decompress(blob) == data


def test_all_is_what_is_public():
    public = {name for name in vars(catzip) if not name.startswith("_")} - {
        "annotations",
        "io",
        "TYPE_CHECKING",
    }
    modules = {name for name in public if type(getattr(catzip, name)).__name__ == "module"}
    assert public - modules == set(catzip.__all__) - {"__version__"}


def test_each_error_is_a_catzip_error():
    errors = [getattr(catzip, name) for name in catzip.__all__ if name.endswith("Error")]
    assert all(issubclass(error, catzip.CatzipError) for error in errors)


def test_bad_input_raises():
    blob = catzip.compress(DATA)
    with pytest.raises(catzip.NotCatzipError):
        catzip.decompress(b"plain text")
    with pytest.raises(catzip.TruncatedError):
        catzip.decompress(blob[:-3])
    with pytest.raises(catzip.CorruptError):
        catzip.decompress(blob + b"tail")
    with pytest.raises(catzip.ModelNotFoundError):
        catzip.compress(DATA, "no-such-model")


def test_steps_are_for_models_that_have_a_choice(path):
    with pytest.raises(ValueError, match="name of a model"):
        catzip.compress(DATA, steps=5)
    with pytest.raises(catzip.ModelMismatchError, match="ar-bytes codes symbol by symbol"):
        catzip.compress(DATA, "ar-bytes", steps=5)
    with pytest.raises(catzip.ModelMismatchError, match="ar-bytes codes symbol by symbol"):
        catzip.open(path, "wb", "ar-bytes", steps=5)
    assert not path.exists()


def test_open_writes_what_decompress_reads_and_the_other_way_round(path):
    with catzip.open(path, "wb") as file:
        for start in range(0, len(DATA), 1000):
            assert file.write(DATA[start : start + 1000]) == len(DATA[start : start + 1000])
    assert catzip.decompress(path.read_bytes()) == DATA
    with catzip.open(path) as file:
        assert file.read() == DATA
        assert file.read() == b""


def test_only_bytes_are_written(path):
    """Not so many zeros as a number says."""
    with catzip.open(path, "wb") as file:
        for wrong in (5, [1, 2], "text"):
            with pytest.raises(TypeError):
                file.write(wrong)
        assert file.write(memoryview(b"abcd")[::2]) == 2
    assert catzip.decompress(path.read_bytes()) == b"ac"


def test_open_text(path):
    with catzip.open(path, "wt", encoding="utf-8") as file:
        file.write(TEXT)
    with catzip.open(path, "rt", encoding="utf-8") as file:
        assert list(file) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize("mode", ["wb", "wt"])
def test_an_exception_discards_what_was_written_and_keeps_what_was_there(path, mode):
    path.write_bytes(catzip.compress(DATA))
    with pytest.raises(RuntimeError, match="enough"), catzip.open(path, mode) as file:
        file.write("half" if mode == "wt" else b"half")
        raise RuntimeError("enough")
    assert file.closed
    assert catzip.decompress(path.read_bytes()) == DATA
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_open_seeks(path):
    path.write_bytes(catzip.compress(DATA))
    with catzip.open(path) as file:
        assert file.seek(-10, io.SEEK_END) == len(DATA) - 10
        assert file.read() == DATA[-10:]
        assert file.seek(5) == 5
        assert file.read(20) == DATA[5:25]
        file.seek(100, io.SEEK_CUR)
        assert (file.tell(), file.read(4)) == (125, DATA[125:129])


def test_open_for_exclusive_creation(path):
    with catzip.open(path, "xb") as file:
        file.write(DATA)
    with pytest.raises(FileExistsError):
        catzip.open(path, "xb")
    assert catzip.decompress(path.read_bytes()) == DATA


def test_modes_are_binary_unless_they_say_text(path):
    for mode in ("x", "w"):
        with catzip.open(path, mode) as file:
            file.write(DATA)
    with catzip.open(path, "r") as file:
        assert file.read() == DATA


def test_a_file_that_is_written_appears_whole_or_not_at_all(path):
    path.write_bytes(b"precious")
    with pytest.raises(KeyError), catzip.open(path, "wb") as file:
        file.write(DATA)
        raise KeyError("the program failed")
    assert [(found.name, found.read_bytes()) for found in path.parent.iterdir()] == [(path.name, b"precious")]


def test_open_replaces_what_a_link_leads_to(path):
    path.write_bytes(b"old")
    link = path.with_name("link.catz")
    link.symlink_to(path.name)
    with catzip.open(link, "wb") as file:
        file.write(DATA)
    assert link.is_symlink() and catzip.decompress(path.read_bytes()) == DATA


@pytest.fixture
def pipe(path):
    """A pipe with a name, which it keeps, and a pool in which to use its other end."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as elsewhere:
        yield elsewhere
    assert path.is_fifo()


def test_open_reads_a_pipe_forwards(path, pipe):
    sent = pipe.submit(path.write_bytes, catzip.compress(DATA))
    with catzip.open(path) as file:
        assert not file.seekable()
        assert file.read() == DATA
    sent.result()


def test_open_writes_to_a_pipe(path, pipe):
    received = pipe.submit(path.read_bytes)
    with catzip.open(path, "wb") as file:
        file.write(DATA)
    assert catzip.decompress(received.result()) == DATA


def test_a_writer_tells_how_much_was_written(path):
    with catzip.open(os.fsencode(path), "wb") as file:
        assert file.tell() == 0
        file.write(DATA)
        assert file.tell() == len(DATA)
    assert catzip.open(os.fsencode(path)).read() == DATA


AT_EXIT = """
import sys
import catzip
file = catzip.open(sys.argv[1], sys.argv[2])
file.write(b"new") if sys.argv[2] == "wb" else file.read(5)
"""


@pytest.mark.parametrize("mode", ["wb", "rb", "rt"])
def test_a_program_may_end_without_closing_a_file(path, mode):
    """What was there stays, and nothing else is left; a writer that was not closed is named."""
    path.write_bytes(catzip.compress(DATA))
    words = [sys.executable, "-P", "-c", AT_EXIT, path, mode]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ("was never closed, so nothing was written" in done.stderr) == (mode == "wb")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert catzip.decompress(path.read_bytes()) == DATA


def readers():
    """Threads that read; those that compute have a name."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("catzip")}


def test_open_reports_damage_where_it_is_met_and_leaves_no_thread(path):
    before = readers()
    path.write_bytes(catzip.compress(DATA)[:-3])
    with catzip.open(path) as file, pytest.raises(catzip.TruncatedError):
        file.read()
    with catzip.open(path) as file:
        assert file.read(5) == DATA[:5]
    assert readers() == before


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("rb", {"steps": 5}, "when writing"),
        ("wb", {"steps": 5}, "goes with the name"),
        ("ab", {}, "mode 'ab'"),
        ("rwb", {}, "mode 'rwb'"),
        ("rb", {"encoding": "utf-8"}, "text modes"),
        ("rb", {"model": "ar-bytes"}, "when writing"),
    ],
)
def test_open_rejects_what_makes_no_sense(mode, options, message, path):
    path.write_bytes(catzip.compress(DATA))
    with pytest.raises(ValueError, match=message):
        catzip.open(path, mode, **options)


def test_open_names_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such"):
        catzip.open(tmp_path / "no-such.catz")
    with pytest.raises(FileNotFoundError, match="folder"):
        catzip.open(tmp_path / "folder" / "a.catz", "wb")
    with pytest.raises(catzip.ModelNotFoundError, match="no-such-model"):
        catzip.open(tmp_path / "a.catz", "wb", model="no-such-model")
    assert not list(tmp_path.iterdir())
