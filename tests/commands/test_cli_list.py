"""`catzip list`: what it says is what is in the file."""

import json
import os

import pytest
from clitools import catzip
from golden_networks import FOLDER

TEXT = b"All this happened, more or less.\n" * 100


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "noise").write_bytes(os.urandom(1000))
    catzip("compress", "-q", "a.txt", "noise", cwd=tmp_path)
    return tmp_path


def test_json_has_sizes_frames_and_checksums(folder):
    found = json.loads(catzip("list", "--json", "a.txt.catz", "noise.catz", cwd=folder).stdout)
    assert [file["file"] for file in found] == ["a.txt.catz", "noise.catz"]
    for file, content in zip(found, (TEXT, (folder / "noise").read_bytes()), strict=True):
        size = (folder / file["file"]).stat().st_size
        assert (file["compressed"], file["content"]) == (size, len(content))
        assert file["ratio"] == len(content) / size
        (frame,) = file["frames"]
        assert (frame["start"], frame["content"]) == (0, len(content))
        assert len(bytes.fromhex(frame["check"])) == 8
    assert found[1]["frames"][0]["kind"] == "stored"


def test_the_table_has_a_line_a_file_and_with_v_a_line_a_frame(folder):
    heading, *lines = catzip("list", "a.txt.catz", "noise.catz", cwd=folder).stdout.decode().splitlines()
    assert " ".join(heading.split()) == "frames compressed content ratio bits/symbol model check file"
    assert [line.split()[-1] for line in lines] == ["a.txt.catz", "noise.catz"]
    assert "3,300" in lines[0]
    check = json.loads(catzip("list", "--json", "noise.catz", cwd=folder).stdout)[0]["frames"][0]["check"]
    verbose = catzip("list", "-v", "noise.catz", cwd=folder).stdout.decode().splitlines()
    assert verbose[-1].split()[-2:] == ["stored", check]


def test_concatenated_and_piped_files(folder):
    both = (folder / "a.txt.catz").read_bytes() + (folder / "noise.catz").read_bytes()
    (found,) = json.loads(catzip("list", "--json", cwd=folder, stdin=both).stdout)
    assert found["file"] == "standard input"
    assert [frame["content"] for frame in found["frames"]] == [len(TEXT), 1000]


def test_an_empty_file(folder):
    empty = catzip("compress", cwd=folder, stdin=b"").stdout
    (found,) = json.loads(catzip("list", "--json", cwd=folder, stdin=empty).stdout)
    assert (found["content"], found["frames"], found["bits_per_symbol"]) == (0, [], None)
    assert catzip("list", cwd=folder, stdin=empty).stdout.decode().splitlines()[1].split()[0] == "0"


def test_one_bad_file_does_not_hide_the_others(folder):
    done = catzip("list", "--json", "a.txt", "a.txt.catz", cwd=folder, code=1)
    assert "catzip: a.txt: not a catzip file" in done.stderr
    assert [file["file"] for file in json.loads(done.stdout)] == ["a.txt.catz"]


def test_a_table_of_nothing_has_no_heading(folder):
    assert catzip("list", "a.txt", cwd=folder, code=1).stdout == b""
    assert catzip("list", "--json", "a.txt", cwd=folder, code=1).stdout == b"[]\n"


@pytest.mark.parametrize("name", [b"\xff.catz", b"a\x1b[31m\nb.catz"])
def test_a_name_that_no_terminal_should_see(name, folder):
    """It is escaped where people read it, and exact in JSON."""
    os.rename(folder / "a.txt.catz", os.path.join(os.fsencode(folder), name))
    (row,) = catzip("list", os.fsdecode(name), cwd=folder).stdout.splitlines()[1:]
    escaped = repr(os.fsdecode(name))[1:-1]
    assert row.decode().endswith(escaped)
    (found,) = json.loads(catzip("list", "--json", os.fsdecode(name), cwd=folder).stdout)
    assert os.fsencode(found["file"]) == name
    done = catzip("decompress", os.fsdecode(name), cwd=folder)
    assert done.stderr.startswith(f"{escaped}: ") and len(done.stderr.splitlines()) == 1
    again = catzip("decompress", os.fsdecode(name), cwd=folder, code=1)
    assert again.stderr.startswith(f"catzip: {escaped}: {escaped.removesuffix('.catz')} exists already")


def test_replaced_weights_are_named_with_the_release_that_has_them(tmp_path):
    path = FOLDER / "superseded" / "ar-bytes-95199f9abc1c68a8.catz"
    for words in ((), ("-v",)):
        rows = catzip("list", *words, str(path), cwd=tmp_path).stdout.decode().splitlines()[1:]
        assert all("ar-bytes 0.4.0" in row for row in rows)
    (found,) = json.loads(catzip("list", "--json", str(path), cwd=tmp_path).stdout)
    assert found["models"] == [{"name": None, "fingerprint": "95199f9abc1c68a8"}]
