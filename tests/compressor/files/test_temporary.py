"""Files that are not whole yet: without a name where that can be, else known by their names, and cleaned up."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clitools import contents, start, wait_for_work

from catzip.benchmarks.results import Run
from catzip.compressor.files import temporary
from catzip.compressor.files.atomic import replacing
from catzip.compressor.files.streams import Patient
from catzip.compressor.files.temporary import Temporary


@pytest.fixture
def named(monkeypatch):
    monkeypatch.setattr(temporary, "_UNNAMED", 0)


@pytest.fixture
def aged(monkeypatch):
    """A minute has passed since everything."""
    monkeypatch.setattr(temporary, "TOO_YOUNG", -1.0)
    temporary._left_behind.cache_clear()


def write(target, data=b"new", overwrite=True):
    with replacing(target, overwrite=overwrite) as sink:
        sink.write(data)


def test_a_process_that_is_killed_leaves_nothing(tmp_path):
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except (AttributeError, OSError):
        pytest.skip("no files without names here")
    (tmp_path / "b.catz").write_bytes(b"precious")
    child = start("compress", "-f", "-", "-o", "b.catz", cwd=tmp_path, stdin=subprocess.PIPE)
    wait_for_work(child, tmp_path)
    child.kill()
    child.communicate(timeout=30)
    assert contents(tmp_path) == {"b.catz": b"precious"}


KILLED = """
import os, signal, sys
from pathlib import Path
from catzip.compressor.files import temporary
from catzip.compressor.files.atomic import replacing
temporary._UNNAMED = 0
with replacing(Path(sys.argv[1]), overwrite=True) as sink:
    sink.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left(target):
    """What a process has left that was killed while it wrote the target."""
    child = subprocess.Popen([sys.executable, "-P", "-c", KILLED, target])
    assert child.wait(60) == -signal.SIGKILL
    (found,) = target.parent.glob(f".catzip-*-{child.pid}-*.tmp")
    return found


def test_what_a_killed_process_has_left_tells_whose_it_is_and_goes_with_the_next_one(tmp_path, named, aged):
    target = tmp_path / "a"
    rest = left(target)
    assert os.uname().nodename in rest.name
    write(tmp_path / "b")
    assert rest.exists()  # it is not of this target
    write(target)
    assert contents(tmp_path) == {"a": b"new", "b": b"new"}


def test_files_without_names_clean_up_as_well(tmp_path, aged):
    left(tmp_path / "a")
    write(tmp_path / "a")
    assert contents(tmp_path) == {"a": b"new"}


def test_what_is_too_young_to_judge_stays(tmp_path):
    rest = left(tmp_path / "a")
    temporary._left_behind.cache_clear()
    write(tmp_path / "a")
    assert rest.exists()


def test_what_another_host_or_a_living_process_writes_stays(tmp_path, aged):
    rest = left(tmp_path / "a")
    pid = rest.name.split("-")[-2]
    elsewhere = rest.rename(rest.with_name(rest.name.replace(os.uname().nodename, "elsewhere")))
    alive = rest.with_name(rest.name.replace(f"-{pid}-", f"-{os.getpid()}-"))
    other = rest.with_name(rest.name.replace(f"-{pid}-", "-1-"))
    for each in (alive, other):
        each.write_bytes(b"half")
    temporary._left_behind.cache_clear()
    write(tmp_path / "a")
    assert elsewhere.exists() and alive.exists() and other.exists()


def test_what_is_locked_stays(tmp_path, aged):
    """As of a process in another container, which has the name of this host but other numbers."""
    rest = left(tmp_path / "a")
    with rest.open("r+b") as held:
        assert temporary._locked(held.fileno())
        temporary._left_behind.cache_clear()
        write(tmp_path / "a")
        assert rest.exists()


def test_a_file_that_is_being_written_is_locked(tmp_path, named):
    for each in (Temporary(tmp_path / "a", 0o600),):
        (path,) = tmp_path.glob(".catzip-*")
        with path.open("rb") as other:
            assert not temporary._locked(other.fileno())
        each.discard()
    assert not contents(tmp_path)


def test_a_link_that_looks_like_one_leads_nowhere(tmp_path, aged):
    rest = left(tmp_path / "a")
    (tmp_path / "precious").write_bytes(b"precious")
    rest.unlink()
    rest.symlink_to("precious")
    temporary._left_behind.cache_clear()
    write(tmp_path / "a")
    assert rest.is_symlink() and (tmp_path / "precious").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_where_a_file_cannot_get_a_name_it_is_copied(tmp_path, monkeypatch, overwrite):
    def refuse(*names, **options):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", refuse)
    if overwrite:
        (tmp_path / "a").write_bytes(b"old")
        (tmp_path / "a").chmod(0o640)
    write(tmp_path / "a", overwrite=overwrite)
    assert contents(tmp_path) == {"a": b"new"}
    if overwrite:
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    with pytest.raises(FileExistsError):
        write(tmp_path / "a", b"newer", overwrite=False)
    assert contents(tmp_path) == {"a": b"new"}


@pytest.mark.parametrize("unnamed", [False, True])
def test_what_appeared_meanwhile_is_not_overwritten(tmp_path, unnamed, monkeypatch):
    if not unnamed:
        monkeypatch.setattr(temporary, "_UNNAMED", 0)
    with pytest.raises(FileExistsError), replacing(tmp_path / "a", overwrite=False) as sink:
        sink.write(b"new")
        (tmp_path / "a").write_bytes(b"precious")
    assert contents(tmp_path) == {"a": b"precious"}


def test_a_child_leaves_the_file_to_its_parent(tmp_path, named):
    mine = Temporary(tmp_path / "a", 0o600)
    pid = os.fork()
    if pid == 0:
        mine.discard()
        os._exit(0)
    os.waitpid(pid, 0)
    assert list(tmp_path.glob(".catzip-*"))
    mine.file.write(b"new")
    mine.replace()
    assert contents(tmp_path) == {"a": b"new"}


def test_a_folder_is_listed_once_a_minute(tmp_path, monkeypatch):
    """Many files in one large folder do not take the square of their number."""
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    for name in "abc":
        write(Path(tmp_path / name))
    assert listed == [tmp_path]


def test_results_of_a_benchmark_are_whole_or_as_they_were(tmp_path, monkeypatch):
    """They are written anew after each row, and hours went into them."""
    run = Run("catzip bench", "2026-01-01", "0", None, {}, {}, [])
    run.save(tmp_path / "run.json")
    whole = Patient.write

    def fail(file, data):
        whole(file, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Patient, "write", fail)
    with pytest.raises(OSError, match="No space"):
        run.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == run
    assert set(contents(tmp_path)) == {"run.json"}
