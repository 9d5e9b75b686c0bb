"""Zero bytes behind a file, as tapes and padded transfers add them, are passed over; anything else is named."""

import io
import json
import tracemalloc

import pytest
from clitools import run
from helpers import MODELS, TEXT, Pipe, compress, decompress

import catzip
from catzip.compressor.errors import CorruptError, NotCatzipError, TruncatedError
from catzip.compressor.pipeline import decompress_stream, list_frames, read_range, verify_stream

PROSE = TEXT.encode()
FILES = {
    "one member": (compress(PROSE), PROSE),
    "empty": (compress(b""), b""),
    "two members": (compress(PROSE) + compress(b"more"), PROSE + b"more"),
}
PADDINGS = [1, 3, 5, 6, 7, 512, (1 << 20) + 5]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", FILES)
def test_zero_bytes_are_passed_over(name, padding):
    blob, content = FILES[name]
    padded = blob + bytes(padding)
    assert decompress(padded) == catzip_content(padded) == content
    for report in (list_frames(io.BytesIO(padded)), verify_stream(Pipe(padded), models=MODELS)):
        assert (report.padding, report.file_size) == (padding, len(blob))
    for start in (0, 7, len(content)):
        assert read_range(io.BytesIO(padded), start, 50, MODELS) == content[start : start + 50]


def catzip_content(blob):
    out = io.BytesIO()
    decompress_stream(Pipe(blob, 5), out, models=MODELS)
    return out.getvalue()


@pytest.mark.parametrize(
    "tail",
    [b"x", b"\0" * 600 + b"x", b"\0\0x", b"\0\0" + FILES["one member"][0], b"catzip, but not quite"],
    ids=["x", "zeros, x", "two zeros, x", "zeros, another member", "text"],
)
def test_other_bytes_are_an_error_that_says_what_stands_before(tail):
    blob, content = FILES["one member"]
    for action in (decompress, catzip_content, lambda data: list_frames(io.BytesIO(data))):
        with pytest.raises(CorruptError, match="no catzip file") as caught:
            action(blob + tail)
        assert f"{len(blob)} bytes with {len(content)} bytes of content" in str(caught.value)
        assert "catzip cat" in str(caught.value)


def test_padding_is_no_file_and_ends_none():
    blob, _ = FILES["one member"]
    for action in (decompress, lambda data: read_range(io.BytesIO(data), 0, 5, MODELS)):
        with pytest.raises(NotCatzipError):
            action(bytes(100))
    with pytest.raises(TruncatedError):
        decompress(blob + blob[:5])
    with pytest.raises(CorruptError):
        decompress(blob[:-3] + bytes(3))


class Zeros(io.RawIOBase):
    """A file, and 64 MiB of zero bytes behind it, which are made when they are read."""

    def __init__(self, data):
        self.data, self.left = io.BytesIO(data), 64 << 20

    def readable(self):
        return True

    def read(self, size=-1):
        if found := self.data.read(size):
            return found
        count = min(size, self.left)
        self.left -= count
        return bytes(count)


def test_padding_is_not_held():
    tracemalloc.start()
    assert list_frames(Zeros(FILES["one member"][0])).padding == 64 << 20
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 8 << 20


def test_the_command_line(tmp_path):
    blob, content = FILES["one member"]
    (tmp_path / "a.catz").write_bytes(blob + bytes(1000))
    (tmp_path / "b.catz").write_bytes(blob + b"junk")
    for words in (["decompress", "-v", "-o", "a"], ["test", "-v"]):
        said = run(*words, "a.catz", cwd=tmp_path)[1]
        assert "zero bytes behind the end of the file, passed over: 1000" in said
    assert (tmp_path / "a").read_bytes() == content
    assert run("cat", "--range", 10, 20, "a.catz", cwd=tmp_path)[0] == content[10:30]
    assert json.loads(run("list", "--json", "a.catz", cwd=tmp_path)[0])[0]["padding"] == 1000
    assert "catzip cat" in run("decompress", "b.catz", cwd=tmp_path, code=1)[1]
    assert run("cat", "b.catz", cwd=tmp_path, code=1)[0] == content
    assert not (tmp_path / "b").exists()


def test_file_objects(tmp_path):
    (tmp_path / "a.catz").write_bytes(catzip.compress(PROSE, "ar-bytes-s") + bytes(600))
    with catzip.open(tmp_path / "a.catz") as file:
        assert file.read() == PROSE
        assert file.seek(-5, io.SEEK_END) == len(PROSE) - 5
        assert file.read() == PROSE[-5:]
