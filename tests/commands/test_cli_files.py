"""The manners of the command line with files: names, overwriting, links, permissions, pipes, terminals."""

import os
import pty
import subprocess
import threading

import pytest
from clitools import CATZIP, catzip, contents, on_terminal

from catzip.commands.progress import clock, progress_line

TEXT = b"It was the best of times, it was the worst of times.\n" * 40


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    return tmp_path


def test_there_and_back_keeping_the_source(folder):
    catzip("compress", "a.txt", cwd=folder)
    packed = contents(folder)
    assert set(packed) == {"a.txt", "a.txt.catz"}
    assert len(packed["a.txt.catz"]) < len(TEXT) // 4
    (folder / "a.txt").unlink()
    catzip("decompress", "a.txt.catz", cwd=folder)
    assert contents(folder) == packed


def test_permissions_and_times_are_kept(folder):
    os.chmod(folder / "a.txt", 0o640)
    os.utime(folder / "a.txt", ns=(10**18, 10**18 + 12345))
    catzip("compress", "a.txt", cwd=folder)
    catzip("decompress", "a.txt.catz", "-o", "b.txt", cwd=folder)
    for name in ("a.txt.catz", "b.txt"):
        found = (folder / name).stat()
        assert (found.st_mode & 0o7777, found.st_mtime_ns) == (0o640, 10**18 + 12345)


def test_standard_input_makes_a_file_as_the_umask_says(folder):
    catzip("compress", "-", "-o", "b.catz", cwd=folder, stdin=TEXT, preexec_fn=lambda: os.umask(0o027))
    assert (folder / "b.catz").stat().st_mode & 0o7777 == 0o640


def test_an_existing_target_is_refused_without_force(folder):
    (folder / "a.txt.catz").write_bytes(b"precious")
    before = contents(folder)
    done = catzip("compress", "a.txt", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: a.txt: a.txt.catz exists already")
    assert "-f" in done.stderr
    assert contents(folder) == before
    catzip("compress", "-f", "a.txt", cwd=folder)
    assert catzip("cat", "a.txt.catz", cwd=folder).stdout == TEXT


def test_the_source_is_never_its_own_target(folder):
    done = catzip("compress", "-f", "a.txt", "-o", "./a.txt", cwd=folder, code=1)
    assert "is the source itself" in done.stderr
    assert contents(folder) == {"a.txt": TEXT}


def test_several_files_and_one_that_is_missing(folder):
    (folder / "b.txt").write_bytes(TEXT[::-1])
    done = catzip("compress", "a.txt", "missing.txt", "b.txt", cwd=folder, code=1)
    assert "catzip: missing.txt: no such file or directory. Check the name\n" in done.stderr
    assert {"a.txt.catz", "b.txt.catz"} <= set(contents(folder))
    assert catzip("cat", "a.txt.catz", "b.txt.catz", cwd=folder).stdout == TEXT + TEXT[::-1]


def test_files_one_after_the_other_on_standard_output_decode_to_the_concatenation(folder):
    (folder / "b.txt").write_bytes(b"more")
    both = catzip("compress", "-c", "a.txt", "b.txt", cwd=folder).stdout
    assert catzip("decompress", cwd=folder, stdin=both).stdout == TEXT + b"more"


def test_a_filter(folder):
    packed = catzip("compress", cwd=folder, stdin=TEXT).stdout
    assert catzip("decompress", "-", cwd=folder, stdin=packed).stdout == TEXT
    assert contents(folder) == {"a.txt": TEXT}


@pytest.mark.parametrize("data", [b"", b"x"])
def test_tiny_files(data, folder):
    packed = catzip("compress", cwd=folder, stdin=data).stdout
    assert len(packed) <= len(data) + 64
    assert catzip("decompress", cwd=folder, stdin=packed).stdout == data


def test_an_unknown_suffix_asks_for_a_name(folder):
    catzip("compress", "a.txt", "-o", "packed", cwd=folder)
    done = catzip("decompress", "packed", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: packed: unknown suffix (.catz expected)")
    assert "-o" in done.stderr
    catzip("decompress", "packed", "-o", "b.txt", cwd=folder)
    assert (folder / "b.txt").read_bytes() == TEXT


def test_rm_removes_a_source_that_came_back_from_its_result(folder):
    catzip("compress", "--rm", "a.txt", cwd=folder)
    assert set(contents(folder)) == {"a.txt.catz"}
    catzip("decompress", "--rm", "a.txt.catz", cwd=folder)
    assert contents(folder) == {"a.txt": TEXT}


def test_rm_is_refused_up_front_where_it_cannot_be_done(folder):
    os.mkfifo(folder / "pipe")  # nobody writes to it: to open it would take for ever
    catzip("compress", "-q", "a.txt", cwd=folder)
    before = contents(folder)
    for command, *words in (["compress", "-o", "x"], ["decompress", "-o", "x"], ["compress", "-o", "x", "-"]):
        done = catzip(command, "--rm", *words, cwd=folder, stdin=TEXT, code=2)
        assert "--rm goes with files, not with standard input" in done.stderr
    done = catzip("compress", "--rm", "pipe", cwd=folder, code=1)
    assert done.stderr == "catzip: pipe: is a pipe, ignored: --rm is for files. Leave out --rm\n"
    for command, name in (("compress", "a.txt"), ("decompress", "a.txt.catz")):
        done = catzip(command, "--rm", name, "-o", "/dev/null", cwd=folder, code=1)
        assert "--rm needs a result that can be read back" in done.stderr
    assert contents(folder) == before


def test_keep_is_the_default(folder):
    catzip("compress", "-k", "a.txt", cwd=folder)
    catzip("decompress", "--keep", "-f", "a.txt.catz", cwd=folder)
    assert set(contents(folder)) == {"a.txt", "a.txt.catz"}


def test_directories_devices_and_links_are_ignored(folder):
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("a.txt")
    assert "is a directory, ignored" in catzip("compress", "folder", cwd=folder, code=1).stderr
    assert "is not a regular file" in catzip("compress", "/dev/null", "-o", "x", cwd=folder, code=1).stderr
    assert "is a symbolic link, ignored" in catzip("compress", "link", cwd=folder, code=1).stderr
    assert not list(folder.glob("*.catz"))
    catzip("compress", "-f", "link", cwd=folder)
    assert catzip("cat", "link.catz", cwd=folder).stdout == TEXT


def test_a_named_pipe_may_be_read_and_a_device_written(folder):
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=lambda: (folder / "pipe").write_bytes(TEXT))
    writer.start()
    catzip("compress", "pipe", "-o", "b.catz", cwd=folder)
    writer.join()
    assert catzip("cat", "b.catz", cwd=folder).stdout == TEXT
    catzip("decompress", "b.catz", "-o", "/dev/null", cwd=folder)


def test_a_closed_pipe_ends_it_quietly(folder):
    catzip("compress", "a.txt", cwd=folder)
    command = f"'{CATZIP}' cat a.txt.catz a.txt.catz | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert done.stderr == ""
    assert int(done.stdout) in (0, 128 + 13)


def test_binary_data_is_not_written_to_a_terminal(folder):
    (folder / "zeros").write_bytes(bytes(1000))
    catzip("compress", "zeros", cwd=folder)
    assert b"not written to a terminal" in on_terminal("compress", "-c", "a.txt", cwd=folder, code=1)
    assert b"not written to a terminal" in on_terminal("cat", "zeros.catz", cwd=folder, code=1)
    assert on_terminal("cat", "-f", "zeros.catz", cwd=folder) == bytes(1000)
    assert b"no FILE given" in on_terminal("compress", cwd=folder, code=2)


def test_quiet_and_verbose(folder):
    usual = catzip("compress", "a.txt", cwd=folder).stderr
    assert usual.startswith("a.txt: 2120 => ") and usual.count("\n") == 1
    assert catzip("compress", "-qf", "a.txt", cwd=folder).stderr == ""
    assert "frame" in catzip("compress", "-vf", "a.txt", cwd=folder).stderr
    assert catzip("compress", "-c", "a.txt", cwd=folder).stderr == ""


def test_part_of_the_content(folder):
    catzip("compress", "a.txt", cwd=folder)
    assert catzip("cat", "--range", 7, 20, "a.txt.catz", cwd=folder).stdout == TEXT[7:27]


def test_part_of_what_stands_behind_something_else(folder):
    """The offset of standard input is where the file begins, with and without a range."""
    packed = catzip("compress", "-c", "a.txt", cwd=folder).stdout
    (folder / "both").write_bytes(packed[:50] + packed + packed)
    for words, content in (([], TEXT + TEXT), (["--range", 2110, 20], (TEXT + TEXT)[2110:2130])):
        with (folder / "both").open("rb", buffering=0) as file:
            file.seek(50)
            assert catzip("cat", *words, "-", cwd=folder, stdin=file).stdout == content


def test_a_terminal_does_not_change_where_reading_begins(folder):
    packed = catzip("compress", "-c", "a.txt", cwd=folder).stdout
    (folder / "both").write_bytes(b"something else" + packed)
    ours, theirs = pty.openpty()
    with (folder / "both").open("rb", buffering=0) as file:
        file.seek(14)
        words = [CATZIP, "decompress", "-", "-o", "b.txt"]
        done = subprocess.run(words, cwd=folder, stdin=file, stderr=theirs, timeout=60)
    os.close(theirs)
    assert done.returncode == 0, os.read(ours, 4096)
    os.close(ours)
    assert (folder / "b.txt").read_bytes() == TEXT


def test_a_range_of_a_pipe_says_what_does_it(folder):
    packed = catzip("compress", "-c", "a.txt", cwd=folder).stdout
    done = catzip("cat", "--range", 7, 20, cwd=folder, stdin=packed, code=1)
    assert done.stderr == (
        "catzip: standard input: --range needs a file, and this is a pipe. "
        "Use catzip cat | tail -c +8 | head -c 20\n"
    )


def test_what_a_link_leads_to_is_overwritten_and_the_link_stays(folder):
    (folder / "kept.catz").write_bytes(b"old")
    (folder / "link").symlink_to("kept.catz")
    assert "link exists already" in catzip("compress", "a.txt", "-o", "link", cwd=folder, code=1).stderr
    catzip("compress", "-f", "a.txt", "-o", "link", cwd=folder)
    assert (folder / "link").is_symlink()
    assert catzip("cat", "kept.catz", cwd=folder).stdout == TEXT


def test_a_file_that_looks_like_an_option(folder):
    (folder / "-a.txt").write_bytes(TEXT)
    done = catzip("compress", "-a.txt", cwd=folder, code=2)
    assert done.stderr.endswith("catzip: -a.txt is a file, too: write ./-a.txt\n")
    catzip("compress", "./-a.txt", cwd=folder)
    assert "is a file" not in catzip("compress", "--absent", "a.txt", cwd=folder, code=2).stderr


def test_progress_is_for_terminals_and_says_how_long_still(folder):
    assert b"\r" not in catzip("compress", "a.txt", cwd=folder).stderr.encode()
    assert progress_line("a.txt", 250_000, 1_000_000, 10.0) == "a.txt: 25 % of 1.0 MB, 25.0 KB/s, 0:30 left"
    assert progress_line("pipe", 5_000_000, None, 2.0) == "pipe: 5.0 MB, 2.5 MB/s"
    assert clock(3723) == "1:02:03"


@pytest.mark.parametrize(("terminal", "cleared"), [("xterm", True), ("dumb", False)])
def test_progress_is_for_terminals_that_can_clear_a_line(terminal, cleared, folder):
    (folder / "noise").write_bytes(os.urandom(1 << 22))
    shown = on_terminal("compress", "noise", cwd=folder, env={**os.environ, "TERM": terminal})
    assert (b"\x1b[K" in shown) == cleared


@pytest.mark.parametrize("target,said", [("text/x", "not a directory"), ("x" * 300, "file name too long")])
def test_a_target_that_cannot_be_is_named(target, said, folder):
    (folder / "text").write_bytes(b"content")
    error = catzip("compress", "text", "-o", target, cwd=folder, code=1).stderr
    assert error.startswith(f"catzip: {target}: {said}. ")
