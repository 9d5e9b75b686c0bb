"""Running the command line as a user does: the installed console script, in a process of its own."""

import ctypes
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catzip.cli import SIGNALS

CATZIP = Path(sys.executable).with_name("catzip")
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def catzip(*arguments, cwd, stdin=b"", code=0, **options):
    """Run `catzip` in `cwd` and check its exit code; what it wrote to stdout (bytes) and stderr (text)."""
    if isinstance(stdin, bytes):
        options["input"] = stdin
    else:
        options["stdin"] = stdin
    options.setdefault("stdout", subprocess.PIPE)
    words = [CATZIP, *map(str, arguments)]
    done = subprocess.run(words, cwd=cwd, stderr=subprocess.PIPE, timeout=120, **options)
    done.stderr = done.stderr.decode()
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def start(*arguments, cwd, **options):
    """Start `catzip` and leave it running."""
    words = [CATZIP, *map(str, arguments)]
    return subprocess.Popen(words, cwd=cwd, stderr=subprocess.PIPE, preexec_fn=heed_signals, **options)


def heed_signals():
    """As at a terminal: tests that run in the background, or under nohup, would pass on that signals are ignored."""
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_DFL)


def wait_for_work(child, folder):
    """Wait until a command writes a file in `folder`, which on Linux has no name, and elsewhere one that begins so."""
    deadline = time.monotonic() + 60
    while not list(folder.glob(".catzip-*.tmp")) and not _unnamed(child.pid, folder):
        assert child.poll() is None, child.communicate()[1].decode()
        assert time.monotonic() < deadline, "no temporary file appeared"
        time.sleep(0.01)


def _unnamed(pid, folder):
    """Whether a process has a file open in a folder that has no name there."""
    try:
        found = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # no such folder, or one closed meanwhile
        return False
    return any(name.startswith(f"{folder.resolve()}/#") and name.endswith(" (deleted)") for name in found)


def on_terminal(*arguments, cwd, code=0, **options):
    """Run `catzip` with a terminal for stdin, stdout and stderr; all that it showed there (bytes)."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [CATZIP, *map(str, arguments)], cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, **options
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(60) == code, bytes(shown)
    return bytes(shown)


def contents(folder):
    """Every file of a folder with its bytes: to see that nothing appeared, vanished or changed."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def without_root_powers():
    """For `preexec_fn`: file permissions bind root too, from the next exec on."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def need_permissions(folder):
    """Skip where even so a file without read permission can be read."""
    probe = folder / "probe"
    probe.touch(0o000)
    done = subprocess.run(["cat", probe], preexec_fn=without_root_powers, capture_output=True)
    probe.unlink()
    if done.returncode == 0:
        pytest.skip("file permissions do not bind this user")


def run(*words, cwd, deed="", code=0, **options):
    """The command line with a model of its own, which does this deed while it codes."""
    command = [sys.executable, Path(__file__).parent / "meddling.py", deed, *map(str, words)]
    options.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run(command, cwd=cwd, stderr=subprocess.PIPE, timeout=120, **options)
    said = done.stderr.decode()
    assert done.returncode == code and "Traceback" not in said, said
    return done.stdout, said
