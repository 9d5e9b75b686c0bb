"""Order-agnostic models on the compiled core make the files that they make on NumPy."""

import native
import numpy as np
import pytest
from golden_networks import FOLDER
from golden_neural_cases import GOOD
from helpers import decompress
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import coded, decoded
from native import ALL
from tiny_models import MASKED, shipped

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.errors import CorruptError
from catzip.models.backends.workers import Workers
from catzip.models.registry import Registry

SEEDS = st.integers(0, 2**32 - 1)
every_variant = pytest.mark.parametrize("name", ALL)


@every_variant
@pytest.mark.parametrize("network", shipped("ardm"))
def test_shipped_models_make_the_same_files(name: str, network: str):
    """Given what they were trained on, or nearly: what they draw."""
    core, reference = (native.masked(network, each) for each in (name, "numpy"))
    size = reference.network.size
    symbols = core.sample(2, 10, np.random.RandomState(3)).ravel()[: size + size // 3]
    for each in (1, 2):
        plan = (5, each)
        segments = coded(reference, symbols, plan)
        assert coded(core, symbols, plan) == segments
        assert np.array_equal(decoded(core, segments, len(symbols), plan), symbols)


@every_variant
@pytest.mark.parametrize("network", sorted(MASKED))
def test_tiny_models_make_the_same_files(name: str, network: str):
    core, reference = (native.masked(network, each) for each in (name, "numpy"))
    size = core.network.size
    for count, plan in ((size, (0, 1)), (7 * size + 3, (core.budgets[0] % core.budgets[-1], 3))):
        walk = np.cumsum(np.random.RandomState(count).randint(-3, 4, count))
        symbols = (walk % core.alphabet).astype(np.uint8)
        assert trace(core, symbols, plan) == trace(reference, symbols, plan)
        segments = coded(reference, symbols, plan)
        assert np.array_equal(decoded(core, segments, count, plan), symbols)


@every_variant
@pytest.mark.parametrize("network", ["letter-chunks", "letter-chunks-deep", "images-upscale"])
def test_threads_share_items_and_change_nothing(name: str, network: str, monkeypatch: pytest.MonkeyPatch):
    groups = [slice(0, 1), slice(1, 6), slice(6, 9)]
    monkeypatch.setattr(Workers, "groups", lambda *given, **named: groups)
    core, reference = native.masked(network, name, threads=3), native.masked(network, "numpy")
    symbols = (np.arange(9 * core.network.size) * 7 % core.alphabet).astype(np.uint8)
    plan = (core.budgets[0] % core.budgets[-1], 9)
    found = trace(core, symbols, plan)
    monkeypatch.undo()
    assert found == trace(reference, symbols, plan)


@every_variant
@pytest.mark.parametrize("network", ["letter-chunks", "images", "images-upscale"])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_damaged_stacks_decode_as_numpy_decodes_them(name: str, network: str, seed: int):
    """Noise in place of a stack: the same symbols, or the same refusal."""
    random, outcomes = np.random.RandomState(seed), []
    count = 3 * native.masked(network, "numpy").network.size
    plan = native.masked(network, "numpy").plan(count)
    noise = [random.bytes(random.randint(0, 200)) + b"\1"]
    for core in (name, "numpy"):
        try:
            outcomes.append(decoded(native.masked(network, core), noise, count, plan).tobytes())
        except CorruptError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("core", ["numpy", *ALL])
@pytest.mark.parametrize("case", [case for case in GOOD if case.startswith(("chunks", "images"))])
def test_golden_files_decode_on_every_core(case: str, core: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    with native.chosen(core):
        found = decompress((FOLDER / "good" / f"{case}.catz").read_bytes(), Registry("cpu", threads=2))
    assert found == GOOD[case].content
