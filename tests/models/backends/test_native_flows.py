"""The compiled core gives flows the integers of the NumPy layers, kernel by kernel; on every variant."""

import ctypes
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import native
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native import ALL
from test_native import either

from catzip.compressor.coding.pmf import PMF
from catzip.compressor.coding.stack import Stack
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.native import flow_trial
from catzip.models.backends.native.coder import StackWords
from catzip.models.backends.native.flow_structures import INTERVAL, Flows
from catzip.models.backends.native.flows import ZERO, KnownLevel, Mixtures, Tables, popped
from catzip.models.backends.native.structures import Core, address
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.families.idf.corrections import BIAS, Corrections
from catzip.models.families.idf.enc_fitting import NumpyTrial
from catzip.models.families.idf.enc_gradients import MixtureGradients
from catzip.models.families.idf.enc_native_fitting import NativeTrial
from catzip.models.families.idf.factor_out import FactorOutPrior, beside
from catzip.models.families.idf.flow import FlowConfig
from catzip.models.families.idf.native_flow import packed as packed_weights
from catzip.models.families.idf.native_prior import PackedPrior
from catzip.models.families.idf.squeeze import FACTORED_OUT, inner, look, widened
from catzip.models.layers.grid import exp_table
from catzip.models.layers.logistics import Logistics, logistic_tables

NUMPY = NumpyArrays()
TABLES = {"exp": exp_table(), **logistic_tables()}
SEEDS = st.integers(0, 2**32 - 1)
CONFIG = FlowConfig(channels=3, levels=1, nets=1, width=12, hidden=10, depth=2, components=2)
every_variant = pytest.mark.parametrize("name", ALL)


@every_variant
@pytest.mark.parametrize("broken,result", [("convolve", -1), ("digits", -1), ("normal", 3)])
def test_the_trial_notices_a_wrong_kernel(name: str, broken: str, result: int):
    """Off by one in one number."""
    core, flows = native.variant(name), Flows()
    ctypes.pointer(flows)[0] = Flows.of(core)
    original = getattr(Flows.of(core), broken)

    def run(*given: Any) -> None:
        original(*given)
        np.ctypeslib.as_array((ctypes.c_uint8 * 1).from_address(given[result]))[:] ^= 1

    setattr(flows, broken, type(original)(run))
    fake = SimpleNamespace(flows=ctypes.addressof(flows), in_blocks=core.in_blocks)
    assert flow_trial.check(core) and not flow_trial.check(fake)


def tables(core: Core, components: int) -> Tables:
    return Tables(core, components, *(TABLES[each] for each in ("exp", "logistic.inverse", "logistic.cdf")))


def extreme_prior(config: FlowConfig, out: Any, seed: int) -> dict[str, NumpyArray]:
    """Its tensors: weights often as large as they get, with exponents that leave the sums small or clip them."""
    random = np.random.RandomState(seed)
    features, fine = out.features(config.channels), 2 if config.fine else 1
    sizes = {"p.inputs": (fine * config.width, features)}
    for i in range(config.depth):
        sizes[f"p.blocks.{i}.conv"] = (2 * config.hidden, 9 * config.width)
        sizes[f"p.blocks.{i}.out"] = (config.width, config.hidden)
    for i in range(config.channels):
        sizes[f"p.heads.{i}"] = (fine * 3 * config.components, config.width + features + 2 * i)
    found = {}
    for name, (outputs, inputs) in sizes.items():
        found[f"{name}.weight"] = either(random, 63, outputs, inputs).astype(np.int8)
        found[f"{name}.exponent"] = random.randint(2, 9, outputs).astype(np.int8)
        found[f"{name}.bias"] = either(random, 3000, outputs).astype(np.int32)
    return found


SIZES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.sampled_from([1, 2, 3, 7, 13, 100]))


@every_variant
@settings(max_examples=25, deadline=None)
@given(
    seed=SEEDS, size=SIZES, widths=st.sampled_from([(1, 1), (12, 10), (16, 16), (33, 20)]), fine=st.booleans()
)
def test_priors_are_those_of_numpy(
    name: str, seed: int, size: tuple[int, int, int], widths: tuple[int, int], fine: bool
):
    """What heads see and the mixtures that they make of it, channel after channel; of planes of odd sizes."""
    random, core = np.random.RandomState(seed), native.variant(name)
    config = replace(CONFIG, width=widths[0], hidden=widths[1], fine=("inputs", "heads") if fine else ())
    batch, (height, width) = size[0], size[1:]
    which = random.randint(3)
    out, known = FACTORED_OUT[which], ((0,), (0, 3), (0, 3, 1))[which]
    tensors = extreme_prior(config, out, seed)
    prior = FactorOutPrior(NUMPY, tensors, "p", config.depth, 3, config.fine)
    packed = PackedPrior(core, config, tensors, "p", out)
    assert packed.is_bounded
    level = KnownLevel(tables(core, 2), [packed.structure], 3, batch, (height, width))
    wide: dict[int, list[NumpyArray]] = {}
    for phase in known:
        planes = [
            noise(random, batch, height - random.randint(2), width - random.randint(2)) for _ in range(3)
        ]
        wide[phase] = [widened(NUMPY, plane.astype(np.float32), (height, width)) for plane in planes]
        for channel, plane in enumerate(planes):
            level.learn(phase, channel, plane)
    seen, guesses = look(NUMPY, wide, out, (height, width))
    x = prior.stream(np.zeros((batch, height, width, config.width), np.float32), seen)
    head_inputs = prior.head_inputs(x, seen)
    level.describe(packed.structure)
    for channel in range(3):
        plane = noise(random, batch, height, max(1, width - random.randint(2)))
        shape, cut = plane.shape, np.s_[:, : plane.shape[1], : plane.shape[2]]
        codes = head_inputs[cut].reshape(-1, head_inputs.shape[-1])
        found = level.mixtures(packed.structure, channel, shape, None)
        sights = level.seen(packed.structure, shape)[:, : codes.shape[1]].astype(int) - ZERO
        assert np.array_equal(sights, codes) and packed.inputs(channel) == codes.shape[1]
        assert np.array_equal(found.guess, guesses[channel][cut].ravel())
        y = prior.mixtures(channel, codes)
        assert np.array_equal(found.y, y)
        weights = {(0, channel): either(random, 63, 2, codes.shape[1] + 1)}
        layer = packed_weights(core, weights[0, channel])
        corrected = level.mixtures(packed.structure, channel, shape, layer.structure)
        change = Corrections(NUMPY, weights, config.components)
        assert np.array_equal(corrected.y, change(0, channel, codes, y, found.guess))
        level.learn(out.phase, channel, plane)
        if channel < 2:
            level.tell(packed.structure, out.phase, channel)
            whole = widened(NUMPY, plane.astype(np.float32), (height, width))
            head_inputs = np.concatenate([head_inputs, beside(NUMPY, inner(whole), guesses[channel])], -1)


def noise(random: np.random.RandomState, *shape: int) -> NumpyArray:
    """uint8, often 0 or 255."""
    return (either(random, 128, *shape) + 128).clip(0, 255).astype(np.uint8)


def some_mixtures(core: Core, seed: int, count: int, components: int, limit: int) -> Mixtures:
    random = np.random.RandomState(seed)
    y, guess = either(random, limit, count, 3 * components), either(random, 255, count) + 255
    return Mixtures(
        tables(core, components), (count, 1, 1), y.astype(np.int16), guess.clip(0, 510).astype(np.int16)
    )


@every_variant
@settings(max_examples=30, deadline=None)
@given(
    seed=SEEDS,
    count=st.integers(1, 40),
    components=st.integers(1, 6),
    limit=st.sampled_from([0, 30, 400, 4096]),
)
def test_pmfs_of_digits_are_those_of_the_layer(name: str, seed: int, count: int, components: int, limit: int):
    """Those of both digits, and the intervals of values that are known."""
    mixtures = some_mixtures(native.variant(name), seed, count, components, limit)
    exact = Logistics(NUMPY, TABLES, 256, components)
    values = noise(np.random.RandomState(seed), count)
    y, guess = mixtures.y.astype(np.float32), mixtures.guess.astype(np.int32)
    high, rows = (values >> 4).astype(int), np.arange(count)
    first = exact(y, guess, np.arange(17)[None] * 16)
    second = exact(y, guess, high[:, None] * 16 + np.arange(17))
    assert np.array_equal(mixtures.digits(), first)
    assert np.array_equal(mixtures.digits(values >> 4), second)
    intervals = mixtures.intervals(values.reshape(mixtures.shape))
    for found, frequencies, digits in zip(intervals, (first, second), (high, values % 16), strict=True):
        assert np.array_equal(found["size"], frequencies[rows, digits])
        assert np.array_equal(found["low"], (frequencies.cumsum(1) - frequencies)[rows, digits])


@every_variant
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, count=st.integers(0, 300), before=st.binary(max_size=20))
def test_digits_take_the_words_of_the_coder(name: str, seed: int, count: int, before: bytes):
    """Pushed, with PMFs that are flat or nearly certain, on a stack with something on it; and popped again."""
    flows, random = Flows.of(native.variant(name)), np.random.RandomState(seed)
    weights = np.floor(np.exp2(random.uniform(0, 30 * random.rand(), (count, 16)))).astype(np.int64)
    frequencies, digits = PMF.of_weights(weights).freqs, random.randint(0, 16, count)
    stack = Stack.from_bytes(before.rstrip(b"\0"))
    words = StackWords(stack.to_bytes(), count)
    stack.push(digits, PMF(frequencies))
    intervals = np.empty(count, INTERVAL)
    intervals["size"] = frequencies[np.arange(count), digits]
    intervals["low"] = (frequencies.cumsum(1) - frequencies)[np.arange(count), digits]
    flows.push_intervals(words.structure, address(intervals), count)
    assert words.left() == stack.to_bytes()
    again = StackWords(stack.to_bytes())
    assert np.array_equal(popped(flows, again.structure, frequencies), digits)
    assert again.left() == before.rstrip(b"\0")


@every_variant
@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, data=st.binary(max_size=60))
def test_digits_of_noise_are_those_of_the_coder(name: str, seed: int, data: bytes):
    """More than are there, too."""
    data, flows = data.rstrip(b"\0"), Flows.of(native.variant(name))
    frequencies = PMF.of_weights(np.random.RandomState(seed).randint(0, 9, (100, 16)) + 1).freqs
    words, stack = StackWords(data), Stack.from_bytes(data)
    assert np.array_equal(popped(flows, words.structure, frequencies), stack.pop(PMF(frequencies)))
    assert words.left() == stack.to_bytes()


def both_trials(core: Core, seed: int, rows: int, inputs: int, limit: int) -> tuple[NativeTrial, NumpyTrial]:
    random = np.random.RandomState(seed)
    mixtures, codes = some_mixtures(core, seed, rows, 3, limit), either(random, 127, rows, inputs)
    codes[:, -1] = BIAS
    seen = (codes.astype(np.int8), mixtures.y, mixtures.guess, noise(random, rows).astype(np.int64))
    return NativeTrial(mixtures.tables, *seen), NumpyTrial(MixtureGradients(TABLES, 3), *seen)


@every_variant
@settings(max_examples=25, deadline=None)
@given(
    seed=SEEDS,
    rows=st.integers(1, 400),
    inputs=st.integers(1, 130),
    limit=st.sampled_from([0, 40, 400, 4096]),
    most=st.sampled_from([0, 1, 20, 63]),
)
def test_fits_are_those_of_numpy(name: str, seed: int, rows: int, inputs: int, limit: int, most: int):
    """What weights cost, the gradients there, and the sums of these, also of the largest there can be."""
    core, reference = both_trials(native.variant(name), seed, rows, inputs, limit)
    random = np.random.RandomState(seed)
    weights = either(random, most, 2, inputs)
    (bits, gradients), (expected, steps) = core.at(weights), reference.at(weights)
    assert bits == expected and np.array_equal(gradients, steps)
    for each in (*gradients, either(random, 2047, rows).astype(np.int16)):
        found, exact = core.sums(np.ascontiguousarray(each)), reference.sums(each.astype(np.float64))
        assert np.array_equal(found[0], exact[0]) and np.array_equal(found[1], exact[1])


@every_variant
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, size=st.integers(1, 130))
def test_systems_are_solved_as_by_numpy(name: str, seed: int, size: int):
    random = np.random.RandomState(seed)
    a = random.normal(0, 1, (size + 9, size))
    a, b = a.T @ a + 0.1 * np.eye(size), random.normal(0, 1, size)
    core, reference = both_trials(native.variant(name), seed, 1, 2, 0)
    assert core.solved(a, b).tolist() == reference.solved(a, b).tolist()
