"""No file is open to more people than what it was made from or what it replaces; while it is written, to fewer."""

import errno
import os
import re
import traceback
from pathlib import Path

import pytest
from clitools import contents, run
from helpers import TEXT, compress, decompress

import catzip
from catzip.commands.files import open_source, open_target
from catzip.compressor.files import temporary
from catzip.models import checkpoint

PROSE = TEXT.encode()
ALICE, BOB = 3001, 3002
SECRET, EVERYBODY = 2001, 4000

as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives files away")


@pytest.fixture(params=["unnamed", "named"])
def kind(request, monkeypatch):
    """Whether files that are written have names: in this process, and in those that it starts."""
    if request.param == "named":
        monkeypatch.setattr(temporary, "_UNNAMED", 0)
        monkeypatch.setenv("ALL_FILES_HAVE_NAMES", "1")


@pytest.fixture
def folder(tmp_path):
    own = [each for each in tmp_path.parents if each.name.startswith(("pytest-", "popen-"))]  # pytest's
    for each in (tmp_path, *own):
        each.chmod(0o777)
    return tmp_path


def facts(path):
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


def owned(path, owner, group, mode):
    path.write_bytes(PROSE)
    os.chown(path, owner, group)
    path.chmod(mode)


@as_root
@pytest.mark.parametrize(
    ("groups", "mode", "expected"),
    [
        ([SECRET], 0o640, (BOB, SECRET, 0o640)),
        ([], 0o664, (BOB, EVERYBODY, 0o644)),
        ([], 0o604, (BOB, EVERYBODY, 0o600)),
        ([], 0o6775, (BOB, EVERYBODY, 0o755)),
    ],
)
def test_the_group_is_kept_or_has_no_rights_of_its_own(groups, mode, expected, folder, monkeypatch):
    """Bob compresses a file of Alice: he cannot give his own away, only to a group that he is in."""
    owned(folder / "a.txt", ALICE, SECRET, mode)
    monkeypatch.chdir(folder)

    def compress_it():
        with open_source("a.txt") as source, open_target("b", source=source, force=False) as target:
            target.write(compress(source.read()))

    assert in_a_process_of(BOB, [EVERYBODY, *groups], compress_it) == 0
    assert facts(folder / "b") == expected


def in_a_process_of(user, groups, job):
    """Do a job as this user, in the first group and the others too; the exit code."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        os.setgroups(groups)
        os.setresgid(groups[0], groups[0], groups[0])
        os.setresuid(user, user, user)
        job()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


SHOW = """
import os, sys
from pathlib import Path
for each in [*Path('/proc/self/fd').iterdir(), *Path('.').glob('.catzip-*')]:
    if each.name.startswith('.catzip') or each.exists() and '/#' in os.readlink(each):
        print('mode', oct(os.stat(each).st_mode & 0o777), file=sys.stderr)
"""


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_a_file_that_is_written_is_for_its_owner_alone(mode, folder, kind):
    (folder / "a.txt").write_bytes(PROSE)
    (folder / "a.txt").chmod(mode)
    said = run("compress", "-q", "a.txt", cwd=folder, deed=SHOW)[1]
    assert re.findall("mode (.*)", said) == [oct(mode & 0o600)], said
    assert facts(folder / "a.txt.catz")[2] == mode


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_what_is_replaced_keeps_its_permissions(mode, folder, kind):
    path = folder / "a.catz"
    path.write_bytes(b"old")
    path.chmod(mode)
    with catzip.open(path, "wb", "ar-bytes-s") as file:
        file.write(PROSE)
    assert facts(path)[2] == mode and catzip.open(path).read() == PROSE
    run("compress", "-f", "-", "-o", "a.catz", cwd=folder, input=PROSE)
    assert facts(path)[2] == mode and decompress(path.read_bytes()) == PROSE


@as_root
def test_what_is_replaced_keeps_its_owner(folder, kind):
    path = folder / "a.catz"
    owned(path, ALICE, SECRET, 0o640)
    with catzip.open(path, "wb", "ar-bytes-s") as file:
        file.write(PROSE)
    assert facts(path) == (ALICE, SECRET, 0o640)


def test_all_names_of_a_file_see_what_is_written(folder, kind):
    path, other = folder / "a.catz", folder / "other"
    path.write_bytes(b"old" * 1000)
    os.link(path, other)
    with pytest.raises(KeyError), catzip.open(path, "wb", "ar-bytes-s") as file:
        raise KeyError
    assert other.read_bytes() == b"old" * 1000
    with catzip.open(path, "wb", "ar-bytes-s") as file:
        file.write(PROSE)
        assert other.read_bytes() == b"old" * 1000
    assert path.samefile(other) and catzip.open(other).read() == PROSE
    assert set(contents(folder)) == {"a.catz", "other"}


def test_what_cannot_be_written_through_stays_whole_beside(folder, kind, monkeypatch):
    path = folder / "a.catz"
    path.write_bytes(b"old")
    os.link(path, folder / "other")

    def full(source, target):
        target.write(source.read(5))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="the whole file is") as caught:
        patch.setattr(temporary, "_copy", full)
        with catzip.open(path, "wb", "ar-bytes-s") as file:
            file.write(PROSE)
    kept = Path(re.search("the whole file is (.*)", caught.value.strerror)[1])
    assert caught.value.filename == str(path) and catzip.open(kept).read() == PROSE


def test_the_command_parts_names_and_says_so(folder):
    """Its results have the permissions of their source, so the old file cannot become one."""
    (folder / "a.txt").write_bytes(PROSE)
    (folder / "a.txt.catz").write_bytes(b"old")
    os.link(folder / "a.txt.catz", folder / "other")
    _, said = run("compress", "-q", "-f", "a.txt", cwd=folder)
    assert said == "catzip: a.txt.catz: had 2 hard links; under the others is what was there before\n"
    assert (folder / "other").read_bytes() == b"old"


def test_weights_are_for_whom_the_umask_says(tmp_path):
    before = os.umask(0o077)
    try:
        checkpoint.save(tmp_path / "a.safetensors", checkpoint.Checkpoint({"family": "x", "model": {}}, {}))
    finally:
        os.umask(before)
    assert facts(tmp_path / "a.safetensors")[2] == 0o600


def test_directories_are_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError):
        catzip.open(tmp_path, "wb")
    assert not contents(tmp_path)
