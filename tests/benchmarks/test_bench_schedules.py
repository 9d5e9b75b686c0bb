"""Schedules of an order-agnostic model beside uniform ones: real files of a tiny network."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from helpers import MODELS
from tiny_models import tiny_checkpoint

from catzip.benchmarks.data.dataset import npy
from catzip.benchmarks.results import Run
from catzip.benchmarks.run import budgets_of
from catzip.benchmarks.studies import schedules
from catzip.models import checkpoint
from catzip.models.families.ardm.schedules import uniform
from catzip.models.registry import Registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with the tiny network of images as `tiny`, not cut uniformly, and an array drawn from it."""
    card = {
        "about": "tiny", "parameters": 1, "data": [], "validation_bits": 8.0,
        "trained": {"date": "never", "symbols": 0, "minutes": 0, "device": "none"},
    }  # fmt: skip
    saved = tiny_checkpoint("images")
    config = saved.config | {"name": "tiny", "card": card}
    cut = {"groups.5": np.array([(0, size) for size in (8, 10, 10, 10, 10)], np.int32)}
    checkpoint.save(tmp_path / "tiny.safetensors", checkpoint.Checkpoint(config, saved.arrays | cut))
    monkeypatch.setenv("CATZIP_MODELS", str(tmp_path))
    drawn = Registry(threads=1).by_name("tiny").sample(50, 5, np.random.RandomState(5))
    drawn = np.tile(drawn, (4, 1))  # so that xz is far smaller, and would be kept instead
    drawn[::2] = (
        97  # half of it unlikely: then xz is smaller than the uniform schedule, which is measured all the same
    )
    (tmp_path / "items.npy").write_bytes(npy(drawn.reshape(200, 4, 4, 3)))
    return tmp_path


def test_the_copy_has_the_same_order_and_uniform_groups(folder: Path) -> None:
    (folder / "copies").mkdir()
    assert schedules.uniform_copy("tiny", folder / "copies") == "tiny-uniform"
    copy = checkpoint.load(folder / "copies" / "tiny-uniform.safetensors")
    original = checkpoint.load(folder / "tiny.safetensors")
    assert copy.fingerprint != original.fingerprint
    assert [tuple(row) for row in copy.arrays["groups.5"].tolist()] == list(uniform(1, 48, 5))
    assert copy.arrays.keys() == original.arrays.keys()
    different = [name for name in copy.arrays if not np.array_equal(copy.arrays[name], original.arrays[name])]
    assert different and all(name.startswith("groups.") for name in different)


def test_both_are_files_that_were_decoded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out.json"
    words = ["-m", "tiny", "--dataset", str(folder / "items.npy"), "--steps", "5", "-T", "1"]
    assert schedules.main([*words, "--json", str(out)]) == 0
    best, even = Run.load(out).results
    assert (best.label, even.label) == ("tiny, 5 steps", "tiny, 5 steps, uniform")
    for result in (best, even):
        assert result.frames == {"coded": 1} and result.steps == 5 and result.dimensions == 200 * 48
        assert result.gap_percent is not None and 0 < result.gap_percent < 3
    assert best.compressed_bytes is not None and even.compressed_bytes is not None
    assert (
        len(lzma.compress((folder / "items.npy").read_bytes()))
        < best.compressed_bytes
        < even.compressed_bytes
    )
    run = Run.load(out)
    assert run.command == (
        "python -m catzip.benchmarks.studies.schedules -m tiny --dataset items.npy --steps 5 -T 1"
    )
    assert "tiny, 5 steps, uniform" in capsys.readouterr().out
    assert schedules.main([*words, "--json", str(out), "--resume"]) == 0
    assert Run.load(out) == run  # nothing was measured again


@pytest.mark.parametrize(
    ("model", "steps", "message"),
    [
        ("ar-text8", "5", "ar-text8 codes in no schedule"),
        ("tiny", "48", "codes digit by digit: nothing is cut"),
        ("tiny", "7", "(all) steps, not in 7"),
        ("absent", "5", "no model 'absent'"),
    ],
)
def test_what_cannot_be_compared(
    model: str, steps: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-m", model, "--dataset", str(folder / "items.npy"), "--steps", steps, "-T", "1"]
    assert schedules.main(words) == 1
    assert message in capsys.readouterr().err


def test_budgets_of_a_tiny_network() -> None:
    assert budgets_of(Registry(threads=1), "ar-text8", [5]) == [None]
    assert budgets_of(MODELS, "table-array", [0, 3]) == [12, 3]
