"""Many files in one command load each model once."""

import pytest
from click.testing import CliRunner

from catzip.cli import cli

TEXTS = {
    "a.txt": b"The first of some files; there are others.\n" * 20,
    "b.txt": b"The second of some files, and nothing more!\n" * 20,
    "c.txt": b"nothing but small letters and single spaces " * 20,
    "d.txt": b"The last of some files.\n" * 20,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in TEXTS.items():
        (tmp_path / name).write_bytes(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    done = CliRunner().invoke(cli, [*words], catch_exceptions=False, standalone_mode=False)
    assert not done.return_value, done.output


def test_each_model_is_loaded_once(folder, loaded, capfdbinary):
    packed = [f"{name}.catz" for name in TEXTS]
    run("compress", *TEXTS)
    assert loaded == ["ar-bytes", "ar-text8"]
    for words in (["test", *packed], ["cat", *packed], ["decompress", "-f", *packed]):
        loaded.clear()
        capfdbinary.readouterr()
        run(*words)
        assert loaded == ["ar-bytes", "ar-text8"]
        assert words[0] != "cat" or capfdbinary.readouterr().out == b"".join(TEXTS.values())
    assert {name: (folder / name).read_bytes() for name in TEXTS} == TEXTS
