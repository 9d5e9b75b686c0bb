"""Open files and forks: a child reads on, and never touches what its parent writes."""

import os
import subprocess
import sys

import pytest

import catzip

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")

DATA = b"".join(b"line %d\n" % i for i in range(2000))

PROLOGUE = """
import os, signal, sys, time
import catzip
def child(job, exits=os._exit):
    pid = os.fork()
    if pid == 0:
        signal.alarm(50)
        job()
        exits(0)
    return pid
def ended(pid):
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status
path = sys.argv[1]
"""


def run(program: str, path) -> str:
    """Run it in a process of its own; what it printed."""
    words = [sys.executable, "-P", "-W", "ignore", "-c", PROLOGUE + program, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def blob():
    return catzip.compress(DATA, "ar-bytes-s")


@pytest.fixture
def path(blob, tmp_path):
    path = tmp_path / "a.catz"
    path.write_bytes(blob)
    return path


def test_a_child_reads_on_and_so_does_its_parent(path):
    """Each from where the file was; also where the child has closed it."""
    program = """
file = catzip.open(path)
first = file.read(100)
def job():
    rest = file.read()
    assert file.seek(0) == 0
    assert file.read() == first + rest
    print(len(rest), flush=True)
    file.close()
ended(child(job))
print(len(file.read()))
"""
    assert run(program, path).split() == [str(len(DATA) - 100)] * 2


def test_one_that_was_not_begun_is_begun_in_each(path):
    program = """
file = catzip.open(path)
pids = [child(lambda: print(len(file.read()), flush=True)) for _ in range(2)]
print(len(file.read()), flush=True)
for pid in pids: ended(pid)
"""
    assert run(program, path).split() == [str(len(DATA))] * 3


def test_the_text_of_a_file_too_and_one_that_has_lost_its_name(path):
    program = """
file = catzip.open(path, "rt")
first = next(file)
os.unlink(path)
ended(child(lambda: print(len(list(file)), flush=True)))
print(len(list(file)))
"""
    assert run(program, path).split() == ["1999", "1999"]


def test_multiprocessing(path):
    program = """
import multiprocessing
file = catzip.open(path)
file.read(5)
def job(i):
    file.seek(i)
    return len(file.read())
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(*pool.map_async(job, [0, 1, 2]).get(50))
"""
    assert run(program, path).split() == [str(len(DATA) - i) for i in range(3)]


def test_a_pipe_cannot_be_read_anew(path):
    """Which is said at once."""
    program = """
pipe = path + ".pipe"
os.mkfifo(pipe)
def feed():
    with open(pipe, "wb") as file, open(path, "rb") as source: file.write(source.read())
feeder = child(feed)
file = catzip.open(pipe)
first = file.read(5)
def job():
    try: file.read(1 << 20)
    except ValueError as error: print(error, flush=True)
ended(child(job))
print(len(first + file.read()))
ended(feeder)
"""
    said, length = run(program, path).splitlines()
    assert "was open before a fork" in said and int(length) == len(DATA)


@pytest.mark.parametrize("exits", ["os._exit", "sys.exit"])
@pytest.mark.parametrize("mode", ["wb", "wt"])
def test_the_end_of_a_child_leaves_what_its_parent_writes(exits, mode, tmp_path):
    program = f"""
data = "half of it\\n" * 5000
data = data if {mode!r} == "wt" else data.encode()
file = catzip.open(path, {mode!r})
file.write(data)
for _ in range(3): ended(child(lambda: None, {exits}))
file.write(data)
file.close()
"""
    run(program, tmp_path / "a.catz")
    assert catzip.decompress((tmp_path / "a.catz").read_bytes()) == b"half of it\n" * 10000
    assert os.listdir(tmp_path) == ["a.catz"]


def test_nothing_is_written_twice(tmp_path):
    """What lies in a buffer at a fork, such as the header of a file, is written by the parent alone: to pipes, too."""
    program = """
os.mkfifo(path)
def take():
    with open(path, "rb") as pipe: data = pipe.read()
    print(catzip.decompress(data) == b"to be or not " * 4000, flush=True)
taker = child(take)
file = catzip.open(path, "wb")
for _ in range(2):
    file.write(b"to be or not " * 2000)
    time.sleep(0.3)
    ended(child(lambda: None, sys.exit))
file.close()
ended(taker)
"""
    assert run(program, tmp_path / "pipe").split() == ["True"]


def test_a_child_cannot_write_and_is_told(tmp_path):
    program = """
with catzip.open(path, "wb") as file:
    file.write(b"whole")
    def job():
        try: file.write(b"broken")
        except ValueError as error: print(error, flush=True)
        file.close()
        with catzip.open(path + ".other", "wb") as mine: mine.write(b"my own")
    ended(child(job, sys.exit))
"""
    assert "was open before a fork: it is for the process that opened it" in run(program, tmp_path / "a.catz")
    found = {name: catzip.decompress((tmp_path / name).read_bytes()) for name in os.listdir(tmp_path)}
    assert found == {"a.catz": b"whole", "a.catz.other": b"my own"}


def test_an_exception_in_a_child_discards_nothing(tmp_path):
    program = """
with catzip.open(path, "wb") as file:
    file.write(b"whole")
    if os.fork() == 0:
        sys.exit(0)
    assert os.wait()[1] == 0
"""
    run(program, tmp_path / "a.catz")
    assert catzip.decompress((tmp_path / "a.catz").read_bytes()) == b"whole"


def test_forks_while_threads_are_at_work(path):
    """Whatever locks they hold at that moment."""
    program = """
import threading
stop = threading.Event()
def write():
    with catzip.open(path + ".out", "wb") as out:
        while not stop.wait(0.01): out.write(os.urandom(1 << 14))
def read():
    while not stop.is_set():
        with catzip.open(path) as mine: mine.read(1000)
others = [threading.Thread(target=write), threading.Thread(target=read)]
for other in others: other.start()
file = catzip.open(path)
file.read(10)
for _ in range(12):
    ended(child(lambda: file.read(100), sys.exit))
    time.sleep(0.05)
stop.set()
for other in others: other.join()
print(len(file.read()))
"""
    assert run(program, path).split() == [str(len(DATA) - 10)]
