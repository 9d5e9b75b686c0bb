"""When something goes wrong: the message, the exit code, nothing half-written, the source as it was."""

import os
import resource
import signal
import subprocess

import click
import pytest
from clitools import catzip, contents, need_permissions, start, wait_for_work, without_root_powers

from catzip import cli as app

TEXT = b"Call me Ishmael. Some years ago, never mind how long precisely.\n" * 40


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    return tmp_path


@pytest.fixture
def packed(folder):
    catzip("compress", "-q", "a.txt", cwd=folder)
    (folder / "a.txt").unlink()
    return (folder / "a.txt.catz").read_bytes()


@pytest.mark.parametrize("signum", app.SIGNALS)
@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_a_signal_leaves_nothing_behind(signum, existing, folder):
    if existing:
        (folder / "b.catz").write_bytes(b"precious")
    before = contents(folder)
    child = start("compress", "-f", "-", "-o", "b.catz", cwd=folder, stdin=subprocess.PIPE)
    wait_for_work(child, folder)
    child.send_signal(signum)
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == -signum  # a shell sees 128 + signum, and stops its loop
    assert (
        stderr.decode()
        == f"catzip: stopped by {signum.name}. Nothing unfinished was left behind, but on standard output\n"
    )
    assert contents(folder) == before


def test_a_signal_in_a_run_that_would_remove_the_source(folder):
    (folder / "big").write_bytes(os.urandom(1 << 16) * 256)
    before = contents(folder)
    child = start("compress", "--rm", "big", cwd=folder)
    wait_for_work(child, folder)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT
    assert contents(folder) == before


def test_a_full_disk(folder):
    (folder / "noise").write_bytes(os.urandom(200_000))
    before = contents(folder)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = catzip("compress", "--rm", "noise", cwd=folder, code=1, preexec_fn=limit)
    assert done.stderr.startswith("catzip: noise.catz: file too large. ")
    assert contents(folder) == before


@pytest.mark.parametrize("words", [["compress", "-c", "a.txt"], ["compress", "a.txt", "-o", "/dev/full"],
                                   ["models"], ["--help"]], ids=" ".join)  # fmt: skip
def test_a_full_device(words, folder):
    with open("/dev/full", "wb") as full:
        done = catzip(*words, cwd=folder, code=1, stdout=full)
    assert "no space left on device. Free some space" in done.stderr
    assert done.stderr.count("\n") == 1
    assert ("-o" in done.stderr) == ("-o" in words)
    assert contents(folder) == {"a.txt": TEXT}


def closing(*numbers):
    return lambda: [os.close(number) for number in numbers]


@pytest.mark.parametrize("words", [["list", "a.txt.catz"], ["cat", "a.txt.catz"], ["models"], ["--help"]],
                         ids=" ".join)  # fmt: skip
def test_standard_output_that_is_closed(words, folder, packed):
    done = catzip(*words, cwd=folder, code=1, preexec_fn=closing(1))
    assert "bad file descriptor. The stream is closed" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["compress"], ["decompress", "-"], ["list"]], ids=" ".join)
def test_standard_input_that_is_closed(words, folder):
    done = catzip(*words, cwd=folder, code=1, preexec_fn=closing(0))
    assert done.stderr == "catzip: standard input: bad file descriptor. The stream is closed; name a file\n"
    assert done.stdout == b""


@pytest.mark.parametrize("numbers", [(0,), (1,), (2,), (0, 1, 2)])
def test_files_need_no_standard_stream(numbers, folder):
    catzip("compress", "a.txt", cwd=folder, preexec_fn=closing(*numbers))
    (folder / "a.txt").unlink()
    catzip("decompress", "--rm", "a.txt.catz", cwd=folder, preexec_fn=closing(*numbers))
    assert contents(folder) == {"a.txt": TEXT}
    catzip("compress", "missing.txt", cwd=folder, code=1, preexec_fn=closing(*numbers))


def test_an_unreadable_file(folder):
    need_permissions(folder)
    (folder / "a.txt").chmod(0o000)
    done = catzip("compress", "a.txt", cwd=folder, code=1, preexec_fn=without_root_powers)
    assert (
        done.stderr == "catzip: a.txt: permission denied. Check the permissions of the file and its folder\n"
    )
    (folder / "a.txt").chmod(0o600)
    assert contents(folder) == {"a.txt": TEXT}


def test_an_unwritable_folder(folder):
    need_permissions(folder)
    folder.chmod(0o500)
    done = catzip("compress", "a.txt", cwd=folder, code=1, preexec_fn=without_root_powers)
    folder.chmod(0o700)
    assert done.stderr.startswith("catzip: a.txt.catz: permission denied.")
    assert contents(folder) == {"a.txt": TEXT}


def test_a_missing_folder(folder):
    done = catzip("compress", "a.txt", "-o", "no/such/b.catz", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: no/such/b.catz: no such file or directory.")


def test_a_missing_model(folder):
    done = catzip("compress", "-m", "no-such-model", "a.txt", cwd=folder, code=2)
    assert "no model 'no-such-model' is installed; installed: " in done.stderr
    assert contents(folder) == {"a.txt": TEXT}


@pytest.mark.parametrize("command", ["decompress", "test", "cat", "list"])
def test_not_a_catzip_file(command, folder):
    (folder / "a.catz").write_bytes(TEXT)
    before = contents(folder)
    done = catzip(command, "a.catz", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: a.catz: ") and "not a catzip file" in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("command", ["decompress", "test"])
def test_a_truncated_file(command, keep, folder, packed):
    (folder / "a.txt.catz").write_bytes(packed[: int(len(packed) * keep)])
    before = contents(folder)
    done = catzip(command, "--rm" if command == "decompress" else "-v", "a.txt.catz", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: a.txt.catz: ")
    assert contents(folder) == before


@pytest.mark.parametrize("place", [0.3, 0.6, 0.99])
@pytest.mark.parametrize("command", ["decompress", "test"])
def test_a_flipped_bit(command, place, folder, packed):
    damaged = bytearray(packed)
    damaged[int(len(packed) * place)] ^= 4
    (folder / "a.txt.catz").write_bytes(damaged)
    before = contents(folder)
    done = catzip(command, "--rm" if command == "decompress" else "-v", "a.txt.catz", cwd=folder, code=1)
    assert done.stderr.startswith("catzip: a.txt.catz: ")
    assert contents(folder) == before


def test_one_damaged_file_does_not_stop_the_others(folder, packed):
    (folder / "bad.catz").write_bytes(packed[:-1])
    done = catzip("decompress", "bad.catz", "a.txt.catz", cwd=folder, code=1)
    assert "catzip: bad.catz: " in done.stderr
    assert (folder / "a.txt").read_bytes() == TEXT


def test_input_that_ends_too_soon(monkeypatch, capfd):
    """Click makes of an EOFError what no command of ours ever says."""

    def end():
        raise EOFError("no more")

    monkeypatch.setitem(app.cli.commands, "end", click.Command("end", callback=end))
    monkeypatch.setattr("sys.argv", ["catzip", "end"])
    assert app._run() == 1
    assert capfd.readouterr().err.strip() == "catzip: some input ends too soon (no more)"
