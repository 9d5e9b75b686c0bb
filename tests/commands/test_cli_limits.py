"""--memlimit and --max-output through the real command, on files that claim more than their bytes can hold."""

import os
import time

import bombs
import pytest
from clitools import catzip, contents, start

from catzip.commands.options import _size
from catzip.models.registry import Registry

TEXT = b"What is sound stays sound. " * 200


@pytest.fixture(scope="module")
def sleeper():
    """A file of less than 200 bytes that would take minutes: 64 lanes of a recurrent network, 262144 steps long."""
    model, count = Registry("cpu", 1).by_name("ar-bytes"), 1 << 24
    blob = bombs.member([(bombs.coded(model, count, (64, 1 << 11)), count)])
    assert len(blob) < 200
    return blob


@pytest.fixture(scope="module")
def compressed(tmp_path_factory):
    """A sound file."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "a").write_bytes(TEXT)
    catzip("compress", "a", "-m", "ar-bytes-s", cwd=folder)
    return (folder / "a.catz").read_bytes()


def test_a_small_file_cannot_keep_the_decoder_busy(sleeper, tmp_path):
    (tmp_path / "a.catz").write_bytes(sleeper)
    before = contents(tmp_path)
    for command in ("test", "decompress", "cat"):
        done = catzip(command, "a.catz", cwd=tmp_path, code=1)
        assert "a.catz: a frame of" in done.stderr and "than its" not in done.stderr
        assert "--max-output SIZE" in done.stderr and done.stdout == b""
    done = catzip("cat", "--range", "5", "5", "a.catz", cwd=tmp_path, code=1)
    assert "--max-output SIZE" in done.stderr
    assert contents(tmp_path) == before


def test_it_can_be_asked_to(sleeper, tmp_path):
    """And can be stopped then."""
    (tmp_path / "a.catz").write_bytes(sleeper)
    child = start("test", "--max-output", "16M", "a.catz", cwd=tmp_path)
    time.sleep(5)
    assert child.poll() is None
    child.terminate()
    assert child.wait(10) != 0
    assert b"stopped by SIGTERM" in child.communicate()[1]


@pytest.mark.parametrize("command", ["test", "decompress", "cat"])
def test_no_more_is_written_than_may_be(command, compressed, tmp_path):
    (tmp_path / "a.catz").write_bytes(compressed)
    before = contents(tmp_path)
    done = catzip(command, "--max-output", len(TEXT) - 1, "a.catz", cwd=tmp_path, code=1)
    assert done.stderr.startswith(
        f"catzip: a.catz: the output is larger than {len(TEXT) - 1} bytes, which is the limit"
    )
    assert done.stdout == b"" and contents(tmp_path) == before
    catzip(command, "--max-output", len(TEXT), "a.catz", cwd=tmp_path)


def test_stored_content_is_limited_as_it_is_copied(tmp_path):
    data = os.urandom(3 << 20)
    (tmp_path / "a").write_bytes(data)
    catzip("compress", "a", cwd=tmp_path)
    (tmp_path / "a").unlink()
    catzip("decompress", "--max-output", "2M", "a.catz", cwd=tmp_path, code=1)
    assert not (tmp_path / "a").exists()
    done = catzip("cat", "--max-output", "2M", cwd=tmp_path, stdin=(tmp_path / "a.catz").read_bytes(), code=1)
    assert data.startswith(done.stdout) and len(done.stdout) <= 2 << 20


def test_memory_is_limited(compressed, tmp_path):
    (tmp_path / "a.catz").write_bytes(compressed)
    done = catzip("decompress", "--memlimit", "1M", "a.catz", cwd=tmp_path, code=1)
    assert "of memory to decode, and the limit is 1 MiB. Raise it with --memlimit SIZE" in done.stderr
    assert list(contents(tmp_path)) == ["a.catz"]
    for enough in ("1GiB", "none", "0"):
        catzip("test", "--memlimit", enough, "a.catz", cwd=tmp_path)


def test_by_default_it_is_that_of_the_machine(compressed, tmp_path):
    """There is less memory where it is limited."""
    (tmp_path / "a.catz").write_bytes(bombs.member([(bombs.xz(1 << 26), 1 << 26)]))
    catzip("test", "a.catz", cwd=tmp_path)
    import resource

    most = 200 << 20
    done = catzip(
        "test",
        "-T1",
        "a.catz",
        cwd=tmp_path,
        code=1,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert "and the limit is 150 MiB" in done.stderr


def test_zeros_by_the_million_are_decoded_by_default(tmp_path):
    """What `compress` makes of them takes no more work than may be."""
    (tmp_path / "a").write_bytes(bytes(1 << 20))
    (tmp_path / "b").write_bytes(bytes(1 << 15))
    catzip("compress", "a", "b", cwd=tmp_path)
    catzip("compress", "b", "-o", "c.catz", "-m", "ar-bytes-s", cwd=tmp_path)
    assert (tmp_path / "a.catz").stat().st_size < 300
    for name in ("a", "b", "c"):
        done = catzip("decompress", "-c", f"{name}.catz", cwd=tmp_path)
        assert done.stdout == bytes(1 << (20 if name == "a" else 15))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("none", 0),
        ("5000", 5000),
        ("1k", 1024),
        ("64M", 64 << 20),
        ("2GiB", 2 << 30),
        ("3kb", 3072),
        ("1T", 1 << 40),
    ],
)
def test_sizes_are_written_as_for_xz_and_zstd(text, size):
    assert _size(None, None, text) == size


@pytest.mark.parametrize("text", ["", "-5", "5 M", "M", "1.5G", "5X", "5MiBs", "all"])
def test_what_is_no_size_is_a_wrong_command_line(text, tmp_path):
    done = catzip("test", "--max-output", text, "a.catz", cwd=tmp_path, code=2)
    assert "is no size" in done.stderr
