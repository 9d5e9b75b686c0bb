"""Where the system lets no second thread be started, one does all of the work, and the bytes are the same."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from clitools import CATZIP
from golden_networks import FOLDER

import catzip
from catzip.compressor.errors import CatzipError
from catzip.compressor.files.channel import Worker
from catzip.models.backends import workers
from catzip.models.backends.workers import Workers

TEXT = b"the cat sat on the mat and looked at the rain, and went. " * 60
NOBODY = 3005
CAPABILITIES = "+dac_override,+dac_read_search"  # so that it can read the package, wherever that is


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None can be started, and those that were are forgotten."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers._pool.cache_clear()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    yield
    workers._pool.cache_clear()


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))


def test_groups_are_run_one_after_the_other(no_threads: None):
    groups = [slice(0, 1), slice(1, 2), slice(2, 3)]
    seen: list[int] = []

    def run(i: int) -> int:
        seen.append(threading.get_ident())
        return i * i

    assert Workers(3).map(run, groups) == [0, 1, 4]
    assert set(seen) == {threading.get_ident()} and len(seen) == 3


def test_an_error_of_a_group_is_raised(no_threads: None):
    with pytest.raises(ZeroDivisionError):
        Workers(2).map(lambda i: 1 // (i - 1), [slice(0, 1), slice(1, 2)])


def test_items_are_made_when_they_are_wanted(no_threads: None):
    assert list(Workers(2).ahead(iter(range(5)))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("allowed", [1, 2])
def test_some_threads_are_not_all(allowed: int, monkeypatch: pytest.MonkeyPatch):
    """Where the limit is met in the middle, nothing is run twice."""
    workers._pool.cache_clear()
    start, started = threading.Thread.start, []

    def limited(thread: threading.Thread) -> None:
        if len(started) == allowed:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    ran: list[int] = []
    groups = [slice(i, i + 1) for i in range(5)]
    assert Workers(5).map(lambda i: ran.append(i) or i, groups) == [0, 1, 2, 3, 4]
    assert sorted(ran) == [0, 1, 2, 3, 4]
    for thread in started:
        thread.join(10)
    workers._pool.cache_clear()


def test_files_are_the_same(networks: None, monkeypatch: pytest.MonkeyPatch):
    made = catzip.compress(TEXT, model="tiny-text27", threads=3)
    workers._pool.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("no")))
        assert catzip.compress(TEXT, model="tiny-text27", threads=3) == made
        assert catzip.decompress(made, threads=3) == TEXT
    workers._pool.cache_clear()


def test_a_thread_of_a_file_object_that_cannot_be_started_is_named(no_threads: None):
    with pytest.raises(CatzipError, match=r"takes a thread of its own.*catzip\.decompress"):
        Worker(lambda: None)


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None, reason="takes root, and setpriv")
@pytest.mark.parametrize(
    "command", [["compress", "-c", "a.txt"], ["models", "list"], ["sample", "-m", "tiny-text27"]]
)
def test_commands_of_a_user_who_may_have_one_process(command: list[str], tmp_path: Path):
    """The BLAS would end the process where it cannot start its threads."""
    tmp_path.chmod(0o755)
    (tmp_path / "a.txt").write_bytes(TEXT)
    env = {**os.environ, "CATZIP_MODELS": str(FOLDER / "models")}
    env.pop("OPENBLAS_NUM_THREADS", None)
    user = ["setpriv", f"--reuid={NOBODY}", "--regid=4000", "--clear-groups", f"--inh-caps={CAPABILITIES}"]
    limited = ["prlimit", "--nproc=1", *user, f"--ambient-caps={CAPABILITIES}", str(CATZIP)]
    probe = subprocess.run([*limited[:-1], sys.executable, "-c", "pass"], env=env, capture_output=True)
    if probe.returncode:
        pytest.skip("no such user can run Python here")
    done = subprocess.run([*limited, *command], cwd=tmp_path, env=env, capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    if command[0] == "compress":
        assert catzip.decompress(done.stdout) == TEXT
