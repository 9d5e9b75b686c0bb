"""No file is lost: not what took a name meanwhile, nor what comes late, nor what stands where a stream leads."""

import fcntl
import io
import os
import pty
import subprocess
import sys
import termios
import threading
import time

import pytest
from clitools import contents, run
from helpers import MODELS, TESTS, TEXT, Pipe, compress, decompress

import catzip
from catzip.compressor.pipeline import compress_stream, decompress_stream, list_frames

HERE = TESTS
PROSE = TEXT.encode()
PACKED = compress(PROSE)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(PROSE)
    (tmp_path / "b.catz").write_bytes(PACKED)
    return tmp_path


DEEDS = {
    "another file": ("import os; open('new','w').write('precious'); os.replace('new', '{}')", "another file has taken"),
    "a later time": ("import os; os.utime('{}', ns=(1, 1))", "was written to meanwhile"),
    "no file": ("import os; os.rename('{}', 'moved')", "has lost its name"),
}  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    ("command", "name", "result"), [("compress", "a.txt", "a.txt.catz"), ("decompress", "b.catz", "b")]
)
def test_rm_removes_only_what_was_read(command, name, result, deed, folder):
    before = contents(folder)[name]
    action, message = DEEDS[deed]
    _, said = run(command, "--rm", name, cwd=folder, deed=action.format(name), code=1)
    assert said.startswith(f"catzip: {name}: {message}") and said.count("\n") == 1
    after = contents(folder)
    assert after.get(name) == {"another file": b"precious", "a later time": before}.get(deed)
    assert after.get("moved") == (before if deed == "no file" else None)
    assert result in after


def test_rm_is_refused_for_a_file_of_two_names(folder):
    os.link(folder / "a.txt", folder / "other")
    before = contents(folder)
    for name in ("a.txt", "other"):
        assert "has 2 hard links, ignored" in run("compress", "--rm", name, cwd=folder, code=1)[1]
    assert contents(folder) == before
    run("compress", "--rm", "-f", "other", cwd=folder)
    assert set(contents(folder)) == {"a.txt", "b.catz", "other.catz"}


@pytest.mark.parametrize(("bit", "name"), [(0o4000, "setuid"), (0o2000, "setgid"), (0o1000, "sticky")])
def test_rm_is_refused_where_bits_would_be_lost(bit, name, folder):
    for file, command in (("a.txt", "compress"), ("b.catz", "decompress")):
        (folder / file).chmod(0o755 | bit)
        assert f"has its {name} bit set" in run(command, "--rm", file, cwd=folder, code=1)[1]
        assert set(contents(folder)) == {"a.txt", "b.catz"}
    run("compress", "--rm", "-f", "a.txt", cwd=folder)
    assert (folder / "a.txt.catz").stat().st_mode & 0o7777 == 0o755


class Hesitant(io.RawIOBase):
    """A source that often has nothing yet, and says so as raw files do, or as buffered ones do."""

    def __init__(self, data, says):
        self.data, self.says, self.turn = io.BytesIO(data), says, 0

    def readable(self):
        return True

    def read(self, size=-1):
        self.turn += 1
        if self.turn % 2:
            return self.data.read(min(size, 97) if size > 0 else 97)
        if self.says is None:
            return None
        raise self.says


@pytest.mark.parametrize("says", [None, BlockingIOError()], ids=["None", "BlockingIOError"])
def test_a_source_that_has_nothing_yet_is_not_at_its_end(says):
    out, back = io.BytesIO(), io.BytesIO()
    compress_stream(Hesitant(PROSE, says), out, models=MODELS, model="table-bytes")
    assert decompress(out.getvalue()) == PROSE
    decompress_stream(Hesitant(out.getvalue(), says), back, models=MODELS)
    assert back.getvalue() == PROSE
    assert list_frames(Hesitant(PACKED, says)) == list_frames(Pipe(PACKED))


def without_blocking(descriptor):
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)


def unread(descriptor):
    """How many bytes wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4), sys.byteorder)


@pytest.mark.parametrize("words", [["compress", "-c"], ["compress", "-", "-o", "out.catz"]], ids=" ".join)
def test_standard_input_that_does_not_block_is_waited_for(words, folder):
    ours, theirs = os.pipe()
    without_blocking(ours)

    def feed():
        for at in range(0, len(PROSE), 100):
            os.write(theirs, PROSE[at : at + 100])
            deadline = time.monotonic() + 30
            while unread(ours) and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.05)
        os.close(theirs)

    feeder = threading.Thread(target=feed)
    feeder.start()
    packed, _ = run(*words, cwd=folder, stdin=ours)
    feeder.join()
    os.close(ours)
    assert decompress(packed or (folder / "out.catz").read_bytes()) == PROSE


@pytest.mark.parametrize("what", ["bytes", "text"])
def test_standard_output_that_does_not_block_is_waited_for(what, folder):
    noise = os.urandom(1 << 18)
    (folder / "noise.catz").write_bytes(compress(noise))
    words = ["cat", "noise.catz"] if what == "bytes" else ["list", "--json", *["b.catz"] * 300]
    ours, theirs = os.pipe()
    without_blocking(theirs)
    command = [sys.executable, HERE / "meddling.py", "", *words]
    child = subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    while unread(ours) < 50_000 and child.poll() is None:
        time.sleep(0.02)
    time.sleep(0.2)  # now it has met a pipe that is full
    with open(ours, "rb") as file:
        got = file.read()
    assert child.communicate(timeout=60)[1] == b"" and child.returncode == 0
    assert got == noise if what == "bytes" else (got.count(b'"b.catz"'), got[-2:]) == (300, b"]\n")


def test_a_source_that_fails_in_the_middle(folder):
    """The end of a terminal gives what was typed, and then an error."""
    ours, theirs = pty.openpty()
    os.write(theirs, b"half of it\n")
    os.close(theirs)
    _, said = run("compress", "-", "-o", "x.catz", cwd=folder, stdin=ours, code=1)
    os.close(ours)
    assert said.startswith("catzip: standard input: input/output error. The device or the connection fails")
    assert set(contents(folder)) == {"a.txt", "b.catz"}


STDOUTS = ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "link"]


@pytest.mark.parametrize("name", STDOUTS)
def test_a_name_of_standard_output_is_standard_output(name, folder):
    (folder / "link").symlink_to("/dev/stdout")
    (folder / "all.catz").write_bytes(PACKED)
    for words in (["compress", "a.txt"], ["compress", "-f", "a.txt"]):
        with (folder / "all.catz").open("ab") as out:
            run(*words, "-o", name, cwd=folder, stdout=out)
    assert decompress((folder / "all.catz").read_bytes()) == PROSE * 3
    assert "--rm goes with files" in run("compress", "--rm", "a.txt", "-o", name, cwd=folder, code=2)[1]
    assert decompress(run("compress", "a.txt", "-o", name, cwd=folder)[0]) == PROSE


@pytest.mark.parametrize("name", ["/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"])
def test_a_name_of_standard_input_is_standard_input(name, folder):
    before = set(os.listdir("/dev"))
    packed, said = run("compress", name, cwd=folder, input=PROSE)
    assert decompress(packed) == PROSE and said == ""
    with (folder / "a.txt").open("rb") as file:
        os.lseek(file.fileno(), 100, os.SEEK_SET)
        assert decompress(run("compress", name, cwd=folder, stdin=file)[0]) == PROSE[100:]
    assert "not with standard input" in run("compress", "--rm", name, cwd=folder, input=PROSE, code=2)[1]
    assert set(os.listdir("/dev")) == before


def test_other_descriptors_are_written_to_and_read_as_they_are(folder):
    (folder / "log").write_bytes(b"first ")
    with (folder / "log").open("ab") as log, (folder / "a.txt").open("rb") as source:
        words = ["decompress", "b.catz", "-o", f"/dev/fd/{log.fileno()}"]
        run(*words, cwd=folder, pass_fds=[log.fileno()])
        name = f"/dev/fd/{source.fileno()}"
        assert decompress(run("compress", name, cwd=folder, pass_fds=[source.fileno()])[0]) == PROSE
        done = run("compress", "--rm", name, cwd=folder, pass_fds=[source.fileno()], code=2)
        assert "not with standard input" in done[1]
    assert (folder / "log").read_bytes() == b"first " + PROSE


def test_nothing_is_moved_over_what_is_no_file(folder):
    _, said = run("compress", "-f", "a.txt", cwd=folder, deed="import os; os.mkfifo('a.txt.catz')", code=1)
    assert "a.txt.catz: is no regular file, and not replaced" in said
    assert (folder / "a.txt.catz").is_fifo()


OPEN = """
import catzip, sys
with catzip.open("/dev/stdin") as source, catzip.open("/dev/stdout", "wb", "ar-bytes-s") as target:
    source.read(10), source.seek(0)
    target.write(source.read())
"""


def test_open_takes_names_of_streams_for_streams(folder):
    blob = catzip.compress(PROSE, "ar-bytes-s")
    (folder / "in").write_bytes(b"before" + blob)
    (folder / "out").write_bytes(blob)
    with (folder / "in").open("rb", buffering=0) as source, (folder / "out").open("ab") as target:
        source.seek(6)
        words = [sys.executable, "-P", "-c", OPEN]
        subprocess.run(words, cwd=folder, stdin=source, stdout=target, timeout=60, check=True)
    assert (folder / "out").read_bytes() == blob * 2
