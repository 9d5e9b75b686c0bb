"""The exact mixture of logistics is its formula in integers, on every backend; its tables are the functions."""

import math

import numpy as np
import pytest
import reference_masked as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.models.backends.base import Arrays, NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.layers.grid import exp_table
from catzip.models.layers.logistics import MEAN_MAX, SCALE_LEAST, SCALE_MOST, Logistics, logistic_tables

SEEDS = st.integers(0, 2**32 - 1)
TENSORS = logistic_tables() | {"exp": exp_table()}
EVERY = np.arange(257)[None]


def frequencies(arrays: Arrays, y: NumpyArray, guess: NumpyArray, edges: NumpyArray) -> NumpyArray:
    layer = Logistics(arrays, TENSORS, 256, y.shape[1] // 3)
    return layer(arrays.place(y.astype(np.float32)), guess, edges)


def expected(y: NumpyArray, guess: NumpyArray, edges: NumpyArray) -> list:
    edges = np.broadcast_to(edges, (len(y), edges.shape[1]))
    rows = zip(y.tolist(), guess.tolist(), edges.tolist(), strict=True)
    return [reference.in_24_bits(reference.mixture(TENSORS, 256, *row)) for row in rows]


def heads(random: np.random.RandomState, count: int, components: int) -> tuple[NumpyArray, NumpyArray]:
    """What a head may say, the limits of everything among it: int [count, 3 * components], guesses [count]."""
    y = random.randn(count, 3 * components) * random.choice([100, 1000, 5000], (count, 1))
    guess = random.randint(0, 511, count)
    guess[:2] = 0, 510
    return np.floor(y).clip(-MEAN_MAX, MEAN_MAX).astype(int), guess


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS, components=st.integers(1, 4))
def test_every_value(name: str, seed: int, components: int):
    y, guess = heads(np.random.RandomState(seed), 6, components)
    got = frequencies(backend(name), y, guess, EVERY)
    assert got.dtype == np.uint32 and got.min() >= 1 and (got.sum(1, dtype=np.int64) == 2**24).all()
    assert got.tolist() == expected(y, guess, EVERY)


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, shift=st.sampled_from([0, 2, 4, 6]))
def test_digits_of_a_known_interval(name: str, seed: int, shift: int):
    random = np.random.RandomState(seed)
    y, guess = heads(random, 8, 3)
    first = random.randint(0, 256, (8, 1))
    first[:2, 0] = 0, 255  # the intervals that reach to infinity
    edges = (first >> shift + 2 << shift + 2) + (np.arange(5) << shift)
    assert frequencies(backend(name), y, guess, edges).tolist() == expected(y, guess, edges)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("scale", [-MEAN_MAX, 16 * SCALE_LEAST, 0, 16 * SCALE_MOST, MEAN_MAX])
def test_extremes(name: str, scale: int):
    """Means as far away as they get, on either side, at the smallest and the largest scales."""
    ends = np.array([-MEAN_MAX, MEAN_MAX])
    means, guess = np.tile(ends, 2), np.repeat([0, 510], 2)
    y = np.stack([np.zeros(4, int), means, np.full(4, scale)], 1)
    assert frequencies(backend(name), y, guess, EVERY).tolist() == expected(y, guess, EVERY)


def test_a_sharp_mixture_far_from_an_interval_leaves_the_floor():
    """All four digits are as likely then, and none has nothing."""
    y, guess = np.array([[0, 0, -MEAN_MAX]]), np.array([500])
    (row,) = frequencies(NumpyArrays(), y, guess, np.array([[0, 1, 2, 3, 4]])).tolist()
    assert row == [2**22] * 4


def test_a_mixture_is_the_mixture():
    """Against real arithmetic: scales are on a grid, so are the tables."""
    y, guess = heads(np.random.RandomState(1), 60, 3)
    y[:, 6:] = np.floor(y[:, 6:] / 16) * 16  # scales that are on the grid
    logits, means, scales = (y[:, i : i + 3, None] / 256.0 for i in (0, 3, 6))
    edges = np.arange(257) - 0.5
    edges[[0, -1]] = -np.inf, np.inf
    z = (edges - guess[:, None, None] / 2 - 16 * means) * np.exp(-scales.clip(-1.5, 4.5))
    below = np.where(z < 0, np.exp(np.minimum(z, 0)), 1) / (1 + np.exp(-np.abs(z)))
    weights = np.exp(logits - logits.max(1, keepdims=True))
    real = (weights * np.diff(below)).sum(1) / weights.sum(1) + 2.0**-20
    real /= real.sum(1, keepdims=True)
    got = frequencies(NumpyArrays(), y, guess, EVERY) / 2.0**24
    assert (real * np.log2(real / got)).sum(1).max() < 1e-3  # bits that rounding costs


def test_tables_are_the_functions():
    inverse, cdf = (logistic_tables()[name] for name in ("logistic.inverse", "logistic.cdf"))
    assert inverse.dtype == cdf.dtype == np.int32 and (len(inverse), len(cdf)) == (97, 28673)
    for i, value in enumerate(inverse.tolist(), -24):
        assert abs(value - 2**12 * math.exp(-i / 16)) <= 0.5 + 1e-9
    assert (cdf[0], cdf[-1]) == (0, 2**22)
    for i, value in list(enumerate(cdf.tolist(), -14336))[1:-1:7]:
        assert abs(value - 2**22 / (1 + math.exp(-i / 1024))) <= 0.5 + 1e-9


def test_tables_without_a_proof_are_refused():
    inverse, cdf = (logistic_tables()[name] for name in ("logistic.inverse", "logistic.cdf"))
    falls = cdf.copy()
    falls[20000] = 0
    wrong = [("inverse", inverse[1:]), ("inverse", inverse * 2), ("inverse", inverse // 2)]
    wrong += [("cdf", cdf[1:]), ("cdf", cdf + 1), ("cdf", cdf - 1), ("cdf", falls)]
    for name, table in wrong:
        with pytest.raises(ValueError, match=f"logistic.{name} is no table"):
            Logistics(NumpyArrays(), TENSORS | {f"logistic.{name}": table}, 256, 3)
    for alphabet, components in ((257, 1), (256, 513)):
        with pytest.raises(ValueError, match="up to 256 values and 512 components"):
            Logistics(NumpyArrays(), TENSORS, alphabet, components)
