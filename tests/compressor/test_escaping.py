"""Names and what files say of themselves go to a terminal with escapes, whatever encoding that has."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from clitools import CATZIP, catzip
from helpers import TESTS
from tiny_models import tiny_path

from catzip.benchmarks.tables import text
from catzip.compressor.escaping import printable, printable_lines
from catzip.models import checkpoint

RED = "\x1b[31m"
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]")


def test_what_is_escaped():
    assert printable("a\n\x1b]0;x\x07\x9b1m\u202etxt.exe\udcff") == (
        r"a\n\x1b]0;x\x07\x9b1m\u202etxt.exe\udcff"
    )
    assert printable_lines("日本\né\r") == "日本\né\\r"
    assert text.plain(["a"], [[RED]]) == "a\n--------\n\\x1b[31m"
    assert RED not in text.markdown(["a"], [[RED]])


@pytest.fixture
def models(tmp_path):
    """A weight file that tells a terminal what to do, wherever it can."""
    folder = tmp_path / "models"
    folder.mkdir()
    saved = checkpoint.load(tiny_path("bytes"))
    said = f"{RED}about\nnext line\u202e"
    card = {
        "about": said,
        "data": [said],
        "trained": {"date": said, "symbols": 5, "minutes": 1, "device": said},
    }
    config = {**saved.config, "name": f"name{RED}", "card": card}
    del config["fingerprint"]
    checkpoint.save(folder / f"evil{RED}.safetensors", checkpoint.Checkpoint(config, saved.arrays))
    return {**os.environ, "CATZIP_MODELS": str(folder)}


COMMANDS = [
    (["models", "list"], 0),
    (["models", "info", f"evil{RED}"], 0),
    (["models", "info", "no-such"], 1),
    (["compress", "-m", "no-such", "a.txt"], 2),
    (["compress", "-m", f"no{RED}such", "a.txt"], 2),
    (["compress", f"--{RED}", "a.txt"], 2),
    (["list", "-v", f"b{RED}.catz"], 0),
    (["test", "-v", f"b{RED}.catz"], 0),
    (["bench", "--dataset", "a.txt", "-m", f"evil{RED}", "--no-nll"], 0),
    (["train", f"no{RED}such", "--data", "."], 1),
    (["sample", "-m", f"no{RED}such"], 2),
]


@pytest.mark.parametrize(("words", "code"), COMMANDS)
def test_no_command_passes_on_what_a_terminal_obeys(words, code, models, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"so it goes " * 20)
    if f"b{RED}.catz" in words:
        evil = f"evil{RED}"
        catzip("compress", "-m", evil, "a.txt", "-o", f"b{RED}.catz", cwd=tmp_path, env=models)
    done = catzip(*words, cwd=tmp_path, env=models, code=code)
    shown = done.stdout + done.stderr.encode("utf-8", "surrogateescape")
    assert not CONTROL.search(shown), shown
    assert b"31m" in shown


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437"])
def test_what_an_encoding_does_not_have_is_escaped(encoding, tmp_path):
    shutil.copy(TESTS / "golden" / "good" / "empty.catz", tmp_path / "日本 é.catz")
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    shown = catzip("list", "日本 é.catz", cwd=tmp_path, env=env).stdout
    assert rb"\u65e5\u672c" in shown and "é".encode(encoding, "backslashreplace") in shown
    words = [CATZIP, "list", "日本"]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith(rb"catzip: \u65e5\u672c: no such file")


def test_a_name_of_a_file_that_is_no_text(tmp_path):
    name = os.fsdecode(b"\xff.catz")
    shutil.copy(TESTS / "golden" / "good" / "empty.catz", tmp_path / name)
    assert rb"\udcff.catz" in catzip("list", name, cwd=tmp_path).stdout
    assert sys.getfilesystemencoding() == "utf-8"
