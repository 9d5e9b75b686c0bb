"""The command on a system that has fewer signals and system calls than Linux, such as Windows: imitated here."""

import subprocess
import sys

import pytest

LACKING = """
import os, random, select, signal, sys

for name in ("SIGHUP", "SIGXCPU", "SIGPIPE"):
    delattr(signal, name)
for name in ("fchown", "fchmod", "sched_getaffinity", "register_at_fork", "O_CLOEXEC", "O_TMPFILE",
             "O_NOFOLLOW", "O_NONBLOCK"):
    delattr(os, name)
os.supports_fd = set()
del select.poll

from catzip.cli import main
main()
"""


@pytest.mark.parametrize("model", ["ar-bytes-s", "ardm-text8"])
def test_there_and_back_without_what_only_posix_has(model, tmp_path):
    """The same bytes as here, whatever is missing there."""

    def catzip(*words, lacking):
        program = ["-P", "-c", LACKING] if lacking else ["-P", "-m", "catzip"]
        subprocess.run([sys.executable, *program, *words], cwd=tmp_path, check=True, timeout=120)

    text = ("it is not down in any map " * 40 + "True places never are.").encode()
    (tmp_path / "a.txt").write_bytes(text)
    catzip("compress", "-q", "-m", model, "a.txt", lacking=True)
    catzip("compress", "-q", "-m", model, "a.txt", "-o", "b.catz", lacking=False)
    assert (tmp_path / "a.txt.catz").read_bytes() == (tmp_path / "b.catz").read_bytes()
    catzip("decompress", "-q", "b.catz", "-o", "b.txt", lacking=True)
    assert (tmp_path / "b.txt").read_bytes() == text
