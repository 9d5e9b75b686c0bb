"""The compiled core gives the integers of the NumPy layers, kernel by kernel and as whole models; on every variant."""

import json
from dataclasses import replace

import native
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import assert_bits_left_over_are_noticed, coded, decoded
from native import ALL
from tiny_models import CONFIGS, OPTIONS, mixed_text, shipped

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.stack import Stack
from catzip.compressor.errors import CorruptError
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.native.coder import StackWords
from catzip.models.backends.native.layers import PackedLinear, padded
from catzip.models.backends.native.structures import ROWS, Model, address
from catzip.models.backends.native.trial import check
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.backends.workers import Workers
from catzip.models.families.autoregressive.codec import Autoregressive, load
from catzip.models.families.autoregressive.random import MIXING, MixedModel, random_checkpoint
from catzip.models.families.identity import Identity
from catzip.models.layers.grid import Softmax, exp_table, rms_norm

NUMPY = NumpyArrays()
SEEDS = st.integers(0, 2**32 - 1)
every_variant = pytest.mark.parametrize("name", ALL)


def either(random: np.random.RandomState, limit: int, *shape: int) -> NumpyArray:
    """Integers in -limit..limit, often at the ends."""
    inner, ends = random.randint(-limit, limit + 1, shape), random.choice([-limit, limit], shape)
    return np.where(random.rand(*shape) < random.rand(), inner, ends)


@every_variant
def test_a_variant_that_is_right_passes_its_trial(name: str):
    assert check(native.variant(name))


@every_variant
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, rows=st.integers(1, 40), inputs=st.integers(1, 300), outputs=st.integers(1, 200))
def test_products_are_exact(name: str, seed: int, rows: int, inputs: int, outputs: int):
    random = np.random.RandomState(seed)
    codes, weight = either(random, 127, rows, inputs), either(random, 63, outputs, inputs)
    zeros = np.zeros(outputs, np.int64)
    layer = PackedLinear(native.variant(name), weight.astype(np.int8), zeros, zeros)
    found = layer.product(codes)
    assert np.array_equal(found[:, :outputs], codes @ weight.T) and not found[:, outputs:].any()


@every_variant
@settings(max_examples=30, deadline=None)
@given(
    seed=SEEDS,
    rows=st.integers(1, 5),
    width=st.integers(1, 300),
    limit=st.sampled_from([0, 1, 9, 400, 32767]),
)
def test_norms_are_those_of_the_layer(name: str, seed: int, rows: int, width: int, limit: int):
    x = np.zeros((rows, padded(width)), np.int32)
    x[:, :width] = either(np.random.RandomState(seed), limit, rows, width)
    found = np.zeros((rows, padded(width) + 16), np.uint8)
    native.variant(name).norm(address(x), rows, width, address(found), found.shape[1])
    expected = rms_norm(NUMPY, x[:, :width].astype(np.float32))
    assert np.array_equal(found[:, :width].astype(int) - 128, expected)


@every_variant
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, alphabet=st.integers(2, 256), limit=st.sampled_from([0, 3, 300, 2000, 8192]))
def test_pmfs_are_those_of_the_layer(name: str, seed: int, alphabet: int, limit: int):
    """Flat ones, peaked ones, and ties for the largest, of which the first has what is left."""
    table = exp_table()
    logits = either(np.random.RandomState(seed), limit, 1, alphabet)
    model = Model(alphabet=alphabet, exp=address(table), exp_last=len(table) - 1)
    narrow, found = logits.astype(np.int32), np.zeros(alphabet, np.int32)
    native.variant(name).frequencies(model, address(narrow), address(found))
    expected = Softmax(NUMPY, {"exp": table})(logits.astype(np.float32))
    assert found.tolist() == expected[0].tolist()


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=40))
def test_the_words_that_are_left_are_what_was_lent(data: bytes):
    """None, a head of one word or two, and more below it."""
    data = data.rstrip(b"\0")
    stack = Stack.from_bytes(data)
    lent = stack.drained()
    assert lent == data and stack.is_empty()
    stack.refill(StackWords(lent).left())
    assert stack.to_bytes() == data


PLANS = {1: (1, 1), 2: (2, 1), 40: (3, 5), 300: (1, 300), 1000: (10, 30), 1001: (40, 26), 4000: (97, 7)}
"""By the count: one lane, one step, lanes that are no whole tile, a last step without all lanes, many segments."""


@every_variant
@pytest.mark.parametrize("network", sorted(CONFIGS.keys() - OPTIONS.keys()))
def test_tiny_models_make_the_same_files(name: str, network: str):
    """The PMFs, their bits and the bytes, when encoding and when decoding, are those of NumPy."""
    core, reference = native.model(network, name), native.model(network, "numpy")
    for count, plan in PLANS.items():
        symbols = mixed_text(core.alphabet, count)
        assert trace(core, symbols, plan) == trace(reference, symbols, plan), (count, plan)
        assert core.nll(symbols, plan) == reference.nll(symbols, plan)
        segments = coded(reference, symbols, plan)
        assert np.array_equal(
            decoded(core, segments, count, plan), symbols
        )  # all in the core, other than in a trace
    drawn = [each.sample(20, None, np.random.RandomState(1)) for each in (core, reference)]
    assert np.array_equal(*drawn)


@every_variant
@pytest.mark.parametrize("network", shipped("autoregressive"))
def test_shipped_models_make_the_same_files(name: str, network: str):
    core, reference = native.model(network, name), native.model(network, "numpy")
    symbols = mixed_text(core.alphabet, 2500)
    for plan in (core.plan(2500), (7, 90)):
        segments = coded(reference, symbols, plan)
        assert coded(core, symbols, plan) == segments
        assert np.array_equal(decoded(core, segments, 2500, plan), symbols)


MIXTURES = {
    "longest": replace(MIXING, orders=(8, 1, 5), bits=20),
    "by age": replace(MIXING, orders=(1, 2, 3, 4, 5, 6, 7, 8), by_age=True),
    "phrases": replace(MIXING, orders=(), phrases=True),
    "refined": replace(MIXING, orders=(2,), refined=True, limit=255, bits=22),
    "wild": replace(MIXING, rate=1 << 19, phrases=True, by_age=True, refined=True, limit=1023),
    "fixed": replace(MIXING, limit=0, start=-30000),
}


def loaded(network, mixing) -> Autoregressive:
    saved = random_checkpoint(MixedModel(network, mixing), "own")
    config = json.loads(json.dumps(saved.config))  # as in a weight file
    return load(Identity("own", "bytes", b""), config, saved.arrays, NumpyArrays(), Workers(1))


@every_variant
@pytest.mark.parametrize("mixing", MIXTURES)
def test_every_mixture_is_that_of_numpy(name: str, mixing: str):
    network, models = replace(CONFIGS["bytes-mlp"], alphabet=200), []
    for core in (name, "numpy"):
        with native.chosen(core):
            models.append(loaded(network, MIXTURES[mixing]))
    assert models[0].native and not models[1].native
    symbols = mixed_text(200, 3000)
    assert trace(models[0], symbols, (30, 33)) == trace(models[1], symbols, (30, 33))


@every_variant
@pytest.mark.parametrize("sizes", [(1, 1, 1), (ROWS, 5, 40), (33, 70, 0), (16, 16, 16)])
def test_networks_of_any_size_are_those_of_numpy(name: str, sizes: tuple[int, int, int]):
    width, state, hidden = sizes
    network = replace(
        CONFIGS["letters"], alphabet=5, width=width, state=state, hidden=hidden, depth=3, embed=1
    )
    models = []
    for core in (name, "numpy"):
        with native.chosen(core):
            models.append(loaded(network, MIXING))
    symbols = mixed_text(5, 900)
    assert trace(models[0], symbols, (130, 3)) == trace(models[1], symbols, (130, 3))


@every_variant
@pytest.mark.parametrize("network", ["bytes", "bytes-refined", "letters-mlp"])
def test_threads_share_lanes_and_change_nothing(name: str, network: str, monkeypatch: pytest.MonkeyPatch):
    groups = [slice(0, 1), slice(1, 60), slice(60, 97)]
    monkeypatch.setattr(Workers, "groups", lambda *given: groups)
    core, reference = native.model(network, name, threads=3), native.model(network, "numpy")
    symbols = mixed_text(core.alphabet, 4000)
    found = trace(core, symbols, (97, 7))
    segments = coded(core, symbols, (97, 7))
    assert np.array_equal(decoded(core, segments, 4000, (97, 7)), symbols)
    monkeypatch.undo()
    assert found == trace(reference, symbols, (97, 7))


@every_variant
@pytest.mark.parametrize("network", ["bytes", "bytes-refined", "letters", "letters-mlp"])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_damaged_stacks_are_refused_or_decode_as_numpy_decodes_them(name: str, network: str, seed: int):
    """Noise in place of a stack, and stacks that are too short: the same symbols, or the same refusal."""
    random, plan = np.random.RandomState(seed), (10, 12)
    segments = coded(native.model(network, "numpy"), mixed_text(27, 240), plan)
    broken = [random.bytes(random.randint(0, 200)) + b"\1" for _ in segments]
    broken[0] = segments[0][: random.randint(len(segments[0]))].rstrip(b"\0")
    outcomes = []
    for core in (name, "numpy"):
        try:
            outcomes.append(decoded(native.model(network, core), broken, 240, plan).tobytes())
        except CorruptError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@every_variant
def test_a_symbol_outside_the_alphabet_is_refused(name: str):
    """27 letters take five bits, which have room for 32 symbols."""
    coder = native.model("letters", name)
    with pytest.raises(CorruptError, match="a symbol outside the alphabet was decoded"):
        decoded(coder, [b"\xff" * 4000], 1000, (20, 50))


@every_variant
def test_bits_that_are_left_over_are_noticed(name: str):
    assert_bits_left_over_are_noticed(native.model("bytes", name), mixed_text(256, 300), (10, 11))
