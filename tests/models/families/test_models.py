"""The laws of the autoregressive family, over tiny random networks of every shape and every shipped model."""

import numpy as np
import pytest
import reference_layers as reference
from backends import OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import (
    assert_bits_left_over_are_noticed,
    assert_every_segment_needs_its_stack,
    assert_length_is_likelihood,
    assert_round_trip,
    assert_samples_are_symbols,
    assert_symbols_outside_the_alphabet_are_refused,
    coded,
)
from tiny_models import CONFIGS, mixed_text, model, shipped, tiny_checkpoint

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.codec import Serial
from catzip.compressor.coding.model import Plan
from catzip.compressor.coding.stack import Stack
from catzip.models.backends.select import arrays_for
from catzip.models.backends.workers import Workers
from catzip.models.families.autoregressive import codec as autoregressive
from catzip.models.families.autoregressive import frame, native_frame
from catzip.models.families.autoregressive.codec import Autoregressive
from catzip.models.families.lanes import Layout
from catzip.models.mixing.contexts import MATCH_LENGTHS
from catzip.models.networks.recurrent import ExactNetwork

MODELS = (*CONFIGS, *shipped("autoregressive"))

PLANS: dict[str, tuple[int, Plan]] = {
    "nothing": (0, (1, 1)),
    "one symbol": (1, (1, 1)),
    "two symbols, one lane": (2, (1, 2)),
    "two symbols, two lanes": (2, (2, 1)),
    "as many lanes as symbols": (5, (5, 1)),
    "one symbol more than lanes": (6, (5, 2)),
    "all lanes but one in the last step": (29, (5, 6)),
    "every step a segment": (23, (5, 1)),
    "segments that fit": (60, (5, 4)),
    "a last segment of one step": (61, (5, 4)),
    "a last segment of one symbol": (41, (5, 8)),
    "lanes enough for two workers": (97, (40, 2)),
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", MODELS)
def test_decode_undoes_encode_at_the_edges(name: str, plan: str):
    coder, (count, cut) = model(name), PLANS[plan]
    assert_round_trip(coder, mixed_text(coder.alphabet, count), cut)


@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_decode_undoes_encode(name: str, data: st.DataObject):
    coder = model(name)
    content = data.draw(st.binary(min_size=1, max_size=60))
    repeats = data.draw(st.sampled_from([1, 1, 3]))
    symbols = np.frombuffer(content * repeats, np.uint8).astype(int) % coder.alphabet
    lanes = data.draw(st.integers(1, len(symbols)))
    steps = -(-len(symbols) // lanes)
    assert_round_trip(coder, symbols.astype(np.uint8), (lanes, data.draw(st.integers(1, steps))))


@pytest.mark.parametrize("name", MODELS)
def test_decode_undoes_encode_under_its_own_plan(name: str):
    coder = model(name)
    symbols = mixed_text(coder.alphabet, 1500)
    assert_round_trip(coder, symbols, coder.plan(1500))


@pytest.mark.parametrize("name", MODELS)
def test_encoding_at_once_is_the_serial_codec_unwound(name: str):
    """What decoding pops, pushed again step by step, makes the very bytes that teacher forcing made."""
    coder, layout = model(name), Layout.of(61, (5, 4))
    popping, pushing = coder.frame(layout), coder.frame(layout)
    symbols = mixed_text(coder.alphabet, 61)
    for (start, stop), segment in zip(layout.segments(), coded(coder, symbols, (5, 4)), strict=True):
        grid, again = np.empty((2, stop - start, 5), np.uint8)
        items = Serial(lambda grid=grid: popping.steps(grid)).pop(Stack.from_bytes(segment))
        stack = Stack()
        assert stack.to_bytes() != segment
        Serial(lambda again=again: pushing.steps(again)).push(stack, items)
        assert stack.to_bytes() == segment
        assert np.array_equal(grid, again) and np.array_equal(grid, layout.columns(start, stop).cut(symbols))


@pytest.mark.parametrize("name", MODELS)
def test_pmfs_are_the_same_however_they_are_evaluated(name: str, monkeypatch: pytest.MonkeyPatch):
    """Threads, groups of lanes, and how many steps teacher forcing takes at once; decoding takes them singly."""
    plan, count = (40, 5), 263
    symbols = mixed_text(model(name).alphabet, count)
    first = trace(model(name), symbols, plan)
    assert first.pushed == first.popped
    assert len(Workers(2).groups(40)) == 2
    for module in (frame, native_frame):
        monkeypatch.setattr(module, "_LEAST_WORK", 1)  # the tiny networks share it, too
    assert trace(model(name, threads=2), symbols, plan) == first
    for at_once in (1, 90, 10**6):
        monkeypatch.setattr(autoregressive, "_AT_ONCE", at_once)
        assert trace(model(name), symbols, plan) == first


@pytest.mark.parametrize("device", [each for each in OTHERS if each != "torch-int8"])
@pytest.mark.parametrize("name", MODELS)
def test_every_backend_makes_the_same_pmfs(name: str, device: str):
    backend(device)  # skips where there is none
    plan, count = (7, 9), 120
    symbols = mixed_text(model(name).alphabet, count)
    assert trace(model(name, device), symbols, plan) == trace(model(name), symbols, plan)


@pytest.mark.parametrize("name", MODELS)
def test_the_length_is_the_likelihood(name: str):
    coder = model(name)
    assert_length_is_likelihood(coder, mixed_text(coder.alphabet, 2500, seed=1), coder.plan(2500))


@pytest.mark.parametrize("name", CONFIGS)
def test_samples_are_symbols(name: str):
    """Also of 27 letters, in whose five bits there is room for 32."""
    assert_samples_are_symbols(model(name), None)


@pytest.mark.parametrize("name", MODELS)
def test_the_state_runs_on_through_the_frame(name: str):
    """Segments cut where stacks begin, not what the model knows."""
    coder, count = model(name), 150
    symbols = mixed_text(coder.alphabet, count)
    whole, cut = coder.nll(symbols, (3, 50)), coder.nll(symbols, (3, 7))
    assert whole == pytest.approx(cut, rel=1e-12)
    cold = sum(coder.nll(symbols[i : i + 50], (1, 50)) for i in (0, 50, 100))
    assert cold != pytest.approx(coder.nll(symbols, (1, 150)), rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_bits_left_over_are_noticed(name: str):
    coder = model(name)
    assert_bits_left_over_are_noticed(coder, mixed_text(coder.alphabet, 60), (5, 4))


@pytest.mark.parametrize("name", MODELS)
def test_every_segment_needs_its_stack(name: str):
    coder = model(name)
    assert_every_segment_needs_its_stack(coder, mixed_text(coder.alphabet, 60), (5, 4))


@pytest.mark.parametrize("name", [name for name in MODELS if model(name).alphabet < 256])
def test_symbols_outside_the_alphabet_are_refused(name: str):
    assert_symbols_outside_the_alphabet_are_refused(model(name), (1, 3))


@pytest.mark.parametrize("name", MODELS)
def test_fingerprints_tell_models_apart(name: str):
    coder = model(name)
    assert len(coder.fingerprint) == 8 and coder.name == name
    assert sum(model(other).fingerprint == coder.fingerprint for other in MODELS) == 1
    assert coder.alphabet == {"bytes": 256, "text27": 27}[coder.medium]


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "wide-inputs"])
def test_the_network_is_its_formula(name: str):
    """Logits and states of several steps and lanes against Python's integers, from the tables to the head."""
    saved, arrays = tiny_checkpoint(name), arrays_for("cpu")
    config, random = CONFIGS[name], np.random.RandomState(4)
    sizes = [1 << bits for _, bits in config.ngrams] + [config.alphabet * MATCH_LENGTHS]
    rows = np.stack([random.randint(0, size, (4, 2)) for size in sizes])
    states = [arrays.zeros_int32(2, config.state) for _ in range(config.depth)]
    logits = ExactNetwork(config, saved.arrays, arrays).logits(rows.astype(np.intp), states)
    for lane in range(2):
        expected = [[0] * config.state for _ in range(config.depth)]
        for t in range(4):
            row = reference.network(saved.arrays, config, rows[:, t, lane].tolist(), expected)
            assert logits[t, lane].tolist() == row
        assert [state[lane].tolist() for state in states] == expected


def test_the_wide_network_needs_float64():
    """Or the tuple of shapes would not hold what it says it holds."""
    inputs = tiny_checkpoint("wide-inputs").arrays["inputs.weight"]
    assert arrays_for("cpu").weight(inputs).dtype == np.float64


def test_models_are_all_of_the_family():
    assert all(isinstance(model(name), Autoregressive) for name in MODELS)
