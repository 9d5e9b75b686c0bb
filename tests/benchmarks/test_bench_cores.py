"""What the compiled core saves: the cores take turns, and must make the same file."""

from pathlib import Path

import native
import pytest
from tiny_models import tiny_path

from catzip.benchmarks.studies import cores


def test_each_core_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    native.variant("generic")
    monkeypatch.setattr(cores, "cores", lambda: ["numpy", "generic"])
    monkeypatch.setenv("CATZIP_MODELS", str(tiny_path("letter-chunks").parent))
    (tmp_path / "text").write_bytes(b"some words and no more of them " * 4)
    words = ["-m", str(tiny_path("letter-chunks")), "--repeat", "1", "--limit", "99", str(tmp_path / "text")]
    assert cores.main(words) == 0
    said = capsys.readouterr().out
    assert "--limit 99 text`" in said and "bytes on each" in said
    rows = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows[1:] if "---" not in row[0]] == ["numpy", "generic"]
    assert all("(1.0 x)" in cell for row in rows if row[0].strip() == "numpy" for cell in row[1:])


def test_cores_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """In what they make, or in what comes back."""
    (tmp_path / "text").write_bytes(b"some words")
    monkeypatch.setattr(cores, "cores", lambda: ["numpy", "generic"])

    def run(core: str, command: str, *words: str) -> float:
        target, source = Path(words[-2]), Path(words[-1])
        target.write_bytes(source.read_bytes() if command == "compress" else source.read_bytes()[:10])
        if core == "generic" and command == broken:
            target.write_bytes(source.read_bytes()[:10] + b"!")
        return 1.0

    monkeypatch.setattr(cores, "run", run)
    broken = "neither"
    found, size = cores.measured(tmp_path / "text", [], 1, tmp_path)
    assert found == {"numpy": [1.0, 1.0], "generic": [1.0, 1.0]} and size == 10
    broken = "compress"
    with pytest.raises(AssertionError, match="not make the same file"):
        cores.measured(tmp_path / "text", [], 1, tmp_path)
    broken = "decompress"
    with pytest.raises(AssertionError, match="generic: what came back"):
        cores.measured(tmp_path / "text", [], 1, tmp_path)
