"""What every family obeys, and the exactness matrix and training with it: a family joins by one line."""

from __future__ import annotations

import math
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from helpers import TEXT, compress, decompress
from model_laws import (
    assert_bits_left_over_are_noticed,
    assert_every_segment_needs_its_stack,
    assert_length_is_likelihood,
    assert_refused_before_anything_is_allocated,
    assert_round_trip,
    assert_samples_are_symbols,
    coded,
)
from tiny_models import mixed_text

from catzip.benchmarks.matrix import probe
from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.model import Model, Plan
from catzip.compressor.errors import CatzipError, CorruptError
from catzip.models import checkpoint
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.select import arrays_for
from catzip.models.backends.workers import Workers
from catzip.models.families import table
from catzip.models.families.autoregressive import random as ar
from catzip.models.registry import Registry

FAMILIES = {**table.FAMILIES, "order2": "order2"}
"""A family of tests, to show what one takes, beside those that there are."""

OPTIONS = {
    "random-plain": ar.MixedModel(ar.EXAMPLES["random"], None),
    "random-unmatched": ar.MixedModel(ar.EXAMPLES["random"], ar.MIXING, match=False),
}
"""What the autoregressive family may be without."""

EXAMPLES = [
    *(
        (family, name)
        for family, package in FAMILIES.items()
        for name in import_module(f"{package}.random").EXAMPLES
    ),
    *(("autoregressive", name) for name in OPTIONS),
]
_FOLDER = TemporaryDirectory(prefix="catzip-families-")


@pytest.fixture(autouse=True)
def _families(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has them all."""
    for name, package in FAMILIES.items():
        monkeypatch.setitem(table.FAMILIES, name, package)


@cache
def weights(family: str, name: str) -> Path:
    """A random network as a weight file."""
    path, examples = Path(_FOLDER.name) / f"{name}.safetensors", table.examples_of(family)
    checkpoint.save(path, examples.random_checkpoint((OPTIONS | examples.EXAMPLES)[name], name))
    return path


@cache
def model(family: str, name: str, threads: int = 1) -> Model:
    return table.load(weights(family, name), arrays_for("cpu"), Workers(threads))


def content(coder: Model) -> tuple[NumpyArray, Plan]:
    """Symbols, several items of them if there are items, and a plan."""
    shape = (12, 11, 3) if coder.medium == "image" else (2, *coder.shape) if coder.shape else (150,)
    count = math.prod(shape)
    steps = coder.budgets[0] if coder.budgets else None
    return mixed_text(coder.alphabet, count), coder.plan(count, steps, shape)


each_example = pytest.mark.parametrize(("family", "name"), EXAMPLES)


@each_example
def test_laws_of_coding(family: str, name: str):
    coder = model(family, name)
    symbols, plan = content(coder)
    assert_round_trip(coder, symbols, plan)
    assert_length_is_likelihood(coder, symbols, plan)
    assert_bits_left_over_are_noticed(coder, symbols, plan)
    assert_every_segment_needs_its_stack(coder, symbols, plan)
    needs = coder.needs(len(symbols), plan)
    assert needs.work >= 0 and len(symbols) <= needs.memory < 1 << 28


@each_example
def test_laws_of_plans_and_samples(family: str, name: str):
    coder = model(family, name)
    for plan in ((), (0,), (1 << 40,) * 4):
        assert_refused_before_anything_is_allocated(coder, 1 << 30, plan)
        with pytest.raises(CorruptError, match="coding plan"):
            coder.needs(1 << 30, plan)
    if coder.medium != "image":  # whose samples are of 12,288 symbols
        steps, items = coder.budgets[0] if coder.budgets else None, 20 if coder.shape else 2
        assert_samples_are_symbols(coder, steps, items)


@each_example
def test_the_coder_sees_the_same_pmfs_both_ways_and_by_any_threads(family: str, name: str):
    coder, other = model(family, name), model(family, name, threads=2)
    symbols, plan = content(coder)
    found = trace(coder, symbols, plan)
    assert found.pushed == found.popped
    assert coded(other, symbols, plan) == coded(coder, symbols, plan)


@each_example
def test_the_network_gives_the_same_however_the_batch_is_cut(family: str, name: str):
    found = table.digests_of(family).digests(weights(family, name), arrays_for("cpu"))
    assert len(found) > 1 and len(set(found.values())) == 1


@each_example
def test_weights_are_held_to_what_is_declared(family: str, name: str, tmp_path: Path):
    saved = checkpoint.load(weights(family, name))
    first = min(saved.arrays)
    for arrays, message in (
        ({key: array for key, array in saved.arrays.items() if key != first}, f"no tensor {first}"),
        (saved.arrays | {first: saved.arrays[first][:-1]}, f"its tensor {first} is"),
        (saved.arrays | {"more": np.zeros(3, np.int8)}, "a tensor 'more'"),
    ):
        path = tmp_path / "wrong.safetensors"
        checkpoint.save(path, checkpoint.Checkpoint(saved.config, arrays))
        with pytest.raises(CorruptError, match=message):
            Registry("cpu", 1).by_name(str(path))


def test_the_exactness_matrix_takes_up_a_family_of_tests():
    found = probe.probe([weights("order2", "random-order2")], 300, "cpu", 2)
    subjects = {f"random-order2 {what}" for what in ("PMFs", "bytes", "network")}
    assert found.keys() == {"product", *subjects}
    assert all(len(set(found[subject].values())) == 1 for subject in subjects)


RECIPE = """
name = "tiny"
family = "order2"
medium = "text27"
about = "a test"
data = [{ path = "a.txt", share = 1 }]
validation = [{ path = "a.txt", share = 1 }]
model = { alphabet = 27 }
schedule = { minutes = 1, lanes = 16, steps = 60, learning_rate = 0.5, warmup = 1, ema = 0.5 }
"""


def test_a_family_of_tests_is_trained_and_codes(tmp_path: Path, trains: None):
    pytest.importorskip("torch")
    from catzip.models.training import load, train

    text = " ".join("".join(c for c in TEXT.lower() if c in "abcdefghijklmnopqrstuvwxyz ").split())
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    path = train(load(tmp_path / "tiny.toml"), tmp_path, tmp_path / "out", steps=12, device="cpu")
    registry = Registry("cpu", 1)
    blob = compress(text.encode(), registry, model=str(path), keep_model=True)
    assert decompress(blob, registry) == text.encode()
    random = model("order2", "random-order2")
    symbols = np.frombuffer(text.encode(), np.uint8)
    symbols = np.where(symbols == 32, 0, symbols - 96).astype(np.uint8)
    trained = registry.by_name(str(path))
    assert trained.nll(symbols, trained.plan(len(symbols))) < random.nll(symbols, random.plan(len(symbols)))
    for field, more, message in (
        ("alphabet = 27", "more = 1", "no other"),
        ("minutes = 1", "crop = 8", "schedule has a field 'crop'"),
        ("minutes = 1", "seed = -1", "schedule.seed: "),
    ):
        (tmp_path / "tiny.toml").write_text(RECIPE.replace(field, f"{field}, {more}"))
        with pytest.raises(CatzipError, match=message):
            load(tmp_path / "tiny.toml")
