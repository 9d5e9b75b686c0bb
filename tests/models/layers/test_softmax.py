"""The integer softmax, on every backend, is its formula in Python's arithmetic; its tables are the functions."""

import math

import numpy as np
import pytest
import reference_layers as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.models.backends.base import Arrays, NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.layers import grid

SEEDS = st.integers(0, 2**32 - 1)
EXPONENTIAL = grid.exp_table().tolist()


def whole(logits: NumpyArray) -> list:
    return logits.astype(np.int64).tolist()


def frequencies(arrays: Arrays, logits: NumpyArray) -> NumpyArray:
    softmax = grid.Softmax(arrays, {"exp": grid.exp_table()})
    return softmax(arrays.place(np.asarray(logits, np.float32)))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("symbols", [2, 27, 256])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, spread=st.sampled_from([0, 1, 300, 1000, 9000]))
def test_softmax(name: str, symbols: int, seed: int, spread: int):
    logits = np.floor(np.random.RandomState(seed).randn(12, symbols) * spread)
    logits = logits.clip(-grid.LOGIT_MAX, grid.LOGIT_MAX)
    got = frequencies(backend(name), logits)
    assert got.dtype == np.uint32
    assert got.min() >= 1 and (got.sum(axis=1, dtype=np.int64) == 2**24).all()
    assert got.tolist() == [reference.softmax(EXPONENTIAL, row) for row in whole(logits)]


@pytest.mark.parametrize("name", BACKENDS)
def test_softmax_where_a_share_is_a_whole_number(name: str):
    """Such a share loses a unit to any second rounding: PyTorch divides a number by a tensor in two steps."""
    random = np.random.RandomState(1)
    table = np.array(EXPONENTIAL)
    found = []
    for _ in range(200):
        logits = np.floor(random.randn(200, 256) * 600)
        e = table[(logits.max(1, keepdims=True) - logits).astype(int).clip(0, 4096)]
        is_whole = (e * (2**24 - 256) % e.sum(1, keepdims=True) == 0) & (e > 0)
        found += list(logits[is_whole.any(1)])
    assert len(found) > 5
    got = frequencies(backend(name), np.array(found))
    assert got.tolist() == [reference.softmax(EXPONENTIAL, whole(row)) for row in found]


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("symbols", [2, 27, 256])
def test_softmax_of_extremes(name: str, symbols: int):
    equal = np.zeros((1, symbols))
    (row,) = frequencies(backend(name), equal).tolist()
    each = (2**24 - symbols) // symbols + 1
    assert row == [2**24 - each * (symbols - 1)] + [each] * (symbols - 1)
    certain = np.full((1, symbols), -grid.LOGIT_MAX)
    certain[0, 1] = grid.LOGIT_MAX
    (row,) = frequencies(backend(name), certain).tolist()
    assert row == [1, 2**24 - symbols + 1] + [1] * (symbols - 2)


def test_softmax_gives_the_rest_to_the_first_largest():
    row = frequencies(NumpyArrays(), np.array([[-8192, 100, 0, 100, -50]])).tolist()[0]
    assert row[1] > row[3] and row[1] - row[3] < 5
    assert sum(row) == 2**24


def test_softmax_is_the_softmax():
    logits = np.random.RandomState(0).randint(-1500, 1500, (40, 27))
    real = np.exp(logits / 256.0)
    real /= real.sum(1, keepdims=True)
    assert np.abs(frequencies(NumpyArrays(), logits) / 2.0**24 - real).max() < 1e-5


def test_tables_are_the_functions():
    """Rounded, at the scales they are used at, and as far as the clamps reach."""
    sigmoid, exponential = grid.sigmoid_table(), grid.exp_table()
    assert len(sigmoid) == 2 * grid.FORGET_MAX + 1 and sigmoid.dtype == np.int32
    for i, value in enumerate(sigmoid.tolist()):
        assert abs(value - 2**12 / (1 + math.exp(-(i - 511) / 64))) <= 0.5 + 1e-9
    assert exponential[0] == 2**20 and exponential[-1] == 0 and exponential.dtype == np.int32
    for i, value in enumerate(exponential.tolist()):
        assert abs(value - 2**20 * math.exp(-i / 256)) <= 0.5 + 1e-9
