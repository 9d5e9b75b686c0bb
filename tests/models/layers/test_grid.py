"""Each exact layer, on every backend, is the formula of its docstring in Python's integers."""

import math
from fractions import Fraction

import numpy as np
import pytest
import reference_layers as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import CONFIGS, tiny_checkpoint

from catzip.models.backends.base import NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.layers import grid

SEEDS = st.integers(0, 2**32 - 1)
TENSORS = {name: tiny_checkpoint(name).arrays for name in CONFIGS}


def residual(random: np.random.RandomState, *shape: int) -> NumpyArray:
    """A residual stream float32 [..., D]: ordinary rows, tiny ones, extremes, zeros, single spikes."""
    width = shape[-1]
    size = 10.0 ** random.uniform(0, 4.5, (*shape[:-1], 1))
    x = np.floor(random.randn(*shape) * size)
    rows = x.reshape(-1, width)
    for row, special in zip(rows, random.permutation(len(rows)), strict=True):
        if special == 0:
            row[:] = random.choice([-grid.RES_MAX, grid.RES_MAX], width)
        elif special == 1:
            row[:] = 0
        elif special == 2:
            row[:] = 0
            row[random.randint(width)] = grid.RES_MAX
        elif special == 3:
            row[:] = random.randint(-1, 2, width)
    return x.clip(-grid.RES_MAX, grid.RES_MAX).astype(np.float32)


def integers(array: NumpyArray) -> list:
    """As nested lists of Python integers."""
    assert np.array_equal(array, np.floor(array))
    return array.astype(np.int64).tolist()


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, inputs=st.integers(1, 40), bits=st.sampled_from([5, 6, 8, 12]))
def test_linear(name: str, seed: int, inputs: int, bits: int):
    arrays, random = backend(name), np.random.RandomState(seed)
    tensors = {
        "a.weight": random.choice([-63, -62, -1, 0, 1, 5, 63], (6, inputs)).astype(np.int8),
        "a.exponent": random.randint(0, 21, 6).astype(np.int8),
        "a.bias": random.choice([0, 1, -1, 1000, -(2**20), 2**20], 6).astype(np.int32),
    }
    codes = random.choice([-127, -126, -3, 0, 1, 127], (5, inputs)).astype(np.float32)
    layer = grid.Linear.load(arrays, tensors, ["a"], [bits])
    got = integers(arrays.fetch(layer(arrays.place(codes))))
    assert got == [reference.linear(tensors, "a", bits, row) for row in integers(codes)]


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, inputs=st.integers(1, 40))
def test_fine_linear(name: str, seed: int, inputs: int):
    """Coarse and fine outputs are integers of their own, and are added."""
    arrays, random = backend(name), np.random.RandomState(seed)
    tensors = {
        "a.weight": random.randint(-63, 64, (6, inputs)).astype(np.int8),
        "a.exponent": random.randint(0, 21, 6).astype(np.int8),
        "a.bias": np.concatenate([random.randint(-1000, 1000, 3), np.zeros(3)]).astype(np.int32),
    }
    codes = random.randint(-127, 128, (5, inputs)).astype(np.float32)
    layer = grid.FineLinear.load(arrays, tensors, ["a"], [12])
    both = np.array([reference.linear(tensors, "a", 12, row) for row in integers(codes)])
    assert integers(arrays.fetch(layer(arrays.place(codes)))) == (both[:, :3] + both[:, 3:]).tolist()


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("inputs", [2096, 2097, 5000])
def test_linear_of_the_largest_sums(name: str, inputs: int):
    """At the edge of float32 and beyond it."""
    arrays, random = backend(name), np.random.RandomState(inputs)
    tensors = {
        "a.weight": np.where(np.arange(3 * inputs).reshape(3, inputs) % 997 < 990, 63, -62).astype(np.int8),
        "a.exponent": np.array([0, 3, 9], np.int8),
        "a.bias": np.array([7, -100, 0], np.int32),
    }
    codes = np.full((2, inputs), 127, np.float32)
    codes[1] = random.randint(-127, 128, inputs)
    layer = grid.Linear.load(arrays, tensors, ["a"], [8])
    got = integers(arrays.fetch(layer(arrays.place(codes))))
    assert got == [reference.linear(tensors, "a", 8, row) for row in integers(codes)]


def test_layers_in_one_product_are_the_layers_alone():
    arrays, tensors = NumpyArrays(), TENSORS["bytes"]
    parts = ["recurrent.0.forget", "recurrent.0.candidate", "recurrent.0.gate"]
    bits = [grid.FORGET, grid.STATE, grid.ACT]
    codes = np.random.RandomState(0).randint(-127, 128, (9, 24)).astype(np.float32)
    together = grid.Linear.load(arrays, tensors, parts, bits)(codes)
    alone = [grid.Linear.load(arrays, tensors, [p], [b])(codes) for p, b in zip(parts, bits, strict=True)]
    assert np.array_equal(together, np.concatenate(alone, axis=1))


def test_a_bias_that_float32_cannot_hold_is_refused():
    tensors = {
        "a.weight": np.ones((1, 1), np.int8),
        "a.exponent": np.zeros(1, np.int8),
        "a.bias": np.array([2**23 + 1], np.int32),
    }
    with pytest.raises(ValueError, match="too large for float32"):
        grid.Linear.load(NumpyArrays(), tensors, ["a"], [8])


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, width=st.sampled_from([1, 2, 17, 49, 256]))
def test_rms_norm(name: str, seed: int, width: int):
    arrays = backend(name)
    x = residual(np.random.RandomState(seed), 8, width)
    got = integers(arrays.fetch(grid.rms_norm(arrays, arrays.place(x))))
    assert got == [reference.rms_norm(row) for row in integers(x)]


@pytest.mark.parametrize("name", BACKENDS)
def test_rms_norm_where_the_root_is_a_whole_number(name: str):
    """sum + 16 n = 49 * 4**k: r is 2**(20 - k) exactly, on the edge of its floor, and odd values lie on ties."""
    arrays = backend(name)
    for k in (3, 6):
        x = whole_square(49, 49 * (4**k - 16))
        got = integers(arrays.fetch(grid.rms_norm(arrays, arrays.place(np.array([x], np.float32)))))
        assert got == [[clip127((v * 2**20 // 2**k + 2**14) >> 15) for v in x]]


def clip127(value: int) -> int:
    return max(-127, min(127, value))


def whole_square(count: int, total: int) -> list[int]:
    """`count` integers whose squares sum to `total`: greedily, the first near the mean, which is odd."""
    values = []
    for left in range(count, 5, -1):
        values.append(math.isqrt(total // left) | 1)
        total -= values[-1] ** 2
    while total:
        values.append(math.isqrt(total))
        total -= values[-1] ** 2
    assert len(values) <= count
    return values + [0] * (count - len(values))


def test_rms_norm_is_the_norm():
    """Against real arithmetic: half a step for the rounding, and what the floor of r takes from large residuals."""
    x = residual(np.random.RandomState(5), 50, 64).astype(np.float64)
    real = 32 * x / np.sqrt((x**2).mean(-1, keepdims=True) + 16)
    got = grid.rms_norm(NumpyArrays(), x.astype(np.float32))
    assert np.abs(got - real.clip(-127, 127)).max() < 1.1


@pytest.mark.parametrize("name", BACKENDS)
def test_swish_of_every_code(name: str):
    arrays, codes = backend(name), np.arange(-127, 128)
    got = integers(arrays.fetch(grid.swish(arrays, arrays.place(codes.astype(np.float32)))))
    assert got == [reference.swish(code) for code in codes.tolist()]
    x = codes / 32
    assert np.array_equal(np.array(got) / 2.0**12, x * ((x + 2) / 4).clip(0, 1))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("shift", [1, 12, 15])
def test_to_codes(name: str, shift: int):
    arrays = backend(name)
    edges = np.arange(-130, 131) * 2**shift
    y = np.concatenate([edges + d for d in (-(2 ** (shift - 1)) - 1, -(2 ** (shift - 1)), 0, 1)])
    y = np.append(y, [2**24 - 1, 1 - 2**24])
    got = integers(arrays.fetch(grid.to_codes(arrays, arrays.place(y.astype(np.float32)), shift)))
    assert got == [reference.to_code(value, shift) for value in y.tolist()]


def test_exponents_beyond_the_proofs_are_refused():
    weight, bias = np.ones((1, 2), np.int8), np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="too large for float32"):
        grid.Linear(NumpyArrays(), weight, np.array([100], np.int8), bias, 5)
    tensors = TENSORS["bytes"] | {
        "recurrent.0.forget.exponent": TENSORS["bytes"]["recurrent.0.forget.exponent"] * np.int8(0)
        - np.int8(1)
    }
    with pytest.raises(ValueError, match="index of a table"):
        grid.Recurrent(NumpyArrays(), tensors, "recurrent.0")


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("config", ["letters-mlp", "bytes", "bytes-mlp"])
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS)
def test_recurrent(name: str, config: str, seed: int):
    """States that start at their limits; several steps and lanes, which do not see each other."""
    arrays, tensors, random = backend(name), TENSORS[config], np.random.RandomState(seed)
    x = residual(random, 3, 2, CONFIGS[config].width)
    start = random.randint(-grid.STATE_MAX, grid.STATE_MAX + 1, (2, CONFIGS[config].state))
    start[0] = grid.STATE_MAX * random.choice([-1, 1], CONFIGS[config].state)
    layer = grid.Recurrent(arrays, tensors, "recurrent.0")
    got, last = layer(arrays.place(x), arrays.place(start.astype(np.int32)))
    got, last = integers(arrays.fetch(got)), integers(arrays.fetch(last))
    for lane, h in enumerate(start.tolist()):
        for t in range(3):
            expected, h = reference.recurrent(tensors, "recurrent.0", integers(x)[t][lane], h)
            assert got[t][lane] == expected
        assert last[lane] == h


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("config", ["letters-mlp", "bytes-mlp"])
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS)
def test_gated_mlp(name: str, config: str, seed: int):
    arrays, tensors = backend(name), TENSORS[config]
    x = residual(np.random.RandomState(seed), 4, 3, CONFIGS[config].width)
    got = integers(arrays.fetch(grid.GatedMLP(arrays, tensors, "mlps.0")(arrays.place(x))))
    assert got == [[reference.gated_mlp(tensors, "mlps.0", row) for row in step] for step in integers(x)]


def test_recurrence_stays_within_int32_at_its_limits():
    """A state at one limit, a candidate at the other, let in whole and in part."""
    tensors = dict(TENSORS["letters"])
    for part, bias in (("forget", 0), ("candidate", -grid.STATE_MAX), ("gate", 127)):
        tensors[f"recurrent.0.{part}.weight"] = np.zeros_like(tensors[f"recurrent.0.{part}.weight"])
        tensors[f"recurrent.0.{part}.bias"] = np.full(20, bias, np.int32)
    for forget in (-511, -100, 0, 100, 511):
        tensors["recurrent.0.forget.bias"] = np.full(20, forget, np.int32)
        x, h = np.zeros((1, 1, 16), np.float32), np.full((1, 20), grid.STATE_MAX, np.int32)
        _, after = grid.Recurrent(NumpyArrays(), tensors, "recurrent.0")(x, h)
        _, expected = reference.recurrent(tensors, "recurrent.0", [0] * 16, [grid.STATE_MAX] * 20)
        assert after.tolist() == [expected]


@pytest.mark.parametrize("name", BACKENDS)
def test_embedding(name: str):
    arrays, table = backend(name), TENSORS["bytes"]["ngrams.1.table"]
    index = np.array([[0, 127, 5], [5, 5, 126]])
    got = arrays.fetch(grid.Embedding(arrays, TENSORS["bytes"], "ngrams.1")(arrays.place(index)))
    assert got.dtype == np.int8
    assert got.tolist() == [[table[i].tolist() for i in row] for row in index.tolist()]


def test_single_is_float32():
    random = np.random.RandomState(0)
    for value in (random.randn(300) * 2.0 ** random.randint(-30, 60, 300)).tolist():
        assert reference.single(Fraction(value)) == Fraction(float(np.float32(value)))
