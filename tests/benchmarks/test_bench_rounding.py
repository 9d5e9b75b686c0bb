"""What rounding costs each layer: measured on a small run, by the weights that it would export."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny_recipe import written  # noqa: E402

from catzip.benchmarks.studies import rounding  # noqa: E402
from catzip.models.layers.qat import modules as layers  # noqa: E402
from catzip.models.training import load, loop, train  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(layers.Rounding, "on", True)
    monkeypatch.setattr(loop.memory, "keep", lambda: None)  # for processes that only train
    written(tmp_path)
    train(load(tmp_path / "tiny.toml"), tmp_path, tmp_path / "run", steps=20, device="cpu")
    return tmp_path


def table(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    words = [str(folder / "tiny.toml"), "--data", str(folder), "--run", str(folder / "run")]
    assert rounding.main(words) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_every_layer_has_a_row(folder: Path, capsys: pytest.CaptureFixture[str]):
    rows = table(folder, capsys)
    assert rows[0][0] == "nothing" and rows[-1][0] == "everything"
    assert "the weights of head" in [name for name, *_ in rows]
    moved = [float(share.removesuffix(" %")) for _, share, _ in rows[1:-1]]
    assert all(0 < share < 5 for share in moved)
    plain, *each, everything = [float(bits) for *_, bits in rows]
    assert len(set(each)) > 1 and all(abs(bits - plain) < 0.1 for bits in [*each, everything])
    assert rows == table(folder, capsys)


def test_a_layer_with_coarse_weights_stands_out(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Weights that are all rounded to nothing cost as many bits as a network without them."""
    monkeypatch.setattr(rounding, "rounded", lambda layer: torch.zeros_like(layer.weight))
    rows = table(folder, capsys)
    plain = float(rows[0][-1])
    assert all(share == "100.0 %" for _, share, _ in rows[1:-1])
    assert max(abs(float(bits) - plain) for *_, bits in rows[1:-1]) > 0.1


def test_a_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        rounding.main(["ar-bytes", "--data", str(tmp_path), "--run", str(tmp_path)])
    assert "holds no run" in capsys.readouterr().err


def test_rounded_weights_are_the_exported_ones():
    torch.manual_seed(0)
    for fine, most in ((False, 8e-3), (True, 13e-5)):
        layer = layers.Linear(50, 20, bits=8, limit=300, fine=fine)
        error = float((rounding.rounded(layer) - layer.weight).detach().abs().max())
        assert most / 4 < error <= most
